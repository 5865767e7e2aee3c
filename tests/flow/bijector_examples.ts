/**
 * Bijectors that the laws are tried on: every kind, with random parameters, never only the identity.
 *
 * @module
 */
import {
  AutoregressiveParticleFlow,
  type AutoregressiveParticleFlowOptions,
} from "../../src/flow/autoregressive_particle_flow.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { Chain, Inverse } from "../../src/flow/chain.ts";
import { Interval } from "../../src/flow/interval.ts";
import { NeuralSpline, type NeuralSplineOptions } from "../../src/flow/neural_spline.ts";
import { NICE, type NICEOptions } from "../../src/flow/nice.ts";
import { RealNVP, type RealNVPOptions } from "../../src/flow/real_nvp.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { Whitening, type WhiteningOptions } from "../../src/flow/whitening.ts";
import { type LawTolerance, ROUNDED_CONSTANTS, SHARED_PARAMETERS } from "../support/laws.ts";
import { normals, randomiseParameters } from "../support/random_arrays.ts";

/** A RealNVP with random parameters; networks are small, so that differences are cheap. */
export function realNVP(options: RealNVPOptions, seed = 1): RealNVP {
  const flow = new RealNVP({ blocks: 2, hidden: [6, 5], ...options });
  randomiseParameters(flow.parameters(), seed, 0.35);
  return flow;
}

/** A NICE with random parameters. */
export function nice(options: NICEOptions, seed = 2): NICE {
  const flow = new NICE({ blocks: 2, hidden: [6, 5], ...options });
  randomiseParameters(flow.parameters(), seed, 0.35);
  return flow;
}

/** Neural splines with random parameters. */
export function neuralSpline(options: NeuralSplineOptions, seed = 5): NeuralSpline {
  const flow = new NeuralSpline({ blocks: 2, hidden: [6, 5], bins: 4, bound: 3, ...options });
  randomiseParameters(flow.parameters(), seed, 0.35);
  return flow;
}

/** Data of unequal, correlated coordinates around a point that is not the origin. */
export function correlatedData(n: number, dim: number, seed = 3): Float64Array {
  const noise = normals(n * dim, seed);
  return noise.map((v, i) => (1 + i % dim) * (0.4 * v + 0.2 * noise[i - i % dim]) - 1 + i % dim);
}

/** A whitening of correlated data. */
export function whitening(dim: number, options: WhiteningOptions = {}): Whitening {
  return Whitening.fit(correlatedData(200, dim), dim, options);
}

/** A particle flow with random parameters, fitted to correlated data. */
export function particleFlow(options: AutoregressiveParticleFlowOptions, seed = 4): AutoregressiveParticleFlow {
  const context = options.temperatures === undefined ? 0 : 1;
  const data = correlatedData(200, context + options.particles * options.spatialDim);
  const flow = AutoregressiveParticleFlow.fit(data, { hidden: [5], ...options });
  randomiseParameters(flow.parameters(), seed, 0.35);
  return flow;
}

const mixture = { kind: "mixture", components: 3 } as const;

/** Particles that repel each other, softly, in a trap. */
const repelling = (spatialDim: 1 | 2 | 3) => ({
  spatialDim,
  pairTerm: () => repulsion,
  oneBodyEnergy: (_particle: number, _axis: number, x: number) => 0.3 * x * x,
});
const repulsion = { cutoff: 2.5, energy: (r: number) => 2 * (1 - r / 2.5) ** 2 };

/** Energy-tilted densities on small grids. */
const tilted = (spatialDim: 1 | 2 | 3, fine = 17): AutoregressiveParticleFlowOptions["head"] => ({
  kind: "tilted",
  interactions: repelling(spatialDim),
  basis: 3,
  grid: { fine, coarse: 9 },
});

/** A bijector, and how far float32 constants take it from the laws. */
export interface BijectorExample {
  readonly make: () => Bijector;
  readonly tolerance: LawTolerance;
  /**
   * Whether its density is smooth, so that quadrature on a plain grid is exact. Tilted densities have kinks at the lines
   * of their grids, those of splines at their knots; that they integrate to one is tested with quadrature that is split
   * there, beside their primitives.
   */
  readonly smooth: boolean;
}

const exact = (make: () => Bijector): BijectorExample => ({ make, tolerance: SHARED_PARAMETERS, smooth: true });
const kinked = (make: () => Bijector): BijectorExample => ({ ...exact(make), smooth: false });
const rounded = (make: () => Bijector): BijectorExample => ({ make, tolerance: ROUNDED_CONSTANTS, smooth: true });

