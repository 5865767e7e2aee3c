import { assert, assertThrows } from "@std/assert";
import { TILT_KNOTS as KNOTS } from "../../src/graph/tilt.ts";
import { quantileKnots } from "../../src/flow/quantile_knots.ts";
import { normals } from "../support/random_arrays.ts";

Deno.test("quantileKnots() rise strictly and reach 6 % of the range beyond the data", () => {
  const values = normals(5000, 1).map((v, i) => i % 2 === 0 ? 0.1 * v : 3 + 0.3 * v);
  const knots = quantileKnots(values);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  assert(knots.length === KNOTS && knots.every((k, i) => i === 0 || k > knots[i - 1]));
  assert(Math.abs(knots[0] - (low - 0.06 * (high - low))) < 1e-12);
  assert(Math.abs(knots[KNOTS - 1] - (high + 0.06 * (high - low))) < 1e-9);
});

Deno.test("quantileKnots() lie densest where the data are, and nowhere sparser than a uniform share of 0.6 allows", () => {
  const values = normals(20_000, 2).map((v) => 0.05 * v);
  const steps = quantileKnots(Float64Array.of(-1, 1, ...values)).map((k, i, all) => i === 0 ? NaN : k - all[i - 1]);
  const middle = steps[64];
  const outer = steps[2];
  const uniform = 2 * 1.12 / (KNOTS - 1);
  assert(middle < 0.5 * uniform, `middle ${middle}`);
  assert(outer <= uniform / 0.6 * (1 + 1e-9), `outer ${outer}, uniform ${uniform}`);
});

Deno.test("quantileKnots() refuse data without a range", () => {
  assertThrows(
    () => quantileKnots(Float64Array.of(2, 2)),
    RangeError,
    "Cannot place knots: data must have a finite range > 0, got 2 … 2",
  );
});

Deno.test("quantileKnots() refuse data that are not finite or closer together than float32 tells apart", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    assertThrows(
      () => quantileKnots(Float64Array.of(1, bad, 2)),
      RangeError,
      "data must have a finite range > 0, got ",
    );
  }
  const around = (centre: number, width: number) => normals(1000, 3).map((v) => centre + width * v);
  // Float32 numbers near 1e6 are 1/16 apart: a range of 0.06 holds one or two of them, not 129.
  assertThrows(
    () => quantileKnots(around(1e6, 0.01)),
    RangeError,
    "subtract 1000000 from this coordinate, and add it to the samples",
  );
  for (const values of [around(0, 0.01), around(1e6, 1e4), around(-3, 0.01)]) {
    const knots = Float32Array.from(quantileKnots(values));
    assert(knots.every((k, i) => i === 0 || k > knots[i - 1]));
  }
});
