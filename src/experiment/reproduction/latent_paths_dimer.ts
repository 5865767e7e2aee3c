/**
 * Latent paths from the closed to the open dimer.
 *
 * @module
 */
import type { LowestLatentPath } from "../../hybrid/latent_path.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import type { ParticleDimer } from "../../system/particle_dimer.ts";
import {
  type DimerPaths,
  type EnergiesByPlace,
  heldAtTop,
  POINTS,
  searchPaths,
  TOP,
  typicalEnergies,
} from "./dimer_path_search.ts";
import { ERROR_EDGES, gatherProfile, type UmbrellaReference, umbrellaReference } from "./dimer_umbrella_reference.ts";
import type { ExperimentContext, ExperimentResult } from "./experiment.ts";
import { dimerEnergyFigure, dimerPathFigure } from "./latent_paths_figures.ts";
import { exactly, type Published, type ReproducedRow } from "./row.ts";
import { type Cost, type TrainedDimer, trainedDimer } from "./trained_dimer.ts";

/**
 * Searches the lowest latent paths of the dimer.
 *
 * @param context budget, seed, threads; keeps the shared flow and the shared umbrella sampling
 * @returns rows, figures, remarks
 */
export async function dimerLatentPaths(context: ExperimentContext): Promise<ExperimentResult> {
  const { clock } = context;
  const trained = await trainedDimer(context);
  const umbrella = await umbrellaReference(context, 1);
  const atStart = clock();
  const held = heldAtTop(context, trained);
  const typical = typicalEnergies(trained, held);
  const heldCost = { energyEvaluations: held.energyEvaluations, seconds: (clock() - atStart) / 1000 };
  const began = clock();
  const paths = await searchPaths(context, trained);
  trained.flow.release();
  const squares = paths.close.square;
  const rows = [
    ...pathRows(paths, typical, trained, (clock() - began) / 1000),
    crossingRow(paths, typical, trained),
    ...energyRows(typical, trained, heldCost),
    barrierRow(umbrella, trained.system),
  ];
  return {
    rows,
    figures: [await dimerEnergyFigure(paths, typical, trained.system), await dimerPathFigure(paths, trained.system)],
    remarks: [
      "The highest potential energy on a path is not a free-energy barrier. All 76 coordinates share in U: it is " +
      `${text(typical.closed.mean)} k_BT on average for the closed dimer, ${
        text(typical.top.mean)
      } for one that is held at ` +
      "the top and spread by several k_BT in both. About 20 k_BT of free energy say how rarely the middle is visited, not how " +
      "high one path through it is.",
      "A straight line between two latent points leads past the middle of the latent space: |z|² is " +
      `${squares[0].toFixed(0)} and ${squares[squares.length - 1].toFixed(0)} at its ends and ` +
      `${
        squares[squares.length >> 1].toFixed(0)
      } half-way. Such configurations have less energy than typical ones, as if ` +
      "they were colder; so a path may show no barrier although its bond is 18 k_BT higher on the way.",
      `Nine points may step over the top: at ${POINTS.close} points the path that is lowest by nine reaches ` +
      `${Math.max(...paths.close.energy).toFixed(1)} instead of ${paths.published.barrier.toFixed(1)} k_BT.`,
      `The lowest of ${paths.published.barriers.length} paths is an extreme value: it falls with every pair that is tried, ` +
      "says what a flow can do, and not what transitions look like.",
    ],
  };
}

