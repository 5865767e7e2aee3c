/**
 * The traps of the literature that concern methods, one test each: what papers, codes and reports on Boltzmann generators say
 * differently, and which of it a function of this package means. Those of systems are in systems_test.ts. Who wonders about a
 * convention finds it here; where another file tests it in depth, a comment names that.
 *
 * Sources: the code and the notebooks published with Noé et al. 2019 ("code"), its supplement ("print"), a student report
 * and its code ("CS-230"), bgflow, and later papers.
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as flows from "../../src/flow/mod.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Graph } from "../../src/graph/graph.ts";
import { column, input } from "../../src/graph/operations.ts";
import { type Bijector, couplingChain, Flow, flowAtTemperature, Scaling } from "../../src/flow/mod.ts";
import { BoltzmannGenerator } from "../../src/hybrid/boltzmann_generator.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../src/hybrid/boltzmann_objective.ts";
import { linLogCut, reducedEnergyOperation } from "../../src/loss/energy.ts";
import { forceMatchingLoss, forceSlices } from "../../src/loss/force_matching.ts";
import { maximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { reactionCoordinateOperation } from "../../src/loss/reaction_coordinate.ts";
import { samplingEfficiency } from "../../src/reweighting/effective_sample_size.ts";
import { logMeanExp } from "../../src/reweighting/log_sum_exp.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { train } from "../../src/training/train.ts";
import { normals, uniforms } from "../support/random_arrays.ts";
import { bijectorExamples } from "../flow/bijector_examples.ts";

await loadKernels();

Deno.test("layers: nl_layers = n of the code is n − 1 hidden layers; `hidden` lists hidden layers, as the papers count", () => {
  // More in tests/flow/coupling_chain_test.ts.
  const size = (hidden: number[]) =>
    couplingChain("R8", { dim: 76, hidden }).parameters().reduce((sum, { length }) => sum + length, 0);
  assertEquals(size([200, 200]), 1_780_416, "scripts, nl_layers = 3");
  assertEquals(size([200, 200, 200]), 3_066_816, "notebook, nl_layers = 4: three hidden layers of 200");
});

/** Weights and a stage of one-dimensional training without terms. */
const none = { maximumLikelihood: 0, energy: 0, reactionCoordinate: 0 };
const stage: BoltzmannStage = {
  ...{ name: "stage", steps: 3, batch: 90, learningRate: { shape: "constant", initial: 1e-3 }, weights: none },
};

/** U = x²/2 of one coordinate. */
const spring = {
  dim: 1,
  energy: (x: Float64Array) => x.map((v) => v * v / 2),
  energyAndGradient: (x: Float64Array) => ({ energy: x.map((v) => v * v / 2), gradient: x.slice() }),
};

Deno.test("steps: what the code calls an epoch of train_KL is one gradient step; so is a step here, never a pass", async () => {
  const flow = new Flow(new Scaling({ dim: 1 }));
  const asked: number[] = [];
  const data = (n: number, _stage: number, step: number) => (asked.push(step), normals(n, step));
  let steps = 0;
  await train({
    parameters: flow.parameters(),
    stages: [{ ...stage, weights: { ...none, maximumLikelihood: 1 } }],
    objective: boltzmannObjective({ flow, system: spring, beta: 1, data, seed: 1 }),
    onStep: () => steps++,
  });
  assertEquals([steps, asked], [3, [0, 1, 2]]);
});

Deno.test("J_RC: −Σ ln p of 11 bins by default, as the code, at least 11 ln 11; Σ p ln p, as printed, is the other form", () => {
  // More in tests/loss/reaction_coordinate_test.ts.
  const value = (r: Float64Array, form?: "flat" | "entropy") => {
    const operation = reactionCoordinateOperation({ bounds: [0, 1], ...form && { form } });
    return operation.forward([r], r.length).value[0];
  };
  const flat = Float64Array.of(1e3);
  assertAlmostEquals(value(flat), 26.377, 5e-4);
  assertAlmostEquals(value(flat, "entropy"), -Math.log(11), 1e-12);
  // Both sides empty but one: a log barrier against empty bins, and hardly anything.
  const heap = new Float64Array(100).fill(0.5);
  assert(value(heap) > 2 * 26.377);
  assert(value(heap, "entropy") < 0);
  const r = uniforms(20, 1, 0, 1);
  assertEquals(value(r), value(r, "flat"));
});

