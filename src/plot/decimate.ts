/**
 * Thins long curves to what a screen can show.
 *
 * @module
 */

/**
 * Picks the points of a long curve that decide how it looks: per pixel column the first, the last, the smallest and the
 * largest of every given quantity, and the first gap. A line through them covers the same pixels as a line through all.
 *
 * Reference: Jugel, Jerzak, Hackenbroich and Markl 2014, "M4: a visualization-oriented time series data aggregation".
 *
 * @param n number of points
 * @param column pixel column of a point; if it ever decreases, all points are kept
 * @param quantities values drawn at a point (line, band edges); NaN is a gap
 * @returns ascending indices
 */
export function visiblePoints(
  n: number,
  column: (index: number) => number,
  quantities: readonly ((index: number) => number)[],
): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  const columns = all.map((i) => Math.floor(column(i)));
  if (columns.some((c, i) => i > 0 && c < columns[i - 1])) return all;
  const kept = new Set<number>();
  for (let first = 0; first < n;) {
    let last = first;
    while (last + 1 < n && columns[last + 1] === columns[first]) last++;
    kept.add(first).add(last);
    for (const quantity of quantities) {
      let smallest = -1, largest = -1, gap = -1;
      for (let i = first; i <= last; i++) {
        const value = quantity(i);
        if (Number.isNaN(value)) {
          if (gap < 0) gap = i;
          continue;
        }
        if (smallest < 0 || value < quantity(smallest)) smallest = i;
        if (largest < 0 || value > quantity(largest)) largest = i;
      }
      for (const i of [smallest, largest, gap]) if (i >= 0) kept.add(i);
    }
    first = last + 1;
  }
  return [...kept].sort((a, b) => a - b);
}
