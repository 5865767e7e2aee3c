/**
 * Two latent points whose straight connection is a good path from closed to open.
 *
 * @module
 */
import { loadSampler, type ParticleDimer, RandomStream } from "../../mod.ts";

/** Latent points that are tried, and how many of the best of each state become ends. */
const TRIED = 2048;
const ENDS = 6;

/** Points at which a path is looked at. */
const POINTS = 65;

/** Bond length between closed and open. */
const BOUNDARY = 1.5;

/** The ends of a path; both lie in the latent space. */
export interface LatentEnds {
  /** Image: a closed dimer. [dim] */
  readonly closed: readonly number[];
  /** Image: an open dimer. [dim] */
  readonly open: readonly number[];
  /** Highest U/T on the straight line between them, at 65 even steps, in k_BT. */
  readonly highestEnergy: number;
}

/**
 * Compares the straight lines between closed and open points of high weight, and takes the one whose highest energy is
 * lowest.
 *
 * @param file the `.onnx` file of a sampler
 * @param system what it was trained for
 * @returns the ends of that line, as float32 numbers
 */
export async function findLatentEnds(file: Uint8Array, system: ParticleDimer): Promise<LatentEnds> {
  await using sampler = await loadSampler(file);
  const { dim, metadata: { temperature } } = sampler;
  const tried = new RandomStream(1, 0x70).fillNormals(new Float64Array(TRIED * dim)).map(Math.fround);
  const { x, logProb } = await sampler.map(tried);
  const [logWeights, d] = [await sampler.logWeights(x, logProb), system.distance(x)];
  const best = (isOpen: boolean) =>
    Array.from(d.keys()).filter((i) => d[i] >= BOUNDARY === isOpen && logWeights[i] > -Infinity)
      .sort((i, j) => logWeights[j] - logWeights[i]).slice(0, ENDS).map((i) => tried.slice(i * dim, (i + 1) * dim));
  let found: LatentEnds | null = null;
  for (const closed of best(false)) {
    for (const open of best(true)) {
      const path = await sampler.map(straight(closed, open));
      const highestEnergy = system.energy(path.x).reduce((a, b) => Math.max(a, b)) / temperature;
      if (highestEnergy >= (found?.highestEnergy ?? Infinity)) continue;
      found = { closed: [...closed], open: [...open], highestEnergy };
    }
  }
  if (found === null) throw new Error("Cannot find a latent path: samples must be closed and open, got one state only");
  return found;
}

/** Even steps from one point to another, [POINTS, dim]. */
function straight(from: Float64Array, to: Float64Array): Float64Array {
  return Float64Array.from({ length: POINTS * from.length }, (_, k) => {
    const [t, i] = [Math.floor(k / from.length) / (POINTS - 1), k % from.length];
    return (1 - t) * from[i] + t * to[i];
  });
}
