/**
 * Numbers that outlive a computation and that an optimiser changes.
 *
 * @module
 */
import { copyParameter, ParameterStorage } from "../backend/parameters.ts";

/**
 * A named array of float32 in the kernels' memory.
 *
 * Shapes: `[rows, columns]` for a weight (row = output), `[length]` for a bias or a row of scales.
 */
export class Parameter {
  /** What it is, unique within a flow: the key in checkpoints and models. */
  readonly name: string;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** Whether optimisers change it. */
  readonly trainable: boolean;
  /** Where it lies; for `src/autodiff` and `src/optim`. */
  readonly storage: ParameterStorage;

  /**
   * Reserves memory for the numbers; it is freed when nothing refers to the parameter any more.
   *
   * @param name what it is
   * @param shape one or two sizes
   * @param values initial numbers, row-major; zeros if left out
   * @param options `trainable`: false for constants such as a whitening matrix
   * @throws {RangeError} if sizes are not whole numbers ≥ 1 or `values` has another length
   */
  constructor(
    name: string,
    shape: readonly number[],
    values?: ArrayLike<number>,
    options: { readonly trainable?: boolean } = {},
  ) {
    if (shape.length < 1 || shape.length > 2 || shape.some((s) => !Number.isInteger(s) || s < 1)) {
      throw new RangeError(`Cannot make parameter ${name}: shape must be one or two whole numbers ≥ 1, got [${shape}]`);
    }
    this.name = name;
    this.shape = shape;
    this.trainable = options.trainable ?? true;
    this.storage = new ParameterStorage(shape);
    if (values !== undefined) this.set(values);
  }

  /** Number of elements. */
  get length(): number {
    return this.storage.length;
  }

  /** A copy of the numbers, row-major. */
  values(): Float32Array<ArrayBuffer> {
    return this.storage.view().slice();
  }

  /**
   * Replaces the numbers.
   *
   * @param values as many as the parameter has, row-major
   * @throws {RangeError} if the length differs
   */
  set(values: ArrayLike<number>): void {
    if (values.length !== this.length) {
      throw new RangeError(
        `Cannot set parameter ${this.name}: values must have length ${this.length}, got ${values.length}`,
      );
    }
    copyParameter(values, this.storage);
  }
}
