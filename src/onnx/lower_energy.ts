/**
 * Energies of systems in ONNX operators, in float64 whatever the precision of the model.
 *
 * @module
 */
import { Graph } from "../graph/graph.ts";
import { input } from "../graph/operations.ts";
import type { DoubleWell } from "../system/double_well.ts";
import type { AutodiffSystem } from "../system/from_autodiff.ts";
import type { HarmonicOscillatorBox } from "../system/harmonic_oscillator_box.ts";
import type { LennardJonesFluid } from "../system/lennard_jones_fluid.ts";
import type { ManyWell } from "../system/many_well.ts";
import type { MuellerBrown } from "../system/mueller_brown.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { Algebra } from "./algebra.ts";
import { lowerNodes } from "./export_graph.ts";
import { particleEnergy } from "./lower_particle_energy.ts";
import { plainEnergy } from "./lower_plain_energy.ts";

/** A system whose energy can be written into a model: those of this package, and what `systemFromEnergy` makes. */
export type WritableSystem =
  | DoubleWell
  | ManyWell
  | MuellerBrown
  | HarmonicOscillatorBox
  | ParticleDimer
  | LennardJonesFluid
  | AutodiffSystem;

/**
 * Tells whether an energy is one of `particleEnergy`.
 *
 * @param system the system
 * @returns whether it is
 */
export function isParticleSystem(system: WritableSystem): system is ParticleDimer | LennardJonesFluid {
  return !("formula" in system) && (system.name === "particle-dimer" || system.name === "lennard-jones-fluid");
}

/**
 * Emits U.
 *
 * @param algebra of float64
 * @param system whose energy it is
 * @param x [n, dim] of float64
 * @returns U as a row [1, n], in k_BT₀
 * @throws {TypeError} if the energy holds an external operation
 */
export function lowerEnergy(algebra: Algebra, system: WritableSystem, x: string): string {
  if ("formula" in system) return formulaEnergy(algebra, system, x);
  const coordinates = algebra.transpose(x);
  return isParticleSystem(system)
    ? particleEnergy(algebra, system.coefficients, coordinates)
    : plainEnergy(algebra, system, coordinates);
}

/** An energy that a user wrote with operations. */
function formulaEnergy(algebra: Algebra, { dim, formula }: AutodiffSystem, x: string): string {
  const from = input(new Graph(), "x", dim);
  const energy = formula(from);
  const values = lowerNodes([energy], algebra.builder, new Map([[from.id, x]]));
  return algebra.reshape(values[energy.id], [1, -1]);
}
