/**
 * Whether error bars are true: one cheap experiment, repeated from new data to new samples.
 *
 * @module
 */
import { Chain } from "../../flow/chain.ts";
import { Flow } from "../../flow/flow.ts";
import { RealNVP } from "../../flow/real_nvp.ts";
import { Whitening } from "../../flow/whitening.ts";
import { BoltzmannGenerator } from "../../hybrid/boltzmann_generator.ts";
import { boltzmannObjective } from "../../hybrid/boltzmann_objective.ts";
import { linePlot } from "../../plot/line_plot.ts";
import { basinFreeEnergies } from "../../reweighting/basin_free_energies.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { logPartitionFunction } from "../../reweighting/exponential_averaging.ts";
import { freeEnergyDifferenceByReweighting } from "../../reweighting/reweighted_difference.ts";
import { metropolis, type MetropolisFrames } from "../../sampling/metropolis.ts";
import { DoubleWell } from "../../system/double_well.ts";
import { FrameBuffer } from "../../training/frame_buffer.ts";
import { train } from "../../training/train.ts";
import type { Experiment, ExperimentContext, ExperimentResult } from "./experiment.ts";
import { exactly, type ReproducedRow } from "./row.ts";

/** Sizes. */
interface CoverageSettings {
  /** Experiments. */
  readonly repeats: number;
  /** Steps of training, first on data, then half as many on data and energy. */
  readonly steps: number;
  /** Samples of each flow. */
  readonly samples: number;
}

const settings: Readonly<Record<ExperimentContext["budget"], CoverageSettings>> = {
  smoke: { repeats: 10, steps: 100, samples: 3000 },
  default: { repeats: 200, steps: 200, samples: 10_000 },
  paper: { repeats: 1000, steps: 200, samples: 10_000 },
};

/** Chains of each data set, half of which start in each well. */
const CHAINS = 80;
/** Share of intervals that must hold the truth: 183 to 197 of 200. */
const BAND = [183 / 200, 197 / 200] as const;

/** What one experiment says. */
type Answers = Readonly<Record<Quantity, Estimate>>;
type Quantity = "ΔF(right − left), acceptance ratio" | "ΔF(right − left), reweighting" | "ln Z, reweighting";

const names = ["left", "right"];
const basinOf = (x: Float64Array) => Int32Array.from({ length: x.length / 2 }, (_, i) => x[2 * i] < 0 ? 0 : 1);

/** Short chains of either well: they know the shape of each, but not how the two compare. */
function sampleWells(system: DoubleWell, seed: number): MetropolisFrames {
  const start = Float64Array.from({ length: 2 * CHAINS }, (_, i) => [-1.8, 0, 1.7, 0][i % 4]);
  return metropolis(system, { start, step: 0.4, burnIn: 100, steps: 300, stride: 10, seed });
}

async function trainFlow(system: DoubleWell, data: Float64Array, steps: number, seed: number): Promise<Flow> {
  const frames = new FrameBuffer({ dim: 2, capacity: data.length / 2, seed });
  frames.push(data);
  const couplings = new RealNVP({ dim: 2, blocks: 3, hidden: [24, 24], seed });
  const flow = new Flow(new Chain([couplings, Whitening.fit(data, 2)]));
  const common = { batch: 128, learningRate: { shape: "cosine", initial: 5e-3 } } as const;
  await train({
    parameters: flow.parameters(),
    stages: [
      { ...common, name: "data", steps, weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 } },
      {
        ...common,
        name: "data and energy",
        steps: steps / 2,
        weights: { maximumLikelihood: 1, energy: 0.2, reactionCoordinate: 0 },
      },
    ],
    objective: boltzmannObjective({
      flow,
      system,
      beta: 1,
      seed,
      data: (n, stage, step) => frames.batch(n, stage, step),
    }),
  });
  return flow;
}

/** One experiment: data, training, samples, fresh data, estimates. */
async function experimentOnce(
  system: DoubleWell,
  { steps, samples }: CoverageSettings,
  seed: number,
): Promise<{ answers: Answers; energyEvaluations: number }> {
  const [data, fresh] = [sampleWells(system, 2 * seed), sampleWells(system, 2 * seed + 1)];
  const flow = await trainFlow(system, data.x, steps, seed);
  const generator = new BoltzmannGenerator(flow, system);
  const { x, logWeights } = generator.sample(samples, { seed });
  const basins = basinOf(x);
  const frames = { logWeights: generator.logWeights(fresh.x), basins: basinOf(fresh.x), chains: fresh.chain };
  flow.release();
  const byBasin = basinFreeEnergies({ logWeights, basins }, frames, { names });
  return {
    answers: {
      "ΔF(right − left), acceptance ratio": byBasin.difference(0, 1),
      "ΔF(right − left), reweighting": freeEnergyDifferenceByReweighting(
        logWeights,
        basins,
        { names, frames },
      ),
      "ln Z, reweighting": logPartitionFunction(logWeights, { frames }),
    },
    energyEvaluations: data.energyEvaluations + fresh.energyEvaluations + 64 * steps + samples + fresh.chain.length,
  };
}

const quantities: readonly Quantity[] = [
  "ΔF(right − left), acceptance ratio",
  "ΔF(right − left), reweighting",
  "ln Z, reweighting",
];

/**
 * Counts how many of the intervals hold the truth, of all and of those that are called reliable, and finds their median
 * half-width.
 */
