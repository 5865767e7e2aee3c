import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertMeanIs } from "../support/statistics.ts";

Deno.test("NormalPrior.sample(): sample i depends on the seed and on i alone, for odd and even dimensions", () => {
  for (const dim of [1, 2, 3]) {
    const prior = new NormalPrior(dim);
    const all = prior.sample(20, 9);
    for (const [first, n] of [[0, 1], [1, 1], [3, 4], [19, 1], [0, 20]]) {
      assertEquals(prior.sample(n, 9, first), all.slice(first * dim, (first + n) * dim));
    }
    assertNotEquals(prior.sample(20, 10), all);
  }
});

Deno.test("NormalPrior.sample() has the moments of independent standard normal numbers", () => {
  const z = new NormalPrior(2).sample(20_000, 1);

  assertMeanIs(z, 0, "mean");
  assertMeanIs(z.map((v) => v * v), 1, "second moment");
  assertMeanIs(z.map((v) => v ** 4), 3, "fourth moment");
  assertMeanIs(z.filter((_, i) => i % 2 === 0).map((v, i) => v * z[2 * i + 1]), 0, "covariance");
});

Deno.test("NormalPrior.logProb() is the normalised log-density", () => {
  const z = input(new Graph(), "z", 3);
  const points = Float64Array.of(0, 0, 0, 1, -2, 0.5);

  const [logProb] = evaluateReference([new NormalPrior(3).logProb(z)], [points], 2);

  const constant = 1.5 * Math.log(2 * Math.PI);
  assertClose(logProb, [-constant, -2.625 - constant], { relative: 1e-15 });
});

Deno.test("NormalPrior of a variance: the same points, wider, with a density that integrates to one", () => {
  for (const variance of [0.09, 4]) {
    const prior = new NormalPrior(1, { variance });
    const standard = new NormalPrior(1).sample(50, 3, 7);
    assertClose(prior.sample(50, 3, 7), standard.map((z) => z * Math.sqrt(variance)), { relative: 1e-15 });

    const step = 0.01;
    const points = Float64Array.from({ length: 4001 }, (_, i) => step * (i - 2000));
    const [log] = evaluateReference([prior.logProb(input(new Graph(), "z", 1))], [points], points.length);
    const moment = (power: number) => log.reduce((sum, l, i) => sum + step * Math.exp(l) * points[i] ** power, 0);
    // The trapezoid rule of a normal density is exact to exp(−2π² τ/step²), far below rounding.
    assertClose([moment(0), moment(2)], [1, variance], { relative: 1e-12 });
  }
  assertThrows(
    () => new NormalPrior(2, { variance: 0 }),
    RangeError,
    "Cannot make a normal prior: variance must be positive and finite, got 0",
  );
});
