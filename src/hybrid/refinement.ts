/**
 * Refinement of a flow by the energy alone: importance-weighted maximum likelihood on its own samples.
 *
 * @module
 */
import type { Graph, Tensor } from "../graph/graph.ts";
import { column, external, input, mean, multiply, power, subtract } from "../graph/operations.ts";
import type { ExternalOperation } from "../graph/attributes.ts";
import { rowIsFinite } from "../autodiff/not_finite.ts";
import type { Executor } from "../backend/executor.ts";
import type { Flow, Generator } from "../flow/flow.ts";
import { weightedMaximumLikelihoodLoss } from "../loss/maximum_likelihood.ts";
import { expOf } from "../random/elementary.ts";
import { cappedLogWeights } from "../reweighting/capped_weights.ts";
import { logMeanExp } from "../reweighting/log_sum_exp.ts";
import type { Objective, Stage } from "../training/train.ts";
import { BoltzmannGenerator, type Target } from "./boltzmann_generator.ts";
import { stageSeed } from "./stage_seed.ts";

/** A stage of refinement. */
export interface RefinementStage extends Stage {
  /**
   * Share of each batch that is effective at the least: weights are capped so that none holds more than
   * 1/(share · batch) of their sum. Default 0.1; 1/batch leaves them as they are.
   */
  readonly leastEfficiency?: number;
}

/** What a flow is refined towards, and by which samples. */
export interface RefinementOptions {
  /** The flow to refine. */
  readonly flow: Flow;
  /** The target: energies, no gradients. */
  readonly system: Target;
  /** 1 / (k_B T). */
  readonly beta: number;
  /**
   * What samples are drawn from, default the flow itself. Its density must not be much smaller than the flow's anywhere:
   * a `SymmetrisedGenerator` of the flow, or better a `MixtureGenerator` of the flow and a copy of it as it was at the
   * start, which keeps what the flow would forget.
   */
  readonly proposal?: Generator;
  /**
   * Whether samples whose coordinates, density or energy are not finite take no part and are counted. Default false: one
   * ends the training.
   */
  readonly skipNotFinite?: boolean;
  /** Seed of the samples. */
  readonly seed: number;
  /** Threads. */
  readonly pool?: Executor;
}

/** Samples with weights that a step learns from. */
export interface WeightedBatch {
  /** Configurations [n, dim]. */
  readonly x: Float64Array;
  /** Capped importance weights of mean 1, [n]. */
  readonly weights: Float64Array;
  /** Log of the density that they were drawn from, [n]; ∞ for samples that take no part. */
  readonly logProposal: Float64Array;
  /** Number of samples that take no part because they are not finite. */
  readonly skipped: number;
}

const LEAST_EFFICIENCY = 0.1;

/**
 * Draws the batch of a step: samples of the proposal with importance weights exp(−u)/q, capped, of mean 1.
 *
 * A function of seed, stage, step and of the proposal as it is, so that an interrupted training goes on with the same
 * batches. Samples outside the reference domain have weight zero and teach the flow to keep off. Those that left
 * the range of numbers are refused; with `skipNotFinite` they are counted and take no part, and the heaviest sample stands
 * in their place with weight zero.
 *
 * @param options flow, target, proposal
 * @param stage name, batch and cap
 * @param index number of the stage
 * @param step number of the step in the stage
 * @returns samples with weights
 * @throws {RangeError} if the cap is not a share
 * @throws {NotFiniteError} if a sample, its density or its energy is not finite and may not be skipped
 * @throws {Error} if no sample has any weight
 */
export function weightedBatch(
  options: RefinementOptions,
  stage: Pick<RefinementStage, "name" | "batch" | "leastEfficiency">,
  index: number,
  step: number,
): WeightedBatch {
  const { flow, system, beta, proposal = flow, skipNotFinite = false, seed, pool } = options;
  const { name, batch, leastEfficiency = LEAST_EFFICIENCY } = stage;
  if (!(leastEfficiency > 0 && leastEfficiency <= 1)) {
    throw new RangeError(
      `Cannot refine in stage "${name}": leastEfficiency must be above 0 and at most 1, got ${leastEfficiency}`,
    );
  }
  const target = new BoltzmannGenerator(proposal, system, { beta, skipNotFinite });
  const samples = target.sample(batch, { seed: stageSeed(seed, index), first: step * batch, ...pool && { pool } });
  const x = samples.x.slice();
  const { dim } = flow;
  const { logWeights } = samples;
  // What was skipped has weight zero; so has what lies outside the domain, which takes part.
  const lost = samples.logProb.map((log, i) =>
    Number.isFinite(log) && samples.reducedEnergy[i] > -Infinity && rowIsFinite(x, dim, i) ? 0 : 1
  );
  const capped = cappedLogWeights(logWeights, Math.max(1, leastEfficiency * batch));
  const logMean = logMeanExp(capped);
  if (logMean === -Infinity) {
    throw new Error(
      `Cannot refine in stage "${name}": at least one of ${batch} samples must have weight, got none at step ` +
        `${step + 1}: train on data first, or draw larger batches`,
    );
  }
  const heaviest = logWeights.reduce((best, log, i) => log > logWeights[best] ? i : best, 0);
  lost.forEach((is, i) => is && x.copyWithin(i * dim, heaviest * dim, (heaviest + 1) * dim));
  return {
    x,
    weights: capped.map((log) => expOf(log - logMean)),
    logProposal: samples.logProb.map((log, i) => lost[i] ? Infinity : log),
    skipped: samples.notFinite,
  };
}

