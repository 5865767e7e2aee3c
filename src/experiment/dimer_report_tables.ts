/**
 * The tables of a dimer report.
 *
 * @module
 */
import type { ReportTable } from "../plot/html_report.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { ByBasin, DimerOutcome } from "./dimer_results.ts";
import {
  count,
  duration,
  EFFICIENCY_INTERVAL,
  fixed,
  interval,
  NO_BREAK,
  NOTHING,
  share,
  withError,
} from "./report_numbers.ts";

/** Every estimate of F_open − F_closed with its error and whether to trust it. */
export function estimatesTable({ evaluation, reference }: DimerOutcome): ReportTable {
  const { bar, reweighting } = evaluation.freeEnergyDifference;
  const { byStart, plain, freeEnergyDifference } = reference;
  const row = (name: string, estimate: FreeEnergyEstimate) => [
    name,
    withError(estimate),
    interval(estimate),
    estimate.reliable ? "yes" : `${estimate.value === null ? "" : "no: "}${estimate.reason ?? "no reason given"}`,
  ];
  return {
    caption: "*F*(open) − *F*(closed) in k_BT, ± one standard error.",
    columns: ["method", "estimate", `95${NO_BREAK}%${NO_BREAK}interval`, "reliable?"],
    rows: [
      row("flow, Bennett acceptance ratio", bar),
      row("flow, plain reweighting", reweighting),
      row("umbrella sampling, all chains", freeEnergyDifference),
      row("umbrella sampling, closed starts only", byStart.closed),
      row("umbrella sampling, open starts only", byStart.open),
      row("plain Monte Carlo, as many moves", plain.freeEnergyDifference),
    ],
  };
}

/** How well the flow covers the target. */
export function qualityTable({ evaluation }: DimerOutcome): ReportTable {
  const { samplingEfficiency, samplingEfficiencyInterval, paretoK, gap, evaluationNll } = evaluation;
  const trusted = evaluation.freeEnergyDifference.bar.reliable;
  const row = <T>(name: string, values: ByBasin<T>, write: (value: T | null) => string) => [
    name,
    write(values.closed),
    write(values.open),
    write(values.all),
  ];
  return {
    caption: `From ${
      count(evaluation.samples)
    } flow samples, and the evaluation frames for NLL and gap. ${EFFICIENCY_INTERVAL}`,
    columns: ["", "closed", "open", "all"],
    rows: [
      row("Kish efficiency of the weights", samplingEfficiency, share),
      row("its bootstrap interval", samplingEfficiencyInterval, shareInterval),
      row(`Pareto k̂ of the weights (limit ${fixed(paretoK.limit, 2)})`, paretoK, (k) => fixed(k, 2)),
      row("NLL of evaluation frames / nats", evaluationNll, (value) => fixed(value, 1)),
      row(`gap to the target / nats${trusted ? "" : " (unreliable, like the ratio)"}`, gap, (value) => fixed(value, 1)),
    ],
  };
}

/** Both ends of an interval of a share. */
export function shareInterval(ends: readonly [number, number] | null): string {
  return ends === null ? NOTHING : ends.map(share).join(`${NO_BREAK}to${NO_BREAK}`);
}

/** What the data are and how they came about. */
export function dataTable({ data }: DimerOutcome): ReportTable {
  const { frames, stride } = data;
  return {
    columns: ["", "frames", "sweeps between frames of a chain"],
    rows: [
      ["training", count(frames.train), count(stride.train)],
      ["validation", count(frames.validate), count(stride.validate)],
      ["evaluation", count(frames.evaluate), count(stride.evaluate)],
    ],
  };
}

/** Energies, moves and time by purpose. */
export function costTable({ energyEvaluations, moves, wallTimeMs }: DimerOutcome): ReportTable {
  const time = (part: string) => part in wallTimeMs ? duration(wallTimeMs[part]) : NOTHING;
  const known = new Set(["data", "training", "evaluation", "reference"]);
  const others = Object.keys(wallTimeMs).filter((part) => !known.has(part));
  const total = Object.values(wallTimeMs).reduce((sum, ms) => sum + ms, 0);
  const energies = Object.values(energyEvaluations).reduce((sum, n) => sum + n, 0);
  const { data, umbrella, plain } = moves;
  return {
    columns: ["part", "single-particle moves", "energy evaluations", "wall time (since the last resume)"],
    rows: [
      ["Monte Carlo for data", count(data), count(energyEvaluations.data), time("data")],
      ["training", NOTHING, count(energyEvaluations.training), time("training")],
      ["evaluation of the flow", NOTHING, count(energyEvaluations.evaluation), time("evaluation")],
      [
        "reference: umbrella and plain Monte Carlo",
        `${count(umbrella)} + ${count(plain)}`,
        count(energyEvaluations.reference),
        time("reference"),
      ],
      ...others.map((part) => [part, NOTHING, NOTHING, time(part)]),
      ["all", count(data + umbrella + plain), count(energies), duration(total)],
    ],
  };
}

/** The models and what they map. */
export function modelsTable({ onnx }: DimerOutcome): ReportTable {
  return {
    columns: ["file", "maps"],
    rows: [
      [`\`${onnx.files.sampler}\``, "z → (x, log-det)"],
      [`\`${onnx.files.density}\``, "x → (z, log-det)"],
    ],
  };
}
