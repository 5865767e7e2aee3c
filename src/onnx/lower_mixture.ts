/**
 * The Gaussian-mixture densities of one particle in ONNX operators; formulas as in
 * `../autodiff/primitives/mixture_density.ts`.
 *
 * Tensors are [components, n]. Logarithms of masses instead of masses: points far outside get a finite density.
 *
 * @module
 */
import { LARGEST_LOG_SCALE, type MixtureAttributes } from "../graph/mixture_features.ts";
import { Algebra } from "./algebra.ts";
import { gaussExponent, halfLogTwoPi, type LogMasses, logTail, normalQuantiles, scaledTail } from "./lower_normal.ts";
import type { LoweringSite } from "./lowering.ts";

/** Most steps of the search for a quantile; all but the first {@link FREE_STEPS} halve the bracket. */
const STEPS = 100;
const FREE_STEPS = 25;

/** Components along one coordinate, given the coordinates before: u = scale (x − mean) + offset. */
interface Axis {
  readonly mean: string;
  readonly logScale: string;
  readonly scale: string;
  /** null for 0. */
  readonly offset: string | null;
}

/** Lowers a mixture; the logarithms of the weights follow the coordinates that have been placed. */
class Mixture {
  readonly #algebra: Algebra;
  readonly #attributes: MixtureAttributes;
  readonly #features: string;
  readonly #placed: string[] = [];
  #logWeights: string;
  #logTotal: string | null = null;

  constructor(algebra: Algebra, attributes: MixtureAttributes, features: string) {
    this.#algebra = algebra;
    this.#attributes = attributes;
    this.#features = algebra.transpose(features);
    const logits = this.#quantity(0);
    this.#logWeights = algebra.subtract(logits, algebra.logSumExp(logits, 0));
  }

  /** The next axis. */
  axis(): Axis {
    const { subtract, multiply, add } = this.#algebra;
    const { spatialDim: dim } = this.#attributes;
    const d = this.#placed.length;
    const shears = this.#placed.map((x, e) =>
      multiply(this.#quantity(1 + 2 * dim + d * (d - 1) / 2 + e), subtract(x, this.#quantity(1 + e)))
    );
    const logScale = this.#algebra.minimum(this.#quantity(1 + dim + d), LARGEST_LOG_SCALE);
    return {
      mean: this.#quantity(1 + d),
      logScale,
      scale: this.#algebra.exp(logScale),
      offset: shears.length === 0 ? null : shears.reduce((sum, term) => add(sum, term)),
    };
  }

