/** Coverage of intervals that rest on one flow or one pair of states: weights, work, profiles, diagnostics. */
import { exponentialAveraging, logPartitionFunction } from "../../src/reweighting/exponential_averaging.ts";
import { bennettAcceptanceRatio } from "../../src/reweighting/bar.ts";
import type { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { forwardDiagnostics } from "../../src/reweighting/forward_diagnostics.ts";
import { freeEnergyProfile } from "../../src/reweighting/free_energy_profile.ts";
import type { FreeEnergyProfile } from "../../src/reweighting/profile_band.ts";
import { weightedMean } from "../../src/experiment/weighted_means.ts";
import { trials } from "../support/incidents.ts";
import { type Experiment, type Interval, testCoverage } from "./coverage_table.ts";
import { manyChains, normals } from "./statistics.ts";

const LOG_ROOT = 0.5 * Math.log(2 * Math.PI);
const replicates = trials(50, 100);

/** Target N(0, 1) in `dim` dimensions against a flow N(0, s²): ln w = Σ (−x²/2 + x²/2s²) + dim (ln √2π + ln s). */
function gaussianPair(dim: number, s: number, n: number): Experiment {
  const logWeights = (random: CounterRandom, width: number, rows: number) => {
    const x = normals(rows * dim, random);
    return new Float64Array(rows).map((_, i) => {
      let sum = dim * (LOG_ROOT + Math.log(s));
      for (let d = i * dim; d < (i + 1) * dim; d++) sum += (width * x[d]) ** 2 * (1 / (2 * s * s) - 0.5);
      return sum;
    });
  };
  const logZ = dim * LOG_ROOT;
  // Kish efficiency (E w)² / E w² = (√(2 − 1/s²) … ) for each dimension; KL = ln s + 1/2s² − 1/2.
  const efficiency = (Math.sqrt(2 * s * s - 1) / (s * s)) ** dim;
  return {
    system: `Gaussian pair, ${dim} D, width ${s}`,
    size: `${n}`,
    correlation: "none",
    truths: {
      "logPartitionFunction()": logZ,
      "exponentialAveraging()": -logZ,
      "forwardDiagnostics() KL": dim * (Math.log(s) + 1 / (2 * s * s) - 0.5),
      "forwardDiagnostics() efficiency": efficiency,
      "bennettAcceptanceRatio()": -logZ,
      "weightedMean()": dim,
    },
    run(random) {
      const flow = logWeights(random, s, n);
      const data = logWeights(random, 1, n);
      const forward = forwardDiagnostics(data, { logPartition: logZ, replicates });
      const radii = flow.map((log) => (log - dim * (LOG_ROOT + Math.log(s))) / (1 / (2 * s * s) - 0.5));
      return {
        "logPartitionFunction()": logPartitionFunction(flow, { replicates, frames: { logWeights: data } }),
        "exponentialAveraging()": exponentialAveraging(flow.map((log) => -log), {
          replicates,
          frames: { logWeights: data },
        }),
        "forwardDiagnostics() KL": forward.klDivergence,
        "forwardDiagnostics() efficiency": forward.samplingEfficiency,
        "bennettAcceptanceRatio()": bennettAcceptanceRatio(flow.map((log) => -log), data, { replicates }),
        "weightedMean()": weightedMean(radii, { logWeights: flow }),
      };
    },
  };
}

/** Harmonic states N(0, 1) and N(1, 0.7²), the second raised by 3, from chains of either. */
function harmonicChains(chains: number, length: number, correlation: number): Experiment {
  const truth = 3 - Math.log(0.7);
  const work = (x: number) => (x - 1) ** 2 / (2 * 0.49) + 3 - x * x / 2;
  const draw = (random: CounterRandom, blind: boolean) => {
    const [first, second] = [0, 1].map(() => manyChains(chains, length, correlation, random));
    const forward = first.values.map(work);
    const reverse = second.values.map((z) => -work(1 + 0.7 * z));
    const options = blind ? {} : { forwardChains: first.labels, reverseChains: second.labels };
    const data = blind ? {} : { chains: second.labels };
    return {
      "bennettAcceptanceRatio()": bennettAcceptanceRatio(forward, reverse, { replicates, ...options }),
      "bennettAcceptanceRatio() asymptotic": bennettAcceptanceRatio(forward, reverse, { replicates: 0, ...options }),
      "forwardDiagnostics() KL": forwardDiagnostics(second.values.map((z) => z * z), {
        logPartition: 0,
        replicates,
        ...data,
      }).klDivergence,
      "weightedMean()": weightedMean(second.values.map((z) => z * z), blind ? {} : { blocks: second.labels }),
    };
  };
  return {
    system: "harmonic oscillators",
    size: `2 × ${chains} chains of ${length}`,
    correlation: `ρ = ${correlation}`,
    truths: {
      "bennettAcceptanceRatio()": truth,
      "bennettAcceptanceRatio() asymptotic": truth,
      "forwardDiagnostics() KL": 1,
      "weightedMean()": 1,
    },
    run: (random) => draw(random, false),
    ...(correlation > 0 ? { blind: (random: CounterRandom) => draw(random, true) } : {}),
  };
}

const EDGES = Float64Array.from({ length: 6 }, (_, i) => -2 + i * 0.8);

function normalLevel(bin: number): number {
  let sum = 0;
  for (let j = 0; j < 1000; j++) {
    const x = EDGES[bin] + (EDGES[bin + 1] - EDGES[bin]) * (j + 0.5) / 1000;
    sum += Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) / 1000;
  }
  return -Math.log(sum);
}

