/** Generators of the fuzz test: layers, couplings, sums, layouts and the optimiser. */
import { packedLength, panelLength } from "../../src/backend/dense_layout.ts";
import { sumBound } from "./error_bounds.ts";
import type { Case, Draw, Generator, Generators } from "./fuzz_draw.ts";
import { type Argument, type Bound, referenceResult, smallest, ulp, unitRoundoff } from "./kernel_harness.ts";

/** Panels: the derivative by weights works on blocks of 8. */
const panelsOf = (draw: Draw) => draw.size(8, 0, 17);
/** Features of layers: tiles of 3 and 5, blocks of 24. */
const widthOf = (draw: Draw) => draw.size(draw.pick([3, 5, 24]), 1, 50);
/** Panels of f features. */
const batch = (draw: Draw, panels: number, f: number) => draw.floats(panels * f * 32);
const exact: Bound = () => 0;

function summed(kernel: string, args: readonly Argument[], roundings: number): Case {
  return { args, bound: sumBound(kernel, args, roundings) };
}

function packing(kernel: "packF32" | "packTransposeF32"): Generator {
  return (draw) => {
    const [n, k] = [widthOf(draw), widthOf(draw)];
    const length = kernel === "packF32" ? packedLength(n, k) : packedLength(k, n);
    return { args: [n, k, draw.floats(n * k), draw.room(length)], bound: exact };
  };
}

/** Weights as `kernel` packs them. */
function packed(draw: Draw, kernel: "packF32" | "packTransposeF32", n: number, k: number): Float32Array {
  const target = new Float32Array(kernel === "packF32" ? packedLength(n, k) : packedLength(k, n));
  return Float32Array.from(referenceResult(kernel, [n, k, draw.floats(n * k), target]).args[3] as Float64Array);
}

/** Fewer panels where both widths are large: the reference is slow. */
function layer(draw: Draw): [panels: number, k: number, n: number] {
  const [k, n] = [widthOf(draw), widthOf(draw)];
  return [k * n > 600 ? draw.integer(0, 3) : panelsOf(draw), k, n];
}

const layers: Generators = {
  packF32: packing("packF32"),
  packTransposeF32: packing("packTransposeF32"),
  linearF32: (draw) => {
    const [panels, k, n] = layer(draw);
    const weights = packed(draw, "packF32", n, k);
    const args = [panels, k, n, batch(draw, panels, k), weights, draw.floats(n), draw.room(panels * n * 32)];
    return summed("linearF32", args, 2 * k + 1);
  },
  linearInputGradF32: (draw) => {
    const [panels, k, n] = layer(draw);
    const weights = packed(draw, "packTransposeF32", n, k);
    const args = [panels, n, k, draw.flag(), batch(draw, panels, n), weights, batch(draw, panels, k)];
    return summed("linearInputGradF32", args, 2 * n + 1);
  },
  linearWeightGradF32: (draw) => {
    const [panels, k, n] = layer(draw);
    const from = k > 3 && draw.flag() ? draw.integer(0, k - 3) : 0;
    const to = from > 0 || (k > 3 && draw.flag()) ? draw.integer(from + 3, k) : k;
    const arrays = [batch(draw, panels, k), batch(draw, panels, n), draw.floats(n * k)];
    const args = [panels, k, n, from, to, draw.flag(), ...arrays];
    // As in kernel_matrix_test.ts.
    return summed("linearWeightGradF32", args, 2 * 64 + 2 + Math.ceil(panels / 8) + 1);
  },
  biasGradF32: (draw) => {
    const [panels, n] = [panelsOf(draw), widthOf(draw)];
    const args = [panels, n, draw.flag(), batch(draw, panels, n), draw.floats(n)];
    return summed("biasGradF32", args, 20 + Math.ceil(panels / 8) + 1);
  },
  broadcastRowF32: (draw) => {
    const [panels, n] = [panelsOf(draw), widthOf(draw)];
    return { args: [panels, n, draw.floats(n), draw.room(panels * n * 32)], bound: exact };
  },
};

/** Where element i of panels of f features lies in a column. */
const columnOf = (i: number, f: number) => Math.floor(i / (f * 32)) * 32 + i % 32;
/** Exponents whose exponentials are ordinary numbers, denormal ones, 0 or ∞, but do not overflow in float32 alone. */
const exponents = [0, -0, 80, -80, -95, NaN, Infinity, -Infinity];

