/**
 * Many-well-32: sixteen double wells side by side, 65,536 modes.
 *
 * @module
 */
import { Chain } from "../../flow/chain.ts";
import { Flow } from "../../flow/flow.ts";
import { NeuralSpline } from "../../flow/neural_spline.ts";
import { Scaling } from "../../flow/scaling.ts";
import { BoltzmannGenerator, type WeightedSamples } from "../../hybrid/boltzmann_generator.ts";
import { boltzmannObjective } from "../../hybrid/boltzmann_objective.ts";
import { figureGrid } from "../../plot/figure_grid.ts";
import { histogramDensity } from "../../plot/histogram.ts";
import { linePlot } from "../../plot/line_plot.ts";
import { RandomStream } from "../../random/random_stream.ts";
import { estimateFrom } from "../../reweighting/estimate.ts";
import { logMeanExp } from "../../reweighting/log_sum_exp.ts";
import { metropolis, type MetropolisFrames } from "../../sampling/metropolis.ts";
import { DoubleWell } from "../../system/double_well.ts";
import { ManyWell, type ManyWellReference } from "../../system/many_well.ts";
import { train } from "../../training/train.ts";
import { evaluatePartition } from "../partition_evaluation.ts";
import { weightedMean } from "../weighted_means.ts";
import type { ExperimentContext, ExperimentFigure } from "./experiment.ts";
import { printedRange } from "./printed_range.ts";
import { exactly, type ReproducedRow } from "./row.ts";
import { type Cost, costOf, efficiencyOf, type SystemsSettings } from "./systems_settings.ts";

/** Samples of an estimate of ln Z whose error is published. */
const PUBLISHED_SAMPLES = 2000;
/** Stream of the draws that join wells. */
const JOINING = 0xb1;
/** Bins of the marginals, from −3 to 3. */
const BINS = 60;
const RANGE = [-3, 3] as const;

/** What the pictures are drawn from. */
export interface ManyWellPicture {
  /** Density of x in bins: of the flow's samples as they are, all wells together. */
  readonly density: Float64Array;
  /** P(x > 0) of each well, reweighted, with its error. */
  readonly right: Float64Array;
  readonly rightError: Float64Array;
}

/** Rows and what the pictures are drawn from. */
export interface ManyWellResult {
  readonly rows: ReproducedRow[];
  readonly picture: ManyWellPicture;
}

/** Chains of one well that hop between its sides: moves of √2 widths of the barrier's region. */
function wellChains({ chains, moves }: SystemsSettings["manyWell"], seed: number): MetropolisFrames {
  const { a, b, c, k } = new ManyWell().parameters;
  const start = Float64Array.from({ length: 2 * chains }, (_, i) => i % 2 === 1 ? 0 : i % 4 === 0 ? -1.7 : 1.7);
  return metropolis(new DoubleWell({ a, b, c, k }), {
    start,
    step: 1.1,
    burnIn: moves,
    steps: moves,
    stride: 20,
    seed,
  });
}

/** Draws configurations whose wells are frames of chains of their own, all chosen at random. */
function joined({ x, chain }: MetropolisFrames, wells: number, n: number, random: RandomStream): Float64Array {
  const configurations = new Float64Array(2 * wells * n);
  for (let i = 0; i < wells * n; i++) {
    const from = 2 * random.integer(chain.length);
    configurations.set(x.subarray(from, from + 2), 2 * i);
  }
  return configurations;
}

/** Frames of the whole system from chains of single wells: each sixteen chains are one chain of the system. */
function systemFrames({ x, chain }: MetropolisFrames, wells: number): { x: Float64Array; chain: Int32Array } {
  const chains = chain.reduce((most, c) => Math.max(most, c), 0) + 1;
  const groups = Math.floor(chains / wells);
  const rows = chain.length / chains;
  const frames = new Float64Array(rows * groups * 2 * wells);
  for (let row = 0; row < rows; row++) {
    const used = x.subarray(2 * row * chains, 2 * (row * chains + groups * wells));
    frames.set(used, row * used.length);
  }
  return { x: frames, chain: Int32Array.from({ length: rows * groups }, (_, i) => i % groups) };
}

