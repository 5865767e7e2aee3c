/** Bound on exponentials, so that products of two stay finite. */
const LARGEST_EXPONENTIAL = 1e150;

/** A step this small ends the search: ten times the rounding of a sum of a million terms. */
const ROOT_TOLERANCE = 1e-12;

/**
 * Solves Bennett's equation for the shift c, the free-energy difference up to the logarithm of the sample counts.
 *
 *     scale₀ Σᵢ σ(c − w₀ᵢ) = scale₁ Σⱼ σ(−c − w₁ⱼ),   σ(t) = 1/(1 + e⁻ᵗ),   ΔF = c + ln(scale₀ n₀ / (scale₁ n₁))
 *
 * The left side rises and the right side falls with c, so that there is exactly one root when each side has a finite
 * work. It is found in logarithms, where Newton steps are safe for any magnitude, inside a bracket known beforehand.
 *
 * @param forward finite work values of samples of state 0, [a], a ≥ 1
 * @param reverse finite work values of samples of state 1, [b], b ≥ 1
 * @param scale weight of a forward and of a reverse sample (1 / statistical inefficiency)
 * @returns c
 */
export function solveBennett(
  forward: Float64Array,
  reverse: Float64Array,
  scale: readonly [number, number] = [1, 1],
): number {
  const lowestForward = smallest(forward);
  const lowestReverse = smallest(reverse);
  const logRatio = Math.log(scale[0] / scale[1]);
  const difference = (c: number) => {
    const left = logFermiSum(forward, c, lowestForward);
    const right = logFermiSum(reverse, -c, lowestReverse);
    return { value: logRatio + left.logSum - right.logSum, slope: left.slope + right.slope };
  };
  const low = Math.min(-lowestReverse, lowestForward - Math.log(2 * forward.length) - logRatio) - 1;
  const high = Math.max(lowestForward, -lowestReverse + Math.log(2 * reverse.length) - logRatio) + 1;
  return risingRoot(difference, low, high, Math.min(high, Math.max(low, 0.5 * (lowestForward - lowestReverse))));
}

/**
 * Finds the root of a rising function by Newton steps, and by halving the bracket where those leave it.
 *
 * @param difference the function with its slope ≥ 0
 * @param low below the root
 * @param high above the root
 * @param start first guess, within [low, high]
 * @param tolerance the last step, relative to the size of the root (at least 1), default 1e-12
 * @returns the root; an end of the bracket when the root is not inside
 */
export function risingRoot(
  difference: (x: number) => { value: number; slope: number },
  low: number,
  high: number,
  start: number,
  tolerance = ROOT_TOLERANCE,
): number {
  let x = start;
  for (let iteration = 0; iteration < 200; iteration++) {
    const { value, slope } = difference(x);
    if (value === 0) return x;
    if (value < 0) low = x;
    else high = x;
    let next = x - value / slope;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    const step = Math.abs(next - x);
    x = next;
    if (step <= tolerance * Math.max(1, Math.abs(x))) return x;
  }
  return x;
}

/**
 * ln Σ σ(c − w) and its derivative in c. Below the smallest work every term underflows together, so that case takes the
 * common factor exp(c − lowest) out of the sum.
 */
function logFermiSum(work: Float64Array, c: number, lowest: number): { logSum: number; slope: number } {
  const below = c < lowest;
  const factor = below ? Math.exp(c - lowest) : 1;
  let sum = 0;
  let slope = 0;
  for (let i = 0; i < work.length; i++) {
    if (below) {
      const term = Math.exp(lowest - work[i]);
      const complement = 1 / (1 + term * factor);
      sum += term * complement;
      slope += term * complement * complement;
    } else {
      const occupation = 1 / (1 + Math.exp(work[i] - c));
      sum += occupation;
      slope += occupation * (1 - occupation);
    }
  }
  return { logSum: Math.log(sum) + (below ? c - lowest : 0), slope: slope / sum };
}

function smallest(values: Float64Array): number {
  let least = Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] < least) least = values[i];
  return least;
}

/**
 * Holds exp(c − w) of one side of Bennett's equation at its solution, so that replicates need no exponentials.
 *
 * At a shift c + s the occupation of sample i is eᵢt/(1 + eᵢt) with t = exp(s).
 */
export class FermiTable {
  /** exp(c − w), [n], capped at 1e150. */
  readonly exponentials: Float64Array;

  /**
   * Tabulates one side.
   *
   * @param work finite work values, [n]
   * @param c the shift of that side (−c for the reverse side)
   */
  constructor(work: Float64Array, c: number) {
    this.exponentials = work.map((value) => Math.min(LARGEST_EXPONENTIAL, Math.exp(c - value)));
  }

  /**
   * Computes the occupations at the tabulated shift.
   *
   * @returns σ(c − w), [n]
   */
  occupations(): Float64Array {
    return this.exponentials.map((e) => e / (1 + e));
  }

  /**
   * Sums weighted occupations at a moved shift.
   *
   * @param t exp of the move
   * @param weights sample weights, [n]
   * @returns Σ v σ and Σ v σ (1 − σ)
   */
  sums(t: number, weights: Float64Array): { sum: number; slope: number } {
    const { exponentials } = this;
    let sum = 0;
    let slope = 0;
    for (let i = 0; i < exponentials.length; i++) {
      const scaled = exponentials[i] * t;
      const inverse = 1 / (1 + scaled);
      const occupation = weights[i] * scaled * inverse;
      sum += occupation;
      slope += occupation * inverse;
    }
    return { sum, slope };
  }
}

/** How far a replicate's solution may lie from that of the data, in k_BT, before it counts as failed. */
const LARGEST_MOVE = 50;

/** A Newton step this small leaves an error of about its square, 1e-8 k_BT. */
const REPLICATE_TOLERANCE = 1e-4;

/**
 * Solves Bennett's equation of a bootstrap replicate.
 *
 * @param forward the forward side at the solution of the data
 * @param forwardWeights weights of the forward samples in this replicate, [a]
 * @param reverse the reverse side at the solution of the data
 * @param reverseWeights weights of the reverse samples in this replicate, [b]
 * @returns how far c moves, NaN when the replicate has no solution within 50 k_BT
 */
export function solveReplicate(
  forward: FermiTable,
  forwardWeights: Float64Array,
  reverse: FermiTable,
  reverseWeights: Float64Array,
): number {
  let failed = false;
  const difference = (s: number) => {
    const left = forward.sums(Math.exp(s), forwardWeights);
    const right = reverse.sums(Math.exp(-s), reverseWeights);
    failed ||= !(left.sum > 0 && right.sum > 0);
    return { value: Math.log(left.sum / right.sum), slope: left.slope / left.sum + right.slope / right.sum };
  };
  const move = risingRoot(difference, -LARGEST_MOVE, LARGEST_MOVE, 0, REPLICATE_TOLERANCE);
  return failed || Math.abs(move) > LARGEST_MOVE - 1e-6 ? NaN : move;
}
