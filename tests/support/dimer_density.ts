/** The exact distribution of the dimer's distance without solvent, by quadrature, and tests against it. */
import type { ParticleDimer } from "../../src/system/particle_dimer.ts";

/**
 * Probability of each bin of d for a dimer without solvent far from the walls.
 *
 * With the relative vector d (cos θ, sin θ) and y₀² + y₁² = (sum² + (d sin θ)²)/2, the tethers leave
 * p(d) ∝ d exp(−(bond + bias)/T) ∫ exp(−k_d d² sin²θ / 2T) dθ.
 */
export function distanceProbabilities(
  dimer: ParticleDimer,
  temperature: number,
  edges: readonly number[],
  bias: (d: number) => number = () => 0,
): Float64Array {
  const { tether } = dimer.parameters;
  const density = (d: number) => {
    let angles = 0;
    for (let k = 0; k < 400; k++) {
      angles += Math.exp(-tether * (d * Math.sin(Math.PI * k / 200)) ** 2 / (2 * temperature));
    }
    return d * angles * Math.exp(-dimer.dimerEnergy(d) / temperature - bias(d));
  };
  const masses = Float64Array.from({ length: edges.length - 1 }, (_, bin) => {
    const width = edges[bin + 1] - edges[bin];
    let sum = 0;
    for (let k = 0; k < 20; k++) sum += density(edges[bin] + (k + 0.5) / 20 * width);
    return sum * width;
  });
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  return masses.map((mass) => mass / total);
}

/** χ² of independent samples against bin probabilities, divided by its expectation bins − 1. */
export function chiSquarePerFreedom(
  samples: Float64Array,
  edges: readonly number[],
  probabilities: Float64Array,
): number {
  const counts = new Float64Array(probabilities.length);
  for (const d of samples) {
    const bin = edges.findIndex((edge) => d < edge) - 1;
    if (bin >= 0) counts[bin]++;
  }
  const n = samples.length;
  let sum = 0;
  probabilities.forEach((p, bin) => sum += (counts[bin] - n * p) ** 2 / (n * p));
  return sum / (probabilities.length - 1);
}
