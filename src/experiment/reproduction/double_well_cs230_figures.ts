/**
 * Pictures of the double well of the CS-230 report.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot } from "../../plot/line_plot.ts";
import type { FreeEnergyProfile } from "../../reweighting/profile_band.ts";
import { wells } from "./double_well_basins.ts";
import type { Cs230Flow } from "./double_well_cs230_flow.ts";
import type { ExperimentContext, ExperimentFigure } from "./experiment.ts";
import { PROFILE_KEY, profilePanel } from "./profile_panel.ts";
import { latentAxes, samplePanel } from "./sample_panels.ts";

/** What is drawn. */
export interface Cs230Pictures {
  /** Trained as published. */
  readonly fixed: Cs230Flow;
  /** Trained with fresh prior samples. */
  readonly fresh: Cs230Flow;
  /** Profiles of a flow. */
  profilesOf(
    found: Cs230Flow,
  ): { readonly raw: FreeEnergyProfile; readonly reweighted: FreeEnergyProfile; readonly exact: Float64Array };
  /** Lowest J_KL. */
  readonly floor: number;
  /** Threads. */
  readonly context: ExperimentContext;
}

/** Points of a panel: more would be a blot. */
const POINTS = 1000;
const WELL_AXES = [{ label: "*x*", domain: [-3, 3] }, { label: "*y*", domain: [-5, 5] }] as const;

/**
 * Draws panels A to D, profiles and losses.
 *
 * @param pictures what was found
 * @returns three pictures
 */
export async function cs230Figures(pictures: Cs230Pictures): Promise<ExperimentFigure[]> {
  return [await panels(pictures), await profiles(pictures), await losses(pictures)];
}

async function panels({ fixed: { flow, data, evaluation }, context }: Cs230Pictures): Promise<ExperimentFigure> {
  const { z: latent } = flow.encode(data, { pool: context.pool });
  const { x, z } = evaluation.samples;
  const [generated, normal] = [x.slice(0, 2 * POINTS), z.slice(0, 2 * POINTS)];
  const [ofData, ofSamples] = [wells.basinOf(data), wells.basinOf(generated)];
  const names = ["left well", "right well"];
  const axes = latentAxes(latent, normal);
  const svgs = [
    await samplePanel({ title: "Data", points: data, classes: ofData, names, axes: WELL_AXES }),
    await samplePanel({ title: "Latent image of the data", points: latent, classes: ofData, names, axes }),
    await samplePanel({ title: "Gaussian", points: normal, classes: ofSamples, names, axes }),
    await samplePanel({ title: "Generated", points: generated, classes: ofSamples, names, axes: WELL_AXES }),
  ];
  const description =
    "Data of the double well, their latent image, normal numbers, and what the flow generates from them";
  return {
    name: "panels",
    svg: await figureGrid(svgs, { columns: 2, description }),
    caption:
      "Panels A to D of the report: data (a), their latent image (b), normal numbers (c), generated configurations (d), " +
      "after all steps with prior samples drawn once. Colours tell the wells apart; in (c), the well into which a point is " +
      "mapped.",
  };
}

async function profiles({ fixed, fresh, profilesOf }: Cs230Pictures): Promise<ExperimentFigure> {
  const panel = (title: string, found: Cs230Flow) =>
    profilePanel({
      title,
      x: { label: "*x*", domain: [-2.5, 2.5] },
      label: "*F*(*x*) / k_BT",
      domain: [-2, 15],
      ...profilesOf(found),
    });
  const svgs = [await panel("Prior samples drawn once", fixed), await panel("Prior samples drawn anew", fresh)];
  return {
    name: "profiles",
    svg: await figureGrid(svgs, {
      columns: 2,
      description: "Free-energy profiles of the double well, raw and reweighted",
    }),
    caption: `Free energy along *x*: the published curve is raw and ends where samples end. ${PROFILE_KEY}`,
  };
}

async function losses({ fixed, fresh, floor }: Cs230Pictures): Promise<ExperimentFigure> {
  const steps = fixed.losses.map(({ step }) => step);
  const curve = (found: Cs230Flow, kind: "training" | "independent") =>
    found.losses.map((point) => point[kind] - floor);
  const svg = await linePlot([
    {
      label: "drawn once: *z* of training",
      x: steps,
      y: curve(fixed, "training"),
      color: "vermillion",
      line: "dotted",
    },
    { label: "drawn once: independent *z*", x: steps, y: curve(fixed, "independent"), color: "vermillion" },
    { label: "drawn anew: independent *z*", x: steps, y: curve(fresh, "independent"), color: "blue" },
  ], {
    x: { label: "step on energies" },
    y: { label: "*J*_{KL} − floor", scale: "symlog", linearBelow: 0.01 },
    legend: "above",
    description: "Loss on energies above its exact floor during training",
  });
  return {
    name: "losses",
    svg,
    caption:
      "*J*_{KL} above its exact floor, which is the Kullback-Leibler divergence of flow and Boltzmann distribution. " +
      "Below zero is possible only on samples that training has seen. In training, energies above 10⁴ grow logarithmically only.",
  };
}
