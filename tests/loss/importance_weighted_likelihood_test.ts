/** Likelihood weighted by the flow's own weights: its closed form, what it is good for, and where it is biased. */
import { assert, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { ExternalOperation } from "../../src/graph/attributes.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { external } from "../../src/graph/operations.ts";
import type { Flow } from "../../src/flow/flow.ts";
import { negativeLogWeights, reducedEnergyOperation } from "../../src/loss/energy.ts";
import { importanceWeightedLikelihoodLoss, weightedMaximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { assertMeanIs, mean } from "../support/statistics.ts";
import { dim, harmonic, scalingFlow, valueAndGradientByK } from "./affine_flow.ts";

await loadKernels();

const n = 700;
const beta = 0.5;
const sigma = [0.5, 1, 2];
const operation = reducedEnergyOperation(harmonic(sigma), beta, null);
const k = [-0.2, 0.6, 0.9];
const data = normals(n * dim, 1).map((v, i) => Math.fround([0.8, 1.5, 2.5][i % dim] * v));
/** Σ over samples in float32 of terms of size 40, weights up to 20 times the mean: 2⁻²⁴ · 64 · 40. */
const TOLERANCE = 64 * 40 * 2 ** -24;

function loss(flow: Flow, x: Float64Array, form = importanceWeightedLikelihoodLoss) {
  return valueAndGradientByK(flow, (at: Tensor) => form(flow, at, operation), x);
}

/** exp(−u − log p_X) over its mean, with the normal density of widths e^k. */
function weightsAt(x: Float64Array): Float64Array {
  const logs = Float64Array.from({ length: x.length / dim }, (_, i) => {
    return k.reduce((sum, kj, j) => sum - 0.5 * x[i * dim + j] ** 2 * (beta / sigma[j] ** 2 - Math.exp(-2 * kj)), 0);
  });
  const weights = logs.map(Math.exp);
  return weights.map((w) => w / mean(weights));
}

/** Value and gradient of −mean w log p_X with w held fixed. */
function closedForm(x: Float64Array, weights: Float64Array) {
  const m2 = k.map((_, j) => mean(weights.map((w, i) => w * x[i * dim + j] ** 2)));
  const terms = k.map((kj, j) => kj + 0.5 * m2[j] * Math.exp(-2 * kj) + 0.5 * Math.log(2 * Math.PI));
  return { value: terms.reduce((a, b) => a + b), gradient: k.map((kj, j) => 1 - m2[j] * Math.exp(-2 * kj)) };
}

/** The published form: the gradient goes through the weights. */
const throughWeights: typeof importanceWeightedLikelihoodLoss = (flow, x, operation) => {
  const logProb = flow.logProbOf(x);
  const softmax: ExternalOperation = {
    name: "softmax of mean 1",
    forward([v]) {
      const weights = v.map((one) => Math.exp(-one));
      return { value: weights.map((w) => w / mean(weights)), saved: null };
    },
    vjp(c, [v]) {
      const weights = this.forward([v], v.length).value;
      const centre = mean(weights.map((w, i) => w * c[i]));
      return [weights.map((w, i) => -w * (c[i] - centre))];
    },
  };
  const weights = external(softmax, [negativeLogWeights({ x, logProb }, operation)], ["n"]);
  return weightedMaximumLikelihoodLoss({ logProbOf: () => logProb }, x, weights);
};

Deno.test("value and gradient have the closed forms of fixed weights; a gradient through the weights is another", () => {
  const flow = scalingFlow(k);
  const expected = closedForm(data, weightsAt(data));
  const { value, gradient } = loss(flow, data);
  assertClose(value, expected.value, { absolute: TOLERANCE });
  assertClose(gradient, expected.gradient, { absolute: TOLERANCE });

  const published = loss(flow, data, throughWeights);
  assertClose(published.value, expected.value, { absolute: TOLERANCE });
  assertThrows(() => assertClose(published.gradient, expected.gradient, { absolute: TOLERANCE }), Error, "differs by");
});

Deno.test("a constant in the energy changes nothing, and far-off energies do not overflow", () => {
  const raised = (by: number) => {
    const { energyAndGradient } = harmonic(sigma);
    const system = {
      dim,
      energyAndGradient(x: Float64Array) {
        const { energy, gradient } = energyAndGradient(x);
        return { energy: energy.map((u) => u + by), gradient };
      },
    };
    const flow = scalingFlow(k);
    const other = reducedEnergyOperation(system, beta, null);
    return valueAndGradientByK(flow, (at) => importanceWeightedLikelihoodLoss(flow, at, other), data).value;
  };
  // 1e6 in float64 costs 1e-10 of the energies.
  for (const by of [1e6, -1e6]) assertClose(raised(by), raised(0), { absolute: 1e-8 });
});

Deno.test("of samples of the flow it estimates the cross entropy of target and flow", () => {
  const flow = scalingFlow(k);
  // −∫ p log p_X: Σ kⱼ + σⱼ²/β e^(−2kⱼ)/2 + ln(2π)/2.
  const exact = k.reduce((sum, kj, j) => {
    return sum + kj + 0.5 * sigma[j] ** 2 / beta * Math.exp(-2 * kj) + 0.5 * Math.log(2 * Math.PI);
  }, 0);
  const estimate = (form: (x: Float64Array) => number) =>
    Array.from({ length: 40 }, (_, i) => form(flow.sample(4096, { seed: 7, first: 4096 * i }).x));
  // Bias 1/n of the normalised weights is a hundredth of the standard error.
  assertMeanIs(estimate((x) => loss(flow, x).value), exact);
  // Without weights it is the entropy of the flow.
  const plain = estimate((x) => closedForm(x, new Float64Array(x.length / dim).fill(1)).value);
  assertThrows(() => assertMeanIs(plain, exact), Error);
});

Deno.test("of other data it ends half-way: no gradient where p_X² ∝ ρ exp(−u), and one at the target", () => {
  // ρ normal of widths s, target of σ²/β, so 1/w² = (1/s² + β/σ²)/2. Exact moments: each sample stands for ± all others.
  const s = [0.8, 1.5, 2.5];
  const halfWay = s.map((sj, j) => -0.5 * Math.log((1 / sj ** 2 + beta / sigma[j] ** 2) / 2));
  const target = sigma.map((sj) => Math.log(sj / Math.sqrt(beta)));
  const gradients = (at: readonly number[]) => {
    return Array.from({ length: 60 }, (_, i) => {
      const x = normals(n * dim, 50 + i).map((v, c) => s[c % dim] * v);
      return loss(scalingFlow(at), x).gradient;
    });
  };
  const [there, atTarget] = [gradients(halfWay), gradients(target)];
  for (let j = 0; j < dim; j++) {
    // The bias of self-normalised weights, about 1/n, is below a tenth of the standard error of 60 batches of n.
    assertMeanIs(there.map((g) => g[j]), 0, `coordinate ${j}`);
    assertThrows(() => assertMeanIs(atTarget.map((g) => g[j]), 0), Error);
  }
  assert(halfWay.every((kj, j) => Math.abs(kj - target[j]) > 0.02));
});
