/**
 * Frequencies of spin configurations.
 *
 * @module
 */

/**
 * χ² of independent configurations against probabilities, less its mean, in its standard deviations.
 *
 * @param x spins ±1, [n, dim]
 * @param dim number of spins
 * @param p probability of each of 2^dim configurations; bit i is set where spin i is up
 */
export function frequencyExcess(x: Float64Array, dim: number, p: Float64Array): number {
  const n = x.length / dim;
  const counts = new Float64Array(p.length);
  for (let s = 0; s < n; s++) {
    let k = 0;
    for (let i = 0; i < dim; i++) if (x[s * dim + i] === 1) k += 2 ** i;
    counts[k]++;
  }
  const terms = p.map((probability, k) => (counts[k] - n * probability) ** 2 / (n * probability));
  const spread = Math.sqrt(p.reduce((sum, v) => sum + 2 + 1 / (n * v), 0));
  return (terms.reduce((sum, v) => sum + v, 0) - (p.length - 1)) / spread;
}
