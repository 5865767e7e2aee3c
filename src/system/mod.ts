/**
 * Systems: energies U(x) of configurations, with named presets.
 *
 * @module
 */
import "../backend/loaded.ts";

export type { ComputeOptions, EnergyAndGradient, System } from "./system.ts";
export * from "./double_well.ts";
export * from "./particle_dimer.ts";
export type { DimerCoefficients } from "../backend/particle_kernels.ts";
export { type BondForm } from "./dimer_bond.ts";
export { dimerSymmetries } from "./dimer_symmetries.ts";
export { applySymmetry, type SymmetryOperation } from "./symmetry.ts";
export { type AutodiffSystem, systemFromEnergy } from "./from_autodiff.ts";
