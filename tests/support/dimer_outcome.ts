/**
 * A made-up outcome of a dimer run, of the size and shape that the default budget has: for figures and reports.
 *
 * @module
 */
import { profileEdges } from "../../src/experiment/dimer_bins.ts";
import type { FlowAudit } from "../../src/flow/audit_checks.ts";
import type { DimerOutcome } from "../../src/experiment/dimer_results.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { estimateFrom, noEstimate } from "../../src/reweighting/estimate.ts";
import type { FreeEnergyProfile } from "../../src/reweighting/profile_band.ts";
import { MetropolisChains } from "../../src/sampling/metropolis_chains.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import type { HistoryEntry } from "../../src/training/train.ts";

/** An audit as a good flow has it. */
export const syntheticAudit: FlowAudit = {
  passed: true,
  checks: [
    {
      name: "log-determinant",
      compares: "the log-determinant of the inverse with the Jacobian by differences, in float64",
      points: 1,
      error: 3.1e-8,
      tolerance: 7.9e-5,
      verdict: "passed",
      reason: null,
    },
    {
      name: "integral",
      compares: "the integral of the density with 1",
      points: 0,
      error: null,
      tolerance: null,
      verdict: "not possible",
      reason: "no grid holds a density in 76 dimensions; differences check the volume instead",
    },
  ],
};

/** Distances of the nine frames of the path, and of closed, transition and open pictures among them. */
const PATH_CENTRES = [0.93, 1.05, 1.2, 1.35, 1.5, 1.65, 1.8, 1.92, 2.04];

/** Frames held near the distances by springs, in the reference domain: [9, 76]. Needs the kernels. */
function relaxedFrames(dimer: ParticleDimer): Float64Array {
  const centres = Float64Array.of(...PATH_CENTRES, 1.5);
  const chains = new MetropolisChains(dimer, { chains: 10, seed: 3, bias: { constant: 400, centres } });
  chains.tune(1500);
  return chains.frames().x.slice(0, 9 * dimer.dim);
}

/** A profile with the bond's shape and an error that grows towards the barrier. */
function profile(dimer: ParticleDimer, random: RandomStream, scale: number): FreeEnergyProfile {
  const edges = profileEdges(dimer, 1);
  const centers = edges.slice(1).map((edge, k) => (edge + edges[k]) / 2);
  const error = centers.map((d) => scale * (0.02 + 0.05 * Math.exp(-(((d - 1.55) / 0.25) ** 2))));
  const drift = random.fillNormals(new Float64Array(centers.length));
  let walk = 0;
  const freeEnergy = Array.from(centers, (d, k) => {
    walk = 0.7 * walk + 0.7 * drift[k] * error[k];
    return dimer.dimerEnergy(d) - Math.log(d) + 3.2 * (d - 0.93) + 17.3 + walk;
  });
  const standardError = Array.from(error);
  return {
    edges,
    centers,
    freeEnergy,
    standardError,
    lower: freeEnergy.map((f, k) => f - 1.96 * standardError[k]),
    upper: freeEnergy.map((f, k) => f + 1.96 * standardError[k]),
    effectiveSamples: error.map((e) => 1 / e ** 2),
    reliable: Array.from(error, (e) => e < 0.14),
  };
}

/** The profile of a flow that never came to the ends, and little to the barrier. */
function flowProfile(dimer: ParticleDimer, random: RandomStream): FreeEnergyProfile {
  const full = profile(dimer, random, 7);
  const blank = <T>(values: readonly (T | null)[]) => values.map((v, k) => k < 1 || k > values.length - 2 ? null : v);
  return {
    ...full,
    freeEnergy: blank(full.freeEnergy),
    standardError: blank(full.standardError).map((e, k) => k === 16 ? null : e),
    lower: blank(full.lower),
    upper: blank(full.upper),
    reliable: full.standardError.map((e) => e! < 0.35),
  };
}

function history(random: RandomStream): HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (let step = 50; step <= 2600; step += 50) {
    const maximumLikelihood = -47 + 130 * Math.exp(-step / 110) + 14 * Math.exp(-step / 900) + 0.3 * random.normal();
    const validation = maximumLikelihood + 1 + step / 2600 + 0.1 * random.normal();
    entries.push({
      stage: "maximum likelihood",
      step,
      losses: { loss: maximumLikelihood, maximumLikelihood },
      validation,
    });
  }
  for (let step = 2650; step <= 2900; step += 50) {
    const maximumLikelihood = -46.6 + 0.2 * random.normal();
    const energy = 180 + 400 * Math.exp(-(step - 2600) / 60) + 5 * random.normal();
    const reactionCoordinate = 27 + Math.exp(-(step - 2600) / 100);
    const loss = maximumLikelihood + 0.01 * energy + 0.1 * reactionCoordinate;
    const losses = { loss, maximumLikelihood, energy, reactionCoordinate };
    entries.push({ stage: "mixture", step, losses, validation: -45 + 0.1 * random.normal() });
  }
  return entries;
}

