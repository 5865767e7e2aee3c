/**
 * By what the best parameters of a training are chosen.
 *
 * @module
 */
import { NotFiniteError, rowsNotFinite } from "../autodiff/not_finite.ts";
import type { Executor } from "../backend/executor.ts";
import type { Generator } from "../flow/flow.ts";
import type { TiltedGrid } from "../flow/tilted_head.ts";

/**
 * Computes the mean of −ln q over validation frames.
 *
 * @param flow as it is
 * @param frames configurations [n, dim]
 * @param pool threads
 * @returns nats per configuration
 * @throws {NotFiniteError} if a log-density is not finite: the mean would be none, and no parameters would be the best
 */
export function validationNll(flow: Generator, frames: Float64Array, pool: Executor): number {
  const logProb = flow.logProb(frames, { pool });
  const { count, first } = rowsNotFinite(logProb, 1);
  if (count > 0) {
    throw new NotFiniteError(
      `log-densities of validation frames must be finite, got ${count} of ${logProb.length} that are not, the first with ` +
        `index ${first}`,
    );
  }
  return -logProb.reduce((sum, log) => sum + log, 0) / logProb.length;
}

/**
 * Tells whether validation losses of two stages can be compared: a tilted density on another grid is another density.
 *
 * @param usual the grid of stages that name none
 * @returns for `comparable` of `train`
 */
export function sameGrid(
  usual: TiltedGrid | undefined,
): (stage: { readonly grid?: TiltedGrid }, before: { readonly grid?: TiltedGrid }) => boolean {
  return (stage, before) => {
    const [now, then] = [stage.grid ?? usual, before.grid ?? usual];
    return now?.fine === then?.fine && now?.coarse === then?.coarse;
  };
}
