/**
 * Monotonic rational-quadratic splines as an operation of a graph: one for each coordinate, with parameters that are
 * computed, for instance by a network from other coordinates.
 *
 * Reference: Durkan, Bekasov, Murray & Papamakarios 2019, "Neural Spline Flows", arXiv 1906.04032, section 3.
 *
 * @module
 */
import type { Tensor } from "./graph.ts";
import { gather, sumFeatures } from "./operations.ts";
import { requireBatch, shapeText } from "./shapes.ts";
import { type SplineAttributes, splineFeatures } from "./spline_features.ts";

/** Size and limits of a spline; all but the number of bins have usual values. */
export type SplineOptions = Pick<SplineAttributes, "bins"> & Partial<SplineAttributes>;

/** In float32 less would be lost beside the numbers that it is added to. */
const LEAST = 1e-6;
const LARGEST_BOUND = 1e6;

/** Checks sizes and limits, and fills in the usual ones. */
export function splineAttributes(what: string, options: SplineOptions): SplineAttributes {
  const { bins, bound = 5, minimumWidth = 1e-3, minimumHeight = 1e-3, minimumSlope = 1e-3 } = options;
  if (!Number.isInteger(bins) || bins < 2) {
    throw new RangeError(`Cannot ${what}: bins must be a whole number ≥ 2, got ${bins}`);
  }
  if (!(bound >= LEAST && bound <= LARGEST_BOUND)) {
    throw new RangeError(`Cannot ${what}: bound must be from ${LEAST} to ${LARGEST_BOUND}, got ${bound}`);
  }
  for (const [name, minimum] of Object.entries({ minimumWidth, minimumHeight })) {
    if (minimum >= LEAST && minimum * bins < 1) continue;
    throw new RangeError(`Cannot ${what}: ${name} must be from ${LEAST} to below 1/${bins}, got ${minimum}`);
  }
  if (!(minimumSlope >= LEAST && minimumSlope < 1)) {
    throw new RangeError(`Cannot ${what}: minimumSlope must be from ${LEAST} to below 1, got ${minimumSlope}`);
  }
  return { bins, bound, minimumWidth, minimumHeight, minimumSlope };
}

/**
 * Applies a monotonic rational-quadratic spline to each coordinate (`forward`) or its inverse, with the log-determinant.
 *
 *     in bin k:  ξ = (x − x_k)/w_k, s = h_k/w_k
 *     y = y_k + h_k (s ξ² + δ_k ξ(1 − ξ)) / (s + (δ_k + δ_{k+1} − 2s) ξ(1 − ξ)),  |x| < B;  y = x outside
 *
 * The features of a coordinate are K width logits, K height logits and K − 1 slope features c. Widths are
 * 2B(m + (1 − K m) softmax), heights likewise, slopes at the inner knots m + (1 − m) ln(1 + e^(c + ln(e − 1))); at ±B the
 * slope is 1. So features of 0 give the identity, value and slope are continuous everywhere, and every finite input gives
 * finite results, at 1e30 as at a knot. Slope features above 1000 count as 1000.
 *
 * @param direction which of the two
 * @param x [n, d]
 * @param features [n, d (3K − 1)], those of the first coordinate first
 * @param options `bins` K, at least 2; `bound` B, default 5; the least widths and heights as parts of 2B and the least
 * slope, each 0.001
 * @returns `value` [n, d] and `logDet` [n], that of the direction
 * @throws {TypeError} if an operand is not a batch
 * @throws {RangeError} if sizes or limits do not fit
 *
 * @example Features of 0 are the identity; a wide first bin with a low height pushes down
 * ```ts
 * import { Graph, input, KernelRun, splineCoupling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const graph = new Graph();
 * const options = { bins: 2, bound: 1 };
 * const { value, logDet } = splineCoupling("forward", input(graph, "x", 1), input(graph, "features", 5), options);
 * using run = new KernelRun([value, logDet], { n: 2 });
 * // Bins of widths 1.499 and 0.501 (logits ln 3 and 0), heights the other way round: their knot is (0.499, −0.499).
 * const logits = [Math.log(3), 0, 0, Math.log(3)];
 * const [y, logSlope] = run.forward([Float64Array.of(0.3, 0.499), Float64Array.of(0, 0, 0, 0, 0, ...logits, 0)]);
 *
 * assertAlmostEquals(y[0], 0.3, 1e-6);
 * assertAlmostEquals(y[1], -0.499, 1e-5);
 * assertAlmostEquals(logSlope[1], 0, 1e-5);
 * ```
 */
export function splineCoupling(
  direction: "forward" | "inverse",
  x: Tensor,
  features: Tensor,
  options: SplineOptions,
): { readonly value: Tensor; readonly logDet: Tensor } {
  const both = splineMap(direction, x, features, options);
  const d = x.shape[1] as number;
  const part = (from: number) => gather(both, Array.from({ length: d }, (_, i) => from + i));
  return { value: part(0), logDet: sumFeatures(part(d)) };
}

/**
 * Applies a spline to each coordinate; values and logarithms of slopes come as one batch.
 *
 * @param direction the spline, or its inverse
 * @param x [n, d]
 * @param features what describes the splines, as {@link splineCoupling} takes them
 * @param options size and limits
 * @returns [n, 2 d]: the images, then ln of each slope
 * @throws {TypeError} if an operand is not a batch
 * @throws {RangeError} if sizes do not match or an option is out of its range
 */
export function splineMap(
  direction: "forward" | "inverse",
  x: Tensor,
  features: Tensor,
  options: SplineOptions,
): Tensor {
  const what = "apply a spline";
  const d = requireBatch(what, "x", x);
  const given = requireBatch(what, "features", features);
  const attributes = splineAttributes(what, options);
  const expected = d * splineFeatures(attributes.bins);
  if (given !== expected) {
    throw new RangeError(
      `Cannot ${what}: features must be [n, ${expected}] for ${attributes.bins} bins of ${d} coordinates, got ` +
        shapeText(features.shape),
    );
  }
  const primitive = direction === "forward" ? "splineForward" : "splineInverse";
  return x.graph.add(primitive, [x, features], attributes, ["n", 2 * d]);
}
