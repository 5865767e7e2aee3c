/**
 * What a dimer run writes, and what it records about itself.
 *
 * @module
 */
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { JsonObject } from "../format/json.ts";
import type { DimerFigure } from "./dimer_results.ts";
import type { BudgetName, DimerSettings } from "./dimer_settings.ts";
import type { DimerCoordinateOptions } from "./dimer_training.ts";

/** What the results of a run depend on, beside the system. */
export interface DimerQuestion {
  /** T in units of T₀. */
  readonly temperature: number;
  /** Seed of everything random. */
  readonly seed: number;
  /** Name of the budget, for the report. */
  readonly budget: BudgetName;
  /** Its numbers. */
  readonly settings: DimerSettings;
  /** Range of d and form of the reaction-coordinate loss. */
  readonly reactionCoordinate: DimerCoordinateOptions;
}

/** Names of the files of a run in its directory. */
export const dimerFiles = {
  data: "data.safetensors",
  training: "checkpoint.safetensors",
  sampler: "sampler.onnx",
  density: "density.onnx",
  json: "report.json",
  html: "report.html",
} as const;

/** Names of its figures. */
export const dimerFigureNames: readonly DimerFigure["name"][] = [
  "potential",
  "configurations",
  "losses",
  "energies",
  "profile",
  "path",
];

/** Everything that the results depend on, for the claim of the directory. */
export function configurationOf(options: DimerQuestion, system: ParticleDimer): JsonObject {
  const { temperature, seed, budget, settings, reactionCoordinate } = options;
  const { bounds, form = "flat" } = reactionCoordinate;
  const { preset, parameters } = system;
  const coordinate = { bounds: [...bounds], form };
  return { budget, system: preset, parameters, temperature, seed, coordinate, settings } as unknown as JsonObject;
}
