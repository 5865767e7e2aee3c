/** Fewer effective samples than this, and an estimate or a bin of a profile is marked as unreliable. */
export const MINIMUM_EFFECTIVE_SAMPLES = 50;

/** Fewer independent chains than this say too little about the error that correlation causes. */
export const MINIMUM_CHAINS = 4;

/** Above this many k_BT a standard error is beyond the linear regime in which error bars mean anything. */
export const LARGEST_STANDARD_ERROR = 1;

/** At least this many replicates are needed to judge the shape of a bootstrap distribution. */
const REPLICATES_TO_JUDGE = 50;

/** Replicates this close to each other differ by rounding only. */
const ROUNDING = 1e-9;

/**
 * Looks for signs that a bootstrap distribution is not the bell that a standard error stands for.
 *
 * It must be finite in all but 1 % of the replicates, and its standard deviation must agree within a factor of two with
 * the one that its quartiles imply (IQR / 1.349), which heavy tails and lumps break.
 *
 * @param replicates the replicate values, [r]; NaN or infinite where a replicate gave no estimate
 * @returns a clause that says what is wrong, or null
 */
export function bootstrapDoubt(replicates: Float64Array): string | null {
  const finite = replicates.filter(Number.isFinite).sort();
  const failed = replicates.length - finite.length;
  if (failed > 0.01 * replicates.length) {
    return `${failed} of ${replicates.length} bootstrap replicates gave no estimate`;
  }
  if (finite.length < REPLICATES_TO_JUDGE) return null;
  const quartiles = finite[Math.floor(0.75 * finite.length)] - finite[Math.floor(0.25 * finite.length)];
  const deviation = standardDeviation(finite);
  const ratio = deviation / (quartiles / 1.349);
  if (deviation < ROUNDING || (ratio > 0.5 && ratio < 2)) return null;
  return `the bootstrap distribution is far from normal (standard deviation ${
    ratio.toFixed(1)
  } times that of its quartiles)`;
}

/**
 * Doubts an estimate that few samples carry.
 *
 * @param effective effective number of samples that carry it
 * @param which what kind of samples, such as "forward", for the sentence
 * @returns a clause, or null when there are at least 50
 */
export function overlapDoubt(effective: number, which: string): string | null {
  if (effective >= MINIMUM_EFFECTIVE_SAMPLES) return null;
  return `only ${countInWords(effective)} ${which} samples effectively overlap with the other state, ` +
    `fewer than ${MINIMUM_EFFECTIVE_SAMPLES}`;
}

/**
 * Doubts an error that rests on few chains.
 *
 * @param chains number of independent chains, null for independent samples
 * @param which what kind of samples, such as "reverse", for the sentence
 * @returns a clause, or null when there are at least four
 */
export function chainDoubt(chains: number | null, which: string): string | null {
  if (chains === null || chains >= MINIMUM_CHAINS) return null;
  return `only ${chains} independent chain${chains === 1 ? "" : "s"} of ${which} samples, fewer than ${MINIMUM_CHAINS}`;
}

/**
 * Doubts an error too large for error bars to mean anything.
 *
 * @param standardError the standard error in k_BT
 * @returns a clause, or null when it is finite and at most 1 k_BT
 */
export function errorDoubt(standardError: number): string | null {
  if (standardError <= LARGEST_STANDARD_ERROR) return null;
  if (!Number.isFinite(standardError)) return "its standard error cannot be estimated";
  return `its standard error of ${standardError.toFixed(1)} k_BT is above ${LARGEST_STANDARD_ERROR} k_BT`;
}

/**
 * Computes the effective number of samples behind a sum of contributions.
 *
 * @param contributions what each sample adds, [n], ≥ 0
 * @returns (Σ c)² / Σ c², 0 when nothing is added
 */
export function effectiveCount(contributions: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < contributions.length; i++) {
    sum += contributions[i];
    squares += contributions[i] ** 2;
  }
  return squares > 0 ? sum * sum / squares : 0;
}

/**
 * Computes the standard deviation of the finite values of a list.
 *
 * @param values the list, [n]
 * @returns √(Σ (v − mean)² / (m − 1)) over the m finite values, NaN when m < 2
 */
export function standardDeviation(values: Float64Array): number {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2) return NaN;
  let mean = 0;
  for (const value of finite) mean += value / finite.length;
  let sum = 0;
  for (const value of finite) sum += (value - mean) ** 2;
  return Math.sqrt(sum / (finite.length - 1));
}

/**
 * Picks the first doubt of a list.
 *
 * @param doubts clauses or nulls, the gravest first
 * @returns the first clause, or null when there is none
 */
export function firstDoubt(doubts: readonly (string | null)[]): string | null {
  return doubts.find((doubt) => doubt !== null) ?? null;
}

/**
 * Writes a count of effective samples for a sentence.
 *
 * @param count the count
 * @returns the count with one decimal below 100, rounded above
 */
export function countInWords(count: number): string {
  return count < 100 ? count.toFixed(1) : count.toFixed(0);
}
