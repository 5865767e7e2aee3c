/**
 * What Monte Carlo by kernels needs of a system.
 *
 * @module
 */
import type { ParticleCoefficients } from "../backend/particle_coefficients.ts";
import type { GradientPrecision } from "../backend/particle_kernels.ts";
import type { ComputeOptions, EnergyAndGradient, System } from "./system.ts";

/** How to compute gradients: which threads take part, in which precision. */
export interface GradientOptions extends ComputeOptions {
  /**
   * Numbers to compute in, default "float64". "float32" takes about half the time and serves gradients that only show the
   * way, as in training; nothing that is reported should rest on it. Every coordinate is rounded first (by 2⁻²⁴ of itself),
   * so that a pair term has a relative error of up to 12 · 2⁻²⁴ (Σ|x|/r + 4), where Σ|x| are the two particles' coordinates,
   * and its gradient of 14/12 of that: 1e-5 at r = 1 in a box of half side 3. Terms above 3e38, of particles closer than
   * 0.002 σ, overflow.
   */
  readonly precision?: GradientPrecision | undefined;
}

/** A system of particles in two dimensions whose energy the kernels know. */
export interface ParticleSystem extends System {
  /** Number of particles. */
  readonly particles: number;
  /** The energy's numbers as the kernels take them. */
  readonly coefficients: ParticleCoefficients;
  /**
   * Computes energies and their gradients.
   *
   * @param x configurations [n, dim]
   * @param options threads and precision
   * @returns U [n] and ∂U/∂x [n, dim]
   */
  energyAndGradient(x: Float64Array, options?: GradientOptions): EnergyAndGradient;
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
