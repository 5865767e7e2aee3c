import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { external, input } from "../../src/graph/operations.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import {
  type EnergyFunction,
  energyLoss,
  linLogCut,
  reducedEnergyOperation,
  type Softening,
} from "../../src/loss/energy.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { assertVjpIsDerivative } from "../support/vjp_law.ts";
import { dim, harmonic, scalingFlow, secondMoments, valueAndGradientByK } from "./affine_flow.ts";

await loadKernels();

const n = 600;
const z = normals(n * dim, 2);
const moments = secondMoments(z);
const beta = 0.5;
const sigma = [0.5, 1, 2];

/** Closed forms: Σⱼ (β m₂ⱼ e^(2kⱼ)/2σⱼ² − kⱼ − m₂ⱼ/2) − dim/2 · ln 2π, and β m₂ⱼ e^(2kⱼ)/σⱼ² − 1. */
function closedForm(k: readonly number[]): { value: number; gradient: number[] } {
  const pull = k.map((kj, j) => beta * moments[j] * Math.exp(2 * kj) / sigma[j] ** 2);
  const terms = k.map((kj, j) => pull[j] / 2 - kj - moments[j] / 2 - 0.5 * Math.log(2 * Math.PI));
  return { value: terms.reduce((a, b) => a + b), gradient: pull.map((p) => p - 1) };
}

function loss(k: readonly number[], softening: Softening | null = null) {
  const flow = scalingFlow(k);
  const operation = reducedEnergyOperation(harmonic(sigma), beta, softening);
  return valueAndGradientByK(flow, (at: Tensor) => energyLoss(flow.pushForward(at), operation), z);
}

/** Σ over samples in float32 of terms of size 20: 2⁻²⁴ times the depth of the sums, 64, times the size. */
const TOLERANCE = 64 * 20 * 2 ** -24;

Deno.test("energyLoss() of an affine flow on a harmonic energy: value and gradient have their closed forms", () => {
  for (const k of [[0, 0, 0], [0.5, -0.25, 1], [-0.5, 0.25, 0.75]]) {
    const { value, gradient } = loss(k);
    const expected = closedForm(k);

    assertClose(value, expected.value, { absolute: 1e-5 }, "value");
    assertClose(gradient, expected.gradient, { absolute: TOLERANCE }, "gradient");
    assert(gradient.every((g) => Math.abs(g) > 0.01), "the gradient is not 0 off the optimum");
  }
});

Deno.test("energyLoss(): the gradient is 0 at the best widths, and the value lowest", () => {
  const best = sigma.map((s, j) => 0.5 * Math.log(s * s / (beta * moments[j])));
  const { value, gradient } = loss(best);

  assertClose(gradient, [0, 0, 0], { absolute: TOLERANCE });
  for (let j = 0; j < dim; j++) {
    for (const step of [-0.1, 0.1]) assert(loss(best.with(j, best[j] + step)).value > value);
  }
});

Deno.test("energyLoss() of the exact flow is −ln Z for any batch, however small: every sample has the same value", () => {
  const k = sigma.map((s) => Math.log(s / Math.sqrt(beta)));
  const minusLogZ = -sigma.reduce((sum, s) => sum + 0.5 * Math.log(2 * Math.PI * s * s / beta), 0);
  const flow = scalingFlow(k);
  const { x, logProb } = flow.pushForward(input(new Graph(), "z", dim));
  const u = external(reducedEnergyOperation(harmonic(sigma), beta, null), [x], ["n"]);
  using run = new KernelRun([u, logProb], { n });

  const [energies, logProbs] = run.forward([z]);

  // x = e^k z errs by 2⁻²³ relative, and so does u, which reaches 10.
  assertClose(energies.map((e, i) => e + logProbs[i]), new Array(n).fill(minusLogZ), { absolute: 1e-5 });
  assertClose(loss(k).value, minusLogZ, { absolute: 1e-5 });
});

Deno.test("energyLoss() of any other flow stays above −ln Z by its Kullback-Leibler divergence", () => {
  const exact = sigma.map((s) => Math.log(s / Math.sqrt(beta)));
  const minusLogZ = -sigma.reduce((sum, s) => sum + 0.5 * Math.log(2 * Math.PI * s * s / beta), 0);
  for (const shift of [-0.5, 0.5]) {
    // Between centred normals: Σ (e^(2δ) − 1 − 2δ)/2; the batch stands for its moments, m₂.
    const excess = moments.reduce((sum, m) => sum + (m * Math.exp(2 * shift) - m - 2 * shift) / 2, 0);

    assertClose(loss(exact.map((k) => k + shift)).value, minusLogZ + excess, { absolute: 1e-5 });
    assert(excess > 0.5);
  }
});

const softening = { highEnergy: 100, maxEnergy: 1e4 };

