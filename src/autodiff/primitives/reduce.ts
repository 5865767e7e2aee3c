/**
 * Primitives that sum, and the constant column.
 *
 * @module
 */
import { formulas } from "../../graph/columns.ts";
import type { Primitive } from "./primitive.ts";

/** y = Σ over features of X, summed in float64:  X̄[:, j] = ȳ */
export const sumFeatures: Primitive<"sumFeatures"> = {
  forward({ inputs: [x], shapes: [shape], n }) {
    const d = shape[1] as number;
    const y = new Float64Array(n);
    for (let i = 0; i < x.length; i++) y[Math.floor(i / d)] += x[i];
    return y;
  },
  vjp({ inputs: [x], shapes: [shape] }, cotangent) {
    const d = shape[1] as number;
    return [Float64Array.from(x, (_, i) => cotangent[Math.floor(i / d)])];
  },
  kernel: {
    saves: "nothing",
    vjp(at) {
      const { address, accumulate } = at.contribute(0);
      at.emit("sumFeaturesGradF32", at.panels, at.features(0), accumulate, at.cotangent, address);
    },
  },
};

/** y = c for every sample: no derivative */
export const constantColumn: Primitive<"constantColumn"> = {
  forward: formulas.constantColumn,
  vjp: () => [],
};

/** y = Σᵢ xᵢ / n:  x̄ᵢ = ȳ / n */
export const mean: Primitive<"mean"> = {
  forward: formulas.mean,
  vjp: ({ inputs: [x] }, [c]) => [new Float64Array(x.length).fill(c / x.length)],
};

/** y = Σᵢ xᵢ:  x̄ᵢ = ȳ */
export const sum: Primitive<"sum"> = {
  forward: formulas.sum,
  vjp: ({ inputs: [x] }, [c]) => [new Float64Array(x.length).fill(c)],
};
