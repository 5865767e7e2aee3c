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
import { networkFlow, networkStages, TRAINED_TEMPERATURES } from "../../src/experiment/reproduction/dimer_network.ts";
import { recipeOf } from "../../src/experiment/reproduction/dimer_networks.ts";
import { exploredSystems } from "../../src/experiment/reproduction/explored_systems.ts";
import { configurations } from "../../src/experiment/reproduction/hyper_parameters_table.ts";
import { efficiencyOf } from "../../src/experiment/reproduction/systems_settings.ts";
import { pairStages, PUBLISHED_ROWS } from "../../src/experiment/reproduction/two_generators_dimer.ts";
import { wellStages } from "../../src/experiment/reproduction/two_generators_wells.ts";
import { BoltzmannGenerator } from "../../src/hybrid/boltzmann_generator.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../src/hybrid/boltzmann_objective.ts";
import { linLogCut, reducedEnergyOperation } from "../../src/loss/energy.ts";
import { forceMatchingLoss, forceSlices } from "../../src/loss/force_matching.ts";
import { maximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { reactionCoordinateOperation } from "../../src/loss/reaction_coordinate.ts";
import type { Activation } from "../../src/nn/mlp.ts";
import type { Parameter } from "../../src/graph/parameter.ts";
import { samplingEfficiency } from "../../src/reweighting/effective_sample_size.ts";
import { logPartitionFunction } from "../../src/reweighting/exponential_averaging.ts";
import { forwardDiagnostics } from "../../src/reweighting/forward_diagnostics.ts";
import { logMeanExp } from "../../src/reweighting/log_sum_exp.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { train } from "../../src/training/train.ts";
import { normals, randomiseParameters, uniforms } from "../support/random_arrays.ts";
import { FOUR_SIGMA, mean, variance } from "../support/statistics.ts";
import { bijectorExamples } from "../flow/bijector_examples.ts";

await loadKernels();

/** Numbers that are trained. */
const sizeOf = (parameters: readonly Parameter[]) =>
  parameters.reduce((sum, { length, trainable }) => sum + (trainable ? length : 0), 0);

Deno.test("layers: nl_layers = n of the code is n − 1 hidden layers; `hidden` lists hidden layers, as the papers count", () => {
  // More in tests/flow/coupling_chain_test.ts.
  const size = (hidden: number[]) => sizeOf(couplingChain("R8", { dim: 76, hidden }).parameters());
  assertEquals(size([200, 200]), 1_780_416, "scripts, nl_layers = 3");
  assertEquals(size([200, 200, 200]), 3_066_816, "notebook, nl_layers = 4: three hidden layers of 200");
});

Deno.test("dimer networks: as the scripts, tanh and tanh, not whitened, nine temperatures; the notebook's are others", () => {
  // The notebook of Fig. 3 has three hidden layers, relu in T, whitened coordinates, T = 1 alone and w_ML from 1000 to 5. No
  // experiment trains it; `couplingChain("WR8", …)` makes it.
  for (const budget of ["default", "paper"] as const) {
    const recipe = recipeOf(budget);
    assertEquals(sizeOf(networkFlow(recipe, 1).parameters()), 1_780_416);
    assert(!recipe.layers.includes("W"));
  }
  assertEquals([...TRAINED_TEMPERATURES], [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4]);

  const small = { layers: "R2", hidden: [5] };
  const data = normals(76 * 100, 2);
  const imageOf = (flow: Flow) => {
    randomiseParameters(flow.parameters(), 3, 0.2);
    const { x } = flow.decode(normals(76, 4));
    flow.release();
    return x;
  };
  const built = imageOf(networkFlow(small, 1));
  const of = (scaleActivation: Activation, shiftActivation: Activation, layers = "R2") =>
    imageOf(new Flow(couplingChain(layers, { dim: 76, hidden: [5], scaleActivation, shiftActivation, data })));
  assertEquals(of("tanh", "tanh"), built);
  const others = { notebook: of("tanh", "relu"), scales: of("relu", "tanh"), whitened: of("tanh", "tanh", "WR2") };
  for (const [name, other] of Object.entries(others)) {
    assert(other.some((v, i) => Math.abs(v - built[i]) > 1e-3), name);
  }
});

Deno.test("dimer networks: the last stage has w_ML = 0.1, as the script; 0.01 of the printed table is a row of its own", () => {
  for (const budget of ["smoke", "default", "paper"] as const) {
    const { weights } = networkStages(recipeOf(budget)).at(-1)!;
    assertEquals([weights.maximumLikelihood, weights.reactionCoordinate], [0.1, 10], budget);
  }
  const weightOf = (row: string) => configurations.find(({ name }) => name === row)!.last.maximumLikelihood;
  assertEquals([weightOf("base"), weightOf("w_ML 0.01")], [0.1, 0.01]);
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

Deno.test("likelihood with own weights: explored wells and the dimer of Fig. 6 have it, as their notebooks; nothing else has", () => {
  // The trainers of the newer code have weigh_ML on; notebooks switch it off for the explored dimer and the wells of Fig. 6.
  const explored = exploredSystems().map(({ name, importanceWeighted }) => [name, importanceWeighted]);
  assertEquals(explored, [["double well", true], ["Müller-Brown", true], ["dimer", false]]);
  const weighted = (stages: readonly BoltzmannStage[]) =>
    stages.map(({ importanceWeighted = false }) => importanceWeighted);
  const pair = pairStages({ likelihoodSteps: 100, rows: PUBLISHED_ROWS, batch: 1000 });
  assertEquals(weighted(pair), [false, ...PUBLISHED_ROWS.map(() => true)]);
  const wells = wellStages({ likelihoodSteps: 200, energySteps: 500, batch: 1000 });
  assertEquals(weighted(wells), [false, false]);
  assert(weighted(networkStages(recipeOf("paper"))).every((is) => !is));
  // It is no matter of taste: the same stage with and without gives two losses.
  const flow = new Flow(new Scaling({ dim: 1, logScale: [0.5] }));
  const data = (n: number) => normals(n, 1);
  const [on, off] = [true, false].map((importanceWeighted) => {
    const objective = boltzmannObjective({ flow, system: spring, beta: 1, data, seed: 1 });
    const { metrics, batch } = objective(new Graph(), { ...pair[1], batch: 90, importanceWeighted }, 0);
    return evaluateReference([metrics.maximumLikelihood], [...batch(0)], 90)[0][0];
  });
  assert(Math.abs(on - off) > 0.01);
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

Deno.test("effective samples: (Σw)²/(n Σw²); of 16 samples, as published, it is too large and at least 1/16, and not believed", () => {
  // Weights of 1, 2, 3: the share that they are worth. Exp of their entropy, which others quote, is another number.
  assertAlmostEquals(samplingEfficiency(Float64Array.of(0, Math.log(2), Math.log(3))), 36 / 14 / 3, 1e-14);
  const perplexity = (logWeights: Float64Array) => {
    const logSum = logMeanExp(logWeights) + Math.log(logWeights.length);
    const entropy = logWeights.reduce((sum, log) => sum - Math.exp(log - logSum) * (log - logSum), 0);
    return Math.exp(entropy) / logWeights.length;
  };
  // One weight that holds all: 6.25 % of 16 samples, however bad the flow.
  assertEquals(samplingEfficiency(new Float64Array(16).fill(-1e3).fill(0, 0, 1)), 1 / 16);

  // ln w is N(0, σ²) under the flow: E[w]² / E[w²] = e^(−σ²), here e^(−1) = 0.37, and e^(−σ²/2) by entropy.
  const draw = (n: number, seed: number, shift = 0) => normals(n, seed).map((z) => z + shift);
  const exact = Math.exp(-1);
  const repeated = (n: number, repeats: number, of = samplingEfficiency) => {
    const found = Array.from({ length: repeats }, (_, k) => of(draw(n, 1 + k)));
    return { mean: mean(found), error: Math.sqrt(variance(found) / repeats) };
  };
  const [few, more, many] = [repeated(16, 1000), repeated(256, 400), repeated(16_384, 60)];
  const apart = (a: typeof few, b: typeof few) => (a.mean - b.mean) / Math.hypot(a.error, b.error);
  assert(apart(few, { mean: exact, error: 0 }) > FOUR_SIGMA, "too large by far");
  assert(apart(few, more) > FOUR_SIGMA && apart(more, many) > FOUR_SIGMA, "more samples find heavier weights");
  // To second order the mean is too large by the relative variance of Σw², (e⁴ − 1)/16,384 = 0.33 %, less what Σw shares of it.
  assertAlmostEquals(many.mean, exact, 0.0033 * exact + FOUR_SIGMA * many.error);
  const byEntropy = repeated(16_384, 60, perplexity);
  assertAlmostEquals(byEntropy.mean, Math.exp(-0.5), 0.0033 + FOUR_SIGMA * byEntropy.error);
  assert(apart(byEntropy, many) > FOUR_SIGMA);

  // Samples of the target, where ln w is N(σ², σ²), know what 16 samples of the flow cannot; and those are called unreliable.
  const frames = { logWeights: draw(4000, 7, 1) };
  const forward = forwardDiagnostics(frames.logWeights, { logPartition: 0.5 }).samplingEfficiency;
  assertAlmostEquals(forward.value!, exact, FOUR_SIGMA * forward.standardError!);
  assert(few.mean - forward.value! > FOUR_SIGMA * Math.hypot(few.error, forward.standardError!));
  const believed = (n: number) => {
    const logWeights = draw(n, 3);
    return [logPartitionFunction(logWeights, { frames }), efficiencyOf({ logWeights })].map(({ reliable }) => reliable);
  };
  assertEquals([believed(16), believed(4000)], [[false, false], [true, true]]);
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
