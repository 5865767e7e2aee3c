/**
 * Monte Carlo moves in the latent space of a flow.
 *
 * @module
 */
import { NotFiniteError, rowIsFinite } from "../autodiff/not_finite.ts";
import { evaluateReference } from "../autodiff/reference_run.ts";
import type { Executor } from "../backend/executor.ts";
import type { Flow } from "../flow/flow.ts";
import type { Prior } from "../flow/prior.ts";
import { Graph } from "../graph/graph.ts";
import { input } from "../graph/operations.ts";
import { logOf } from "../random/elementary.ts";
import { RandomStream } from "../random/random_stream.ts";
import { configurationCount, type System } from "../system/system.ts";

/** What a latent move needs: a map with its density, and the energy of the target exp(−βU). */
export interface LatentTarget {
  /** The map between z and x. */
  readonly flow: Pick<Flow, "dim" | "prior" | "encode" | "decode">;
  /** The target's energy, and its reference domain where it has one. */
  readonly system: Pick<System, "dim" | "energy" | "inDomain" | "canonicalize">;
  /** 1 / (k_B T). */
  readonly beta: number;
}

/** Where walkers are. */
export interface Walkers {
  /** Configurations [n, dim], row-major. */
  readonly x: Float64Array;
  /** βU(x) [n], if it is known: saves an energy for each walker. */
  readonly reducedEnergy?: Float64Array;
}

/** How walkers move. */
export interface LatentMoveOptions {
  /** Standard deviation s of the step in every latent coordinate, > 0. */
  readonly step: number;
  /** Seed of the steps. */
  readonly seed: number;
  /** Number of the move: another number, other steps. A whole number from 0 to 2³² − 1. */
  readonly iteration: number;
  /**
   * What becomes of proposals outside the reference domain of the system: "reject" (default), which is exact, or "relabel",
   * which maps them into the domain and is not exact, see {@link latentMetropolis}.
   */
  readonly outside?: "reject" | "relabel";
  /**
   * Whether proposals are rejected and counted whose coordinates, density or energy are not finite. Default false: one is
   * a fault. An energy of +∞ is none, and always rejected.
   */
  readonly skipNotFinite?: boolean;
  /** Threads. */
  readonly pool?: Executor;
}

/** Walkers after a move. */
export interface LatentMove {
  /** Configurations [n, dim]: new ones where the move was accepted. */
  readonly x: Float64Array;
  /** βU(x), exact, [n]. */
  readonly reducedEnergy: Float64Array;
  /** 1 where the move was accepted, [n]. */
  readonly accepted: Uint8Array;
  /** Share of moves accepted. */
  readonly acceptance: number;
  /** Number of moves that were accepted but for the reference domain: they led outside, and were rejected or relabelled. */
  readonly outsideDomain: number;
  /** Number of proposals that were rejected because a number was not finite. */
  readonly notFinite: number;
}

/** Stream numbers of steps and of decisions. */
const [STEP_STREAM, DECISION_STREAM] = [0x1a7, 0x1a8];

