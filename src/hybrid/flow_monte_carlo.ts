/**
 * Markov chains whose local moves are mixed with proposals of a flow.
 *
 * @module
 */
import { type Executor, serialPool } from "../backend/executor.ts";
import { RandomStream } from "../random/random_stream.ts";
import { type LongRunOptions, pausing } from "../sampling/pause.ts";
import type { LabelledSystem } from "./label_representatives.ts";
import { IndependenceKernel, type IndependenceMoves, LatentKernel, type LatentMoves } from "./flow_moves.ts";
import { localKernel, type LocalMoves } from "./local_moves.ts";
import type { FlowMoveKind, MoveKernel, TurnCounts, WalkerState } from "./move_kernel.ts";

/** What {@link flowMonteCarlo} needs to know. */
export interface FlowMonteCarloOptions extends LongRunOptions {
  /** The target: its energy and, where particles are alike, its reference domain. */
  readonly system: LabelledSystem;
  /** T in the unit in which energies are k_BT₀; default 1. */
  readonly temperature?: number;
  /** Where walkers start [walkers, dim]; for local moves of particles an even number of them. */
  readonly start: Float64Array;
  /** Turns after burn-in, ≥ 1. All walkers make moves of one kind in a turn. */
  readonly turns: number;
  /** Turns before the first one counts; default 0. */
  readonly burnIn?: number;
  /** Kinds of moves with their probabilities, which must sum to 1. */
  readonly moves: {
    /** Small moves in x. */
    readonly local?: LocalMoves;
    /** Proposals of a flow. */
    readonly independence?: IndependenceMoves;
    /** Steps in the latent space of a flow. */
    readonly latent?: LatentMoves;
  };
  /** What is recorded after every turn: functions of configurations [walkers, dim] that return a number for each. */
  readonly observe?: Readonly<Record<string, (x: Float64Array) => ArrayLike<number>>>;
  /**
   * The basin of each configuration, 0, 1, …, or negative where it is in none: of x [walkers, dim]. A walker that goes from
   * one basin to another, perhaps by way of none, makes a transition. Default: all in basin 0.
   */
  readonly basins?: (x: Float64Array) => ArrayLike<number>;
  /** Seed of the random numbers; default 0. */
  readonly seed?: number;
  /** Threads; results do not depend on it. Default the calling one. */
  readonly pool?: Executor;
}

/** What the moves of one kind have done after burn-in. */
export interface MoveStatistics extends TurnCounts {
  /** Turns of this kind. */
  readonly turns: number;
  /** Share of moves accepted; NaN where none was offered. */
  readonly acceptance: number;
  /** Changes of basin in turns of this kind. */
  readonly transitions: number;
}

/** What {@link flowMonteCarlo} returns. Series are in the order of time; within one time, of walkers. */
export interface FlowMonteCarloResult {
  /** Configurations at the end [walkers, dim], with the labels that the walkers started with. */
  readonly x: Float64Array;
  /** What was observed, by name [turns · walkers]. */
  readonly series: Readonly<Record<string, Float64Array>>;
  /** Basin after each turn [turns · walkers]. */
  readonly basins: Int8Array;
  /** Walker of each number of a series [turns · walkers]. */
  readonly chain: Int32Array;
  /** Kind of each turn [turns]. */
  readonly kinds: readonly FlowMoveKind[];
  /** By kind; kinds without turns are there too. */
  readonly moves: Readonly<Record<FlowMoveKind, MoveStatistics>>;
  /** Changes of basin of all walkers, after burn-in. */
  readonly transitions: number;
  /** Energies evaluated after burn-in: by chains of particles a sweep counts as two. */
  readonly energyEvaluations: number;
  /** Energies evaluated before. */
  readonly burnInEvaluations: number;
}

const WHAT = "run flow Monte Carlo";
const KINDS: readonly FlowMoveKind[] = ["local", "independence", "latent"];
/** Stream of the draws of kinds. */
const KIND_STREAM = 0x1d0;
const NOTHING: TurnCounts = { offered: 0, accepted: 0, energyEvaluations: 0, flowEvaluations: 0, notFinite: 0 };

