/**
 * Paths between configurations that are straight in the latent space.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { Flow } from "../flow/flow.ts";
import { type LongRunOptions, pausing } from "../sampling/pause.ts";
import type { System } from "../system/system.ts";

/** How a latent path is walked. */
export interface LatentPathOptions {
  /**
   * Whether the path leads from z to 0 and from there to z′, instead of straight from z to z′. The origin is the most
   * likely latent point, but in many dimensions no typical one: |z|² is about dim. Default false.
   */
  readonly throughOrigin?: boolean;
  /** Threads. */
  readonly pool?: Executor;
}

/**
 * Maps two configurations to z, walks straight from one to the other, and maps the points back.
 *
 * A path of a good flow crosses only configurations of moderate energy. It is a picture, not a trajectory: it has no
 * time and no weight. Reference: Noé et al. 2019, fig. 3g.
 *
 * @param flow the map
 * @param from first configuration [dim]
 * @param to last configuration [dim]
 * @param points number of configurations on the path, both ends included, ≥ 2
 * @param options threads; by way of the origin or not
 * @returns [points, dim], row-major
 * @throws {RangeError} if `points` < 2 or a length is not dim
 */
export function latentPath(
  flow: Flow,
  from: Float64Array,
  to: Float64Array,
  points: number,
  options: LatentPathOptions = {},
): Float64Array {
  const { dim } = flow;
  checkPoints(points, "walk a latent path");
  if (from.length !== dim || to.length !== dim) {
    throw new RangeError(
      `Cannot walk a latent path: from and to must have length ${dim}, got ${from.length} and ${to.length}`,
    );
  }
  const { z } = flow.encode(Float64Array.of(...from, ...to), options);
  const path = new Float64Array(points * dim);
  walk(path, z.subarray(0, dim), z.subarray(dim), options);
  return flow.decode(path, options).x;
}

/** How the lowest of many paths is found. */
export interface LowestLatentPathOptions extends LatentPathOptions, LongRunOptions {
  /** Configurations on each path, both ends included, ≥ 2; default 65. Few points step over narrow barriers. */
  readonly points?: number;
}

/** The path whose highest energy is lowest, and what is known of all others. */
export interface LowestLatentPath {
  /** Configurations along it [points, dim]. Its ends are F(F⁻¹(x)), x up to rounding. */
  readonly x: Float64Array;
  /** U along it [points]. */
  readonly energy: Float64Array;
  /** Highest U along it; +∞ if no path has finite energies all along. */
  readonly barrier: number;
  /** Which configurations it joins: indices in `from` and `to`. */
  readonly pair: readonly [from: number, to: number];
  /** U along the paths of all pairs [from, to, points]. */
  readonly energies: Float64Array;
  /** Highest U along the path of each pair [from, to]; +∞ where one is infinite or not a number. */
  readonly barriers: Float64Array;
  /** Number of pairs on whose path an energy is not a number, because the flow left the range of numbers. */
  readonly notFinite: number;
  /** Energies that were evaluated. */
  readonly energyEvaluations: number;
}

const SEARCH = "search the lowest latent path";
/** Configurations that are decoded at once. */
const CHUNK = 8192;

/**
 * Finds, among the latent paths of all pairs of ends, the one whose highest energy is lowest.
 *
 *     argmin_{i, j} max_t U(F((1 − t) F⁻¹(xᵢ) + t F⁻¹(x′ⱼ)))
 *
 * The barrier is one of the potential energy along one path, and an upper bound of the saddle's energy if points lie
 * densely. It is not a free-energy barrier: that counts how many configurations there are at each stage, and at a
 * temperature T all coordinates beside the path hold about T/2 each. With more pairs the barrier can only fall, so a number
 * is worth as much as the number of pairs and points that stand beside it.
 *
 * Ends are encoded once, and paths decoded in batches: pairs · points energies and as many samples of the flow.
 *
 * @param flow the map
 * @param system the energy
 * @param from configurations to start from [n, dim]
 * @param to configurations to end at [m, dim]
 * @param options points of a path, by way of the origin or not, threads, progress
 * @returns the path, its ends and barrier, and the energies along all paths; the first of equals
 * @throws {RangeError} if there are no ends on a side, lengths do not fit, or `points` < 2
 * @throws {DOMException} "AbortError" if the signal says so
 *
 * @example A map that doubles: straight in z is straight in x
 * ```ts
 * import { Flow, lowestLatentPath, Scaling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const hill = { dim: 2, energy: (x: Float64Array) => Float64Array.from({ length: x.length / 2 }, (_, i) => Math.exp(-(x[2 * i] ** 2) - x[2 * i + 1] ** 2)) };
 * const flow = new Flow(new Scaling({ dim: 2, logScale: [Math.LN2, Math.LN2] }));
 * const [from, to] = [Float64Array.of(-2, 0, -2, 1), Float64Array.of(2, 0, 2, 1)];
 * const { pair, barrier } = await lowestLatentPath(flow, hill, from, to, { points: 9 });
 *
 * assertEquals(pair, [1, 1]);
 * assertAlmostEquals(barrier, Math.exp(-1), 1e-6);
 * ```
 */
