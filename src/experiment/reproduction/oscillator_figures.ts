/**
 * Pictures of the oscillator in a box.
 *
 * @module
 */
import { Flow } from "../../flow/flow.ts";
import { HarmonicBoxMap } from "../../flow/harmonic_box_map.ts";
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot } from "../../plot/line_plot.ts";
import type { HarmonicOscillatorBox } from "../../system/harmonic_oscillator_box.ts";
import { coordinateOf } from "./double_well_basins.ts";
import type { ExperimentContext, ExperimentFigure } from "./experiment.ts";
import { likelihoodFloor } from "./likelihood_loss.ts";
import { compareMaps } from "./map_distance.ts";
import type { OscillatorFlow } from "./oscillator_flow.ts";
import { latentAxes, samplePanel } from "./sample_panels.ts";
import { oscillatorEntropy } from "./student_data.ts";

/** What is drawn. */
export interface OscillatorPictures {
  /** k = 2. */
  readonly system: HarmonicOscillatorBox;
  /** Inside walls, not trained. */
  readonly before: OscillatorFlow;
  /** As published. */
  readonly open: OscillatorFlow;
  /** As published, inside walls. */
  readonly walled: OscillatorFlow;
  /** Inside walls, trained for longer. */
  readonly learnt: OscillatorFlow;
}

/** Points of a panel. */
const POINTS = 1000;
/** Points of a comparison of maps: circles that do not hide each other. */
const MAP_POINTS = 250;
/** Quarters of the standard normal end here. */
const QUARTERS = [-0.67449, 0, 0.67449];
const NAMES = ["first quarter", "second", "third", "last"];

/**
 * Draws panels before and after training, the learned map beside the exact one, and losses.
 *
 * @param pictures flows
 * @param context threads
 * @returns three pictures
 */
export async function oscillatorFigures(
  pictures: OscillatorPictures,
  context: ExperimentContext,
): Promise<ExperimentFigure[]> {
  return [await panels(pictures, context), await map(pictures, context), await losses(pictures)];
}

async function panels(
  { system, before, open, learnt }: OscillatorPictures,
  context: ExperimentContext,
): Promise<ExperimentFigure> {
  const { boxLength } = system.parameters;
  const axes = [
    { label: "*x*_1", domain: [-2, boxLength + 2] },
    { label: "*x*_2", domain: [-3, boxLength + 3] },
  ] as const;
  const draws = before.draws.slice(0, 2 * POINTS);
  const normal = before.samples.z.slice(0, 2 * POINTS);
  const ofDraws = coordinateOf(draws, 0).map((x) => Math.min(3, Math.floor(4 * x / boxLength)));
  const ofNormal = coordinateOf(normal, 0).map((z) => QUARTERS.filter((end) => z >= end).length);
  const stages = ([["before training", before], ["as published", open], ["inside walls, longer", learnt]] as const)
    .map(([title, { flow, samples }]) => ({ title, samples, latent: flow.encode(draws, context).z }));
  const ofLatent = latentAxes(normal, ...stages.map(({ latent }) => latent));
  const svgs = [
    await samplePanel({ title: "Data", points: draws, classes: ofDraws, names: NAMES, axes }),
    await samplePanel({ title: "Gaussian", points: normal, classes: ofNormal, names: NAMES, axes: ofLatent }),
  ];
  for (const { title, samples, latent } of stages) {
    const generated = samples.x.slice(0, 2 * POINTS);
    svgs.push(
      await samplePanel({
        title: `Latent image, ${title}`,
        points: latent,
        classes: ofDraws,
        names: NAMES,
        axes: ofLatent,
      }),
      await samplePanel({ title: `Generated, ${title}`, points: generated, classes: ofNormal, names: NAMES, axes }),
    );
  }
  return {
    name: "panels",
    svg: await figureGrid(svgs, {
      columns: 2,
      description: "Data of the oscillator, their latent images and generated configurations before and after training",
    }),
    caption:
      "Oscillator in a box, k = 2: data (a) and normal numbers (b); their images under a flow inside walls before " +
      "training (c, d), under the published flow (e, f), and inside walls after longer training (g, h). Colours are quarters " +
      "of *x*_1 in the box for data and their images, of *z*_1 for normal numbers and what is generated from them. Points of " +
      "the published flow lie outside the box, 0 to 4.",
  };
}

async function map(
  { system, walled, learnt }: OscillatorPictures,
  context: ExperimentContext,
): Promise<ExperimentFigure> {
  const draws = learnt.draws.slice(0, 2 * MAP_POINTS);
  const images = new Flow(new HarmonicBoxMap(system.parameters)).encode(draws, context).z;
  const panel = async (title: string, { flow }: OscillatorFlow) => {
    const { aligned } = compareMaps(flow.encode(draws, context).z, images);
    const points = (which: 0 | 1, label: string, color: string) => ({
      label,
      x: coordinateOf(images, which),
      y: coordinateOf(aligned, which),
      line: "none" as const,
      markers: "filled" as const,
      color,
    });
    return await linePlot([
      points(0, "*z*_1", "blue"),
      points(1, "*z*_2", "vermillion"),
      { label: "equal", x: [-4, 4], y: [-4, 4], line: "dashed", color: "black" },
    ], {
      title,
      x: { label: "*z* of the exact map", domain: [-4, 4] },
      y: { label: "*z* of the learned map", domain: [-4, 4] },
      width: 420,
      height: 400,
      legend: "above",
    });
  };
  const svgs = [await panel("As published, inside walls", walled), await panel("Longer, inside walls", learnt)];
  return {
    name: "map",
    svg: await figureGrid(svgs, {
      columns: 2,
      description: "Coordinates of the learned map against those of the exact map",
    }),
    caption:
      "Images of the same data under the learned map, after the rotation or reflection that fits best, against those under " +
      "the exact map, k = 2. (a) Inside walls, taught as published; (b) inside walls, taught for longer. On the dashed line " +
      "both maps are equal.",
  };
}

async function losses({ system, open, walled }: OscillatorPictures): Promise<ExperimentFigure> {
  const floor = likelihoodFloor(oscillatorEntropy(system.parameters));
  const curve = (label: string, { history }: OscillatorFlow, color: string) => ({
    label,
    x: history.map(({ step }) => step),
    y: history.map(({ losses }) => losses.maximumLikelihood - Math.log(2 * Math.PI)),
    color,
  });
  const last = Math.max(200, ...open.history.map(({ step }) => step));
  const svg = await linePlot([
    curve("no walls", open, "orange"),
    curve("inside walls", walled, "blue"),
    { label: "published", x: [100, 200], y: [0.579, 0.376], line: "none", markers: "hollow", color: "vermillion" },
    { label: "entropy − ln 2π", x: [0, last], y: [floor, floor], line: "dashed", color: "black" },
  ], {
    x: { label: "step" },
    y: { label: "*J*_{ML}" },
    legend: "above",
    description: "Maximum-likelihood loss of the oscillator during training",
  });
  return {
    name: "loss",
    svg,
    caption:
      "*J*_{ML} of the batches of training with the published recipe, without the constant ln 2π as published, and its exact " +
      "floor.",
  };
}
