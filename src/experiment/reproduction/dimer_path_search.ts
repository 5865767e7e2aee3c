/**
 * The search for low latent paths of the dimer, and Monte Carlo that they can be compared with.
 *
 * @module
 */
import { Flow } from "../../flow/flow.ts";
import { Scaling } from "../../flow/scaling.ts";
import { latentPath, type LowestLatentPath, lowestLatentPath } from "../../hybrid/latent_path.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { MetropolisChains } from "../../sampling/metropolis_chains.ts";
import { DIMER_BOUNDARY } from "../../system/particle_dimer.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import type { TrainedDimer } from "./trained_dimer.ts";
import { byChain, meanOverChains } from "./independent_mean.ts";

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
export const POINTS = { published: 9, dense: 33, close: 257 } as const;
/** The top: middle, half width, and the spring that holds the dimer there, k_BT per square length. */
export const TOP = { middle: 1.52, halfWidth: 0.1, spring: 200, stream: 31, burnIn: 2000 } as const;

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
 * Searches the paths.
 *
 * @param context budget, threads
 * @param trained flow and frames
 */
export async function searchPaths(
  context: ExperimentContext,
  { system, flow, frames }: TrainedDimer,
): Promise<DimerPaths> {
  const { ends, fewerEnds } = SIZES[context.budget];
  const { pool, signal } = context;
  const endsBy = (count: number) => [
    endsOf(frames, system.dim, count, (d) => d < DIMER_BOUNDARY),
    endsOf(frames, system.dim, count, (d) => d >= DIMER_BOUNDARY),
  ];
  const search = (what: string, of: Flow, count: number, points: number, throughOrigin = false) => {
    const [from, to] = endsBy(count);
    const onProgress = (done: number) => context.onProgress(what, done);
    return lowestLatentPath(of, system, from, to, { points, throughOrigin, pool, onProgress, ...signal && { signal } });
  };
  const published = await search("latent paths of all pairs", flow, ends, POINTS.published);
  const row = (x: Float64Array, i: number) => x.subarray(i * system.dim, (i + 1) * system.dim);
  const [i, j] = published.pair;
  const [closed, open] = endsBy(ends);
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
export function heldAtTop({ budget, seed, pool }: ExperimentContext, { system, step }: TrainedDimer) {
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

/**
 * Finds what energies are typical.
 *
 * @param trained system and frames of both basins
 * @param held energies at the top, by chain
 */
export function typicalEnergies(
  { system, frames }: TrainedDimer,
  held: { byChain: readonly number[][] },
): EnergiesByPlace {
  const energy = system.energy(frames.x);
  const of = (accepts: (d: number) => boolean) => typicalOf(byChain(energy, frames.chain, (i) => accepts(frames.d[i])));
  return {
    closed: of((d) => d < DIMER_BOUNDARY),
    top: typicalOf(held.byChain.filter((own) => own.length > 0)),
    open: of((d) => d >= DIMER_BOUNDARY),
  };
}

function typicalOf(chains: readonly (readonly number[])[]): TypicalEnergies {
  const all = Float64Array.from(chains.flat()).sort();
  const at = (share: number) => all[Math.min(all.length - 1, Math.floor(share * all.length))];
  return {
    mean: meanOverChains(chains),
    range: [at(0.01), at(0.99)],
  };
}
