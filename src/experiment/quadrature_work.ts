/**
 * The energies inside a tilted density, in the unit in which energies are counted elsewhere.
 *
 * @module
 */
import { AutoregressiveParticleFlow } from "../flow/autoregressive_particle_flow.ts";
import type { Bijector } from "../flow/bijector.ts";
import type { TiltedGrid } from "../flow/tilted_head.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";

/** The pair terms of one energy of the dimer: all pairs but the bonded one; 702 with 36 solvent particles. */
export function pairTermsOf({ particles }: Pick<ParticleDimer, "particles">): number {
  return particles * (particles - 1) / 2 - 1;
}

/**
 * Counts the pair terms of one density of a flow of particles with tilted heads.
 *
 *     Σ_k neighbours(k) · Σ_d fine · coarse^(D − 1 − d),   d = 0 … D − 1
 *
 * Each particle's density is formed axis by axis: for axis d on `fine` nodes, each with all nodes of the axes after it.
 * At every node the energies with the neighbours placed before enter once; they are interpolated in tables, and rows that
 * no neighbour reaches are skipped, so that this is an upper bound. A derivative by the network comes out of the same pass,
 * and a sample takes as many terms as a density.
 *
 * @param bijector any; 0 terms unless its heads are tilted
 * @param grid the grids that it computes with
 * @returns pair terms of one configuration
 */
export function tiltedPairTerms(bijector: Bijector, grid: TiltedGrid): number {
  if (!(bijector instanceof AutoregressiveParticleFlow) || bijector.options.head.kind !== "tilted") return 0;
  const { head, spatialDim, particles } = bijector.options;
  // Without a list every earlier particle is a neighbour if it has an energy with this one.
  const placed = bijector.options.order ?? Array.from({ length: particles }, (_, i) => i);
  const neighbours = placed.reduce((sum, particle, k) => {
    const others = head.neighbours?.[particle] ?? placed.slice(0, k);
    return sum + others.filter((other) => head.interactions.pairTerm(particle, other) !== null).length;
  }, 0);
  let nodes = 0;
  for (let d = 0; d < spatialDim; d++) nodes += grid.fine * grid.coarse ** (spatialDim - 1 - d);
  return neighbours * nodes;
}