  /** Places x on an axis: multiplies the weights by the densities of the components there. */
  place(axis: Axis, x: string): void {
    const { add } = this.#algebra;
    const exponent = gaussExponent(this.#algebra, this.standardised(axis, x));
    const density = add(add(axis.logScale, exponent), -halfLogTwoPi);
    this.#logWeights = add(this.#logWeights, density);
    this.#logTotal = this.#algebra.logSumExp(this.#logWeights, 0);
    this.#placed.push(x);
  }

  /** u of each component. */
  standardised({ mean, scale, offset }: Axis, x: string): string {
    const u = this.#algebra.multiply(this.#algebra.subtract(x, mean), scale);
    return offset === null ? u : this.#algebra.add(u, offset);
  }

  /** log p of the coordinates that have been placed, [1, n]. */
  get logProb(): string {
    return this.#logTotal!;
  }

  /** Logarithms of the masses below and above x on an axis. */
  masses(axis: Axis, x: string): LogMasses {
    const { add, subtract, multiply, where, exp, log } = this.#algebra;
    const u = this.standardised(axis, x);
    const negative = this.#algebra.less(u, 0);
    const exponent = gaussExponent(this.#algebra, u);
    const factor = scaledTail(this.#algebra, this.#algebra.absolute(u));
    const rest = subtract(1, multiply(exp(exponent), factor));
    const [inTail, inside] = [add(this.#logWeights, exponent), this.#logWeights];
    const side = (isTail: string, tail: readonly [string, string], body: readonly [string, string]) => {
      const [logs, factors] = [0, 1].map((i) => where(isTail, tail[i], body[i]));
      const largest = this.#algebra.largest(logs, 0);
      const sum = this.#algebra.sum(multiply(exp(subtract(logs, largest)), factors), 0);
      const total = add(largest, log(sum));
      return this.#logTotal === null ? total : subtract(total, this.#logTotal);
    };
    const lower = side(negative, [inTail, factor], [inside, rest]);
    const upper = side(negative, [inside, rest], [inTail, factor]);
    return { lower, upper };
  }

  /**
   * x with Φ⁻¹(F(x)) = z on an axis.
   *
   * The axis is mirrored where z > 0, so that the smaller mass L = Σ w Φ(u) is the one on the left and keeps its relative
   * accuracy. Halley's method for ln L, from the quantile of the normal density with the mixture's mean and variance,
   * stays between the quantiles of the components, and halves that bracket where it would leave it.
   */
  fromNormal(axis: Axis, z: string): string {
    const { subtract, multiply, divide, where, exp, absolute } = this.#algebra;
    const mirror = where(this.#algebra.less(0, z), -1, 1);
    const center = axis.offset === null ? axis.mean : subtract(axis.mean, divide(axis.offset, axis.scale));
    const centers = multiply(center, mirror);
    const tail = absolute(z);
    const logWeights = this.#logTotal === null ? this.#logWeights : subtract(this.#logWeights, this.#logTotal);
    const search: Search = {
      centers,
      scale: axis.scale,
      weights: exp(logWeights),
      logMass: logTail(this.#algebra, tail),
    };
    return multiply(searchQuantile(this.#algebra, search, tail), mirror);
  }

  #quantity(index: number): string {
    const { components } = this.#attributes;
    return this.#algebra.slice(this.#features, 0, index * components, (index + 1) * components);
  }
}

/** A quantile that is wanted: x with ln Σ w Φ(scale (x − center)) = logMass ≤ ln ½. */
interface Search {
  readonly centers: string;
  readonly scale: string;
  readonly weights: string;
  readonly logMass: string;
}

/** Solves a {@link Search} for all samples in one loop; who is done stays, so that samples do not see each other. */
function searchQuantile(algebra: Algebra, search: Search, tail: string): string {
  const { add, subtract, multiply, where, less, either } = algebra;
  const { type } = algebra;
  const [stepTolerance, logTolerance] = type === "float32" ? [3e-3, 3e-7] : [1e-6, 3e-16];
  const own = subtract(search.centers, algebra.divide(tail, search.scale));
  const steepest = algebra.largest(search.scale, 0);
  const start = normalStart(algebra, search, tail);
  const [low, high] = [algebra.smallest(own, 0), algebra.largest(own, 0)];
  const inside = algebra.maximum(algebra.minimum(start, high), low);
  const scaledWeights = multiply(search.weights, search.scale);
  const initial = [inside, low, high, algebra.multiply(inside, 0)].map((value) => ({ value, type }));
  const [found] = algebra.builder.loop(STEPS, initial, (step, [x, low, high, done]) => {
    const { excess, change } = halleyStep(algebra, { ...search, scaledWeights }, x);
    const isAbove = less(0, excess);
    const [newLow, newHigh] = [where(isAbove, low, x), where(isAbove, x, high)];
    const next = add(x, change);
    const clipped = algebra.maximum(algebra.minimum(next, newHigh), newLow);
    const small = either(
      less(algebra.absolute(multiply(change, steepest)), stepTolerance),
      less(algebra.absolute(excess), logTolerance),
    );
    const free = algebra.both(
      algebra.builder.emit("Less", [step, algebra.builder.constant("int64", [FREE_STEPS], [])]),
      algebra.both(algebra.atMost(newLow, next), algebra.atMost(next, newHigh)),
    );
    const middle = multiply(add(newLow, newHigh), 0.5);
    const moved = where(either(free, small), clipped, middle);
    const isDone = less(0.5, done);
    const nowDone = algebra.toNumber(either(isDone, small));
    const undone = algebra.smallest(nowDone, 1);
    return {
      again: less(algebra.reshape(undone, []), 0.5),
      states: [where(isDone, x, moved), newLow, newHigh, nowDone],
    };
  });
  return found;
}

/** The quantile of the normal density that has the mean and variance of a mixture. */
function normalStart(algebra: Algebra, { centers, scale, weights }: Search, tail: string): string {
  const { add, subtract, multiply } = algebra;
  const mean = algebra.sum(multiply(weights, centers), 0);
  const widths = algebra.square(algebra.divide(1, scale));
  const squares = algebra.square(subtract(centers, mean));
  const variance = algebra.sum(multiply(weights, add(widths, squares)), 0);
  return subtract(mean, multiply(algebra.sqrt(variance), tail));
}

/** f = ln L − logMass at x, and the step −2 f f′/(2 f′² − f f″). */
function halleyStep(algebra: Algebra, search: Search & { readonly scaledWeights: string }, x: string) {
  const { subtract, multiply, divide, maximum } = algebra;
  const tiny = algebra.type === "float32" ? 1e-30 : 1e-300;
  const u = multiply(subtract(x, search.centers), search.scale);
  const gauss = algebra.exp(gaussExponent(algebra, u));
  const tail = multiply(gauss, scaledTail(algebra, algebra.absolute(u)));
  const cdf = algebra.where(algebra.less(u, 0), tail, subtract(1, tail));
  const densities = multiply(search.scaledWeights, gauss);
  const mass = algebra.sum(multiply(search.weights, cdf), 0);
  const density = algebra.sum(densities, 0);
  // p = density/√2π, p′/p = −Σ (scale u) density / density
  const slope = algebra.negate(
    divide(algebra.sum(multiply(densities, multiply(search.scale, u)), 0), maximum(density, tiny)),
  );
  const rate = maximum(divide(multiply(density, 1 / Math.sqrt(2 * Math.PI)), mass), tiny);
  const excess = subtract(algebra.log(mass), search.logMass);
  const denominator = subtract(multiply(rate, 2), multiply(excess, subtract(slope, rate)));
  return { excess, change: divide(multiply(excess, -2), denominator) };
}

/** log p(r) as a column. */
export function lowerMixtureLogProb({ builder, inputs, attributes }: LoweringSite<"mixtureLogProb">): string {
  const algebra = new Algebra(builder, builder.precision);
  const mixture = new Mixture(algebra, attributes, inputs[0]);
  placeAll(algebra, mixture, attributes, inputs[1], () => {});
  return algebra.toColumn(mixture.logProb);
}

/** z and log p(r). */
export function lowerMixtureEncode({ builder, inputs, attributes }: LoweringSite<"mixtureEncode">): string {
  const algebra = new Algebra(builder, builder.precision);
  const mixture = new Mixture(algebra, attributes, inputs[0]);
  const masses: LogMasses[] = [];
  placeAll(algebra, mixture, attributes, inputs[1], (axis, x) => masses.push(mixture.masses(axis, x)));
  return algebra.batch([normalQuantiles(algebra, masses), mixture.logProb]);
}

function placeAll(
  algebra: Algebra,
  mixture: Mixture,
  { spatialDim }: MixtureAttributes,
  r: string,
  before: (axis: Axis, x: string) => void,
): void {
  const rows = algebra.transpose(r);
  for (let d = 0; d < spatialDim; d++) {
    const x = algebra.row(rows, d);
    const axis = mixture.axis();
    before(axis, x);
    mixture.place(axis, x);
  }
}

/** r and log p(r). */
export function lowerMixtureDecode({ builder, inputs, attributes }: LoweringSite<"mixtureDecode">): string {
  const algebra = new Algebra(builder, builder.precision);
  const mixture = new Mixture(algebra, attributes, inputs[0]);
  const rows = algebra.transpose(inputs[1]);
  const r = Array.from({ length: attributes.spatialDim }, (_, d) => {
    const axis = mixture.axis();
    const x = mixture.fromNormal(axis, algebra.row(rows, d));
    mixture.place(axis, x);
    return x;
  });
  return algebra.batch([...r, mixture.logProb]);
}
