import { assertEquals } from "@std/assert";
import { learningRateAt } from "../../src/optim/schedule.ts";
import { assertClose } from "../support/assert_close.ts";

Deno.test("learningRateAt(): a constant rate is the same at every step", () => {
  for (const step of [0, 7, 99]) assertEquals(learningRateAt({ shape: "constant", initial: 0.3 }, step, 100), 0.3);
});

Deno.test("learningRateAt(): a cosine falls from initial, through the middle, towards final", () => {
  const schedule = { shape: "cosine", initial: 1, final: 0.2 } as const;

  assertEquals(learningRateAt(schedule, 0, 100), 1);
  assertClose(learningRateAt(schedule, 50, 100), 0.6, { absolute: 1e-15 });
  assertClose(learningRateAt(schedule, 100, 100), 0.2, { absolute: 1e-15 });
  const rates = Array.from({ length: 100 }, (_, step) => learningRateAt(schedule, step, 100));
  assertEquals(rates, [...rates].sort((a, b) => b - a));
});

Deno.test("learningRateAt(): a cosine ends at a hundredth of its start by default", () => {
  assertClose(learningRateAt({ shape: "cosine", initial: 0.5 }, 10, 10), 0.005, { absolute: 1e-15 });
});

Deno.test("learningRateAt(): a warm-up rises evenly from above zero, and the cosine starts after it", () => {
  const schedule = { shape: "cosine", initial: 1, warmup: 4 } as const;
  const rates = [0, 1, 2, 3, 4].map((step) => learningRateAt(schedule, step, 20));

  assertClose(rates, [0.25, 0.5, 0.75, 1, 1], { absolute: 1e-15 });
  assertClose(learningRateAt(schedule, 12, 20), 0.505, { absolute: 1e-12 });
});

Deno.test("learningRateAt(): stages as short as their warm-up, or of one step, have finite rates", () => {
  assertEquals(learningRateAt({ shape: "cosine", initial: 1 }, 0, 1), 1);
  assertEquals(learningRateAt({ shape: "cosine", initial: 1, warmup: 3 }, 2, 3), 1);
});
