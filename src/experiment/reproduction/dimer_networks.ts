/**
 * Averages over independently trained networks of the dimer.
 *
 * @module
 */
import { type Estimate, noEstimate } from "../../reweighting/estimate.ts";
import type { ByBasin } from "../dimer_results.ts";
import { fixed } from "../report_numbers.ts";
import { temperatureText } from "../temperature_units.ts";
import {
  type NetworkData,
  networkData,
  type NetworkRecipe,
  networkStages,
  type TrainingShare,
  unlessNotFinite,
} from "./dimer_network.ts";
import { type JudgedNetwork, type JudgementOptions, judgeNetwork } from "./dimer_network_judgement.ts";
import { networksFigure } from "./dimer_networks_figure.ts";
import {
  gatherProfile,
  minimaDifference,
  NETWORK_EDGES,
  referenceOf,
  umbrellaPart,
  type UmbrellaReference,
  umbrellaReference,
} from "./dimer_umbrella_reference.ts";
import type { Experiment, ExperimentContext, ExperimentResult, ReproductionBudget } from "./experiment.ts";
import { alignedTo, distanceBetween, type Levels, spreadOf } from "./profile_comparison.ts";
import { publishedAt, publishedDisagree } from "./published_dimer.ts";
import type { ReproducedRow } from "./row.ts";
import { independentMean } from "./independent_mean.ts";

/** Sizes of a budget. */
interface Sizes {
  /** Networks; published: 10 to 20. */
  readonly networks: number;
  /** Layers and hidden layers. */
  readonly network: Pick<NetworkRecipe, "layers" | "hidden">;
  /** How much of the published training. */
  readonly share: TrainingShare;
  /** Chains and frames. */
  readonly data: Parameters<typeof networkData>[1];
  /** Samples of each network at each temperature; published: 1e6. */
  readonly samples: number;
  /** Replicates of the bootstraps. */
  readonly bootstraps: number;
}

const published = {
  network: { layers: "R8", hidden: [200, 200] },
  data: {
    chains: { train: 32, validate: 2, evaluate: 64 },
    frames: { train: 99_800, validate: 2, evaluate: 3200 },
  },
};

const SIZES: Readonly<Record<ReproductionBudget, Sizes>> = {
  smoke: {
    networks: 2,
    network: { layers: "R4", hidden: [48] },
    share: { likelihood: { divisor: 3, batch: 64 }, mixture: { divisor: 20, batch: 90 } },
    data: {
      chains: { train: 8, validate: 2, evaluate: 16 },
      frames: { train: 400, validate: 2, evaluate: 64 },
    },
    samples: 2000,
    bootstraps: 20,
  },
  default: {
    ...published,
    networks: 4,
    share: { likelihood: { divisor: 2, batch: 1024 }, mixture: { divisor: 2, batch: 1000 } },
    samples: 200_000,
    bootstraps: 200,
  },
  paper: {
    ...published,
    networks: 20,
    share: { likelihood: { divisor: 1, batch: 1024 }, mixture: { divisor: 1, batch: 8000 } },
    samples: 1_000_000,
    bootstraps: 200,
  },
};

/** Temperatures of the published profiles. */
const TEMPERATURES = [0.5, 1, 2] as const;
/** Weights of the last stage in the script; the paper's table says 0.01 for the first. */
const LAST = { maximumLikelihood: 0.1, reactionCoordinate: 10 } as const;
/** Bins of the two wells, over which the published profiles are aligned. */
const WELLS = [3, 4, 5, 6, 7, 8, 9, 19, 20, 21, 22, 23, 24, 25] as const;
/** Seeds of networks lie apart. */
const SEEDS_APART = 10_000;

/** What is kept of a network that broke off. */
interface Failed {
  readonly failure: string;
}

const partOf = (network: number) => `network ${network}`;

/**
 * Averages over independently trained networks of the published kind, at three temperatures, with the published estimator
 * and with frames beside, against umbrella sampling.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { dimerNetworksExperiment, experimentContext } from "@boltzflow/boltzflow/experiment";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const { rows } = await dimerNetworksExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 * const found = rows.find(({ quantity }) => quantity.startsWith("ΔF(open − closed), T = 1,"))!;
 *
 * assertAlmostEquals(found.reference!.value, 6.726, 0.013); // umbrella sampling
 * ```
 */
