import { assert, assertEquals, assertThrows } from "@std/assert";
import { normalCdf, normalQuantile } from "../../src/backend/reference_normal.ts";
import { assertClose } from "../support/assert_close.ts";

/** x and Φ(x), computed with 40 digits by mpmath. */
const cdf = [
  [-37, 5.725571222524577e-300],
  [-30.25, 2.6086402857412604e-201],
  [-20, 2.7536241186062337e-89],
  [-12.3, 4.5287069561587846e-35],
  [-8, 6.220960574271784e-16],
  [-5, 2.866515718791939e-7],
  [-3, 0.0013498980316300946],
  [-1.5, 0.06680720126885807],
  [-0.7, 0.24196365222307303],
  [-0.001, 0.49960105778608893],
  [0, 0.5],
  [0.4, 0.6554217416103242],
  [2.5, 0.9937903346742238],
  [8, 0.9999999999999993],
];

/** p and Φ⁻¹(p), computed with 40 digits by mpmath. */
const quantiles = [
  [1e-300, -37.0470962993612],
  [1e-100, -21.273453560965326],
  [1e-20, -9.262340089798407],
  [1e-8, -5.612001244174789],
  [0.001, -3.0902323061678136],
  [0.1149, -1.200874209300312],
  [0.1151, -1.199843825363973],
  [0.3, -0.5244005127080408],
  [0.4999, -0.00025066283008800747],
];

function assertCdf(f: (x: number) => number): void {
  for (const [x, y] of cdf) assertClose(f(x), y, { relative: 5e-15 }, `Φ(${x})`);
}

function assertQuantiles(f: (lower: number, upper: number) => number): void {
  for (const [p, z] of quantiles) {
    // 1 − p is rounded; the last digit of the 17 that stand above counts 1e-16.
    const allowed = 3e-15 * Math.max(1, Math.abs(z));
    assertClose(f(p, 1 - p), z, { absolute: allowed }, `quantile of ${p}`);
    assertClose(f(5 - 5 * p, 5 * p), -z, { absolute: allowed }, `quantile of 1 − ${p}`);
  }
}

Deno.test("normalCdf agrees with values of 40 digits to 5e-15 relative, down to −37", () => assertCdf(normalCdf));

Deno.test("normalQuantile agrees with values of 40 digits to 3e-15, in any unit of mass and in both tails", () =>
  assertQuantiles(normalQuantile));

Deno.test("normalQuantile inverts normalCdf from −37 to 37", () => {
  for (let z = -37; z <= 37; z += 0.0831) {
    assertClose(normalQuantile(normalCdf(z), normalCdf(-z)), z, { absolute: 4e-15 * Math.max(1, Math.abs(z)) });
  }
});

Deno.test("normalCdf and normalQuantile are monotone where their branches meet", () => {
  for (const p of [0.115, 0.5]) {
    const steps = Array.from({ length: 200 }, (_, i) => p + (i - 100) * 1e-12);
    const z = steps.map((v) => normalQuantile(v, 1 - v));
    assert(z.every((v, i) => i === 0 || v > z[i - 1]), `near ${p}`);
  }
  assert(normalCdf(-1e-12) < normalCdf(0) && normalCdf(0) < normalCdf(1e-12));
});

Deno.test("normalCdf and normalQuantile at the ends: 0, 1, ∓∞, and NaN for NaN", () => {
  assertEquals([-Infinity, -40, 40, Infinity, NaN].map(normalCdf), [0, 0, 1, 1, NaN]);
  assertEquals([normalQuantile(0, 1), normalQuantile(1, 0)], [-Infinity, Infinity]);
  assertEquals([normalQuantile(NaN, 1), normalQuantile(1, NaN), normalQuantile(0, 0)], [NaN, NaN, NaN]);
});

Deno.test("the tables reject a tail that cancels, a rounded square and a quantile without its refinement", () => {
  const cancelling = (x: number) => 1 - normalCdf(-x);
  const roundedSquare = (x: number) => normalCdf(x) * (1 + 2 ** -53 * x * x);
  const fitOnly = (lower: number, upper: number) => normalQuantile(lower, upper) * (1 + 3e-9);

  assertThrows(() => assertCdf(cancelling), Error, "Φ(-37)");
  assertThrows(() => assertCdf(roundedSquare), Error, "Φ(-37)");
  assertThrows(() => assertQuantiles(fitOnly), Error, "quantile of 1e-300");
});
