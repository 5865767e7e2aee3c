/**
 * Training data: a ring of configurations from which batches are drawn.
 *
 * @module
 */
import { RandomStream } from "../random/random_stream.ts";
import { applySymmetry, type SymmetryOperation } from "../system/symmetry.ts";

/** How batches are drawn. */
export interface FrameBufferOptions {
  /** Number of coordinates of a configuration. */
  readonly dim: number;
  /** Most configurations held; the oldest give way to new ones. */
  readonly capacity: number;
  /** Seed of the draws. */
  readonly seed: number;
  /** Symmetries of the system beside the identity: each draw is shown under one of them, chosen at random. */
  readonly symmetries?: readonly SymmetryOperation[];
}

/** Stream number of the draws. */
const DRAW_STREAM = 0xda;

/** A ring of configurations; batches are drawn with replacement as a pure function of seed, stage and step. */
export class FrameBuffer {
  readonly #options: FrameBufferOptions;
  readonly #frames: Float64Array<ArrayBuffer>;
  #pushed = 0;

  /**
   * Makes an empty buffer.
   *
   * @param options sizes, seed, symmetries
   * @throws {RangeError} if dim or capacity is not a whole number ≥ 1
   */
  constructor(options: FrameBufferOptions) {
    for (const name of ["dim", "capacity"] as const) {
      if (!Number.isInteger(options[name]) || options[name] < 1) {
        throw new RangeError(`Cannot make a frame buffer: ${name} must be a whole number ≥ 1, got ${options[name]}`);
      }
    }
    this.#options = options;
    this.#frames = new Float64Array(options.dim * options.capacity);
  }

  /** Number of configurations held. */
  get length(): number {
    return Math.min(this.#pushed, this.#options.capacity);
  }

  /** Number of configurations ever pushed. */
  get pushed(): number {
    return this.#pushed;
  }

  /** The configurations held, [length, dim], in no particular order; a view. */
  get frames(): Float64Array<ArrayBuffer> {
    return this.#frames.subarray(0, this.length * this.#options.dim);
  }

  /**
   * Adds configurations.
   *
   * @param frames [n, dim] row-major
   * @throws {RangeError} if the length is no multiple of dim
   */
  push(frames: Float64Array): void {
    const { dim, capacity } = this.#options;
    if (frames.length % dim !== 0) {
      throw new RangeError(`Cannot add frames: their length must be a multiple of ${dim}, got ${frames.length}`);
    }
    for (let at = 0; at < frames.length; at += dim) {
      this.#frames.set(frames.subarray(at, at + dim), (this.#pushed % capacity) * dim);
      this.#pushed++;
    }
  }

  /**
   * Says how many configurations have been pushed before those that are held: for a ring that is rebuilt from a file.
   *
   * @param pushed configurations ever pushed, those that are held included
   * @throws {RangeError} if that is fewer than are held
   */
  restorePosition(pushed: number): void {
    if (!Number.isSafeInteger(pushed) || pushed < this.length) {
      throw new RangeError(
        `Cannot restore a frame buffer: pushed must be a whole number ≥ ${this.length}, got ${pushed}`,
      );
    }
    this.#pushed = pushed;
  }

  /**
   * Draws a batch.
   *
   * @param n number of configurations
   * @param stage number of the stage
   * @param step number of the step: the same step draws the same places of the ring
   * @returns [n, dim] row-major
   * @throws {Error} if the buffer is empty
   */
  batch(n: number, stage: number, step: number): Float64Array {
    if (this.length === 0) {
      throw new Error("Cannot draw a batch: the buffer must hold frames, got none: push some first");
    }
    const { dim, seed, symmetries = [] } = this.#options;
    const random = new RandomStream(seed, DRAW_STREAM + 256 * stage, step);
    const batch = new Float64Array(n * dim);
    for (let i = 0; i < n; i++) {
      const start = random.integer(this.length) * dim;
      const image = random.integer(symmetries.length + 1);
      const frame = this.#frames.subarray(start, start + dim);
      if (image === 0) batch.set(frame, i * dim);
      else applySymmetry(symmetries[image - 1], frame, batch.subarray(i * dim, (i + 1) * dim));
    }
    return batch;
  }
}
