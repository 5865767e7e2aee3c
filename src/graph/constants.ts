/**
 * Numbers that the kernel calls of a plan read but nothing writes: lists of indices, and tables.
 *
 * @module
 */
import { Base } from "../backend/program.ts";
import { allocate, f32, i32 } from "../backend/wasm.ts";
import type { Address } from "./forward_kernel.ts";

/** An address that is the same for every slice and thread. */
export function absolute(offset: number): Address {
  return { base: Base.none, offset, stride: 0 };
}

/** The constants of a plan, each once. */
export class Constants {
  /** Addresses to be released with the plan. */
  readonly addresses: number[] = [];
  readonly #lists = new Map<string, Address>();
  readonly #tables = new Map<Float32Array, Address>();

  /** Address of a list of int32; equal lists share one. */
  list(values: readonly number[]): Address {
    const key = values.join();
    return this.#lists.get(key) ?? this.#place(this.#lists, key, values, i32);
  }

  /** Address of a table of float32; the same array gives the same address. */
  table(values: Float32Array): Address {
    return this.#tables.get(values) ?? this.#place(this.#tables, values, values, f32);
  }

  #place<K>(places: Map<K, Address>, key: K, values: ArrayLike<number>, view: typeof f32 | typeof i32): Address {
    const offset = allocate(4 * values.length);
    view(offset, values.length).set(values);
    this.addresses.push(offset);
    places.set(key, absolute(offset));
    return absolute(offset);
  }
}
