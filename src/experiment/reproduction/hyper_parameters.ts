/**
 * The table of hyper-parameters of the dimer.
 *
 * @module
 */
import type { Estimate } from "../../reweighting/estimate.ts";
import {
  type NetworkData,
  networkData,
  type NetworkRecipe,
  networkSamples,
  networkStages,
  type TrainingShare,
  trainNetwork,
  unlessNotFinite,
} from "./dimer_network.ts";
import {
  ERROR_EDGES,
  gatherProfile,
  umbrellaPart,
  type UmbrellaReference,
  umbrellaReference,
} from "./dimer_umbrella_reference.ts";
import { type EstimatorError, estimatorError, jackknifed, profileOf } from "./estimator_error.ts";
import type { Experiment, ExperimentContext, ExperimentResult, ReproductionBudget } from "./experiment.ts";
import { hyperParametersFigure } from "./hyper_parameters_figure.ts";
import {
  type Configuration,
  CONFIGURATION_NOISE,
  configurations,
  type MeasuredConfiguration,
} from "./hyper_parameters_table.ts";
import { printedRange } from "./printed_range.ts";
import { distanceBetween, type Levels } from "./profile_comparison.ts";
import type { ReproducedRow } from "./row.ts";

/** Sizes of a budget. */
interface Sizes {
  /** Rows of the table, by name; default all. */
  readonly rows?: readonly string[];
  /** What replaces the size of all networks, where nothing is accurate. */
  readonly instead?: Pick<NetworkRecipe, "layers" | "hidden">;
  /** How much of the published training. */
  readonly share: TrainingShare;
  /** Chains and frames. */
  readonly data: Parameters<typeof networkData>[1];
  /** Independent draws at each temperature; published: 5. */
  readonly draws: number;
  /** Samples of each; published: 100,000. */
  readonly samples: number;
  /** Replicates of the bootstrap of each; published: 100. */
  readonly replicates: number;
}

const published = {
  data: {
    chains: { train: 32, validate: 2, evaluate: 2 },
    frames: { train: 99_800, validate: 2, evaluate: 2 },
  },
  draws: 5,
  samples: 100_000,
  replicates: 100,
};

const SIZES: Readonly<Record<ReproductionBudget, Sizes>> = {
  smoke: {
    rows: ["base", "base again"],
    instead: { layers: "R4", hidden: [48] },
    share: { likelihood: { divisor: 3, batch: 64 }, mixture: { divisor: 30, batch: 90 } },
    data: {
      chains: { train: 8, validate: 2, evaluate: 2 },
      frames: { train: 400, validate: 2, evaluate: 2 },
    },
    draws: 3,
    samples: 2000,
    replicates: 10,
  },
  default: {
    ...published,
    rows: ["base", "base again", "R4", "RN2", "3 hidden", "50 wide", "w_ML 0.01", "w_ML 1", "w_RC 1"],
    share: { likelihood: { divisor: 4, batch: 1024 }, mixture: { divisor: 4, batch: 1000 } },
  },
  paper: { ...published, share: { likelihood: { divisor: 1, batch: 1024 }, mixture: { divisor: 1, batch: 8000 } } },
};

/** Temperatures of the published table. */
const TEMPERATURES = [0.5, 1, 2] as const;
/** Seeds of networks lie apart. */
const SEEDS_APART = 10_000;
/** Draws of one network at one temperature lie apart in the numbers of their samples. */
const DRAWS_APART = 2 ** 24;

/** What a row of the table is at a temperature. */
interface AtTemperature {
  readonly error: EstimatorError;
  /** F(d) of all draws. */
  readonly profile: Levels;
  /** The same with each draw left out. */
  readonly without: readonly Levels[];
}

/** What is kept of a row. */
interface Measured {
  readonly at: readonly AtTemperature[];
  readonly energyEvaluations: number;
  readonly seconds: number;
  readonly data: { readonly energyEvaluations: number; readonly seconds: number };
}

/**
 * The published table of hyper-parameters in small, with the true error beside the one that was published.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { experimentContext, hyperParametersExperiment } from "@boltzflow/boltzflow/experiment";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const { rows } = await hyperParametersExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 *
 * // The base row of the table, printed with 2.97 and measured: networks this small are far from it.
 * const [{ quantity, published, ours }] = rows;
 * assertEquals(quantity, "ε of the profile, R8, 2×200, w_ML 0.1, w_RC 10");
 * assertEquals(published!.value, "2.97");
 * assert(ours.value! > 10);
 * ```
 */