/** y = x·eˢ + t or x = (y − t)·e⁻ˢ; exp errs by 1 ULP, 2 u, or by a denormal number. */
function affine(kernel: "affineForwardF32" | "affineInverseF32"): Generator {
  return (draw) => {
    const [panels, f] = [draw.integer(0, 4), draw.size(4, 1, 12)];
    const special = kernel === "affineForwardF32" ? exponents : exponents.map((exponent) => -exponent);
    const s = draw.floats(panels * f * 32, { from: -6, to: 6, special });
    const [x, t] = [batch(draw, panels, f), batch(draw, panels, f)];
    const [x0, t0] = [x.slice(), t.slice()];
    const out = draw.pick([x, t, draw.room(x.length)]);
    const bound: Bound = kernel === "affineForwardF32"
      ? (want, i, a) =>
        a === 6 ? 0 : unitRoundoff * (4 * Math.abs(x0[i] * Math.exp(s[i])) + Math.abs(want)) + 4 * smallest
      : (want, i, a) => a === 6 ? 0 : unitRoundoff * 5 * Math.abs(want) + smallest * (2 + Math.abs(x0[i] - t0[i]));
    return { args: [panels, f, x, s, t, out, draw.flag() && new Float64Array(panels * 32).fill(5)], bound };
  };
}

/** As in kernel_features_test.ts. */
function affineGradient(kernel: "affineForwardGradF32" | "affineInverseGradF32"): Generator {
  const sign = kernel === "affineForwardGradF32" ? 1 : -1;
  return (draw) => {
    const [panels, f] = [draw.integer(0, 4), draw.size(4, 1, 12)];
    const special = [0, -0, smallest, NaN];
    const arrays = () => draw.floats(panels * f * 32, { special });
    const [x, s, dy] = [arrays(), draw.floats(panels * f * 32, { from: -6, to: 6, special: [0, -80, NaN] }), arrays()];
    const dLogDet = draw.flag() && draw.column(panels * 32, { special });
    const bound: Bound = (want, i, a) => {
      const slope = Math.abs(dy[i]) * Math.exp(sign * s[i]);
      const product = sign > 0 ? slope * Math.abs(x[i]) : Math.abs(dy[i] * x[i]);
      const logDet = dLogDet ? Math.abs(dLogDet[columnOf(i, f)]) : 0;
      return unitRoundoff * ((a === 8 ? 4 * product + logDet : 3 * slope) + 1.1 * Math.abs(want)) + 3 * smallest;
    };
    return { args: [panels, f, draw.flag(), x, s, dy, dLogDet, arrays(), arrays(), arrays()], bound };
  };
}

const couplings: Generators = {
  affineForwardF32: affine("affineForwardF32"),
  affineInverseF32: affine("affineInverseF32"),
  affineForwardGradF32: affineGradient("affineForwardGradF32"),
  affineInverseGradF32: affineGradient("affineInverseGradF32"),
};

/** Panels, features, and one of the features. */
function shape(draw: Draw): [panels: number, f: number, index: number] {
  const f = draw.size(4, 1, 20);
  return [panelsOf(draw), f, draw.integer(0, f - 1)];
}

const sums: Generators = {
  // In float64 and in the order of the features, as the reference.
  sumFeaturesF32: (draw) => {
    const [panels, f] = shape(draw);
    return { args: [panels, f, batch(draw, panels, f), draw.column(panels * 32)], bound: exact };
  },
  // The column is rounded, and the sum.
  sumFeaturesGradF32: (draw) => {
    const [panels, f] = shape(draw);
    return summed(
      "sumFeaturesGradF32",
      [panels, f, draw.flag(), draw.column(panels * 32), batch(draw, panels, f)],
      2.1,
    );
  },
  scaleByColumnF32: (draw) => {
    const [panels, f] = shape(draw);
    // A column that rounds to 0 would make NaN of infinity.
    const column = draw.column(panels * 32, { special: [0, -0, NaN, Infinity] });
    const arrays = [column, batch(draw, panels, f), batch(draw, panels, f)];
    return summed("scaleByColumnF32", [panels, f, draw.flag(), ...arrays], 3.1);
  },
  featureColumnF32: (draw) => {
    const [panels, f, index] = shape(draw);
    return { args: [panels, f, index, batch(draw, panels, f), draw.column(panels * 32)], bound: exact };
  },
  featureColumnGradF32: (draw) => {
    const [panels, f, index] = shape(draw);
    const args = [panels, f, index, draw.flag(), draw.column(panels * 32), batch(draw, panels, f)];
    return summed("featureColumnGradF32", args, 2.1);
  },
};

/** Samples that fill panels, nearly fill them, or begin one; features that fill vectors of 4 or not. */
function rowsAndPanels(make: (draw: Draw, rows: number, panels: number) => Argument[]): Generator {
  return (draw) => {
    const [n, f] = [draw.size(32, 0, 100), draw.size(4, 1, 20)];
    return { args: [n, f, ...make(draw, n * f, panelLength(n, f))], bound: (want) => ulp(want) / 2 };
  };
}

