/** Two particles of a fluid, integrated over a grid: what sampling and free energies are compared with. */
import type { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";

/** Exact averages of two particles at one temperature. */
export interface TwoParticles {
  /** ln Z over both labellings. */
  readonly logPartition: number;
  /** ⟨pair energy⟩. */
  readonly pairEnergy: number;
  /** ⟨distance⟩. */
  readonly distance: number;
  /** Probability that the particles are closer than `near`. */
  readonly closer: number;
}

/**
 * Integrates two particles over their distance vector (u, v) by the trapezoid rule.
 *
 * Z = ∫∫ g(u) g(v) e^(−φ(r)/T) du dv, where g(u) = ∫ w(x) w(x + u) dx and w = e^(−walls/T). Integrands vanish at the ends
 * with their first derivatives; those of g are continuous to the second, so the error falls like the fourth power of
 * `step`.
 */
export function integrateTwoParticles(
  fluid: LennardJonesFluid,
  temperature: number,
  near: number,
  step = 0.01,
): TwoParticles {
  const { repulsion, attraction, sigma, boxConstant } = fluid.parameters;
  const reach = Math.ceil((fluid.halfBox + 8 * Math.sqrt(temperature / boxConstant)) / step);
  const w = (i: number) => Math.exp(-boxConstant * Math.max(0, Math.abs(i) * step - fluid.halfBox) ** 2 / temperature);
  const g = Float64Array.from({ length: 2 * reach + 1 }, (_, u) => {
    let sum = 0;
    for (let i = -reach; i + u <= reach; i++) sum += w(i) * w(i + u);
    return sum * step;
  });
  const sums = { all: 0, energy: 0, distance: 0, near: 0 };
  for (let u = 0; u < g.length; u++) {
    for (let v = u === 0 ? 1 : 0; v < g.length; v++) {
      const r = step * Math.sqrt(u * u + v * v);
      const t = (sigma / r) ** 6;
      const energy = (repulsion * t - attraction) * t;
      // A quadrant stands for four; the axes are shared by two.
      const weight = (u === 0 ? 1 : 2) * (v === 0 ? 1 : 2) * g[u] * g[v] * Math.exp(-energy / temperature);
      sums.all += weight;
      sums.distance += weight * r;
      if (weight > 0) sums.energy += weight * energy;
      if (r < near) sums.near += weight;
    }
  }
  return {
    logPartition: Math.log(sums.all * step * step),
    pairEnergy: sums.energy / sums.all,
    distance: sums.distance / sums.all,
    closer: sums.near / sums.all,
  };
}

/** Two sites for two particles. */
export const TWO_SITES = Float64Array.of(-0.5, 0, 0.5, 0);
