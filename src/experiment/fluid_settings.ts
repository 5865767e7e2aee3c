/**
 * The budgets of the fluid run: every number that decides what it computes.
 *
 * @module
 */
import { type ParticleFlowSettings, particleFlowSettings } from "./particle_free_energy.ts";
import type { BySplit } from "./temperature_settings.ts";

/** Name of a budget. */
export type FluidBudgetName = "smoke" | "default";

/** Everything that decides what a fluid run computes, beside system, temperature and seed. */
export interface FluidSettings {
  /** Data: chains (even) and frames of each split. */
  readonly data: { readonly chains: BySplit; readonly frames: BySplit };
  /** Flow, training, evaluation. */
  readonly flow: ParticleFlowSettings;
  /** Sweeps of every chain of the thermodynamic integration, after burn-in. */
  readonly integrationSweeps: number;
}

const training = (steps: number) => ({ ...particleFlowSettings.training, steps });

/** Everything runs, nothing is accurate. */
const smoke: FluidSettings = {
  data: {
    chains: { train: 16, validate: 8, evaluate: 16 },
    frames: { train: 4000, validate: 200, evaluate: 800 },
  },
  flow: { ...particleFlowSettings, hidden: [32, 32], training: training(200), samples: 1024, bootstraps: 100 },
  integrationSweeps: 4000,
};

/** Four minutes on two cores. */
const standard: FluidSettings = {
  data: {
    chains: { train: 32, validate: 16, evaluate: 64 },
    frames: { train: 40_000, validate: 1000, evaluate: 8192 },
  },
  flow: { ...particleFlowSettings, training: training(3000), reportEvery: 150 },
  integrationSweeps: 120_000,
};

/**
 * Looks up what a budget means for the fluid.
 *
 * @param budget which budget
 * @returns every number that decides what a run computes
 */
export function fluidSettings(budget: FluidBudgetName): FluidSettings {
  return budget === "smoke" ? smoke : standard;
}