/**
 * Runs Markov chains of exp(−U/T) in which each turn is, by given probabilities, one of
 *
 * - *local*: Metropolis sweeps in x, of single particles by kernels or of all coordinates by normal numbers;
 * - *independence*: x′ drawn from a flow p, accepted with probability min(1, w(x′)/w(x)), w = exp(−U/T)/p;
 * - *latent*: z′ = F⁻¹(x) + s N(0, 1), x′ = F(z′), see `latentMetropolis`.
 *
 * Each of them leaves the distribution as it is, whatever the flow, and so does the mixture: averages along the chains are
 * right in the long run, and a poor flow costs acceptance only. Where p is much smaller than exp(−U/T), walkers stay for
 * long; what a flow does not know, local moves reach.
 *
 * Labels: a flow knows alike particles in one labelling, the reference domain Ω. Walkers keep the labels they have, since
 * sweeps visit particles in the order of labels; for a move of the flow a walker is mapped into Ω, and takes its own labels
 * again afterwards. With π_Ω = exp(−U/T) in Ω both factors of (place in Ω) × (labelling) are left invariant: π_Ω by the
 * move, the even distribution over labellings because it is not touched. Proposals outside Ω count as rejected; mapping
 * them inwards instead would make p the wrong density.
 *
 * All walkers make moves of the same kinds in the same turns. Scatter over walkers therefore does not hold how many turns of
 * each kind there happened to be: 1/√turns or so, relative.
 *
 * Compare chains by transitions per energy and by the time to forget, `autocorrelationEstimate`, and count what the
 * flow has cost. ΔF between basins follows from `freeEnergyDifferenceByCounting(basins, chain)`.
 *
 * Reference: Noé et al. 2019, supplement (independence and latent moves); L. Tierney, Ann. Stat. 22, 1701 (1994).
 *
 * @param options system, start, moves, how long
 * @returns series, basins, counts by kind; the same bytes for the same seed on any number of threads
 * @throws {RangeError} if probabilities do not sum to 1, a size is impossible, or a start lies outside the domain of a
 *   system that cannot relabel it
 * @throws {NotFiniteError} if a walker has no weight that is a number, or a proposal that may not be skipped
 * @throws {DOMException} "AbortError" if the signal says so
 *
 * @example A wide normal density proposes to a narrow one
 * ```ts
 * import { Flow, flowMonteCarlo, scaleShift, Scaling, square, sumFeatures, systemFromEnergy } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const system = systemFromEnergy((x) => scaleShift(sumFeatures(square(x)), 0.5, 0), { dim: 1 });
 * const generator = new Flow(new Scaling({ dim: 1, logScale: [Math.log(2)] }));
 * const { series, moves } = await flowMonteCarlo({
 *   system,
 *   start: new Float64Array(100),
 *   turns: 400,
 *   burnIn: 20,
 *   moves: { local: { probability: 0.5, step: 1 }, independence: { probability: 0.5, generator } },
 *   observe: { square: (x) => x.map((v) => v * v) },
 * });
 * const mean = series.square.reduce((sum, v) => sum + v, 0) / series.square.length;
 *
 * assertAlmostEquals(mean, 1, 0.1);
 * assertAlmostEquals(moves.independence.acceptance, 0.59, 0.05); // (4/π) atan(1/2)
 * ```
 */
