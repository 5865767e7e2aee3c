/**
 * The double well of the CS-230 report: data that are two Gaussians, and what the flow makes of them.
 *
 * @module
 */
import { freeEnergyProfile } from "../../reweighting/free_energy_profile.ts";
import { fixed } from "../report_numbers.ts";
import { evaluationFrames, klFloor, populationDifference } from "./basin_evaluation.ts";
import { coordinateOf, doubleWell, WELL_FRAMES, wells } from "./double_well_basins.ts";
import { cs230Figures } from "./double_well_cs230_figures.ts";
import { repeatCs230, repeatParts, rightWellRemark, rightWellRow } from "./double_well_cs230_chance.ts";
import { type Cs230Flow, type Cs230Settings, cs230Settings, trainCs230 } from "./double_well_cs230_flow.ts";
import { doubleWellProfile, equalBins, exactBins } from "./exact_profile.ts";
import type { Experiment, ExperimentContext, ExperimentResult } from "./experiment.ts";
import { likelihoodFloor } from "./likelihood_loss.ts";
import { printedRange } from "./printed_range.ts";
import { profileWells, wellDifferences } from "./profile_wells.ts";
import { byQuadrature, type Published, type ReproducedRow } from "./row.ts";
import { TWO_GAUSSIANS_ENTROPY } from "./student_data.ts";

const REPORT = "CS-230 report";
/** Half the width of the windows around the minima. */
const WINDOW = 0.05;

/**
 * The double well of the CS-230 report: panels A to D, the loss against its floor, and the profile that was published without
 * reweighting.
 *
 * @example Rows of both trainings
 * ```ts
 * import { doubleWellCs230Experiment, experimentContext } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { rows } = await doubleWellCs230Experiment.run(await experimentContext());
 * assertEquals(rows.some(({ quantity }) => quantity.startsWith("J_KL of the z of training")), true);
 * ```
 */
export const doubleWellCs230Experiment: Experiment = {
  name: "double-well-cs230",
  title: "Double well of the CS-230 report",
  about:
    "Figure of the CS-230 report with the panels A (data), B (their latent image), C (Gaussian) and D (generated), and its " +
    "free energy along x from 500,000 samples that were not reweighted. RealNVP of 3 blocks, two hidden layers of 256 (relu), " +
    "learns from 900 + 100 Gaussian points in 100 steps and from energies in 100 more, with 2000 prior samples that are " +
    "drawn once, as published, or anew in each step. Further trainings as published, from other seeds, show how much of the " +
    "outcome is chance.",
  long: false,
  parts: (budget) => repeatParts(cs230Settings[budget]),
  figures: ["panels", "profiles", "losses"],
  run,
};

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const settings = cs230Settings[context.budget];
  const frames = evaluationFrames(doubleWell, wells, WELL_FRAMES, context.seed + 10);
  const drawnOnce = await trainCs230(context, settings, true, frames);
  const fresh = await trainCs230(context, settings, false, frames);
  const repeated = await repeatCs230(context, settings);
  const edges = equalBins(-2.5, 2.5, settings.bins);
  const exact = exactBins(doubleWellProfile(doubleWell), edges);
  const profilesOf = (found: Cs230Flow) => {
    const { x, logWeights } = found.evaluation.samples;
    const coordinate = coordinateOf(x, 0);
    const options = { edges, replicates: 100 };
    return {
      raw: freeEnergyProfile(coordinate, new Float64Array(coordinate.length), options),
      reweighted: freeEnergyProfile(coordinate, logWeights, options),
      exact,
    };
  };
  return {
    rows: [
      ...likelihoodRows(drawnOnce, settings),
      ...lossRows(drawnOnce, fresh),
      ...freeEnergyRows("z drawn once", drawnOnce, true),
      ...freeEnergyRows("fresh z", fresh, false),
      rightWellRow(repeated),
    ],
    figures: await cs230Figures({ fixed: drawnOnce, fresh, profilesOf, floor: lossFloor(), context }),
    remarks: remarksOf(rightWellRemark(repeated, rightShareOf(drawnOnce))),
  };
}

function rightShareOf({ evaluation: { basins } }: Cs230Flow): number {
  return basins.reduce((sum, basin) => sum + (basin === 1 ? 1 : 0), 0) / basins.length;
}

const lossFloor = () => klFloor(doubleWell.exact(1).logPartition, 2);

