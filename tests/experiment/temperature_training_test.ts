/** A dimer without solvent, whose free energies are integrals: a flow over temperatures from data to estimates. */
import { assert, assertAlmostEquals } from "@std/assert";
import { serialPool } from "../../src/backend/executor.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { thermodynamicCurve } from "../../src/experiment/temperature_curve.ts";
import { sampleTemperatures, type TemperatureData } from "../../src/experiment/temperature_data.ts";
import { evaluateTemperature } from "../../src/experiment/temperature_evaluation.ts";
import { logTemperatures, temperatureLadder } from "../../src/experiment/temperature_ladder.ts";
import type { TemperatureEvaluation } from "../../src/experiment/temperature_results.ts";
import type { TemperatureSettings } from "../../src/experiment/temperature_settings.ts";
import { TemperatureModel } from "../../src/experiment/temperature_training.ts";
import { TemperatureSlice } from "../../src/flow/temperature_slice.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { distanceProbabilities } from "../support/dimer_density.ts";
import { FOUR_SIGMA } from "../support/statistics.ts";

await loadKernels();

const system = new ParticleDimer({ solvent: 0 });
const RANGE = [0.5, 2] as const;
const ladder = temperatureLadder(RANGE, 3);
const settings: TemperatureSettings = {
  data: {
    chains: { train: 16, validate: 8, evaluate: 32 },
    frames: { train: 1600, validate: 160, evaluate: 640 },
  },
  flow: {
    head: "mixture",
    hidden: [24],
    grid: { fine: 9, coarse: 9 },
  },
  stages: [{
    name: "maximum likelihood",
    steps: 900,
    batch: 256,
    learningRate: { shape: "cosine", initial: 2e-2, final: 2e-4, warmup: 20 },
    adam: { maximumNorm: 20 },
  }],
  reportEvery: 100,
  evaluation: { samples: 4096, bootstraps: 100, umbrellaSweeps: 100 },
};
const data = await sampleTemperatures({ system, ladder, settings: settings.data, seed: 2, pool: serialPool });

/** Bins of the quadrature; the 30th edge is the border of the basins. */
const EDGES = Array.from({ length: 71 }, (_, k) => k / 20);

/** ΔF/k_BT by quadrature. */
function freeEnergy(temperature: number): number {
  const masses = distanceProbabilities(system, temperature, EDGES);
  const sum = (from: number, to: number) => masses.subarray(from, to).reduce((total, mass) => total + mass, 0);
  return Math.log(sum(0, 30) / sum(30, 70));
}

/** ΔU/k_BT = −d(ΔF/k_BT)/d ln T by central differences of the quadrature. */
function energy(temperature: number): number {
  const h = 1e-3;
  return -(freeEnergy(temperature * Math.exp(h)) - freeEnergy(temperature * Math.exp(-h))) / (2 * h);
}

async function trained(from: readonly TemperatureData[]) {
  const temperatures = logTemperatures(RANGE);
  const model = new TemperatureModel({ system, data: from, temperatures, settings, seed: 2, pool: serialPool });
  const { complete, position } = await model.train();
  assert(complete);
  return { model, position };
}

async function evaluated(model: TemperatureModel): Promise<TemperatureEvaluation[]> {
  const results: TemperatureEvaluation[] = [];
  // Evaluation frames are always those of their temperature.
  for (const [k, { temperature, evaluate, statistics }] of data.entries()) {
    results.push(
      await evaluateTemperature({
        generator: model.at(temperature),
        system,
        temperature,
        frames: evaluate,
        framesRelaxed: statistics.evaluationRelaxed,
        samples: settings.evaluation.samples,
        first: k * 2 ** 20,
        bootstraps: settings.evaluation.bootstraps,
        seed: 2,
        pool: serialPool,
      }),
    );
  }
  model.flow.release();
  return results;
}

const { model, position } = await trained(data);
const right = await evaluated(model);

function assertNear(estimate: Estimate, exact: number, what: string): void {
  assert(estimate.reliable, `${what}: ${estimate.reason}`);
  const error = estimate.standardError!;
  assert(Math.abs(estimate.value! - exact) < FOUR_SIGMA * error, `${what}: ${estimate.value} ± ${error}, not ${exact}`);
}

