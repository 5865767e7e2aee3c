/**
 * Free-energy differences between two states that two flows map to one latent space.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { Flow } from "../flow/flow.ts";
import { flowAtTemperature } from "../flow/flow_at_temperature.ts";
import { bennettAcceptanceRatio, type BennettEstimate } from "../reweighting/bar.ts";
import type { CoverageFrames } from "../reweighting/coverage_doubt.ts";
import type { Estimate, FreeEnergyEstimate } from "../reweighting/estimate.ts";
import { exponentialAveraging } from "../reweighting/exponential_averaging.ts";
import { independentDifference } from "../reweighting/independent_difference.ts";
import type { Target } from "./boltzmann_generator.ts";
import { type BoundSamples, differenceOfBounds, upperBound } from "./free_energy_bounds.ts";
import { StateWeights } from "./state_weights.ts";

/** Equilibrium configurations of a state. */
export interface StateFrames {
  /** Configurations [n, dim], all of them in the state, at the temperature that is asked for. */
  readonly x: Float64Array;
  /** Chain of each [n]; default: independent configurations. */
  readonly chain?: ArrayLike<number>;
}

/** A state, and the flow that generates it. */
export interface GeneratedState {
  /** Maps the common latent space to the state. */
  readonly flow: Flow;
  /** The energy; a reference domain is respected. */
  readonly system: Target;
  /**
   * Tells which configurations belong to the state. Default: all.
   *
   * @param x configurations [n, dim]
   * @returns 1 inside, 0 outside, [n]
   */
  basin?(x: Float64Array): Uint8Array;
  /** Equilibrium configurations that training has not seen. Without them there are fewer estimates, and none is reliable. */
  readonly frames?: StateFrames;
}

/** How the difference is estimated. */
export interface TwoGeneratorOptions {
  /** Samples of each flow. */
  readonly samples: number;
  /** Seed of samples and bootstrap. */
  readonly seed: number;
  /** 1 / (k_B T₀), default 1. */
  readonly beta?: number;
  /** τ = T/T₀, default 1: flows are asked for it by `flowAtTemperature`, and u = βU/τ. */
  readonly temperature?: number;
  /**
   * Leaves pairs out of `bounds` whose reduced energy, in either state, lies more than this above the median: the
   * published programs do so for particles (50 k_BT₀). What is left bounds nothing. Default: none is left out.
   */
  readonly rejectAbove?: number;
  /** Gives samples without finite energy or density weight zero instead of refusing them, default false. */
  readonly skipNotFinite?: boolean;
  /** Bootstrap replicates, default 200. */
  readonly replicates?: number;
  /** Threads. */
  readonly pool?: Executor;
}

/** What one generator says about its own state, in k_BT. */
export interface StateFreeEnergy {
  /** ⟨u − log R⟩ + ⟨log p_Z⟩ over its samples, an upper bound of the free energy of everything that it generates. */
  readonly bound: Estimate;
  /** −ln Z of the state by reweighting. */
  readonly reweighting: FreeEnergyEstimate;
  /** −ln Z of the state by the acceptance ratio between samples and frames; null without frames. */
  readonly bennett: BennettEstimate | null;
  /** Share of the samples that lie in the state. */
  readonly inside: number;
}

/** F₂ − F₁ in k_BT, estimated in several ways. */
export interface TwoGeneratorDifference {
  /** The published estimator: the difference of two upper bounds. Biased by the difference of their heights. */
  readonly bounds: Estimate;
  /** Each free energy by reweighting of its own flow. */
  readonly reweighting: FreeEnergyEstimate;
  /** Each free energy by the acceptance ratio between its flow and its frames; null without frames of both. */
  readonly bennett: FreeEnergyEstimate | null;
  /** The acceptance ratio between the states themselves, through the map f₂ ∘ f₁⁻¹; null without frames of both. */
  readonly mapped: BennettEstimate | null;
  /** What is known of each state alone. */
  readonly states: readonly [StateFreeEnergy, StateFreeEnergy];
  /** Share of pairs that `bounds` leaves out. */
  readonly rejected: number;
  /** Energies that were evaluated. */
  readonly energyEvaluations: number;
}

