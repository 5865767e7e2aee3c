/**
 * Pictures of the Müller-Brown potential.
 *
 * @module
 */
import { contourPlot } from "../../plot/contour_plot.ts";
import { figureGrid } from "../../plot/figure_grid.ts";
import type { FreeEnergyProfile } from "../../reweighting/profile_band.ts";
import type { MuellerBrown } from "../../system/mueller_brown.ts";
import { coordinateOf } from "./double_well_basins.ts";
import type { ExperimentFigure } from "./experiment.ts";
import { PROFILE_KEY, profilePanel } from "./profile_panel.ts";

/** What is drawn. */
export interface MuellerPictures {
  /** The energy. */
  readonly system: MuellerBrown;
  /** Rectangle that is shown. */
  readonly seen: { readonly x1: readonly [number, number]; readonly x2: readonly [number, number] };
  /** Exact profile in its bins. */
  readonly exact: Float64Array;
  /** Flows. */
  readonly panels: readonly {
    readonly title: string;
    readonly raw: FreeEnergyProfile;
    readonly reweighted: FreeEnergyProfile;
    readonly samples: Float64Array;
  }[];
}

/** Points on a map. */
const POINTS = 1500;
/** Rows and columns of the map of energies. */
const GRID = 121;
/** k_BT between contours, from the deepest minimum up. */
const LEVELS = Array.from({ length: 14 }, (_, i) => -15 + 1.5 * i);

/**
 * Draws profiles and samples of all flows.
 *
 * @param pictures what was found
 * @returns two pictures
 */
export async function muellerFigures(pictures: MuellerPictures): Promise<ExperimentFigure[]> {
  return [await profiles(pictures), await samples(pictures)];
}

async function profiles({ exact, panels }: MuellerPictures): Promise<ExperimentFigure> {
  const svgs = [];
  for (const { title, raw, reweighted } of panels) {
    svgs.push(
      await profilePanel({
        title,
        x: { label: "*s* = 0.7(*x*_1 − *x*_2)", domain: [-1.9, 0.9] },
        label: "*F*(*s*) / k_BT",
        domain: [-3, 16],
        exact,
        raw,
        reweighted,
      }),
    );
  }
  return {
    name: "profiles",
    svg: await figureGrid(svgs, { columns: 2, description: "Free-energy profiles of the Müller-Brown potential" }),
    caption: `Free energy along *s*, k = 0.1, *T* = 1: ${panelsText(panels)}. ${PROFILE_KEY}`,
  };
}

async function samples({ system, seen, panels }: MuellerPictures): Promise<ExperimentFigure> {
  const at = ([low, high]: readonly [number, number], i: number) => low + (high - low) * i / (GRID - 1);
  const values = system.energy(Float64Array.from({ length: 2 * GRID * GRID }, (_, i) => {
    const point = i >> 1;
    return i % 2 === 0 ? at(seen.x1, point % GRID) : at(seen.x2, Math.floor(point / GRID));
  }));
  const grid = { values, rows: GRID, columns: GRID, x: seen.x1, y: seen.x2 };
  const svgs = [];
  for (const { title, samples } of panels) {
    const points = samples.subarray(0, 2 * POINTS);
    svgs.push(
      await contourPlot(grid, {
        title,
        x: { label: "*x*_1", domain: seen.x1 },
        y: { label: "*x*_2", domain: seen.x2 },
        colorLabel: "*U* / k_BT",
        levels: LEVELS,
        dark: "low",
        points: [{
          label: "samples of the flow",
          x: coordinateOf(points, 0),
          y: coordinateOf(points, 1),
          color: "vermillion",
        }],
        legend: "above",
        width: 470,
        height: 400,
      }),
    );
  }
  return {
    name: "samples",
    svg: await figureGrid(svgs, { columns: 2, description: "Samples of flows on the Müller-Brown potential" }),
    caption:
      "Samples of the flows, without weights, on contours of the energy of the Müller-Brown potential (k = 0.1), " +
      `1.5 k_BT apart: ${panelsText(panels)}.`,
  };
}

/** Says which flow is in which panel. */
function panelsText(panels: MuellerPictures["panels"]): string {
  return panels.map(({ title }, k) => `${title[0].toLowerCase()}${title.slice(1)} (${"ab"[k]})`).join(", ");
}
