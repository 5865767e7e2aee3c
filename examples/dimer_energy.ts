/**
 * Energies, gradients and Monte Carlo of the particle dimer.
 *
 *     deno run examples/dimer_energy.ts        needs no permission
 *
 * @module
 */
import { bootstrap, metropolisSample, ParticleDimer } from "../mod.ts";

const dimer = new ParticleDimer({ preset: "noe2019" });
const { x, d, chain } = await metropolisSample(dimer, { frames: 8000, chains: 40, spacing: 0.1, seed: 1 });
const { energy, gradient } = dimer.energyAndGradient(x);

/** A mean and its standard error: frames of one chain are alike, so whole chains are resampled. */
function average(value: (frame: number) => number, isUsed: (frame: number) => boolean): string {
  const frames = Array.from(d.keys()).filter(isUsed);
  const mean = (weights: Float64Array) =>
    frames.reduce((sum, i, k) => sum + weights[k] * value(i), 0) / weights.reduce((sum, weight) => sum + weight);
  const means = bootstrap(mean, frames.length, { blocks: frames.map((i) => chain[i]) });
  const centre = mean(new Float64Array(frames.length).fill(1));
  const error = Math.hypot(...means.map((replicate) => replicate - centre)) / Math.sqrt(means.length);
  return `${centre.toFixed(3)} ± ${error.toFixed(3)}`;
}

console.log(`Mean energy, closed: ${average((i) => energy[i], (i) => d[i] < 1.5)} k_BT`);
console.log(`Mean energy, open: ${average((i) => energy[i], (i) => d[i] >= 1.5)} k_BT`);

// The virial theorem: exactly 1, whatever the energy.
const virial = Float64Array.from(d, (_, i) => {
  const at = i * dimer.dim;
  return x.subarray(at, at + dimer.dim).reduce((sum, xk, k) => sum + xk * gradient[at + k], 0) / dimer.dim;
});
console.log(`Virial ⟨Σ xᵢ ∂U/∂xᵢ⟩ / dim: ${average((i) => virial[i], () => true)} k_BT, exact 1`);
