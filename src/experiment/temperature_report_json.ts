/**
 * The report of a run over temperatures for machines.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../format/json.ts";
import { inT0, referenceAt } from "./temperature_units.ts";
import type { TemperaturesOutcome } from "./temperature_results.ts";

/** Version of the layout of the JSON: raised when a key changes its meaning or goes. */
const VERSION = 1;

/**
 * Collects the numbers of a run.
 *
 * Free energies, energies and entropies are changes on opening in k_BT at their temperature, split at d = 1.5; times
 * `temperature` they are in k_BT₀, as `freeEnergyInT0` is. What JSON has no number for is null. Everything but `threads`
 * and `wallTimeMs` is the same for any number of threads.
 *
 * @param outcome the run
 * @returns the object to write
 */
export function temperaturesReportJson(outcome: TemperaturesOutcome): JsonObject {
  const { run, points, curve, references } = outcome;
  return toJson({
    format: "boltzflow dimer temperatures report",
    version: VERSION,
    packageVersion: run.packageVersion,
    kernelBuild: run.kernelBuild,
    system: { name: "ParticleDimer", preset: run.preset, parameters: run.parameters, dim: run.dim },
    seed: run.seed,
    budget: run.budget,
    range: run.range,
    rungs: run.rungs,
    threads: run.threads,
    temperatures: points.map(({ temperature, trained, data, evaluation, headline }) => ({
      temperature,
      trained,
      freeEnergyDifference: {
        bar: evaluation.freeEnergyDifference.bar,
        reweighting: evaluation.freeEnergyDifference.reweighting,
        reference: referenceAt(references, temperature)?.freeEnergyDifference ?? null,
        headline,
      },
      freeEnergyInT0: inT0(headline, temperature),
      energyDifference: evaluation.energyDifference,
      entropyDifference: evaluation.entropyDifference,
      covariance: evaluation.covariance,
      curve: curve.at(temperature),
      samples: evaluation.samples,
      frames: evaluation.frames,
      samplingEfficiency: evaluation.samplingEfficiency,
      samplingEfficiencyInterval: evaluation.samplingEfficiencyInterval,
      paretoK: evaluation.paretoK,
      outsideDomain: evaluation.outsideDomain,
      notFinite: evaluation.notFinite,
      evaluationNll: evaluation.evaluationNll,
      gap: evaluation.gap,
      data,
    })),
    curve: { degree: curve.degree, chiSquare: curve.chiSquare, freedom: curve.freedom, widening: curve.widening },
    references,
    flow: outcome.flow,
    audit: outcome.audit,
    frames: outcome.frames,
    energyEvaluations: outcome.energyEvaluations,
    moves: outcome.moves,
    wallTimeMs: outcome.wallTimeMs,
    losses: outcome.history.map(({ step, losses, validation }) => ({ step, training: losses.loss, validation })),
  }) as JsonObject;
}

/** Turns typed arrays into lists and what is no number into null. */
function toJson(value: unknown): JsonValue {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object") return value as boolean | string;
  const numbers = Object.entries(value).filter(([, entry]) => typeof entry !== "function");
  return Object.fromEntries(numbers.map(([key, entry]) => [key, toJson(entry)]));
}
