/**
 * The report of a fluid run: a table for people, numbers for machines.
 *
 * @module
 */
import type { Estimate } from "../reweighting/estimate.ts";
import type { JsonObject } from "../format/json.ts";
import { auditLine } from "./audit_report.ts";
import type { FluidOutcome } from "./fluid_results.ts";
import type { PairDistribution } from "./pair_distribution.ts";
import { count, duration, fixed, lossesJson, NO_BREAK, share, skippedSentences, withError } from "./report_numbers.ts";

/** Version of the layout of the JSON: raised when a key changes its meaning or goes. */
const VERSION = 1;
/** Widths of the columns of the table. */
const COLUMNS = [32, 22, 20, 20] as const;

/**
 * Says in a table what a run found.
 *
 * @param outcome of the run
 * @returns text without a final line break
 */
export function summarizeFluid(outcome: FluidOutcome): string {
  const { run, evaluation, reference, difference, logLabellings, energyEvaluations: energies } = outcome;
  const { bar, reweighting, headline } = evaluation.logPartition;
  const { samplingEfficiencyInterval: interval, paretoK, meanReducedEnergy } = evaluation;
  const row = (name: string, logPartition: Estimate) => {
    const free = negative(logPartition);
    return cells(name, withError(logPartition), withError(free), withError(shifted(free, -logLabellings)));
  };
  const sigmas = difference.standardError ? Math.abs(difference.value!) / difference.standardError : null;
  const doubts = Object.entries({ "flow, BAR": bar, "flow, reweighting": reweighting, ...reference })
    .flatMap(([name, estimate]) =>
      typeof estimate === "number" || estimate.reliable ? [] : [`  unreliable, ${name}: ${estimate.reason}`]
    );
  return [
    `${run.particles} particles, ${run.preset}, T = ${run.temperature} T₀, seed ${run.seed}, budget ${run.budget}; in k_BT, lengths in σ`,
    cells("", "ln Z (one labelling)", "F = −ln Z", "−ln ∫ (all labels)"),
    row("flow, BAR", bar),
    row("flow, plain reweighting", reweighting),
    row("integration from the ideal gas", reference.integration),
    row("the same samples, by MBAR", reference.mbar),
    cells(
      "ideal gas, exact",
      ...[reference.ideal, -reference.ideal, -reference.ideal - logLabellings].map((v) => fixed(v, 3)),
    ),
    ...doubts,
    `flow − integration: ${withError(difference)}${sigmas === null ? "" : `, ${fixed(sigmas, 1)} standard errors`}` +
    (headline.value === null
      ? ""
      : `; beyond the ideal gas: F_excess = ${withError(shifted(negative(headline), reference.ideal))}`),
    `Mean U: flow, reweighted ${withError(meanReducedEnergy.flow)}; Monte Carlo ${withError(meanReducedEnergy.frames)}`,
    `Kish efficiency of ${count(evaluation.samples)} samples ${share(evaluation.samplingEfficiency)}` +
    (interval === null
      ? ""
      : ` (bootstrap, too narrow for heavy tails: ${share(interval[0])} to ${share(interval[1])})`) +
    `, k̂ ${fixed(paretoK.value, 2)} (limit ${fixed(paretoK.limit, 2)}), gap ${withError(evaluation.gap)} nats`,
    `Outside the reference domain, without weight: ${share(evaluation.outsideDomain)} of the flow samples, ` +
    `${fixed(-Math.log1p(-evaluation.outsideDomain), 2)} nats of the gap`,
    ...skippedSentences(outcome.history, evaluation.notFinite),
    auditLine(outcome.audit),
    `Energies: ${count(energies.data)} for Monte Carlo data, ${
      count(energies.evaluation)
    } for evaluation, none for training; ` +
    `${count(energies.reference)} for the integration`,
    "Z is the integral of e^(−U/T) over one labelling of each configuration, that over all of them divided by N!; momenta " +
    "are left out",
    `Time: ${Object.entries(outcome.wallTimeMs).map(([part, ms]) => `${part} ${duration(ms)}`).join(", ")}`,
  ].join("\n").replaceAll(NO_BREAK, " ");
}