async function trainOnWells(
  { pool, seed, signal, onProgress }: ExperimentContext,
  system: ManyWell,
  data: MetropolisFrames,
  { steps, batch }: SystemsSettings["manyWell"],
): Promise<Flow> {
  const { dim } = system;
  const { wells } = system.parameters;
  const splines = new NeuralSpline({ dim, blocks: 1, hidden: [64, 64], bins: 16, bound: 4, seed });
  const flow = new Flow(new Chain([splines, new Scaling({ dim })]));
  const weights = { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 };
  const stage = { steps, batch, learningRate: { shape: "cosine", initial: 3e-3, final: 1e-5, warmup: 20 } } as const;
  await train({
    parameters: flow.parameters(),
    stages: [
      { ...stage, name: "data", weights },
      { ...stage, name: "data and energy", steps: steps / 2, weights: { ...weights, energy: 1 } },
    ],
    objective: boltzmannObjective({
      flow,
      system,
      beta: 1,
      seed,
      data: (n, stage, step) => joined(data, wells, n, new RandomStream(seed, JOINING + stage, step)),
    }),
    pool,
    onStep: ({ index, step }) => onProgress("many-well-32: training", (index * steps + step) / (1.5 * steps)),
    ...signal && { signal },
  });
  signal?.throwIfAborted();
  return flow;
}

/**
 * Trains a flow on many wells and compares.
 *
 * @param context threads, seed, clock
 * @param size sizes
 * @returns rows, and what the pictures are drawn from
 */
export async function reproduceManyWell(
  context: ExperimentContext,
  size: SystemsSettings["manyWell"],
): Promise<ManyWellResult> {
  const cost = costOf(context);
  const { seed, pool, signal } = context;
  const system = new ManyWell();
  const { wells } = system.parameters;
  const [data, fresh] = [wellChains(size, 2 * seed), wellChains(size, 2 * seed + 1)];
  const flow = await trainOnWells(context, system, data, size);
  const frames = systemFrames(fresh, wells);
  const evaluation = await evaluatePartition(new BoltzmannGenerator(flow, system), frames, {
    samples: size.samples,
    bootstraps: 200,
    framesRelaxed: true,
    seed,
    pool,
    onProgress: (done) => context.onProgress("many-well-32: sampling", done),
    ...signal && { signal },
  });
  flow.release();
  const energies = (data.energyEvaluations + fresh.energyEvaluations) / wells + size.steps * size.batch / 2 +
    size.samples + frames.chain.length;
  const exact = system.exact(1);
  const right = sidesOf(evaluation.samples, wells);
  return {
    rows: rowsOf(evaluation, exact, right, cost(Math.round(energies))),
    picture: {
      density: histogramDensity({ values: firstCoordinates(evaluation.samples.x) }, RANGE, BINS).density,
      right: Float64Array.from(right.perWell, ({ value }) => value!),
      rightError: Float64Array.from(right.perWell, ({ standardError }) => standardError!),
    },
  };
}

function firstCoordinates(x: Float64Array): Float64Array {
  return x.filter((_, i) => i % 2 === 0);
}

/** P(x > 0) by reweighting: of each well, and of all. */
function sidesOf({ x, logWeights }: WeightedSamples, wells: number) {
  const share = (s: number, w: number) => x[2 * (s * wells + w)] > 0 ? 1 : 0;
  const perWell = Array.from(
    { length: wells },
    (_, w) => weightedMean(logWeights.map((_, s) => share(s, w)), { logWeights }),
  );
  const counts = logWeights.map((_, s) => {
    let sum = 0;
    for (let w = 0; w < wells; w++) sum += share(s, w) / wells;
    return sum;
  });
  return { perWell, all: weightedMean(counts, { logWeights }) };
}

/** How many modes samples are in. */
export function modesOf(x: Float64Array, wells: number): number {
  const modes = new Set<number>();
  for (let s = 0; s < x.length; s += 2 * wells) {
    let mode = 0;
    for (let w = 0; w < wells; w++) mode = 2 * mode + (x[s + 2 * w] > 0 ? 1 : 0);
    modes.add(mode);
  }
  return modes.size;
}

/** How many modes n exact samples would be in: the mean, and a bound on its standard deviation. */
export function expectedModes(rightProbability: number, wells: number, n: number): { mean: number; error: number } {
  let [mean, variance, ways] = [0, 0, 1];
  for (let right = 0; right <= wells; right++) {
    const p = rightProbability ** right * (1 - rightProbability) ** (wells - right);
    const missed = (1 - p) ** n;
    mean += ways * (1 - missed);
    // Modes that are found or not are anticorrelated: their variances are at least that of the sum.
    variance += ways * missed * (1 - missed);
    ways *= (wells - right) / (right + 1);
  }
  return { mean, error: Math.sqrt(variance) };
}

