/**
 * Paths between configurations that are straight in the latent space.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { Flow } from "../flow/flow.ts";

/**
 * Maps two configurations to z, walks straight from one to the other, and maps the points back.
 *
 * A path of a good flow crosses only configurations of moderate energy. It is a picture, not a trajectory: it has no
 * time and no weight. Reference: Noé et al. 2019, fig. 3g.
 *
 * @param flow the map
 * @param from first configuration [dim]
 * @param to last configuration [dim]
 * @param points number of configurations on the path, both ends included, ≥ 2
 * @param options `pool`: threads
 * @returns [points, dim], row-major
 * @throws {RangeError} if `points` < 2 or a length is not dim
 */
export function latentPath(
  flow: Flow,
  from: Float64Array,
  to: Float64Array,
  points: number,
  options: { readonly pool?: Executor } = {},
): Float64Array {
  const { dim } = flow;
  if (!Number.isInteger(points) || points < 2) {
    throw new RangeError(`Cannot walk a latent path: points must be a whole number ≥ 2, got ${points}`);
  }
  if (from.length !== dim || to.length !== dim) {
    throw new RangeError(
      `Cannot walk a latent path: from and to must have length ${dim}, got ${from.length} and ${to.length}`,
    );
  }
  const { z } = flow.encode(Float64Array.of(...from, ...to), options);
  const path = new Float64Array(points * dim);
  for (let k = 0; k < points; k++) {
    const t = k / (points - 1);
    for (let i = 0; i < dim; i++) path[k * dim + i] = (1 - t) * z[i] + t * z[dim + i];
  }
  return flow.decode(path, options).x;
}
