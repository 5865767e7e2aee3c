/**
 * Energy-tilted densities to test: uneven knots, one-body energies, pair tables, and inputs that go with them.
 *
 * @module
 */
import type { Evaluation } from "../../src/graph/columns.ts";
import { type Tilt, TILT_KNOTS } from "../../src/graph/tilt.ts";
import { normals, uniforms } from "./random_arrays.ts";

/** Names of the primitives of a tilted density. */
export type TiltedName = "tiltedLogProb" | "tiltedEncode" | "tiltedDecode";

/** Two pair energies: a soft core, and a well that is smooth at its cutoff. */
export const tables: Tilt["tables"] = [
  { cutoffSquared: 1.44, values: Float32Array.from({ length: 9 }, (_, k) => 6 * (1 - k / 8) ** 2) },
  { cutoffSquared: 2.25, values: Float32Array.from({ length: 13 }, (_, k) => -2 * Math.sin(Math.PI * k / 12) ** 2) },
];

/** A tilt with `neighbours` neighbours that take the tables in turn. */
export function exampleTilt(options: Partial<Tilt> & { readonly neighbours?: number } = {}): Tilt {
  const { neighbours = 3, ...tilt } = options;
  const pairs = Array.from({ length: neighbours }, (_, n) => n % 2);
  return { spatialDim: 2, basis: 4, fine: 17, coarse: 9, tailRate: 100, tables, pairs, ...tilt };
}

/** Knots from about −1 to 1, uneven, and one-body energies there that rise towards the ends. */
export function exampleKnots(dim: number, seed = 3): Float64Array {
  const positions: number[] = [];
  const energies: number[] = [];
  for (let axis = 0; axis < dim; axis++) {
    const steps = uniforms(TILT_KNOTS, seed + axis, 0.5, 1.5);
    let x = -1 - 0.1 * axis;
    for (let k = 0; k < TILT_KNOTS; k++) {
      positions.push(Math.fround(x));
      energies.push(Math.fround(1.5 * (x + 0.3 * axis) ** 2 + 0.3 * Math.sin(5 * x)));
      x += steps[k] / 64;
    }
  }
  return Float64Array.of(...positions, ...energies);
}

/** Inputs of n samples in the order of the primitive: features, place, scale, knots, neighbours. */
export function exampleInputs(name: TiltedName, tilt: Tilt, n: number, seed = 1): Float64Array[] {
  const { spatialDim: dim, basis, pairs } = tilt;
  const place = name === "tiltedDecode" ? normals(n * dim, seed + 1) : uniforms(n * dim, seed + 1, -1.15, 1.15);
  const inputs = [
    normals(n * basis ** dim, seed, 0.4),
    place,
    uniforms(n, seed + 2, 0.6, 1.4),
    exampleKnots(dim),
  ];
  if (pairs.length > 0) inputs.push(uniforms(n * dim * pairs.length, seed + 3, -1.5, 1.5));
  return inputs;
}

/** An evaluation of a primitive for n samples. */
export function exampleEvaluation<P extends TiltedName>(name: P, tilt: Tilt, n: number, seed = 1): Evaluation<P> {
  const { spatialDim: dim, basis, pairs } = tilt;
  const shapes = [["n", basis ** dim], ["n", dim], ["n", 1], [2 * dim, TILT_KNOTS], ["n", dim * pairs.length]] as const;
  const inputs = exampleInputs(name, tilt, n, seed);
  const shape = name === "tiltedLogProb" ? ["n"] as const : ["n", dim + 1] as const;
  return { inputs, shapes: shapes.slice(0, inputs.length), shape, attributes: { tilt }, n };
}
