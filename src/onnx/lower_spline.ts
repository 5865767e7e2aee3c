/**
 * Rational-quadratic splines in ONNX operators; formulas as in `wasm/spline.ts`.
 *
 * Tensors are [d, K, n], and [d, 1, n] once the bin is known. What is computed for places outside of all bins is dropped.
 *
 * @module
 */
import { LARGEST_SLOPE_FEATURE, splineFeatures, UNIT_SLOPE_FEATURE } from "../graph/spline_features.ts";
import { Algebra } from "./algebra.ts";
import type { LoweringSite } from "./lowering.ts";

type Site = LoweringSite<"splineForward" | "splineInverse">;

/** Where bins begin along an axis, and their lengths. */
interface Axis {
  readonly starts: string;
  readonly lengths: string;
}

/** The bin of a place: its lower left corner, width, height, h / w and the slopes at both ends. */
interface Bin {
  readonly left: string;
  readonly bottom: string;
  readonly width: string;
  readonly height: string;
  readonly mean: string;
  readonly slopes: readonly [string, string];
}

/** Lowers the splines of a node. */
class Splines {
  readonly #algebra: Algebra;
  readonly #site: Site;
  readonly #dim: number;
  /** [d, 3K − 1, n]. */
  readonly #features: string;
  /** [d, 1, n]. */
  readonly #place: string;

