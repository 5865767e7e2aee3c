/**
 * Seeded random numbers, the same in every runtime.
 *
 * @module
 */
export { RandomStream, type RandomStreamState } from "./random_stream.ts";
