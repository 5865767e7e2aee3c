import { assertAlmostEquals, assertThrows } from "@std/assert";
import {
  oscillatorDraws,
  TWO_GAUSSIANS_ENTROPY,
  twoGaussians,
} from "../../../src/experiment/reproduction/student_data.ts";
import { assertMeanIs } from "../../support/statistics.ts";

const N = 20_000;

Deno.test("twoGaussians: 900 of 1000 on the left, and the entropy is that of their density", () => {
  const x = twoGaussians(N, 1);
  const first = x.filter((_, i) => i % 2 === 0);
  assertAlmostEquals(first.filter((v) => v < 0).length / N, 0.9, 1e-12);

  const density = (at: number, centre: number) => Math.exp(-((at - centre) ** 2) / 0.1) / Math.sqrt(0.1 * Math.PI);
  const surprise = first.map((v, i) => {
    const y = x[2 * i + 1];
    return -Math.log(0.9 * density(v, -1.8) + 0.1 * density(v, 1.8)) + y * y / 2 + 0.5 * Math.log(2 * Math.PI);
  });
  assertMeanIs(surprise, TWO_GAUSSIANS_ENTROPY);
  assertThrows(() => assertMeanIs(surprise, TWO_GAUSSIANS_ENTROPY + 0.325), Error, "mean is");
});

Deno.test("oscillatorDraws: uniform in the box, normal around it, and the two independent", () => {
  const x = oscillatorDraws(N, { k: 2, boxLength: 4 }, 1);
  const u = x.filter((_, i) => i % 2 === 0).map((v) => v / 4);
  const distance = u.map((v, i) => x[2 * i + 1] - 4 * v);

  assertMeanIs(u, 1 / 2);
  assertMeanIs(u.map((v) => v * v), 1 / 3);
  assertMeanIs(distance.map((d) => d * d), 1 / 4);
  // Numbers taken in turn from one stream share words: then ⟨(u − ½) d²⟩ is a quarter of ⟨d²⟩, not zero.
  assertMeanIs(distance.map((d, i) => (u[i] - 0.5) * d * d), 0);
  assertMeanIs(distance.map((d, i) => (u[i] - 0.5) * d), 0);
});
