/** Force matching by random slices: its closed form, what it estimates, how large the step may be. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Graph } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { add, column, external, input, mean as meanOf, multiply } from "../../src/graph/operations.ts";
import { Chain } from "../../src/flow/chain.ts";
import { Flow } from "../../src/flow/flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { type EnergyFunction, reducedEnergyOperation } from "../../src/loss/energy.ts";
import { FORCE_STEP, forceMatchingLoss, type ForceSlices, forceSlices } from "../../src/loss/force_matching.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { assertMeanIs, mean } from "../support/statistics.ts";
import { realNVP } from "../flow/bijector_examples.ts";
import { dim, harmonic, scalingFlow } from "./affine_flow.ts";

await loadKernels();

const n = 400;
const beta = 0.5;
const sigma = [0.5, 1, 2];
const exactK = sigma.map((s) => Math.log(s / Math.sqrt(beta)));
const x = normals(n * dim, 1).map((v, i) => sigma[i % dim] * v / Math.sqrt(beta));
const v = normals(n * dim, 2);

/** Inputs of the loss and the loss. */
function traced(flow: Flow, step?: number) {
  const graph = new Graph();
  const [plus, minus] = [input(graph, "plus", flow.dim), input(graph, "minus", flow.dim)];
  return { graph, plus, loss: forceMatchingLoss(flow, plus, minus, column(input(graph, "slopes", 1), 0), step) };
}

/** In float32 kernels, with the gradient by the first parameter. */
function kernels(flow: Flow, { plus, minus, slopes }: ForceSlices, step?: number) {
  using run = new KernelRun([traced(flow, step).loss], { n: slopes.length, gradient: true });
  const [[value]] = run.forward([plus, minus, slopes]);
  run.backward([Float64Array.of(1)]);
  return { value, gradient: run.gradientOf(flow.parameters()[0]) };
}

/** In float64. */
function exactly(flow: Flow, { plus, minus, slopes }: ForceSlices, step?: number): number {
  return evaluateReference([traced(flow, step).loss], [plus, minus, slopes], slopes.length)[0][0];
}

/**
 * Rounding of a slope: log p_X, a sum of squares z² up to 10 rounded by 2⁻²³ each, has an error of about ε = 3e-6, of
 * which the difference of two is divided by 2h.
 */
const SLOPE_ROUNDING = 2 * 3e-6 / (2 * FORCE_STEP);

Deno.test("of an affine flow on a harmonic energy value and gradient have their closed forms", () => {
  const k = [0.5, -0.25, 1];
  const slices = forceSlices(harmonic(sigma), beta, x, v);
  // The slope of log p_X − (−βU) along v is −Σⱼ gⱼ xⱼ vⱼ, gⱼ = e^(−2kⱼ) − β/σⱼ²: differences of squares are exact.
  const residuals = Array.from({ length: n }, (_, i) => {
    return k.reduce(
      (sum, kj, j) => sum - (Math.exp(-2 * kj) - beta / sigma[j] ** 2) * x[i * dim + j] * v[i * dim + j],
      0,
    );
  });
  const gradient = k.map((kj, j) =>
    mean(residuals.map((r, i) => 2 * r * 2 * Math.exp(-2 * kj) * x[i * dim + j] * v[i * dim + j]))
  );
  const value = mean(residuals.map((r) => r * r));
  // Ends are rounded to 2⁻²⁴ of 5, half-way points and directions with them: a relative error of 5 · 2⁻²⁴/h in v.
  assertClose(exactly(scalingFlow(k), slices), value, { relative: 2 * 5 * 2 ** -24 / FORCE_STEP });
  const found = kernels(scalingFlow(k), slices);
  assertClose(found.value, value, { absolute: 2 * SLOPE_ROUNDING * Math.sqrt(value) + SLOPE_ROUNDING ** 2 });
  assertClose(found.gradient, gradient, { absolute: 4 * SLOPE_ROUNDING * Math.sqrt(value) * 10 });
  assert(gradient.every((g) => Math.abs(g) > 0.1));
});

Deno.test("its mean over directions is the squared error of the forces", () => {
  const flow = scalingFlow([0.5, -0.25, 1]);
  const at = x.slice(0, dim);
  const error = at.reduce((sum, one, j) => {
    return sum + ((Math.exp(-2 * [0.5, -0.25, 1][j]) - beta / sigma[j] ** 2) * one) ** 2;
  }, 0);
  const estimates = Array.from({ length: 4000 }, (_, i) => {
    return exactly(flow, forceSlices(harmonic(sigma), beta, at, normals(dim, 100 + i)));
  });
  assertMeanIs(estimates, error);
  assertThrows(() => assertMeanIs(estimates.map((e) => e / dim), error), Error);
});

