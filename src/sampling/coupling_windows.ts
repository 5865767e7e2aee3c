/**
 * Where to couple particles to each other on the way from the ideal gas.
 *
 * @module
 */
import { powerOf } from "../random/elementary.ts";
import { cosOf } from "../random/elementary_sine.ts";

/** Windows along the coupling λ = s⁶ of pair energies. */
export interface CouplingWindows {
  /** λ of each window, rising from 0 to 1 [windows]. */
  readonly couplings: Float64Array;
  /** Nodes s of Gauss and Legendre in (0, 1), those of the windows 1 … windows − 2 [nodes]. */
  readonly nodes: Float64Array;
  /** Weights of the nodes, of sum 1 [nodes]. */
  readonly weights: Float64Array;
}

/** λ = sᵖ with p = 12/2: with r⁻¹² in two dimensions, ln Z is a smooth function of s at the ideal gas. */
export const COUPLING_POWER = 6;

/**
 * Places windows at the nodes of a Gauss-Legendre rule in s = λ^(1/6), and one more at each end.
 *
 * Particles that repel by λ r⁻¹² keep apart by a length ∝ λ^(1/12), so in two dimensions the area that they take from
 * each other, and with it ln Z, grows like λ^(1/6) = s; ⟨∂U/∂λ⟩ diverges like λ^(−5/6) while ⟨∂U/∂s⟩ stays finite and
 * smooth. The rule of n nodes is exact for polynomials up to degree 2n − 1. The ends, which it does not need, let
 * neighbouring windows be compared all the way.
 *
 * @param count nodes, 2 … 64
 * @returns couplings, nodes and weights
 * @throws {RangeError} if the count is out of range
 */
export function couplingWindows(count: number): CouplingWindows {
  if (!Number.isInteger(count) || count < 2 || count > 64) {
    throw new RangeError(`Cannot place coupling windows: nodes must be a whole number from 2 to 64, got ${count}`);
  }
  const nodes = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    // Roots of the Legendre polynomial of degree `count` by Newton's method, from the largest one down.
    let root = cosOf(Math.PI * (k + 0.75) / (count + 0.5));
    for (let step = 0; step < 10; step++) {
      const { value, slope } = legendre(count, root);
      root -= value / slope;
    }
    const { slope } = legendre(count, root);
    nodes[count - 1 - k] = (1 + root) / 2;
    weights[count - 1 - k] = 1 / ((1 - root * root) * slope * slope);
  }
  return { couplings: Float64Array.of(0, ...nodes.map((s) => powerOf(s, COUPLING_POWER)), 1), nodes, weights };
}

/** Value and derivative of the Legendre polynomial of a degree ≥ 1 inside (−1, 1). */
function legendre(degree: number, t: number): { value: number; slope: number } {
  let [before, value] = [1, t];
  for (let j = 2; j <= degree; j++) [before, value] = [value, ((2 * j - 1) * t * value - (j - 1) * before) / j];
  return { value, slope: degree * (before - t * value) / (1 - t * t) };
}
