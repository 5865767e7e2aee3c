import { assert, assertThrows } from "@std/assert";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { column, input } from "../../src/graph/operations.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { Flow } from "../../src/flow/flow.ts";
import { maximumLikelihoodLoss, weightedMaximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals, uniforms } from "../support/random_arrays.ts";
import { FOUR_SIGMA, mean, variance } from "../support/statistics.ts";
import { dim, scalingFlow, valueAndGradientByK } from "./affine_flow.ts";

await loadKernels();

const n = 700;
const data = normals(n * dim, 1).map((v, i) => [0.5, 1, 3][i % dim] * v);
const k = [0.5, -0.25, 1];
/** Σ over samples in float32 of terms of size 40: 2⁻²⁴ times the depth of the sums, 64, times the size. */
const TOLERANCE = 64 * 40 * 2 ** -24;

function valueAndGradient(
  flow: Flow,
  x: Float64Array,
  weights: Float64Array,
  loss: (flow: Flow, x: Tensor, w: Tensor) => Tensor = weightedMaximumLikelihoodLoss,
) {
  const graph = new Graph();
  const [at, w] = [input(graph, "x", dim), column(input(graph, "w", 1), 0)];
  using run = new KernelRun([loss(flow, at, w)], { n: weights.length, gradient: true });
  const [[value]] = run.forward([x, weights]);
  run.backward([Float64Array.of(1)]);
  return { value, gradient: run.gradientOf(flow.parameters()[0]) };
}

/** With m₀ the mean weight and m₂ⱼ the mean of w xⱼ²: Σⱼ (m₀ kⱼ + m₂ⱼ e^(−2kⱼ)/2 + m₀ ln(2π)/2), m₀ − m₂ⱼ e^(−2kⱼ). */
function closedForm(weights: Float64Array) {
  const m0 = mean(weights);
  const m2 = k.map((_, j) => mean(weights.map((w, i) => w * data[i * dim + j] ** 2)));
  const terms = k.map((kj, j) => m0 * kj + 0.5 * m2[j] * Math.exp(-2 * kj) + 0.5 * m0 * Math.log(2 * Math.PI));
  return { value: terms.reduce((a, b) => a + b), gradient: k.map((kj, j) => m0 - m2[j] * Math.exp(-2 * kj)) };
}

Deno.test("weightedMaximumLikelihoodLoss() of an affine flow: value and gradient have their closed forms", () => {
  for (const weights of [uniforms(n, 2, 0, 2), uniforms(n, 3, -1, 1), new Float64Array(n)]) {
    const { value, gradient } = valueAndGradient(scalingFlow(k), data, weights);
    assertClose(value, closedForm(weights).value, { relative: 1e-6, absolute: 1e-6 }, "value");
    assertClose(gradient, closedForm(weights).gradient, { absolute: TOLERANCE }, "gradient");
  }
});

Deno.test("weights of one give maximumLikelihoodLoss()", () => {
  const flow = scalingFlow(k);
  const plain = valueAndGradientByK(flow, (x) => maximumLikelihoodLoss(flow, x), data);
  const weighted = valueAndGradient(flow, data, new Float64Array(n).fill(1));
  assertClose(weighted.value, plain.value, { relative: 1e-12 });
  assertClose(weighted.gradient, plain.gradient, { absolute: TOLERANCE });
});

Deno.test("the closed forms reject weights that are left out, squared, or divided by their sum", () => {
  const weights = uniforms(n, 2, 0, 2);
  const total = weights.reduce((a, b) => a + b);
  for (
    const wrong of [weights.map(() => 1), weights.map((w) => w * w), weights.map((w) => w / total)]
  ) {
    const { value, gradient } = valueAndGradient(scalingFlow(k), data, wrong);
    const expected = closedForm(weights);
    assertThrows(() => assertClose(value, expected.value, { relative: 1e-6 }), Error, "differs by");
    assertThrows(() => assertClose(gradient, expected.gradient, { absolute: TOLERANCE }), Error, "differs by");
  }
});

Deno.test("with weights less one, gradients from own samples have the same mean and less noise, none at the target", () => {
  const flow = scalingFlow(k);
  /** The target is normal, with widths a little off those of the flow. */
  const gradients = (sigma: readonly number[], less: number) =>
    Array.from({ length: 200 }, (_, i) => {
      const { x, logProb } = flow.sample(64, { seed: 5, first: 64 * i });
      const weights = logProb.map((log, s) => {
        const terms = sigma.map((width, j) => -0.5 * (x[s * dim + j] / width) ** 2 - Math.log(width));
        return Math.exp(terms.reduce((a, b) => a + b) - 0.5 * dim * Math.log(2 * Math.PI) - log);
      });
      return valueAndGradient(flow, x, weights.map((w) => w - less)).gradient[0];
    });
  const near = k.map((kj) => 0.9 * Math.exp(kj));
  const [plain, less] = [gradients(near, 0), gradients(near, 1)];
  const difference = plain.map((value, i) => value - less[i]);
  // ∂/∂k of the cross entropy: 1 − σ² e^(−2k).
  for (const estimates of [plain, less]) {
    assert(Math.abs(mean(estimates) - (1 - 0.81)) < FOUR_SIGMA * Math.sqrt(variance(estimates) / 200));
  }
  assert(Math.abs(mean(difference)) < FOUR_SIGMA * Math.sqrt(variance(difference) / 200));
  assert(variance(less) < variance(plain) / 2, `${variance(less)}, ${variance(plain)}`);
  // float32 parameters are off by 2⁻²⁴ and the weights with them.
  assertClose(gradients(k.map(Math.exp), 1), new Float64Array(200), { absolute: 1e-5 });
});
