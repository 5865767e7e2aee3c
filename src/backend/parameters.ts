/**
 * Where the numbers of a parameter lie, and the packed copies of weights that the matrix kernels read.
 *
 * @module
 */
import { packedLength } from "./dense_layout.ts";
import type { KernelCall } from "./program.ts";
import { allocate, f32, release } from "./wasm.ts";

/** The packed forms of a weight: for y = W x, and for x̄ = Wᵀ ȳ. */
export type PackedForm = "forward" | "transposed";

/** The kernel that makes each form. */
const packingKernels = { forward: "packF32", transposed: "packTransposeF32" } as const satisfies Record<
  PackedForm,
  string
>;

const abandoned = new FinalizationRegistry<number[]>((addresses) => addresses.forEach(release));

/** float32 numbers on the heap, freed when nothing refers to this object any more. */
export class ParameterStorage {
  /** Address of the numbers, row-major. */
  readonly address: number;
  /** Number of elements. */
  readonly length: number;
  readonly #shape: readonly number[];
  readonly #addresses: number[];
  /** Address of each packed form that is there, and whether it is out of date. */
  readonly #packed = new Map<PackedForm, { readonly address: number; stale: boolean }>();

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

  /**
   * Gives a packed form of a weight [rows, columns], which exists from now on.
   *
   * @param form which
   * @returns its address
   */
  packed(form: PackedForm): number {
    const found = this.#packed.get(form);
    if (found !== undefined) return found.address;
    const [rows, columns] = this.#shape;
    const length = form === "forward" ? packedLength(rows, columns) : packedLength(columns, rows);
    const address = allocate(4 * length);
    this.#addresses.push(address);
    this.#packed.set(form, { address, stale: true });
    return address;
  }

  /** The packed forms that exist. */
  forms(): PackedForm[] {
    return [...this.#packed.keys()];
  }

  /**
   * Says that the numbers have changed.
   *
   * @param packed the forms that have changed with them; the others are out of date
   */
  changed(packed: readonly PackedForm[] = []): void {
    for (const [form, state] of this.#packed) state.stale = !packed.includes(form);
  }

  /**
   * Tells whether packed forms are out of date; from now on they count as up to date.
   *
   * @param forms which
   * @returns whether one of them was
   */
  takeStale(forms: readonly PackedForm[]): boolean {
    let any = false;
    for (const form of forms) {
      const state = this.#packed.get(form)!;
      any ||= state.stale;
      state.stale = false;
    }
    return any;
  }

  /**
   * Makes the calls that bring packed forms up to date.
   *
   * @param forms which
   * @returns one call for each
   */
  packing(forms: readonly PackedForm[]): KernelCall[] {
    const [rows, columns] = this.#shape;
    return forms.map((form) => {
      return { kernel: packingKernels[form], args: [rows, columns, this.address, this.packed(form)] };
    });
  }
}

/** Copies numbers into a parameter. */
export function copyParameter(values: ArrayLike<number>, storage: ParameterStorage): void {
  storage.view().set(values);
  storage.changed();
}
