/**
 * The objective of a Boltzmann generator: maximum likelihood, energy and reaction coordinate mixed.
 *
 * @module
 */
import type { Graph, Tensor } from "../graph/graph.ts";
import { add, input, multiply } from "../graph/operations.ts";
import type { Flow } from "../flow/flow.ts";
import { type EnergyFunction, energyLoss, reducedEnergyOperation, type Softening } from "../loss/energy.ts";
import { maximumLikelihoodLoss } from "../loss/maximum_likelihood.ts";
import {
  reactionCoordinateLoss,
  reactionCoordinateOperation,
  type ReactionCoordinateOptions,
} from "../loss/reaction_coordinate.ts";
import type { Objective, Stage } from "../training/train.ts";

/** A stage of training a Boltzmann generator. */
export interface BoltzmannStage extends Stage {
  /** Factors of J_ML, J_KL and J_RC in the loss; a term with factor 0 is not computed. */
  readonly weights: {
    readonly maximumLikelihood: number;
    readonly energy: number;
    readonly reactionCoordinate: number;
  };
  /** Bounds of the softened reduced energy in J_KL. Default: 1e3 and 1e10. */
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
  /** 1 / (k_B T). */
  readonly beta: number;
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
 *     J = w_ML J_ML + w_KL J_KL + w_RC J_RC
 *
 * @param options flow, target, data
 * @returns a builder for the `objective` option of `train`
 * @throws {Error} when a stage needs data or a reaction coordinate that is missing, or has no term at all
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
  readonly #terms: Tensor[] = [];
  readonly #metrics: Record<string, Tensor> = {};
  readonly #inputs: ((step: number) => Float64Array)[] = [];

  constructor(options: BoltzmannObjectiveOptions, graph: Graph, stage: BoltzmannStage, index: number) {
    this.#options = options;
    this.#graph = graph;
    this.#stage = stage;
    this.#index = index;
  }

  build(): Objective {
    const { maximumLikelihood, energy, reactionCoordinate } = this.#stage.weights;
    if (maximumLikelihood !== 0) this.#addMaximumLikelihood(maximumLikelihood);
    if (energy !== 0 || reactionCoordinate !== 0) this.#addPriorTerms(energy, reactionCoordinate);
    if (this.#terms.length === 0) {
      throw new RangeError(`Cannot train stage "${this.#stage.name}": one of its weights must not be 0, got 0 for all`);
    }
    return {
      loss: this.#terms.reduce((sum, term) => add(sum, term)),
      metrics: this.#metrics,
      batch: (step) => this.#inputs.map((provide) => provide(step)),
    };
  }

  #addTerm(name: string, weight: number, loss: Tensor): void {
    this.#metrics[name] = loss;
    this.#terms.push(multiply(loss, weight));
  }

  #addMaximumLikelihood(weight: number): void {
    const { flow, data } = this.#options;
    const { batch, name } = this.#stage;
    if (data === undefined) {
      throw new TypeError(`Cannot train stage "${name}": data must be given for maximum likelihood, got undefined`);
    }
    const x = input(this.#graph, "x", flow.dim);
    this.#inputs.push((step) => data(batch, this.#index, step));
    this.#addTerm("maximumLikelihood", weight, maximumLikelihoodLoss(flow, x));
  }

  #addPriorTerms(energyWeight: number, coordinateWeight: number): void {
    const { flow, system, beta, reactionCoordinate, seed } = this.#options;
    const { batch, softening = DEFAULT_SOFTENING, name } = this.#stage;
    const z = input(this.#graph, "z", flow.dim);
    const samples = flow.pushForward(z);
    // Every stage draws from its own seed, so that its batches do not depend on the length of those before.
    const stageSeed = seed + 1009 * (this.#index + 1);
    this.#inputs.push((step) => flow.prior.sample(batch, stageSeed, step * batch));
    if (energyWeight !== 0) {
      this.#addTerm("energy", energyWeight, energyLoss(samples, reducedEnergyOperation(system, beta, softening)));
    }
    if (coordinateWeight === 0) return;
    if (reactionCoordinate === undefined) {
      throw new TypeError(`Cannot train stage "${name}": reactionCoordinate must be given for its loss, got undefined`);
    }
    const operation = reactionCoordinateOperation(reactionCoordinate);
    const loss = reactionCoordinateLoss(reactionCoordinate.of(samples.x), operation);
    this.#addTerm("reactionCoordinate", coordinateWeight, loss);
  }
}