export async function flowMonteCarlo(options: FlowMonteCarloOptions): Promise<FlowMonteCarloResult> {
  const { turns, burnIn = 0, observe = {}, seed = 0 } = options;
  checkOptions(options);
  const run = new Chains(options);
  const pause = pausing(options);
  const kinds = drawKinds(options, seed);
  for (let turn = 0; turn < burnIn; turn++) {
    run.turn(kinds[turn], turn);
    await pause(turn / (burnIn + turns));
  }
  const burnInEvaluations = run.countAfresh();
  const { walkers } = run;
  const series = Object.fromEntries(Object.keys(observe).map((name) => [name, new Float64Array(turns * walkers)]));
  const basins = new Int8Array(turns * walkers);
  for (let turn = 0; turn < turns; turn++) {
    run.turn(kinds[burnIn + turn], burnIn + turn);
    for (const [name, of] of Object.entries(observe)) {
      series[name].set(run.values(of(run.x), `observe.${name}`), turn * walkers);
    }
    basins.set(run.basins, turn * walkers);
    await pause((burnIn + turn + 1) / (burnIn + turns));
  }
  const moves = run.statistics();
  return {
    x: run.x.slice(),
    series,
    basins,
    chain: Int32Array.from({ length: turns * walkers }, (_, i) => i % walkers),
    kinds: kinds.slice(burnIn),
    moves,
    transitions: KINDS.reduce((sum, kind) => sum + moves[kind].transitions, 0),
    energyEvaluations: KINDS.reduce((sum, kind) => sum + moves[kind].energyEvaluations, 0),
    burnInEvaluations,
  };
}

/** Walkers with their moves, and what has been counted. */
class Chains {
  readonly walkers: number;
  readonly #kernels: Partial<Record<FlowMoveKind, MoveKernel>>;
  readonly #state: WalkerState;
  readonly #basinsOf: (x: Float64Array) => ArrayLike<number>;
  readonly #last: Int8Array;
  #basins: ArrayLike<number>;
  #counts = emptyCounts();

