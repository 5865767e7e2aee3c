/**
 * Symmetries of the square that carry sites onto each other.
 *
 * @module
 */
import type { SymmetryOperation } from "./symmetry.ts";

/** Sites closer to an image than this share of the box are that image: what rounding leaves. */
const SITE_TOLERANCE = 1e-9;

/** A symmetry of the square: (x, y) → (signX · x, signY · y), or (signX · y, signY · x) where the axes are exchanged. */
export interface SquareSymmetry {
  /** Whether x and y are exchanged before the signs. */
  readonly exchange: boolean;
  /** Sign of the new x. */
  readonly signX: 1 | -1;
  /** Sign of the new y. */
  readonly signY: 1 | -1;
}

/** The eight symmetries of the square, the identity first. */
export const squareSymmetries: readonly SquareSymmetry[] = [false, true].flatMap((exchange) =>
  ([1, -1] as const).flatMap((signX) => ([1, -1] as const).map((signY) => ({ exchange, signX, signY })))
);

/**
 * Finds the site that a symmetry carries to each site.
 *
 * @param sites [count, 2]
 * @param symmetry the symmetry
 * @param halfBox length that the tolerance is measured by
 * @returns which site goes to site k, [count]; null where a site has no image
 */
export function siteSources(sites: Float64Array, symmetry: SquareSymmetry, halfBox: number): number[] | null {
  const { exchange, signX, signY } = symmetry;
  const tolerance = SITE_TOLERANCE * halfBox;
  const taken = new Set<number>();
  for (let k = 0; k < sites.length / 2; k++) {
    const [x, y] = [signX * sites[2 * k], signY * sites[2 * k + 1]];
    const source = exchange ? siteAt(sites, y, x, tolerance, taken) : siteAt(sites, x, y, tolerance, taken);
    if (source < 0) return null;
    taken.add(source);
  }
  return [...taken];
}

/** Number of the free site at a place, or −1. */
function siteAt(sites: Float64Array, x: number, y: number, tolerance: number, taken: ReadonlySet<number>): number {
  for (let k = 0; k < sites.length / 2; k++) {
    const distance = Math.max(Math.abs(sites[2 * k] - x), Math.abs(sites[2 * k + 1] - y));
    if (distance <= tolerance && !taken.has(k)) return k;
  }
  return -1;
}

/**
 * Writes a symmetry of the square, with labels that go along, as a map of coordinates.
 *
 * @param symmetry the symmetry
 * @param sources which particle goes to place k, [particles]
 * @returns the operation on [particles, 2] coordinates
 */
export function squareOperation(symmetry: SquareSymmetry, sources: readonly number[]): SymmetryOperation {
  const { exchange, signX, signY } = symmetry;
  return {
    from: sources.flatMap((particle) => exchange ? [2 * particle + 1, 2 * particle] : [2 * particle, 2 * particle + 1]),
    signs: sources.flatMap(() => [signX, signY]),
  };
}