export const hyperParametersExperiment: Experiment = {
  name: "hyper-parameters",
  title: "Dimer hyper-parameters",
  about:
    "The table of hyper-parameters in the supplement of Noé et al. 2019: networks of the dimer that differ in layers, " +
    "widths or weights of losses, and ε, the standard error of the free-energy profile by bootstrap at T = 0.5, 1 and 2; " +
    "total: root of the sum of squares. Computed as `particles_hyperparameters.py` does: 49 bins of d in [0.7, 2.3], five " +
    "draws of 100,000 samples, 100 replicates each, all in one heap. ε measures noise, not error: beside it stands how far " +
    "the profile is from umbrella sampling, which the paper does not give.",
  long: true,
  parts: (budget) => [...rowsOf(SIZES[budget]).map(({ name }) => name), ...TEMPERATURES.map(umbrellaPart)],
  figures: ["errors"],
  run,
};

function rowsOf({ rows }: Sizes): readonly Configuration[] {
  return rows === undefined ? configurations : configurations.filter(({ name }) => rows.includes(name));
}

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const sizes = SIZES[context.budget];
  let data: Promise<NetworkData> | undefined;
  const dataOnce = () => data ??= networkData(context, sizes.data, [1]);
  const found: { readonly configuration: Configuration; readonly measured: Measured }[] = [];
  const failures: string[] = [];
  for (const configuration of rowsOf(sizes)) {
    const measured = await context.kept(configuration.name, async () => {
      const frames = await dataOnce();
      return await unlessNotFinite(() => measure(context, sizes, configuration, frames));
    });
    if ("failure" in measured) failures.push(`${configuration.name}: ${measured.failure}`);
    else found.push({ configuration, measured });
  }
  const umbrellas: UmbrellaReference[] = [];
  for (const temperature of TEMPERATURES) umbrellas.push(await umbrellaReference(context, temperature));
  const references = umbrellas.map(({ profile }) => gatherProfile(profile, ERROR_EDGES).freeEnergy);
  const table = found.map(({ configuration, measured }): MeasuredConfiguration => ({
    configuration,
    error: totalError(measured),
    distance: totalDistance(measured, references),
  }));
  const figure = await hyperParametersFigure(table);
  return {
    rows: table.flatMap((row, k) => tableRows(row, found[k].measured, references)),
    figures: figure === null ? [] : [figure],
    remarks: remarksOf(sizes, failures),
  };
}

async function measure(
  context: ExperimentContext,
  sizes: Sizes,
  configuration: Configuration,
  data: NetworkData,
): Promise<Measured> {
  const { name, layers, hidden, last } = configuration;
  const start = context.clock();
  const seed = context.seed + SEEDS_APART * (1 + configurations.indexOf(configuration));
  const recipe = { layers, hidden, ...sizes.instead, last, share: sizes.share };
  const { flow, energyEvaluations } = await trainNetwork(context, name, recipe, data, seed);
  const at: AtTemperature[] = [];
  for (const [t, temperature] of TEMPERATURES.entries()) {
    const draws: { logWeights: Float64Array; d: Float64Array }[] = [];
    for (let k = 0; k < sizes.draws; k++) {
      context.onProgress(`sampling ${name}`, (t + k / sizes.draws) / TEMPERATURES.length);
      const first = (t * sizes.draws + k) * DRAWS_APART;
      const { logWeights, d } = await networkSamples(context, flow, {
        temperature,
        samples: sizes.samples,
        first,
        seed,
      });
      draws.push({ logWeights, d });
    }
    at.push({
      error: estimatorError(draws, ERROR_EDGES, { replicates: sizes.replicates, seed }),
      profile: profileOf(draws, ERROR_EDGES),
      without: draws.map((_, out) => profileOf(draws.filter((_, k) => k !== out), ERROR_EDGES)),
    });
  }
  flow.release();
  return {
    at,
    energyEvaluations: energyEvaluations + TEMPERATURES.length * sizes.draws * sizes.samples,
    seconds: (context.clock() - start) / 1000,
    data: { energyEvaluations: data.energyEvaluations, seconds: data.seconds },
  };
}

