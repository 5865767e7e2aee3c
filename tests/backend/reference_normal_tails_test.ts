import { assertEquals, assertThrows } from "@std/assert";
import { logNormalCdf, normalQuantileOfLogs } from "../../src/backend/reference_normal_tails.ts";
import { assertClose } from "../support/assert_close.ts";

/** z and ln Φ(z), by scipy.special.log_ndtr. */
const known: readonly (readonly [number, number])[] = [
  [-60, -1805.0135606805675],
  [-38, -726.5572160188201],
  [-30.5, -469.4627373229121],
  [-20, -203.9171553710973],
  [-5, -15.064998393988727],
  [-1, -1.8410216450092634],
  [0, -0.6931471805599453],
  [3, -0.0013508099647481925],
  [9, -1.1285884059538324e-19],
];

Deno.test("logNormalCdf: known values, relatively exact from one tail to the other", () => {
  for (const [z, log] of known) assertClose(logNormalCdf(z), log, { relative: 4e-14 }, `z ${z}`);
  assertThrows(() => assertClose(logNormalCdf(-38), known[1][1] * (1 + 1e-12), { relative: 4e-14 }), Error, "differs");
});

Deno.test("normalQuantileOfLogs: inverts logNormalCdf on both sides, also where masses underflow", () => {
  for (const z of [-1e4, -200, -60, -38, -30.1, -29.9, -20, -5, -0.3, 0, 0.3, 5, 20, 38, 60, 1e4]) {
    const found = normalQuantileOfLogs(logNormalCdf(z), logNormalCdf(-z));

    assertClose(found, z, { relative: 1e-13, absolute: 1e-15 }, `z ${z}`);
  }
});

Deno.test("normalQuantileOfLogs: nothing on one side is infinitely far, NaN stays", () => {
  assertEquals(normalQuantileOfLogs(-Infinity, 0), -Infinity);
  assertEquals(normalQuantileOfLogs(0, -Infinity), Infinity);
  assertEquals(normalQuantileOfLogs(NaN, 0), NaN);
  assertEquals(logNormalCdf(NaN), NaN);
});