/** Bijectors by name. */
export const bijectorExamples: Readonly<Record<string, BijectorExample>> = {
  "RealNVP, even-odd, 2-D": exact(() => realNVP({ dim: 2 })),
  "RealNVP, even-odd, 5-D": exact(() => realNVP({ dim: 5 })),
  "RealNVP, halves, 4-D, silu shifts": exact(() => realNVP({ dim: 4, channels: "halves", shiftActivation: "silu" })),
  "RealNVP, halves, 7-D, one block": exact(() => realNVP({ dim: 7, channels: "halves", blocks: 1 })),
  "RealNVP with bounded scales, 3-D": exact(() => realNVP({ dim: 3, boundedScales: true })),
  "RealNVP without hidden layers, 3-D": exact(() => realNVP({ dim: 3, hidden: [], blocks: 1 })),
  "NICE, even-odd, 2-D": exact(() => nice({ dim: 2 })),
  "NICE, halves, 5-D": exact(() => nice({ dim: 5, channels: "halves" })),
  "Neural spline, even-odd, 2-D": kinked(() => neuralSpline({ dim: 2 })),
  "Neural spline, halves, 5-D, one block": kinked(() => neuralSpline({ dim: 5, channels: "halves", blocks: 1 })),
  "Neural spline, two bins, tanh, 3-D": kinked(() => neuralSpline({ dim: 3, bins: 2, bound: 2, activation: "tanh" })),
  "Scaling, 1-D": exact(() => new Scaling({ dim: 1, logScale: [0.7] })),
  "Scaling, 3-D": exact(() => new Scaling({ dim: 3, logScale: [0.7, -0.4, 0.1] })),
  "Whitening, 1-D": rounded(() => whitening(1)),
  "Whitening, 2-D": rounded(() => whitening(2)),
  "Whitening of two groups, 5-D": rounded(() => whitening(5, { groups: [[4, 0], [1, 2, 3]] })),
  "Interval, 1-D": kinked(() => new Interval({ bounds: [[-6, 7]] })),
  "Interval of two coordinates in 4-D": kinked(() => new Interval({ bounds: [null, [-8, 6], [-5.5, 9], null] })),
  "Particle flow, mixtures, one in 2-D": exact(() => particleFlow({ particles: 1, spatialDim: 2, head: mixture })),
  "Particle flow, mixtures, two in 1-D": exact(() => particleFlow({ particles: 2, spatialDim: 1, head: mixture })),
  "Particle flow, mixtures, two in 3-D": exact(() =>
    particleFlow({ particles: 2, spatialDim: 3, head: { kind: "mixture", components: 2 } }, 6)
  ),
  "Particle flow, mixtures, three in 2-D, another order, one neighbour": exact(() =>
    particleFlow({
      particles: 3,
      spatialDim: 2,
      head: mixture,
      order: [2, 0, 1],
      neighbourhood: 1,
      referencePositions: Float64Array.of(0, 0, 1, 0, 3, 0),
    })
  ),
  "Particle flow, mixtures, one in 1-D at many temperatures": exact(() =>
    particleFlow({ particles: 1, spatialDim: 1, head: mixture, temperatures: { centre: 0.1, spread: 0.5 } })
  ),
  "Particle flow, tilted, one in 2-D": kinked(() => particleFlow({ particles: 1, spatialDim: 2, head: tilted(2) })),
  "Particle flow, tilted, two in 1-D": kinked(() => particleFlow({ particles: 2, spatialDim: 1, head: tilted(1) })),
  "Particle flow, tilted, three in 2-D": kinked(() => particleFlow({ particles: 3, spatialDim: 2, head: tilted(2) })),
  "Particle flow, tilted, one in 3-D": kinked(() => particleFlow({ particles: 1, spatialDim: 3, head: tilted(3, 9) })),
  "Particle flow, tilted, one in 1-D at many temperatures": kinked(() =>
    particleFlow({ particles: 1, spatialDim: 1, head: tilted(1), temperatures: { centre: 0.1, spread: 0.5 } })
  ),
  "Chain of all kinds, 2-D": rounded(() =>
    new Chain([realNVP({ dim: 2 }), nice({ dim: 2 }), new Scaling({ dim: 2, logScale: [0.3, -0.2] }), whitening(2)])
  ),
  "Chain of trainable kinds, 5-D": exact(() =>
    new Chain([nice({ dim: 5 }), new Scaling({ dim: 5, logScale: [0.3, -0.2, 0.1, 0, -0.4] }), realNVP({ dim: 5 })])
  ),
  "Inverse of RealNVP, 2-D": exact(() => new Inverse(realNVP({ dim: 2 }))),
  "Inverse of a Chain, 3-D": rounded(() => new Inverse(new Chain([realNVP({ dim: 3 }), whitening(3)]))),
};
