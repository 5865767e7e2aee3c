/**
 * Moments of the Adam optimiser and the programs that update parameters with them.
 *
 * A task is a handful of parameters: their moments, their new numbers, and the packed copies of these while they are in
 * the cache. The numbers that change from step to step lie in memory, so that threads read the programs once.
 *
 * @module
 */
import type { PackedForm, ParameterStorage } from "./parameters.ts";
import { type Executor, independentCalls } from "./executor.ts";
import type { KernelCall, Program } from "./program.ts";
import { allocate, f32, f64, release } from "./wasm.ts";

/** The numbers of one update. */
export interface AdamUpdate {
  /** Step size. */
  readonly learningRate: number;
  /** Decay of the first moment. */
  readonly beta1: number;
  /** Decay of the second moment. */
  readonly beta2: number;
  /** Added to the root of the second moment. */
  readonly epsilon: number;
  /** 1 − beta1ᵗ */
  readonly correction1: number;
  /** 1 − beta2ᵗ */
  readonly correction2: number;
  /** Factor on the gradient. */
  readonly scale: number;
}

/** Elements from which on a task is worth its dispatch. */
const TASK_ELEMENTS = 1 << 14;

/** Tasks for the gradients at given addresses: as many phases of squares as of updates. */
interface Plan {
  readonly gradients: readonly number[];
  readonly program: Program;
  readonly tasks: number;
  /** For each parameter, the packed forms that the updates bring up to date. */
  readonly packed: readonly (readonly PackedForm[])[];
}

/** First and second moments of a list of parameters, in one block. */
export class AdamStorage {
  readonly #parameters: readonly ParameterStorage[];
  readonly #pool: Executor;
  readonly #moments: number;
  readonly #offsets: readonly number[];
  /** Address of the numbers of an update, in the order of the kernel. */
  readonly #settings: number;
  /** Address of the squared norms of the gradients, one for each parameter. */
  readonly #squares: number;
  #plan: Plan | null = null;

  /**
   * @param parameters what is optimised
   * @param pool threads
   */
  constructor(parameters: readonly ParameterStorage[], pool: Executor) {
    let bytes = 0;
    this.#parameters = parameters;
    this.#pool = pool;
    this.#offsets = parameters.map(({ length }) => {
      const offset = bytes;
      bytes += 2 * stride(length);
      return offset;
    });
    this.#moments = allocate(Math.max(bytes, 1));
    this.#settings = allocate(8 * 7);
    this.#squares = allocate(8 * Math.max(parameters.length, 1));
  }

  /**
   * The Euclidean norm of the gradients, accumulated in float64.
   *
   * @param gradients address of the gradient of each parameter
   */
  gradientNorm(gradients: readonly number[]): number {
    const { program, tasks } = this.#planFor(gradients);
    this.#pool.runEach(program, tasks);
    return Math.sqrt(f64(this.#squares, this.#parameters.length).reduce((sum, square) => sum + square, 0));
  }

  /**
   * Updates moments and parameters.
   *
   * @param gradients address of the gradient of each parameter
   * @param by the numbers of the update
   */
  update(gradients: readonly number[], by: AdamUpdate): void {
    const { program, tasks, packed } = this.#planFor(gradients);
    const { learningRate, beta1, beta2, epsilon, correction1, correction2, scale } = by;
    f64(this.#settings, 7).set([learningRate, beta1, beta2, epsilon, correction1, correction2, scale]);
    this.#pool.runEach(program, tasks, tasks);
    this.#parameters.forEach((parameter, i) => parameter.changed(packed[i]));
  }

  #planFor(gradients: readonly number[]): Plan {
    const plan = this.#plan;
    if (plan !== null && gradients.every((address, i) => address === plan.gradients[i])) return plan;
    this.#forgetPlan();
    const tasks = this.#tasks();
    const squares = tasks.map((task) => task.map((i) => this.#square(i, gradients[i])));
    const packed = this.#parameters.map((parameter) => parameter.forms());
    const updates = tasks.map((task) => task.flatMap((i) => this.#updateCalls(i, gradients[i], packed[i])));
    this.#plan = {
      gradients: [...gradients],
      program: independentCalls([...squares, ...updates], this.#pool.threads),
      tasks: tasks.length,
      packed,
    };
    return this.#plan;
  }

  /** Indices of neighbouring parameters, grouped into tasks. */
  #tasks(): number[][] {
    const tasks: number[][] = [];
    let room = 0;
    this.#parameters.forEach(({ length }, i) => {
      if (room <= 0) tasks.push([]), room = TASK_ELEMENTS;
      tasks[tasks.length - 1].push(i);
      room -= length;
    });
    return tasks;
  }

  #square(i: number, gradient: number): KernelCall {
    return { kernel: "sumSquaresF32", args: [this.#parameters[i].length, gradient, this.#squares + 8 * i] };
  }

  #updateCalls(i: number, gradient: number, packed: readonly PackedForm[]): KernelCall[] {
    const parameter = this.#parameters[i];
    const [m, v] = (["first", "second"] as const).map((which) => this.#address(i, which));
    const args = [parameter.length, this.#settings, gradient, parameter.address, m, v];
    return [{ kernel: "adamF32", args }, ...parameter.packing(packed)];
  }

  #address(i: number, which: "first" | "second"): number {
    return this.#moments + this.#offsets[i] + (which === "first" ? 0 : stride(this.#parameters[i].length));
  }

  /** A view of the moments of parameter i: use at once, do not keep. */
  moment(i: number, which: "first" | "second"): Float32Array<ArrayBuffer> {
    return f32(this.#address(i, which), this.#parameters[i].length);
  }

  /** Frees the memory. */
  release(): void {
    this.#forgetPlan();
    [this.#moments, this.#settings, this.#squares].forEach(release);
  }

  #forgetPlan(): void {
    if (this.#plan !== null) this.#pool.forget(this.#plan.program);
    this.#plan = null;
  }
}

function stride(length: number): number {
  return Math.ceil(length / 16) * 64;
}
