/**
 * What was published about exploration.
 *
 * @module
 */
import type { ExploredName } from "./exploration_settings.ts";
import type { Published } from "./row.ts";

/** What a row is about. */
export type ExplorationQuantity = "found" | "acceptance" | "step" | "population" | "loss" | "difference";

const FIGURE = "Noé et al. 2019, Fig. 4";
const NOTEBOOK = "Noé et al. 2019, notebook of Fig. 4";

const printed: Readonly<Record<ExploredName, Partial<Record<ExplorationQuantity, Published>>>> = {
  "double well": {
    found: { value: "≈ 250", source: `${FIGURE}, histograms` },
    acceptance: { value: "0.36–0.45", range: [0.36, 0.45], source: NOTEBOOK },
    step: { value: "1", range: [1, 1], source: NOTEBOOK },
    population: { value: "equilibrium after 500 iterations", source: `${FIGURE}, histogram` },
    loss: { value: "−7.20", range: [-7.205, -7.195], source: NOTEBOOK },
  },
  "Müller-Brown": {
    acceptance: { value: "0.36", range: [0.355, 0.365], source: NOTEBOOK },
    step: { value: "1.0", range: [0.95, 1.05], source: NOTEBOOK },
    loss: { value: "−7.78", range: [-7.785, -7.775], source: NOTEBOOK },
  },
  dimer: {
    found: {
      value: "≈ 450, ≈ 1000",
      source: `${FIGURE}, histograms of two runs, which were logged in part`,
    },
    acceptance: { value: "0.10–0.20, 0.08–0.2", range: [0.08, 0.2], source: `${NOTEBOOK}, two runs` },
    step: { value: "0.606, 0.549", range: [0.549, 0.606], source: `${NOTEBOOK}, two runs` },
    population: { value: "above equilibrium (1000 iterations), equilibrium (2000)", source: `${FIGURE}, two runs` },
    loss: { value: "272.8, 266.85", range: [266.85, 272.8], source: `${NOTEBOOK}, two runs` },
  },
};

/**
 * What was published of a quantity.
 *
 * @param system which
 * @param quantity of its exploration
 * @returns value and source; null where nothing was
 */
export function publishedExploration(system: ExploredName, quantity: ExplorationQuantity): Published | null {
  return printed[system][quantity] ?? null;
}