/** Root of the sum of squares; null where one is missing. */
function total(values: readonly (number | null)[]): number | null {
  return values.includes(null) ? null : Math.hypot(...values.map((value) => value!));
}

function totalError({ at }: Measured): Estimate {
  const without = at[0].error.without.map((_, k) => total(at.map(({ error }) => error.without[k])));
  return jackknifed(total(at.map(({ error }) => error.all)), without);
}

function totalDistance({ at }: Measured, references: readonly Levels[]): Estimate {
  const distances = (pick: (one: AtTemperature) => Levels) =>
    total(at.map((one, t) => distanceBetween(pick(one), references[t])?.value ?? null));
  return jackknifed(
    distances(({ profile }) => profile),
    at[0].without.map((_, k) => distances((one) => one.without[k])),
  );
}

function tableRows(
  { configuration, error, distance }: MeasuredConfiguration,
  { at, energyEvaluations, seconds, data }: Measured,
  references: readonly Levels[],
): ReproducedRow[] {
  const cost = {
    energyEvaluations: energyEvaluations + data.energyEvaluations,
    seconds: seconds + data.seconds,
  };
  const single = (values: readonly (number | null)[]) =>
    values.map((value, t) => `${value === null ? "none" : value.toFixed(2)} at T = ${TEMPERATURES[t]}`).join(", ");
  const cold = at[TEMPERATURES.indexOf(1)].error.all;
  const apart = at.map(({ profile }, t) => distanceBetween(profile, references[t]));
  return [
    {
      quantity: `ε of the profile, ${configuration.title}`,
      unit: "k_BT",
      published: {
        value: configuration.published.join(" and "),
        range: printedRange(...configuration.published),
        source: "Noé et al. 2019 (arXiv), SI table of hyper-parameters, total",
      },
      reference: null,
      ours: error,
      method: "bootstrap over samples and draws, error by leaving draws out",
      ...cost,
      note: `${single(at.map(({ error }) => error.all))}` +
        (cold === null
          ? ""
          : `; √3 ε(T = 1) = ${(Math.sqrt(3) * cold).toFixed(2)}, which the published script computes`),
    },
    {
      quantity: `distance from umbrella sampling, ${configuration.title}`,
      unit: "k_BT",
      published: null,
      reference: null,
      ours: distance,
      method: "root mean square over bins that both profiles fill, less the mean difference",
      ...cost,
      note: apart.map((one, t) => {
        return one === null
          ? `none at T = ${TEMPERATURES[t]}`
          : `${one.value.toFixed(2)} in ${one.bins} bins at T = ${TEMPERATURES[t]}`;
      }).join(", "),
    },
  ];
}

function remarksOf(sizes: Sizes, failures: readonly string[]): string[] {
  const { share, draws, samples, instead } = sizes;
  const stages = networkStages({ share, last: { maximumLikelihood: 0.1, reactionCoordinate: 10 } });
  const steps = stages.slice(1).reduce((sum, stage) => sum + stage.steps, 0);
  return [
    `Every network: ${
      stages[0].steps
    } steps of maximum likelihood with ${share.likelihood.batch} frames and ${steps} of the ` +
    `mixture with ${9 * Math.floor(share.mixture.batch / 9)} samples; ε from ${draws} draws of ${
      samples.toLocaleString("en")
    }. ` +
    "Published: 1,960 steps of 1,024 and 3,800 of 7,992. With less training ε is another number: the column is to be read " +
    "down, not across.",
    "The published script passes the temperature to its function, which ignores it and always samples T = 1. If it made the " +
    "table, its three columns are three measurements at T = 1. We sample each temperature; notes give √3 ε(T = 1).",
    `The table holds one configuration twice, with ${
      CONFIGURATION_NOISE.join(" and ")
    }: differences of half a k_BT between ` +
    "its rows are the noise of a single training. Ours holds the base configuration twice, too, with other seeds.",
    "The table says six blocks where the script has seven, and d in [0.5, 2.5] where the script bins [0.7, 2.3]; w_ML and " +
    "w_RC are those of the last stage.",
    "A small ε does not mean a small error: where few samples carry all weight, bins in which none has been found add " +
    "nothing to ε.",
    ...instead === undefined
      ? []
      : [`In this budget every network is ${instead.layers} of ${instead.hidden.join("–")}.`],
    ...failures.length === 0
      ? []
      : [`Broken off because a number was not finite, and left out: ${failures.join("; ")}`],
  ];
}
