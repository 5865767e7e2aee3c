/**
 * Energies of systems without particles in ONNX operators, in the order of operations of their own formulas.
 *
 * @module
 */
import type { DoubleWell, DoubleWellParameters } from "../system/double_well.ts";
import type { HarmonicOscillatorBox } from "../system/harmonic_oscillator_box.ts";
import type { ManyWell } from "../system/many_well.ts";
import type { MuellerBrown } from "../system/mueller_brown.ts";
import type { Algebra } from "./algebra.ts";

/** A system with a formula of a line or two. */
export type PlainSystem = DoubleWell | ManyWell | MuellerBrown | HarmonicOscillatorBox;

/** Names of systems with such a formula. */
export const plainSystems: ReadonlySet<string> = new Set<PlainSystem["name"]>([
  "double-well",
  "many-well",
  "mueller-brown",
  "harmonic-oscillator-box",
]);

/**
 * Emits such a formula.
 *
 * @param algebra of float64
 * @param system whose energy it is
 * @param coordinates [dim, n]
 * @returns U as a row [1, n]
 */
export function plainEnergy(algebra: Algebra, system: PlainSystem, coordinates: string): string {
  switch (system.name) {
    case "double-well":
      return doubleWell(algebra, system, coordinates);
    case "many-well":
      return manyWell(algebra, system, coordinates);
    case "mueller-brown":
      return muellerBrown(algebra, system, coordinates);
    case "harmonic-oscillator-box":
      return oscillator(algebra, system, coordinates);
  }
}

/** a x⁴ − b x² + c x of each number. */
function quartic(algebra: Algebra, { a, b, c }: DoubleWellParameters, x: string): string {
  const { add, subtract, multiply, square } = algebra;
  const squared = square(x);
  return add(multiply(subtract(multiply(squared, a), b), squared), multiply(x, c));
}

/** a x⁴ − b x² + c x + ½ k Σ y². */
function doubleWell(algebra: Algebra, { dim, parameters }: DoubleWell, coordinates: string): string {
  const well = quartic(algebra, parameters, algebra.row(coordinates, 0));
  if (dim === 1) return well;
  const others = algebra.sum(algebra.square(algebra.slice(coordinates, 0, 1, dim)), 0);
  return algebra.add(well, algebra.multiply(others, 0.5 * parameters.k));
}

/** Σ (a x⁴ − b x² + c x + ½ k y²). */
function manyWell(algebra: Algebra, { dim, parameters }: ManyWell, coordinates: string): string {
  const [x, y] = [0, 1].map((axis) => algebra.slice(coordinates, 0, axis, dim, 2));
  const springs = algebra.multiply(algebra.square(y), 0.5 * parameters.k);
  return algebra.sum(algebra.add(quartic(algebra, parameters, x), springs), 0);
}

/** k Σ A exp(a (p + bq/2a)² + (c − b²/4a) q²), p = x₁ − X, q = x₂ − Y: squares of one sign do not cancel far out. */
function muellerBrown(algebra: Algebra, { terms, parameters }: MuellerBrown, coordinates: string): string {
  const { add, subtract, multiply, square } = algebra;
  const [x, y] = [0, 1].map((axis) => algebra.row(coordinates, axis));
  const exponentials = terms.map(([A, a, b, c, X, Y]) => {
    const [p, q] = [subtract(x, X), subtract(y, Y)];
    const shifted = add(p, multiply(q, b / (2 * a)));
    const form = add(multiply(square(shifted), a), multiply(square(q), c - b * b / (4 * a)));
    return multiply(algebra.exp(form), A);
  });
  return multiply(exponentials.reduce((sum, term) => add(sum, term)), parameters.scale);
}

/** k (x₂ − x₁)², ∞ for x₁ beyond the walls unless x₂ is no number. */
function oscillator(algebra: Algebra, { parameters }: HarmonicOscillatorBox, coordinates: string): string {
  const { less, either, both } = algebra;
  const [first, second] = [0, 1].map((axis) => algebra.row(coordinates, axis));
  const beyond = either(less(first, 0), less(parameters.boxLength, first));
  const outside = both(beyond, algebra.equal(second, second));
  const spring = algebra.multiply(algebra.square(algebra.subtract(second, first)), parameters.k);
  return algebra.where(outside, Infinity, spring);
}
