/**
 * Which density the particles of an autoregressive flow have.
 *
 * @module
 */
import type { TiltTable } from "../graph/tilt.ts";
import type { PairTerm, ParticleInteractions } from "../system/particle_interactions.ts";
import { type ConditionalHead, MixtureHead } from "./conditional_head.ts";
import { highestEnergy, pairTermOf, tabulatePair } from "./pair_table.ts";
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

/** Tables by pair energy and cap: the many pairs of alike particles share one. */
const tables = new WeakMap<PairTerm, Map<number, TiltTable>>();

function tableOf(term: PairTerm, hottest: number): TiltTable {
  const known = tables.get(term) ?? new Map<number, TiltTable>();
  const cap = highestEnergy(hottest);
  const table = known.get(cap) ?? tabulatePair(term, hottest);
  tables.set(term, known.set(cap, table));
  return table;
}

/** Numbers of lines that a grid may have. */
const GRIDS = [9, 17, 33, 65, 129];

/** Refuses a size that is not a whole number ≥ 1. */
export function requireWhole(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new RangeError(`Cannot make a particle flow: ${name} must be a whole number ≥ 1, got ${value}`);
}

/**
 * Refuses a density of an unknown kind, or one that lacks what it is made of.
 *
 * @param head as a user gave it
 * @param particles number of particles of the flow
 */
export function requireHead(head: HeadOptions, particles: number): void {
  const { kind, interactions, neighbours } = (head ?? {}) as Partial<TiltedHeadOptions>;
  if (head?.kind === "mixture") return;
  if (kind !== "tilted") {
    throw new RangeError(`Cannot make a particle flow: head.kind must be tilted or mixture, got ${kind}`);
  }
  for (const name of ["pairTerm", "oneBodyEnergy"] as const) {
    if (typeof interactions?.[name] === "function") continue;
    throw new TypeError(
      `Cannot make a particle flow: head.interactions.${name} must be a function for a tilted head, got ${typeof interactions
        ?.[name]}`,
    );
  }
  if (neighbours === undefined || neighbours.length === particles) return;
  throw new RangeError(
    `Cannot make a particle flow: head.neighbours must hold a list for each of ${particles} particles, got ${neighbours.length}`,
  );
}

/** Refuses grids that do not fall on the knots. */
export function requireGrid({ fine, coarse }: TiltedGrid): void {
  for (const [name, lines] of Object.entries({ fine, coarse })) {
    if (GRIDS.includes(lines)) continue;
    throw new RangeError(`Cannot make a particle flow: grid.${name} must be one of ${GRIDS.join(", ")}, got ${lines}`);
  }
}

/** Earlier particles whose pair energy counts. */
function neighboursOf({ neighbours }: TiltedHeadOptions, { particle, earlier }: PlacedParticle): readonly number[] {
  const chosen = neighbours?.[particle] ?? earlier;
  const late = chosen.find((other) => !earlier.includes(other));
  if (late === undefined) return chosen;
  throw new RangeError(
    `Cannot make a particle flow: neighbours of particle ${particle} must be placed before it, got ${late}`,
  );
}

/** Makes the density of a placed particle, for temperatures up to `hottest`. */
export function makeHead(
  options: HeadOptions,
  { name, spatialDim, placed, hottest }: {
    name: string;
    spatialDim: 1 | 2 | 3;
    placed: PlacedParticle;
    hottest: number;
  },
): ConditionalHead {
  if (options.kind === "mixture") {
    const { components = 12 } = options;
    requireWhole("head.components", components);
    return new MixtureHead(spatialDim, components);
  }
  const { interactions, basis = 7, grid = { fine: 17, coarse: 17 } } = options;
  if (interactions.spatialDim !== spatialDim) {
    throw new RangeError(
      `Cannot make a particle flow: head.interactions.spatialDim must be ${spatialDim}, got ${interactions.spatialDim}`,
    );
  }
  requireWhole("head.basis", basis);
  requireGrid(grid);
  const { particle } = placed;
  const neighbours = neighboursOf(options, placed).flatMap((other) => {
    const term = pairTermOf(interactions, particle, other);
    return term === null ? [] : [{ particle: other, table: tableOf(term, hottest) }];
  });
  const oneBody = (axis: number, x: number) => interactions.oneBodyEnergy(particle, axis, x);
  return new TiltedHead({ name, spatialDim, basis, grid, neighbours, hottest, oneBody });
}
