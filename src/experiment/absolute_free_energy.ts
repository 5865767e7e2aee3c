/**
 * Absolute free energies of particles, from an ideal gas: what a generator's ln Z is compared with.
 *
 * @module
 */
import { estimateFrom, type FreeEnergyEstimate } from "../reweighting/estimate.ts";
import { mbar } from "../reweighting/mbar.ts";
import { thermodynamicIntegration } from "../reweighting/thermodynamic_integration.ts";
import { type CouplingSample, couplingSample, type CouplingSampleOptions } from "../sampling/coupling_sample.ts";
import type { CoupledSystem } from "../system/particle_system.ts";

/** Samples that MBAR takes at most: of longer runs it sees every second, third, … one. */
const MOST_MBAR_SAMPLES = 1_000_000;

/** ln Z of a system, twice, and what it took. */
export interface AbsoluteFreeEnergy {
  /** ln Z over the reference domain by thermodynamic integration. */
  readonly integration: FreeEnergyEstimate;
  /** ln Z over the reference domain by the multistate Bennett acceptance ratio, from the same samples. */
  readonly mbar: FreeEnergyEstimate;
  /** ln Z of the ideal gas over the reference domain. */
  readonly ideal: number;
  /** The samples and their cost. */
  readonly sample: CouplingSample;
}

/**
 * Computes ln Z = ln ∫ e^(−U/T) dx over the reference domain by switching pair energies on from the ideal gas.
 *
 *     ln Z = ln Z_ideal − ln(labellings) − ∫₀¹ ⟨∂(U/T)/∂s⟩ ds,   U = walls + s⁶ · pair energies
 *
 * Both estimates use the same samples (MBAR at most a million of them); they differ in what they could get wrong. Integration relies on a smooth integrand
 * and enough nodes, MBAR on overlap of neighbouring windows, of which the two ends help it alone.
 *
 * @param system the particles
 * @param options length, nodes, chains, temperature, seed, threads
 * @returns ln Z by both, in k_BT up to the sign, and the samples
 * @throws {RangeError} if an option is impossible
 *
 * @example
 * ```ts
 * import { LennardJonesFluid } from "@boltzflow/boltzflow";
 * import { absoluteFreeEnergy } from "@boltzflow/boltzflow/experiment";
 * const gas = new LennardJonesFluid({ repulsion: 0, attraction: 0 });
 * const { integration, ideal } = await absoluteFreeEnergy(gas, { sweeps: 20, nodes: 2, chains: 4 });
 * if (integration.value !== ideal) throw new Error("nothing to switch on");
 * ```
 */
export async function absoluteFreeEnergy(
  system: CoupledSystem,
  options: CouplingSampleOptions,
): Promise<AbsoluteFreeEnergy> {
  const sample = await couplingSample(system, options);
  const ideal = system.idealLogPartition(sample.temperature) - system.logLabellings;
  const { nodes, weights, windows, blocks } = sample;
  // Window 0 is the ideal gas and the last one the system itself: neither is a node.
  const at = windows.map((window) => window - 1);
  const work = thermodynamicIntegration(sample.derivatives, at, { nodes, weights, blocks });
  return { integration: below(ideal, work), mbar: below(ideal, byMbar(sample)), ideal, sample };
}

/** F(1) − F(0) from the potentials of samples, every second or third if need be, in all windows. */
function byMbar(sample: CouplingSample): FreeEnergyEstimate {
  const { couplings, temperature } = sample;
  const stride = Math.ceil(sample.pairEnergies.length / MOST_MBAR_SAMPLES);
  const pairEnergies = sample.pairEnergies.filter((_, i) => i % stride === 0);
  const [windows, blocks] = [sample.windows, sample.blocks].map((list) => list.filter((_, i) => i % stride === 0));
  const n = pairEnergies.length;
  const potentials = new Float64Array(couplings.length * n);
  // Without coupling a sample may have any energy, an infinite one too: 0 · ∞ is 0 here.
  couplings.forEach((coupling, k) => {
    if (coupling === 0) return;
    for (let i = 0; i < n; i++) potentials[k * n + i] = coupling * pairEnergies[i] / temperature;
  });
  const { freeEnergies, standardErrors, degreesOfFreedom, reason } = mbar(potentials, windows, { blocks });
  const last = couplings.length - 1;
  return estimateFrom(freeEnergies[last], standardErrors[last], { degreesOfFreedom: degreesOfFreedom[last], reason });
}

/** top − estimate. */
function below(top: number, estimate: FreeEnergyEstimate): FreeEnergyEstimate {
  const { value, interval95 } = estimate;
  return {
    ...estimate,
    value: value === null ? null : top - value,
    interval95: interval95 === null ? null : [top - interval95[1], top - interval95[0]],
  };
}
