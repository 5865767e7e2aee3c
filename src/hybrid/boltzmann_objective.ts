/**
 * The objective of a Boltzmann generator: maximum likelihood, energy, reaction coordinate and weights
 * mixed, at one temperature or several.
 *
 * @module
 */
import type { Graph, Tensor } from "../graph/graph.ts";
import { add, input, mean, multiply } from "../graph/operations.ts";
import type { Flow } from "../flow/flow.ts";
import { averagedPerTemperature } from "../loss/averaged_per_temperature.ts";
import { type EnergyFunction, negativeLogWeights, reducedEnergyOperation, type Softening } from "../loss/energy.ts";
import { logWeightSpreadLoss } from "../loss/log_weight_spread.ts";
import { maximumLikelihoodLoss } from "../loss/maximum_likelihood.ts";
import {
  reactionCoordinateLoss,
  reactionCoordinateOperation,
  type ReactionCoordinateOptions,
} from "../loss/reaction_coordinate.ts";
import type { Objective, Stage } from "../training/train.ts";
import { flowAtTemperaturesInTurn } from "./several_temperatures.ts";

/** A stage of training a Boltzmann generator. */
export interface BoltzmannStage extends Stage {
  /** Factors of the terms of the loss; a term with factor 0, or without one, is not computed. */
  readonly weights: {
    /** Of J_ML, over data. */
    readonly maximumLikelihood: number;
    /** Of J_KL, over samples of the flow. */
    readonly energy: number;
    /** Of J_RC, over samples of the flow. */
    readonly reactionCoordinate: number;
    /** Of J_W, the spread of log-weights, over samples of the flow. Default 0. */
    readonly logWeightSpread?: number;
  };
  /** Bounds of the softened reduced energy in J_KL and J_W. Default: 1e3 and 1e10. */
  readonly softening?: Softening;
}

/** A reaction coordinate, and how its loss is formed. */
export interface ReactionCoordinate extends ReactionCoordinateOptions {
  /**
   * Enters the coordinate of each configuration into a graph.
   *
   * @param x [n, dim]
   * @returns [n]
   */
  of(x: Tensor): Tensor;
}

/** What the objective is made of. */
export interface BoltzmannObjectiveOptions {
  /** The flow to train. */
  readonly flow: Flow;
  /** The target's energy. */
  readonly system: EnergyFunction;
  /** 1 / (k_B T₀). */
  readonly beta: number;
  /**
   * Relative temperatures τ = T/T₀ that every batch of samples holds, in turn; as a rule with 1 among them, at which J_ML
   * is. Default: 1 alone, with the variance of the flow's own prior.
   */
  readonly temperatures?: readonly number[];
  /**
   * Data for J_ML: n configurations, row-major, for step `step` of stage `stage`. The same step must give the same
   * batch. Needed by stages with a maximum-likelihood weight.
   */
  readonly data?: (n: number, stage: number, step: number) => Float64Array;
  /** Needed by stages with a reaction-coordinate weight. */
  readonly reactionCoordinate?: ReactionCoordinate;
  /** Seed of the prior samples. */
  readonly seed: number;
}

const DEFAULT_SOFTENING: Softening = { highEnergy: 1e3, maxEnergy: 1e10 };

/**
 * Makes the objective of {@link BoltzmannStage}s for `train`.
 *
 *     J = w_ML J_ML + w_KL J_KL + w_RC J_RC + w_W J_W
 *
 * With `temperatures`, J_KL, J_RC and J_W are averages over τ of the losses of samples z ~ N(0, τ) with the reduced energy
 * u_τ = βU/τ, softened as it is: one network learns `flowAtTemperature(flow, τ)` for all of them. Of m temperatures, sample
 * i has number i modulo m, and of each input only the first m ⌊batch/m⌋ samples are drawn, as published.
 *
 * Reference: Noé et al. 2019; of the details the published code (`train_flexible`, `FlexibleTrainer`).
 *
 * @param options flow, target, data
 * @returns a builder for the `objective` option of `train`
 * @throws {TypeError} when a stage needs data or a reaction coordinate that is missing, or several temperatures of a flow
 * whose prior is not normal
 * @throws {RangeError} when a stage has no term at all or less samples than temperatures, or a temperature is not positive
 * and finite
 *
 * @example One scaling learns the width of a spring, at three temperatures
 * ```ts
 * import { boltzmannObjective, Flow, flowAtTemperature, Scaling, train } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const flow = new Flow(new Scaling({ dim: 1 }));
 * const system = { dim: 1, energyAndGradient: (x: Float64Array) => ({ energy: x.map((v) => 2 * v * v), gradient: x.map((v) => 4 * v) }) };
 * const weights = { maximumLikelihood: 0, energy: 1, reactionCoordinate: 0 };
 *
 * await train({
 *   parameters: flow.parameters(),
 *   stages: [{ name: "KL", steps: 200, batch: 600, learningRate: { shape: "cosine", initial: 0.05 }, weights }],
 *   objective: boltzmannObjective({ flow, system, beta: 1, temperatures: [0.5, 1, 2], seed: 1 }),
 * });
 * assertAlmostEquals(flow.decode(Float64Array.of(1)).x[0], 0.5, 0.01);
 * ```
 */