export async function lowestLatentPath(
  flow: Flow,
  system: Pick<System, "dim" | "energy">,
  from: Float64Array,
  to: Float64Array,
  options: LowestLatentPathOptions = {},
): Promise<LowestLatentPath> {
  const { points = 65, pool } = options;
  const { dim } = flow;
  checkPoints(points, SEARCH);
  const [starts, ends] = checkEnds(flow, system, from, to);
  const pause = pausing(options);
  const [z, last] = [flow.encode(from, { ...pool && { pool } }).z, flow.encode(to, { ...pool && { pool } }).z];
  const pairs = starts * ends;
  const decoded = (first: number, count: number) => {
    const paths = new Float64Array(count * points * dim);
    for (let k = 0; k < count; k++) {
      const [i, j] = [Math.floor((first + k) / ends), (first + k) % ends];
      const path = paths.subarray(k * points * dim, (k + 1) * points * dim);
      walk(path, z.subarray(i * dim, (i + 1) * dim), last.subarray(j * dim, (j + 1) * dim), options);
    }
    return flow.decode(paths, { ...pool && { pool } }).x;
  };
  const energies = new Float64Array(pairs * points);
  const atOnce = Math.max(1, Math.floor(CHUNK / points));
  for (let first = 0; first < pairs; first += atOnce) {
    const count = Math.min(atOnce, pairs - first);
    energies.set(system.energy(decoded(first, count), { pool }), first * points);
    await pause((first + count) / pairs);
  }
  const highest = Float64Array.from(
    { length: pairs },
    (_, k) => Math.max(...energies.subarray(k * points, (k + 1) * points)),
  );
  const barriers = highest.map((energy) => Number.isNaN(energy) ? Infinity : energy);
  const best = barriers.reduce((least, energy, k) => energy < barriers[least] ? k : least, 0);
  return {
    x: decoded(best, 1),
    energy: energies.slice(best * points, (best + 1) * points),
    barrier: barriers[best],
    pair: [Math.floor(best / ends), best % ends],
    energies,
    barriers,
    notFinite: highest.reduce((count, energy) => count + (Number.isNaN(energy) ? 1 : 0), 0),
    energyEvaluations: pairs * points,
  };
}

/** Fills a path [points, dim] between two latent points. */
function walk(
  path: Float64Array,
  from: Float64Array,
  to: Float64Array,
  { throughOrigin = false }: LatentPathOptions,
): void {
  const dim = from.length;
  const points = path.length / dim;
  for (let k = 0; k < points; k++) {
    const t = k / (points - 1);
    const [before, after] = throughOrigin ? [Math.max(0, 1 - 2 * t), Math.max(0, 2 * t - 1)] : [1 - t, t];
    for (let i = 0; i < dim; i++) path[k * dim + i] = before * from[i] + after * to[i];
  }
}

function checkPoints(points: number, task: string): void {
  if (Number.isInteger(points) && points >= 2) return;
  throw new RangeError(`Cannot ${task}: points must be a whole number ≥ 2, got ${points}`);
}

function checkEnds(
  { dim }: Flow,
  system: Pick<System, "dim">,
  from: Float64Array,
  to: Float64Array,
): [starts: number, ends: number] {
  if (system.dim !== dim) {
    throw new RangeError(`Cannot ${SEARCH}: flow and system must have one dim, got ${dim} and ${system.dim}`);
  }
  for (const [name, { length }] of Object.entries({ from, to })) {
    if (length > 0 && length % dim === 0) continue;
    throw new RangeError(`Cannot ${SEARCH}: ${name} must hold one or more rows of ${dim}, got ${length} numbers`);
  }
  return [from.length / dim, to.length / dim];
}
