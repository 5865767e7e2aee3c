/**
 * What an autoregressive particle flow is made from, and what it cannot be made from.
 *
 * @module
 */
import { expOf } from "../random/elementary.ts";
import { type HeadOptions, requireHead, requireWhole } from "./particle_heads.ts";
import type { PlacementOptions } from "./particle_order.ts";

/** Size and form of an autoregressive particle flow. */
export interface AutoregressiveParticleFlowOptions extends PlacementOptions {
  /** Coordinates of a particle. */
  readonly spatialDim: 1 | 2 | 3;
  /** The density of one particle. */
  readonly head: HeadOptions;
  /** Hidden layers of the networks. Default [64, 64]. */
  readonly hidden?: readonly number[];
  /** T in the units in which energies are k_BT₀, for tilted heads. Default 1. Not with `temperatures`. */
  readonly temperature?: number;
  /**
   * Makes the first coordinate c = (ln T − centre) / spread, so that one flow serves a range of temperatures. Default:
   * one temperature, no such coordinate.
   */
  readonly temperatures?: { readonly centre: number; readonly spread: number };
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
  /** Prefix of the names of the parameters. Default "particles". */
  readonly name?: string;
}

/** Highest temperature that a flow serves; with `temperatures`, where ln T is spread evenly, its upper end. */
export function hottestOf({ temperature = 1, temperatures }: AutoregressiveParticleFlowOptions): number {
  return temperatures === undefined ? temperature : expOf(temperatures.centre + Math.sqrt(3) * temperatures.spread);
}

/** Refuses options that no flow can be made of, before anything is computed. */
export function checkOptions(options: AutoregressiveParticleFlowOptions): void {
  const { particles, spatialDim, hidden = [], head, temperature = 1, temperatures } = options;
  requireWhole("particles", particles);
  hidden.forEach((size, layer) => requireWhole(`hidden[${layer}]`, size));
  requireHead(head, particles);
  if (![1, 2, 3].includes(spatialDim)) {
    throw new RangeError(`Cannot make a particle flow: spatialDim must be 1, 2 or 3, got ${spatialDim}`);
  }
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`Cannot make a particle flow: temperature must be a positive number, got ${temperature}`);
  }
  if (temperatures === undefined) return;
  if (options.temperature !== undefined) {
    throw new TypeError("Cannot make a particle flow: temperature must be left out where temperatures are given");
  }
  if (!Number.isFinite(temperatures.centre)) {
    throw new RangeError(
      `Cannot make a particle flow: temperatures.centre must be a finite number, got ${temperatures.centre}`,
    );
  }
  if (!(temperatures.spread > 0 && Number.isFinite(temperatures.spread))) {
    throw new RangeError(
      `Cannot make a particle flow: temperatures.spread must be a positive number, got ${temperatures.spread}: give ` +
        "temperature for a flow of one temperature",
    );
  }
}
