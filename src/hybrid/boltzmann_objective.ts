/**
 * The objective of a Boltzmann generator: maximum likelihood, energy, reaction coordinate and weights
 * mixed, at one temperature or several.
 *
 * @module
 */
import type { Graph, Tensor } from "../graph/graph.ts";
import { add, column, input, mean, multiply } from "../graph/operations.ts";
import type { Flow } from "../flow/flow.ts";
import { NormalPrior } from "../flow/prior.ts";
import { averagedPerTemperature } from "../loss/averaged_per_temperature.ts";
import { type EnergyFunction, negativeLogWeights, reducedEnergyOperation, type Softening } from "../loss/energy.ts";
import { forceMatchingLoss, type ForceSlices, forceSlices } from "../loss/force_matching.ts";
import { logWeightSpreadLoss } from "../loss/log_weight_spread.ts";
import { importanceWeightedLikelihoodLoss, maximumLikelihoodLoss } from "../loss/maximum_likelihood.ts";
import {
  reactionCoordinateLoss,
  reactionCoordinateOperation,
  type ReactionCoordinateOptions,
} from "../loss/reaction_coordinate.ts";
import type { Objective, Stage } from "../training/train.ts";
import { flowAtTemperaturesInTurn } from "./several_temperatures.ts";
import { stageSeed } from "./stage_seed.ts";

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
    /** Of J_F, the error of forces, over data: one more energy gradient and two densities for each. Default 0. */
    readonly forceMatching?: number;
  };
  /**
   * Whether J_ML weighs data as if they were samples of the flow, by softmax(−u − log p_X): see
   * `importanceWeightedLikelihoodLoss`, also for its bias. Default false.
   */
  readonly importanceWeighted?: boolean;
  /** Bounds of the softened reduced energy in J_KL, J_W and the weights of J_ML. Default: 1e3 and 1e10. */
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
   * Data for J_ML and J_F: n configurations, row-major, for step `step` of stage `stage`. The same step must give the same
   * batch. Needed by stages with a weight of one of them.
   */
  readonly data?: (n: number, stage: number, step: number) => Float64Array;
  /** Needed by stages with a reaction-coordinate weight. */
  readonly reactionCoordinate?: ReactionCoordinate;
  /** Half the distance of the points between which J_F takes differences: see `forceMatchingLoss`. Default 1/128. */
  readonly forceStep?: number;
  /** Seed of the prior samples, and of the directions of J_F. */
  readonly seed: number;
}

const DEFAULT_SOFTENING: Softening = { highEnergy: 1e3, maxEnergy: 1e10 };

