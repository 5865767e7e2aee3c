/**
 * Drawing spins one after the other, and weighing spins that are given.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { NotFiniteError, rowsNotFinite } from "../autodiff/not_finite.ts";
import type { PreparedRun } from "../graph/chunks.ts";
import { ForwardRun, lowerForward } from "../graph/forward_run.ts";
import { Graph, type Tensor } from "../graph/graph.ts";
import { input } from "../graph/operations.ts";
import { expOf, log1pOf } from "../random/elementary.ts";
import type { PlacedSpin } from "./spin_order.ts";

/** A spin that depends on others, with what decides about it. */
export interface ConditionalSpin extends PlacedSpin {
  /**
   * Enters the logit of the spin into a graph.
   *
   * @param seen the spins that it depends on [n, k]
   * @returns [n, 1]
   */
  logit(seen: Tensor): Tensor;
}

/** Prepared memory that can be given back. */
export interface SpinRun extends PreparedRun, Disposable {}

/** What the log-probability of a spin lacks to zero: ln(1 + e^(−s l)). */
function penalty(spin: number, logit: number): number {
  const t = -spin * logit;
  return Math.max(t, 0) + log1pOf(expOf(-Math.abs(t)));
}

function requireFinite(logits: Float64Array): Float64Array {
  if (rowsNotFinite(logits, 1).count === 0) return logits;
  throw new NotFiniteError(
    "Cannot compute probabilities of spins: logits must be finite, got one that is not: lower the learning rate",
  );
}

/**
 * Prepares to turn uniform numbers z [n, dim] into spins: spin i is 1 where z_i < 1 / (1 + e^(−l_i)).
 *
 * @param dim number of spins
 * @param conditionals the spins that depend on others; all others are 1 or −1 with equal probability
 * @param n number of samples
 * @param pool threads
 * @returns maps [z] to [log p [n], spins [n, dim]]
 */
export function drawingRun(
  dim: number,
  conditionals: readonly ConditionalSpin[],
  n: number,
  pool: Executor,
): SpinRun {
  const runs = conditionals.map(({ seen, logit }) =>
    new ForwardRun([logit(input(new Graph(), "seen", seen.length))], { n, pool }, lowerForward)
  );
  return {
    forward([z]) {
      const x = z.map((u) => u < 0.5 ? 1 : -1);
      const logProb = new Float64Array(n).fill(-(dim - conditionals.length) * Math.LN2);
      conditionals.forEach(({ site, seen }, c) => {
        const rows = new Float64Array(n * seen.length);
        for (let s = 0, at = 0; s < n; s++) for (const k of seen) rows[at++] = x[s * dim + k];
        const logits = requireFinite(runs[c].forward([rows])[0]);
        for (let s = 0, at = site; s < n; s++, at += dim) {
          x[at] = z[at] < 1 / (1 + expOf(-logits[s])) ? 1 : -1;
          logProb[s] -= penalty(x[at], logits[s]);
        }
      });
      return [logProb, x];
    },
    [Symbol.dispose]: () => runs.forEach((run) => run[Symbol.dispose]()),
  };
}

/**
 * Prepares to compute log-probabilities of spins [n, dim], side by side.
 *
 * @param dim number of spins
 * @param conditionals the spins that depend on others
 * @param logits enters the logits of these into a graph: [n, dim] → [n, conditionals.length]
 * @param n number of samples
 * @param pool threads
 * @returns maps [spins] to [log p [n]]
 */
export function weighingRun(
  dim: number,
  conditionals: readonly ConditionalSpin[],
  logits: (x: Tensor) => Tensor,
  n: number,
  pool: Executor,
): SpinRun {
  const run = conditionals.length === 0
    ? null
    : new ForwardRun([logits(input(new Graph(), "spins", dim))], { n, pool }, lowerForward);
  return {
    forward([x]) {
      const logProb = new Float64Array(n).fill(-(dim - conditionals.length) * Math.LN2);
      const values = requireFinite(run?.forward([x])[0] ?? new Float64Array(0));
      for (let s = 0, k = 0; s < n; s++) {
        for (const { site } of conditionals) logProb[s] -= penalty(x[s * dim + site], values[k++]);
      }
      return [logProb];
    },
    [Symbol.dispose]: () => run?.[Symbol.dispose](),
  };
}
