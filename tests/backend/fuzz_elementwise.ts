/** Generators of the fuzz test: functions of one and two buffers, and their derivatives. */
import { functionBounds, gradientBounds, normalBounds } from "./error_bounds.ts";
import { type Draw, finiteSpecials, type Generator, type Generators, specials } from "./fuzz_draw.ts";
import { type Bound, smallest, ulp, unitRoundoff } from "./kernel_harness.ts";

/** Vectors of 4 in loops that may be unrolled to 16. */
const count = (draw: Draw) => draw.size(draw.pick([4, 16]), 0, 100);

/** x is any float32 or a common one; y may be the same buffer. */
function unary(bound: (y: number, x: number) => number): Generator {
  return (draw) => {
    const n = count(draw);
    const x = draw.flag() ? draw.bits(n) : draw.floats(n, { from: -20, to: 20 });
    const before = x.slice();
    return { args: [n, x, draw.flag() ? x : draw.room(n)], bound: (y, i) => bound(y, before[i]) };
  };
}

const derivative = (kernel: string): Generator => (draw) => {
  const { from, to, special, error } = gradientBounds[kernel];
  const n = count(draw);
  const saved = draw.floats(n, { from, to, special });
  const dy = draw.floats(n, { from: -9, to: 9, special: [...finiteSpecials, NaN] });
  const [s, d] = [saved.slice(), dy.slice()];
  const accumulate = draw.flag();
  // What overflows in float32 alone must not meet an infinity of the other sign.
  const dx = !accumulate && draw.flag() ? dy : draw.floats(n, { special: [...finiteSpecials, NaN] });
  // 2 u |want| also covers the sum, as |slope · dy| ≤ |want| + |dx|; dx itself is at most 1 where it is added to.
  const bound: Bound = (want, i) => unitRoundoff * (error(s[i], d[i]) * 1.01 + 2 * Math.abs(want)) + 2 * smallest;
  return { args: [n, accumulate, saved, dy, dx], bound };
};

/** One rounding, whatever the numbers. */
const binary: Generator = (draw) => {
  const n = count(draw);
  const operand = () => draw.flag() ? draw.bits(n) : draw.floats(n, { from: -9, to: 9 });
  const [a, b] = [operand(), operand()];
  return { args: [n, a, b, draw.pick([a, b, draw.room(n)])], bound: (want) => ulp(want) / 2 };
};

/** −(dy/b)·(a/b): two quotients, a product and a sum. */
const denominator: Generator = (draw) => {
  const n = count(draw);
  const special = [0, -0, NaN, 1];
  const [a, b] = [draw.floats(n, { special }), draw.floats(n, { from: 0.2, to: 2, special: [NaN, 1] })];
  const [dy, db] = [draw.floats(n, { special }), draw.floats(n, { special })];
  const bound: Bound = (want, i) =>
    unitRoundoff * (3.1 * Math.abs(dy[i] / b[i] * a[i] / b[i]) + 1.1 * Math.abs(want)) + smallest;
  return { args: [n, draw.flag(), a, b, dy, db], bound };
};

/** a·x, rounded, and what is added to it, rounded. */
function scaled(make: (scale: number, x: Float32Array, draw: Draw) => ReturnType<Generator>["args"]): Generator {
  return (draw) => {
    const n = count(draw);
    const scale = draw.pick([1, -1, 0, draw.float(-3, 3)]);
    const x = draw.floats(n, { from: -9, to: 9 });
    const before = x.slice();
    const bound: Bound = (want, i) => unitRoundoff * (Math.abs(want) + 1.01 * Math.abs(scale * before[i])) + smallest;
    return { args: [n, ...make(scale, x, draw)], bound };
  };
}

/** A tail mass and one that is no tail, so that their sum and its inverse are normal numbers, as the kernel wants. */
const quantile: Generator = (draw) => {
  const n = count(draw);
  const unit = 2 ** draw.integer(-20, 30);
  const masses = [-85, -9].map((from) => draw.floats(n, { from, to: 0, special: [] }).map((v) => Math.exp(v) * unit));
  if (n > 0 && draw.flag()) masses[0][draw.integer(0, n - 1)] = 0;
  if (n > 0 && draw.flag()) draw.pick(masses)[draw.integer(0, n - 1)] = NaN;
  const [lower, upper] = draw.flag() ? masses : masses.reverse();
  return { args: [n, lower, upper, draw.room(n)], bound: normalBounds.normalQuantileF32 };
};

const filled =
  (value: (draw: Draw) => number, room: (n: number) => Float32Array | Float64Array): Generator => (draw) => {
    const n = count(draw);
    return { args: [n, value(draw), room(n)], bound: () => 0 };
  };

/** Generators for the kernels of wasm/elementwise.ts. */
export const elementwise: Generators = {
  ...Object.fromEntries(Object.entries(functionBounds).map(([kernel, bound]) => [kernel, unary(bound)])),
  ...Object.fromEntries(Object.keys(gradientBounds).map((kernel) => [kernel, derivative(kernel)])),
  ...Object.fromEntries(["addF32", "subtractF32", "multiplyF32", "divideF32"].map((kernel) => [kernel, binary])),
  normalCdfF32: unary(normalBounds.normalCdfF32),
  normalQuantileF32: quantile,
  divideGradDenominatorF32: denominator,
  scaleShiftF32: scaled((scale, x, draw) => [scale, draw.float(-3, 3), x, draw.flag() ? x : draw.room(x.length)]),
  accumulateF32: scaled((scale, x, draw) => [scale, x, draw.floats(x.length)]),
  copyF32: scaled((scale, x, draw) => [scale, x, draw.room(x.length)]),
  fillF32: filled((draw) => Math.fround(draw.pick(specials)), (n) => new Float32Array(n)),
  fillF64: filled((draw) => draw.pick([...specials, 1 / 3]), (n) => new Float64Array(n)),
};
