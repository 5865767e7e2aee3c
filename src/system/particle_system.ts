/**
 * What Monte Carlo by kernels needs of a system.
 *
 * @module
 */
import type { ParticleCoefficients } from "../backend/particle_coefficients.ts";
import type { ComputeOptions, System } from "./system.ts";

/** A system of particles in two dimensions whose energy the kernels know. */
export interface ParticleSystem extends System {
  /** Number of particles. */
  readonly particles: number;
  /** The energy's numbers as the kernels take them. */
  readonly coefficients: ParticleCoefficients;
  /**
   * Sets up the starts that chains take in turn.
   *
   * @returns one or more configurations [dim] of finite energy
   */
  startConfigurations(): Float64Array[];
  /**
   * Finds the labels that bring configurations into the reference domain.
   *
   * @param x [n, dim]
   * @param options threads
   * @returns [n, particles]: which particle of the configuration gets each label
   */
  canonicalOrder(x: Float64Array, options?: ComputeOptions): Int32Array;
}

/** A system that can be coupled, step by step, to an ideal gas whose free energy is known. */
export interface CoupledSystem extends ParticleSystem {
  /**
   * Makes the system with its pair energies scaled.
   *
   * @param coupling λ ≥ 0; 0 leaves an ideal gas, 1 the system itself
   * @returns the scaled system
   */
  withCoupling(coupling: number): ParticleSystem;
  /**
   * Computes what λ scales.
   *
   * @param x [n, dim]
   * @param options threads
   * @returns ∂U/∂λ [n]
   */
  pairEnergy(x: Float64Array, options?: ComputeOptions): Float64Array;
  /**
   * Computes ln Z at λ = 0, over all labellings.
   *
   * @param temperature T in units of T₀
   * @returns ln Z
   */
  idealLogPartition(temperature: number): number;
  /** ln of the number of labellings: Z over the reference domain is Z divided by their number. */
  readonly logLabellings: number;
}
