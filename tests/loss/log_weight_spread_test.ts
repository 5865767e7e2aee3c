/** The spread of log-weights: the published formula at each temperature, zero for exact flows, blind to constants. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { checkGradient } from "../../src/autodiff/check_gradient.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { ExternalOperation } from "../../src/graph/attributes.ts";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { column, external, input } from "../../src/graph/operations.ts";
import { averagedPerTemperature } from "../../src/loss/averaged_per_temperature.ts";
import { type EnergyFunction, negativeLogWeights, reducedEnergyOperation } from "../../src/loss/energy.ts";
import { logWeightSpreadLoss } from "../../src/loss/log_weight_spread.ts";
import { reactionCoordinateOperation } from "../../src/loss/reaction_coordinate.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { mean } from "../support/statistics.ts";
import { assertVjpIsDerivative } from "../support/vjp_law.ts";
import { dim, harmonic, scalingFlow, valueAndGradientByK } from "./affine_flow.ts";

await loadKernels();

const n = 600;
const z = normals(n * dim, 2);
const beta = 0.5;
const sigma = [0.5, 1, 2];
const exactK = sigma.map((s) => Math.log(s / Math.sqrt(beta)));

/** The loss of a column of given numbers. */
function spreadOf(v: Float64Array, temperatures = 1): number {
  const loss = logWeightSpreadLoss(column(input(new Graph(), "v", 1), 0), temperatures);
  return evaluateReference([loss], [v], v.length)[0][0];
}

/** The published formula for sample i at temperature i mod m. */
function published(v: Float64Array, m: number): number {
  const parts = Array.from({ length: m }, (_, k) => v.filter((_, i) => i % m === k));
  return mean(parts.map((part) => mean(part.map((one) => Math.abs(one - mean(part))))));
}

function loss(k: readonly number[], system: EnergyFunction) {
  const flow = scalingFlow(k);
  const operation = reducedEnergyOperation(system, beta, null);
  return valueAndGradientByK(
    flow,
    (at: Tensor) => logWeightSpreadLoss(negativeLogWeights(flow.pushForward(at), operation)),
    z,
  );
}

Deno.test("logWeightSpreadLoss() is the published formula, for the samples of each temperature by themselves", () => {
  const v = normals(120, 1).map((one, i) => 3 * one + 10 * (i % 4));
  for (const m of [1, 2, 4]) assertClose(spreadOf(v, m), published(v, m), { relative: 1e-14 });
  // All in one pot would count the differences of temperatures as spread.
  assert(published(v, 1) > 2 * published(v, 4));
  assertEquals(spreadOf(v.map((one) => -one)), spreadOf(v), "the sign does not matter");
});

Deno.test("of an affine flow on a harmonic energy value and gradient have their closed forms", () => {
  const k = [0.5, -0.25, 1];
  // u + log p_X = Σⱼ aⱼ zⱼ² + constant, aⱼ = (β e^(2kⱼ)/σⱼ² − 1)/2, ∂aⱼ/∂kⱼ = β e^(2kⱼ)/σⱼ².
  const pull = k.map((kj, j) => beta * Math.exp(2 * kj) / sigma[j] ** 2);
  const work = Float64Array.from({ length: n }, (_, i) => {
    return pull.reduce((sum, p, j) => sum + (p - 1) / 2 * z[i * dim + j] ** 2, 0);
  });
  const signs = work.map((w) => Math.sign(w - mean(work)));
  const gradient = pull.map((p, j) => mean(signs.map((sign, i) => (sign - mean(signs)) * p * z[i * dim + j] ** 2)));
  const found = loss(k, harmonic(sigma));
  assertClose(found.value, published(work, 1), { absolute: 1e-5 });
  // Terms of size 20 in float32, summed 64 deep.
  assertClose(found.gradient, gradient, { absolute: 64 * 20 * 2 ** -24 });
  assert(gradient.every((g) => Math.abs(g) > 0.01));
});

Deno.test("the spread of an exact flow is zero whatever Z, that of any other is not; no centre means a law of Z", () => {
  const raised = (by: number): EnergyFunction => ({
    dim,
    energyAndGradient(x) {
      const { energy, gradient } = harmonic(sigma).energyAndGradient(x);
      return { energy: energy.map((u) => u + by), gradient };
    },
  });
  const uncentred: ExternalOperation = {
    name: "uncentred spread",
    forward: ([v]) => ({ value: Float64Array.of(mean(v.map(Math.abs))), saved: null }),
    vjp: ([c], [v]) => [v.map((one) => c * Math.sign(one) / v.length)],
  };
  const flow = scalingFlow(exactK);
  const valueOf = (spread: (v: Tensor) => Tensor, by: number) => {
    const samples = flow.pushForward(input(new Graph(), "z", dim));
    const work = negativeLogWeights(samples, reducedEnergyOperation(raised(by), beta, null));
    return evaluateReference([spread(work)], [z], n)[0][0];
  };
  // x = e^k z with e^k of float32 parameters: u errs by 2⁻²³ of 10 at most.
  for (const by of [0, 7]) assertClose(valueOf(logWeightSpreadLoss, by), 0, { absolute: 10 * 2 ** -23 });
  const wrong = [0, 7].map((by) => valueOf((v) => external(uncentred, [v], []), by));
  assert(Math.abs(wrong[0] - wrong[1]) > 1, "without the centre a constant in U changes the loss");
  for (let j = 0; j < dim; j++) {
    for (const step of [-0.1, 0.1]) assert(loss(exactK.with(j, exactK[j] + step), harmonic(sigma)).value > 0.03);
  }
});

Deno.test("averagedPerTemperature() differentiates what it averages, and wants as many samples of each temperature", () => {
  const operation = reactionCoordinateOperation({ bounds: [-1, 1] });
  for (const m of [1, 3]) {
    // Central differences of a function that is linear nearly everywhere: rounding, 1e-16/1e-5, is all there is.
    const error = checkGradient((v) => logWeightSpreadLoss(column(v, 0), m), normals(12, 5 + m), 1);
    assert(error < 1e-9, `${error}`);
    assertVjpIsDerivative(primitives.external, {
      inputs: [normals(12, 5 + m)],
      shapes: [["n"]],
      shape: [],
      attributes: { operation: averagedPerTemperature(operation, m) },
      n: 12,
    });
  }
  const { message } = assertThrows(
    () => averagedPerTemperature(operation, 5).forward([normals(12, 1)], 12),
    RangeError,
  );
  assertEquals(message, "Cannot average a loss: samples must be a multiple of 5 temperatures, got 12");
  for (const m of [0, 1.5]) {
    const refusal = assertThrows(() => averagedPerTemperature(operation, m), RangeError);
    assertEquals(refusal.message, `Cannot average a loss: temperatures must be a whole number ≥ 1, got ${m}`);
  }
});
