/**
 * The symmetries of a fluid in a square box.
 *
 * @module
 */
import type { LennardJonesFluid } from "./lennard_jones_fluid.ts";
import { siteSources, squareOperation, squareSymmetries } from "./site_symmetries.ts";
import type { SymmetryOperation } from "./symmetry.ts";

/**
 * Finds the symmetries of a fluid beside the identity, as maps of the reference domain onto itself.
 *
 * Walls and pair energies do not change under the eight symmetries of the square. Each of them carries the labels along:
 * a particle gets the label of the site to which its own site goes. Assignments to moved sites cost the same, hence the
 * image of a configuration of the reference domain lies in the domain. Sites of one's own need not be symmetric: what does
 * not map them onto themselves is left out.
 *
 * @param system the fluid
 * @returns up to seven operations; with the identity they are a group
 *
 * @example
 * ```ts
 * import { fluidSymmetries, LennardJonesFluid } from "@boltzflow/boltzflow";
 * if (fluidSymmetries(new LennardJonesFluid()).length !== 7) throw new Error("a square has eight, with the identity");
 * ```
 */
export function fluidSymmetries(system: LennardJonesFluid): SymmetryOperation[] {
  return squareSymmetries.slice(1).flatMap((symmetry) => {
    const sources = siteSources(system.sites, symmetry, system.halfBox);
    return sources === null ? [] : [squareOperation(symmetry, sources)];
  });
}
