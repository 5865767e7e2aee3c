/**
 * A latent path between the basins of the dimer.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { Flow } from "../flow/flow.ts";
import { lowestLatentPath } from "../hybrid/latent_path.ts";
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";
import type { DimerFrames, DimerPath } from "./dimer_results.ts";

/** Points of a path that are computed, both ends included. */
const POINTS = 65;
/** Points of the best path that are shown. */
const SHOWN = 9;
/** Frames of each basin that are tried as ends. */
const ENDS = 12;

/**
 * Interpolates in the latent space between closed and open frames and keeps the path whose highest energy is lowest,
 * among 12 × 12 pairs of ends spread over the data. Of its 65 points those nine are returned whose distances come closest
 * to evenly spaced ones: along the straight line in z the distance changes suddenly.
 *
 * @param flow the map
 * @param system the dimer
 * @param beta 1 / T in units of 1 / T₀
 * @param frames data to take the ends from
 * @param pool threads
 * @returns the path; empty if a basin has no frame
 */
export async function dimerPath(
  flow: Flow,
  system: ParticleDimer,
  beta: number,
  frames: DimerFrames,
  pool: Executor,
): Promise<DimerPath> {
  const closed = endsOf(frames, system.dim, (d) => d < DIMER_BOUNDARY);
  const open = endsOf(frames, system.dim, (d) => d >= DIMER_BOUNDARY);
  const none = new Float64Array(0);
  if (closed.length === 0 || open.length === 0) return { x: none, d: none, reducedEnergy: none };
  const { x, energy, barrier } = await lowestLatentPath(flow, system, closed, open, { points: POINTS, pool });
  if (barrier === Infinity) return { x: none, d: none, reducedEnergy: none };
  return shown(x, system.distance(x), energy.map((u) => beta * u), system.dim);
}

/** Up to ENDS frames that satisfy a condition on d, spread over all of them. */
function endsOf({ x, d }: DimerFrames, dim: number, accepts: (d: number) => boolean): Float64Array {
  const found: number[] = [];
  d.forEach((distance, i) => {
    if (accepts(distance)) found.push(i);
  });
  const step = Math.max(1, Math.floor(found.length / ENDS));
  const chosen = found.filter((_, k) => k % step === 0).slice(0, ENDS);
  const ends = new Float64Array(chosen.length * dim);
  chosen.forEach((i, k) => ends.set(x.subarray(i * dim, (i + 1) * dim), k * dim));
  return ends;
}

/** The points whose distances are nearest to evenly spaced ones from end to end, each at most once, in order. */
function shown(x: Float64Array, d: Float64Array, reducedEnergy: Float64Array, dim: number): DimerPath {
  const last = d.length - 1;
  const picked: number[] = [];
  for (let k = 0; k < SHOWN; k++) {
    const target = d[0] + (d[last] - d[0]) * k / (SHOWN - 1);
    const first = (picked.at(-1) ?? -1) + 1;
    const end = last - (SHOWN - 1 - k);
    let nearest = k === SHOWN - 1 ? last : first;
    for (let i = first; i <= end && k < SHOWN - 1; i++) {
      if (Math.abs(d[i] - target) < Math.abs(d[nearest] - target)) nearest = i;
    }
    picked.push(nearest);
  }
  const pick = (values: Float64Array) => Float64Array.from(picked, (i) => values[i]);
  const frames = new Float64Array(SHOWN * dim);
  picked.forEach((i, k) => frames.set(x.subarray(i * dim, (i + 1) * dim), k * dim));
  return { x: frames, d: pick(d), reducedEnergy: pick(reducedEnergy) };
}
