/**
 * Energies of particles in ONNX operators.
 *
 * Formulas and the order of operations are those of `../backend/particle_reference.ts` and of the kernels, from the same
 * coefficients; nothing is cut off or softened.
 *
 * @module
 */
import {
  type DimerCoefficients,
  type FluidCoefficients,
  isDimer,
  type ParticleCoefficients,
} from "../backend/particle_coefficients.ts";
import type { Algebra } from "./algebra.ts";
import { batchSize } from "./model_builder.ts";

/**
 * Emits the energy of pairs, of walls, and of what only the dimer feels.
 *
 * @param algebra of float64
 * @param c the energy's numbers
 * @param coordinates [2·particles, n]
 * @returns U as a row [1, n]
 */
export function particleEnergy(algebra: Algebra, c: ParticleCoefficients, coordinates: string): string {
  const { add, multiply } = algebra;
  const walls = multiply(wallSum(algebra, c, coordinates), c.boxConstant);
  const pairs = pairsOf(c);
  const scale = isDimer(c) ? c.epsilon : c.repulsion;
  const energy = pairs.length === 0 ? walls : add(multiply(pairSum(algebra, c, coordinates, pairs), scale), walls);
  return isDimer(c) ? add(energy, dimerEnergy(algebra, c, coordinates)) : energy;
}

/** All pairs that have a pair term: not that of the dimer. */
function pairsOf(c: ParticleCoefficients): [number, number][] {
  const first = isDimer(c) ? 2 : 1;
  return Array.from({ length: c.particles }, (_, j) => j).slice(first)
    .flatMap((j) => Array.from({ length: j }, (_, i): [number, number] => [i, j]));
}

/** Σ t (t − B/A), t = (σ/r)⁶: pair energies over ε or A. */
function pairSum(
  algebra: Algebra,
  c: DimerCoefficients | FluidCoefficients,
  coordinates: string,
  pairs: readonly (readonly [number, number])[],
): string {
  const { add, subtract, multiply, square } = algebra;
  const ends = [0, 1].map((end) => algebra.whole(pairs.map((pair) => pair[end]), [pairs.length]));
  const squares = [0, 1].map((axis) => {
    const line = algebra.slice(coordinates, 0, axis, 2 * c.particles, 2);
    const [here, there] = ends.map((index) => algebra.rows(line, index));
    return square(subtract(here, there));
  });
  const distances = algebra.builder.declare(add(squares[0], squares[1]), "float64", [pairs.length, batchSize]);
  const q = algebra.divide(c.sigma * c.sigma, distances);
  const t = multiply(square(q), q);
  const attraction = isDimer(c) || c.repulsion === 0 ? 0 : c.attraction / c.repulsion;
  return algebra.sum(multiply(t, attraction === 0 ? t : subtract(t, attraction)), 0);
}

/** Σ δ², δ how far a coordinate lies beyond ±half; what is no number stays none. */
function wallSum(algebra: Algebra, { halfBox }: ParticleCoefficients, coordinates: string): string {
  const { subtract, where, square } = algebra;
  const size = algebra.absolute(coordinates);
  const overshoot = where(algebra.less(halfBox, size), subtract(size, halfBox), subtract(size, size));
  return algebra.sum(square(overshoot), 0);
}

/** c₁ q + c₂ q² + c₄ q⁴ + k_d ((x₀ + x₁)² + y₀² + y₁²), q = d − d₀. */
function dimerEnergy(algebra: Algebra, c: DimerCoefficients, coordinates: string): string {
  const { add, subtract, multiply, square } = algebra;
  const [x0, y0, x1, y1] = [0, 1, 2, 3].map((row) => algebra.row(coordinates, row));
  const distance = algebra.sqrt(add(square(subtract(x0, x1)), square(subtract(y0, y1))));
  const q = subtract(distance, c.d0);
  const q2 = square(q);
  const bond = add(multiply(q, c.c1), multiply(add(multiply(q2, c.c4), c.c2), q2));
  const tether = add(square(add(x0, x1)), add(square(y0), square(y1)));
  return add(bond, multiply(tether, c.tether));
}
