/**
 * Latent paths of the double well.
 *
 * @module
 */
import { latentPath } from "../../hybrid/latent_path.ts";
import { contourPlot } from "../../plot/contour_plot.ts";
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot } from "../../plot/line_plot.ts";
import { RandomStream } from "../../random/random_stream.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { fixed } from "../report_numbers.ts";
import { coordinateOf, doubleWell, wellData, wells } from "./double_well_basins.ts";
import type { ExperimentContext, ExperimentFigure, ExperimentResult } from "./experiment.ts";
import { exactly, type ReproducedRow } from "./row.ts";
import { trainedDoubleWell } from "./trained_double_well.ts";
import { independentMean } from "./independent_mean.ts";

/** Pairs, and points of a path, as published; frames of the smoke budget are fewer. */
const SIZES = {
  smoke: { pairs: 10, points: 50, steps: 1000 },
  default: { pairs: 10, points: 1000, steps: 10_000 },
  paper: { pairs: 10, points: 1000, steps: 10_000 },
} as const;
/** Stream of the draws of pairs. */
const PAIR_STREAM = 0x9a7;

/** Paths [pairs][points, 2] with their energies. */
interface Paths {
  readonly x: readonly Float64Array[];
  readonly energy: readonly Float64Array[];
}

/**
 * Walks ten random pairs of frames of the double well.
 *
 * @param context budget, seed, threads
 * @returns rows, figures, remarks
 */
export async function wellLatentPaths(context: ExperimentContext): Promise<ExperimentResult> {
  const { pairs, points, steps } = SIZES[context.budget];
  const { flow, ...cost } = await trainedDoubleWell(context);
  const start = context.clock();
  const ends = randomPairs(context.seed, pairs, steps);
  const walked = pathsOf(ends.map(([from, to]) => latentPath(flow, from, to, points)));
  const straight = pathsOf(ends.map(([from, to]) => line(from, to, points)));
  flow.release();
  const own = { energyEvaluations: cost.energyEvaluations + pairs * points };
  const saddle = saddleEnergy();
  const row = (quantity: string, ours: Estimate, more: Partial<ReproducedRow> = {}): ReproducedRow => ({
    quantity: `double well: highest U on the path above the exact saddle (U = ${fixed(saddle, 4)}), ${quantity}`,
    unit: "k_BT",
    published: null,
    reference: null,
    ours,
    method: `RealNVP (RRRR, KL + RC), ${points} points`,
    ...own,
    seconds: cost.seconds + (context.clock() - start) / 1000,
    ...more,
  });
  const above = ({ energy }: Paths) => energy.map((u) => Math.max(...u) - saddle);
  const heights = above(walked);
  const printed = {
    value: "paths drawn over the potential",
    source: "published notebook Fig2_DoubleWell",
    notReproducible: "no number is printed and the pairs were drawn without a seed",
  };
  return {
    rows: [
      row(`mean over ${pairs} random pairs`, independentMean(heights), {
        published: printed,
        note: "No path from left to right stays below the saddle: an error is the scatter over pairs.",
      }),
      row(`lowest of ${pairs} random pairs`, exactly(Math.min(...heights))),
      row(`mean over the same pairs, straight lines in x`, independentMean(above(straight)), {
        method: `no flow, ${points} points`,
        energyEvaluations: pairs * points,
        seconds: 0,
        note: "A control: in two coordinates a straight line in x crosses near the saddle too.",
      }),
    ],
    figures: [await wellFigure(walked, saddle)],
    remarks: [
      `In the double well latent paths are on average ${
        independentMean(heights).value!.toFixed(2)
      } k_BT above the saddle at their ` +
      `highest, and straight lines in x ${
        independentMean(above(straight)).value!.toFixed(2)
      }: with two coordinates there is little to ` +
      "gain. The dimer shows what a map is good for.",
    ],
  };
}

/** U at the top between the wells: the root of 4x³ − 12x + 1 between them, by halving. */
function saddleEnergy(): number {
  const slope = (x: number) => doubleWell.energyAndGradient(Float64Array.of(x, 0)).gradient[0];
  let [low, high] = [-1, 1];
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) low = middle;
    else high = middle;
  }
  return doubleWell.energy(Float64Array.of(low, 0))[0];
}

