/**
 * The dense kernels in plain float64 TypeScript: what each of them computes, and the oracle of their tests.
 *
 * Every function has the name and the argument order of its kernel, with a Float64Array where the kernel takes the
 * address of float32 or float64 numbers, and an Int32Array where it takes a list of indices.
 *
 * @module
 */
export * from "./reference_elementwise.ts";
export * from "./reference_features.ts";
export * from "./reference_layout.ts";
export * from "./reference_matrix.ts";
