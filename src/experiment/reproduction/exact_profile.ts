/**
 * Exact free-energy profiles on the bins of a histogram.
 *
 * @module
 */
import type { DoubleWell } from "../../system/double_well.ts";

/** F = −ln p at any points of a coordinate, p normalised. */
export type ExactProfile = (at: Float64Array) => Float64Array;

/** Panels of Simpson's rule in a bin, even. */
const PANELS = 8;

/**
 * Averages an exact density over bins: what a histogram of exact samples converges to.
 *
 *     F = −ln (1/width ∫_bin exp(−F(s)) ds)
 *
 * Simpson's rule with 8 panels a bin, of error (|F′| width/8)⁴/180: 1e-5 k_BT where the double well is steepest.
 *
 * @param profile the exact profile
 * @param edges of the bins, rising [bins + 1]
 * @returns −ln of the mean density [bins]
 */
export function exactBins(profile: ExactProfile, edges: Float64Array): Float64Array {
  const nodes = PANELS + 1;
  const at = Float64Array.from({ length: nodes * (edges.length - 1) }, (_, i) => {
    const bin = Math.floor(i / nodes);
    return edges[bin] + (edges[bin + 1] - edges[bin]) * (i % nodes) / PANELS;
  });
  const f = profile(at);
  return Float64Array.from({ length: edges.length - 1 }, (_, bin) => {
    let mean = 0;
    for (let i = 0; i < nodes; i++) {
      const simpson = i === 0 || i === PANELS ? 1 : i % 2 === 1 ? 4 : 2;
      mean += simpson / (3 * PANELS) * Math.exp(-f[nodes * bin + i]);
    }
    return -Math.log(mean);
  });
}

/**
 * The profile of a double well at T = 1 along its first coordinate: all others integrate to a constant.
 *
 * @param system the double well
 * @returns F(x) = U(x, 0, …) + ln ∫ exp(−U(x, 0, …)) dx
 */
export function doubleWellProfile(system: DoubleWell): ExactProfile {
  const { dim, parameters: { k } } = system;
  const constant = system.exact(1).logPartition - (dim - 1) / 2 * Math.log(2 * Math.PI / k);
  return (at) => {
    const x = new Float64Array(at.length * dim);
    at.forEach((value, i) => x[i * dim] = value);
    return system.energy(x).map((u) => u + constant);
  };
}

/** Equal bins between two ends: edges [bins + 1]. */
export function equalBins(low: number, high: number, bins: number): Float64Array {
  return Float64Array.from({ length: bins + 1 }, (_, i) => low + (high - low) * i / bins);
}