Deno.test("losses: nothing enters that was not asked for, no spread of weights and no weighted likelihood", () => {
  // The scripts weigh "W2" in stages 1–5 and the paper does not mention it; FlexibleTrainer has weigh_ML on by default.
  const flow = new Flow(new Scaling({ dim: 1 }));
  const data = (n: number) => normals(n, 1);
  const build = (more: Partial<BoltzmannStage>) => {
    const objective = boltzmannObjective({ flow, system: spring, beta: 1, data, seed: 1 });
    const { metrics, loss, batch } = objective(new Graph(), { ...stage, ...more }, 0);
    const outputs = [loss, ...Object.values(metrics)];
    const [[value]] = evaluateReference(outputs, [...batch(0)], 90);
    return { names: Object.keys(metrics), value };
  };
  const weights = { maximumLikelihood: 1, energy: 1, reactionCoordinate: 0 };
  assertEquals(build({ weights }).names, ["maximumLikelihood", "energy"]);
  assertEquals(build({ weights: { ...weights, logWeightSpread: 1 } }).names.at(-1), "logWeightSpread");
  const likelihood = { weights: { ...none, maximumLikelihood: 1 } };
  const x = input(new Graph(), "x", 1);
  const [[plain]] = evaluateReference([maximumLikelihoodLoss(flow, x)], [data(90)], 90);
  assertEquals(build(likelihood).value, plain);
  // This flow is exact, so that own weights are one: wider data would be weighed down.
  const wide = new Flow(new Scaling({ dim: 1, logScale: [0.5] }));
  const weighed = [false, true].map((importanceWeighted) => {
    const objective = boltzmannObjective({ flow: wide, system: spring, beta: 1, data, seed: 1 });
    const { loss, batch } = objective(new Graph(), { ...stage, ...likelihood, importanceWeighted }, 0);
    return evaluateReference([loss], [...batch(0)], 90)[0][0];
  });
  assert(Math.abs(weighed[0] - weighed[1]) > 0.01);
});

Deno.test("weights at T ≠ 1: the prior's variance enters log p_X, which the newer sample(temperature) forgot", () => {
  // More in tests/flow/flow_at_temperature_test.ts.
  const tau = 4;
  const flow = new Flow(new Scaling({ dim: 1, logScale: [0.1] }));
  const { z, x, logWeights } = new BoltzmannGenerator(flowAtTemperature(flow, tau), spring, { beta: 1 / tau })
    .sample(20_000, { seed: 1 });
  const logZ = Math.log(Math.sqrt(2 * Math.PI * tau));
  // Weights vary by e^(0.2 z²/2): the mean of 20 000 has an error of 0.1/√20 000.
  assertAlmostEquals(logMeanExp(logWeights), logZ, 4e-3);
  const forgotten = logWeights.map((_, i) => {
    const logProb = -0.5 * z[i] ** 2 - Math.log(Math.sqrt(2 * Math.PI)) - 0.1;
    return -spring.energy(x.subarray(i, i + 1))[0] / tau - logProb;
  });
  assert(logMeanExp(forgotten) > logZ + 1);
});

Deno.test("softening: linlogcut of u = U/T, as train_flexible; FlexibleTrainer softens U and divides then", () => {
  const softening = { highEnergy: 10, maxEnergy: 1e10 };
  const steep = {
    dim: 1,
    energyAndGradient: (x: Float64Array) => ({ energy: x.map((v) => 40 * v), gradient: x.map(() => 40) }),
  };
  const operation = reducedEnergyOperation(steep, [1, 0.25], softening);
  const { value } = operation.forward([Float64Array.of(1, 1)], 2);
  assertEquals([...value], [linLogCut(40, softening).value, 10]);
  assert(Math.abs(value[1] - linLogCut(40, softening).value / 4) > 5, "the other order");
  // The doc string omits the + 1, with which the function is continuous; beyond the last bound it is constant.
  assertAlmostEquals(linLogCut(10 + 1e-12, softening).value, 10, 1e-11);
  assertEquals(linLogCut(Infinity, softening), { value: 10 + Math.log(1e10 - 9), slope: 0 });
});

Deno.test("J_ML: ½|z|²/σ², which slides print without the ½, and normalised, so that values compare", () => {
  const flow = new Flow(new Scaling({ dim: 1, logScale: [0.5] }));
  const x = input(new Graph(), "x", 1);
  const [[value]] = evaluateReference([maximumLikelihoodLoss(flow, x)], [Float64Array.of(3)], 1);
  const k = Math.fround(0.5);
  assertAlmostEquals(value, 0.5 * (3 * Math.exp(-k)) ** 2 + k + 0.5 * Math.log(2 * Math.PI), 1e-12);
});

Deno.test("evaluations: 3800 steps at nine temperatures of batch 8000 are 7992 energies each, 3.04e7 in all", () => {
  // The preprint says 3e7, the paper 2e7.
  const flow = new Flow(new Scaling({ dim: 1 }));
  const temperatures = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4];
  let evaluated = 0;
  const counted = {
    dim: 1,
    energyAndGradient(x: Float64Array) {
      evaluated += x.length;
      return spring.energyAndGradient(x);
    },
  };
  const objective = boltzmannObjective({ flow, system: counted, beta: 1, temperatures, seed: 1 });
  const weights = { ...none, energy: 1, logWeightSpread: 1 };
  const { loss, batch, samples } = objective(new Graph(), { ...stage, batch: 8000, weights }, 0);
  evaluateReference([loss], [...batch(0)], samples!);
  assertEquals([samples, evaluated], [7992, 7992], "the spread costs no energies of its own");
  assertEquals(3800 * evaluated, 30_369_600);
});

