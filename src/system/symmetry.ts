/**
 * Symmetries that act on coordinates: places are exchanged and signs are changed, nothing else.
 *
 * @module
 */
import type { System } from "./system.ts";

/**
 * A symmetry of a system that leaves its energy unchanged: x′ᵢ = signs[i] · x[from[i]].
 *
 * The map is orthogonal, so densities carry over without a Jacobian.
 */
export interface SymmetryOperation {
  /** Which coordinate each new coordinate is taken from, [dim]. */
  readonly from: readonly number[];
  /** +1 or −1 for each new coordinate, [dim]. */
  readonly signs: readonly number[];
}

/**
 * Writes the image of one configuration under a symmetry.
 *
 * @param operation the symmetry
 * @param x the configuration [dim]
 * @param image receives the image [dim]; must not be x itself
 */
export function applySymmetry({ from, signs }: SymmetryOperation, x: Float64Array, image: Float64Array): void {
  for (let i = 0; i < from.length; i++) image[i] = signs[i] * x[from[i]];
}

/**
 * Composes two symmetries.
 *
 * @param second applied last
 * @param first applied first
 * @returns the symmetry that does both
 */
export function composeSymmetries(second: SymmetryOperation, first: SymmetryOperation): SymmetryOperation {
  return {
    from: second.from.map((i) => first.from[i]),
    signs: second.from.map((i, k) => second.signs[k] * first.signs[i]),
  };
}

/**
 * Writes the images of many configurations under a symmetry.
 *
 * @param operation the symmetry
 * @param x configurations [n, dim], row-major
 * @returns their images [n, dim]
 */
export function symmetryImages({ from, signs }: SymmetryOperation, x: Float64Array): Float64Array<ArrayBuffer> {
  const dim = from.length;
  const images = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += dim) {
    for (let i = 0; i < dim; i++) images[at + i] = signs[i] * x[at + from[i]];
  }
  return images;
}

/**
 * Joins symmetries and the identity to a group, after a check that they are one.
 *
 * A finite list of invertible maps is a group if the product of any two is in it: powers of a map come back to the
 * identity, so inverses are there.
 *
 * @param operations symmetries beside the identity, for instance from `dimerSymmetries`
 * @param dim number of coordinates
 * @returns the identity and the operations, in their order
 * @throws {RangeError} if an operation is no map of `dim` coordinates onto themselves, comes twice, is the identity, or
 *   if a product is missing: the message names it
 */
export function symmetryGroup(operations: readonly SymmetryOperation[], dim: number): readonly SymmetryOperation[] {
  const identity = { from: Array.from({ length: dim }, (_, i) => i), signs: new Array<number>(dim).fill(1) };
  const known = new Map([[keyOf(identity), "the identity"]]);
  operations.forEach((operation, k) => {
    requireSignedPermutation(operation, k, dim);
    const same = known.get(keyOf(operation));
    if (same !== undefined) {
      throw new RangeError(
        "Cannot form a symmetry group: operations must differ from the identity and from each other, got operation " +
          `${k} equal to ${same}`,
      );
    }
    known.set(keyOf(operation), `operation ${k}`);
  });
  operations.forEach((second, i) =>
    operations.forEach((first, k) => {
      const product = composeSymmetries(second, first);
      if (known.has(keyOf(product))) return;
      throw new RangeError(
        "Cannot form a symmetry group: the product of any two operations must be one of them or the identity, got none " +
          `for operation ${i} after operation ${k}: add composeSymmetries(operations[${i}], operations[${k}]), which is ` +
          `from [${product.from.join(", ")}], signs [${product.signs.join(", ")}]`,
      );
    })
  );
  return [identity, ...operations];
}

/** Two operations are the same map if their keys are equal. */
function keyOf({ from, signs }: SymmetryOperation): string {
  return `${from};${signs}`;
}

function requireSignedPermutation({ from, signs }: SymmetryOperation, k: number, dim: number): void {
  const sources = new Set(from.filter((source) => Number.isInteger(source) && source >= 0 && source < dim));
  if (from.length !== dim || sources.size !== dim) {
    throw new RangeError(
      `Cannot form a symmetry group: from of operation ${k} must hold each of 0 to ${dim - 1} once, got [${
        from.join(", ")
      }]`,
    );
  }
  if (signs.length !== dim || signs.some((sign) => sign !== 1 && sign !== -1)) {
    throw new RangeError(
      `Cannot form a symmetry group: signs of operation ${k} must be ${dim} numbers 1 or -1, got [${signs.join(", ")}]`,
    );
  }
}

/** What a symmetry must leave as it is: energies and, where there is one, the reference domain. */
export type SymmetricSystem = Pick<System, "dim" | "energy" | "inDomain">;

/**
 * Checks on examples that operations are symmetries of a system: energies stay, and so does the reference domain.
 *
 * An average over images is a normalised density for any group; only for symmetries of the target does it help.
 *
 * @param system energy and reference domain
 * @param operations what the system is said to be symmetric under
 * @param x configurations to try, [n, dim]: some that no operation maps onto themselves
 * @param options `tolerance`: largest difference of energies, as a share of |U| + 1, default 1e-9
 * @throws {RangeError} if an image has another energy, or is on the other side of the border of the domain
 */
export function requireSymmetries(
  system: SymmetricSystem,
  operations: readonly SymmetryOperation[],
  x: Float64Array,
  options: { readonly tolerance?: number } = {},
): void {
  const { tolerance = 1e-9 } = options;
  const energy = system.energy(x);
  const inside = system.inDomain?.(x);
  operations.forEach((operation, k) => {
    requireSignedPermutation(operation, k, system.dim);
    const image = symmetryImages(operation, x);
    const imageEnergy = system.energy(image);
    const imageInside = system.inDomain?.(image);
    energy.forEach((u, i) => {
      const other = imageEnergy[i];
      if (!(other === u || Math.abs(other - u) <= tolerance * (Math.abs(u) + 1))) {
        throw new RangeError(
          `Cannot use operation ${k} as a symmetry: it must keep the energy, got ${other} for the image of ` +
            `configuration ${i} and ${u} for itself`,
        );
      }
      if (inside?.[i] !== imageInside?.[i]) {
        throw new RangeError(
          `Cannot use operation ${k} as a symmetry: it must keep the reference domain, got configuration ${i} and its ` +
            "image on either side of its border",
        );
      }
    });
  });
}
