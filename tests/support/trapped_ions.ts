/** Three charges in a harmonic trap in the plane, integrated: what the example is compared with. */

/** Exact averages of the ions. */
export interface TrappedIons {
  /** ln ∫ e^(−U) dx. */
  readonly logPartition: number;
  /** ⟨U⟩. */
  readonly meanEnergy: number;
}

/**
 * Integrates U = Σ |r_i|²/2 + Σ q_i q_j / r_ij of three particles in the plane.
 *
 * In Jacobi's coordinates R = Σ r_i/√3, ρ = (r₁ − r₂)/√2, λ = (r₁ + r₂ − 2 r₃)/√6, an orthogonal map, Σ |r_i|² is the sum
 * of their squares. R and a common rotation of ρ and λ are integrated by hand: Z = (2π)² ∫ dρ ρ ∫ d²λ e^(−U′), with ρ
 * along the first axis. Trapezoids: the integrand vanishes with all its derivatives at the ends and where particles meet,
 * so the error falls faster than any power of the step.
 */
export function integrateTrappedIons([q1, q2, q3]: readonly [number, number, number], steps = 80): TrappedIons {
  const h = 8 / steps;
  let [sum, energies] = [0, 0];
  for (let a = 1; a < steps; a++) {
    const rho = a * h;
    for (let b = -steps; b <= steps; b++) {
      for (let c = 0; c <= steps; c++) {
        const [across, along] = [Math.sqrt(1.5) * c * h, Math.sqrt(1.5) * b * h];
        const near = Math.hypot(along + rho / Math.SQRT2, across);
        const far = Math.hypot(along - rho / Math.SQRT2, across);
        const energy = (rho * rho + (b * b + c * c) * h * h) / 2 + q1 * q2 / (Math.SQRT2 * rho) + q1 * q3 / near +
          q2 * q3 / far;
        // Half of the plane of λ stands for all of it; its axis is there once. Where particles meet there is no weight.
        const weight = (c === 0 ? 1 : 2) * Math.exp(-energy) * rho;
        if (weight === 0) continue;
        sum += weight;
        energies += weight * energy;
      }
    }
  }
  // R has the factor 2π and a mean energy of 1.
  return { logPartition: Math.log((2 * Math.PI) ** 2 * sum * h ** 3), meanEnergy: energies / sum + 1 };
}
