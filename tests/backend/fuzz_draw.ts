/** Random shapes and arguments for kernels: what the generators of the fuzz test draw from. */
import { hashName } from "../../src/nn/initialise.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import {
  type Argument,
  type Bound,
  compare,
  type Implementation,
  random,
  type Reference,
  smallest,
} from "./kernel_harness.ts";

/** One call of a kernel with what it may differ by. */
export interface Case {
  /** Arguments in the kernel's order. */
  readonly args: readonly Argument[];
  /** Largest error of each element. */
  readonly bound: Bound;
  /** The kernel in float64; default: the one of its name in src/backend/reference.ts. */
  readonly reference?: Reference;
  /** Index of an argument that is scratch memory: what it holds afterwards is nobody's business. */
  readonly scratch?: number;
  /** Indices of inputs in panels whose samples must not reach other samples; their kernels take the panels first. */
  readonly batches?: readonly number[];
}

/** Draws one call of one kernel. */
export type Generator = (draw: Draw) => Case;

/** Generators by the names of their kernels. */
export type Generators = Readonly<Record<string, Generator>>;

/** Numbers that arithmetic treats in its own way and that belong into any input. */
export const finiteSpecials: readonly number[] = [0, -0, 1, -1, smallest, -3 * smallest, 2 ** -126, -(2 ** -127)];

/** The same with infinities and NaN. */
export const specials: readonly number[] = [...finiteSpecials, Infinity, -Infinity, NaN];

/** What an array is filled with. */
export interface Filling {
  /** Least number; default −1. */
  readonly from?: number;
  /** Largest number; default 1. */
  readonly to?: number;
  /** Strewn into half of the arrays, one element in eight; default `specials`. */
  readonly special?: readonly number[];
}

/** Random sizes, numbers and arrays: a function of the seed and the name of the kernel. */
export class Draw {
  readonly #random: RandomStream;

  constructor(seed: number, kernel: string) {
    this.#random = new RandomStream(seed, hashName(kernel)); // an independent stream for each kernel;
  }

  /** A whole number, both ends included. */
  integer(from: number, to: number): number {
    return from + this.#random.integer(to - from + 1);
  }

  /** A float32 from low to high. */
  float(low: number, high: number): number {
    return Math.fround(low + (high - low) * this.#random.uniform());
  }

  /** 0 or 1. */
  flag(): number {
    return this.#random.integer(2);
  }

  /** One of several. */
  pick<T>(from: readonly T[]): T {
    return from[this.#random.integer(from.length)];
  }

  /** An order of 0 … n − 1. */
  permutation(n: number): Int32Array {
    return this.#random.permutation(n);
  }

  /** A size, two times in three next to a multiple of the step in which a loop works, or next to 0. */
  size(tile: number, least: number, most: number): number {
    const near = this.integer(0, Math.floor(most / tile)) * tile + this.integer(-1, 1);
    return this.integer(0, 2) > 0 && near >= least && near <= most ? near : this.integer(least, most);
  }

  /** Float32 numbers. */
  floats(length: number, { from = -1, to = 1, special = specials }: Filling = {}): Float32Array {
    const numbers = random(length, this.#random.integer(2 ** 30), from, to);
    if (special.length > 0 && this.flag()) {
      for (let k = 0; k < Math.ceil(length / 8); k++) numbers[this.#random.integer(length)] = this.pick(special);
      // The end of an array is where tails are.
      if (length > 0 && this.flag()) numbers[length - 1] = this.pick(special);
    }
    return numbers;
  }

  /** Float64 numbers that are no float32. */
  column(length: number, filling: Filling = {}): Float64Array {
    return Float64Array.from(this.floats(length, filling), (v) => v / 3);
  }

  /** Any float32 at all: every pattern of bits is as likely. */
  bits(length: number): Float32Array {
    return new Float32Array(Uint32Array.from({ length }, () => this.#random.uint32()).buffer);
  }

  /** Room for results, full of what nobody expects there. */
  room(length: number): Float32Array {
    return new Float32Array(length).fill(9);
  }
}

/** Copies of arguments; what was one buffer stays one. */
export function copies(args: readonly Argument[]): Argument[] {
  const made = new Map<Argument, Argument>();
  return args.map((arg) => {
    if (typeof arg === "number") return arg;
    if (!made.has(arg)) made.set(arg, arg.slice());
    return made.get(arg)!;
  });
}

/**
 * Puts NaN into one element of a batch: each result of its sample is NaN or the same as without it, at least one is NaN,
 * and no other sample changes by more than both results may be off (four samples share a vector, and with it a way to
 * compute them).
 *
 * For kernels whose references treat NaN in ways of their own; `check` compares NaN for all others.
 */
export function checkNaN(implementation: Implementation, kernel: string, call: Case, draw: Draw): void {
  const { args, bound, scratch, batches } = call;
  const at = draw.pick(batches!);
  const samples = 32 * (args[0] as number);
  const sampleOf = (i: number, length: number) => 32 * Math.floor(i / (32 * length / samples)) + i % 32;
  const [clean, spoilt] = [copies(args), copies(args)];
  const input = spoilt[at] as Float32Array;
  const place = draw.integer(0, input.length - 1);
  input[place] = NaN;
  for (const run of [clean, spoilt]) implementation.run(kernel, run);
  let reached = 0;
  spoilt.forEach((arg, a) => {
    if (typeof arg === "number" || a === at || a === scratch) return;
    (arg as Float64Array).forEach((value, i) => {
      const otherwise = (clean[a] as Float64Array)[i];
      if (Object.is(value, otherwise) || Math.abs(value - otherwise) <= 2 * bound(otherwise, i, a)) return;
      const own = sampleOf(i, arg.length) === sampleOf(place, input.length);
      if (own && Number.isNaN(value)) return void ++reached;
      throw new Error(`${kernel}: NaN in element ${place} of argument ${at} makes element ${i} of ${a} ${value}`);
    });
  });
  if (reached === 0) throw new Error(`${kernel}: NaN in element ${place} of argument ${at} reaches no result`);
}

/** Runs the call of a case on an implementation and compares what it wrote with the reference. */
export function check(
  implementation: Implementation,
  kernel: string,
  { args, bound, reference, scratch }: Case,
): void {
  const before = scratch === undefined ? undefined : (args[scratch] as Float64Array).slice();
  const forgetting: Implementation = {
    name: implementation.name,
    run(kernel, args) {
      const result = implementation.run(kernel, args);
      if (before !== undefined) (args[scratch!] as Float64Array).set(before);
      return result;
    },
  };
  compare(forgetting, kernel, args, bound, reference);
}
