/**
 * The flow of the dimer run.
 *
 * @module
 */
import { AutoregressiveParticleFlow } from "../flow/autoregressive_particle_flow.ts";
import { Chain } from "../flow/chain.ts";
import { Flow, type Generator } from "../flow/flow.ts";
import { RealNVP } from "../flow/real_nvp.ts";
import { SymmetrisedGenerator } from "../flow/symmetrised_generator.ts";
import type { TiltedGrid } from "../flow/tilted_head.ts";
import { Whitening } from "../flow/whitening.ts";
import type { WeightStorage } from "../onnx/model_builder.ts";
import { dimerSymmetries } from "../system/dimer_symmetries.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { AutoregressiveSettings, FlowSettings, RealNVPSettings } from "./dimer_settings.ts";

/** What the flow of a run is made for. */
export interface DimerFlowOptions {
  /** Kind and size. */
  readonly settings: FlowSettings;
  /** The system. */
  readonly system: ParticleDimer;
  /** T in units of T₀. */
  readonly temperature: number;
  /** Seed of the initial weights. */
  readonly seed: number;
  /** Configurations that coordinates are scaled by, [n, dim]. */
  readonly data: Float64Array;
}

/** The flow of a run, and the density that it is judged by. */
export interface DimerFlow {
  /** What is trained and exported. */
  readonly flow: Flow;
  /** What samples are drawn from: the flow itself, or its average over the symmetries of the system. */
  readonly generator: Generator;
  /** Changes the grid of tilted heads; without one, to that of sampling. */
  setGrid(grid?: TiltedGrid): void;
}

/**
 * Builds the flow of a run: RealNVP next to the prior and whitening next to the configurations, or an autoregressive
 * particle flow, averaged over the mirror images of the dimer where it samples.
 *
 * @param options kind, size, system, data
 */
export function dimerFlow(options: DimerFlowOptions): DimerFlow {
  const { settings, system, seed, data } = options;
  if (settings.kind === "realnvp") {
    const flow = realNVPFlow(settings, system.dim, seed, data);
    return { flow, generator: flow, setGrid() {} };
  }
  const { grid, hidden } = settings;
  const bijector = AutoregressiveParticleFlow.fit(data, {
    particles: system.particles,
    spatialDim: 2,
    hidden,
    temperature: options.temperature,
    seed,
    head: settings.head === "mixture" ? { kind: "mixture" } : { kind: "tilted", interactions: system, grid },
  });
  const flow = new Flow(bijector);
  return {
    flow,
    generator: new SymmetrisedGenerator(flow, dimerSymmetries(system)),
    setGrid(wanted = grid) {
      bijector.setGrid(wanted);
      flow.release();
    },
  };
}

function realNVPFlow(settings: RealNVPSettings, dim: number, seed: number, data: Float64Array): Flow {
  const { blocks, hidden, activation, channels, whiten } = settings;
  const network = new RealNVP({
    dim,
    blocks,
    hidden,
    scaleActivation: activation,
    shiftActivation: activation,
    channels: "even-odd",
    seed,
  });
  if (!whiten) return new Flow(network);
  // Principal components keep the places of their group, so even and odd places stay x and y when whitened apart.
  const groups = channels === "xy" ? { groups: [0, 1].map((axis) => axisCoordinates(dim, axis)) } : {};
  return new Flow(new Chain([network, Whitening.fit(data, dim, groups)]));
}

function axisCoordinates(dim: number, axis: number): number[] {
  return Array.from({ length: dim / 2 }, (_, i) => 2 * i + axis);
}

/** One line that says what the flow is, and how its weights are stored. */
export function describeFlow(
  settings: RealNVPSettings | Omit<AutoregressiveSettings, "grid">,
  storage: WeightStorage = "float32",
): string {
  return describeMap(settings) + (storage === "float16" ? ", weights rounded to float16" : "");
}

function describeMap(settings: RealNVPSettings | Omit<AutoregressiveSettings, "grid">): string {
  const layers = settings.hidden.join("–");
  if (settings.kind === "autoregressive") {
    const head = settings.head === "tilted" ? "densities tilted by the exact pair energy" : "Gaussian mixtures";
    return `autoregressive particle flow, ${head}, a network with hidden layers ${layers} (silu) for each particle, ` +
      "averaged over the mirror images of the dimer";
  }
  const { blocks, activation, channels, whiten } = settings;
  const split = channels === "xy" ? "x | y coordinates" : whiten ? "even | odd principal components" : "even | odd";
  return `RealNVP, ${blocks} blocks, S and T networks with hidden layers ${layers} (${activation}), channels ${split}` +
    (whiten ? ", whitened data" : "");
}