/**
 * Estimates F₂ − F₁ between two states, each with a flow of its own, that share the latent normal density.
 *
 * A state is a system restricted to a basin: Z_i = ∫_{basin i} exp(−u_i) dx. With x = f_i(z) and R_i = |det ∂f_i/∂z|:
 *
 *     bounds       ⟨u₂(f₂(z)) − log R₂⟩ − ⟨u₁(f₁(z)) − log R₁⟩      the same z in both
 *     reweighting  ln ⟨w₁⟩ − ln ⟨w₂⟩,  w_i = 1_basin exp(−u_i)/p_i
 *     bennett      F₂ − F₁, each by the acceptance ratio between samples and frames of its state
 *     mapped       the acceptance ratio between frames of state 1 and of state 2,
 *                  work₁₂(x) = u₂(Mx) − u₁(x) − log |det ∂M/∂x|,  M = f₂ ∘ f₁⁻¹,  ∞ where Mx is not in state 2
 *
 * `bounds` is what was published. Each mean is F_i + KL(p_i ‖ Boltzmann), so the difference is off by KL₂ − KL₁: right for
 * exact flows, and for flows that err equally. Its standard error knows nothing of that. It is called reliable only
 * where the acceptance ratio or reweighting is, and says that both bounds together lie no higher than a third of that error. A flow that leaves its basin lowers
 * its bound further: bounds know no basins.
 *
 * The other three are exact for any flows; poor flows make them noisy, which shows in error and reasons for doubt.
 * `mapped` needs neither the latent density nor normalised flows, only an invertible map with its Jacobian (targeted free
 * energy perturbation); it overlaps where a map takes one state to the other, `bennett` already where each flow overlaps
 * with its own state. Errors assume that frames are independent, or come in the chains that are given.
 *
 * Units: k_BT of the temperature asked for. References: Noé et al. 2019, fig. 6; Jarzynski, Phys. Rev. E 65, 046122
 * (2002); Hahn & Then, Phys. Rev. E 79, 011113 (2009).
 *
 * @param first state 1 with its flow
 * @param second state 2 with its flow
 * @param options samples, seed, temperature
 * @returns F₂ − F₁ in several ways, and what each flow says of its own state
 * @throws {RangeError} if dimensions differ, a number is out of range, or frames do not lie in their state
 * @throws {TypeError} if another temperature is asked of a flow whose prior is not normal
 * @throws {NotFiniteError} if energies or densities are not finite and may not be skipped
 *
 * @example Two springs, one of them half as wide: ΔF = ln 2
 * ```ts
 * import { Flow, freeEnergyDifferenceBetween, RandomStream, Scaling } from "@boltzflow/boltzflow";
 * import { assert, assertAlmostEquals } from "@std/assert";
 *
 * const state = (width: number, seed: number) => ({
 *   // A flow that is a tenth too wide.
 *   flow: new Flow(new Scaling({ dim: 1, logScale: [Math.log(1.1 * width)] })),
 *   system: { dim: 1, energy: (x: Float64Array) => x.map((v) => (v / width) ** 2 / 2) },
 *   frames: { x: new RandomStream(seed).fillNormals(new Float64Array(500)).map((v) => width * v) },
 * });
 * const { mapped, reweighting } = freeEnergyDifferenceBetween(state(1, 1), state(0.5, 2), { samples: 500, seed: 3 });
 *
 * assertAlmostEquals(mapped!.value!, Math.LN2, 1e-5); // M is exact, though neither flow is
 * assert(mapped!.reliable);
 * assertAlmostEquals(reweighting.value!, Math.LN2, 4 * reweighting.standardError!);
 * ```
 */
export function freeEnergyDifferenceBetween(
  first: GeneratedState,
  second: GeneratedState,
  options: TwoGeneratorOptions,
): TwoGeneratorDifference {
  checkOptions(first, second, options);
  const { temperature = 1, samples } = options;
  const flows = [first, second].map(({ flow }) => temperature === 1 ? flow : flowAtTemperature(flow, temperature));
  try {
    const sides = [first, second].map((state, i) => new Side({ ...state, flow: flows[i] }, STATES[i], options));
    const common = sides.map((side) => side.sample(0));
    // Reweighting takes other z for the second state: errors of the two are then independent.
    const [own1, own2] = [common[0], sides[1].sample(samples)];
    const states = [sides[0].freeEnergy(own1), sides[1].freeEnergy(own2)] as const;
    const { estimate, rejected } = differenceOfBounds(common[0], common[1], {
      freeEnergies: [bestOf(states[0]), bestOf(states[1])],
      rejectAbove: options.rejectAbove,
    });
    const reweighting = independentDifference(states[1].reweighting, states[0].reweighting);
    const [bennett1, bennett2] = states.map((state) => state.bennett);
    return {
      bounds: estimate,
      reweighting,
      bennett: bennett1 === null || bennett2 === null ? null : independentDifference(bennett2, bennett1),
      mapped: mappedDifference(sides[0], sides[1], options),
      states,
      rejected,
      energyEvaluations: sides[0].energyEvaluations + sides[1].energyEvaluations,
    };
  } finally {
    if (temperature !== 1) flows.forEach((flow) => flow.release());
  }
}

/** What is known best of a state. */
function bestOf({ bennett, reweighting }: StateFreeEnergy): FreeEnergyEstimate {
  return bennett?.reliable ? bennett : reweighting;
}

const WHAT = "compare two generators";
const STATES = ["first", "second"] as const;

