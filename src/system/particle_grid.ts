/**
 * Where particles sit: sites on square grids, or given ones.
 *
 * @module
 */

/**
 * Puts a square number of sites on a square grid; x is slow.
 *
 * @param what what cannot be done with another number, as in "make a ParticleDimer"
 * @param name what the number is called
 * @param count number of sites
 * @param at coordinate of line k of `side` lines
 * @returns sites [count, 2]
 * @throws {RangeError} if the number is not a square
 */
export function squareGrid(
  what: string,
  name: string,
  count: number,
  at: (k: number, side: number) => number,
): Float64Array {
  const side = Math.round(Math.sqrt(count));
  if (side * side !== count) {
    throw new RangeError(
      `Cannot ${what}: ${name} must be a square number where no sites are given, got ${count}: ` +
        `pass sites, a Float64Array [${name}, 2]`,
    );
  }
  const grid = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) grid.set([at(Math.floor(k / side), side), at(k % side, side)], 2 * k);
  return grid;
}

/**
 * Copies sites that a user gave.
 *
 * @param what what cannot be done with bad sites
 * @param sites [count, 2]
 * @param count number of sites
 * @returns a copy
 * @throws {RangeError} if they are not so many finite numbers
 */
export function checkedSites(what: string, sites: Float64Array, count: number): Float64Array {
  if (!(sites instanceof Float64Array) || sites.length !== 2 * count || !sites.every(Number.isFinite)) {
    throw new RangeError(
      `Cannot ${what}: sites must be a Float64Array of ${2 * count} finite numbers, got ${
        sites instanceof Float64Array ? `${sites.length} numbers` : typeof sites
      }`,
    );
  }
  return sites.slice();
}
