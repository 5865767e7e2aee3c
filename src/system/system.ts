/**
 * What a physical system offers: an energy of configurations and, where particles are alike, a reference domain.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";

/** Energies and gradients of n configurations. */
export interface EnergyAndGradient {
  /** U [n]. */
  readonly energy: Float64Array;
  /** ∂U/∂x [n, dim]; the force is its negative. */
  readonly gradient: Float64Array;
}

/** How to compute: which threads take part. */
export interface ComputeOptions {
  /** Threads to spread the work over; the calling one alone if left out. Results do not depend on it. */
  readonly pool?: Executor | undefined;
}

/**
 * An energy U(x) of configurations x [n, dim], row-major, in units of k_BT₀.
 *
 * Temperature is not part of a system: whoever samples divides U by T.
 */
export interface System {
  /** What it is called. */
  readonly name: string;
  /** Number of coordinates of one configuration. */
  readonly dim: number;
  /** Name of the parameter set it started from. */
  readonly preset?: string;
  /** Every number in its formula. */
  readonly parameters?: Readonly<Record<string, number>>;
  /**
   * Computes energies.
   *
   * @param x configurations [n, dim]
   * @param options threads
   * @returns U [n]
   */
  energy(x: Float64Array, options?: ComputeOptions): Float64Array;
  /**
   * Computes energies and their gradients.
   *
   * @param x configurations [n, dim]
   * @param options threads
   * @returns U [n] and ∂U/∂x [n, dim]
   */
  energyAndGradient(x: Float64Array, options?: ComputeOptions): EnergyAndGradient;
  /**
   * Relabels alike particles so that every configuration lies in the reference domain; its energy does not change.
   *
   * @param x configurations [n, dim]
   * @param options threads
   * @returns relabelled configurations [n, dim]
   */
  canonicalize?(x: Float64Array, options?: ComputeOptions): Float64Array;
  /**
   * Tells which configurations lie in the reference domain.
   *
   * @param x configurations [n, dim]
   * @param options threads
   * @returns 1 inside and 0 outside, [n]
   */
  inDomain?(x: Float64Array, options?: ComputeOptions): Uint8Array;
}

/**
 * Counts the configurations in an array.
 *
 * @param x [n, dim]
 * @param dim coordinates of one configuration
 * @param what what cannot be done if the array does not fit, as in "compute energies"
 * @returns n
 * @throws {TypeError} if x is not a Float64Array
 * @throws {RangeError} if its length is not a multiple of dim
 */
export function configurationCount(x: Float64Array, dim: number, what: string): number {
  if (!(x instanceof Float64Array)) {
    throw new TypeError(`Cannot ${what}: x must be a Float64Array, got ${describe(x)}`);
  }
  if (x.length % dim !== 0) {
    throw new RangeError(`Cannot ${what}: x must have a length that is a multiple of dim = ${dim}, got ${x.length}`);
  }
  return x.length / dim;
}

function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return String(value);
  return value.constructor?.name ?? "an object";
}

/**
 * Puts a user's parameters over those of a preset.
 *
 * @param system name for messages, as in "make a ParticleDimer"
 * @param presets parameter sets by name
 * @param preset which to start from
 * @param overrides values that replace the preset's; undefined ones are ignored
 * @returns the complete set
 * @throws {RangeError} if the preset or a parameter's name is unknown or a value is not finite
 */
export function mergeParameters<P extends { readonly [K in keyof P]: number }>(
  system: string,
  presets: Readonly<Record<string, P>>,
  preset: string,
  overrides: Readonly<Record<string, unknown>>,
): P {
  if (!Object.hasOwn(presets, preset)) {
    const known = Object.keys(presets).join(", ");
    throw new RangeError(`Cannot ${system}: preset must be one of ${known}, got ${preset}`);
  }
  const merged: Record<string, number> = { ...presets[preset] };
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(merged, name)) {
      const known = Object.keys(merged).join(", ");
      throw new RangeError(`Cannot ${system}: parameter must be one of ${known}, got ${name}`);
    }
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new RangeError(`Cannot ${system}: ${name} must be a finite number, got ${String(value)}`);
    }
    merged[name] = value;
  }
  return merged as P;
}

/**
 * Throws unless parameters are positive.
 *
 * @param what what is to be done, as in "make a ParticleDimer"
 * @param parameters numbers by name
 * @param names which of them
 * @throws {RangeError} if one is not above 0
 */
export function requirePositive<K extends string>(
  what: string,
  parameters: { readonly [name in K]: number },
  names: readonly K[],
): void {
  for (const name of names) {
    if (parameters[name] > 0) continue;
    throw new RangeError(`Cannot ${what}: ${name} must be positive, got ${parameters[name]}`);
  }
}