/**
 * Makes the objective of {@link BoltzmannStage}s for `train`.
 *
 *     J = w_ML J_ML + w_KL J_KL + w_RC J_RC + w_W J_W + w_F J_F
 *
 * With `temperatures`, J_KL, J_RC and J_W are averages over τ of the losses of samples z ~ N(0, τ) with the reduced energy
 * u_τ = βU/τ, softened as it is: one network learns `flowAtTemperature(flow, τ)` for all of them. J_ML and J_F are at τ = 1. Of m temperatures, sample
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
  const { flow, temperatures } = options;
  const sampled = temperatures === undefined ? flow : flowAtTemperaturesInTurn(flow, temperatures);
  return (graph, stage, index) => new ObjectiveBuilder(options, sampled, graph, stage, index).build();
}

class ObjectiveBuilder {
  readonly #options: BoltzmannObjectiveOptions;
  /** The flow with the prior of all temperatures. */
  readonly #sampled: Flow;
  /** How many temperatures. */
  readonly #temperatures: number;
  readonly #graph: Graph;
  readonly #stage: BoltzmannStage;
  readonly #index: number;
  /** Samples of each input: as many at each temperature. */
  readonly #samples: number;
  readonly #terms: Tensor[] = [];
  readonly #metrics: Record<string, Tensor> = {};
  readonly #inputs: ((step: number) => Float64Array)[] = [];

  constructor(options: BoltzmannObjectiveOptions, sampled: Flow, graph: Graph, stage: BoltzmannStage, index: number) {
    this.#options = options;
    this.#sampled = sampled;
    this.#graph = graph;
    this.#stage = stage;
    this.#index = index;
    this.#temperatures = options.temperatures?.length ?? 1;
    this.#samples = this.#temperatures * Math.floor(stage.batch / this.#temperatures);
  }

  build(): Objective {
    const { name, batch, weights } = this.#stage;
    const { maximumLikelihood, energy, reactionCoordinate, logWeightSpread = 0, forceMatching = 0 } = weights;
    if (this.#samples === 0) {
      throw new RangeError(
        `Cannot train stage "${name}": batch must hold a sample of each temperature, so ${this.#temperatures}, got ${batch}`,
      );
    }
    if (maximumLikelihood !== 0) this.#addMaximumLikelihood(maximumLikelihood);
    if (energy !== 0 || reactionCoordinate !== 0 || logWeightSpread !== 0) {
      this.#addPriorTerms(energy, reactionCoordinate, logWeightSpread);
    }
    if (forceMatching !== 0) this.#addForceMatching(forceMatching);
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
    const { flow, system, beta } = this.#options;
    const { softening = DEFAULT_SOFTENING, importanceWeighted = false } = this.#stage;
    const data = this.#dataFor("maximum likelihood");
    const x = input(this.#graph, "x", flow.dim);
    this.#inputs.push(data);
    const loss = importanceWeighted
      ? importanceWeightedLikelihoodLoss(flow, x, reducedEnergyOperation(system, beta, softening))
      : maximumLikelihoodLoss(flow, x);
    this.#addTerm("maximumLikelihood", weight, loss);
  }

  /** The data of a step. */
  #dataFor(purpose: string): (step: number) => Float64Array {
    const { data } = this.#options;
    if (data === undefined) {
      throw new TypeError(`Cannot train stage "${this.#stage.name}": data must be given for ${purpose}, got undefined`);
    }
    return (step) => data(this.#samples, this.#index, step);
  }

  #addForceMatching(weight: number): void {
    const { flow, system, beta, forceStep } = this.#options;
    const data = this.#dataFor("force matching");
    const directions = new NormalPrior(flow.dim);
    const slices = (step: number) => {
      const v = directions.sample(this.#samples, this.#stageSeed + 1, step * this.#samples);
      return forceSlices(system, beta, data(step), v, forceStep);
    };
    const [plus, minus] = ["x + hv", "x − hv"].map((name) => input(this.#graph, name, flow.dim));
    const slopes = column(input(this.#graph, "slopes", 1), 0);
    // The three inputs of a step come of one calculation.
    let current: ForceSlices;
    this.#inputs.push((step) => (current = slices(step)).plus, () => current.minus, () => current.slopes);
    this.#addTerm("forceMatching", weight, forceMatchingLoss(flow, plus, minus, slopes, forceStep));
  }

  get #stageSeed(): number {
    return stageSeed(this.#options.seed, this.#index);
  }

  #addPriorTerms(energy: number, reactionCoordinate: number, logWeightSpread: number): void {
    const { system, beta, temperatures } = this.#options;
    const { softening = DEFAULT_SOFTENING } = this.#stage;
    const flow = this.#sampled;
    const z = input(this.#graph, "z", flow.dim);
    const samples = flow.pushForward(z);
    this.#inputs.push((step) => flow.prior.sample(this.#samples, this.#stageSeed, step * this.#samples));
    if (energy !== 0 || logWeightSpread !== 0) {
      const betas = temperatures?.map((tau) => beta / tau) ?? beta;
      const work = negativeLogWeights(samples, reducedEnergyOperation(system, betas, softening));
      if (energy !== 0) this.#addTerm("energy", energy, mean(work));
      if (logWeightSpread !== 0) {
        this.#addTerm("logWeightSpread", logWeightSpread, logWeightSpreadLoss(work, this.#temperatures));
      }
    }
    if (reactionCoordinate !== 0) this.#addReactionCoordinate(reactionCoordinate, samples.x);
  }

  #addReactionCoordinate(weight: number, x: Tensor): void {
    const { reactionCoordinate } = this.#options;
    if (reactionCoordinate === undefined) {
      throw new TypeError(
        `Cannot train stage "${this.#stage.name}": reactionCoordinate must be given for its loss, got undefined`,
      );
    }
    const operation = averagedPerTemperature(reactionCoordinateOperation(reactionCoordinate), this.#temperatures);
    this.#addTerm("reactionCoordinate", weight, reactionCoordinateLoss(reactionCoordinate.of(x), operation));
  }
}