function rowsOf(
  { samples, logPartition }: Awaited<ReturnType<typeof evaluatePartition>>,
  exact: ManyWellReference,
  right: ReturnType<typeof sidesOf>,
  cost: Cost,
): ReproducedRow[] {
  const n = samples.logWeights.length;
  const { wells } = new ManyWell().parameters;
  const quadrature = (value: number) => ({ value, standardError: 0, method: "quadrature of one well" });
  const modes = expectedModes(exact.rightProbability, wells, n);
  const common = { unit: "", published: null, ...cost };
  return [
    {
      ...common,
      quantity: "ln Z, many-well-32",
      published: {
        value: "164.69568",
        range: printedRange("164.69568"),
        source: "code of flow annealed importance sampling bootstrap (fab-jax): ln 11784.50927 + ½ ln 2π for each well",
      },
      reference: quadrature(exact.logPartition),
      ours: logPartition.bar,
      method: "acceptance ratio, flow and Monte Carlo",
    },
    { ...common, ...meanError(samples.logWeights, exact.logPartition) },
    {
      ...common,
      quantity: `sampling efficiency, many-well-32, ${n} samples`,
      reference: null,
      ours: efficiencyOf(samples),
      method: "Kish",
    },
    {
      ...common,
      quantity: `modes in ${n} samples, many-well-32, of 65,536`,
      reference: { value: modes.mean, standardError: modes.error, method: "expected of exact samples" },
      ours: exactly(modesOf(samples.x, wells)),
      method: "counted, without weights",
      note: "Modes of few right-hand wells are so improbable that exact samples would miss them too.",
    },
    {
      ...common,
      quantity: "P(x > 0), many-well-32, mean of the wells",
      reference: quadrature(exact.rightProbability),
      ours: right.all,
      method: "reweighted flow samples",
    },
  ];
}

/** Mean of |ln Z − exact| of estimates from 2000 samples each. */
function meanError(logWeights: Float64Array, exact: number) {
  const size = Math.min(PUBLISHED_SAMPLES, logWeights.length / 2);
  const errors = Array.from(
    { length: Math.floor(logWeights.length / size) },
    (_, k) => Math.abs(logMeanExp(logWeights.subarray(k * size, (k + 1) * size)) - exact),
  );
  const mean = errors.reduce((sum, e) => sum + e, 0) / errors.length;
  const squares = errors.reduce((sum, e) => sum + (e - mean) ** 2, 0);
  return {
    quantity: `mean |ln Z − exact| of ${size} samples, many-well-32`,
    published: { value: "0.0316 ± 0.0042", source: "fab-jax, README: 2000 samples, 5 networks, no data" },
    reference: null,
    ours: estimateFrom(mean, Math.sqrt(squares / (errors.length - 1) / errors.length)),
    method: `${errors.length} estimates of one flow, trained on data`,
    note:
      "The numbers do not compare: the published networks had no data and had to find all modes from the energy; ours was shown " +
      "configurations whose wells were drawn independently of each other, which holds the answer.",
  };
}

/**
 * Draws marginals and sides of the wells.
 *
 * @param picture what was found
 * @returns the figure
 */
export async function manyWellFigure({ density, right, rightError }: ManyWellPicture): Promise<ExperimentFigure> {
  const system = new ManyWell();
  const { a, b, c, k, wells } = system.parameters;
  const line = Float64Array.from({ length: 301 }, (_, i) => RANGE[0] + (RANGE[1] - RANGE[0]) * i / 300);
  const well = new DoubleWell({ a, b, c, k, dim: 1 });
  const { logPartition } = well.exact(1);
  const middles = density.map((_, i) => RANGE[0] + (RANGE[1] - RANGE[0]) * (i + 0.5) / BINS);
  const numbers = Float64Array.from({ length: wells }, (_, w) => w + 1);
  const { rightProbability } = system.exact(1);
  const size = { width: 480, height: 340 };
  const panels = [
    await linePlot([
      { label: "flow, all wells, no weights", x: middles, y: density, line: "none", markers: "filled", color: "blue" },
      {
        label: "exact",
        x: line,
        y: well.energy(line).map((u) => Math.exp(-u - logPartition)),
        line: "dashed",
        color: "black",
      },
    ], { ...size, x: { label: "*x* of a well" }, y: { label: "probability density" } }),
    await linePlot([
      {
        label: "flow, reweighted",
        x: numbers,
        y: right,
        error: rightError,
        errorStyle: "bars",
        line: "none",
        markers: "filled",
        color: "blue",
      },
      {
        label: "exact",
        x: [0.5, wells + 0.5],
        y: [rightProbability, rightProbability],
        line: "dashed",
        color: "black",
      },
    ], { ...size, x: { label: "number of the well", domain: [0.5, wells + 0.5] }, y: { label: "*P*(*x* > 0)" } }),
  ];
  return {
    name: "many-well",
    svg: await figureGrid(panels, { columns: 2, description: "Marginals of many-well-32 and the sides of its wells" }),
    caption:
      "Many-well-32. (a) Density of the first coordinate of a well: samples of the flow without weights, all wells " +
      "together, and the exact density. (b) Probability of the right-hand side for each well, reweighted, with one " +
      "standard error.",
  };
}