Deno.test("the exact flow has no residual, whatever Z; a wrong sign, a missing beta or energies themselves leave one", () => {
  const flow = scalingFlow(exactK);
  const slices = forceSlices(harmonic(sigma), beta, x, v);
  // Two flows that differ by rounding of e^k, 2⁻²⁴ in each force, and rounding of slopes.
  assert(kernels(flow, slices).value < SLOPE_ROUNDING ** 2);
  assert(exactly(flow, slices) < (2 ** -20) ** 2 + 1e-9);

  const wrongSign = { ...slices, slopes: slices.slopes.map((slope) => -slope) };
  const noBeta = forceSlices(harmonic(sigma), 1, x, v);
  for (const wrong of [wrongSign, noBeta]) assert(kernels(flow, wrong).value > 0.1);

  // Trap T11: the published (log p_X + u)² beside it is zero for no flow but where ln Z = 0.
  const graph = new Graph();
  const at = input(graph, "x", dim);
  const u = external(reducedEnergyOperation(harmonic(sigma), beta, null), [at], ["n"]);
  const difference = add(flow.logProbOf(at), u);
  const [value] = evaluateReference([meanOf(multiply(difference, difference))], [x], n)[0];
  const logZ = sigma.reduce((sum, s) => sum + 0.5 * Math.log(2 * Math.PI * s * s / beta), 0);
  assertClose(value, logZ ** 2, { relative: 1e-5 });
  assert(logZ > 3);
});

Deno.test("the default step is where rounding and truncation are both small; ten-fold steps off are worse", () => {
  // Not a parabola: log-scales of a network bend over lengths of about one.
  const flow = new Flow(new Chain([realNVP({ dim: 2 }), new Scaling({ dim: 2 })]));
  const points = flow.sample(300, { seed: 3 }).x;
  const directions = normals(600, 4);
  const nothing: EnergyFunction = {
    dim: 2,
    energyAndGradient: (x) => ({ energy: new Float64Array(x.length / 2), gradient: new Float64Array(x.length) }),
  };
  const slope = (step: number, run: typeof exactly) => {
    return run(flow, forceSlices(nothing, 1, points, directions, step), step);
  };
  // Mean square slopes: of float64 with a small step that is the truth, up to rounding of the ends to float32.
  const float32 = (flow: Flow, slices: ForceSlices, step?: number) => kernels(flow, slices, step).value;
  const truth = slope(1 / 128, exactly) * 4 / 3 - slope(1 / 64, exactly) / 3;
  const error = (step: number) => Math.abs(slope(step, float32) - truth) / truth;
  assert(error(FORCE_STEP) < 1e-3, `${error(FORCE_STEP)}`);
  assert(error(40 * FORCE_STEP) > 10 * error(FORCE_STEP), "truncation");
  assert(error(1e-6) > 10 * error(FORCE_STEP), "rounding");
});

Deno.test("ends are numbers of float32, and force and direction are those of what is left of them", () => {
  const far = Float64Array.of(1e3 + 1 / 3, -0.1);
  const spring: EnergyFunction = { dim: 1, energyAndGradient: (x) => ({ energy: x, gradient: x.slice() }) };
  const { plus, minus, slopes } = forceSlices(spring, 2, far, Float64Array.of(1, -0.5));
  for (const end of [plus, minus]) assertEquals(end, end.map(Math.fround));
  const expected = plus.map((p, i) => -2 * (p + minus[i]) / 2 * (p - minus[i]) / (2 * FORCE_STEP));
  assertClose(slopes, expected, { relative: 1e-15 });
});

Deno.test("what cannot be matched is refused", () => {
  const spring = harmonic(sigma);
  const refusal = (run: () => unknown) => assertThrows(run, RangeError).message;
  assertEquals(
    refusal(() => forceSlices(spring, 0, x, v)),
    "Cannot match forces: beta must be positive and finite, got 0",
  );
  assertEquals(
    refusal(() => forceSlices(spring, 1, x, v, NaN)),
    "Cannot match forces: step must be positive and finite, got NaN",
  );
  assertEquals(
    refusal(() => forceSlices(spring, 1, x, v.slice(1))),
    `Cannot match forces: directions must have length ${n * dim}, got ${n * dim - 1}`,
  );
  const wall: EnergyFunction = {
    dim: 1,
    energyAndGradient: (x) => ({ energy: x, gradient: x.map((one) => one > 1 ? -Infinity : 0) }),
  };
  const { message } = assertThrows(
    () => forceSlices(wall, 1, Float64Array.of(0, 2), Float64Array.of(1, 1)),
    NotFiniteError,
  );
  assertEquals(
    message,
    "the forces must be finite, got 1 of 2 that are not, the first with index 1: match forces at data of moderate energy",
  );
});
