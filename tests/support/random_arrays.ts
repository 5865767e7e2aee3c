/**
 * Random numbers for tests: a function of the seed alone.
 *
 * @module
 */
import type { Parameter } from "../../src/graph/parameter.ts";
import { RandomStream } from "../../src/random/random_stream.ts";

/** Uniform numbers from low to high, rounded to float32 so that kernels and float64 see the same ones. */
export function uniforms(length: number, seed: number, low = -2, high = 2): Float64Array {
  const random = new RandomStream(seed, 1);
  return Float64Array.from({ length }, () => Math.fround(low + (high - low) * random.uniform()));
}

/** Normal numbers, rounded to float32. */
export function normals(length: number, seed: number, scale = 1): Float64Array {
  return new RandomStream(seed, 2).fillNormals(new Float64Array(length)).map((v) => Math.fround(scale * v));
}

/** Gives every trainable parameter random numbers; laws that are tested at the identity alone prove little. */
export function randomiseParameters(parameters: readonly Parameter[], seed: number, scale = 0.5): void {
  parameters.filter((p) => p.trainable).forEach((parameter, i) => {
    parameter.set(normals(parameter.length, seed + i, scale));
  });
}
