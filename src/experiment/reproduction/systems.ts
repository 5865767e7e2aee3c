/**
 * The systems: a generator for each, beside an answer that knows no flow.
 *
 * @module
 */
import { linePlot } from "../../plot/line_plot.ts";
import type { Experiment, ExperimentContext, ExperimentFigure, ExperimentResult } from "./experiment.ts";
import { type ReproducedRow, verdictOf } from "./row.ts";
import { clusterTasks, distanceFigure, reproduceCluster } from "./systems_clusters.ts";
import { manyWellFigure, reproduceManyWell } from "./systems_many_well.ts";
import { systemsSettings } from "./systems_settings.ts";
import { reproduceWells } from "./systems_wells.ts";

const PARTS = ["double wells", "many-well-32", "DW4 koehler2020", "DW4 eacf-fab", "LJ13 eacf", "LJ13 efm"] as const;

/** All rows that have a reference, in standard errors from it. */
async function deviationFigure(rows: readonly ReproducedRow[]): Promise<ExperimentFigure> {
  const judged = rows.flatMap((row, i) => {
    const { ours, reference } = row;
    const verdict = verdictOf(row);
    if (ours.value === null || reference === null || !("standardErrors" in verdict)) return [];
    const deviation = Math.sign(ours.value - reference.value) * verdict.standardErrors;
    return [{ number: i + 1, deviation, reliable: ours.reliable }];
  });
  const ends = [0, rows.length + 1];
  const limit = (y: number) => ({ x: ends, y: [y, y], line: "dashed", color: "black" } as const);
  const most = 5;
  const clipped = judged.map(({ deviation }) => Math.max(-most, Math.min(most, deviation)));
  const svg = await linePlot([
    {
      label: "reliable",
      x: judged.map(({ number }) => number),
      y: clipped,
      unreliable: judged.map(({ reliable }) => !reliable),
      line: "none",
      markers: "filled",
      color: "blue",
    },
    { ...limit(3), label: "limit of agreement" },
    limit(-3),
  ], {
    x: { label: "number of the row", domain: [0, rows.length + 1] },
    y: { label: "(ours − reference) / standard error", domain: [-most - 0.5, most + 0.5] },
    legend: "above",
    height: 320,
  });
  return {
    name: "deviations",
    svg,
    caption: "All rows that have a reference, in the order of the table: difference in standard errors; " +
      `what lies beyond ±${most} is drawn there. Hollow: estimates that their own checks call unreliable.`,
  };
}

const remarks: readonly string[] = [
  "Every reference is quadrature, or Monte Carlo that no flow takes part in; data for training are Monte Carlo too. The " +
  "flows therefore show that their densities are right, not that they find states by themselves.",
  "Double wells in one dimension have a mixture of Gaussians (couplings need two coordinates); those in two have spline " +
  "couplings. Half of the chains start in each well: how the wells compare comes from the flow's density alone. ΔF is split " +
  "at x = 0, not at the saddle.",
  "The formula that one report prints for the double well, x⁴ − x² + x (cs230-printed), has a single minimum, and that of the " +
  "supplement of 2019 (paper-si) another depth than the code that ran (noe2019): three targets, whose ln Z do not compare.",
  "Many-well-32 factorises, and the training data say so: each well of a configuration is drawn from chains of its own, " +
  "which no method that must find 65,536 modes could do. Our couplings transform all x given all y, and the reverse: given y " +
  "the x of different wells are independent by construction, which suits this target. " +
  "The modes are counted without weights, which shows that a flow trained on data and energy prefers the heavier modes.",
  "DW4 and LJ13 are run with their centre of mass pinned by a spring, so that coordinates are those of particles; the factor " +
  "that the spring adds to Z is known and taken off. Numbers are over all labellings, mean-free positions, as in the " +
  "literature on equivariant flows.",
  "The two energies under the name LJ13 differ by a factor of 2 in the pairs, those under the name DW4 by a factor of 10: " +
  "log-likelihoods and effective sample sizes of papers that use different ones do not compare. Of effective sample sizes one " +
  "paper's (iDEM, as its own README says) are of 16 samples, of which one is 6 % already; none is printed beside ours.",
  "The chains of DW4 with a temperature of 0.1 within the energy never leave an isomer: they are cooled from where they do, and " +
  "drawn anew by their weights (population annealing); errors are those of the surviving families.",
  "The bond of the dimer is a double well in d − 1.5; the printed 4.4139043664615345 belongs to slope 2 and agrees with " +
  "quadrature to nine digits, which proves the slope that the figures were made with. With the class default −0.5 the sign " +
  "changes.",
];

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const settings = systemsSettings[context.budget];
  const wells = await context.kept(PARTS[0], () => reproduceWells(context, settings.wells));
  const manyWell = await context.kept(PARTS[1], () => reproduceManyWell(context, settings.manyWell));
  const tasks = clusterTasks(settings);
  const clusters = [];
  for (const task of tasks) {
    context.signal?.throwIfAborted();
    clusters.push(await context.kept(task.name, () => reproduceCluster(context, task)));
  }
  const rows = [...wells, ...manyWell.rows, ...clusters.flatMap((cluster) => cluster.rows)];
  return {
    rows,
    figures: [
      await manyWellFigure(manyWell.picture),
      await distanceFigure(tasks, clusters),
      await deviationFigure(rows),
    ],
    remarks,
  };
}

/**
 * Trains a generator for each system and compares ln Z, ΔF and averages with quadrature, exact products and Monte Carlo: the
 * double wells of all presets in one and two dimensions, the bond of the dimer, many-well-32, and DW4 and LJ13 with both
 * published energies.
 *
 * Two-dimensional wells have spline couplings, clusters an `AutoregressiveParticleFlow` with their exact pair energies.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { experimentContext, systemsExperiment } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { rows } = await systemsExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 * const manyWell = rows.find(({ quantity }) => quantity === "ln Z, many-well-32")!;
 *
 * // Sixteen times ln Z of one well, as its authors print it.
 * assertEquals([rows.length, manyWell.reference!.value.toFixed(5)], [45, "164.69568"]);
 * ```
 */
export const systemsExperiment: Experiment = {
  name: "systems",
  title: "The systems",
  about:
    "A generator for each system, and beside it an answer that knows no flow: ln Z and ΔF of the double wells of all " +
    "presets, the bond of the dimer, many-well-32 with its 65,536 modes, DW4 and LJ13 with both published energies.",
  long: false,
  parts: () => PARTS,
  figures: ["many-well", "distances", "deviations"],
  run,
};
