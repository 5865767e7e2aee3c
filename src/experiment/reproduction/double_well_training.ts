/**
 * Training methods on the double well: data alone, energies alone, both, and both with a reaction coordinate.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { freeEnergyProfile } from "../../reweighting/free_energy_profile.ts";
import { fixed } from "../report_numbers.ts";
import { evaluationFrames, klFloor } from "./basin_evaluation.ts";
import { coordinateOf, doubleWell, WELL_FRAMES, wellEdges, wellProfile, wells } from "./double_well_basins.ts";
import {
  type FlowName,
  FLOWS,
  type MethodName,
  METHODS,
  type MethodSettings,
  methodSettings,
  type TrainedMethod,
  trainMethod,
} from "./double_well_methods.ts";
import type { Experiment, ExperimentContext, ExperimentFigure, ExperimentResult } from "./experiment.ts";
import { meanProfileError, type ProfileErrors } from "./profile_errors.ts";
import { PROFILE_KEY, profilePanel } from "./profile_panel.ts";
import type { Published, ReproducedRow } from "./row.ts";

const NOTEBOOK = "published notebook Fig2_DoubleWell";
/** Mean profile errors as printed, and the largest of them. */
const PRINTED: { readonly [F in FlowName]: { readonly [M in MethodName]?: readonly [value: string, most: number] } } = {
  NICE: { "ML + KL": ["0.579, another run 0.773", 0.773], "KL + RC": ["0.088, 0.0895, 0.0505", 0.0895] },
  RealNVP: { "ML + KL": ["0.803", 0.803] },
};

/**
 * Figure 2 of Noé et al. for the double well: which losses a flow must be taught with to give a free-energy profile.
 *
 * NICE ("NNNNS") and RealNVP ("RRRR") learn from data of both wells (ML), from energies (KL), from both, and with a loss that
 * spreads samples along the reaction coordinate (RC). The papers print the bootstrap error of the profile. It cannot tell a
 * profile that is right from one that is wrong with small error bars; the distance from the exact profile stands beside it.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { experimentContext, doubleWellTrainingExperiment, verdictText } from "@boltzflow/boltzflow/experiment";
 * import { assert } from "@std/assert";
 *
 * const { rows } = await doubleWellTrainingExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 *
 * assert(rows.every((row) => verdictText(row) !== ""));
 * ```
 */
export const doubleWellTrainingExperiment: Experiment = {
  name: "double-well-training",
  title: "Training methods on the double well",
  about:
    "Figure 2 of Noé et al. (Science 2019) and the table of errors behind it: NICE (NNNNS) and RealNVP (RRRR), two " +
    "hidden layers of 100, learn x⁴ − 6x² + x + ½y² from Monte Carlo data of both wells (ML), from energies (KL), from both, " +
    "and with a loss that spreads samples along x (RC). 200 steps of 128 samples, then 500 of 1000, as in the published " +
    "notebook. Every flow then yields the free-energy profile in 99 bins, and the difference of the wells.",
  long: false,
  parts: () => [],
  figures: ["profiles"],
  run,
};

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const settings = methodSettings[context.budget];
  const frames = evaluationFrames(doubleWell, wells, WELL_FRAMES, context.seed + 1);
  const rows: ReproducedRow[] = [];
  const panels: string[] = [];
  for (const flow of Object.keys(FLOWS) as FlowName[]) {
    for (const method of Object.keys(METHODS) as MethodName[]) {
      const trained: TrainedMethod[] = [];
      for (let k = 0; k < settings.trainings; k++) {
        trained.push(await trainMethod(context, settings, flow, method, frames, k));
      }
      rows.push(...rowsOf(flow, method, trained));
      panels.push(await panelOf(flow, method, trained[0], settings));
    }
  }
  // Methods below each other, flows side by side.
  const half = panels.length / 2;
  const ordered = panels.map((_, i) => panels[Math.floor(i / 2) + half * (i % 2)]);
  return { rows, figures: [await profilesFigure(ordered)], remarks: remarks() };
}

