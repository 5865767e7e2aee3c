/**
 * Pictures of flow-proposal Monte Carlo.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot } from "../../plot/line_plot.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import type { ChainSummary } from "./chain_summary.ts";
import { referenceOf } from "./dimer_umbrella_reference.ts";
import type { ExperimentFigure } from "./experiment.ts";
import type { DimerChains } from "./flow_monte_carlo_dimer.ts";
import type { WellChains } from "./flow_monte_carlo_wells.ts";

/** Turns of a trace that are drawn. */
const SHOWN = 300;

/** What one walker did: a coordinate against turns. */
function trace(chains: ChainSummary, title: string, y: string, domain: readonly [number, number]): Promise<string> {
  const walkers = chains.traces.slice(0, 2);
  const first = Math.max(0, walkers[0].length - SHOWN);
  return linePlot(
    walkers.map((values, k) => ({
      x: Float64Array.from(values.subarray(first), (_, i) => i),
      y: values.slice(first),
      color: k === 0 ? "blue" : "vermillion",
    })),
    {
      x: { label: "turn" },
      y: { label: y, domain },
      width: 470,
      height: 250,
      title,
    },
  );
}

/**
 * Draws two walkers of each run: with local moves alone and with all moves.
 *
 * @param wells chains of the double well
 * @param dimer chains of the dimer
 */
export async function tracesFigure(wells: WellChains, dimer: DimerChains): Promise<ExperimentFigure> {
  const parts = await Promise.all([
    trace(wells.local, "double well, local moves alone", "*x*_1", [-2.6, 2.6]),
    trace(wells.mixed, "double well, mixed", "*x*_1", [-2.6, 2.6]),
    trace(dimer.local, "dimer, local moves alone", "*d*", [0.5, 2.6]),
    trace(dimer.mixed, "dimer, mixed", "*d*", [0.5, 2.6]),
  ]);
  return {
    name: "traces",
    svg: await figureGrid(parts, {
      columns: 2,
      description: "Coordinates of two walkers, local moves alone and mixed",
    }),
    caption:
      "Two walkers of each run, the last turns. Local moves alone stay where they began; proposals of the flow bring " +
      "walkers across, and to the side of less weight as rarely as it weighs.",
  };
}

/** ΔF from growing parts of the chains beside umbrella sampling and the reference. */
function convergence(
  chains: ChainSummary,
  umbrella: Estimate,
  energies: number,
  reference: number,
  what: string,
): Promise<string> {
  const growing = chains.growing.filter(({ difference }) =>
    difference.value !== null && difference.standardError !== null
  );
  const all = [...growing.map((part) => part.energies), energies];
  const from = Math.min(...all) / 2;
  const to = 2 * Math.max(...all);
  return linePlot([
    ...growing.length === 0 ? [] : [{
      label: "mixed chains, populations",
      x: growing.map((part) => part.energies),
      y: growing.map(({ difference }) => difference.value!),
      error: growing.map(({ difference }) => 1.96 * difference.standardError!),
      color: "blue",
      markers: "filled" as const,
    }],
    ...umbrella.value === null ? [] : [{
      label: "umbrella sampling",
      x: [energies],
      y: [umbrella.value],
      error: [1.96 * (umbrella.standardError ?? NaN)],
      errorStyle: "bars" as const,
      color: "vermillion",
      line: "none" as const,
      markers: "filled" as const,
    }],
    { label: "reference", x: [from, to], y: [reference, reference], color: "black", line: "dashed" as const },
  ], {
    x: { label: "energies without training", scale: "log" },
    y: { label: what },
    width: 470,
    height: 340,
    legend: "above",
  });
}

/**
 * Draws how the free-energy difference converges.
 *
 * @param wells chains of the double well
 * @param dimer chains of the dimer
 */
export async function convergenceFigure(wells: WellChains, dimer: DimerChains): Promise<ExperimentFigure> {
  const parts = await Promise.all([
    convergence(
      wells.mixed,
      wells.umbrella.difference,
      wells.umbrella.energyEvaluations,
      wells.exact.freeEnergyDifference,
      "Δ*F*(right − left) / k_BT",
    ),
    convergence(
      dimer.mixed,
      dimer.umbrella.freeEnergyDifference,
      dimer.umbrella.energyEvaluations,
      referenceOf(dimer.reference)?.value ?? NaN,
      "Δ*F*(open − closed) / k_BT",
    ),
  ]);
  return {
    name: "convergence",
    svg: await figureGrid(parts, { columns: 2, description: "Free-energy differences against energies evaluated" }),
    caption:
      "Free-energy difference against energies, (a) double well, (b) dimer at *T* = 1: populations of growing parts of " +
      "mixed chains and umbrella sampling at the same price, with 95 % intervals. Dashed: the reference, by quadrature and by " +
      "longer umbrella sampling. What data and training of the flow have cost is not on the axis.",
  };
}
