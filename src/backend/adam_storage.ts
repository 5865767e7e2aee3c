/**
 * Moments of the Adam optimiser and the kernels that update them.
 *
 * @module
 */
import type { ParameterStorage } from "./parameters.ts";
import { allocate, f32, kernels, release } from "./wasm.ts";

/** A parameter and the address of its gradient in the first of the gradient buffers. */
export interface AdamTarget {
  /** The numbers to change. */
  readonly parameter: ParameterStorage;
  /** Address of the gradient. */
  readonly gradient: number;
}

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

/** First and second moments of a list of parameters, in one block. */
export class AdamStorage {
  readonly #address: number;
  readonly #lengths: readonly number[];
  readonly #offsets: readonly number[];

  /** @param lengths number of elements of each parameter */
  constructor(lengths: readonly number[]) {
    let bytes = 0;
    this.#lengths = lengths;
    this.#offsets = lengths.map((length) => {
      const offset = bytes;
      bytes += 2 * stride(length);
      return offset;
    });
    this.#address = allocate(Math.max(bytes, 1));
  }

  /** The Euclidean norm of the summed gradients, accumulated in float64. */
  gradientNorm(targets: readonly AdamTarget[], groups: number, groupStride: number): number {
    let sum = 0;
    targets.forEach(({ gradient }, i) => sum += kernels.sumSquaresF32(this.#lengths[i], groups, groupStride, gradient));
    return Math.sqrt(sum);
  }

  /** Updates moments and parameters. */
  update(targets: readonly AdamTarget[], groups: number, groupStride: number, by: AdamUpdate): void {
    targets.forEach(({ parameter, gradient }, i) => {
      const length = this.#lengths[i];
      const m = this.#address + this.#offsets[i];
      kernels.adamF32(
        length,
        by.learningRate,
        by.beta1,
        by.beta2,
        by.epsilon,
        by.correction1,
        by.correction2,
        by.scale,
        groups,
        groupStride,
        gradient,
        parameter.address,
        m,
        m + stride(length),
      );
      parameter.changed();
    });
  }

  /** A view of the moments of parameter i: use at once, do not keep. */
  moment(i: number, which: "first" | "second"): Float32Array<ArrayBuffer> {
    const offset = this.#offsets[i] + (which === "first" ? 0 : stride(this.#lengths[i]));
    return f32(this.#address + offset, this.#lengths[i]);
  }

  /** Frees the memory. */
  release(): void {
    release(this.#address);
  }
}

function stride(length: number): number {
  return Math.ceil(length / 16) * 64;
}
