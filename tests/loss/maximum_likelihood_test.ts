import { assert, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { maximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { dim, scalingFlow, secondMoments, valueAndGradientByK } from "./affine_flow.ts";

await loadKernels();

const n = 700;
const data = normals(n * dim, 1).map((v, i) => [0.5, 1, 3][i % dim] * v);
const moments = secondMoments(data);

/** Closed forms: Σⱼ (kⱼ + m₂ⱼ e^(−2kⱼ)/2) + dim/2 · ln 2π, and 1 − m₂ⱼ e^(−2kⱼ). */
function closedForm(k: readonly number[]): { value: number; gradient: number[] } {
  const terms = k.map((kj, j) => kj + 0.5 * moments[j] * Math.exp(-2 * kj) + 0.5 * Math.log(2 * Math.PI));
  return { value: terms.reduce((a, b) => a + b), gradient: k.map((kj, j) => 1 - moments[j] * Math.exp(-2 * kj)) };
}

function loss(k: readonly number[]) {
  const flow = scalingFlow(k);
  return valueAndGradientByK(flow, (x) => maximumLikelihoodLoss(flow, x), data);
}

/** Σ over samples in float32 of terms of size 20: 2⁻²⁴ times the depth of the sums, 64, times the size. */
const TOLERANCE = 64 * 20 * 2 ** -24;

Deno.test("maximumLikelihoodLoss() of an affine flow: value and gradient have their closed forms", () => {
  for (const k of [[0, 0, 0], [0.5, -0.25, 1], [-0.5, 0.25, 0.75]]) {
    const { value, gradient } = loss(k);
    const expected = closedForm(k);

    assertClose(value, expected.value, { relative: 1e-6 }, "value");
    assertClose(gradient, expected.gradient, { absolute: TOLERANCE }, "gradient");
    assert(gradient.every((g) => Math.abs(g) > 0.01), "the gradient is not 0 off the optimum");
  }
});

Deno.test("maximumLikelihoodLoss(): the gradient is 0 where widths are those of the data, and the value lowest", () => {
  const best = moments.map((m) => 0.5 * Math.log(m));
  const { value, gradient } = loss(best);

  assertClose(gradient, [0, 0, 0], { absolute: TOLERANCE });
  for (let j = 0; j < dim; j++) {
    for (const step of [-0.1, 0.1]) assert(loss(best.with(j, best[j] + step)).value > value);
  }
});

Deno.test("maximumLikelihoodLoss(): the closed form tells a missing log-determinant and a missing constant", () => {
  const k = [0.5, -0.25, 1];
  const { value } = loss(k);
  const logDet = k.reduce((a, b) => a + b);
  for (const missing of [logDet, -2 * logDet, 1.5 * Math.log(2 * Math.PI)]) {
    assertThrows(() => assertClose(value - missing, closedForm(k).value, { relative: 1e-6 }), Error, "differs by");
  }
});
