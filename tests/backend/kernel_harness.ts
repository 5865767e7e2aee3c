/**
 * Runs kernels and their float64 references on the same numbers and compares everything they wrote.
 *
 * Each kernel runs in a memory of its own, with 64 bytes of guard before and after every buffer. The guard is a NaN with
 * a bit pattern of that buffer: writing there is found afterwards, also if what is written comes from another guard, and
 * reading it into a result makes that result NaN.
 */
import * as reference from "../../src/backend/reference.ts";

/** What a kernel is given: a number, or a buffer that it reads or writes. The same array twice is one buffer. */
export type Argument = number | Float32Array | Float64Array | Int32Array;

/** Something that runs kernels by name; buffers are changed in place. */
export interface Implementation {
  readonly name: string;
  run(kernel: string, args: readonly Argument[]): number | void;
}

/** Largest accepted |got − expected|; element `index` of argument `argument`. */
export type Bound = (expected: number, index: number, argument: number) => number;

/** Unit roundoff of float32. */
export const unitRoundoff = 2 ** -24;
/** Smallest positive float32. */
export const smallest = 2 ** -149;

const guardBytes = 64;
const firstPattern = 0x7fc0be01;
const firstAddress = 1 << 16;

type Exports = Record<string, (...args: number[]) => number | void>;
/** A kernel in float64, with its arguments as arrays. */
export type Reference = (...args: (number | Float64Array | Int32Array)[]) => number | void;

/** One build of the kernels, in a memory of its own. */
export class WasmImplementation implements Implementation {
  readonly #memory = new WebAssembly.Memory({ initial: 256, maximum: 65536, shared: true });
  readonly exports: Exports;

