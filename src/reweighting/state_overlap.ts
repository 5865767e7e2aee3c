import type { MbarSamples } from "./mbar_samples.ts";
import type { MbarSolution } from "./mbar_solver.ts";

/** States whose overlap is below this are not tied to each other. */
const SMALLEST_OVERLAP = 0.03;

/**
 * Computes the overlap matrix of the sampled states.
 *
 *     Oₖₗ = (1/Nₖ) Σₙ Pₖ(xₙ) Pₗ(xₙ),   Pₖ = Nₖ exp(fₖ − uₖ) / Σ: the odds that a sample came from state k
 *
 * Row k says among which states the samples of state k spread when each is sorted by its odds; rows sum to 1.
 *
 * Reference: Klimovich, Shirts, Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015), equation 9.
 *
 * @param solution solution of the multistate equations
 * @param counts Nₖ, [sampled]
 * @returns the matrix, row-major [sampled, sampled]
 */
export function stateOverlap(solution: MbarSolution, counts: Float64Array): Float64Array {
  const size = counts.length;
  return solution.hessian.map((entry, i) => {
    const k = Math.floor(i / size);
    return ((i % size === k ? counts[k] : 0) - entry) / counts[k];
  });
}

/**
 * Doubts a solution in which some states are not tied to the others by overlap.
 *
 * Two states are tied when either sees 3 % of its samples go to the other, directly or over further states.
 *
 * @param samples the samples
 * @param solution their solution
 * @param name name of a state for the sentence
 * @returns a clause that names the first state cut off, or null
 */
export function connectionDoubt(
  samples: MbarSamples,
  solution: MbarSolution,
  name: (state: number) => string,
): string | null {
  const { sampled } = solution.table;
  const counts = new Float64Array(samples.states);
  samples.counts.forEach((count, e) => counts[samples.stateOf[e]] += count);
  const size = sampled.length;
  const overlap = stateOverlap(solution, Float64Array.from(sampled, (k) => counts[k]));
  const reached = new Uint8Array(size);
  const queue = [0];
  reached[0] = 1;
  for (let k = queue.pop(); k !== undefined; k = queue.pop()) {
    for (let l = 0; l < size; l++) {
      if (reached[l] || Math.max(overlap[k * size + l], overlap[l * size + k]) < SMALLEST_OVERLAP) continue;
      reached[l] = 1;
      queue.push(l);
    }
  }
  const cut = reached.indexOf(0);
  if (cut < 0) return null;
  return `${name(sampled[cut])} overlaps by less than ${SMALLEST_OVERLAP} with the states reached from ${
    name(sampled[0])
  }`;
}
