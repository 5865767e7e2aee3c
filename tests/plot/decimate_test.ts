import { assert, assertEquals } from "@std/assert";
import { visiblePoints } from "../../src/plot/decimate.ts";

const n = 10_000;
const value = (i: number) => i === 4242 ? 50 : Math.sin(i / 700) + ((i * 7919) % 101) / 101;
const column = (i: number) => i / 100;

/** Ends and extremes of every pixel column survive: what decides which pixels a line covers. */
function samePicture(kept: readonly number[]): boolean {
  const inColumn = Map.groupBy(kept, (i) => Math.floor(column(i)));
  for (let c = 0; c < n / 100; c++) {
    const full = Array.from({ length: 100 }, (_, k) => 100 * c + k);
    const few = inColumn.get(c) ?? [];
    const equal = (f: (values: number[]) => number) => f(few.map(value)) === f(full.map(value));
    if (!equal((v) => Math.min(...v)) || !equal((v) => Math.max(...v))) return false;
    if (!few.includes(full[0]) || !few.includes(full[99])) return false;
  }
  return true;
}

Deno.test("visiblePoints() keeps the picture of a long curve; every hundredth point does not", () => {
  const kept = visiblePoints(n, column, [value]);

  assert(samePicture(kept));
  assert(kept.length <= 4 * n / 100);
  assert(!samePicture(Array.from({ length: n / 100 }, (_, i) => 100 * i)));
});

Deno.test("visiblePoints() keeps gaps, and everything where x goes back", () => {
  const gap = visiblePoints(n, column, [(i) => i === 5050 ? NaN : value(i)]);
  assert(gap.includes(5050));
  assertEquals(visiblePoints(4, (i) => [0, 5, 3, 8][i], [value]), [0, 1, 2, 3]);
  assertEquals(visiblePoints(0, column, [value]), []);
});
