/**
 * Profiles beside each other: their zero is arbitrary, and some of their bins are empty.
 *
 * @module
 */

/** F of each bin in k_BT; null for a bin without weight. */
export type Levels = readonly (number | null)[];

/** Mean and spread of several profiles in one bin. */
export interface BinSpread {
  /** Mean; null where no profile has a value. */
  readonly mean: number | null;
  /** Standard deviation over profiles; null with fewer than two. */
  readonly deviation: number | null;
  /** Profiles that have a value. */
  readonly count: number;
}

/** Mean over the values that there are; null without any. */
function meanOf(values: Levels): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/**
 * Shifts a profile so that its mean over some bins is zero; bins without a value do not count.
 *
 * @param profile F of each bin
 * @param bins which ones
 * @returns the profile; all null where none of those bins has a value
 */
export function alignedTo(profile: Levels, bins: readonly number[]): Levels {
  const level = meanOf(bins.map((bin) => profile[bin]));
  return profile.map((value) => value === null || level === null ? null : value - level);
}

/**
 * Averages profiles bin by bin over those that have a value, as published; n − 1 in the deviation.
 *
 * @param profiles of one set of bins
 * @returns mean and spread of each bin
 */
export function spreadOf(profiles: readonly Levels[]): BinSpread[] {
  return profiles[0].map((_, bin) => {
    const values = profiles.map((profile) => profile[bin]).filter((value) => value !== null);
    const mean = meanOf(values);
    if (mean === null || values.length < 2) return { mean, deviation: null, count: values.length };
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, deviation: Math.sqrt(squares / (values.length - 1)), count: values.length };
  });
}

/**
 * Finds the shift of one profile relative to another: the mean difference over the bins where both have a value.
 *
 * @param profile the one
 * @param other the other
 * @param bins which ones are looked at; default all
 * @returns profile − other; null where they share no bin
 */
export function shiftBetween(
  profile: Levels,
  other: Levels,
  bins: readonly number[] = [...profile.keys()],
): number | null {
  return meanOf(bins.map((bin) => {
    const [one, two] = [profile[bin], other[bin]];
    return one === null || two === null ? null : one - two;
  }));
}

/**
 * Measures how far two profiles are apart in shape: the root mean square of their difference, less its mean, over the bins
 * where both have a value.
 *
 * @param profile the one
 * @param other the other
 * @returns in k_BT, with the number of bins; null where they share fewer than two
 */
export function distanceBetween(
  profile: Levels,
  other: Levels,
): { readonly value: number; readonly bins: number } | null {
  const shift = shiftBetween(profile, other);
  const squares = profile.flatMap((value, bin) => {
    const reference = other[bin];
    return value === null || reference === null ? [] : [(value - reference - shift!) ** 2];
  });
  if (squares.length < 2) return null;
  return { value: Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length), bins: squares.length };
}
