/**
 * The Adam optimiser (Kingma & Ba 2015, algorithm 1) on parameters in the kernels' memory.
 *
 * @module
 */
import type { GradientBuffer } from "../autodiff/kernel_run.ts";
import type { Parameter } from "../graph/parameter.ts";
import { AdamStorage } from "../backend/adam_storage.ts";
import { type Executor, serialPool } from "../backend/executor.ts";
import { powerOf } from "../random/elementary.ts";

/** Constants of Adam. */
export interface AdamOptions {
  /** Decay of the mean of gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of squared gradients. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  readonly epsilon?: number;
  /** Largest norm of the gradient over all parameters; longer ones are shortened to it. Default: no limit. */
  readonly maximumNorm?: number;
}

/** What a step did. */
export interface AdamStep {
  /** Norm of the gradient before clipping; not finite if a gradient is. */
  readonly gradientNorm: number;
}

/**
 * Adam with global-norm clipping. Dispose of it to free its moments.
 *
 * @example Steps on a gradient of one's own
 * ```ts
 * import {
 *   Adam,
 *   broadcast,
 *   Graph,
 *   input,
 *   KernelRun,
 *   mean,
 *   Parameter,
 *   square,
 *   subtract,
 *   sumFeatures,
 * } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * // Minimise the mean of (x − p)²: p becomes the mean of x.
 * const graph = new Graph();
 * const p = new Parameter("p", [1]);
 * const loss = mean(sumFeatures(square(subtract(input(graph, "x", 1), broadcast(graph, p)))));
 * using run = new KernelRun([loss], { n: 2, gradient: true });
 * using adam = new Adam([p]);
 *
 * for (let step = 0; step < 300; step++) {
 *   run.forward([Float64Array.of(1, 3)]);
 *   run.backward([Float64Array.of(1)]);
 *   adam.step(run.gradients, 0.1);
 * }
 * assertAlmostEquals(p.values()[0], 2, 1e-2);
 * ```
 */
export class Adam implements Disposable {
  readonly #parameters: readonly Parameter[];
  readonly #storage: AdamStorage;
  readonly #options: Required<AdamOptions>;
  #steps = 0;
  #disposed = false;

  /**
   * Starts with moments of zero.
   *
   * @param parameters what to optimise; those that are not trainable are left out
   * @param options constants
   * @param pool threads. Default: the calling thread
   * @throws {RangeError} if a decay is not from 0 to below 1, or another constant is not positive
   */
  constructor(parameters: readonly Parameter[], options: AdamOptions = {}, pool: Executor = serialPool) {
    this.#options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, maximumNorm: Infinity, ...options };
    for (const name of ["beta1", "beta2"] as const) {
      const value = this.#options[name];
      if (!(value >= 0 && value < 1)) {
        throw new RangeError(`Cannot make Adam: ${name} must be from 0 to below 1, got ${value}`);
      }
    }
    for (const name of ["epsilon", "maximumNorm"] as const) {
      const value = this.#options[name];
      if (!(value > 0)) throw new RangeError(`Cannot make Adam: ${name} must be positive, got ${value}`);
    }
    this.#parameters = parameters.filter((parameter) => parameter.trainable);
    this.#storage = new AdamStorage(this.#parameters.map(({ storage }) => storage), pool);
  }

  /** Number of steps taken. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Takes one step along the gradients; takes none if they are not finite.
   *
   * @param gradients the buffer of the run that computed them
   * @param learningRate step size, ≥ 0
   * @returns the norm of the gradient
   * @throws {RangeError} if the learning rate is not a finite number ≥ 0, or a parameter has no gradient there
   */
  step(gradients: GradientBuffer, learningRate: number): AdamStep {
    const { beta1, beta2, epsilon, maximumNorm } = this.#options;
    if (!(learningRate >= 0 && learningRate < Infinity)) {
      throw new RangeError(
        `Cannot take a step: learningRate must be a finite number ≥ 0, got ${learningRate}`,
      );
    }
    const addresses = this.#parameters.map((parameter) => {
      const offset = gradients.offsets.get(parameter);
      if (offset === undefined) {
        throw new RangeError(`Cannot take a step: gradients must hold every parameter, got none of ${parameter.name}`);
      }
      return gradients.address + offset;
    });
    const norm = this.#storage.gradientNorm(addresses);
    if (!Number.isFinite(norm)) return { gradientNorm: norm };
    this.#steps++;
    this.#storage.update(addresses, {
      learningRate,
      beta1,
      beta2,
      epsilon,
      correction1: 1 - powerOf(beta1, this.#steps),
      correction2: 1 - powerOf(beta2, this.#steps),
      scale: norm > maximumNorm ? maximumNorm / norm : 1,
    });
    return { gradientNorm: norm };
  }

  /** Copies of the moments of each parameter, for a checkpoint: [name.m, name.v]. */
  state(): { readonly steps: number; readonly tensors: ReadonlyMap<string, Float32Array<ArrayBuffer>> } {
    const tensors = new Map<string, Float32Array<ArrayBuffer>>();
    this.#parameters.forEach(({ name }, i) => {
      tensors.set(`${name}.m`, this.#storage.moment(i, "first").slice());
      tensors.set(`${name}.v`, this.#storage.moment(i, "second").slice());
    });
    return { steps: this.#steps, tensors };
  }

  /**
   * Continues from a state.
   *
   * @param state what `state` returned
   * @throws {Error} if moments of a parameter are missing or have another length
   */
  restore(state: { readonly steps: number; readonly tensors: ReadonlyMap<string, Float32Array> }): void {
    this.#parameters.forEach(({ name, length }, i) => {
      for (const [suffix, which] of [["m", "first"], ["v", "second"]] as const) {
        const values = state.tensors.get(`${name}.${suffix}`);
        if (values?.length !== length) {
          throw new Error(
            `Cannot restore the optimiser: ${name}.${suffix} must hold ${length} numbers, got ${
              values?.length ?? "none"
            }`,
          );
        }
        this.#storage.moment(i, which).set(values);
      }
    });
    this.#steps = state.steps;
  }

  /** Frees the moments. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#storage.release();
  }
}