/** Energies of n samples: Gaussian for data, with an exponential tail for a flow. */
function energies(random: RandomStream, n: number, mean: number, tail: number): Float64Array {
  return Float64Array.from({ length: n }, () => {
    const excess = tail === 0 ? 0 : -tail * Math.log(1 - random.uniform());
    return mean + 5.5 * random.normal() + excess + (random.uniform() < 0.02 ? excess ** 2 : 0);
  });
}

function evaluation(dimer: ParticleDimer, x: Float64Array, random: RandomStream): DimerOutcome["evaluation"] {
  const frame = (k: number) => x.slice(k * dimer.dim, (k + 1) * dimer.dim);
  const doubt = "only 9.3 forward samples effectively overlap with the other state, fewer than 50";
  return {
    samplingEfficiency: { closed: 2.31e-4, open: 1.87e-4, all: 1.12e-4 },
    samplingEfficiencyInterval: { closed: [1.1e-4, 3.4e-4], open: [0.9e-4, 2.9e-4], all: [0.4e-4, 1.9e-4] },
    paretoK: { closed: 0.912, open: 0.874, all: 0.934, limit: 0.7 },
    outsideDomain: 0.3127,
    notFinite: 0,
    samples: 500_000,
    freeEnergyDifference: {
      reweighting: estimateFrom(6.31, 0.62, { reason: doubt }),
      bar: estimateFrom(6.79, 0.071, { degreesOfFreedom: 60 }),
    },
    evaluationNll: { closed: -46.8, open: -44.1, all: -45.5 },
    gap: { closed: 19.7, open: 21.9, all: 20.1 },
    profile: flowProfile(dimer, random),
    reducedEnergies: {
      data: { closed: energies(random, 8000, 52, 0), open: energies(random, 8000, 58, 0) },
      flow: { closed: energies(random, 8000, 58, 14), open: energies(random, 8000, 64, 16) },
    },
    pictures: { closed: frame(0), transition: frame(4), open: frame(8) },
  };
}

function reference(dimer: ParticleDimer, random: RandomStream): DimerOutcome["reference"] {
  return {
    freeEnergyDifference: estimateFrom(6.734, 0.021, { degreesOfFreedom: 41 }),
    byStart: {
      closed: estimateFrom(6.718, 0.03, { degreesOfFreedom: 17 }),
      open: estimateFrom(6.751, 0.028, { degreesOfFreedom: 17 }),
    },
    profile: profile(dimer, random, 1),
    windows: {
      centres: Array.from({ length: 18 }, (_, k) => 0.73 + 0.09 * k),
      biasConstant: 60,
      spacing: 1.04,
      chainsPerWindow: 4,
      burnIn: 25_000,
      sweeps: 250_000,
      acceptance: 0.35,
    },
    plain: { freeEnergyDifference: noEstimate("no transition, no estimate"), crossings: 0, chains: 72 },
    moves: { umbrella: 752_400_000, plain: 752_400_000 },
    energyEvaluations: 79_200_000,
  };
}

/**
 * Makes an outcome with plausible numbers.
 *
 * @returns the same outcome every time
 */
export function syntheticOutcome(): DimerOutcome {
  const dimer = new ParticleDimer();
  const random = new RandomStream(8);
  const x = relaxedFrames(dimer);
  const judged = evaluation(dimer, x, random);
  return {
    run: {
      preset: dimer.preset,
      parameters: dimer.parameters,
      dim: dimer.dim,
      seed: 1,
      budget: "default",
      temperature: 1,
      threads: 2,
      packageVersion: "0.1.0",
      kernelBuild: "relaxed",
      command: "deno run -A scripts/train_dimer.ts",
    },
    energyEvaluations: { data: 29_400_000, training: 51_200, evaluation: 540_000, reference: 79_200_000 },
    moves: { data: 558_600_000, umbrella: 752_400_000, plain: 752_400_000 },
    wallTimeMs: { data: 61_000, training: 512_000, evaluation: 48_000, reference: 71_000, export: 9_000 },
    data: {
      burnIn: 4400,
      relaxed: true,
      evaluationRelaxed: true,
      stride: { train: 40, validate: 80, evaluate: 160 },
      autocorrelationSweeps: 39.6,
      acceptance: 0.351,
      crossings: 2,
      moves: 558_600_000,
      energyEvaluations: 29_400_000,
      frames: { train: 100_000, validate: 4000, evaluate: 40_000 },
    },
    flow: {
      kind: "realnvp",
      parameters: 3_073_000,
      description: "RealNVP, 8 blocks, S and T networks with hidden layers 200–200–200 (tanh), channels even | odd " +
        "principal components, whitened data",
    },
    history: history(random),
    stages: [{ name: "maximum likelihood", steps: 2600 }, { name: "mixture", steps: 300 }],
    keep: "best",
    reactionCoordinate: { bounds: [0.5, 2.5], samples: 51_200, outOfBounds: 612 },
    audit: syntheticAudit,
    evaluation: judged,
    reference: reference(dimer, random),
    headline: judged.freeEnergyDifference.bar,
    path: { x, d: dimer.distance(x), reducedEnergy: dimer.energy(x) },
    onnx: {
      files: { sampler: "sampler.onnx", density: "density.onnx" },
      opset: 17,
      maxAbsDifference: 3.1e-5,
      samplesPerSecond: 4200,
    },
  };
}
