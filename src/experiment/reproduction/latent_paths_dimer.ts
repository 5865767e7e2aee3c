/**
 * Latent paths from the closed to the open dimer.
 *
 * @module
 */
import { Flow } from "../../flow/flow.ts";
import { Scaling } from "../../flow/scaling.ts";
import { latentPath, type LowestLatentPath, lowestLatentPath } from "../../hybrid/latent_path.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import { MetropolisChains } from "../../sampling/metropolis_chains.ts";
import { DIMER_BOUNDARY, type ParticleDimer } from "../../system/particle_dimer.ts";
import { dimerEnergyFigure, dimerPathFigure } from "./latent_paths_figures.ts";
import { ERROR_EDGES, gatherProfile, type UmbrellaReference, umbrellaReference } from "./dimer_umbrella_reference.ts";
import type { ExperimentContext, ExperimentResult, ReproductionBudget } from "./experiment.ts";
import { exactly, type Published, type ReproducedRow } from "./row.ts";
import { type Cost, type TrainedDimer, trainedDimer } from "./trained_dimer.ts";

/** Sizes of a budget. */
interface Sizes {
  /** Frames of each basin that are tried as ends, as published 90. */
  readonly ends: number;
  /** Frames of each basin for paths with more points. */
  readonly fewerEnds: number;
  /** Chains of Monte Carlo at the top, and frames of each. */
  readonly held: { readonly chains: number; readonly frames: number; readonly stride: number };
}

const SIZES: Readonly<Record<ReproductionBudget, Sizes>> = {
  smoke: { ends: 3, fewerEnds: 2, held: { chains: 4, frames: 5, stride: 20 } },
  default: { ends: 90, fewerEnds: 30, held: { chains: 32, frames: 40, stride: 150 } },
  paper: { ends: 90, fewerEnds: 90, held: { chains: 64, frames: 100, stride: 150 } },
};
/** Points of a path as published, of denser ones, and of the best path looked at closely. */
const POINTS = { published: 9, dense: 33, close: 257 } as const;
/** The top: middle, half width, and the spring that holds the dimer there, k_BT per square length. */
const TOP = { middle: 1.52, halfWidth: 0.1, spring: 200, stream: 31, burnIn: 2000 } as const;

/** Energies of Monte Carlo configurations. */
export interface TypicalEnergies {
  /** Mean of each chain's mean. */
  readonly mean: Estimate;
  /** In which 98 of 100 energies lie. */
  readonly range: readonly [number, number];
}

/** What Monte Carlo says of closed, held and open dimers. */
export type EnergiesByPlace = Readonly<Record<"closed" | "top" | "open", TypicalEnergies>>;

/** The paths that are looked at. */
export interface DimerPaths {
  /** Best of all pairs with nine points. */
  readonly published: LowestLatentPath;
  /** The same path with 257 points: configurations, energies, |z|². */
  readonly close: { readonly x: Float64Array; readonly energy: Float64Array; readonly square: Float64Array };
  /** Best of fewer pairs with 33 points. */
  readonly dense: LowestLatentPath;
  /** The same pairs by way of the origin. */
  readonly origin: LowestLatentPath;
  /** Straight lines in x. */
  readonly straight: LowestLatentPath;
}

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

async function searchPaths(context: ExperimentContext, { system, flow, frames }: TrainedDimer): Promise<DimerPaths> {
  const { ends, fewerEnds } = SIZES[context.budget];
  const { pool, signal } = context;
  const closed = endsOf(frames, system.dim, ends, (d) => d < DIMER_BOUNDARY);
  const open = endsOf(frames, system.dim, ends, (d) => d >= DIMER_BOUNDARY);
  const search = (what: string, of: Flow, count: number, points: number, throughOrigin = false) => {
    const [from, to] = [closed, open].map((x) => x.subarray(0, count * system.dim));
    const onProgress = (done: number) => context.onProgress(what, done);
    return lowestLatentPath(of, system, from, to, { points, throughOrigin, pool, onProgress, ...signal && { signal } });
  };
  const published = await search("latent paths of all pairs", flow, ends, POINTS.published);
  const row = (x: Float64Array, i: number) => x.subarray(i * system.dim, (i + 1) * system.dim);
  const [i, j] = published.pair;
  const x = latentPath(flow, row(closed, i), row(open, j), POINTS.close, { pool });
  return {
    published,
    close: { x, energy: system.energy(x, { pool }), square: squaresOf(flow.encode(x, { pool }).z, system.dim) },
    dense: await search("latent paths with more points", flow, fewerEnds, POINTS.dense),
    origin: await search("latent paths through the origin", flow, fewerEnds, POINTS.dense, true),
    straight: await search("straight lines in x", new Flow(new Scaling({ dim: system.dim })), ends, POINTS.published),
  };
}

/** |z|² of each latent point. */
function squaresOf(z: Float64Array, dim: number): Float64Array {
  const squares = new Float64Array(z.length / dim);
  z.forEach((v, i) => squares[Math.floor(i / dim)] += v * v);
  return squares;
}