function checkOptions(first: GeneratedState, second: GeneratedState, options: TwoGeneratorOptions): void {
  const { samples, rejectAbove = 0 } = options;
  if (first.flow.dim !== second.flow.dim) {
    throw new RangeError(
      `Cannot ${WHAT}: both flows must have one dim, got ${first.flow.dim} and ${second.flow.dim}`,
    );
  }
  if (!Number.isInteger(samples) || samples < 2) {
    throw new RangeError(`Cannot ${WHAT}: samples must be a whole number ≥ 2, got ${samples}`);
  }
  if (!(rejectAbove >= 0)) {
    throw new RangeError(`Cannot ${WHAT}: rejectAbove must not be negative, got ${rejectAbove}`);
  }
}

/** One state with what its flow says about it. */
class Side {
  readonly weights: StateWeights;
  readonly name: string;
  readonly frames: StateFrames | undefined;
  /** ln w at the frames, and their z. */
  readonly scored: { readonly logWeights: Float64Array; readonly z: Float64Array } | null;
  readonly #options: TwoGeneratorOptions;

  constructor(state: GeneratedState, name: string, options: TwoGeneratorOptions) {
    const { beta = 1, temperature = 1, skipNotFinite = false, pool } = options;
    this.name = name;
    this.weights = new StateWeights(state, { beta: beta / temperature, skipNotFinite, ...pool && { pool } });
    this.frames = state.frames;
    this.#options = options;
    this.scored = state.frames === undefined ? null : this.#score(state.frames);
  }

  get energyEvaluations(): number {
    return this.weights.energyEvaluations;
  }

  /** Decodes the numbers `first` … of the latent samples. */
  sample(first: number): BoundSamples & { readonly logWeights: Float64Array } {
    const { samples, seed } = this.#options;
    const { flow } = this.weights;
    return this.weights.decode(flow.prior.sample(samples, seed, first));
  }

  freeEnergy(own: BoundSamples & { readonly logWeights: Float64Array }): StateFreeEnergy {
    const { replicates, seed } = this.#options;
    const resampling = { seed, ...replicates !== undefined && { replicates } };
    const chains = this.frames?.chain;
    const frames: CoverageFrames | null = this.scored &&
      { logWeights: this.scored.logWeights, ...chains && { chains } };
    const work = own.logWeights.map((log) => -log);
    return {
      bound: upperBound(own.work),
      reweighting: named(exponentialAveraging(work, { ...resampling, ...frames && { frames } }), this.name),
      bennett: frames && named(
        bennettAcceptanceRatio(work, frames.logWeights, { ...resampling, ...chains && { reverseChains: chains } }),
        this.name,
      ),
      inside: own.logWeights.reduce((count, log) => count + (log > -Infinity ? 1 : 0), 0) / own.logWeights.length,
    };
  }

  #score({ x, chain }: StateFrames): { logWeights: Float64Array; z: Float64Array } {
    const { flow } = this.weights;
    const n = x.length / flow.dim;
    if (!Number.isInteger(n) || n < 1 || (chain !== undefined && chain.length !== n)) {
      throw new RangeError(
        `Cannot ${WHAT}: frames of the ${this.name} state must be one or more rows of ${flow.dim}, each with its chain, ` +
          `got ${x.length} numbers` + (chain === undefined ? "" : ` and ${chain.length} chains`),
      );
    }
    const outside = this.weights.outside(x);
    if (outside > 0) {
      throw new RangeError(
        `Cannot ${WHAT}: frames of the ${this.name} state must lie in its basin and in the reference domain, got ` +
          `${outside} of ${n} that do not: leave them out`,
      );
    }
    return this.weights.encode(x);
  }
}

/** The acceptance ratio between both states' frames through the latent space. */
function mappedDifference(one: Side, two: Side, options: TwoGeneratorOptions): BennettEstimate | null {
  if (one.scored === null || two.scored === null) return null;
  const { replicates, seed } = options;
  const chains = [one.frames!.chain, two.frames!.chain];
  const works = ([[one, two], [two, one]] as const).map(([from, to]) => {
    const there = to.weights.decode(from.scored!.z).logWeights;
    // ln w = −u − ln p_Z + log R: the density of z is the same on both sides and cancels.
    return from.scored!.logWeights.map((here, i) => there[i] === -Infinity ? Infinity : here - there[i]);
  });
  return bennettAcceptanceRatio(works[0], works[1], {
    seed,
    ...replicates !== undefined && { replicates },
    ...chains[0] && { forwardChains: chains[0] },
    ...chains[1] && { reverseChains: chains[1] },
  });
}

/** Says whose doubt it is. */
function named<E extends Estimate>(estimate: E, state: string): E {
  return estimate.reason === null ? estimate : { ...estimate, reason: `${state} state: ${estimate.reason}` };
}
