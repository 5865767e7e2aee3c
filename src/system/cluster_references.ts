/**
 * What DW4 and LJ13 are at some temperatures, where no closed form says so. Made by the command below; do not edit.
 *
 * @module
 */

import type { ClusterReference } from "./cluster_reference.ts";

/** The command that made the table. */
export const clusterReferencesCommand = "deno run -A scripts/cluster_references.ts --runs 16 --sweeps 20000";

/**
 * ln Z, ⟨U⟩ and populations of clusters: those of DW4 by quadrature, those of LJ13 by Monte Carlo from the ideal gas to the
 * cluster and MBAR, with errors from independent runs.
 *
 * @example
 * ```ts
 * import { clusterReferences } from "@boltzflow/boltzflow";
 * const dw4 = clusterReferences.find(({ preset, temperature }) => preset === "koehler2020" && temperature === 1);
 * if (dw4?.logPartition.value.toFixed(4) !== "29.6672") throw new Error("ln Z of DW4");
 * ```
 */
export const clusterReferences: readonly ClusterReference[] = [
  {
    system: "double-well-cluster",
    preset: "koehler2020",
    temperature: 0.5,
    logPartition: { value: 53.30292951, error: 8.6e-7 },
    meanEnergy: { value: -24.2928, error: 0.001 },
    closeProbability: { value: 0.447190688, error: 7.8e-8 },
  },
  {
    system: "double-well-cluster",
    preset: "koehler2020",
    temperature: 1,
    logPartition: { value: 29.66723223, error: 1.1e-7 },
    meanEnergy: { value: -22.5415, error: 0.001 },
    closeProbability: { value: 0.49466544, error: 1.5e-7 },
  },
  {
    system: "double-well-cluster",
    preset: "koehler2020",
    temperature: 2,
    logPartition: { value: 19.035821342, error: 2.1e-8 },
    meanEnergy: { value: -19.503, error: 0.001 },
    closeProbability: { value: 0.5186705, error: 1.3e-7 },
  },
  {
    system: "double-well-cluster",
    preset: "eacf-fab",
    temperature: 1,
    logPartition: { value: 255.1225016, error: 0.0000027 },
    meanEnergy: { value: -255.3545, error: 0.001 },
    closeProbability: { value: 0.3369278, error: 0.0000015 },
  },
  {
    system: "lennard-jones-cluster",
    preset: "eacf",
    temperature: 1,
    logPartition: { value: 39.225, error: 0.022 },
    meanEnergy: { value: 0.588, error: 0.044 },
  },
  {
    system: "lennard-jones-cluster",
    preset: "efm",
    temperature: 1,
    logPartition: { value: 59.847, error: 0.028 },
    meanEnergy: { value: -42.921, error: 0.086 },
  },
];