/** The frames of a basin, as many as are wanted, spread over all of them. */
function endsOf(
  { x, d }: TrainedDimer["frames"],
  dim: number,
  count: number,
  accepts: (d: number) => boolean,
): Float64Array {
  const found = Array.from(d.keys()).filter((i) => accepts(d[i]));
  const chosen = Array.from({ length: count }, (_, k) => found[Math.floor(k * found.length / count)]);
  const ends = new Float64Array(count * dim);
  chosen.forEach((i, k) => ends.set(x.subarray(i * dim, (i + 1) * dim), k * dim));
  return ends;
}

/** Monte Carlo of the dimer held at the top by a spring: energies of the frames that lie there, by chain. */
function heldAtTop({ budget, seed, pool }: ExperimentContext, { system, step }: TrainedDimer) {
  const { chains: count, frames, stride } = SIZES[budget].held;
  const centres = new Float64Array(count).fill(TOP.middle);
  const chains = new MetropolisChains(system, {
    chains: count,
    seed,
    stream: TOP.stream,
    step,
    bias: { constant: TOP.spring, centres },
  });
  chains.advance(TOP.burnIn, { pool });
  const byChain: number[][] = Array.from({ length: count }, () => []);
  for (let frame = 0; frame < frames; frame++) {
    chains.advance(stride, { pool });
    const energy = system.energy(chains.positions(), { pool });
    chains.distances().forEach((d, c) => {
      if (Math.abs(d - TOP.middle) < TOP.halfWidth) byChain[c].push(energy[c]);
    });
  }
  return { byChain, energyEvaluations: chains.energyEvaluations + count * frames };
}

function typicalEnergies({ system, frames }: TrainedDimer, held: { byChain: readonly number[][] }): EnergiesByPlace {
  const energy = system.energy(frames.x);
  const of = (accepts: (d: number) => boolean) => {
    const byChain = new Map<number, number[]>();
    energy.forEach((u, i) => {
      if (accepts(frames.d[i])) byChain.set(frames.chain[i], [...byChain.get(frames.chain[i]) ?? [], u]);
    });
    return typicalOf([...byChain.values()]);
  };
  return {
    closed: of((d) => d < DIMER_BOUNDARY),
    top: typicalOf(held.byChain.filter((own) => own.length > 0)),
    open: of((d) => d >= DIMER_BOUNDARY),
  };
}

function typicalOf(byChain: readonly (readonly number[])[]): TypicalEnergies {
  const means = byChain.map((own) => own.reduce((sum, u) => sum + u, 0) / own.length);
  const mean = means.reduce((sum, u) => sum + u, 0) / means.length;
  const variance = means.reduce((sum, u) => sum + (u - mean) ** 2, 0) / (means.length - 1);
  const all = Float64Array.from(byChain.flat()).sort();
  const at = (share: number) => all[Math.min(all.length - 1, Math.floor(share * all.length))];
  return {
    mean: estimateFrom(mean, Math.sqrt(variance / means.length), { degreesOfFreedom: means.length - 1 }),
    range: [at(0.01), at(0.99)],
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
    goal: [-Infinity, most],
    ours: exactly(value),
    method: "autoregressive particle flow at T = 1",
    energyEvaluations: flowCost + energies,
    seconds: data.seconds + training.seconds + seconds,
    note,
    ...more,
  });
  return [
    row(
      `the lowest latent path of ${pairsOf(published)} pairs, ${POINTS.published} points`,
      published.barrier,
      published.energyEvaluations,
      `The goal is what 99 of 100 Monte Carlo configurations held at d = ${TOP.middle} stay below.`,
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
      "The variant `through_origin` of the notebook. The origin itself is no typical point: |z|² is 76 for typical ones.",
    ),
    ...([["latent paths", published], ["straight lines in x", straight]] as const).map(([what, { barriers }]) =>
      row(
        `${what}, median over ${pairsOf(published)} pairs, ${POINTS.published} points`,
        Float64Array.from(barriers).sort()[barriers.length >> 1],
        published.energyEvaluations,
        what === "latent paths" ? "Not the best but an ordinary pair." : "A control without a flow.",
      )
    ),
    row(
      `the lowest straight line in x of ${pairsOf(straight)} pairs, ${POINTS.published} points`,
      straight.barrier,
      straight.energyEvaluations,
      "A control without a flow.",
      {
        method: "no flow",
        energyEvaluations: straight.energyEvaluations + data.energyEvaluations,
        seconds: data.seconds,
      },
    ),
  ];
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

/** Typical energies, which say what a path can be compared with. */
function energyRows(typical: EnergiesByPlace, { frames, data }: TrainedDimer, heldCost: Cost): ReproducedRow[] {
  const printed = { closed: "≈ 52 (peak)", open: "≈ 58 (peak)", top: null } as const;
  const costs = { closed: data, open: data, top: heldCost };
  const names = { closed: "closed", open: "open", top: `held at d = ${TOP.middle}` };
  return (["closed", "top", "open"] as const).map((place) => ({
    quantity: `dimer: mean U of Monte Carlo configurations, ${names[place]}`,
    unit: "k_BT",
    published: printed[place] === null
      ? null
      : { value: printed[place], source: "Noé et al. 2019, Fig. 3f, h, histograms of MD" },
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
    published: { value: "19.9", source: "umbrella sampling (US_data.npz) shipped with the published code" },
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
