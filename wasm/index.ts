/** Everything the kernel modules export: the ABI described in README.md. Nothing but re-exports. */

export * from "./abi";
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
export * from "./ising";
export * from "./alignment";
export * from "./tilted";
export * from "./tilted_gradient";
export * from "./spline";
export * from "./spline_gradient";
