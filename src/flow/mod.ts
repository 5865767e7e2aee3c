/**
 * Stage 3 of 8: z ↔ x.
 *
 * In: coordinates of configurations. Out: a density that can be sampled exactly and evaluated at any point.
 *
 * | bijector | log-determinant | trained | use |
 * |---|---|---|---|
 * | {@link AutoregressiveParticleFlow} | sum over particles | yes | particles: the best there is |
 * | {@link RealNVP} | sum of log-scales | yes | any coordinates |
 * | {@link NeuralSpline} | sum of log-slopes | yes | few coordinates with several modes |
 * | {@link NICE} | 0 | yes | volume-preserving |
 * | {@link Scaling} | constant | yes | widths, after NICE |
 * | {@link Whitening} | constant | fitted once | next to the data |
 * | {@link Interval} | of normal numbers | no | next to the data: coordinates that cannot leave an interval |
 * | {@link Chain}, {@link Inverse} | of their parts | | composition |
 * | {@link couplingChain} | of its parts | yes | chains as the papers write them: "RRRR", "NNNNS" |
 *
 * Spins have no coordinates to map: {@link AutoregressiveSpins} is a density of −1 and 1.
 *
 * Start here: {@link Flow}.
 *
 * @module
 */
import "../backend/loaded.ts";

export { Flow, type FlowSamples, type Generator } from "./flow.ts";
export { MixtureGenerator } from "./mixture_generator.ts";
export { SymmetrisedGenerator } from "./symmetrised_generator.ts";
export { AutoregressiveSpins, type AutoregressiveSpinsOptions } from "./autoregressive_spins.ts";
export { flowAtTemperature } from "./flow_at_temperature.ts";
export { NormalPrior, type NormalPriorOptions, type Prior } from "./prior.ts";
export { auditFlow, type AuditOptions } from "./audit_flow.ts";
export type { AuditCheck, AuditName, FlowAudit } from "./audit_checks.ts";
export type { Bijector } from "./bijector.ts";
export { AutoregressiveParticleFlow, type AutoregressiveParticleFlowOptions } from "./autoregressive_particle_flow.ts";
export type { HeadOptions, MixtureHeadOptions, TiltedHeadOptions } from "./particle_heads.ts";
export type { PlacementOptions } from "./particle_order.ts";
export type { TiltedGrid } from "./tilted_head.ts";
export { temperatureCoordinate, TemperatureSlice } from "./temperature_slice.ts";
export { RealNVP, type RealNVPOptions } from "./real_nvp.ts";
export { NeuralSpline, type NeuralSplineOptions } from "./neural_spline.ts";
export { NICE, type NICEOptions } from "./nice.ts";
export { Scaling, type ScalingOptions } from "./scaling.ts";
export { Whitening, type WhiteningOptions } from "./whitening.ts";
export { Interval, type IntervalOptions } from "./interval.ts";
export { HarmonicBoxMap, type HarmonicBoxMapOptions } from "./harmonic_box_map.ts";
export { Chain, Inverse } from "./chain.ts";
export { couplingChain, type CouplingChainOptions } from "./coupling_chain.ts";
export type { ChannelSplit } from "./channels.ts";