/**
 * Makes one Metropolis move of each walker with a step in the latent space of a flow:
 *
 *     z = F⁻¹(x),   z′ = z + s N(0, 1),   x′ = F(z′)
 *     accepted with probability min(1, exp{−[βU(x′) − ln |∂x′/∂z′|] + [βU(x) + ln |∂z/∂x|]})
 *
 * The step is symmetric in z, and exp(−βU(F(z))) |∂F/∂z| is the Boltzmann distribution as a density of z: so detailed
 * balance holds for exp(−βU(x)) with any fixed flow, good or bad. A bad flow costs acceptance and nothing else. Networks
 * are float32, so that F(F⁻¹(x)) differs from x by about 1e-5: steps should be much longer than that. A flow that learns
 * from the walkers between moves is another flow in each, and exactness is gone; what is left is a search, see `explore`.
 *
 * A system with labels has a reference domain Ω, the target is exp(−βU) there and 0 elsewhere, and walkers start in Ω.
 * Proposals outside are rejected, which is exact. With `outside: "relabel"`, the published way, they are judged by their
 * energy and log-determinant where they are, and mapped into Ω if accepted. That is not exact unless the flow treats all
 * labels alike: the way back would start from the relabelled x, whose z is another one. It serves a search.
 *
 * Reference: Noé et al. 2019, fig. 4 and supplement, "latent space Monte Carlo".
 *
 * @param generator flow, system and beta
 * @param walkers where they are
 * @param options step, seed, number of the move
 * @returns where they are then, and how many moved; the same for any number of threads
 * @throws {RangeError} if sizes do not fit, or step or beta is not positive
 * @throws {NotFiniteError} if a walker has no finite density or no energy, or a proposal that may not be skipped
 *
 * @example A map that is exact accepts every move that stays as likely
 * ```ts
 * import { Flow, latentMetropolis, Scaling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const system = { dim: 1, energy: (x: Float64Array) => x.map((v) => v * v / 2) };
 * const generator = { flow: new Flow(new Scaling({ dim: 1 })), system, beta: 1 };
 *
 * let x: Float64Array = new Float64Array(4000);
 * for (let iteration = 0; iteration < 30; iteration++) {
 *   x = latentMetropolis(generator, { x }, { step: 2, seed: 1, iteration }).x;
 * }
 * assertAlmostEquals(x.reduce((sum, v) => sum + v * v, 0) / x.length, 1, 4 * Math.sqrt(2 / x.length));
 * ```
 */
export function latentMetropolis(generator: LatentTarget, walkers: Walkers, options: LatentMoveOptions): LatentMove {
  const { system, beta } = generator;
  const { skipNotFinite = false, pool } = options;
  const n = checkedCount(generator, walkers, options);
  const now = stateOf(generator, walkers, pool);
  const proposed = propose(generator, now.z, options);
  const reducedEnergy = system.energy(proposed.x, { pool }).map((energy) => beta * energy);
  const next = { ...proposed, reducedEnergy };
  const { likely, broken } = decide(now, next, system.dim, options);
  if (broken.length > 0 && !skipNotFinite) refuseNotFinite("proposals", broken, n);
  const { rows, x: to, outsideDomain } = intoDomain(system, proposed.x, likely, options);
  const accepted = new Uint8Array(n);
  const x = walkers.x.slice();
  const energies = now.reducedEnergy.slice();
  rows.forEach((i, k) => {
    accepted[i] = 1;
    energies[i] = reducedEnergy[i];
    x.set(to.subarray(k * system.dim, (k + 1) * system.dim), i * system.dim);
  });
  return { x, reducedEnergy: energies, accepted, acceptance: rows.length / n, outsideDomain, notFinite: broken.length };
}

/** Walkers with all that decides about a move. */
interface WalkerState {
  readonly z: Float64Array;
  readonly reducedEnergy: Float64Array;
  /** ln |∂x/∂z| [n]. */
  readonly logJacobian: Float64Array;
}

function stateOf(
  { flow, system, beta }: LatentTarget,
  { x, reducedEnergy = undefined }: Walkers,
  pool: Executor | undefined,
): WalkerState {
  const { z, logProb } = flow.encode(x, { ...pool && { pool } });
  const known = reducedEnergy ?? system.energy(x, { pool }).map((energy) => beta * energy);
  const logPrior = priorLogProb(flow.prior, z);
  const logJacobian = logPrior.map((log, i) => log - logProb[i]);
  const broken = Array.from(logJacobian.keys()).filter((i) =>
    !Number.isFinite(logJacobian[i]) || !rowIsFinite(z, flow.dim, i) || !(known[i] > -Infinity)
  );
  if (broken.length > 0) refuseNotFinite("walkers", broken, logProb.length);
  return { z, reducedEnergy: known, logJacobian };
}

function propose(
  { flow }: LatentTarget,
  from: Float64Array,
  { step, seed, iteration, pool }: LatentMoveOptions,
): { x: Float64Array; logJacobian: Float64Array } {
  const z = new RandomStream(seed, STEP_STREAM, iteration).fillNormals(new Float64Array(from.length));
  z.forEach((normal, k) => z[k] = from[k] + step * normal);
  const { x, logProb } = flow.decode(z, { ...pool && { pool } });
  return { x, logJacobian: priorLogProb(flow.prior, z).map((log, i) => log - logProb[i]) };
}

