/**
 * Stage 1 of 8: U(x).
 *
 * In: the name of a preset, or an energy of one's own. Out: systems, which know the energy of any configuration and,
 * where particles are alike, which labelling of it is meant.
 *
 * Start here: {@link ParticleDimer} and {@link LennardJonesFluid}, or {@link systemFromEnergy} for an energy written with
 * autodiff operations.
 *
 * @module
 */
import "../backend/loaded.ts";

export type { ComputeOptions, EnergyAndGradient, System } from "./system.ts";
export * from "./double_well.ts";
export * from "./mueller_brown.ts";
export * from "./harmonic_oscillator_box.ts";
export * from "./many_well.ts";
export * from "./double_well_cluster.ts";
export * from "./lennard_jones_cluster.ts";
export { clusterReferences, clusterReferencesCommand } from "./cluster_references.ts";
export type { ClusterReference } from "./cluster_reference.ts";
export { dimerReferences, dimerReferencesCommand } from "./dimer_references.ts";
export type { DimerReferenceRow } from "./dimer_reference.ts";
export type { ReferenceValue } from "./reference_value.ts";
export type { CentreOfMass } from "./centre_of_mass.ts";
export type { ClusterPlan, ClusterShape, PairCluster, PairLaw } from "./pair_cluster.ts";
export * from "./particle_dimer.ts";
export type { PairTerm, ParticleInteractions } from "./particle_interactions.ts";
export type { CoupledSystem, GradientOptions, ParticleSystem } from "./particle_system.ts";
export type { GradientPrecision } from "../backend/particle_kernels.ts";
export * from "./lennard_jones_fluid.ts";
export { type IsingExact, IsingLattice, type IsingLatticeOptions, type SpinBond } from "./ising_lattice.ts";
export { enumerateIsing, type IsingLevel, type IsingLevelAverages, isingLevels } from "./ising_states.ts";
export { fluidSymmetries } from "./fluid_symmetries.ts";
export type { DimerCoefficients, FluidCoefficients, ParticleCoefficients } from "../backend/particle_coefficients.ts";
export { type BondForm } from "./dimer_bond.ts";
export { dimerSymmetries } from "./dimer_symmetries.ts";
export {
  applySymmetry,
  composeSymmetries,
  requireSymmetries,
  type SymmetricSystem,
  symmetryGroup,
  symmetryImages,
  type SymmetryOperation,
} from "./symmetry.ts";
export { type AutodiffSystem, systemFromEnergy } from "./from_autodiff.ts";