export const dimerNetworksExperiment: Experiment = {
  name: "dimer-networks",
  title: "Dimer free energies from averages over networks",
  about:
    "The published recipe of the dimer (Noé et al. 2019, arXiv Fig. 3i; `particles_train.py`), at the default budget with " +
    "half its steps, an eighth of its batch and a fifth of its samples: RealNVP of eight blocks, " +
    "two hidden layers of 200 (tanh), x | y channels, trained on frames at T = 1 by maximum likelihood and then by " +
    "six mixtures of J_ML, J_KL, J_W and J_RC at nine temperatures from 0.1 to 4 at once, the prior's variance scaled " +
    "with T. Each network's samples are reweighted at T = 0.5, 1 and 2; samples outside the reference domain have weight " +
    "zero; profiles on 29 bins are aligned over both wells and averaged over networks. Beside it, the same networks " +
    "with frames and the Bennett acceptance ratio in each basin.",
  long: true,
  parts: (budget) => [
    ...Array.from({ length: SIZES[budget].networks }, (_, k) => partOf(k)),
    ...TEMPERATURES.map(umbrellaPart),
  ],
  figures: ["profiles"],
  run,
};

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const sizes = SIZES[context.budget];
  let data: Promise<NetworkData> | undefined;
  const dataOnce = () => data ??= networkData(context, sizes.data, TEMPERATURES);
  const networks: (JudgedNetwork | Failed)[] = [];
  for (let k = 0; k < sizes.networks; k++) {
    networks.push(
      await context.kept(partOf(k), async () => {
        const frames = await dataOnce();
        return await unlessNotFinite(() => judgeNetwork(context, judgementOf(context, sizes, k), frames));
      }),
    );
  }
  const umbrellas: UmbrellaReference[] = [];
  for (const temperature of TEMPERATURES) umbrellas.push(await umbrellaReference(context, temperature));
  const judged = networks.filter((network) => "judgements" in network);
  const failed = networks.filter((network) => "failure" in network);
  const profiles = TEMPERATURES.map((_, t) => judged.map(({ judgements }) => judgements[t].profile));
  const figure = judged.length === 0 ? null : await networksFigure(profiles, umbrellas, TEMPERATURES, WELLS);
  return {
    rows: TEMPERATURES.flatMap((_, t) => rowsAt(judged, t, umbrellas[t])),
    figures: figure === null ? [] : [figure],
    remarks: remarksOf(sizes, judged, failed, profiles, umbrellas),
  };
}

function judgementOf(
  { budget, seed }: ExperimentContext,
  { samples, bootstraps }: Sizes,
  k: number,
): JudgementOptions {
  return { part: partOf(k), recipe: recipeOf(budget), seed: seed + SEEDS_APART * (k + 1), samples, bootstraps };
}

/**
 * Says how the networks of a budget are made and taught.
 *
 * @param budget how thorough
 * @returns layers, hidden layers, share of the published training, weights of its last stage
 */
export function recipeOf(budget: ReproductionBudget): NetworkRecipe {
  const { network, share } = SIZES[budget];
  return { ...network, share, last: LAST };
}

/**
 * Averages what independent networks say.
 *
 * @param estimates one of each network
 * @returns the mean with the standard error over networks, Student's t; unreliable where one of them doubts itself
 */
export function meanOverNetworks(estimates: readonly Estimate[]): Estimate {
  const known = estimates.filter(({ value }) => value !== null);
  if (known.length < 2) {
    return noEstimate(`${known.length} of ${estimates.length} networks have an estimate, and a spread takes two`);
  }
  const doubted = estimates.filter(({ reliable }) => !reliable);
  const reason = doubted.length === 0
    ? null
    : `${doubted.length} of ${estimates.length} networks doubt their own estimate, the first because ${
      doubted[0].reason
    }`;
  return independentMean(known.map(({ value }) => value!), reason);
}

const METHODS = {
  reweighting: "plain reweighting, as published",
  bar: "BAR in each basin, with frames",
} as const;

