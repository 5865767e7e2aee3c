/**
 * Foundation of all stages: seeded random numbers, the same in every runtime.
 *
 * In: a seed, a stream, a position. Out: the numbers that belong there, whatever was drawn before.
 *
 * Start here: {@link RandomStream}.
 *
 * @module
 */
export { RandomStream, type RandomStreamState } from "./random_stream.ts";