/** One bin of a profile. */
const binOf = ({ freeEnergy, lower, upper, reliable }: FreeEnergyProfile, bin: number): Interval => ({
  value: freeEnergy[bin],
  interval95: lower[bin] === null ? null : [lower[bin]!, upper[bin]!],
  reliable: reliable[bin],
});

/** The profile of a normal density, from chains or (length 1) samples of a density of width s with weights. */
function normalProfile(chains: number, length: number, correlation: number, s = 1): Experiment {
  const draw = (random: CounterRandom, blind: boolean) => {
    const { values, labels } = manyChains(chains, length, correlation, random);
    const x = values.map((z) => s * z);
    const logWeights = x.map((v) => -v * v / 2 + v * v / (2 * s * s));
    const options = blind || length === 1 ? {} : { chains: labels };
    const profile = freeEnergyProfile(x, logWeights, { edges: EDGES, replicates, ...options });
    return { "freeEnergyProfile() tail": binOf(profile, 0), "freeEnergyProfile() middle": binOf(profile, 2) };
  };
  return {
    system: s === 1 ? "harmonic oscillator" : `harmonic oscillator, samples of width ${s}`,
    size: length === 1 ? `${chains}` : `${chains} chains of ${length}`,
    correlation: correlation === 0 ? "none" : `ρ = ${correlation}`,
    truths: { "freeEnergyProfile() tail": normalLevel(0), "freeEnergyProfile() middle": normalLevel(2) },
    run: (random) => draw(random, false),
    ...(correlation > 0 ? { blind: (random: CounterRandom) => draw(random, true) } : {}),
  };
}

testCoverage([
  gaussianPair(1, 1.3, 300),
  gaussianPair(1, 1.3, 1200),
  gaussianPair(1, 0.85, 300),
  gaussianPair(1, 0.85, 1200),
  gaussianPair(4, 1.2, 600),
  gaussianPair(4, 0.9, 600),
  harmonicChains(5, 120, 0.8),
  harmonicChains(5, 500, 0.8),
  harmonicChains(20, 60, 0.8),
  harmonicChains(20, 200, 0.95),
  normalProfile(1000, 1, 0),
  normalProfile(2000, 1, 0, 1.4),
  normalProfile(6, 400, 0.8),
  normalProfile(40, 100, 0.9),
]);