function likelihoodRows(
  { likelihood, energyEvaluations, seconds }: Cs230Flow,
  { data }: Cs230Settings,
): ReproducedRow[] {
  const base = { unit: "", reference: null, energyEvaluations, seconds };
  const floor = likelihoodFloor(TWO_GAUSSIANS_ENTROPY);
  return [
    {
      ...base,
      quantity: "J_ML of the data of training, after the steps on data",
      published: { value: "−0.214", range: printedRange("−0.214"), source: `${REPORT}, step 100` },
      ours: likelihood.shown,
      method: `${data} points; ½|z|² − ln R, without the constant of the prior`,
      note:
        "the error is that of a mean over so few points. The published value is below the entropy of the distribution " +
        `that the points come from, ${fixed(floor, 4)} in this convention: it belongs to its points`,
    },
    {
      ...base,
      quantity: "J_ML of fresh data, after the steps on data",
      published: null,
      floor,
      ours: likelihood.fresh,
      method: `${100 * data} points of the same distribution`,
      note: "no density can be below the entropy of the distribution of the data",
    },
  ];
}

function lossRows(drawnOnce: Cs230Flow, fresh: Cs230Flow): ReproducedRow[] {
  const row = (
    found: Cs230Flow,
    rest: Pick<ReproducedRow, "quantity" | "published" | "ours" | "method"> & Partial<ReproducedRow>,
  ): ReproducedRow => ({
    unit: "",
    reference: null,
    energyEvaluations: found.energyEvaluations,
    seconds: found.seconds,
    ...rest,
  });
  return [
    row(drawnOnce, {
      quantity: "J_KL of the z of training, drawn once",
      published: { value: "−8.174", range: printedRange("−8.174"), source: `${REPORT}, step 200` },
      ours: drawnOnce.trainingLoss,
      method: "⟨u − ln R⟩ over the 2000 z of training",
      note:
        "a mean of u − ln R over so few z scatters by more than the published distance from the floor (0.009), and the " +
        "flow has been fitted to these z: how near it is to the floor of other z, " +
        `${fixed(lossFloor(), 4)}, is no evidence`,
    }),
    row(drawnOnce, {
      quantity: "J_KL of independent z, z drawn once",
      published: null,
      floor: lossFloor(),
      ours: drawnOnce.evaluation.klLoss,
      method: "samples that training has not seen",
    }),
    row(fresh, {
      quantity: "J_KL of independent z, fresh z",
      published: null,
      floor: lossFloor(),
      ours: fresh.evaluation.klLoss,
      method: "samples that training has not seen",
    }),
  ];
}

const RAW_NOTE = "populations of the flow itself, as published: biased by whatever the flow has not learnt";

function freeEnergyRows(which: string, found: Cs230Flow, asPublished: boolean): ReproducedRow[] {
  const { evaluation, energyEvaluations, seconds } = found;
  const windows = profileWells(doubleWellProfile(doubleWell), [[-2.5, 0], [0, 2.5]], WINDOW);
  const minima = wellDifferences(evaluation, windows, (x) => coordinateOf(x, 0), wells.names);
  const { freeEnergyDifference } = doubleWell.exact(1);
  const row = (
    what: "F(right minimum) − F(left minimum)" | "ΔF(right − left)",
    how: string,
    ours: ReproducedRow["ours"],
    rest: { readonly method: string; readonly note?: string; readonly published?: Published },
  ): ReproducedRow => ({
    quantity: `${what}, ${how}, ${which}`,
    unit: "k_BT",
    published: null,
    reference: byQuadrature(what === "ΔF(right − left)" ? freeEnergyDifference : windows.exact),
    ours,
    energyEvaluations,
    seconds,
    ...rest,
  });
  const window = `mean density within ${WINDOW} of the minima`;
  return [
    row("F(right minimum) − F(left minimum)", "raw", minima.raw, {
      method: window,
      note: RAW_NOTE,
      ...asPublished &&
        { published: { value: "3.65–3.7", range: [3.65, 3.7] as const, source: `${REPORT}, read off the figure` } },
    }),
    row("F(right minimum) − F(left minimum)", "reweighted", minima.reweighted, { method: window }),
    row("ΔF(right − left)", "raw", populationDifference(evaluation.basins), {
      method: "split at x = 0",
      note: RAW_NOTE,
    }),
    row("ΔF(right − left)", "reweighted", evaluation.reweighted, { method: "split at x = 0" }),
    row("ΔF(right − left)", "BAR", evaluation.bennett, { method: "Bennett acceptance ratio in each well" }),
  ];
}

const remarksOf = (rightWell: string): string[] => [
  "Published prior samples were drawn once, 2000 of them, and the loss was read off the same ones. Rows with fresh z differ in " +
  "nothing else; losses of independent z tell both apart.",
  "Networks are the students': S ends in tanh, |S| < 1, weights and biases start as in PyTorch. The report states a learning " +
  "rate of 1e-4, its notebook ran with 1e-3, and so do we.",
  rightWell,
  `All losses leave out the constant of the prior, as published; so the floor of J_KL is ${fixed(lossFloor(), 4)}.`,
  "The report prints the energy as x⁴ − x² + x + ½y²; its code has x⁴ − 6x² + x + ½y², and that is what ran.",
];
