/**
 * What a reproduction leaves behind.
 *
 * @module
 */
import type { ExperimentResult, ReproductionBudget } from "./experiment.ts";

/** An experiment that has run. */
export interface ReproducedExperiment extends ExperimentResult {
  /** Name for `--only`. */
  readonly name: string;
  /** Heading. */
  readonly title: string;
  /** What is done. */
  readonly about: string;
  /** Whether it takes more than its share of an hour. */
  readonly long: boolean;
  /** Seconds on the wall, when it ran. */
  readonly seconds: number;
  /** Commit that it ran at; null if the package is no checkout, or may not be read. */
  readonly commit: string | null;
  /** Why it has no rows, if it broke off because a number was not finite. */
  readonly failure: string | null;
}

/** Everything that was found. */
export interface ReproductionOutcome {
  /** What ran. */
  readonly run: {
    readonly budget: ReproductionBudget;
    readonly seed: number;
    readonly threads: number;
    readonly packageVersion: string;
    readonly kernelBuild: string;
    readonly command: string;
  };
  /** Experiments that have run, now or before. */
  readonly experiments: readonly ReproducedExperiment[];
  /** Those that have not. */
  readonly notRun: readonly { readonly name: string; readonly title: string; readonly long: boolean }[];
}