  constructor({ system, temperature = 1, start, moves, basins, seed = 0, pool = serialPool }: FlowMonteCarloOptions) {
    const context = { system, temperature, seed, pool };
    const { local, independence, latent } = moves;
    this.walkers = start.length / system.dim;
    this.#state = { x: start.slice(), reducedEnergy: null, logWeights: null };
    this.#kernels = {
      ...local && { local: localKernel(context, local, this.#state.x) },
      ...independence && { independence: new IndependenceKernel(context, independence) },
      ...latent && { latent: new LatentKernel(context, latent) },
    };
    this.#basinsOf = basins ?? (() => new Int8Array(this.walkers));
    this.#basins = this.#labels();
    this.#last = Int8Array.from(this.#basins);
  }

  /** Configurations now [walkers, dim]. */
  get x(): Float64Array {
    return this.#state.x;
  }

  /** Basin of each walker now. */
  get basins(): ArrayLike<number> {
    return this.#basins;
  }

  turn(kind: FlowMoveKind, number: number): void {
    const counts = this.#counts[kind];
    const done = this.#kernels[kind]!.turn(this.#state, number);
    counts.turns++;
    for (const key of Object.keys(NOTHING) as (keyof TurnCounts)[]) counts[key] += done[key];
    this.#basins = this.#labels();
    for (let i = 0; i < this.walkers; i++) {
      const basin = this.#basins[i];
      if (basin < 0) continue;
      if (this.#last[i] >= 0 && basin !== this.#last[i]) counts.transitions++;
      this.#last[i] = basin;
    }
  }

  /** Starts to count afresh; returns the energies evaluated so far. */
  countAfresh(): number {
    const before = KINDS.reduce((sum, kind) => sum + this.#counts[kind].energyEvaluations, 0);
    this.#counts = emptyCounts();
    return before;
  }

  statistics(): Record<FlowMoveKind, MoveStatistics> {
    const of = (kind: FlowMoveKind) => {
      const counts = this.#counts[kind];
      return { ...counts, acceptance: counts.accepted / counts.offered };
    };
    return { local: of("local"), independence: of("independence"), latent: of("latent") };
  }

  /** Refuses what is not one number for each walker. */
  values(found: ArrayLike<number>, name: string): ArrayLike<number> {
    if (found.length === this.walkers) return found;
    throw new RangeError(
      `Cannot ${WHAT}: ${name} must return a number for each of ${this.walkers} walkers, got ${found.length}`,
    );
  }

  #labels(): ArrayLike<number> {
    const labels = this.values(this.#basinsOf(this.#state.x), "basins");
    for (let i = 0; i < labels.length; i++) {
      if (Number.isInteger(labels[i]) && labels[i] >= -128 && labels[i] < 128) continue;
      throw new RangeError(`Cannot ${WHAT}: basins must return whole numbers from -128 to 127, got ${labels[i]}`);
    }
    return labels;
  }
}

/** Counts that can be added to. */
type Counts = { -readonly [key in keyof TurnCounts]: number } & { turns: number; transitions: number };

function emptyCounts(): Record<FlowMoveKind, Counts> {
  const none = () => ({ ...NOTHING, turns: 0, transitions: 0 });
  return { local: none(), independence: none(), latent: none() };
}

/** The kind of every turn: it depends on the seed alone, so that walkers are independent given it. */
function drawKinds({ moves, turns, burnIn = 0 }: FlowMonteCarloOptions, seed: number): FlowMoveKind[] {
  const possible = KINDS.filter((kind) => (moves[kind]?.probability ?? 0) > 0);
  const random = new RandomStream(seed, KIND_STREAM);
  return Array.from({ length: burnIn + turns }, () => {
    let left = random.uniform();
    // Rounding may leave a little: it falls to the last kind.
    return possible.find((kind) => (left -= moves[kind]!.probability) < 0) ?? possible[possible.length - 1];
  });
}

function checkOptions({ system, temperature = 1, start, turns, burnIn = 0, moves }: FlowMonteCarloOptions): void {
  const refuse = (rest: string): never => {
    throw new RangeError(`Cannot ${WHAT}: ${rest}`);
  };
  for (const [name, value, least] of [["turns", turns, 1], ["burnIn", burnIn, 0]] as const) {
    if (!Number.isInteger(value) || value < least) refuse(`${name} must be a whole number ≥ ${least}, got ${value}`);
  }
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    refuse(`temperature must be a positive number, got ${temperature}`);
  }
  checkMoves(moves, system.dim, refuse);
  if (start.length === 0 || start.length % system.dim !== 0) {
    refuse(`start must hold one or more rows of ${system.dim}, got ${start.length} numbers`);
  }
  const energies = system.energy(start);
  const bad = energies.findIndex((u) => !Number.isFinite(u));
  if (bad >= 0) refuse(`start must have finite energies, got ${energies[bad]} in walker ${bad}`);
  if (system.canonicalize !== undefined) return;
  const outside = system.inDomain?.(start).indexOf(0) ?? -1;
  if (outside >= 0) refuse(`start must lie in the domain of the system, got walker ${outside} outside`);
}

function checkMoves(moves: FlowMonteCarloOptions["moves"], dim: number, refuse: (rest: string) => never): void {
  let total = 0;
  for (const kind of KINDS) {
    const { probability = 0 } = moves[kind] ?? {};
    if (!(probability >= 0 && probability <= 1)) {
      refuse(`moves.${kind}.probability must be from 0 to 1, got ${probability}`);
    }
    total += probability;
  }
  if (!(Math.abs(total - 1) < 1e-9)) refuse(`probabilities of moves must sum to 1, got ${total}`);
  const { local, independence, latent } = moves;
  for (const [name, value] of [["local.step", local?.step], ["latent.step", latent?.step]] as const) {
    if (value === undefined || (value > 0 && Number.isFinite(value))) continue;
    refuse(`moves.${name} must be a positive number, got ${value}`);
  }
  const { sweeps = 1 } = local ?? {};
  if (!Number.isInteger(sweeps) || sweeps < 1) {
    refuse(`moves.local.sweeps must be a whole number ≥ 1, got ${sweeps}`);
  }
  for (const [name, of] of [["independence", independence?.generator], ["latent", latent?.flow]] as const) {
    if (of !== undefined && of.dim !== dim) refuse(`flow of moves.${name} must have dim ${dim}, got ${of.dim}`);
  }
}
