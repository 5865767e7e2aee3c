import { assertAlmostEquals, assertEquals } from "@std/assert";
import { kishEffectiveSampleSize, samplingEfficiency } from "../../src/reweighting/effective_sample_size.ts";
import { logMeanExp, logSumExp } from "../../src/reweighting/log_sum_exp.ts";
import { messageOf } from "./statistics.ts";

const list = (...values: number[]) => Float64Array.of(...values);

Deno.test("logSumExp() equals the closed form where a direct sum overflows or underflows", () => {
  assertEquals(logSumExp(list(1000, 1000, 1000, 1000)), 1000 + Math.log(4));
  assertEquals(logSumExp(list(-2000, -2000)), -2000 + Math.LN2);
  assertAlmostEquals(logSumExp(list(0, 1, 2)), Math.log(1 + Math.E + Math.E ** 2), 1e-15);
  assertEquals(logSumExp(list(-Infinity, 3)), 3);
  assertEquals(logSumExp(list(-Infinity)), -Infinity);
});

Deno.test("logMeanExp() counts weights of zero", () => {
  assertAlmostEquals(logMeanExp(list(2, -Infinity, 2, -Infinity)), 2 - Math.LN2, 1e-15);
});

Deno.test("kishEffectiveSampleSize() gives closed forms, cancels factors and ignores order", () => {
  assertEquals(kishEffectiveSampleSize(list(3, 3, 3, 3)), 4);
  assertEquals(kishEffectiveSampleSize(list(700, -700, -700)), 1);
  assertEquals(kishEffectiveSampleSize(list(-Infinity, -Infinity)), 0);
  assertAlmostEquals(kishEffectiveSampleSize(list(Math.log(1), Math.log(2), Math.log(3))), 36 / 14, 1e-14);
  assertAlmostEquals(kishEffectiveSampleSize(list(900 + Math.log(3), 900, 900 + Math.log(2))), 36 / 14, 1e-11);
});

Deno.test("samplingEfficiency() keeps weights of zero in the count", () => {
  assertEquals(samplingEfficiency(list(1, 1, -Infinity, -Infinity)), 0.5);
});

Deno.test("weights of NaN or +Infinity and empty lists are refused by name and index", () => {
  assertEquals(
    messageOf(() => kishEffectiveSampleSize(list(0, NaN))),
    "Cannot compute an effective sample size: logWeights must be below +Infinity and not NaN, got NaN at index 1",
  );
  assertEquals(
    messageOf(() => samplingEfficiency(list(Infinity))),
    "Cannot compute an effective sample size: logWeights must be below +Infinity and not NaN, got Infinity at index 0",
  );
  assertEquals(
    messageOf(() => logSumExp(list())),
    "Cannot sum exponentials: values must hold at least one value, got 0",
  );
});
