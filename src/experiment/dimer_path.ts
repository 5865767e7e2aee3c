/**
 * A latent path between the basins of the dimer.
 *
 * @module
 */
import type { Executor } from "../backend/pool.ts";
import type { Flow } from "../flow/flow.ts";
import { latentPath } from "../hybrid/latent_path.ts";
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";
import type { DimerFrames, DimerPath } from "./dimer_results.ts";

/** Frames of the path, both ends included. */
const POINTS = 9;
/** Frames of each basin that are tried as ends. */
const ENDS = 12;

/**
 * Interpolates in the latent space between closed and open frames and keeps the path whose highest energy is lowest,
 * among 12 × 12 pairs of ends spread over the data.
 *
 * @param flow the map
 * @param system the dimer
 * @param beta 1 / T in units of 1 / T₀
 * @param frames data to take the ends from
 * @param pool threads
 * @returns the path; empty if a basin has no frame
 */
export function dimerPath(
  flow: Flow,
  system: ParticleDimer,
  beta: number,
  frames: DimerFrames,
  pool: Executor,
): DimerPath {
  const closed = spread(frames, (d) => d < DIMER_BOUNDARY);
  const open = spread(frames, (d) => d >= DIMER_BOUNDARY);
  let best: DimerPath = { x: new Float64Array(0), d: new Float64Array(0), reducedEnergy: new Float64Array(0) };
  let lowest = Infinity;
  for (const from of closed) {
    for (const to of open) {
      const ends = [from, to].map((i) => frames.x.subarray(i * system.dim, (i + 1) * system.dim));
      const x = latentPath(flow, ends[0], ends[1], POINTS, { pool });
      const reducedEnergy = system.energy(x).map((energy) => beta * energy);
      const highest = Math.max(...reducedEnergy);
      if (!(highest < lowest)) continue;
      lowest = highest;
      best = { x, d: system.distance(x), reducedEnergy };
    }
  }
  return best;
}

/** Indices of up to ENDS frames that satisfy a condition on d, spread over all of them. */
function spread({ d }: DimerFrames, accepts: (d: number) => boolean): number[] {
  const found: number[] = [];
  d.forEach((distance, i) => {
    if (accepts(distance)) found.push(i);
  });
  const step = Math.max(1, Math.floor(found.length / ENDS));
  return found.filter((_, k) => k % step === 0).slice(0, ENDS);
}