Deno.test("effective samples: of 16 samples the efficiency is never below 1/16, however bad the flow", () => {
  const efficiency = (n: number) => {
    const flow = new Flow(new Scaling({ dim: 8, logScale: new Float64Array(8).fill(-1.5) }));
    const wide = {
      dim: 8,
      energy: (x: Float64Array) =>
        Float64Array.from({ length: x.length / 8 }, (_, i) => {
          return x.subarray(8 * i, 8 * i + 8).reduce((sum, v) => sum + v * v / 2, 0);
        }),
    };
    return samplingEfficiency(new BoltzmannGenerator(flow, wide).sample(n, { seed: 1 }).logWeights);
  };
  assert(efficiency(16) >= 1 / 16);
  assert(efficiency(20_000) < 1 / 64, "what more samples tell");
});

Deno.test("force matching: no energies, so no constant; with (log p + u)², as published, data decide where it ends", () => {
  // More in tests/loss/force_matching_test.ts.
  const flow = new Flow(new Scaling({ dim: 1 }));
  const graph = new Graph();
  const [plus, minus] = [input(graph, "plus", 1), input(graph, "minus", 1)];
  const loss = forceMatchingLoss(flow, plus, minus, column(input(graph, "slopes", 1), 0));
  // Data that are colder than the target, as from a short chain.
  const x = normals(2000, 1, 0.5);
  const slices = forceSlices(spring, 1, x, normals(2000, 2));
  const [[value]] = evaluateReference([loss], [slices.plus, slices.minus, slices.slopes], 2000);
  assert(value < 1e-12, "the exact flow");
  // log p + u is −ln Z for it, at any data; a narrower flow pays less at these: the slope is −2 ln Z (⟨x²⟩ − 1) at k = 0.
  const energyTerm = (k: number) => {
    const logProb = x.map((v) => -0.5 * (v * Math.exp(-k)) ** 2 - k - 0.5 * Math.log(2 * Math.PI));
    return logProb.reduce((sum, log, i) => sum + (log + x[i] ** 2 / 2) ** 2 / 2000, 0);
  };
  assertAlmostEquals(energyTerm(0), (0.5 * Math.log(2 * Math.PI)) ** 2, 1e-12);
  assert(energyTerm(-0.1) < energyTerm(0) - 0.1);
});

Deno.test("weights: log w = −u − log p_X, so that their mean is Z; bgflow had the sign of one turned until 2021", () => {
  const flow = new Flow(new Scaling({ dim: 2, logScale: [-0.3, 0.1] }));
  const system = new DoubleWell({ a: 1, b: 0, c: 0 });
  const { logProb, reducedEnergy, logWeights } = new BoltzmannGenerator(flow, system).sample(40_000, { seed: 2 });
  const { logPartition } = system.exact(1);
  const weights = logWeights.map((log) => Math.exp(log - logPartition));
  const error = Math.sqrt(weights.reduce((sum, w) => sum + (w - 1) ** 2, 0)) / 40_000;
  assert(error < 0.02);
  assertAlmostEquals(Math.exp(logMeanExp(logWeights) - logPartition), 1, 4 * error);
  for (
    const wrong of [
      logWeights.map((log, i) => log + 2 * logProb[i]),
      logWeights.map((log, i) => log + 2 * reducedEnergy[i]),
    ]
  ) {
    assert(!(Math.abs(Math.exp(logMeanExp(wrong) - logPartition) - 1) < 4 * error));
  }
});

Deno.test("every layer has an inverse that undoes it: stochastic layers, whose inverse runs forward elsewhere, are none", () => {
  // Round trips of all of these are in tests/flow/bijector_laws_test.ts, of HarmonicBoxMap in interval_test.ts.
  const layers = Object.entries(flows).filter(([, value]) => {
    const { prototype } = value as { prototype?: Partial<Bijector> };
    return typeof prototype?.forward === "function" && typeof prototype?.inverse === "function";
  });
  const tested = new Set(Object.values(bijectorExamples).map(({ make }) => make().constructor.name));
  const untested = layers.map(([name]) => name).filter((name) => !tested.has(name));
  assert(layers.length >= 9);
  assertEquals(untested, ["HarmonicBoxMap"]);
  const names = Object.keys(flows).filter((name) => /stochastic|langevin|metropolis|anneal/i.test(name));
  assertEquals(names, []);
});
