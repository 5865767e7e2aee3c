/**
 * The one memory of all threads: the import that the compiled kernels name as their memory.
 *
 * @module
 */
import { memorySlot } from "./memory_slot.ts";

/** Pages of 64 KiB that exist from the start: 16 MiB. */
const INITIAL_PAGES = 256;
/** Pages that the memory may grow to: 4 GiB, the limit that the kernels are compiled with. */
const MAXIMUM_PAGES = 65536;

/** The linear memory that every kernel of every thread works on. */
export const memory: WebAssembly.Memory = memorySlot.memory ??
  new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true });