function rowsOf(flow: FlowName, method: MethodName, trained: readonly TrainedMethod[]): ReproducedRow[] {
  const { freeEnergyDifference, logPartition } = doubleWell.exact(1);
  const which = `${flow}, ${method}`;
  const cost = (of: readonly TrainedMethod[]) => ({
    energyEvaluations: of.reduce((sum, one) => sum + one.energyEvaluations, 0),
    seconds: of.reduce((sum, one) => sum + one.seconds, 0),
  });
  // With several trainings their scatter is the error; with one, that of its sets of samples.
  const repeats = trained.length > 1 ? trained.map(({ errors }) => averageOf(errors)) : trained[0].errors;
  const over = trained.length > 1
    ? `mean over ${trained.length} trainings`
    : `mean over ${repeats.length} sets of samples`;
  const printed = PRINTED[flow][method];
  const errorRow = (kind: "bootstrapped" | "deviation"): Pick<ReproducedRow, "unit" | "reference" | "ours"> => ({
    unit: "k_BT",
    reference: null,
    ours: meanProfileError(repeats, kind, wellEdges.length - 1),
  });
  const difference = {
    unit: "k_BT",
    published: null,
    reference: { value: freeEnergyDifference, standardError: 0, method: "quadrature" },
    ...cost(trained.slice(0, 1)),
  };
  const { reweighted, bennett, klLoss } = trained[0].evaluation;
  const floor = klFloor(logPartition, 2);
  const published: Published | null = printed === undefined ? null : { value: printed[0], source: NOTEBOOK };
  return [
    {
      quantity: `mean profile error as published, ${which}`,
      published,
      ...errorRow("bootstrapped"),
      method: `√ of the mean bootstrap variance over bins; ${over}`,
      ...printed && { goal: [0, printed[1]] },
      note: ERROR_NOTE,
      ...cost(trained),
    },
    {
      quantity: `distance from the exact profile, ${which}`,
      published: null,
      ...errorRow("deviation"),
      method: `root mean square of F − F_exact over bins that hold samples; ${over}`,
      ...cost(trained),
    },
    {
      quantity: `ΔF(right − left), reweighted, ${which}`,
      ours: reweighted,
      method: "importance weights",
      ...difference,
    },
    {
      quantity: `ΔF(right − left), BAR, ${which}`,
      ours: bennett,
      method: "Bennett acceptance ratio in each well",
      ...difference,
    },
    {
      quantity: `J_KL, ${which}`,
      unit: "",
      published: null,
      reference: null,
      floor,
      ours: klLoss,
      method: "independent samples, exact energies",
      note: "no flow can be below the floor, dim/2 (1 + ln 2π) − ln Z; see below for collapse",
      ...cost(trained.slice(0, 1)),
    },
  ];
}

function averageOf(errors: readonly ProfileErrors[]): ProfileErrors {
  const mean = (of: (one: ProfileErrors) => number) => errors.reduce((sum, one) => sum + of(one), 0) / errors.length;
  return {
    bootstrapped: mean((one) => one.bootstrapped),
    deviation: mean((one) => one.deviation),
    empty: Math.max(...errors.map(({ empty }) => empty)),
  };
}

const ERROR_NOTE =
  "the goal is at most the largest number printed for this flow and method. Bins without samples are left " +
  "out, in the published code and here, and the error says nothing about bias: read the distance from the exact profile";

function panelOf(
  flow: FlowName,
  method: MethodName,
  { evaluation }: TrainedMethod,
  settings: MethodSettings,
): Promise<string> {
  const { x, logWeights } = evaluation.samples;
  const count = settings.samples;
  const coordinate = coordinateOf(x.subarray(0, 2 * count), 0);
  const options = { edges: wellEdges, replicates: settings.replicates };
  return profilePanel({
    title: `${flow}, ${method}`,
    x: { label: "*x*", domain: [-2.5, 2.5] },
    label: "*F*(*x*) / k_BT",
    domain: [-2, 15],
    exact: wellProfile(),
    raw: freeEnergyProfile(coordinate, new Float64Array(count), options),
    reweighted: freeEnergyProfile(coordinate, logWeights.subarray(0, count), options),
  });
}

async function profilesFigure(panels: readonly string[]): Promise<ExperimentFigure> {
  const description = "Free-energy profiles of the double well from flows that learnt by four methods";
  return {
    name: "profiles",
    svg: await figureGrid(panels, { columns: 2, description }),
    caption:
      `Free energy along *x* from NICE (left) and RealNVP (right) after training on data (ML), energies (KL), both, ` +
      `and with the reaction coordinate (KL + RC). ${PROFILE_KEY}`,
  };
}

const remarks = (): string[] => {
  const { logPartition, freeEnergyDifference } = doubleWell.exact(1);
  const floor = klFloor(logPartition, 2);
  const [all, left] = [floor, floor + Math.log(1 + Math.exp(-freeEnergyDifference))].map((loss) => fixed(loss, 4));
  return [
    "The bootstrap error that the papers print is small wherever few bins hold samples: it does not see collapse. The distance " +
    "from the exact profile does, and free energies are called unreliable where frames of both wells, which no training has " +
    "seen, show what the samples miss.",
    `J_KL hardly sees collapse either: its floor is ${all}, and ${left} for a flow that holds the left well alone. That is ` +
    "why the papers add the reaction coordinate.",
    "The published cell that is labelled RealNVP with KL + RC plots the NICE network, so there is no published error for " +
    "RealNVP with KL + RC. Energies alone (KL) and data alone (ML) have no published error; both take the same numbers of " +
    "steps here as the others.",
    "The formula printed in the supplement (¼x⁴ − 3x² + x + ½y²) is not what ran; the preset `noe2019` is.",
  ];
};
