/**
 * Which density the particles of an autoregressive flow have.
 *
 * @module
 */
import type { TiltTable } from "../autodiff/primitives/tilt.ts";
import type { PairTerm, ParticleInteractions } from "../system/particle_interactions.ts";
import { type ConditionalHead, MixtureHead } from "./conditional_head.ts";
import { tabulatePair } from "./pair_table.ts";
import type { PlacedParticle } from "./particle_order.ts";
import { type TiltedGrid, TiltedHead } from "./tilted_head.ts";

/** A mixture of Gaussians: fast, and no energy needed. */
export interface MixtureHeadOptions {
  /** Which density. */
  readonly kind: "mixture";
  /** Number of Gaussians. Default 12. */
  readonly components?: number;
}

/** The exact energy with the neighbours times exp φ, φ a polynomial: nearer to the target, and slower. */
export interface TiltedHeadOptions {
  /** Which density. */
  readonly kind: "tilted";
  /** Pair and one-body energies. */
  readonly interactions: Pick<ParticleInteractions, "spatialDim" | "pairTerm" | "oneBodyEnergy">;
  /** Earlier particles whose pair energy counts, for each particle. Default: all earlier ones; `fit` finds the close ones. */
  readonly neighbours?: readonly (readonly number[])[];
  /** Polynomials per axis in φ. Default 7. */
  readonly basis?: number;
  /** Grids. Default { fine: 17, coarse: 17 }. */
  readonly grid?: TiltedGrid;
}

/** The density of a particle. */
export type HeadOptions = MixtureHeadOptions | TiltedHeadOptions;

/** Tables by pair energy: the many pairs of alike particles share one. */
const tables = new WeakMap<PairTerm, TiltTable>();

function tableOf(term: PairTerm): TiltTable {
  let table = tables.get(term);
  if (table === undefined) {
    table = tabulatePair(term);
    tables.set(term, table);
  }
  return table;
}

/** Makes the density of a placed particle. */
export function makeHead(
  options: HeadOptions,
  { name, spatialDim, placed }: { name: string; spatialDim: 1 | 2 | 3; placed: PlacedParticle },
): ConditionalHead {
  if (options.kind === "mixture") return new MixtureHead(spatialDim, options.components ?? 12);
  const { interactions, basis = 7, grid = { fine: 17, coarse: 17 } } = options;
  const { particle, earlier } = placed;
  const neighbours = (options.neighbours?.[particle] ?? earlier).flatMap((other) => {
    const term = interactions.pairTerm(particle, other);
    return term === null ? [] : [{ particle: other, table: tableOf(term) }];
  });
  const oneBody = (axis: number, x: number) => interactions.oneBodyEnergy(particle, axis, x);
  return new TiltedHead({ name, spatialDim, basis, grid, neighbours, oneBody });
}