  constructor(site: Site) {
    this.#algebra = new Algebra(site.builder, site.builder.precision);
    this.#site = site;
    this.#dim = site.sources[0].shape[1] as number;
    const [place, features] = site.inputs.map((input) => this.#algebra.transpose(input));
    this.#features = this.#algebra.reshape(features, [this.#dim, splineFeatures(site.attributes.bins), -1]);
    this.#place = this.#algebra.reshape(place, [this.#dim, 1, -1]);
  }

  /** [n, 2d]: values and logarithms of slopes at the places of the x axis. */
  forward(): string {
    const { add, multiply, divide } = this.#algebra;
    const bin = this.#locate("x");
    const { xi, rest } = this.#part(bin.left, bin.width);
    const d = this.#denominator(bin, xi, rest);
    const rise = multiply(xi, add(multiply(bin.mean, xi), multiply(bin.slopes[0], rest)));
    const y = add(bin.bottom, multiply(bin.height, divide(rise, d)));
    return this.#result(y, this.#logSlope(bin, xi, rest));
  }

  /** [n, 2d]: places and logarithms of slopes of the inverse where the y axis has the places that are given. */
  inverse(): string {
    const { add, subtract, multiply, divide, where, atMost } = this.#algebra;
    const bin = this.#locate("y");
    const { xi: eta, rest: above } = this.#part(bin.bottom, bin.height);
    const twice = multiply(bin.mean, 2);
    const [lower, upper] = [multiply(twice, eta), multiply(twice, above)];
    const g = subtract(multiply(bin.slopes[0], above), multiply(bin.slopes[1], eta));
    const root = this.#algebra.sqrt(add(this.#algebra.square(g), multiply(lower, upper)));
    const r = add(this.#algebra.absolute(g), root);
    const rising = atMost(0, g);
    const [first, second] = [where(rising, lower, r), where(rising, r, upper)];
    const sum = add(first, second);
    const [xi, rest] = [divide(first, sum), divide(second, sum)];
    const x = add(bin.left, multiply(bin.width, xi));
    return this.#result(x, this.#algebra.negate(this.#logSlope(bin, xi, rest)));
  }

  /** Finds the bin of the place along an axis. */
  #locate(along: "x" | "y"): Bin {
    const { divide, atMost } = this.#algebra;
    const { bins, minimumWidth, minimumHeight } = this.#site.attributes;
    const axes = { x: this.#axis(0, minimumWidth), y: this.#axis(bins, minimumHeight) };
    const inner = this.#algebra.slice(axes[along].starts, 1, 1, bins);
    const index = this.#algebra.sum(this.#algebra.toNumber(atMost(inner, this.#place)), 1);
    const whole = this.#algebra.toWhole(index);
    const at = (values: string) => this.#algebra.pick(values, whole, 1);
    const [width, height] = [at(axes.x.lengths), at(axes.y.lengths)];
    const slopes = [this.#slope(index, 0), this.#slope(index, 1)] as const;
    const [left, bottom] = [at(axes.x.starts), at(axes.y.starts)];
    return { left, bottom, width, height, mean: divide(height, width), slopes };
  }

  /** Bins along an axis from logits: lengths 2B(m + (1 − Km) softmax), and what lies below each. */
  #axis(from: number, minimum: number): Axis {
    const { add, subtract, multiply, divide } = this.#algebra;
    const { bins, bound } = this.#site.attributes;
    const logits = this.#algebra.slice(this.#features, 1, from, from + bins);
    const weights = this.#algebra.exp(subtract(logits, this.#algebra.largest(logits, 1)));
    const shares = divide(weights, this.#algebra.sum(weights, 1));
    const all = Array.from({ length: bins }, (_, k) => k);
    const span = 2 * bound * (1 - bins * minimum);
    // The span stands in the matrix: a factor beside it the runtime would move into the product, rounded to float32.
    const before = this.#algebra.constant(all.flatMap((k) => all.map((j) => j < k ? span : 0)), [bins, bins]);
    const offsets = this.#algebra.constant(all.map((k) => 2 * bound * minimum * k - bound), [bins, 1]);
    return {
      starts: add(this.#algebra.product(before, shares), offsets),
      lengths: add(multiply(shares, span), 2 * bound * minimum),
    };
  }

  /** The slope at the beginning (0) or the end (1) of the bin, 1 at the first and last knot. */
  #slope(index: string, end: 0 | 1): string {
    const { add, multiply, maximum, minimum, where, less } = this.#algebra;
    const { bins, minimumSlope } = this.#site.attributes;
    const features = this.#algebra.slice(this.#features, 1, 2 * bins, 3 * bins - 1);
    const nearest = end === 0 ? maximum(add(index, -1), 0) : minimum(index, bins - 2);
    const inner = end === 0 ? less(0, index) : less(index, bins - 1);
    const own = where(inner, this.#algebra.pick(features, this.#algebra.toWhole(nearest), 1), 0);
    const c = add(minimum(own, LARGEST_SLOPE_FEATURE), UNIT_SLOPE_FEATURE);
    const decay = this.#algebra.exp(this.#algebra.negate(this.#algebra.absolute(c)));
    const softplus = add(maximum(c, 0), this.#algebra.log1p(decay));
    return add(multiply(softplus, 1 - minimumSlope), minimumSlope);
  }

  /** The part of a length that lies before the place, at most 1, and the rest. */
  #part(start: string, length: string): { xi: string; rest: string } {
    const { subtract, divide, minimum } = this.#algebra;
    const xi = minimum(divide(subtract(this.#place, start), length), 1);
    return { xi, rest: subtract(1, xi) };
  }

  #denominator({ mean, slopes }: Bin, xi: string, rest: string): string {
    const { add, subtract, multiply } = this.#algebra;
    const t = multiply(xi, rest);
    return add(multiply(mean, subtract(1, multiply(t, 2))), multiply(add(...slopes), t));
  }

  #logSlope(bin: Bin, xi: string, rest: string): string {
    const { add, multiply, divide } = this.#algebra;
    const { mean, slopes: [left, right] } = bin;
    const quotient = divide(mean, this.#denominator(bin, xi, rest));
    const ofRight = multiply(xi, add(multiply(right, xi), multiply(mean, rest)));
    const ofLeft = multiply(rest, add(multiply(left, rest), multiply(mean, xi)));
    return this.#algebra.log(multiply(this.#algebra.square(quotient), add(ofRight, ofLeft)));
  }

  /** The result as a batch; the identity where |place| ≥ B. */
  #result(value: string, logSlope: string): string {
    const { where, atMost, maximum, minimum } = this.#algebra;
    const { bound } = this.#site.attributes;
    const outside = atMost(bound, this.#algebra.absolute(this.#place));
    const inBox = maximum(minimum(value, bound), -bound);
    const rows = this.#algebra.concat([where(outside, this.#place, inBox), where(outside, 0, logSlope)], 0);
    return this.#algebra.transpose(this.#algebra.reshape(rows, [2 * this.#dim, -1]));
  }
}

/** y and ln dy/dx. */
export function lowerSplineForward(site: LoweringSite<"splineForward">): string {
  return new Splines(site).forward();
}

/** x and ln dx/dy. */
export function lowerSplineInverse(site: LoweringSite<"splineInverse">): string {
  return new Splines(site).inverse();
}