/** log p_Z(z) [n]. */
function priorLogProb(prior: Prior, z: Float64Array): Float64Array {
  const [logProb] = evaluateReference([prior.logProb(input(new Graph(), "z", prior.dim))], [z], z.length / prior.dim);
  return logProb;
}

/** Walkers whose proposal is accepted if it may be anywhere, and those for whom it cannot be judged. */
function decide(
  now: WalkerState,
  next: Omit<WalkerState, "z"> & { readonly x: Float64Array },
  dim: number,
  { seed, iteration }: LatentMoveOptions,
): { likely: number[]; broken: number[] } {
  const random = new RandomStream(seed, DECISION_STREAM, iteration);
  const [likely, broken]: number[][] = [[], []];
  next.reducedEnergy.forEach((energy, i) => {
    // One for each walker, whatever becomes of the others; from (0, 1], so that its logarithm is finite.
    const threshold = logOf(1 - random.uniform());
    if (!rowIsFinite(next.x, dim, i) || !Number.isFinite(next.logJacobian[i]) || !(energy > -Infinity)) {
      broken.push(i);
      return;
    }
    const change = (energy - next.logJacobian[i]) - (now.reducedEnergy[i] - now.logJacobian[i]);
    // ∞ − ∞ is no reason to move.
    if (threshold <= -change) likely.push(i);
  });
  return { likely, broken };
}

/** Of the proposals that would be accepted: those that may be, in the reference domain. */
function intoDomain(
  system: LatentTarget["system"],
  proposed: Float64Array,
  likely: number[],
  { outside = "reject", pool }: LatentMoveOptions,
): { rows: number[]; x: Float64Array; outsideDomain: number } {
  const { dim } = system;
  const taken = (rows: readonly number[]) => {
    const x = new Float64Array(rows.length * dim);
    rows.forEach((i, k) => x.set(proposed.subarray(i * dim, (i + 1) * dim), k * dim));
    return x;
  };
  const x = taken(likely);
  const inside = likely.length > 0 ? system.inDomain?.(x, { pool }) : undefined;
  const stays = likely.filter((_, k) => inside?.[k] !== 0);
  const outsideDomain = likely.length - stays.length;
  if (outsideDomain === 0) return { rows: likely, x, outsideDomain };
  if (outside === "reject") return { rows: stays, x: taken(stays), outsideDomain };
  if (system.canonicalize !== undefined) return { rows: likely, x: system.canonicalize(x, { pool }), outsideDomain };
  throw new TypeError(
    'Cannot make latent moves: the system must have canonicalize for outside: "relabel", got none: reject instead',
  );
}

function checkedCount({ flow, system, beta }: LatentTarget, walkers: Walkers, { step }: LatentMoveOptions): number {
  const refuse = (rest: string): never => {
    throw new RangeError(`Cannot make latent moves: ${rest}`);
  };
  if (flow.dim !== system.dim) refuse(`flow and system must have one dim, got ${flow.dim} and ${system.dim}`);
  for (const [name, value] of Object.entries({ step, beta })) {
    if (!(value > 0 && Number.isFinite(value))) refuse(`${name} must be a positive number, got ${value}`);
  }
  const n = configurationCount(walkers.x, system.dim, "make latent moves");
  if (n === 0) refuse("there must be a walker, got none");
  const energies = walkers.reducedEnergy?.length ?? n;
  if (energies !== n) refuse(`reducedEnergy must have length ${n}, got ${energies}`);
  return n;
}

function refuseNotFinite(what: "walkers" | "proposals", broken: readonly number[], n: number): never {
  const remedy = what === "walkers" ? "start where the flow and the system are defined" : "or skip them, skipNotFinite";
  throw new NotFiniteError(
    `Cannot make latent moves: coordinates, log-determinants and energies of ${what} must be finite, got ` +
      `${broken.length} of ${n} for which one is not, the first with index ${broken[0]}: ` +
      (what === "walkers" ? remedy : `take shorter steps, ${remedy}`),
  );
}