function cells(...texts: readonly string[]): string {
  return texts.map((text, k) => text.padEnd(COLUMNS[k])).join("").trimEnd();
}

function negative({ value, interval95, ...rest }: Estimate): Estimate {
  return {
    ...rest,
    value: value === null ? null : -value,
    interval95: interval95 && [-interval95[1], -interval95[0]],
  };
}

function shifted({ value, interval95, ...rest }: Estimate, by: number): Estimate {
  return {
    ...rest,
    value: value === null ? null : value + by,
    interval95: interval95 && [interval95[0] + by, interval95[1] + by],
  };
}

/**
 * Collects the numbers of a run.
 *
 * Everything is the same for any number of threads but `threads` and `wallTimeMs`; the command line, which names threads
 * and directory, is not in it. Free energies are in k_BT at the temperature of the run. What JSON has no number for is
 * null.
 *
 * @param outcome the run
 * @returns the object to write
 */
export function fluidReportJson(outcome: FluidOutcome): JsonObject {
  const { run, evaluation, reference, logLabellings } = outcome;
  const { logPartition, meanReducedEnergy, paretoK } = evaluation;
  const free = negative(logPartition.headline);
  return {
    format: "boltzflow fluid report",
    version: VERSION,
    packageVersion: run.packageVersion,
    kernelBuild: run.kernelBuild,
    system: {
      name: "LennardJonesFluid",
      preset: run.preset,
      parameters: run.parameters,
      particles: run.particles,
    },
    seed: run.seed,
    budget: run.budget,
    temperature: run.temperature,
    threads: run.threads,
    convention: "Z = integral of exp(-U/T) dx over one labelling of each configuration = (all labellings)/N!; " +
      "lengths in the unit of the system; momenta left out",
    logPartition: {
      bar: estimateJson(logPartition.bar),
      reweighting: estimateJson(logPartition.reweighting),
      headline: estimateJson(logPartition.headline),
      integration: estimateJson(reference.integration),
      mbar: estimateJson(reference.mbar),
      idealGas: reference.ideal,
    },
    freeEnergy: estimateJson(free),
    freeEnergyAllLabellings: estimateJson(shifted(free, -logLabellings)),
    excessFreeEnergy: estimateJson(shifted(free, reference.ideal)),
    difference: estimateJson(outcome.difference),
    meanReducedEnergy: {
      flow: estimateJson(meanReducedEnergy.flow),
      frames: estimateJson(meanReducedEnergy.frames),
    },
    samples: evaluation.samples,
    samplingEfficiency: evaluation.samplingEfficiency,
    samplingEfficiencyInterval: evaluation.samplingEfficiencyInterval,
    paretoK: { value: finite(paretoK.value), limit: finite(paretoK.limit) },
    gap: estimateJson(evaluation.gap),
    outsideDomain: evaluation.outsideDomain,
    notFinite: evaluation.notFinite,
    audit: outcome.audit,
    data: outcome.data,
    flow: outcome.flow,
    losses: lossesJson(outcome.history),
    pairDistribution: {
      r: [...outcome.pairs.frames.r],
      flow: pairJson(outcome.pairs.raw),
      reweighted: pairJson(outcome.pairs.reweighted),
      monteCarlo: pairJson(outcome.pairs.frames),
    },
    energyEvaluations: outcome.energyEvaluations,
    moves: outcome.moves,
    wallTimeMs: outcome.wallTimeMs,
  } as unknown as JsonObject;
}

function estimateJson({ value, standardError, interval95, reliable, reason }: Estimate): Estimate {
  return { value, standardError, interval95, reliable, reason };
}

function pairJson({ g, error }: PairDistribution) {
  return { g: Array.from(g, finite), error: Array.from(error, finite) };
}

const finite = (value: number): number | null => Number.isFinite(value) ? value : null;
