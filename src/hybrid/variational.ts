/**
 * Training on the variational free energy by scores, for densities whose samples have no gradient.
 *
 * @module
 */
import type { Graph } from "../graph/graph.ts";
import { column, input, mean, negate } from "../graph/operations.ts";
import { NotFiniteError, rowsNotFinite } from "../autodiff/not_finite.ts";
import type { Executor } from "../backend/executor.ts";
import type { Generator } from "../flow/flow.ts";
import { type Density, weightedMaximumLikelihoodLoss } from "../loss/maximum_likelihood.ts";
import type { Objective, Stage } from "../training/train.ts";
import { BoltzmannGenerator, type Target } from "./boltzmann_generator.ts";
import { stageSeed } from "./stage_seed.ts";

/** What is trained towards what. */
export interface VariationalOptions {
  /** A density that can be sampled, and entered into a graph. */
  readonly generator: Generator & Density;
  /** The target: energies, no gradients. */
  readonly system: Target;
  /** 1 / (k_B T). */
  readonly beta: number;
  /** Seed of the samples. */
  readonly seed: number;
  /** Threads. */
  readonly pool?: Executor;
}

/** Samples with what a step learns from them. */
export interface VariationalBatch {
  /** Configurations [n, dim]. */
  readonly x: Float64Array;
  /** R = u(x) + log q(x), of which the mean is minimised, [n]. */
  readonly freeEnergy: Float64Array;
  /** R of each sample less the mean of all others, [n]. */
  readonly signal: Float64Array;
}

/**
 * Draws the batch of a step: samples of the generator with R = u + log q and how much it exceeds that of the others.
 *
 * A function of seed, stage, step and of the generator as it is, so that an interrupted training goes on with the same
 * batches.
 *
 * @param options generator and target
 * @param stage name and batch, ≥ 2
 * @param index number of the stage
 * @param step number of the step in the stage
 * @returns samples, R and signals
 * @throws {RangeError} if the batch has no two samples, or dimensions differ
 * @throws {NotFiniteError} if an energy or a density is not finite
 */
export function variationalBatch(
  options: VariationalOptions,
  stage: Pick<Stage, "name" | "batch">,
  index: number,
  step: number,
): VariationalBatch {
  const { generator, system, beta, seed, pool } = options;
  const { name, batch } = stage;
  if (!(batch >= 2)) {
    throw new RangeError(`Cannot train stage "${name}": batch must be at least 2, got ${batch}`);
  }
  const target = new BoltzmannGenerator(generator, system, { beta });
  const { x, logWeights } = target.sample(batch, {
    seed: stageSeed(seed, index),
    first: step * batch,
    ...pool && { pool },
  });
  const freeEnergy = logWeights.map((log) => -log);
  const { count, first } = rowsNotFinite(freeEnergy, 1);
  if (count > 0) {
    throw new NotFiniteError(
      `the energies of the variational loss must be finite, got ${count} of ${batch} that are not, the first with ` +
        `index ${first}: train on data, or refine`,
    );
  }
  const total = freeEnergy.reduce((sum, r) => sum + r, 0);
  return { x, freeEnergy, signal: freeEnergy.map((r) => r - (total - r) / (batch - 1)) };
}

/**
 * Makes the objective for `train` that lowers the variational free energy of a density, without a gradient of samples or
 * energies: for spins, for energies that are known at points only.
 *
 *     F[q] = ⟨R⟩_q ≥ −ln Z,   R = u(x) + log q(x),   ∇F = ⟨(R − b) ∇log q⟩_q
 *
 * The baseline b of a sample is the mean R of the others in the batch, which leaves the gradient unbiased and takes most
 * of its noise; where q is exact R is the same everywhere, and no noise is left. The value of the loss says nothing;
 * the metric `freeEnergy` is F[q].
 *
 * What q does not draw cannot be learnt, as in `refinementObjective`; build symmetries into q.
 *
 * Reference: Williams, Mach. Learn. 8, 229 (1992); Wu, Wang, Zhang, Phys. Rev. Lett. 122, 080602 (2019); leave-one-out:
 * Mnih, Rezende, arXiv:1602.06725 (2016).
 *
 * @param options generator and target
 * @returns a builder for the `objective` option of `train`
 * @throws {RangeError} if dimensions differ or beta is not positive
 *
 * @example The free energy of nine spins
 * ```ts
 * import {
 *   AutoregressiveSpins,
 *   BoltzmannGenerator,
 *   IsingLattice,
 *   logPartitionFunction,
 *   train,
 *   variationalObjective,
 * } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [system, beta] = [new IsingLattice({ side: 3 }), 0.4];
 * const generator = new AutoregressiveSpins({ dim: system.dim, bonds: system.bonds(), beta, hidden: [8] });
 * await train({
 *   parameters: generator.parameters(),
 *   stages: [{ name: "fit", steps: 100, batch: 128, learningRate: { shape: "cosine", initial: 0.02 } }],
 *   objective: variationalObjective({ generator, system, beta, seed: 1 }),
 * });
 * const { logWeights } = new BoltzmannGenerator(generator, system, { beta }).sample(4000, { seed: 2 });
 *
 * assertAlmostEquals(logPartitionFunction(logWeights).value!, system.exact(1 / beta).logPartition, 0.01);
 * ```
 */
export function variationalObjective(
  options: VariationalOptions,
): (graph: Graph, stage: Stage, index: number) => Objective {
  const { generator, system, beta } = options;
  new BoltzmannGenerator(generator, system, { beta }); // refuses what does not go together
  return (graph, stage, index) => {
    const x = input(graph, "x", generator.dim);
    const perSample = input(graph, "signal and free energy", 2);
    return {
      loss: weightedMaximumLikelihoodLoss(generator, x, negate(column(perSample, 0))),
      metrics: { freeEnergy: mean(column(perSample, 1)) },
      batch(step) {
        const { x, signal, freeEnergy } = variationalBatch(options, stage, index, step);
        const columns = new Float64Array(2 * signal.length);
        signal.forEach((excess, i) => columns.set([excess, freeEnergy[i]], 2 * i));
        return [x, columns];
      },
    };
  };
}