const layouts: Generators = {
  rowsToPanelsF32: rowsAndPanels((draw, rows, panels) => [draw.floats(rows), draw.room(panels)]),
  rowsToPanelsF64: rowsAndPanels((draw, rows, panels) => [draw.column(rows), draw.room(panels)]),
  panelsToRowsF32: rowsAndPanels((draw, rows, panels) => [draw.floats(panels), draw.room(rows)]),
  panelsToRowsF64: rowsAndPanels((draw, rows, panels) => [draw.floats(panels), draw.column(rows)]),
  gatherFeaturesF32: (draw) => {
    const [panels, wide, narrow] = [panelsOf(draw), draw.integer(1, 9), draw.integer(0, 9)];
    const index = Int32Array.from({ length: narrow }, () => draw.integer(0, wide - 1));
    return {
      args: [panels, wide, narrow, index, batch(draw, panels, wide), draw.room(panels * narrow * 32)],
      bound: exact,
    };
  },
  scatterFeaturesF32: (draw) => {
    const [panels, wide, narrow] = [panelsOf(draw), draw.integer(1, 9), draw.integer(0, 9)];
    const index = Int32Array.from({ length: narrow }, () => draw.integer(0, wide - 1));
    const args = [panels, wide, narrow, draw.flag(), index, batch(draw, panels, narrow), batch(draw, panels, wide)];
    return summed("scatterFeaturesF32", args, narrow);
  },
  insertFeaturesF32: (draw) => {
    const [panels, wide] = [panelsOf(draw), draw.integer(1, 9)];
    const narrow = draw.integer(1, wide);
    const sizes = [panels, narrow, wide, draw.integer(0, wide - narrow)];
    return { args: [...sizes, batch(draw, panels, narrow), batch(draw, panels, wide)], bound: exact };
  },
  extractFeaturesF32: (draw) => {
    const [panels, wide] = [panelsOf(draw), draw.integer(1, 9)];
    const narrow = draw.integer(1, wide);
    const sizes = [panels, narrow, wide, draw.integer(0, wide - narrow), draw.flag()];
    return summed("extractFeaturesF32", [...sizes, batch(draw, panels, wide), batch(draw, panels, narrow)], 1);
  },
};

/** Roundings of one step of Adam in the order of wasm/optimizer.ts, constants and √ included. */
const adam: Generator = (draw) => {
  const count = draw.size(4, 0, 70);
  const [rate, beta1, beta2, epsilon] = [10 ** draw.float(-5, -1), 0.9, draw.pick([0.99, 0.999]), 1e-8];
  const step = draw.integer(1, 1000), scale = 2 ** draw.integer(-10, 2);
  const [correction1, correction2] = [1 - beta1 ** step, 1 - beta2 ** step];
  const [g, p, m] = [draw.floats(count), draw.floats(count), draw.floats(count, { from: -0.1, to: 0.1 })];
  const v = draw.floats(count, { from: 0, to: 0.1, special: [0, smallest, 2 ** -126, Infinity, NaN] });
  const [m0, v0] = [m.slice(), v.slice()];
  const bound: Bound = (want, i, a) => {
    const gradient = Math.abs(scale * g[i]);
    const first = unitRoundoff * (4 * beta1 * Math.abs(m0[i]) + 5 * (1 - beta1) * gradient) + 3 * smallest;
    if (a === 4) return first;
    const square = beta2 * v0[i] + (1 - beta2) * gradient * gradient;
    const second = unitRoundoff * (10 * (1 - beta2) * gradient * gradient + 4 * square) + 3 * smallest;
    if (a === 5) return second;
    const root = Math.sqrt(square / correction2) + epsilon;
    // √ turns an error of v into at most its own root, and into a small part of itself where v is not small.
    const spread = Math.min(Math.sqrt(second / correction2), second / correction2 / Math.sqrt(square / correction2));
    const mean = Math.abs(beta1 * m0[i] + (1 - beta1) * scale * g[i]);
    const move = rate / correction1 / root * (first + mean * (8 * unitRoundoff + 1.1 * spread / root));
    return unitRoundoff * Math.abs(want) + 1.1 * move + smallest;
  };
  const settings = Float64Array.of(rate, beta1, beta2, epsilon, correction1, correction2, scale);
  return { args: [count, settings, g, p, m, v], bound };
};

const optimiser: Generators = {
  adamF32: adam,
  // Squares of float32 are exact in float64.
  sumSquaresF32: (draw) => {
    const count = draw.size(4, 0, 100);
    return { args: [count, draw.floats(count), new Float64Array(1)], bound: (want) => count * 2 ** -53 * want };
  },
};

/** Generators for the kernels on panels and on flat buffers of parameters. */
export const panels: Generators = { ...layers, ...couplings, ...sums, ...layouts, ...optimiser };
