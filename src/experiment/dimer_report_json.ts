/**
 * The report of a dimer run for machines.
 *
 * @module
 */
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { FreeEnergyProfile } from "../reweighting/profile_band.ts";
import type { JsonObject, JsonValue } from "../format/json.ts";
import type { DimerOutcome } from "./dimer_results.ts";
import { compare, readableBins } from "./dimer_verdict.ts";
import { lossesJson } from "./report_numbers.ts";

/** Version of the layout: raised when a key changes its meaning or goes. */
const VERSION = 1;

/**
 * Collects the numbers of a run.
 *
 * What JSON has no number for (NaN, ±∞) is null. Everything is the same for any number of threads but `threads`,
 * `wallTimeMs` and `onnx.samplesPerSecond`; the command line, which names threads and directory, is not in it.
 * Free energies are in k_BT at the temperature of the run; differences are F(open) − F(closed), split at d = 1.5.
 *
 * @param outcome the run
 * @returns the object to write
 */
export function dimerReportJson(outcome: DimerOutcome): JsonObject {
  const { run, evaluation, reference, headline, onnx, history } = outcome;
  const { bar, reweighting } = evaluation.freeEnergyDifference;
  const umbrella = reference.freeEnergyDifference;
  const report = {
    format: "boltzflow dimer report",
    version: VERSION,
    packageVersion: run.packageVersion,
    kernelBuild: run.kernelBuild,
    system: { name: "ParticleDimer", preset: run.preset, parameters: run.parameters, dim: run.dim },
    seed: run.seed,
    budget: run.budget,
    temperature: run.temperature,
    threads: run.threads,
    freeEnergyDifference: {
      reweighting: estimateJson(reweighting),
      bar: estimateJson(bar),
      reference: estimateJson(umbrella),
      headline: estimateJson(headline),
    },
    comparison: compare(headline, umbrella),
    reference: {
      byStart: { closed: estimateJson(reference.byStart.closed), open: estimateJson(reference.byStart.open) },
      windows: reference.windows,
      plainMonteCarlo: {
        freeEnergyDifference: estimateJson(reference.plain.freeEnergyDifference),
        crossings: reference.plain.crossings,
        chains: reference.plain.chains,
      },
    },
    samples: evaluation.samples,
    samplingEfficiency: evaluation.samplingEfficiency,
    samplingEfficiencyInterval: evaluation.samplingEfficiencyInterval,
    paretoK: evaluation.paretoK,
    outsideDomain: evaluation.outsideDomain,
    notFinite: evaluation.notFinite,
    evaluationNll: evaluation.evaluationNll,
    gap: evaluation.gap,
    audit: outcome.audit,
    energyEvaluations: outcome.energyEvaluations,
    moves: outcome.moves,
    wallTimeMs: outcome.wallTimeMs,
    data: inFixedOrder(outcome.data),
    flow: outcome.flow,
    stages: outcome.stages,
    reactionCoordinate: outcome.reactionCoordinate,
    losses: lossesJson(history),
    profile: profileJson(evaluation.profile, reference.profile),
    path: { d: outcome.path.d, reducedEnergy: outcome.path.reducedEnergy },
    onnx: {
      file: onnx.files.sampler,
      density: onnx.files.density,
      opset: onnx.opset,
      maxAbsDifference: onnx.maxAbsDifference,
      samplesPerSecond: onnx.samplesPerSecond,
    },
  };
  return toJson(report) as JsonObject;
}

function estimateJson({ value, standardError, interval95, reliable, reason }: FreeEnergyEstimate): FreeEnergyEstimate {
  return { value, standardError, interval95, reliable, reason };
}

/** Both profiles on the same bins: F(d) = −ln p(d) of normalised densities, so that they share their zero. */
function profileJson(flow: FreeEnergyProfile | null, reference: FreeEnergyProfile): object {
  const none = Array.from(reference.centers, () => null);
  return {
    d: reference.centers,
    edges: reference.edges,
    flow: flow?.freeEnergy ?? none,
    flowError: flow?.standardError ?? none,
    flowReliable: flow === null ? none.map(() => false) : readableBins(flow),
    flowEffectiveSamples: flow?.effectiveSamples ?? none,
    reference: reference.freeEnergy,
    referenceError: reference.standardError,
    referenceLower: reference.lower,
    referenceUpper: reference.upper,
    referenceReliable: readableBins(reference),
    referenceEffectiveSamples: reference.effectiveSamples,
  };
}

/** Turns typed arrays into lists and what is no number into null. */
export function toJson(value: unknown): JsonValue {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (value === null || value === undefined) return null;
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, toJson);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJson(entry)]));
  }
  return value as boolean | string;
}

/** Statistics with their keys sorted: a resumed run reads them back from a file in another order. */
function inFixedOrder<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)) as T;
}
