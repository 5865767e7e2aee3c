/**
 * The monotonic rational-quadratic spline of one coordinate, in float64; formulas as in `wasm/spline.ts`.
 *
 * @module
 */
import { LARGEST_SLOPE_FEATURE, type SplineAttributes, UNIT_SLOPE_FEATURE } from "../../graph/spline_features.ts";
import { expOf, log1pOf, logOf } from "../../random/elementary.ts";

/** Which of the two maps: x → y, or y → x. */
export type SplineDirection = "forward" | "inverse";

/** One row of knots: where bins begin, and what part of their span each has. */
interface Axis {
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
  readonly shares: Float64Array;
  /** What the shares share out: 2B less the least lengths. */
  readonly span: number;
}

/** A place in a bin: ξ and 1 − ξ, with the bin's quantities. */
interface Place {
  readonly bin: number;
  readonly xi: number;
  readonly rest: number;
  readonly width: number;
  readonly height: number;
  /** s = h / w. */
  readonly mean: number;
  readonly left: number;
  readonly right: number;
}

/** A spline of given features. */
export class RationalQuadratic {
  readonly #attributes: SplineAttributes;
  readonly #features: Float64Array;
  readonly #x: Axis;
  readonly #y: Axis;

  /**
   * @param attributes size and limits
   * @param features K width logits, K height logits, K − 1 slope features
   */
  constructor(attributes: SplineAttributes, features: Float64Array) {
    const { bins, minimumWidth, minimumHeight } = attributes;
    this.#attributes = attributes;
    this.#features = features;
    this.#x = axisOf(features.subarray(0, bins), minimumWidth, attributes.bound);
    this.#y = axisOf(features.subarray(bins, 2 * bins), minimumHeight, attributes.bound);
  }

