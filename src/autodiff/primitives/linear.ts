/**
 * Primitives with parameters: the affine map of a layer, and a row repeated for every sample.
 *
 * @module
 */
import type { Call } from "../../graph/forward_kernel.ts";
import type { Primitive, VjpLowering } from "./primitive.ts";

/** Multiplications in one task of a weight gradient: about a millisecond, so that threads share a layer. */
const TASK_PRODUCTS = 2 ** 24;

/** Y = X Wᵀ + b, X [n, k], W [m, k], b [m]:  X̄ = Ȳ W, W̄ = Ȳᵀ X, b̄ = Σ over samples of Ȳ */
export const linear: Primitive<"linear"> = {
  forward({ inputs: [x, w, b], n }) {
    const m = b.length;
    const k = w.length / m;
    const y = new Float64Array(n * m);
    for (let row = 0; row < n; row++) {
      for (let j = 0; j < m; j++) {
        let sum = b[j];
        for (let i = 0; i < k; i++) sum += w[j * k + i] * x[row * k + i];
        y[row * m + j] = sum;
      }
    }
    return y;
  },
  vjp({ inputs: [x, w, b], n }, cotangent) {
    const m = b.length;
    const k = w.length / m;
    const dx = new Float64Array(x.length);
    const dw = new Float64Array(w.length);
    const db = new Float64Array(m);
    for (let row = 0; row < n; row++) {
      for (let j = 0; j < m; j++) {
        const c = cotangent[row * m + j];
        db[j] += c;
        for (let i = 0; i < k; i++) {
          dx[row * k + i] += c * w[j * k + i];
          dw[j * k + i] += c * x[row * k + i];
        }
      }
    }
    return [dx, dw, db];
  },
  kernel: {
    saves: "inputs",
    vjp(at) {
      const k = at.features(0);
      const m = at.outputFeatures;
      at.emitSums(...weightSums(at, k, m));
      if (at.wants(0)) {
        const { address, accumulate } = at.contribute(0);
        at.emit("linearInputGradF32", at.panels, m, k, accumulate, at.cotangent, at.packed(1, "transposed"), address);
      }
    },
  },
};

/** The gradients of weight and bias as independent lists of calls: each has some of the inputs, the first one the bias. */
function weightSums(at: VjpLowering<"linear">, k: number, m: number): Call[][] {
  const lists: Call[][] = [];
  if (at.wants(1)) {
    const { address, accumulate } = at.contribute(1);
    const wanted = Math.max(1, Math.round(32 * at.allPanels * k * m / TASK_PRODUCTS));
    const width = Math.max(3, 3 * Math.ceil(k / (3 * wanted)));
    for (let from = 0, to = 0; from < k; from = to) {
      // a rest of less than three inputs would be a tile of its own kind
      to = k - from - width < 3 ? k : from + width;
      const sizes = [at.allPanels, k, m, from, to, accumulate];
      lists.push([["linearWeightGradF32", ...sizes, at.input(0), at.cotangent, address]]);
    }
  }
  if (at.wants(2)) {
    const { address, accumulate } = at.contribute(2);
    const bias: Call = ["biasGradF32", at.allPanels, m, accumulate, at.cotangent, address];
    if (lists.length > 0) lists[0].push(bias); // the cotangents are in the cache
    else lists.push([bias]);
  }
  return lists;
}

/** Y = p for every sample, p [d]:  p̄ = Σ over samples of Ȳ */
export const broadcast: Primitive<"broadcast"> = {
  forward({ inputs: [p], n }) {
    const y = new Float64Array(n * p.length);
    for (let row = 0; row < n; row++) y.set(p, row * p.length);
    return y;
  },
  vjp({ inputs: [p] }, cotangent) {
    const dp = new Float64Array(p.length);
    for (let i = 0; i < cotangent.length; i++) dp[i % p.length] += cotangent[i];
    return [dp];
  },
  kernel: {
    saves: "nothing",
    vjp(at) {
      const { address, accumulate } = at.contribute(0);
      at.emitSums([["biasGradF32", at.allPanels, at.outputFeatures, accumulate, at.cotangent, address]]);
    },
  },
};
