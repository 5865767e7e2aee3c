/** A flat double well: independent configurations of it, what they show, and the same by quadrature. */
import { RandomStream } from "../../src/random/random_stream.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { assertMeanIs } from "./statistics.ts";

/** Wells of unequal depth with a low barrier. */
export const flatWell = new DoubleWell({ a: 0.25, b: 1.5, c: 0.5 });

/** Where the first coordinate is looked up: beyond ±6 the flat double well holds 1e-80. */
const GRID = Float64Array.from({ length: 12_001 }, (_, i) => (i - 6000) / 1000);

function weightsOf(beta: number): Float64Array {
  const line = new Float64Array(2 * GRID.length);
  GRID.forEach((x, i) => line[2 * i] = x);
  return flatWell.energy(line).map((u) => Math.exp(-beta * u));
}

/** Independent configurations of the flat double well: the first coordinate from its distribution function. */
export function flatWellSamples(n: number, beta: number): Float64Array {
  const sums = weightsOf(beta);
  for (let i = 1; i < sums.length; i++) sums[i] += sums[i - 1];
  const random = new RandomStream(5);
  const x = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const target = random.uniform() * sums[sums.length - 1];
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < target) low = middle + 1;
      else high = middle;
    }
    x.set([GRID[low] + (random.uniform() - 0.5) / 1000, random.normal() / Math.sqrt(beta)], 2 * i);
  }
  return x;
}

/** What a walker in two dimensions shows: the share on the right, both coordinates, and what couples them. */
const OBSERVED: Readonly<Record<string, (x: number, y: number) => number>> = {
  right: (x) => x > 0 ? 1 : 0,
  x: (x) => x,
  "x²": (x) => x * x,
  y: (_, y) => y,
  "y²": (_, y) => y * y,
  xy: (x, y) => x * y,
};

/** The same of the flat double well by quadrature, y and xy by symmetry. */
export function flatWellMeans(beta: number): Record<string, number> {
  const weights = weightsOf(beta);
  const total = weights.reduce((sum, w) => sum + w, 0);
  const average = (of: (x: number) => number) => weights.reduce((sum, w, i) => sum + w * of(GRID[i]), 0) / total;
  const right = average((x) => x > 0 ? 1 : x === 0 ? 0.5 : 0);
  return { right, x: average((x) => x), "x²": average((x) => x * x), y: 0, "y²": 1 / beta, xy: 0 };
}

/** Throws unless independent walkers [n, 2] show the expected means. */
export function assertObserved(x: Float64Array, expected: Readonly<Record<string, number>>): void {
  for (const [name, of] of Object.entries(OBSERVED)) {
    const values = Float64Array.from({ length: x.length / 2 }, (_, i) => of(x[2 * i], x[2 * i + 1]));
    assertMeanIs(values, expected[name], name);
  }
}