export function judgeIntervals(estimates: readonly Estimate[], truth: number) {
  const known = estimates.flatMap(({ interval95, reliable }) => interval95 === null ? [] : [{ interval95, reliable }]);
  const holds = ({ interval95: [low, high] }: typeof known[number]) => low <= truth && truth <= high;
  const halfWidths = known.map(({ interval95: [low, high] }) => (high - low) / 2).sort((a, b) => a - b);
  const reliable = known.filter((estimate) => estimate.reliable);
  return {
    held: known.filter(holds).length,
    intervals: known.length,
    halfWidth: halfWidths[halfWidths.length >> 1] ?? NaN,
    reliable: reliable.length,
    reliableHeld: reliable.filter(holds).length,
  };
}

function rowOf(
  quantity: Quantity,
  all: readonly Answers[],
  truth: number,
  cost: Pick<ReproducedRow, "energyEvaluations" | "seconds">,
): ReproducedRow {
  const repeats = all.length;
  const { held, intervals, halfWidth, reliable, reliableHeld } = judgeIntervals(
    all.map((answers) => answers[quantity]),
    truth,
  );
  // Of few repeats nothing can be said about too wide intervals.
  const least = repeats < 100 ? Math.floor(repeats * 0.95 - 4 * Math.sqrt(repeats * 0.0475)) : BAND[0] * repeats;
  return {
    quantity: `95 % intervals that hold the exact ${quantity.split(",")[0]}, of ${repeats}: ${quantity.split(", ")[1]}`,
    unit: "",
    published: null,
    reference: null,
    ours: exactly(held),
    method: `median half-width ${halfWidth.toPrecision(2)} k_BT`,
    goal: [least, repeats < 100 ? repeats : BAND[1] * repeats],
    ...cost,
    note: `${intervals} of ${repeats} experiments had an interval; ${reliable} were called reliable, of which ` +
      `${reliableHeld} hold the truth.`,
  };
}

async function draw(all: readonly Answers[], truth: number): Promise<string> {
  const estimates = all.map((answers) => answers["ΔF(right − left), acceptance ratio"])
    .flatMap(({ value, interval95 }) => value === null || interval95 === null ? [] : [{ value, interval95 }])
    .sort((a, b) => a.value - b.value);
  const isIn = (i: number) => estimates[i].interval95[0] <= truth && truth <= estimates[i].interval95[1];
  const places = estimates.map((_, i) => i);
  const series = (label: string, chosen: readonly number[], color: string) => ({
    label,
    x: chosen.map((i) => i + 1),
    y: chosen.map((i) => estimates[i].value),
    error: chosen.map((i) => (estimates[i].interval95[1] - estimates[i].interval95[0]) / 2),
    errorStyle: "bars" as const,
    line: "none" as const,
    markers: "filled" as const,
    color,
  });
  const missing = places.filter((i) => !isIn(i));
  return await linePlot([
    series("95 % interval", places.filter(isIn), "blue"),
    ...missing.length === 0 ? [] : [series("misses the exact value", missing, "vermillion")],
    { label: "exact", x: [0, estimates.length + 1], y: [truth, truth], line: "dashed", color: "black" },
  ], { x: { label: "experiment, in the order of its result" }, y: { label: "Δ*F*(right − left) / k_BT" } });
}

/** Repeats the experiment and counts. */
async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const { budget, seed, clock, signal, onProgress } = context;
  const size = settings[budget];
  const system = new DoubleWell();
  const start = clock();
  const all: Answers[] = [];
  let energyEvaluations = 0;
  for (let k = 0; k < size.repeats; k++) {
    signal?.throwIfAborted();
    onProgress("repeating", k / size.repeats);
    const once = await experimentOnce(system, size, 10_000 * seed + k);
    all.push(once.answers);
    energyEvaluations += once.energyEvaluations;
  }
  const { freeEnergyDifference, logPartition } = system.exact(1);
  const truthOf = (quantity: Quantity) => quantity.startsWith("ln") ? logPartition : freeEnergyDifference;
  const cost = { energyEvaluations, seconds: (clock() - start) / 1000 };
  return {
    rows: quantities.map((quantity) => rowOf(quantity, all, truthOf(quantity), cost)),
    figures: [{
      name: "intervals",
      svg: await draw(all, freeEnergyDifference),
      caption:
        `Δ*F* of the double well with its 95 % interval in ${size.repeats} experiments, each with data, a flow and ` +
        "samples of its own; dashed: quadrature.",
    }],
    remarks: [
      "Of intervals that are exactly right 1.3 % of such counts leave the band of 183 to 197 in 200 by chance. All " +
      "intervals count, those of estimates that are called unreliable, too.",
    ],
  };
}

/**
 * Repeats one cheap experiment on the double well 200 times, each with data, training and samples of its own, and counts
 * how many of the stated 95 % intervals hold the exact value.
 *
 * @example
 * ```ts
 * import { coverageExperiment, experimentContext, verdictOf } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { rows } = await coverageExperiment.run(await experimentContext());
 *
 * assertEquals(verdictOf(rows[0]).kind, "reached");
 * ```
 */
export const coverageExperiment: Experiment = {
  name: "coverage",
  title: "Whether the error bars are true",
  about:
    "One cheap experiment, the double well at T = 1, repeated with data, training and samples of its own: the stated " +
    "95 % intervals must hold the exact value 183 to 197 times in 200. No paper shows this.",
  long: false,
  parts: () => [],
  figures: ["intervals"],
  run,
};