  constructor(readonly name: string, readonly module: WebAssembly.Module) {
    const instance = new WebAssembly.Instance(module, { "./shared_memory.ts": { memory: this.#memory } });
    this.exports = instance.exports as unknown as Exports;
  }

  run(kernel: string, args: readonly Argument[]): number | void {
    const words = new Uint32Array(this.#memory.buffer);
    const addresses = new Map<Argument, number>();
    let end = firstAddress;
    for (const arg of args) {
      if (typeof arg === "number" || addresses.has(arg)) continue;
      const address = end + guardBytes;
      end = Math.ceil((address + arg.byteLength + guardBytes) / 64) * 64;
      if (end > this.#memory.buffer.byteLength) {
        throw new RangeError(`Cannot test ${kernel}: buffers exceed the memory`);
      }
      words.fill(firstPattern + addresses.size, (address - guardBytes) / 4, end / 4);
      new Uint8Array(this.#memory.buffer, address).set(new Uint8Array(arg.buffer, arg.byteOffset, arg.byteLength));
      addresses.set(arg, address);
    }
    const result = this.exports[kernel](...args.map((arg) => typeof arg === "number" ? arg : addresses.get(arg)!));
    let pattern = firstPattern;
    for (const [arg, address] of addresses) {
      if (typeof arg === "number") continue;
      const after = address + arg.byteLength;
      for (const start of [address - guardBytes, after]) {
        if (words.subarray(start / 4, (start + guardBytes) / 4).some((word) => word !== pattern)) {
          throw new Error(`${kernel} (${this.name}) wrote ${start === after ? "after" : "before"} a buffer`);
        }
      }
      new Uint8Array(arg.buffer, arg.byteOffset).set(new Uint8Array(this.#memory.buffer, address, arg.byteLength));
      ++pattern;
    }
    return result;
  }
}

/**
 * Runs a kernel with one of its buffers at the very end of a memory: a read or write beyond it traps.
 */
export function runAtMemoryEnd(build: WasmImplementation, kernel: string, args: readonly Argument[], at: number): void {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  const instance = new WebAssembly.Instance(build.module, { "./shared_memory.ts": { memory } });
  let next = firstAddress;
  const addresses = args.map((arg, i) => {
    if (typeof arg === "number") return arg;
    const address = i === at ? memory.buffer.byteLength - arg.byteLength : next;
    if (i !== at) next = Math.ceil((next + arg.byteLength + guardBytes) / 64) * 64;
    new Uint8Array(memory.buffer, address).set(new Uint8Array(arg.buffer, arg.byteOffset, arg.byteLength));
    return address;
  });
  (instance.exports as unknown as Exports)[kernel](...addresses);
}

async function load(build: string): Promise<WasmImplementation> {
  const bytes = await Deno.readFile(new URL(`../../src/backend/kernels_${build}.wasm`, import.meta.url));
  return new WasmImplementation(build, await WebAssembly.compile(bytes));
}

/** The two committed builds. */
export const builds: readonly WasmImplementation[] = [await load("relaxed"), await load("baseline")];

/** Float64 copies of the arguments; integers stay integers. */
function widen(args: readonly Argument[], of: (x: number) => number): (number | Float64Array | Int32Array)[] {
  const copies = new Map<Argument, Float64Array | Int32Array>();
  return args.map((arg) => {
    if (typeof arg === "number") return arg;
    if (!copies.has(arg)) copies.set(arg, arg instanceof Int32Array ? arg.slice() : Float64Array.from(arg, of));
    return copies.get(arg)!;
  });
}

function referenceOf(kernel: string): Reference {
  return (reference as unknown as Record<string, Reference>)[kernel];
}

/** Arguments as the reference leaves them. */
export function referenceResult(
  kernel: string,
  args: readonly Argument[],
  of: (x: number) => number = (x) => x,
  reference: Reference = referenceOf(kernel),
) {
  const wide = widen(args, of);
  const value = reference(...wide);
  return { value, args: wide };
}

/**
 * Runs a kernel and its reference and throws at the first number that differs by more than `bound`.
 *
 * Buffers that the reference leaves alone must keep their bits. NaN must meet NaN, and what rounds to an infinite float32
 * must be that infinity: an infinite bound allows nothing.
 *
 * @param reference the kernel in float64; default: the one of its name in src/backend/reference.ts
 */
export function compare(
  implementation: Implementation,
  kernel: string,
  args: readonly Argument[],
  bound: Bound,
  reference: Reference = referenceOf(kernel),
): void {
  const before = args.map((arg) => typeof arg === "number" ? arg : Float64Array.from(arg));
  const { value, args: expected } = referenceResult(kernel, args, undefined, reference);
  const result = implementation.run(kernel, args);
  const where = `${kernel}(${args.filter((arg) => typeof arg === "number").join(", ")}), ${implementation.name}`;
  if (value !== undefined) check(result as number, value, bound(value, 0, -1), `${where}: result`);
  args.forEach((arg, a) => {
    if (typeof arg === "number") return;
    const input = before[a] as Float64Array, wanted = expected[a] as Float64Array;
    // Two arguments in one buffer: a result in place, even where it happens to be the input.
    const isOutput = args.indexOf(arg) !== args.lastIndexOf(arg) ||
      wanted.some((want, i) => !Object.is(want, input[i]));
    for (let i = 0; i < arg.length; ++i) {
      check(arg[i], wanted[i], isOutput ? bound(wanted[i], i, a) : 0, `${where}: element ${i} of argument ${a}`);
    }
  });
}

function check(got: number, want: number, limit: number, where: string): void {
  const rounded = Math.fround(want);
  if (Object.is(got, want) || (!Number.isFinite(rounded) && Object.is(got, rounded))) return;
  if (Number.isFinite(limit) && Math.abs(got - want) <= limit) return;
  throw new Error(`${where}: expected ${want} ± ${limit}, got ${got}`);
}

/** A float32 buffer of seeded uniform numbers in [−1, 1), or in [from, to). */
export function random(length: number, seed: number, from = -1, to = 1): Float32Array {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return from + (to - from) * ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  });
}

/** Distance between neighbouring float32 around x. */
export function ulp(x: number): number {
  const magnitude = Math.abs(x);
  return magnitude < 2 ** -126 ? smallest : 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}
