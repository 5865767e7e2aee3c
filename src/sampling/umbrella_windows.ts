/**
 * Where to put umbrella windows, and how stiff.
 *
 * @module
 */
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";

/** Windows along the dimer's distance d with biases κ (d − m)² in k_BT. */
export interface UmbrellaWindows {
  /** Centres m of the windows, rising [count]. */
  readonly centres: Float64Array;
  /** κ in k_BT per square length, the same for all. */
  readonly biasConstant: number;
  /** Largest distance of neighbouring centres in units of the narrower one's σ. */
  readonly spacing: number;
}

/** Spacing of centres in units of σ: the solvent may add half as much curvature again before it becomes 1.5. */
const SPACING = 1.2;
/** Windows reach to where the bond has risen by so many k_BT above the shallower basin. */
const REACH = 8;
/** Curvature in k_BT that a biased window keeps at the top of the bond's barrier. */
const LEAST_CURVATURE = 50;
const GRID = 0.005;

/**
 * Chooses windows for umbrella sampling of the dimer at a temperature.
 *
 * The bias keeps every window single-peaked: 2κ = 1.25 max(0, −βw″) + 50 where w is the bond. A window's width is taken as
 * σ(d) = (2κ + max(0, βw″(d)))^(−1/2): bias and bond, which in the wells is stiffer than the bias; the solvent, left out,
 * makes windows narrower by some per cent. Centres are 1.2 σ apart, so that 1.5 σ holds with the solvent as well, and span
 * the distances where the bond is less than 8 k_BT above the shallower of its two basins.
 *
 * @param system the dimer
 * @param temperature T in units of T₀
 * @returns centres and bias constant
 * @throws {RangeError} if the temperature is not positive
 */
export function umbrellaWindows(system: ParticleDimer, temperature: number): UmbrellaWindows {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`Cannot place umbrella windows: temperature must be a positive number, got ${temperature}`);
  }
  const bond = (d: number) => system.dimerEnergy(d) / temperature;
  const curvature = (d: number) => (bond(d + GRID) - 2 * bond(d) + bond(d - GRID)) / (GRID * GRID);
  const { low, high } = bondRange(bond, 2 * system.parameters.halfBox);
  let steepest = 0;
  for (let d = low; d <= high; d += GRID) steepest = Math.max(steepest, -curvature(d));
  const biasConstant = (1.25 * steepest + LEAST_CURVATURE) / 2;
  const sigma = (d: number) => 1 / Math.sqrt(2 * biasConstant + Math.max(0, curvature(d)));
  const centres = [low];
  while (centres[centres.length - 1] < high) {
    const last = centres[centres.length - 1];
    const step = SPACING * sigma(last);
    centres.push(last + Math.min(step, SPACING * sigma(last + step)));
  }
  const gaps = centres.slice(1).map((m, k) => (m - centres[k]) / Math.min(sigma(m), sigma(centres[k])));
  return { centres: Float64Array.from(centres), biasConstant, spacing: Math.max(...gaps) };
}

/** First and last distance where the bond is within reach of both basins. */
function bondRange(bond: (d: number) => number, longest: number): { low: number; high: number } {
  let [closed, open] = [Infinity, Infinity];
  for (let d = GRID; d < longest; d += GRID) {
    if (d < DIMER_BOUNDARY) closed = Math.min(closed, bond(d));
    else open = Math.min(open, bond(d));
  }
  const limit = Math.max(closed, open) + REACH;
  let [low, high] = [longest, 0];
  for (let d = GRID; d < longest; d += GRID) {
    if (bond(d) > limit) continue;
    low = Math.min(low, d);
    high = Math.max(high, d);
  }
  return { low, high };
}