Deno.test("one flow gives free energy, energy and entropy at every temperature, trained on or not, as quadrature does", () => {
  ladder.forEach(({ temperature }, k) => {
    const { freeEnergyDifference, energyDifference, entropyDifference } = right[k];
    const [f, u] = [freeEnergy(temperature), energy(temperature)];
    const at = `at T = ${temperature}`;
    assertNear(freeEnergyDifference.bar, f, `BAR ${at}`);
    // The tails of weights of a net of this size are sometimes heavier than plain reweighting can bear.
    if (freeEnergyDifference.reweighting.reliable) {
      assertNear(freeEnergyDifference.reweighting, f, `plain reweighting ${at}`);
    }
    assertNear(energyDifference, u, `energy ${at}`);
    assertNear(entropyDifference, u - f, `entropy ${at}`);
  });
  const reweighted = right.filter(({ freeEnergyDifference }) => freeEnergyDifference.reweighting.reliable);
  assert(reweighted.length > 0, "plain reweighting is reliable at some temperature");
});

Deno.test("the curve through all temperatures agrees with quadrature between them, too", () => {
  const curve = thermodynamicCurve(right.map((evaluation, k) => ({
    temperature: ladder[k].temperature,
    freeEnergy: evaluation.freeEnergyDifference.bar,
    energy: evaluation.energyDifference,
    covariance: evaluation.covariance,
  })));
  assert(curve.chiSquare < curve.freedom + 5 * Math.sqrt(2 * curve.freedom), `χ² ${curve.chiSquare}`);
  for (const temperature of [0.6, 0.9, 1.2, 1.8]) {
    const { freeEnergy: found } = curve.at(temperature)!;
    const exact = freeEnergy(temperature);
    assert(
      Math.abs(found.value - exact) < FOUR_SIGMA * found.standardError,
      `${found.value} at ${temperature}: ${exact}`,
    );
  }
});

Deno.test("the history of a flow over temperatures is the NLL of x given T, and the flow has the parameters of the lowest", () => {
  const rungs = data.filter(({ trained }) => trained);
  const nll = rungs.map(({ temperature, validate }) => {
    const log = new TemperatureSlice(model.flow, temperature).logProb(validate!.x);
    return -log.reduce((sum, value) => sum + value, 0) / log.length;
  });
  const lowest = Math.min(...model.conditionalHistory(position.history).map(({ validation }) => validation!));
  assertAlmostEquals(lowest, nll.reduce((sum, value) => sum + value, 0) / nll.length, 1e-9);
  model.flow.release();
});

Deno.test("the gap and the efficiency notice rows whose temperatures are shuffled; the acceptance ratio stays right", async () => {
  // Frames of all rungs are dealt out in turn: every rung shows the flow the same mixture.
  const rungs = data.filter(({ trained }) => trained);
  const deal = (split: "train" | "validate", to: number) => {
    const { dim } = system;
    const own = rungs[to][split]!;
    const x = own.x.map((_, i) => {
      const row = Math.floor(i / dim);
      return rungs[(row + to) % rungs.length][split]!.x[i];
    });
    return { ...own, x };
  };
  let rung = 0;
  const shuffled = data.map((at) => {
    if (!at.trained) return at;
    const to = rung++;
    return { ...at, train: deal("train", to), validate: deal("validate", to) };
  });
  const wrong = await evaluated((await trained(shuffled)).model);
  for (const k of [0, ladder.length - 1]) {
    // The flow's share of a basin is in its gap: about a half of the frames are closed, more where chains cross.
    const [good, bad] = [right[k].gap.closed!, wrong[k].gap.closed!];
    assert(good < 0.85, `gap ${good} at T = ${ladder[k].temperature}`);
    assert(bad > good + 0.2, `gap ${bad}, not above ${good}`);
    assert(wrong[k].samplingEfficiency.closed! < 0.8 * right[k].samplingEfficiency.closed!);
  }
  ladder.forEach(({ temperature }, k) => {
    const { bar } = wrong[k].freeEnergyDifference;
    assertNear(bar, freeEnergy(temperature), `BAR of the twin at T = ${temperature}`);
  });
});
