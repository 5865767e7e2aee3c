/**
 * Where the numbers of a parameter lie, and the packed copies of weights that the matrix kernels read.
 *
 * @module
 */
import { packedLength } from "./dense_layout.ts";
import type { KernelCall } from "./program.ts";
import { allocate, f32, release } from "./wasm.ts";

const abandoned = new FinalizationRegistry<number[]>((addresses) => addresses.forEach(release));

/** float32 numbers on the heap, freed when nothing refers to this object any more. */
export class ParameterStorage {
  /** Address of the numbers, row-major. */
  readonly address: number;
  /** Number of elements. */
  readonly length: number;
  readonly #shape: readonly number[];
  readonly #addresses: number[];
  #packed: { forward: number; transposed: number } | null = null;
  #stale = true;

  /**
   * Reserves zeroed numbers.
   *
   * @param shape one or two sizes
   */
  constructor(shape: readonly number[]) {
    this.#shape = shape;
    this.length = shape.reduce((a, b) => a * b, 1);
    this.address = allocate(4 * this.length);
    this.#addresses = [this.address];
    abandoned.register(this, this.#addresses);
  }

  /** The numbers in place: use at once, do not keep. */
  view(): Float32Array<ArrayBuffer> {
    return f32(this.address, this.length);
  }

  /** Addresses of the packed forms of a weight [rows, columns] for y = W x and for x̄ = Wᵀ ȳ. */
  packed(): { readonly forward: number; readonly transposed: number } {
    if (this.#packed === null) {
      const [rows, columns] = this.#shape;
      this.#packed = {
        forward: allocate(4 * packedLength(rows, columns)),
        transposed: allocate(4 * packedLength(columns, rows)),
      };
      this.#addresses.push(this.#packed.forward, this.#packed.transposed);
      this.#stale = true;
    }
    return this.#packed;
  }

  /**
   * Says that the numbers have changed.
   *
   * @param state whether packed copies have changed with them; otherwise they are out of date
   */
  changed(state: { readonly packed: boolean } = { packed: false }): void {
    this.#stale = !state.packed;
  }

  /** Whether packed copies are out of date; from now on they count as up to date. */
  takeStale(): boolean {
    const stale = this.#stale;
    this.#stale = false;
    return stale && this.#packed !== null;
  }

  /** The calls that bring packed copies up to date; none where there are no copies. */
  packing(): KernelCall[] {
    if (this.#packed === null) return [];
    const [rows, columns] = this.#shape;
    return [
      { kernel: "packF32", args: [rows, columns, this.address, this.#packed.forward] },
      { kernel: "packTransposeF32", args: [rows, columns, this.address, this.#packed.transposed] },
    ];
  }
}

/** Copies numbers into a parameter. */
export function copyParameter(values: ArrayLike<number>, storage: ParameterStorage): void {
  storage.view().set(values);
  storage.changed();
}
