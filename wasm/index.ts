/** Everything the kernel modules export: the ABI described in README.md. Nothing but re-exports and two constants. */

/** Version of names, argument orders and layouts; src/backend checks it once when it loads a module. */
export function abiVersion(): i32 {
  return 4;
}

/** First byte of memory that the kernels leave to their owner (constants lie below). */
export function heapBase(): usize {
  return __heap_base;
}

export * from "./gemm";
export * from "./elementwise";
export * from "./coupling";
export * from "./mixture";
export * from "./reduce";
export * from "./layout";
export * from "./optimizer";
export * from "./bench_peak";
export * from "./particle_energy";
export * from "./particle_gradient";
export * from "./particle_gradient_single";
export * from "./metropolis";
export * from "./alignment";
export * from "./tilted";
export * from "./tilted_gradient";
export * from "./spline";
export * from "./spline_gradient";
