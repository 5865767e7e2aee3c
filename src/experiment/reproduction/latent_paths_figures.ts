/**
 * Pictures of latent paths of the dimer.
 *
 * @module
 */
import { configurationPanels } from "../../plot/configuration_plot.ts";
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot } from "../../plot/line_plot.ts";
import type { ParticleDimer } from "../../system/particle_dimer.ts";
import { fixed } from "../report_numbers.ts";
import type { ExperimentFigure } from "./experiment.ts";
import type { DimerPaths, EnergiesByPlace } from "./dimer_path_search.ts";

/** Highest energy of the picture. */
const TOP = 120;

/**
 * Draws energies along the lowest paths, the range over pairs, and what Monte Carlo calls typical.
 *
 * @param paths the lowest paths
 * @param typical energies of Monte Carlo
 * @param system the dimer
 */
export async function dimerEnergyFigure(
  { published, close, dense }: DimerPaths,
  typical: EnergiesByPlace,
  system: ParticleDimer,
): Promise<ExperimentFigure> {
  const at = (n: number) => Float64Array.from({ length: n }, (_, k) => k / (n - 1));
  const points = dense.energy.length;
  const pairs = dense.barriers.length;
  const quantile = (k: number, share: number) => {
    const all = Float64Array.from({ length: pairs }, (_, pair) => dense.energies[pair * points + k]).sort();
    return Math.min(2 * TOP, all[Math.floor(share * (pairs - 1))]);
  };
  const [low, high] = [0.1, 0.9].map((share) => at(points).map((_, k) => quantile(k, share)));
  const levels = (["closed", "top", "open"] as const).map((place, i) => ({
    label: `Monte Carlo, mean: ${place === "top" ? "held at *d* = 1.52" : place}`,
    x: [0, 1],
    y: [typical[place].mean.value!, typical[place].mean.value!],
    color: (["green", "purple", "orange"] as const)[i],
    line: "dashed" as const,
  }));
  const middle = close.energy.indexOf(Math.max(...close.energy)) / (close.energy.length - 1);
  const distances = system.distance(close.x);
  const d = distances[Math.round(middle * (close.energy.length - 1))];
  return {
    name: "dimer_energy",
    svg: await figureGrid([
      await linePlot([
        {
          label: "80 of 100 pairs",
          x: at(points),
          y: low.map((u, k) => (u + high[k]) / 2),
          error: low.map((u, k) => (high[k] - u) / 2),
          color: "grey",
          line: "none",
        },
        {
          label: `lowest path of ${Math.sqrt(published.barriers.length)}² pairs, 257 points`,
          x: at(close.energy.length),
          y: close.energy,
          color: "blue",
        },
        {
          label: "the nine points that it was chosen by",
          x: at(published.energy.length),
          y: published.energy,
          color: "blue",
          line: "none",
          markers: "hollow",
        },
        {
          label: `lowest path with 33 points of ${Math.sqrt(pairs)}² pairs`,
          x: at(points),
          y: dense.energy,
          color: "vermillion",
        },
        ...levels,
      ], {
        x: { label: "*t*, position on the latent line from closed to open" },
        y: { label: "*U* / k_BT", domain: [0, TOP] },
        height: 440,
        legend: "above",
      }),
      await linePlot([
        { x: at(close.energy.length), y: distances, color: "blue" },
        {
          x: at(published.energy.length),
          y: system.distance(published.x),
          color: "blue",
          line: "none",
          markers: "hollow",
        },
        { x: at(points), y: system.distance(dense.x), color: "vermillion" },
      ], {
        x: { label: "*t*, position on the latent line from closed to open" },
        y: { label: "*d*", domain: [0.6, 2.4] },
        height: 260,
      }),
    ], { description: "Energies and distances along the lowest latent paths" }),
    caption:
      "Potential energy along latent paths of the dimer at *T* = 1. The band holds 80 of 100 pairs of ends; dashed: mean " +
      `energies of Monte Carlo. The path that nine points chose, as published, is highest at *d* = ${
        d.toFixed(2)
      } when ` +
      `looked at in ${close.energy.length}.`,
  };
}

/**
 * Draws the nine configurations of the lowest path.
 *
 * @param paths the lowest paths
 * @param system the dimer
 */
export async function dimerPathFigure({ published }: DimerPaths, system: ParticleDimer): Promise<ExperimentFigure> {
  const distances = system.distance(published.x);
  const panels = Array.from(published.energy, (u, k) => ({
    x: published.x.subarray(k * system.dim, (k + 1) * system.dim),
    title: `*t* = ${k}/${published.energy.length - 1}`,
    caption: [`*d* = ${fixed(distances[k], 2)}`, `*U* = ${fixed(u, 1)} k_BT`],
  }));
  return {
    name: "dimer_path",
    svg: await configurationPanels(panels, {
      arrows: true,
      description: "Configurations along the lowest latent path",
    }),
    caption: "Configurations along the lowest of all latent paths with nine points, from closed to open.",
  };
}
