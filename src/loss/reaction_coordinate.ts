/**
 * Learning to spread samples along a reaction coordinate.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { NotFiniteError, rowsNotFinite } from "../autodiff/not_finite.ts";
import { external } from "../graph/operations.ts";
import type { ExternalOperation } from "../graph/attributes.ts";
import { expOf, logOf } from "../random/elementary.ts";

/** How the density along the coordinate is estimated and judged. */
export interface ReactionCoordinateOptions {
  /** Range of the coordinate that samples should cover. */
  readonly bounds: readonly [number, number];
  /**
   * "flat" (default): −Σₖ ln pₖ, the form of the published code, a log barrier against empty bins; its minimum is
   * 11 ln 11 = 26.377. "entropy": Σₖ pₖ ln pₖ, the form of the paper.
   */
  readonly form?: "flat" | "entropy";
}

/** Number of kernel centres, as published. */
const CENTRES = 11;
/** Added to every kernel so that samples far outside have a row to normalise, as published. */
const FLOOR = 1e-6;

/** The density estimate of a batch: rows of normalised kernels, and their mean over the batch. */
interface KernelDensity {
  /** Normalised kernel of sample i at centre k, [n, 11]. */
  readonly weights: Float64Array;
  /** Derivative of the unnormalised kernel divided by the row sum, [n, 11]. */
  readonly slopes: Float64Array;
  /** Mean over samples, [11]. */
  readonly p: Float64Array;
}

function kernelDensity(r: Float64Array, [low, high]: readonly [number, number]): KernelDensity {
  const sigma = (high - low) / CENTRES;
  const weights = new Float64Array(r.length * CENTRES);
  const slopes = new Float64Array(r.length * CENTRES);
  const p = new Float64Array(CENTRES);
  for (let i = 0; i < r.length; i++) {
    let row = 0;
    for (let k = 0; k < CENTRES; k++) {
      const u = (r[i] - low - k * (high - low) / (CENTRES - 1)) / sigma;
      const kernel = expOf(-0.5 * u * u);
      weights[i * CENTRES + k] = kernel + FLOOR;
      slopes[i * CENTRES + k] = -kernel * u / sigma;
      row += kernel + FLOOR;
    }
    for (let k = i * CENTRES; k < (i + 1) * CENTRES; k++) {
      weights[k] /= row;
      slopes[k] /= row;
      p[k % CENTRES] += weights[k] / r.length;
    }
  }
  return { weights, slopes, p };
}

/** Refuses coordinates that are no numbers: kernels would be zero there, and the loss finite. */
function requireFinite(r: Float64Array): void {
  const { count, first } = rowsNotFinite(r, 1);
  if (count === 0) return;
  throw new NotFiniteError(
    `the coordinates of the reaction-coordinate loss must be finite, got ${count} of ${r.length} that are not, the first ` +
      `with index ${first}: lower the learning rate, clip gradients or weigh this loss less`,
  );
}

/**
 * J_RC of a batch of values of the coordinate, as an operation [n] → [].
 *
 *     pₖ = meanᵢ wᵢₖ,   wᵢₖ = Kᵢₖ / Σⱼ Kᵢⱼ,   Kᵢₖ = exp(−(rᵢ − cₖ)² / 2σ²) + 1e-6,   σ = range / 11
 *
 * with 11 centres from bound to bound. Reference: Noé et al. 2019, SI, and the published code (`rc_entropy`).
 *
 * @param options bounds and form
 * @returns an operation [n] → []
 * @throws {RangeError} if the bounds are not two increasing finite numbers
 */
export function reactionCoordinateOperation(options: ReactionCoordinateOptions): ExternalOperation {
  const { bounds, form = "flat" } = options;
  if (!(bounds[1] - bounds[0] > 0 && Number.isFinite(bounds[1] - bounds[0]))) {
    throw new RangeError(
      `Cannot make a reaction-coordinate loss: bounds must be two increasing numbers, got [${bounds.join(", ")}]`,
    );
  }
  const term = form === "flat" ? (p: number) => -logOf(p) : (p: number) => p * logOf(p);
  const slope = form === "flat" ? (p: number) => -1 / p : (p: number) => logOf(p) + 1;
  return {
    name: "reaction-coordinate loss",
    forward([r]) {
      requireFinite(r);
      const density = kernelDensity(r, bounds);
      return { value: Float64Array.of(density.p.reduce((sum, p) => sum + term(p), 0)), saved: density };
    },
    vjp([c], [r], saved) {
      const { weights, slopes, p } = saved as KernelDensity;
      const byP = p.map((pk) => c * slope(pk) / r.length);
      const gradient = new Float64Array(r.length);
      for (let i = 0; i < r.length; i++) {
        let total = 0;
        let through = 0;
        for (let k = 0; k < CENTRES; k++) {
          total += slopes[i * CENTRES + k];
          through += byP[k] * weights[i * CENTRES + k];
        }
        // ∂wₖ/∂r = K′ₖ/ΣK − wₖ ΣK′/ΣK
        for (let k = 0; k < CENTRES; k++) gradient[i] += byP[k] * slopes[i * CENTRES + k];
        gradient[i] -= through * total;
      }
      return [gradient];
    },
  };
}

/**
 * The loss that spreads samples evenly over a range of a reaction coordinate.
 *
 * @param r the coordinate of each sample, [n]
 * @param operation from {@link reactionCoordinateOperation}
 * @returns scalar
 *
 * @example Spread samples cost less than samples in one place
 * ```ts
 * import { reactionCoordinateOperation } from "@boltzflow/boltzflow";
 * import { assertLess } from "@std/assert";
 *
 * const operation = reactionCoordinateOperation({ bounds: [0, 1] });
 * const loss = (...r: number[]) => operation.forward([Float64Array.from(r)], r.length).value[0];
 *
 * assertLess(loss(0, 0.25, 0.5, 0.75, 1), loss(0.5, 0.5, 0.5, 0.5, 0.5));
 * ```
 */
export function reactionCoordinateLoss(r: Tensor, operation: ExternalOperation): Tensor {
  return external(operation, [r], []);
}