function rowsAt(judged: readonly JudgedNetwork[], t: number, umbrella: UmbrellaReference): ReproducedRow[] {
  const temperature = TEMPERATURES[t];
  const sum = (of: (network: JudgedNetwork) => number) => judged.reduce((total, network) => total + of(network), 0);
  // The data were sampled once, for all of them.
  const [first] = judged;
  const cost = {
    energyEvaluations: (first?.data.energyEvaluations ?? 0) + sum(({ energyEvaluations }) => energyEvaluations),
    seconds: (first?.data.seconds ?? 0) + sum(({ seconds }) => seconds),
  };
  return (Object.keys(METHODS) as (keyof typeof METHODS)[]).map((name): ReproducedRow => ({
    quantity: `ΔF(open − closed), T = ${temperatureText(temperature)}, mean of ${judged.length} networks, ${
      name === "bar" ? "BAR" : "reweighting"
    }`,
    unit: "k_BT",
    published: publishedAt(temperature),
    reference: referenceOf(umbrella),
    ours: meanOverNetworks(judged.map(({ judgements }) => judgements[t].difference[name])),
    method: METHODS[name],
    ...cost,
    note: `${valuesText(judged, t, name)}; Kish efficiency ${
      efficiencyText(judged, t)
    }; cost of all networks and temperatures`,
  }));
}

function valuesText(judged: readonly JudgedNetwork[], t: number, name: keyof typeof METHODS): string {
  const values = judged.map(({ judgements }) => fixed(judgements[t].difference[name].value, 2));
  return `single networks ${values.join(", ")}`;
}

function efficiencyText(judged: readonly JudgedNetwork[], t: number): string {
  const of = (basin: keyof ByBasin) => {
    const known = judged.map(({ judgements }) => judgements[t].efficiency[basin]).filter((share) => share !== null);
    if (known.length === 0) return "none";
    return (known.reduce((sum, share) => sum + share, 0) / known.length).toExponential(0);
  };
  return `${of("closed")} of closed, ${of("open")} of open samples`;
}

function remarksOf(
  { share, samples }: Sizes,
  judged: readonly JudgedNetwork[],
  failed: readonly Failed[],
  profiles: readonly (readonly Levels[])[],
  umbrellas: readonly UmbrellaReference[],
): string[] {
  const stages = networkStages({ share, last: LAST });
  const steps = stages.slice(1).reduce((sum, stage) => sum + stage.steps, 0);
  const shapes = TEMPERATURES.map((temperature, t) => {
    const mean = profiles[t].length === 0
      ? []
      : spreadOf(profiles[t].map((one) => alignedTo(one, WELLS))).map((bin) => bin.mean);
    const apart = distanceBetween(mean, gatherProfile(umbrellas[t].profile, NETWORK_EDGES).freeEnergy);
    return apart === null
      ? `none at T = ${temperature}`
      : `${apart.value.toFixed(1)} at T = ${temperature} (${apart.bins} bins)`;
  });
  return [
    `${judged.length} networks, each ${
      stages[0].steps
    } steps of maximum likelihood with ${share.likelihood.batch} frames and ` +
    `${steps} of the mixture with ${9 * Math.floor(share.mixture.batch / 9)} samples, then ${
      samples.toLocaleString("en")
    } samples ` +
    "at each temperature. Published: 1,960 steps of 1,024, 3,800 of 7,992, 10 to 20 networks of 1,000,000 samples.",
    `Root mean square distance of the mean profile from umbrella sampling in k_BT: ${shapes.join(", ")}.`,
    "Weights are spread over many k_BT and a few samples carry the average: the spread over networks measures noise but not " +
    "the bias that all share. The published error bars are such spreads. Whether sixteen times the energies of training " +
    "would narrow the weights, as the published sizes have them, only `--budget paper` can tell.",
    "Chains of the data are in equilibrium and ordered by the reference domain (nearest sites, dimer by x); the published " +
    "ones were short enough for the dimer never to turn. The last stage has w_ML = 0.1 as in the script; the paper's table " +
    "says 0.01.",
    publishedDisagree(
      umbrellas.filter(({ temperature }) => publishedAt(temperature) !== null)
        .map((umbrella) => [umbrella.temperature, minimaDifference(umbrella)]),
    ),
    ...failed.length === 0 ? [] : [
      `${failed.length} networks broke off and are left out, as published ones were that gave NaN: ${
        failed[0].failure
      }`,
    ],
  ];
}