function pathRows(
  { published, close, dense, origin, straight }: DimerPaths,
  typical: EnergiesByPlace,
  { data, training }: TrainedDimer,
  seconds: number,
): ReproducedRow[] {
  const most = Number(typical.top.range[1].toFixed(1));
  const flowCost = data.energyEvaluations + training.energyEvaluations;
  const printed: Published = {
    value: "configurations drawn",
    source: "published notebook Fig3_Particles",
    notReproducible: "the energy of the path is not printed, and the weights of the network are lost",
  };
  const pairsOf = ({ barriers }: LowestLatentPath) => `${Math.sqrt(barriers.length)} × ${Math.sqrt(barriers.length)}`;
  const row = (
    quantity: string,
    value: number,
    energies: number,
    note: string,
    more: Partial<ReproducedRow> = {},
  ): ReproducedRow => ({
    quantity: `dimer: highest U on ${quantity}`,
    unit: "k_BT",
    published: null,
    reference: null,
    ours: exactly(value),
    method: "autoregressive particle flow at T = 1",
    energyEvaluations: flowCost + energies,
    seconds: data.seconds + training.seconds + seconds,
    note,
    ...more,
  });
  const goal = `The goal is what 99 of 100 Monte Carlo configurations held at d = ${TOP.middle} stay below.`;
  const median = ({ barriers }: LowestLatentPath) => Float64Array.from(barriers).sort()[barriers.length >> 1];
  const ofPairs = `median over ${pairsOf(published)} pairs, ${POINTS.published} points`;
  const control = {
    method: "no flow",
    energyEvaluations: straight.energyEvaluations + data.energyEvaluations,
    seconds: data.seconds,
  };
  return [
    row(
      `the lowest latent path of ${pairsOf(published)} pairs, ${POINTS.published} points`,
      published.barrier,
      published.energyEvaluations,
      endText(published),
      { published: printed },
    ),
    row(
      `the same path, ${POINTS.close} points`,
      Math.max(...close.energy),
      published.energyEvaluations + POINTS.close,
      "What nine points step over.",
    ),
    row(
      `the lowest latent path of ${pairsOf(dense)} pairs, ${POINTS.dense} points`,
      dense.barrier,
      dense.energyEvaluations,
      "Searched with more points from the start.",
    ),
    row(
      `the lowest path through the latent origin of ${pairsOf(origin)} pairs, ${POINTS.dense} points`,
      origin.barrier,
      origin.energyEvaluations,
      "The variant `through_origin` of the notebook. The origin itself is no typical point: |z|² is 76 for typical ones. " +
        endText(origin),
    ),
    row(
      `latent paths, ${ofPairs}`,
      median(published),
      published.energyEvaluations,
      `Not the best but an ordinary pair. ${goal}`,
      { goal: [-Infinity, most] },
    ),
    row(
      `straight lines in x, ${ofPairs}`,
      median(straight),
      straight.energyEvaluations,
      `A control without a flow, which should miss it. ${goal}`,
      { ...control, goal: [-Infinity, most] },
    ),
    row(
      `the lowest straight line in x of ${pairsOf(straight)} pairs, ${POINTS.published} points`,
      straight.barrier,
      straight.energyEvaluations,
      "A control without a flow.",
      control,
    ),
  ];
}

/** How high a path is between its ends, which are frames of Monte Carlo. */
function endText({ energy }: LowestLatentPath): string {
  const inside = Math.max(...energy.slice(1, -1));
  const ends = Math.max(energy[0], energy[energy.length - 1]);
  return ends > inside
    ? `Its highest point is an end, a frame of Monte Carlo; between the ends it is at most ${inside.toFixed(1)} high.`
    : "Its highest point lies between the ends.";
}

/** U where the path crosses the top of the bond, and what Monte Carlo has there. */
function crossingRow(
  { close }: DimerPaths,
  typical: EnergiesByPlace,
  { system, data, training }: TrainedDimer,
): ReproducedRow {
  const d = system.distance(close.x);
  const there = Array.from(d.keys()).filter((k) => Math.abs(d[k] - TOP.middle) < TOP.halfWidth);
  const { mean, range } = typical.top;
  return {
    quantity: `dimer: highest U on the lowest path of nine points where |d − ${TOP.middle}| < ${TOP.halfWidth}`,
    unit: "k_BT",
    published: null,
    reference: null,
    ours: there.length === 0
      ? noEstimate(`the path jumps across: none of ${POINTS.close} points lies there`)
      : exactly(Math.max(...there.map((k) => close.energy[k]))),
    method: `${POINTS.close} points`,
    energyEvaluations: data.energyEvaluations + training.energyEvaluations + POINTS.close,
    seconds: data.seconds + training.seconds,
    note:
      `Monte Carlo held there: ${text(mean)} on average, 98 of 100 between ${
        range.map((u) => u.toFixed(0)).join(" and ")
      }. ` +
      "The middle of a straight latent line is colder than typical configurations: see the remark on |z|².",
  };
}

