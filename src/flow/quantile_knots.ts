/**
 * Places of grid lines that follow the data.
 *
 * @module
 */
import { TILT_KNOTS as KNOTS } from "../graph/tilt.ts";

/** Part of the knots that goes where the data are; the others are spread evenly. */
const FOLLOWING = 0.4;
/** Cells of the histogram that stands for the data. */
const CELLS = 256;
/** How far the knots reach beyond the data at either end, as a part of their range. */
const MARGIN = 0.06;
/** Passes of the (¼, ½, ¼) filter over the histogram. */
const SMOOTHING = 24;

/**
 * Spreads knots over the range of data so that u(x) = 2 F(x) − 1, with F = 0.4 · (smoothed distribution of the data) +
 * 0.6 · (uniform distribution), takes equally spaced values there.
 *
 * @param values one coordinate of the data
 * @returns 129 strictly increasing numbers, the outer ones 6 % of the range beyond the data
 * @throws {RangeError} if there are fewer than two different values, one is not finite, or their range is so small beside
 * their size that knots would coincide in float32
 */
export function quantileKnots(values: Float64Array): Float64Array {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) {
    // Not a comparison: one that is not a number would pass.
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (!(high > low && Number.isFinite(high - low))) {
    throw new RangeError(`Cannot place knots: data must have a finite range > 0, got ${low} … ${high}`);
  }
  const margin = MARGIN * (high - low);
  [low, high] = [low - margin, high + margin];
  const cumulative = cumulativeShares(values, low, high);
  const knots = new Float64Array(KNOTS);
  for (let k = 0, cell = 0; k < KNOTS; k++) {
    const share = k / (KNOTS - 1);
    while (cell < CELLS - 1 && cumulative[cell + 1] < share) cell++;
    const part = (share - cumulative[cell]) / (cumulative[cell + 1] - cumulative[cell]);
    knots[k] = low + (high - low) * (cell + part) / CELLS;
  }
  requireApart(knots);
  return knots;
}

/** Refuses knots that would coincide as the kernels see them, in float32. */
function requireApart(knots: Float64Array): void {
  for (let k = 1; k < knots.length; k++) {
    if (Math.fround(knots[k]) > Math.fround(knots[k - 1])) continue;
    const middle = knots[knots.length >> 1];
    throw new RangeError(
      `Cannot place knots: data must be spread wider than float32 tells apart, got ${knots[0]} … ${knots.at(-1)}: ` +
        `subtract ${Number(middle.toPrecision(6))} from this coordinate, and add it to the samples`,
    );
  }
}

/** F at the borders of the cells. */
function cumulativeShares(values: Float64Array, low: number, high: number): Float64Array {
  let counts = new Float64Array(CELLS);
  for (const v of values) {
    counts[Math.min(CELLS - 1, Math.floor(CELLS * (v - low) / (high - low)))] += 1 / values.length;
  }
  for (let pass = 0; pass < SMOOTHING; pass++) {
    // Reflecting ends keep the sum.
    counts = counts.map((c, i) => (counts[Math.max(0, i - 1)] + 2 * c + counts[Math.min(CELLS - 1, i + 1)]) / 4);
  }
  const cumulative = new Float64Array(CELLS + 1);
  counts.forEach((share, i) => cumulative[i + 1] = cumulative[i] + FOLLOWING * share + (1 - FOLLOWING) / CELLS);
  return cumulative.map((c) => c / cumulative[CELLS]);
}
