/**
 * The mirror symmetries of the particle dimer.
 *
 * @module
 */
import type { ParticleDimer } from "./particle_dimer.ts";
import { composeSymmetries, type SymmetryOperation } from "./symmetry.ts";

/** Sites closer to a mirror image than this share of the box are that image: what rounding leaves. */
const SITE_TOLERANCE = 1e-9;

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
  const { sites } = system;
  const solvent = sites.length / 2;
  const particles = signX < 0 ? [1, 0] : [0, 1];
  const tolerance = SITE_TOLERANCE * system.parameters.halfBox;
  const taken = new Set<number>();
  for (let k = 0; k < solvent; k++) {
    const source = siteAt(sites, signX * sites[2 * k], signY * sites[2 * k + 1], tolerance, taken);
    if (source < 0) return null;
    taken.add(source);
    particles.push(2 + source);
  }
  return {
    from: particles.flatMap((particle) => [2 * particle, 2 * particle + 1]),
    signs: particles.flatMap(() => [signX, signY]),
  };
}

/** Number of the free site at a place, or −1. */
function siteAt(sites: Float64Array, x: number, y: number, tolerance: number, taken: ReadonlySet<number>): number {
  for (let k = 0; k < sites.length / 2; k++) {
    const distance = Math.max(Math.abs(sites[2 * k] - x), Math.abs(sites[2 * k + 1] - y));
    if (distance <= tolerance && !taken.has(k)) return k;
  }
  return -1;
}
