/** Coverage of intervals that rest on several states: basins, windows, nodes, crossings. */
import { thermodynamicCurve } from "../../src/experiment/temperature_curve.ts";
import { headlineOf } from "../../src/experiment/estimates.ts";
import { basinThermodynamics } from "../../src/reweighting/basin_thermodynamics.ts";
import { combinedProfile } from "../../src/reweighting/combined_profile.ts";
import type { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { freeEnergyDifferenceByCounting } from "../../src/reweighting/counted_difference.ts";
import { estimateFrom } from "../../src/reweighting/estimate.ts";
import { mbar } from "../../src/reweighting/mbar.ts";
import type { FreeEnergyProfile } from "../../src/reweighting/profile_band.ts";
import { freeEnergyDifferenceByReweighting } from "../../src/reweighting/reweighted_difference.ts";
import { thermodynamicIntegration } from "../../src/reweighting/thermodynamic_integration.ts";
import { umbrellaFreeEnergies } from "../../src/reweighting/umbrella.ts";
import { couplingWindows } from "../../src/sampling/coupling_windows.ts";
import { trials } from "../support/incidents.ts";
import { type Experiment, type Interval, testCoverage } from "./coverage_table.ts";
import {
  DOUBLE_WELL,
  doubleWell,
  exactDensity,
  metropolisChain,
  mixture,
  WELL_DIFFERENCE,
  WELLS,
} from "./exact_systems.ts";
import { manyChains } from "./statistics.ts";

const replicates = trials(50, 100);
const names = ["left", "right"];

/** A flow for the double well, somewhat wider than either state, which has as much mass on both sides. */
const FLOW = mixture([
  { share: 0.5, center: -1.7, width: 0.3 },
  { share: 0.5, center: 1.6, width: 0.35 },
]);
const EDGES = Float64Array.of(-2.4, -1.9, -1.5, 1.4, 1.7, 2.2);

const binOf = ({ freeEnergy, lower, upper, reliable }: FreeEnergyProfile, bin: number): Interval => ({
  value: freeEnergy[bin],
  interval95: lower[bin] === null ? null : [lower[bin]!, upper[bin]!],
  reliable: reliable[bin],
});

/** −ln of the mean density of the double well over a bin. */
function wellLevel(bin: number): number {
  const [from, to] = [EDGES[bin], EDGES[bin + 1]];
  return DOUBLE_WELL.logZ - exactDensity(doubleWell, from, to).logZ + Math.log(to - from);
}

/** Flow samples and frames of both basins of the double well. */
function doubleWellBasins(n: number, chains: number, length: number, step: number): Experiment {
  const logWeight = (x: number) => -doubleWell(x) - FLOW.logDensity(x);
  const basin = (x: number) => Math.abs(x) > 3.2 ? -1 : x < 0 ? 0 : 1;
  const collect = (x: Float64Array) => ({
    coordinate: x,
    logWeights: x.map(logWeight),
    basins: Int32Array.from(x, basin),
    reducedEnergy: x.map(doubleWell),
  });
  const draw = (random: CounterRandom, blind: boolean) => {
    const flow = collect(new Float64Array(n).map(() => FLOW.draw(random)));
    const frames = new Float64Array(2 * chains * length);
    for (let c = 0; c < 2 * chains; c++) {
      frames.set(metropolisChain(WELLS[c % 2], { length, step, every: 2 }, random), c * length);
    }
    const labels = Int32Array.from(frames, (_, i) => blind ? i : Math.floor(i / length));
    const data = { ...collect(frames), chains: labels };
    const options = { names, replicates };
    const { basins, change } = basinThermodynamics(flow, data, options);
    const { freeEnergy, energy, entropy } = change(0, 1);
    const { profile } = combinedProfile(flow, data, { ...options, edges: EDGES });
    const reweighting = freeEnergyDifferenceByReweighting(flow.logWeights, flow.basins, { ...options, frames: data });
    return {
      "basinFreeEnergies() basin": basins[0],
      "basinFreeEnergies() difference": freeEnergy,
      "basinThermodynamics() energy": energy,
      "basinThermodynamics() entropy": entropy,
      "combinedProfile() tail": binOf(profile!, 0),
      "combinedProfile() right": binOf(profile!, 3),
      ...(blind ? {} : {
        "freeEnergyDifferenceByReweighting()": reweighting,
        "headlineOf()": headlineOf({ bar: freeEnergy, reweighting }),
      }),
    } as Record<string, Interval>;
  };
  const energies = WELLS.map((well) => well.mean(doubleWell));
  const correlated = {
    "basinFreeEnergies() basin": -WELLS[0].logZ,
    "basinFreeEnergies() difference": WELL_DIFFERENCE,
    "basinThermodynamics() energy": energies[1] - energies[0],
    "basinThermodynamics() entropy": energies[1] - energies[0] - WELL_DIFFERENCE,
    "combinedProfile() tail": wellLevel(0),
    "combinedProfile() right": wellLevel(3),
  };
  return {
    system: "double well",
    size: `${n} and 2 × ${chains} chains of ${length}`,
    correlation: `moves of ${step}`,
    truths: {
      ...correlated,
      "freeEnergyDifferenceByReweighting()": WELL_DIFFERENCE,
      "headlineOf()": WELL_DIFFERENCE,
    },
    run: (random) => draw(random, false),
    ...(step > 0.5 ? {} : {
      blindTruths: { "basinThermodynamics() energy": correlated["basinThermodynamics() energy"] },
      blind: (random: CounterRandom) => draw(random, true),
    }),
  };
}

/** Harmonic states k(x − m)²/2 + offset. */
const STATES = [
  { center: 0, stiffness: 1, offset: 0 },
  { center: 0.8, stiffness: 2, offset: 5 },
  { center: 1.5, stiffness: 4, offset: -3 },
];

function harmonicStates(chains: number, length: number, correlation: number): Experiment {
  const truth = 0.5 * Math.log(STATES[2].stiffness) + STATES[2].offset;
  const unsampled = 0.5 * Math.log(STATES[1].stiffness) + STATES[1].offset;
  const draw = (random: CounterRandom, blind: boolean) => {
    const lists = [0, 2].map((k) => ({ k, ...manyChains(chains, length, correlation, random) }));
    const states = lists.flatMap(({ k, values }) => Array.from(values, () => k));
    const x = lists.flatMap(({ k, values }) =>
      Array.from(values, (z) => STATES[k].center + z / Math.sqrt(STATES[k].stiffness))
    );
    const blocks = lists.flatMap(({ k, labels }) => Array.from(labels, (label) => 1000 * k + label));
    const rows = STATES.map((s) => x.map((v) => 0.5 * s.stiffness * (v - s.center) ** 2 + s.offset));
    const result = mbar(Float64Array.from(rows.flat()), states, blind || length === 1 ? {} : { blocks });
    const entry = (k: number) =>
      estimateFrom(result.freeEnergies[k], result.standardErrors[k], { degreesOfFreedom: result.degreesOfFreedom[k] });
    return { "mbar()": entry(2), "mbar() unsampled state": entry(1) };
  };
  return {
    system: "harmonic oscillators",
    size: length === 1 ? `2 × ${chains}` : `2 × ${chains} chains of ${length}`,
    correlation: correlation === 0 ? "none" : `ρ = ${correlation}`,
    truths: { "mbar()": truth, "mbar() unsampled state": unsampled },
    run: (random) => draw(random, false),
    ...(correlation > 0 ? { blind: (random: CounterRandom) => draw(random, true) } : {}),
  };
}

/** A spring that stiffens from 1 to 7. */
function stiffening(chains: number, length: number, correlation: number): Experiment {
  const { nodes, weights } = couplingWindows(6);
  const draw = (random: CounterRandom, blind: boolean) => {
    const [values, at, blocks]: number[][] = [[], [], []];
    nodes.forEach((s, k) => {
      const drawn = manyChains(chains, length, correlation, random);
      drawn.values.forEach((z, i) => {
        values.push(3 * z * z / (1 + 6 * s));
        at.push(k);
        blocks.push(chains * k + drawn.labels[i]);
      });
    });
    const options = { nodes, weights, ...(blind ? {} : { blocks }) };
    return { "thermodynamicIntegration()": thermodynamicIntegration(Float64Array.from(values), at, options) };
  };
  return {
    system: "harmonic oscillator that stiffens",
    size: `6 nodes × ${chains} chains of ${length}`,
    correlation: `ρ = ${correlation}`,
    truths: { "thermodynamicIntegration()": 0.5 * Math.log(7) },
    run: (random) => draw(random, false),
    ...(correlation > 0 ? { blind: (random: CounterRandom) => draw(random, true) } : {}),
  };
}

/** Chains that hop between two basins. */
function hopping(chains: number, length: number, odds: readonly [number, number]): Experiment {
  const draw = (random: CounterRandom, blind: boolean) => {
    const basins = new Int32Array(chains * length);
    for (let chain = 0; chain < chains; chain++) {
      let basin = random.uniform() < odds[0] / (odds[0] + odds[1]) ? 1 : 0;
      for (let i = 0; i < length; i++) {
        if (random.uniform() < odds[basin]) basin = 1 - basin;
        basins[chain * length + i] = basin;
      }
    }
    const labels = basins.map((_, i) => Math.floor(i / length) * 16 + (blind ? i % 16 : 0));
    return { "freeEnergyDifferenceByCounting()": freeEnergyDifferenceByCounting(basins, labels, { replicates }) };
  };
  return {
    system: "hopping between two basins",
    size: `${chains} chains of ${length}`,
    correlation: `odds ${odds.join(" and ")}`,
    truths: { "freeEnergyDifferenceByCounting()": Math.log(odds[1] / odds[0]) },
    run: (random) => draw(random, false),
    blind: (random) => draw(random, true),
  };
}

/** Umbrella windows over a double well with a barrier of 6. */
function umbrella(runs: number, length: number): Experiment {
  const potential = (d: number) => 6 * (((d - 1.5) / 0.5) ** 2 - 1) ** 2 + 2 * (d - 1.5);
  const count = 11;
  const bias = (k: number, d: number) => 45 * (d - 0.85 - 1.3 * k / (count - 1)) ** 2;
  const windows = Array.from({ length: count }, (_, k) => exactDensity((d) => potential(d) + bias(k, d), 0.2, 2.8));
  const [left, right, all] = [[0.2, 1.5], [1.5, 2.8], [0.2, 2.8]].map(([a, b]) => exactDensity(potential, a, b).logZ);
  const edges = Float64Array.of(0.9, 1.05, 1.45, 1.55, 1.95, 2.1);
  const level = (bin: number) =>
    all - exactDensity(potential, edges[bin], edges[bin + 1]).logZ + Math.log(edges[bin + 1] - edges[bin]);
  const draw = (random: CounterRandom, blind: boolean) => {
    const coordinate: number[] = [];
    const [labels, blocks]: number[][] = [[], []];
    windows.forEach((window, k) => {
      for (let run = 0; run < runs; run++) {
        metropolisChain(window, { length, step: 0.3, every: 2 }, random).forEach((d, i) => {
          coordinate.push(d);
          labels.push(k);
          blocks.push(blind ? run * length + i : run);
        });
      }
    });
    const { difference, profile } = umbrellaFreeEnergies(
      { coordinate: Float64Array.from(coordinate), windows: labels, blocks },
      { count, bias, edges, split: 1.5, resolution: 0.01, replicates: 50 },
    );
    return {
      "umbrellaFreeEnergies() difference": difference,
      "umbrellaFreeEnergies() profile, well": binOf(profile, 0),
      "umbrellaFreeEnergies() profile, barrier": binOf(profile, 2),
    };
  };
  return {
    system: "double well under umbrellas",
    size: `11 windows × ${runs} runs of ${length}`,
    correlation: "every 2 moves",
    truths: {
      "umbrellaFreeEnergies() difference": left - right,
      "umbrellaFreeEnergies() profile, well": level(0),
      "umbrellaFreeEnergies() profile, barrier": level(2),
    },
    run: (random) => draw(random, false),
    blind: (random) => draw(random, true),
  };
}

/** ΔF = 3 − 2 ln T at eight temperatures with Gaussian errors: ΔU = 2 for all of them. */
function curve(): Experiment {
  const temperatures = [0.5, 0.7, 0.9, 1.1, 1.4, 1.7, 2, 2.5];
  return {
    system: "curve through Gaussian estimates",
    size: "8 temperatures",
    correlation: "none",
    truths: { "thermodynamicCurve() free energy": 3 - 2 * Math.log(1.2), "thermodynamicCurve() energy": 2 },
    run(random) {
      const data = temperatures.map((temperature) => {
        const [f, u] = manyChains(2, 1, 0, random).values;
        return {
          temperature,
          freeEnergy: estimateFrom(3 - 2 * Math.log(temperature) + 0.1 * f, 0.1),
          energy: estimateFrom(2 + 0.3 * u, 0.3),
          covariance: 0,
        };
      });
      const { freeEnergy, energy } = thermodynamicCurve(data).at(1.2)!;
      return {
        "thermodynamicCurve() free energy": estimateFrom(freeEnergy.value, freeEnergy.standardError),
        "thermodynamicCurve() energy": estimateFrom(energy.value, energy.standardError),
      };
    },
  };
}

testCoverage([
  doubleWellBasins(600, 6, 100, 1.2),
  doubleWellBasins(600, 16, 60, 0.3),
  doubleWellBasins(1500, 16, 60, 1.2),
  harmonicStates(150, 1, 0),
  harmonicStates(4, 150, 0.8),
  harmonicStates(20, 50, 0.8),
  stiffening(4, 100, 0.8),
  stiffening(12, 60, 0.9),
  hopping(8, 600, [0.02, 0.06]),
  hopping(32, 300, [0.02, 0.06]),
  umbrella(2, 250),
  umbrella(6, 80),
  curve(),
]);
