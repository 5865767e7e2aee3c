/**
 * Hands a memory to the kernels before they are imported.
 *
 * The compiled kernels import their memory from `./shared_memory.ts`. The main thread lets that file make one; a worker
 * puts the memory it was given in here first, so that both run on the same bytes.
 *
 * @module
 */

/** Where `shared_memory.ts` looks for a memory before it makes one. */
export const memorySlot: { memory: WebAssembly.Memory | null } = { memory: null };
