/**
 * What was published about exploration.
 *
 * @module
 */
import type { ExploredName } from "./exploration_settings.ts";
import { printedRange } from "./printed_range.ts";
import type { Published } from "./row.ts";

/** What a row is about. */
export type ExplorationQuantity = "found" | "acceptance" | "step" | "population" | "loss" | "difference";

const FIGURE = "Noé et al. 2019, Fig. 4";
const NOTEBOOK = "Noé et al. 2019, notebook of Fig. 4";

const printed: Readonly<Record<ExploredName, Partial<Record<ExplorationQuantity, Published>>>> = {
  "double well": {
    found: { value: "≈ 250", source: `${FIGURE}, histograms` },
    acceptance: { value: "0.36–0.45", range: printedRange("0.36", "0.45"), source: NOTEBOOK },
    step: { value: "1", range: printedRange("1"), source: NOTEBOOK },
    population: { value: "equilibrium after 500 iterations", source: `${FIGURE}, histogram` },
    loss: { value: "−7.20", range: printedRange("−7.20"), source: NOTEBOOK },
  },
  "Müller-Brown": {
    acceptance: { value: "0.36", range: printedRange("0.36"), source: NOTEBOOK },
    step: { value: "1.0", range: printedRange("1.0"), source: NOTEBOOK },
    loss: { value: "−7.78", range: printedRange("−7.78"), source: NOTEBOOK },
  },
  dimer: {
    found: {
      value: "≈ 450, ≈ 1000",
      source: `${FIGURE}, histograms of two runs, which were logged in part`,
    },
    acceptance: { value: "0.10–0.20, 0.08–0.2", range: printedRange("0.08", "0.20"), source: `${NOTEBOOK}, two runs` },
    step: { value: "0.606, 0.549", range: printedRange("0.549", "0.606"), source: `${NOTEBOOK}, two runs` },
    population: { value: "above equilibrium (1000 iterations), equilibrium (2000)", source: `${FIGURE}, two runs` },
    loss: { value: "272.8, 266.85", range: printedRange("266.85", "272.8"), source: `${NOTEBOOK}, two runs` },
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
