/**
 * Where along the dimer's distance a run looks: the range that carries weight, and the bins of its profiles.
 *
 * @module
 */
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";

/** Distances tried. */
const GRID = 0.005;
/** Bins per unit length: 1.5 = 30 / 20 is an edge, without rounding. */
const BINS_PER_UNIT = 20;
/** k_BT above the minimum of a basin up to which profiles are shown. */
const PROFILE_REACH = 16;

/**
 * Finds the distances that matter in either basin, from the bond alone.
 *
 * A distance matters if −ln (d e^−βw(d)), w being the bond's energy and d the measure of a distance in the plane, lies
 * less than `reach` above its minimum over the basin that the distance is in. What the solvent adds is a few k_BT.
 *
 * @param system the dimer
 * @param temperature T in units of T₀
 * @param reach in k_BT
 * @returns the shortest and the longest of them, around the boundary of the basins
 * @throws {RangeError} if the temperature is not positive
 */
export function dimerRange(system: ParticleDimer, temperature: number, reach: number): readonly [number, number] {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`Cannot find the range of a dimer: temperature must be a positive number, got ${temperature}`);
  }
  const longest = Math.max(2 * DIMER_BOUNDARY, 2 * system.parameters.halfBox);
  const level = (d: number) => system.dimerEnergy(d) / temperature - Math.log(d);
  const grid = Float64Array.from({ length: Math.floor(longest / GRID) }, (_, k) => (k + 1) * GRID);
  const basins = [grid.filter((d) => d < DIMER_BOUNDARY), grid.filter((d) => d >= DIMER_BOUNDARY)];
  const kept = basins.flatMap((basin) => {
    const least = basin.reduce((lowest, d) => Math.min(lowest, level(d)), Infinity);
    return Array.from(basin.filter((d) => level(d) < least + reach));
  });
  return [kept[0], kept[kept.length - 1]];
}

/**
 * Lays bins of 0.05 over the distances where a profile says something: up to 16 k_BT above either basin.
 *
 * @param system the dimer
 * @param temperature T in units of T₀
 * @returns rising edges [bins + 1]; the boundary of the basins is one of them
 * @throws {RangeError} if the temperature is not positive
 */
export function profileEdges(system: ParticleDimer, temperature: number): Float64Array {
  const [low, high] = dimerRange(system, temperature, PROFILE_REACH);
  const first = Math.floor(low * BINS_PER_UNIT);
  const last = Math.ceil(high * BINS_PER_UNIT);
  return Float64Array.from({ length: last - first + 1 }, (_, k) => (first + k) / BINS_PER_UNIT);
}