/** A softened energy is continuous everywhere, has slope 1 at the first bound, and the slope that it states. */
function assertSoftened(
  f: (u: number) => { value: number; slope: number },
  { highEnergy: a, maxEnergy: b }: Softening,
) {
  for (const bound of [a, b]) {
    assertClose(f(bound + 1e-9).value, f(bound - 1e-9).value, { absolute: 1e-8 }, `continuity at ${bound}`);
  }
  assertClose(f(a + 1e-9).slope, 1, { absolute: 1e-8 }, "slope at the first bound");
  for (const u of [-1000, 0, 50, a + 1, a + 500, b - 1, b + 1, 10 * b]) {
    const h = 1e-4;
    assertClose(f(u).slope, (f(u + h).value - f(u - h).value) / (2 * h), { absolute: 1e-7 }, `slope at ${u}`);
  }
}

Deno.test("linLogCut(): linear, then logarithmic, then constant; continuous, with the slope that it states", () => {
  assertSoftened((u) => linLogCut(u, softening), softening);

  assertEquals(linLogCut(-7, softening), { value: -7, slope: 1 });
  assertEquals(linLogCut(100, softening), { value: 100, slope: 1 });
  assertClose(linLogCut(103, softening).value, 100 + Math.log(4), { relative: 1e-15 });
  assertClose(linLogCut(103, softening).slope, 1 / 4, { relative: 1e-15 });
});

Deno.test("linLogCut() of what is beyond the second bound is the constant; what is not a number stays none", () => {
  const constant = { value: 100 + Math.log(9901), slope: 0 };
  for (const u of [10_001, 1e300, Infinity]) assertEquals(linLogCut(u, softening), constant);
  assertEquals(linLogCut(NaN, softening), { value: NaN, slope: NaN });
});

Deno.test("the law of softening rejects one without the + 1, one that stays linear, and one of wrong slope", () => {
  const { highEnergy: a } = softening;
  const without = (u: number) => u <= a ? { value: u, slope: 1 } : { value: a + Math.log(u - a), slope: 1 / (u - a) };
  const linear = (u: number) => u <= a ? linLogCut(u, softening) : { value: u, slope: 1 / (u - a + 1) };
  const steep = (u: number) => ({ ...linLogCut(u, softening), slope: 1 });
  for (const wrong of [without, linear, steep]) assertThrows(() => assertSoftened(wrong, softening), Error);
});

Deno.test("reducedEnergyOperation(): the vjp is the derivative of the value, exact and in every region of softening", () => {
  const x = normals(8 * dim, 4).map((v, i) => v * [0.3, 1, 4, 20][Math.floor(i / dim) % 4]);
  for (const soft of [null, { highEnergy: 1, maxEnergy: 30 }]) {
    const operation = reducedEnergyOperation(harmonic(sigma), beta, soft);
    const at = { inputs: [x], shapes: [["n", dim]], shape: ["n"], attributes: { operation }, n: 8 } as const;

    if (soft !== null) {
      const values = operation.forward([x], 8).value;
      const regions = [values.some((u) => u <= 1), values.some((u) => u > 1 && u < 4.4), values.some((u) => u > 4.4)];
      assertEquals(regions, [true, true, true], "all three regions are met");
    }
    assertVjpIsDerivative(primitives.external, at);
  }
});

Deno.test("an energy that overflows gives a finite loss and a gradient of 0 where it is cut off", () => {
  const wall: EnergyFunction = {
    dim: 1,
    energyAndGradient: (x) => ({
      energy: x.map((v) => v > 1 ? Infinity : v),
      gradient: x.map((v) => v > 1 ? -Infinity : 1),
    }),
  };
  const operation = reducedEnergyOperation(wall, 2, softening);

  const { value, saved } = operation.forward([Float64Array.of(0.5, 3)], 2);
  const [gradient] = operation.vjp(Float64Array.of(1, 1), [Float64Array.of(0.5, 3)], saved, 2);

  assertEquals([...value], [1, 100 + Math.log(9901)]);
  assertEquals([...gradient!], [2, 0]);
});

Deno.test("without softening an infinite energy stays infinite", () => {
  const { value } = reducedEnergyOperation(
    { dim: 1, energyAndGradient: () => ({ energy: Float64Array.of(Infinity), gradient: Float64Array.of(0) }) },
    1,
    null,
  ).forward([Float64Array.of(0)], 1);

  assertEquals([...value], [Infinity]);
});

Deno.test("reducedEnergyOperation() refuses a beta that is not positive and bounds that do not increase", () => {
  for (const wrong of [0, -1, NaN, Infinity]) {
    assertThrows(
      () => reducedEnergyOperation(harmonic(sigma), wrong, null),
      RangeError,
      `Cannot make a reduced energy: beta must be positive and finite, got ${wrong}`,
    );
  }
  for (const [maxEnergy, highEnergy] of [[5, 5], [Infinity, 5], [NaN, 5], [5, -Infinity]]) {
    assertThrows(
      () => reducedEnergyOperation(harmonic(sigma), 1, { highEnergy, maxEnergy }),
      RangeError,
      `Cannot soften an energy: maxEnergy must exceed highEnergy, both finite, got ${maxEnergy} and ${highEnergy}`,
    );
  }
});
