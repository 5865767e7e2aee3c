/**
 * What is known of a cluster of particles at a temperature; `cluster_references.ts` holds the numbers.
 *
 * @module
 */

import type { ReferenceValue } from "./reference_value.ts";

/** What is known of a cluster whose centre is removed, over all labellings. */
export interface ClusterReference {
  /** Name of the system. */
  readonly system: "double-well-cluster" | "lennard-jones-cluster";
  /** Name of its preset. */
  readonly preset: string;
  /** T in units of T₀. */
  readonly temperature: number;
  /** ln Z over mean-free positions. */
  readonly logPartition: ReferenceValue;
  /** ⟨U⟩ in k_BT₀. */
  readonly meanEnergy: ReferenceValue;
  /** Probability that two given particles of DW4 are closer than d₀. */
  readonly closeProbability?: ReferenceValue;
}