/**
 * Draws pairs of frames, from the left well to the right one by where they lie: a chain may have left the well of its start.
 *
 * @param seed of the draws; the frames are {@link wellData} of the next one
 * @param pairs how many
 * @param steps of each chain
 * @returns ends of paths
 */
export function randomPairs(seed: number, pairs: number, steps: number): [from: Float64Array, to: Float64Array][] {
  const { x } = wellData(seed + 1, steps);
  const sides = wells.basinOf(x);
  const random = new RandomStream(seed, PAIR_STREAM);
  const frames = (which: number) =>
    Array.from(sides.keys()).filter((i) => sides[i] === which).map((i) => x.slice(2 * i, 2 * i + 2));
  const [left, right] = [frames(0), frames(1)];
  return Array.from({ length: pairs }, () => [left[random.integer(left.length)], right[random.integer(right.length)]]);
}

function line(from: Float64Array, to: Float64Array, points: number): Float64Array {
  return Float64Array.from({ length: 2 * points }, (_, i) => {
    const t = Math.floor(i / 2) / (points - 1);
    return (1 - t) * from[i % 2] + t * to[i % 2];
  });
}

function pathsOf(x: readonly Float64Array[]): Paths {
  return { x, energy: x.map((path) => doubleWell.energy(path)) };
}

async function wellFigure({ x, energy }: Paths, saddle: number): Promise<ExperimentFigure> {
  const [rows, columns] = [141, 121];
  const grid = { rows, columns, x: [-3, 3] as const, y: [-4, 4] as const };
  const places = new Float64Array(2 * rows * columns);
  for (let i = 0; i < rows * columns; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    places.set([grid.x[0] + 6 * column / (columns - 1), grid.y[0] + 8 * row / (rows - 1)], 2 * i);
  }
  const map = await contourPlot({ ...grid, values: doubleWell.energy(places) }, {
    x: { label: "*x*_1" },
    y: { label: "*x*_2" },
    colorLabel: "*U* / k_BT",
    levels: Array.from({ length: 12 }, (_, k) => -11 + 2 * k),
    dark: "low",
    width: 460,
    height: 400,
    legend: "none",
    points: x.map((path) => ({ x: coordinateOf(path, 0), y: coordinateOf(path, 1), color: "orange", size: 1.6 })),
  });
  const points = energy[0].length;
  const t = Float64Array.from({ length: points }, (_, k) => k / (points - 1));
  const at = (k: number) => energy.map((u) => u[k]);
  const [low, high] = [Math.min, Math.max].map((of) => t.map((_, k) => of(...at(k))));
  const along = await linePlot([
    ...energy.map((y) => ({ x: t, y, color: "grey", faint: true, line: "solid" as const })),
    {
      label: "range of ten pairs",
      x: t,
      y: t.map((_, k) => (low[k] + high[k]) / 2),
      error: t.map((_, k) => (high[k] - low[k]) / 2),
      color: "sky",
      line: "none" as const,
    },
    {
      label: "mean",
      x: t,
      y: t.map((_, k) => at(k).reduce((sum, u) => sum + u, 0) / energy.length),
      color: "blue",
      line: "solid" as const,
    },
    { label: "exact saddle", x: [0, 1], y: [saddle, saddle], color: "black", line: "dashed" as const },
  ], {
    x: { label: "*t*, position on the latent line" },
    y: { label: "*U* / k_BT", domain: [-12, 6] },
    width: 520,
    height: 400,
  });
  return {
    name: "double_well",
    svg: await figureGrid([map, along], {
      columns: 2,
      description: "Ten latent paths of the double well on its potential, and the energies along them",
    }),
    caption:
      "(a) Ten random pairs of frames of the double well, joined by straight lines in the latent space of a RealNVP (RRRR) " +
      "that was trained by maximum likelihood on Monte Carlo frames and then by energies with the reaction coordinate *x*_1 " +
      "(KL + RC), on the potential. (b) Energies along them.",
  };
}
