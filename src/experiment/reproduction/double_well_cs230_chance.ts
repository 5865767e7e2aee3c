/**
 * What becomes of the right well is a matter of chance in the training of the CS-230 report: how much of one.
 *
 * @module
 */
import { fixed } from "../report_numbers.ts";
import { basinPopulation } from "./basin_population.ts";
import { doubleWell, wells } from "./double_well_basins.ts";
import { type Cs230Settings, teachCs230 } from "./double_well_cs230_flow.ts";
import type { ExperimentContext } from "./experiment.ts";
import { independentMedian } from "./independent_median.ts";
import { byQuadrature, type ReproducedRow } from "./row.ts";

/** Samples of a flow at most. */
const MOST_SAMPLES = 100_000;
/** Seeds of a training are up to 5 above its own. */
const SEEDS = 101;

/** A training as published from a seed of its own. */
export interface RepeatedTraining {
  /** Share of independent samples, without weights, that lie in the right well. */
  readonly rightShare: number;
  /** Energies of training. */
  readonly energyEvaluations: number;
  /** Seconds of processor time. */
  readonly seconds: number;
}

/**
 * Names the parts in which trainings are kept.
 *
 * @param settings sizes
 * @returns a name for each
 */
export function repeatParts({ repeats }: Cs230Settings): string[] {
  return Array.from({ length: repeats }, (_, k) => `right well ${k + 1}`);
}

/**
 * Trains flows as published, with prior samples drawn once, from data, start values and prior samples of their own, and looks
 * how many of their samples lie in the right well.
 *
 * @param context seed, threads, what keeps each of them
 * @param settings sizes
 * @returns what was found of each
 */
export async function repeatCs230(context: ExperimentContext, settings: Cs230Settings): Promise<RepeatedTraining[]> {
  const found: RepeatedTraining[] = [];
  for (const [k, part] of repeatParts(settings).entries()) {
    context.signal?.throwIfAborted();
    found.push(await context.kept(part, () => trainAgain(context, settings, part, context.seed + SEEDS * (k + 1))));
  }
  return found;
}

async function trainAgain(
  context: ExperimentContext,
  settings: Cs230Settings,
  name: string,
  seed: number,
): Promise<RepeatedTraining> {
  const { clock, pool } = context;
  const start = clock();
  const { flow, energyEvaluations } = await teachCs230(context, settings, { seed, fixed: true, name });
  const n = Math.min(MOST_SAMPLES, settings.samples);
  const basins = wells.basinOf(flow.sample(n, { seed: seed + 5, pool }).x);
  flow.release();
  const right = basins.reduce((sum, basin) => sum + (basin === 1 ? 1 : 0), 0);
  return { rightShare: right / n, energyEvaluations, seconds: (clock() - start) / 1000 };
}

/** Share of the right well at equilibrium. */
function exactShare() {
  const { freeEnergyDifference } = doubleWell.exact(1);
  return basinPopulation(byQuadrature(freeEnergyDifference));
}

/**
 * Puts the shares beside the one at equilibrium.
 *
 * @param found trainings
 * @returns the row of their median
 */
export function rightWellRow(found: readonly RepeatedTraining[]): ReproducedRow {
  const n = found.length;
  const shares = found.map(({ rightShare }) => rightShare);
  const { estimate, rank, coverage } = independentMedian(shares);
  const ends = rank === 1
    ? "the least to the largest of them"
    : `number ${rank} from below to number ${rank} from above`;
  const reliable = estimate.interval95 !== null;
  return {
    quantity: `share of samples in the right well, z drawn once, median of ${n} trainings`,
    unit: "",
    published: null,
    reference: exactShare(),
    ours: estimate,
    method: "counts, raw, new data, start values and z in each training" +
      (reliable
        ? `; the interval is from ${ends}, which holds the median of all such trainings in ${
          fixed(100 * coverage, 1)
        } % of cases`
        : ""),
    note: `all of them: ${shares.sort((a, b) => a - b).map((share) => fixed(share, 4)).join(", ")}`,
    energyEvaluations: found.reduce((sum, one) => sum + one.energyEvaluations, 0),
    seconds: found.reduce((sum, one) => sum + one.seconds, 0),
  };
}

/**
 * Says what the trainings make of the right well.
 *
 * @param found trainings
 * @param shown share of the right well in the training that is drawn
 * @returns a remark
 */
export function rightWellRemark(found: readonly RepeatedTraining[], shown: number): string {
  const n = found.length;
  const exact = exactShare().value;
  const shares = found.map(({ rightShare }) => rightShare / exact).sort((a, b) => a - b);
  const percent = (share: number) => `${fixed(100 * share, 0)} %`;
  const lost = shares.filter((share) => share < 0.1).length;
  const most = shares.filter((share) => share > 0.5).length;
  return "Energies alone hardly hold the right well, which is worth 0.03 of J_KL. What is left of it after the steps on " +
    `energies scatters from training to training: in ${n} of them, each with data, start values and z of its own, between ` +
    `${percent(shares[0])} and ${percent(shares[n - 1])} of the ${
      fixed(exact, 4)
    } at equilibrium; ${lost} of ${n} have less ` +
    `than a tenth of it, ${most} more than half. The training that is drawn here has ${percent(shown / exact)}; the ` +
    "published figure, with a right well 0.2 k_BT too high, about 80 %.";
}
