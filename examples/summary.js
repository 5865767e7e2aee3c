/**
 * Says in two lines what weighted samples are worth: the same lines in every runtime.
 *
 * @module
 */

/**
 * Computes the mean energy and the efficiency of samples.
 *
 *     ⟨U⟩ = Σ w U / Σ w,   efficiency = (Σ w)² / (n Σ w²),   U = −T (log w + log q)
 *
 * @param {{ system: string, preset: string, temperature: number }} metadata what the model says about itself
 * @param {Float64Array} logProb log q of each sample
 * @param {Float64Array} logWeights log w of each sample; −Infinity for those that do not count
 * @returns {string} two lines of text
 */
export function summary({ system, preset, temperature }, logProb, logWeights) {
  const n = logWeights.length;
  const largest = logWeights.reduce((a, b) => Math.max(a, b));
  let [sum, squares, energies] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const weight = Math.exp(logWeights[i] - largest);
    if (weight === 0) continue;
    sum += weight;
    squares += weight * weight;
    energies -= weight * temperature * (logWeights[i] + logProb[i]);
  }
  return `${n} samples of ${system} (${preset}, T = ${temperature} T₀), efficiency ${
    (sum * sum / squares / n).toFixed(3)
  }
Mean energy: ${(energies / sum).toFixed(2)} k_BT₀`;
}
