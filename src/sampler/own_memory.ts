/**
 * Gives the kernels a memory that is not shared: one thread needs no more, and every host has it.
 *
 * Must be imported before anything that imports the kernels' memory.
 *
 * @module
 */
import { memorySlot } from "../backend/memory_slot.ts";

/** Pages of 64 KiB that exist from the start: constants and stack. The heap grows as models need it. */
const INITIAL_PAGES = 80;

memorySlot.memory ??= new WebAssembly.Memory({ initial: INITIAL_PAGES });
