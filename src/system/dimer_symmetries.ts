/**
 * The mirror symmetries of the particle dimer.
 *
 * @module
 */
import type { ParticleDimer } from "./particle_dimer.ts";
import { siteSources, squareOperation } from "./site_symmetries.ts";
import { composeSymmetries, type SymmetryOperation } from "./symmetry.ts";

/**
 * Finds the symmetries of a dimer beside the identity, as maps of the reference domain onto itself.
 *
 * Box, tethers and pair energies do not change under y → −y, nor under x → −x, nor under both. Each mirror carries the
 * labels along: a solvent particle gets the label of the mirrored site, and where x changes sign the two particles of the
 * dimer exchange labels, so that x₀ ≤ x₁ still holds. Assignments to mirrored sites cost the same, hence the image of a
 * configuration of the reference domain lies in the domain. A density that is averaged over the images, and data that
 * are shown under all of them, are exact.
 *
 * Sites of one's own need not be symmetric: a mirror that does not map them onto themselves is left out.
 *
 * @param system the dimer
 * @returns up to three operations: y → −y, x → −x, and both
 *
 * @example
 * ```ts
 * import { applySymmetry, dimerSymmetries, ParticleDimer } from "@boltzflow/boltzflow";
 * const dimer = new ParticleDimer();
 * const x = dimer.canonicalize(dimer.initialConfiguration(1));
 * const image = new Float64Array(dimer.dim);
 * for (const operation of dimerSymmetries(dimer)) {
 *   applySymmetry(operation, x, image);
 *   if (Math.abs(dimer.energy(image)[0] / dimer.energy(x)[0] - 1) > 1e-12) throw new Error("no symmetry");
 * }
 * ```
 */
export function dimerSymmetries(system: ParticleDimer): SymmetryOperation[] {
  const flipY = mirror(system, 1, -1);
  const flipX = mirror(system, -1, 1);
  const found = [flipY, flipX].filter((operation) => operation !== null);
  return flipX !== null && flipY !== null ? [...found, composeSymmetries(flipX, flipY)] : found;
}

/** The operation (x, y) → (signX · x, signY · y) with the labels that go along; null where sites have no image. */
function mirror(system: ParticleDimer, signX: 1 | -1, signY: 1 | -1): SymmetryOperation | null {
  const symmetry = { exchange: false, signX, signY };
  const sources = siteSources(system.sites, symmetry, system.parameters.halfBox);
  if (sources === null) return null;
  const dimer = signX < 0 ? [1, 0] : [0, 1];
  return squareOperation(symmetry, [...dimer, ...sources.map((site) => 2 + site)]);
}
