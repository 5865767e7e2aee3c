import { bennettAcceptanceRatio } from "./bar.ts";
import { chainScores, independentVariance } from "./bar_sides.ts";
import { groupIntoBlocks, varianceOfBlockSums } from "./blocks.ts";
import { requireSameLength, requireWork } from "./input_checks.ts";
import { logSumExp, maximum } from "./log_sum_exp.ts";

/** Frames of the target that tell whether samples of a flow reach all of it. */
export interface CoverageFrames {
  /** ln w = −u(x) − ln q(x) at frames of every state that counts, [m]; +Infinity where the flow's density vanishes. */
  readonly logWeights: Float64Array;
  /** Chain of each frame, [m]; default: independent frames. */
  readonly chains?: ArrayLike<number>;
  /** Basin of each frame, [m], where chains keep to basins: what differs between basins is then no correlation. */
  readonly basins?: ArrayLike<number>;
}

/** An error, in k_BT, that nobody minds. */
const HARMLESS = 1e-3;

/** Events that none of m independent trials shows have a probability of at most 3/m, at 95 %. */
const RULE_OF_THREE = 3;

/** Weights of a flow in float32 scatter by rounding: this far above the heaviest one is no other place. */
const ROUNDING = 1e-3;

/**
 * Says whether samples of a flow may miss a part of the target that frames of the target show.
 *
 *     missing = share of frames with ln w above that of every flow sample,   ln Z is too small by −ln(1 − missing)
 *
 * A flow that has collapsed onto one state, or is too narrow, draws samples of even weights that look excellent. Frames
 * of the target see what it misses: their weights lie above all of its own. That share must be below one standard error
 * of ln Z, and frames must be many enough to have shown a missing share of two: 3/m_eff ≤ 2 standard errors.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param flowLogWeights ln w at flow samples, [n], one of them above −Infinity
 * @param frames frames of the same part of the target, if there are any
 * @param standardError error of ln Z from the flow samples
 * @param place what the weights belong to, such as " of basin open", for the sentence
 * @returns a clause, or null when frames show no missing part
 * @throws {RangeError} if the frames' lists differ in length or hold NaN or −Infinity
 */
export function coverageDoubt(
  task: string,
  flowLogWeights: Float64Array,
  frames: CoverageFrames | undefined,
  standardError: number,
  place: string,
): string | null {
  if (frames === undefined || frames.logWeights.length === 0) {
    return `coverage of states is unchecked: no frames${place} were scored`;
  }
  const { logWeights } = frames;
  requireWork(task, logWeights, "frames.logWeights");
  const limit = maximum(flowLogWeights) + ROUNDING;
  const missing = logWeights.reduce((count, value) => count + (value > limit ? 1 : 0), 0) / logWeights.length;
  const allowed = Math.max(HARMLESS, standardError);
  if (missing > allowed) {
    return `the flow misses ${
      percent(missing)
    } of the frames${place}: their weights are above those of all its samples`;
  }
  const resolved = RULE_OF_THREE / effectiveFrames(task, frames);
  if (resolved <= 2 * allowed) return null;
  return `coverage of states is checked too coarsely: so few frames${place} may overlook ${percent(resolved)} of them`;
}

/** Combined standard errors beyond which samples and frames contradict each other. */
const LARGEST_DISAGREEMENT = 3;

/**
 * Says whether flow samples alone give another free energy of a basin than they do together with its frames.
 *
 * Frames must be in equilibrium within the basin. Where the acceptance ratio is itself not reliable it cannot vouch for
 * anything, and that is the doubt.
 *
 * @param flowLogWeights ln w at the flow samples in the basin
 * @param n number of all flow samples
 * @param frames frames of the basin
 * @param standardError error of ln Z of the basin from the flow samples
 * @param place the basin for the sentence, such as " of basin open"
 * @returns a clause, or null when both agree
 */
export function disagreementDoubt(
  flowLogWeights: Float64Array,
  n: number,
  frames: CoverageFrames | undefined,
  standardError: number,
  place: string,
): string | null {
  if (frames === undefined || frames.logWeights.length === 0) return null;
  const forward = new Float64Array(n).fill(Infinity);
  forward.set(flowLogWeights.map((value) => -value));
  const { value, standardError: error, reason } = bennettAcceptanceRatio(forward, frames.logWeights, {
    replicates: 0,
    ...(frames.chains ? { reverseChains: frames.chains } : {}),
  });
  if (reason !== null) return `coverage of states cannot be checked${place}: ${reason}`;
  const difference = Math.abs(-value! - (logSumExp(flowLogWeights) - Math.log(n)));
  const combined = Math.hypot(standardError, error!);
  if (difference <= Math.max(HARMLESS, LARGEST_DISAGREEMENT * combined)) return null;
  return `frames${place} contradict it by ${difference.toPrecision(2)} k_BT, ${
    (difference / combined).toFixed(1)
  } combined standard errors`;
}

/** m / g, with g from how much more the chains' sums of ln w scatter than those of independent frames. */
function effectiveFrames(task: string, { logWeights, chains, basins }: CoverageFrames): number {
  const m = logWeights.length;
  if (chains === undefined) return m;
  requireSameLength(task, "frames.chains", chains.length, "frames.logWeights", m);
  const blocks = groupIntoBlocks(task, chains);
  const sizes = new Float64Array(blocks.count);
  for (const block of blocks.blockOf) sizes[block]++;
  const values = centred(logWeights.map((value) => Number.isFinite(value) ? value : 0), basins);
  const independent = independentVariance(values, m);
  const between = varianceOfBlockSums(blocks, chainScores(values, blocks.blockOf, sizes)).variance;
  return independent > 0 ? m / Math.max(1, between / independent) : m;
}

/** Values less the mean of their basin. */
function centred(values: Float64Array, basins: ArrayLike<number> | undefined): Float64Array {
  const sums = new Map<number, { sum: number; count: number }>();
  values.forEach((value, i) => {
    const { sum, count } = sums.get(basins?.[i] ?? 0) ?? { sum: 0, count: 0 };
    sums.set(basins?.[i] ?? 0, { sum: sum + value, count: count + 1 });
  });
  return values.map((value, i) => {
    const { sum, count } = sums.get(basins?.[i] ?? 0)!;
    return value - sum / count;
  });
}

const percent = (share: number) => `${(100 * share).toPrecision(2)} %`;
