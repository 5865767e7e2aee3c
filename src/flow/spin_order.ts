/**
 * What a spin depends on when spins are placed one after the other.
 *
 * @module
 */
import type { SpinBond } from "../system/ising_lattice.ts";

/** A spin with the earlier ones that its probability depends on. */
export interface PlacedSpin {
  /** Which. */
  readonly site: number;
  /** Earlier spins, in increasing order. */
  readonly seen: readonly number[];
  /** Summed strength of the bonds to each of them; zero for those that matter only through later spins. */
  readonly strengths: readonly number[];
}

/**
 * Finds which earlier spins each spin depends on.
 *
 * These are the ones that are reached from it by bonds between later spins; given them, all others say nothing more
 * (Markov). On an L × L torus at most 2L are left of up to L² − 1. The first spin of each connected part has none.
 *
 * @param dim number of spins
 * @param bonds which spins feel each other
 * @returns the spins in the order of their places
 * @throws {RangeError} if a bond does not join two of the spins, or its strength is not finite
 */
export function placeSpins(dim: number, bonds: readonly SpinBond[]): PlacedSpin[] {
  const strengths = Array.from({ length: dim }, () => new Map<number, number>());
  for (const { i, j, strength } of bonds) {
    const places = [i, j].every((k) => Number.isInteger(k) && k >= 0 && k < dim) && i !== j;
    if (!places || !Number.isFinite(strength)) {
      throw new RangeError(
        `Cannot place spins: a bond must join two of ${dim} spins with a finite strength, got ${i}, ${j}, ${strength}`,
      );
    }
    for (const [a, b] of [[i, j], [j, i]]) strengths[a].set(b, (strengths[a].get(b) ?? 0) + strength);
  }
  return strengths.map((neighbours, site) => {
    const seen = shore(site, strengths);
    return { site, seen, strengths: seen.map((k) => neighbours.get(k) ?? 0) };
  });
}

/** The earlier sites that border on what is reached from a site by way of later ones, in increasing order. */
function shore(site: number, neighbours: readonly ReadonlyMap<number, number>[]): number[] {
  const found = new Set<number>();
  const open = [site];
  const visited = new Set(open);
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const next of neighbours[at].keys()) {
      if (next < site) found.add(next);
      else if (!visited.has(next)) {
        visited.add(next);
        open.push(next);
      }
    }
  }
  return [...found].sort((a, b) => a - b);
}
