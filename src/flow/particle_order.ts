/**
 * Which particle is placed when, and which of those before it sees.
 *
 * @module
 */
import type { ParticleInteractions } from "../system/particle_interactions.ts";
import { pairTermOf } from "./pair_table.ts";

/** A particle in the order of placement. */
export interface PlacedParticle {
  /** Its number in the configuration. */
  readonly particle: number;
  /** Particles placed before. */
  readonly earlier: readonly number[];
  /** Those of them that its network sees, in the order of placement. */
  readonly seen: readonly number[];
}

/** What decides the order. */
export interface PlacementOptions {
  /** Number of particles. */
  readonly particles: number;
  /** Coordinates of a particle. */
  readonly spatialDim: number;
  /** Numbers of the particles in the order of placement. Default: ascending. */
  readonly order?: readonly number[];
  /** How many earlier particles a network sees: those with the nearest reference positions. Default: all. */
  readonly neighbourhood?: number;
  /** Reference positions [particles, spatialDim]; needed for a `neighbourhood`. */
  readonly referencePositions?: Float64Array;
}

/**
 * Lists the particles in the order of placement.
 *
 * @param options order and neighbourhood
 * @returns each particle with those before it
 * @throws {RangeError} if `order` is no permutation, or a neighbourhood lacks reference positions
 */
export function placeParticles(options: PlacementOptions): PlacedParticle[] {
  const { particles, order = Array.from({ length: particles }, (_, i) => i), neighbourhood } = options;
  const sorted = [...order].sort((a, b) => a - b);
  if (order.length !== particles || sorted.some((particle, i) => particle !== i)) {
    throw new RangeError(
      `Cannot make a particle flow: order must hold each particle from 0 to ${particles - 1} once, got [${order}]`,
    );
  }
  if (neighbourhood !== undefined && !(Number.isInteger(neighbourhood) && neighbourhood >= 0)) {
    throw new RangeError(`Cannot make a particle flow: neighbourhood must be a whole number ≥ 0, got ${neighbourhood}`);
  }
  return order.map((particle, k) => {
    const earlier = order.slice(0, k);
    if (neighbourhood === undefined || neighbourhood >= k) return { particle, earlier, seen: earlier };
    const distance = new Map(earlier.map((other) => [other, referenceDistance(options, particle, other)]));
    const near = new Set([...earlier].sort((a, b) => distance.get(a)! - distance.get(b)!).slice(0, neighbourhood));
    return { particle, earlier, seen: earlier.filter((other) => near.has(other)) };
  });
}

function referenceDistance({ particles, spatialDim, referencePositions }: PlacementOptions, i: number, j: number) {
  if (referencePositions?.length !== particles * spatialDim) {
    throw new RangeError(
      `Cannot make a particle flow: referencePositions must hold ${particles * spatialDim} numbers where a ` +
        `neighbourhood is given, got ${referencePositions?.length ?? "none"}`,
    );
  }
  let square = 0;
  for (let d = 0; d < spatialDim; d++) {
    const apart = referencePositions[i * spatialDim + d] - referencePositions[j * spatialDim + d];
    square += apart * apart;
  }
  return square;
}

/** Most configurations that are looked at for close particles. */
const FRAMES = 2000;
/** A particle is a neighbour if it is within the cutoff in this part of the configurations. */
const OFTEN = 0.005;

/**
 * Finds for each particle the earlier ones that are within the cutoff of their pair energy in at least 0.5 % of about 2000
 * configurations, evenly spread over the data.
 *
 * @param data configurations, row-major
 * @param stride numbers in a row
 * @param first index of the first particle's first coordinate in a row
 * @param placed the order
 * @param interactions pair energies
 * @returns earlier neighbours of each particle, by the particle's number, most often within the cutoff first
 * @throws {TypeError} if `pairTerm` returns something else than a term or null
 */
export function closeParticles(
  data: Float64Array,
  stride: number,
  first: number,
  placed: readonly PlacedParticle[],
  interactions: Pick<ParticleInteractions, "spatialDim" | "pairTerm">,
): number[][] {
  const { spatialDim } = interactions;
  const rows = Math.floor(data.length / stride);
  const step = Math.max(1, Math.floor(rows / FRAMES));
  const neighbours: number[][] = placed.map(() => []);
  for (const { particle, earlier } of placed) {
    const shares = earlier.map((other) => {
      const term = pairTermOf(interactions, particle, other);
      if (term === null) return { other, share: 0 };
      let [close, looked] = [0, 0];
      for (let row = 0; row < rows; row += step, looked++) {
        const at = row * stride + first;
        let square = 0;
        for (let d = 0; d < spatialDim; d++) {
          const apart = data[at + particle * spatialDim + d] - data[at + other * spatialDim + d];
          square += apart * apart;
        }
        if (square < term.cutoff * term.cutoff) close++;
      }
      return { other, share: close / looked };
    });
    neighbours[particle] = shares.filter(({ share }) => share >= OFTEN).sort((a, b) => b.share - a.share).map((s) =>
      s.other
    );
  }
  return neighbours;
}
