/**
 * A path from a closed to an open configuration that is straight in the latent space, walked in even steps.
 *
 * @module
 */
import { RandomStream } from "../../../src/random/random_stream.ts";
import { BOUNDARY } from "./running_statistics.ts";

/** Configurations of a path; each is the image of a point of the latent space. */
export interface LatentPath {
  /** Configurations, [points, dim]. */
  readonly x: Float64Array;
  /** How far along the straight line each lies, 0 … 1, [points]. */
  readonly t: Float64Array;
  /** Bond lengths, [points]. */
  readonly d: Float64Array;
  /** U / T in k_BT, [points]. */
  readonly energy: Float64Array;
}

/** What a path needs of a model. */
export interface PathModel {
  /** Number of coordinates. */
  readonly dim: number;
  /** Maps latent points [n, dim] to configurations and weights. */
  map(z: Float64Array): Promise<{ readonly x: Float64Array; readonly logWeights: Float64Array }>;
  /** Computes U / T in k_BT of configurations [n, dim]. */
  energy(x: Float64Array): Float64Array;
  /** Computes bond lengths of configurations [n, dim]. */
  distance(x: Float64Array): Float64Array;
}

/** Stream of the ends; samples come from another. */
const STREAM = 0x70;
/** Latent points from which ends are picked, in rounds until both states have enough. */
const TRIED = 64;
const ROUNDS = 8;
/** Ends of each state: all pairs of them are compared. */
const ENDS = 4;
/** Points on which pairs are compared. */
const COARSE = 32;
/** Points of the path that is shown. */
const POINTS = 81;
/** Steps in t are halved where x moves too far, until they are this small. */
const SMALLEST_STEP = 2 ** -26;

/**
 * Draws ends of high weight in either state, and walks the straight line between them whose highest energy is lowest.
 *
 * @param model the map
 * @param seed of the ends
 * @param pause awaited between batches
 * @returns the path, closed end first; null if a state was not found
 */
export async function findPath(model: PathModel, seed: number, pause: () => Promise<void>): Promise<LatentPath | null> {
  const ends = await findEnds(model, seed, pause);
  if (ends === null) return null;
  let best: { readonly from: Float64Array; readonly to: Float64Array } | null = null;
  let lowest = Infinity;
  const coarse = Float64Array.from({ length: COARSE }, (_, k) => k / (COARSE - 1));
  for (const from of ends.closed) {
    for (const to of ends.open) {
      const { x } = await model.map(between(from, to, coarse));
      const highest = model.energy(x).reduce((a, b) => Math.max(a, b));
      if (best === null || highest < lowest) [best, lowest] = [{ from, to }, highest];
      await pause();
    }
  }
  return await walkPath(model, best!.from, best!.to, pause);
}

/** Latent points of the highest weights in each state. */
async function findEnds(
  model: PathModel,
  seed: number,
  pause: () => Promise<void>,
): Promise<{ closed: Float64Array[]; open: Float64Array[] } | null> {
  const { dim } = model;
  const random = new RandomStream(seed, STREAM);
  const found: { z: Float64Array; isOpen: boolean; logWeight: number }[] = [];
  const best = (isOpen: boolean) =>
    found.filter((end) => end.isOpen === isOpen).sort((a, b) => b.logWeight - a.logWeight).slice(0, ENDS).map((end) =>
      end.z
    );
  for (let round = 0; round < ROUNDS; round++) {
    const z = random.fillNormals(new Float64Array(TRIED * dim)).map(Math.fround);
    const { x, logWeights } = await model.map(z);
    model.distance(x).forEach((d, i) => {
      if (logWeights[i] === -Infinity) return;
      found.push({ z: z.slice(i * dim, (i + 1) * dim), isOpen: d >= BOUNDARY, logWeight: logWeights[i] });
    });
    await pause();
    if (best(false).length === ENDS && best(true).length === ENDS) break;
  }
  const ends = { closed: best(false), open: best(true) };
  return ends.closed.length > 0 && ends.open.length > 0 ? ends : null;
}

/** Points of a straight line. */
function between(from: Float64Array, to: Float64Array, t: ArrayLike<number>): Float64Array {
  const dim = from.length;
  return Float64Array.from({ length: t.length * dim }, (_, k) => {
    const [at, i] = [t[Math.floor(k / dim)], k % dim];
    return (1 - at) * from[i] + at * to[i];
  });
}

/** A point of the line that was computed. */
interface Station {
  readonly t: number;
  readonly x: Float64Array;
}

/**
 * Places 81 points on a straight line of the latent space, between which particles move equally far: the barrier is thin
 * there, and even steps in t would jump over it.
 *
 * @param model the map
 * @param from first latent point, [dim]
 * @param to last latent point, [dim]
 * @param pause awaited between batches
 * @returns the path
 */
export async function walkPath(
  model: PathModel,
  from: Float64Array,
  to: Float64Array,
  pause: () => Promise<void>,
): Promise<LatentPath> {
  const { dim } = model;
  const compute = async (t: number[]): Promise<Station[]> => {
    const { x } = await model.map(between(from, to, t));
    return t.map((t, i) => ({ t, x: x.slice(i * dim, (i + 1) * dim) }));
  };
  let stations = await compute(Array.from({ length: COARSE }, (_, k) => k / (COARSE - 1)));
  for (;;) {
    const steps = stations.slice(1).map((station, k) => step(stations[k].x, station.x));
    const longest = steps.reduce((a, b) => a + b) / POINTS;
    const middles = stations.slice(1).flatMap(({ t }, k) => {
      const before = stations[k].t;
      return steps[k] > longest && t - before > SMALLEST_STEP ? [(before + t) / 2] : [];
    });
    if (middles.length === 0) break;
    stations = [...stations, ...await compute(middles)].sort((a, b) => a.t - b.t);
    await pause();
  }
  const chosen = evenly(stations);
  const x = Float64Array.from(chosen.flatMap((station) => Array.from(station.x)));
  return { x, t: Float64Array.from(chosen, ({ t }) => t), d: model.distance(x), energy: model.energy(x) };
}

/** How far the particles move between two configurations. */
function step(a: Float64Array, b: Float64Array): number {
  return Math.hypot(...a.map((value, i) => b[i] - value));
}

/** The stations nearest to even distances along the path, both ends included, each at most once. */
function evenly(stations: readonly Station[]): Station[] {
  let length = 0;
  const along = stations.map((station, k) => length += k === 0 ? 0 : step(stations[k - 1].x, station.x));
  const chosen: Station[] = [];
  let nearest = 0;
  for (let point = 0; point < POINTS; point++) {
    const target = length * point / (POINTS - 1);
    while (nearest + 1 < along.length && Math.abs(along[nearest + 1] - target) <= Math.abs(along[nearest] - target)) {
      nearest++;
    }
    if (chosen.at(-1) !== stations[nearest]) chosen.push(stations[nearest]);
  }
  return chosen;
}