  /** The value at a place, and the logarithm of the slope of the map there. */
  evaluate(direction: SplineDirection, at: number): { value: number; logSlope: number } {
    const { bound } = this.#attributes;
    if (Math.abs(at) >= bound) return { value: at, logSlope: 0 };
    const place = this.#place(direction, at);
    const logSlope = logOf(slopeOf(place));
    if (direction === "inverse") {
      const x = this.#x.starts[place.bin] + place.width * place.xi;
      return { value: clamp(x, bound), logSlope: -logSlope };
    }
    return { value: clamp(this.#y.starts[place.bin] + place.height * riseOf(place), bound), logSlope };
  }

  /**
   * Propagates cotangents back to the features (added to `features`) and to the place, which it returns.
   *
   * @param direction which map
   * @param at where
   * @param byValue cotangent of the value
   * @param byLogSlope cotangent of the logarithm of the slope
   * @param features receives those of the features
   */
  backward(
    direction: SplineDirection,
    at: number,
    [byValue, byLogSlope]: readonly [number, number],
    features: Float64Array,
  ): number {
    if (Math.abs(at) >= this.#attributes.bound) return byValue;
    const place = this.#place(direction, at);
    const change = logSlopeChange(place);
    const slope = slopeOf(place);
    if (direction === "forward") {
      this.#spread(place, byValue, byLogSlope, byValue * slope + byLogSlope * change, features);
      return byValue * slope + byLogSlope * change;
    }
    // x = f⁻¹(y): what moves f at a fixed x by dy moves x by −dy / slope.
    const result = (byValue - byLogSlope * change) / slope;
    this.#spread(place, -result, -byLogSlope, -byValue, features);
    return result;
  }

  #place(direction: SplineDirection, at: number): Place {
    const axis = direction === "forward" ? this.#x : this.#y;
    const bin = Math.max(0, axis.starts.findLastIndex((start) => at >= start));
    const [width, height] = [this.#x.lengths[bin], this.#y.lengths[bin]];
    const place = { bin, width, height, mean: height / width, left: this.#slope(bin), right: this.#slope(bin + 1) };
    const part = Math.min((at - axis.starts[bin]) / axis.lengths[bin], 1);
    return { ...place, ...direction === "forward" ? { xi: part, rest: 1 - part } : rootOf(place, part) };
  }

  /** Feature of the slope at knot k; at the first and the last, whose slope is 1, it would be 0. */
  #slopeFeature(k: number): number {
    const { bins } = this.#attributes;
    return k === 0 || k === bins ? 0 : this.#features[2 * bins + k - 1];
  }

  #slope(k: number): number {
    const { minimumSlope } = this.#attributes;
    const c = Math.min(this.#slopeFeature(k), LARGEST_SLOPE_FEATURE) + UNIT_SLOPE_FEATURE;
    return minimumSlope + (1 - minimumSlope) * (Math.max(c, 0) + log1pOf(expOf(-Math.abs(c))));
  }

  /** From the cotangents of y and ln dy/dx at fixed x, and that of x, to those of all features. */
  #spread(place: Place, byValue: number, byLogSlope: number, byX: number, features: Float64Array): void {
    const { bin, xi, rest, width, height, mean, left, right } = place;
    const { bins, minimumSlope } = this.#attributes;
    if (Number.isNaN(xi)) return void features.fill(NaN); // no bin is known
    const [t, d, p] = [xi * rest, denominator(place), sumOf(place)];
    const byRatio = byValue * height / (d * d);
    const byMean = byRatio * t * (xi * xi * right - rest * rest * left) +
      2 * byLogSlope * t * (1 / p + (left + right) / (mean * d));
    const byLeft = byRatio * t * rest * (mean * rest + right * xi) + byLogSlope * (rest * rest / p - 2 * t / d);
    const byRight = byLogSlope * (xi * xi / p - 2 * t / d) - byRatio * t * xi * (mean * xi + left * rest);
    spreadAxis(this.#x, bin, -byX, -byX * xi - byMean * mean / width, features.subarray(0, bins));
    spreadAxis(this.#y, bin, byValue, byValue * riseOf(place) + byMean / width, features.subarray(bins, 2 * bins));
    for (const [k, by] of [[bin, byLeft], [bin + 1, byRight]]) {
      const c = this.#slopeFeature(k);
      if (k === 0 || k === bins || c > LARGEST_SLOPE_FEATURE) continue;
      features[2 * bins + k - 1] += by * (1 - minimumSlope) / (1 + expOf(-c - UNIT_SLOPE_FEATURE));
    }
  }
}

/** Rounding may lead past the last knot; NaN stays. */
function clamp(value: number, bound: number): number {
  return Math.max(-bound, Math.min(value, bound));
}

function axisOf(logits: Float64Array, minimum: number, bound: number): Axis {
  const largest = logits.reduce((most, a) => Math.max(most, a), -Infinity);
  const weights = logits.map((a) => expOf(a - largest));
  const total = weights.reduce((sum, e) => sum + e, 0);
  const shares = weights.map((e) => e / total);
  const span = 2 * bound * (1 - logits.length * minimum);
  const lengths = shares.map((share) => 2 * bound * minimum + span * share);
  let below = 0;
  const starts = shares.map((share, k) => {
    const start = 2 * bound * minimum * k - bound + span * below;
    below += share;
    return start;
  });
  return { starts, lengths, shares, span };
}

/** Adds to the cotangents of logits those of where the bin begins and of its length. */
function spreadAxis(axis: Axis, bin: number, byStart: number, byLength: number, logits: Float64Array): void {
  const below = axis.shares.subarray(0, bin).reduce((sum, share) => sum + share, 0);
  const mean = byStart * below + byLength * axis.shares[bin];
  axis.shares.forEach((share, j) => {
    const own = j === bin ? byLength : j < bin ? byStart : 0;
    logits[j] += axis.span * share * (own - mean);
  });
}

/** ξ and 1 − ξ where the part η of the height is reached; sums of positive numbers, see wasm/spline_steps.ts. */
function rootOf({ mean, left, right }: Pick<Place, "mean" | "left" | "right">, eta: number) {
  const g = left * (1 - eta) - right * eta;
  const r = Math.abs(g) + Math.sqrt(g * g + 4 * mean * mean * eta * (1 - eta));
  const [first, second] = g >= 0 ? [2 * mean * eta, r] : [r, 2 * mean * (1 - eta)];
  return { xi: first / (first + second), rest: second / (first + second) };
}

/** d = s(1 − 2t) + (δ₀ + δ₁)t. */
function denominator({ xi, rest, mean, left, right }: Place): number {
  const t = xi * rest;
  return mean * (1 - 2 * t) + (left + right) * t;
}

/** p = δ₁ξ² + 2st + δ₀(1 − ξ)². */
function sumOf({ xi, rest, mean, left, right }: Place): number {
  return xi * (right * xi + mean * rest) + rest * (left * rest + mean * xi);
}

/** (y − y_k) / h. */
function riseOf(place: Place): number {
  const { xi, rest, mean, left } = place;
  return xi * (mean * xi + left * rest) / denominator(place);
}

/** dy/dx = s² p / d². */
function slopeOf(place: Place): number {
  const quotient = place.mean / denominator(place);
  return quotient * quotient * sumOf(place);
}

/** ∂ ln(dy/dx) / ∂x. */
function logSlopeChange(place: Place): number {
  const { xi, rest, mean, left, right, width } = place;
  const ofSum = (right * xi + mean * (rest - xi) - left * rest) / sumOf(place);
  return 2 * (ofSum - (left + right - 2 * mean) * (rest - xi) / denominator(place)) / width;
}
