/**
 * Learning rates as functions of the step.
 *
 * @module
 */
import { cosOf } from "../random/elementary_sine.ts";

/** A learning rate for each step of a stage. */
export interface LearningRateSchedule {
  /** "constant", or "cosine": from `initial` down to `final` along half a cosine. */
  readonly shape: "constant" | "cosine";
  /** Rate at the start (after the warm-up). */
  readonly initial: number;
  /** Rate at the end of a cosine. Default 0.01 of `initial`. */
  readonly final?: number;
  /** Steps over which the rate rises linearly from zero. Default 0. */
  readonly warmup?: number;
}

/**
 * Computes the learning rate of a step.
 *
 * @param schedule the schedule
 * @param step 0 … steps − 1
 * @param steps length of the stage
 * @returns the step size
 *
 * @example
 * ```ts
 * import { learningRateAt } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const schedule = { shape: "cosine", initial: 1e-3, warmup: 10 } as const;
 *
 * assertEquals(learningRateAt(schedule, 4, 100), 0.5e-3);
 * assertEquals(learningRateAt(schedule, 10, 100), 1e-3);
 * ```
 */
export function learningRateAt(schedule: LearningRateSchedule, step: number, steps: number): number {
  const { shape, initial, final = 0.01 * initial, warmup = 0 } = schedule;
  if (step < warmup) return initial * (step + 1) / warmup;
  if (shape === "constant") return initial;
  const progress = (step - warmup) / Math.max(1, steps - warmup);
  return final + 0.5 * (initial - final) * (1 + cosOf(Math.PI * progress));
}
