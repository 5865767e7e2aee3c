/**
 * Owns the memory of the kernels: which build runs, who may use which bytes.
 *
 * Layout of the memory: the kernels' constants, then a stack of 4 MiB for scratch inside one synchronous function, then
 * the heap for what lives longer (parameters, plans, chains). Only files of this folder call kernels or see addresses.
 *
 * @module
 */
import { memory } from "./shared_memory.ts";

/** The raw exports of the compiled kernels. */
export type Kernels = typeof import("./kernels_relaxed.wasm");

/** Which of the two builds of the same sources runs: with fused multiply-add, or without. */
export type KernelBuild = "relaxed" | "baseline";

/** The version of the kernels' interface that this source was written for. */
const ABI_VERSION = 4;
const PAGE = 65536;
/** Bytes that addresses of 32 bits reach. */
const MOST_BYTES = 2 ** 32;
const ALIGNMENT = 64;
/** Bytes at the start that belong to the kernels' constants. */
const CONSTANTS_BYTES = 256 << 10;
const STACK_BYTES = 4 << 20;
const STACK_END = CONSTANTS_BYTES + STACK_BYTES;

/** The kernels in use. Set by `useKernels`. */
export let kernels: Kernels;
/** The build in use. */
export let kernelBuild: KernelBuild;

let stackTop = CONSTANTS_BYTES;
let heapEnd = STACK_END;
/** Free pieces of the heap in the order of their addresses. */
const freeBlocks: { address: number; bytes: number }[] = [];
/** Size of every allocated piece of the heap. */
const usedBlocks = new Map<number, number>();

/**
 * Makes a set of kernels the one in use. Memory that was handed out stays valid: all builds share it.
 *
 * @param exports the exports of an instance whose memory is `memory`
 * @param build which build they are
 * @throws {Error} if they were compiled for another interface
 */
export function useKernels(exports: Kernels, build: KernelBuild): void {
  const version = exports.abiVersion();
  if (version !== ABI_VERSION) {
    throw new Error(
      `Cannot load the kernels: ABI version must be ${ABI_VERSION}, got ${version}: run "deno task build:wasm"`,
    );
  }
  if (exports.heapBase() > CONSTANTS_BYTES) {
    throw new Error(
      `Internal error: the constants of the kernels must end before ${CONSTANTS_BYTES}, got ${exports.heapBase()}`,
    );
  }
  kernels = exports;
  kernelBuild = build;
}

/**
 * Instantiates kernels for runtimes that cannot import `.wasm` files, and makes them the ones in use.
 *
 * @param source a compiled module, or the bytes of `kernels_relaxed.wasm` or `kernels_baseline.wasm`
 * @param build which build it is
 */
export async function instantiateKernels(
  source: WebAssembly.Module | BufferSource,
  build: KernelBuild,
): Promise<void> {
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
  const instance = await WebAssembly.instantiate(module, { "./shared_memory.ts": { memory } });
  useKernels(instance.exports as unknown as Kernels, build);
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/**
 * Reserves zeroed bytes of the heap until `release`.
 *
 * @param bytes how many
 * @returns the address, a multiple of 64
 * @throws {RangeError} if the memory cannot grow that far
 */
export function allocate(bytes: number): number {
  const size = Math.max(align(bytes), ALIGNMENT);
  const index = freeBlocks.findIndex((block) => block.bytes >= size);
  let address: number;
  if (index >= 0) {
    const block = freeBlocks[index];
    address = block.address;
    block.address += size;
    block.bytes -= size;
    if (block.bytes === 0) freeBlocks.splice(index, 1);
  } else {
    address = heapEnd;
    growTo(address + size);
    heapEnd = address + size;
  }
  usedBlocks.set(address, size);
  u8(address, size).fill(0);
  return address;
}

function growTo(end: number): void {
  const missing = end - memory.buffer.byteLength;
  if (missing <= 0) return;
  try {
    memory.grow(Math.ceil(missing / PAGE));
  } catch {
    const most = end > MOST_BYTES ? "at most 4 GiB" : "what the system has left for this program";
    throw new RangeError(
      `Cannot allocate memory: the total must be ${most}, got ${
        (end / 2 ** 20).toFixed(0)
      } MiB: use a smaller batch or ` +
        "network, or dispose of plans that are no longer needed",
    );
  }
}

/**
 * Gives bytes back that `allocate` reserved.
 *
 * @param address what `allocate` returned
 * @throws {Error} if nothing is allocated there
 */
export function release(address: number): void {
  const bytes = usedBlocks.get(address);
  if (bytes === undefined) {
    throw new Error(`Cannot release memory: address must be one that is allocated, got ${address}`);
  }
  usedBlocks.delete(address);
  let at = freeBlocks.findIndex((block) => block.address > address);
  if (at < 0) at = freeBlocks.length;
  freeBlocks.splice(at, 0, { address, bytes });
  mergeWithNext(at);
  if (at > 0) mergeWithNext(at - 1);
}

function mergeWithNext(at: number): void {
  const block = freeBlocks[at];
  const next = freeBlocks[at + 1];
  if (next !== undefined && block.address + block.bytes === next.address) {
    block.bytes += next.bytes;
    freeBlocks.splice(at + 1, 1);
  }
}

/** Bytes of the heap in use, for memory reports and tests. */
export function allocatedBytes(): number {
  let sum = 0;
  for (const bytes of usedBlocks.values()) sum += bytes;
  return sum;
}

/** Scratch memory of one synchronous function: everything reserved from it ends with it. */
export interface Scope extends Disposable {
  /** Reserves n float64 and returns their address. */
  f64(n: number): number;
  /** Reserves n float32 and returns their address. */
  f32(n: number): number;
  /** Reserves n int32 and returns their address. */
  i32(n: number): number;
}

/**
 * Opens a scope of scratch memory: `using s = scope()`. Scopes nest and never cross an `await`.
 *
 * @returns the scope
 */
export function scope(): Scope {
  const start = stackTop;
  const take = (bytes: number): number => {
    const address = stackTop;
    if (address + bytes > STACK_END) {
      throw new RangeError(
        `Cannot reserve scratch memory: a scope must fit into ${STACK_BYTES} bytes, got ${
          address + bytes - CONSTANTS_BYTES
        }`,
      );
    }
    stackTop = align(address + bytes);
    return address;
  };
  return {
    f64: (n) => take(8 * n),
    f32: (n) => take(4 * n),
    i32: (n) => take(4 * n),
    [Symbol.dispose]() {
      stackTop = start;
    },
  };
}

/** A view of float32 in the kernels' memory: make it on use, never keep it (growth changes the buffer). */
export function f32(address: number, length: number): Float32Array<ArrayBuffer> {
  return new Float32Array(memory.buffer as unknown as ArrayBuffer, address, length);
}

/** A view of float64 in the kernels' memory. */
export function f64(address: number, length: number): Float64Array<ArrayBuffer> {
  return new Float64Array(memory.buffer as unknown as ArrayBuffer, address, length);
}

/** A view of int32 in the kernels' memory. */
export function i32(address: number, length: number): Int32Array<ArrayBuffer> {
  return new Int32Array(memory.buffer as unknown as ArrayBuffer, address, length);
}

/** A view of bytes in the kernels' memory. */
export function u8(address: number, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(memory.buffer as unknown as ArrayBuffer, address, length);
}