/**
 * Makes the objective of {@link RefinementStage}s for `train`: the flow learns from samples of its own and the energy,
 * without data and without the gradient of the energy.
 *
 *     J = −mean (w − p_X/q) log p_X(x),   x ~ q,   w = exp(−u)/q, capped, of mean 1
 *
 * w log p_X estimates the cross entropy of target and flow, so that its gradient leads to the smallest KL(Boltzmann ‖
 * flow), as maximum likelihood on data would. p_X/q, a constant in each step and 1 where the flow draws its own samples,
 * adds a gradient of mean zero that takes the noise out: none is left where the flow is exact. The value of J says
 * little; the metrics hold the estimated `crossEntropy`, the `efficiency` of the capped weights and, where samples
 * may be skipped, the number of those `skipped` in a batch.
 *
 * The cap makes steps stable: with raw weights one sample in a batch decides, with Pareto-smoothed ones it may. It
 * binds while the flow is far off and no longer when it is near.
 *
 * What the proposal does not draw cannot be learnt. A flow on samples of its own alone can lose a basin of a few per cent
 * for good, and looks better than before: efficiency and k̂ of its samples rise, and the partition function lacks the
 * basin. So mix a copy of the start into the proposal, and judge the result by data that it has not made, for instance
 * by the Bennett acceptance ratio.
 *
 * Reference: Müller et al., ACM Trans. Graph. 38, 145 (2019), section 5; Rubinstein 1999, the cross-entropy method.
 *
 * @param options flow, target, proposal
 * @returns a builder for the `objective` option of `train`
 * @throws {RangeError} if dimensions differ
 *
 * @example A normal flow that is too wide learns the width of a spring
 * ```ts
 * import { Flow, refinementObjective, Scaling, train } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const flow = new Flow(new Scaling({ dim: 1, logScale: [Math.log(2)] }));
 * const system = { dim: 1, energy: (x: Float64Array) => x.map((v) => v * v / 2) };
 *
 * await train({
 *   parameters: flow.parameters(),
 *   stages: [{ name: "refine", steps: 100, batch: 256, learningRate: { shape: "cosine", initial: 0.05 } }],
 *   objective: refinementObjective({ flow, system, beta: 1, seed: 1 }),
 * });
 * assertAlmostEquals(flow.decode(Float64Array.of(1)).x[0], 1, 0.02);
 * ```
 */
export function refinementObjective(
  options: RefinementOptions,
): (graph: Graph, stage: RefinementStage, index: number) => Objective {
  const { flow, system, proposal = flow } = options;
  if (system.dim !== flow.dim || proposal.dim !== flow.dim) {
    throw new RangeError(
      `Cannot refine a flow: flow, system and proposal must have one dim, got ${flow.dim}, ${system.dim} and ` +
        `${proposal.dim}`,
    );
  }
  return (graph, stage, index) => {
    const x = input(graph, "x", flow.dim);
    const { skipNotFinite = false } = options;
    const perSample = input(graph, "weight and log-density", 2);
    const skippedOnes = skipNotFinite ? column(input(graph, "skipped", 1), 0) : null;
    const [weight, logProposal] = [column(perSample, 0), column(perSample, 1)];
    const logProb = flow.logProbOf(x);
    const evaluated = { logProbOf: () => logProb };
    return {
      loss: weightedMaximumLikelihoodLoss(evaluated, x, subtract(weight, densityRatio(logProb, logProposal))),
      metrics: {
        crossEntropy: weightedMaximumLikelihoodLoss(evaluated, x, weight),
        efficiency: power(mean(multiply(weight, weight)), -1),
        ...skippedOnes && { skipped: mean(skippedOnes) },
      },
      batch(step) {
        const { x, weights, logProposal, skipped } = weightedBatch(options, stage, index, step);
        const columns = new Float64Array(2 * weights.length);
        weights.forEach((w, i) => columns.set([w, logProposal[i]], 2 * i));
        return skippedOnes === null ? [x, columns] : [x, columns, new Float64Array(weights.length).fill(skipped)];
      },
    };
  };
}

/** p/q as a constant: no gradient goes through. */
const ratioOperation: ExternalOperation = {
  name: "density ratio",
  forward: ([logP, logQ]) => ({ value: logP.map((log, i) => expOf(log - logQ[i])), saved: null }),
  vjp: () => [null, null],
};

function densityRatio(logP: Tensor, logQ: Tensor): Tensor {
  return external(ratioOperation, [logP, logQ], ["n"]);
}
