/**
 * The law of a derivative rule: it is the derivative of the value, in float64.
 *
 * @module
 */
import type { PrimitiveName } from "../../src/graph/attributes.ts";
import type { Primitive } from "../../src/autodiff/primitives/primitive.ts";
import type { Evaluation } from "../../src/graph/columns.ts";
import { normals } from "./random_arrays.ts";

/** Value and derivative of a primitive, without its kernels. */
export type Rule<P extends PrimitiveName> = Pick<Primitive<P>, "forward" | "vjp">;

/** Half the step of the differences: their error is about h²/6 · f‴ ≈ 2e-11 and 1e-16/h = 1e-11. */
const H = 1e-5;
const TOLERANCE = 1e-7;

/**
 * Compares the cotangents of all inputs with central differences of Σ c · y for random c.
 *
 * @param options `constants`: inputs without a cotangent by definition; `seed` of c
 * @throws {Error} if one differs by more than 1e-7 · max(1, |x̄|)
 */
export function assertVjpIsDerivative<P extends PrimitiveName>(
  rule: Rule<P>,
  at: Evaluation<P>,
  { constants = [], seed = 1 }: { readonly constants?: readonly number[] | undefined; readonly seed?: number } = {},
): void {
  const output = rule.forward(at);
  const cotangent = normals(output.length, seed);
  const project = (inputs: readonly Float64Array[]): number =>
    rule.forward({ ...at, inputs }).reduce((sum, y, i) => sum + cotangent[i] * y, 0);
  const found = rule.vjp({ ...at, output }, cotangent);
  if (found.length !== at.inputs.length) {
    throw new Error(`${found.length} cotangents for ${at.inputs.length} inputs`);
  }
  at.inputs.forEach((x, k) => {
    if (constants.includes(k)) {
      if (found[k] !== null) throw new Error(`input ${k} is constant and has a cotangent, not a difference quotient`);
      return;
    }
    const given = found[k] ?? new Float64Array(x.length);
    if (given.length !== x.length) throw new Error(`cotangent ${k} has length ${given.length}, input ${x.length}`);
    x.forEach((value, i) => {
      const moved = (step: number): number => project(at.inputs.with(k, x.with(i, value + step)));
      const difference = (moved(H) - moved(-H)) / (2 * H);
      if (!(Math.abs(given[i] - difference) <= TOLERANCE * Math.max(1, Math.abs(given[i])))) {
        throw new Error(`cotangent of element ${i} of input ${k} is ${given[i]}, difference quotient ${difference}`);
      }
    });
  });
}