/** How near to a mean of energies the peak of a histogram lies, and can be read, in k_BT. */
const PEAK = 2;

/** Typical energies, which say what a path can be compared with. */
function energyRows(typical: EnergiesByPlace, { frames, data }: TrainedDimer, heldCost: Cost): ReproducedRow[] {
  const printed = { closed: 52, open: 58, top: null } as const;
  const costs = { closed: data, open: data, top: heldCost };
  const names = { closed: "closed", open: "open", top: `held at d = ${TOP.middle}` };
  return (["closed", "top", "open"] as const).map((place) => ({
    quantity: `dimer: mean U of Monte Carlo configurations, ${names[place]}`,
    unit: "k_BT",
    published: printed[place] === null ? null : {
      value: `≈ ${printed[place]} (peak)`,
      range: [printed[place] - PEAK, printed[place] + PEAK],
      source: "Noé et al. 2019, Fig. 3f, h, histograms of MD",
    },
    reference: null,
    ours: typical[place].mean,
    method: place === "top" ? "Metropolis with a spring along d" : "Metropolis",
    energyEvaluations: costs[place].energyEvaluations + (place === "top" ? 0 : frames.d.length),
    seconds: costs[place].seconds,
    note: `98 of 100 lie between ${typical[place].range.map((u) => u.toFixed(1)).join(" and ")}.`,
  }));
}

/** The free-energy barrier, beside which the paths are often quoted. */
function barrierRow({ profile, energyEvaluations, seconds }: UmbrellaReference, system: ParticleDimer): ReproducedRow {
  const { freeEnergy, standardError } = gatherProfile(profile, ERROR_EDGES);
  const among = (low: number, high: number) =>
    Array.from(freeEnergy.keys()).filter((k) =>
      freeEnergy[k] !== null && ERROR_EDGES[k] >= low && ERROR_EDGES[k + 1] <= high
    );
  const [bottom, top] = [
    among(0, 1.3).reduce((best, k) => freeEnergy[k]! < freeEnergy[best]! ? k : best),
    among(1.3, 1.8).reduce((best, k) => freeEnergy[k]! > freeEnergy[best]! ? k : best),
  ];
  const bond = (low: number, high: number, of: (...u: number[]) => number) =>
    of(...Array.from({ length: 1001 }, (_, k) => system.dimerEnergy(low + (high - low) * k / 1000)));
  const isolated = bond(1.3, 1.8, Math.max) - bond(0.7, 1.3, Math.min);
  return {
    quantity: "dimer: free-energy barrier from closed, T = 1",
    unit: "k_BT",
    published: {
      value: "19.9",
      source: "computed from the umbrella sampling shipped with the published code (US_data.npz)",
    },
    reference: null,
    ours: estimateFrom(
      freeEnergy[top]! - freeEnergy[bottom]!,
      Math.hypot(standardError[top] ?? NaN, standardError[bottom] ?? NaN),
    ),
    method: "umbrella sampling + MBAR, bins of 0.033",
    energyEvaluations,
    seconds,
    note: `The bond alone has a barrier of ${isolated.toFixed(2)}. Neither number is a potential energy on a path.`,
  };
}

function text({ value }: Estimate): string {
  return value === null ? "unknown" : value.toFixed(0);
}