export function boltzmannObjective(
  options: BoltzmannObjectiveOptions,
): (graph: Graph, stage: BoltzmannStage, index: number) => Objective {
  return (graph, stage, index) => new ObjectiveBuilder(options, graph, stage, index).build();
}

class ObjectiveBuilder {
  readonly #options: BoltzmannObjectiveOptions;
  readonly #graph: Graph;
  readonly #stage: BoltzmannStage;
  readonly #index: number;
  /** Samples of each input: as many at each temperature. */
  readonly #samples: number;
  readonly #terms: Tensor[] = [];
  readonly #metrics: Record<string, Tensor> = {};
  readonly #inputs: ((step: number) => Float64Array)[] = [];

  constructor(options: BoltzmannObjectiveOptions, graph: Graph, stage: BoltzmannStage, index: number) {
    this.#options = options;
    this.#graph = graph;
    this.#stage = stage;
    this.#index = index;
    const count = options.temperatures?.length ?? 1;
    this.#samples = count * Math.floor(stage.batch / count);
  }

  build(): Objective {
    const { name, batch, weights } = this.#stage;
    const { maximumLikelihood, energy, reactionCoordinate, logWeightSpread = 0 } = weights;
    if (this.#samples === 0) {
      throw new RangeError(
        `Cannot train stage "${name}": batch must be at least ${
          this.#options.temperatures!.length
        }, one sample of each ` +
          `temperature, got ${batch}`,
      );
    }
    if (maximumLikelihood !== 0) this.#addMaximumLikelihood(maximumLikelihood);
    if (energy !== 0 || reactionCoordinate !== 0 || logWeightSpread !== 0) {
      this.#addPriorTerms(energy, reactionCoordinate, logWeightSpread);
    }
    if (this.#terms.length === 0) {
      throw new RangeError(`Cannot train stage "${name}": one of its weights must not be 0, got 0 for all`);
    }
    return {
      loss: this.#terms.reduce((sum, term) => add(sum, term)),
      metrics: this.#metrics,
      samples: this.#samples,
      batch: (step) => this.#inputs.map((provide) => provide(step)),
    };
  }

  #addTerm(name: string, weight: number, loss: Tensor): void {
    this.#metrics[name] = loss;
    this.#terms.push(multiply(loss, weight));
  }

  #addMaximumLikelihood(weight: number): void {
    const { flow, data } = this.#options;
    const { name } = this.#stage;
    if (data === undefined) {
      throw new TypeError(`Cannot train stage "${name}": data must be given for maximum likelihood, got undefined`);
    }
    const x = input(this.#graph, "x", flow.dim);
    this.#inputs.push((step) => data(this.#samples, this.#index, step));
    this.#addTerm("maximumLikelihood", weight, maximumLikelihoodLoss(flow, x));
  }

  #addPriorTerms(energy: number, reactionCoordinate: number, logWeightSpread: number): void {
    const { system, beta, temperatures, seed } = this.#options;
    const { softening = DEFAULT_SOFTENING } = this.#stage;
    const flow = temperatures === undefined
      ? this.#options.flow
      : flowAtTemperaturesInTurn(this.#options.flow, temperatures);
    const z = input(this.#graph, "z", flow.dim);
    const samples = flow.pushForward(z);
    // Every stage draws from its own seed, so that its batches do not depend on the length of those before.
    const stageSeed = seed + 1009 * (this.#index + 1);
    this.#inputs.push((step) => flow.prior.sample(this.#samples, stageSeed, step * this.#samples));
    if (energy !== 0 || logWeightSpread !== 0) {
      const betas = temperatures?.map((tau) => beta / tau) ?? beta;
      const work = negativeLogWeights(samples, reducedEnergyOperation(system, betas, softening));
      if (energy !== 0) this.#addTerm("energy", energy, mean(work));
      if (logWeightSpread !== 0) {
        this.#addTerm("logWeightSpread", logWeightSpread, logWeightSpreadLoss(work, temperatures?.length));
      }
    }
    if (reactionCoordinate !== 0) this.#addReactionCoordinate(reactionCoordinate, samples.x);
  }

  #addReactionCoordinate(weight: number, x: Tensor): void {
    const { reactionCoordinate, temperatures } = this.#options;
    if (reactionCoordinate === undefined) {
      throw new TypeError(
        `Cannot train stage "${this.#stage.name}": reactionCoordinate must be given for its loss, got undefined`,
      );
    }
    const operation = averagedPerTemperature(
      reactionCoordinateOperation(reactionCoordinate),
      temperatures?.length ?? 1,
    );
    this.#addTerm("reactionCoordinate", weight, reactionCoordinateLoss(reactionCoordinate.of(x), operation));
  }
}
