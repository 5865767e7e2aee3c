import { assert, assertEquals } from "@std/assert";
import { type CurveData, thermodynamicCurve } from "../../src/experiment/temperature_curve.ts";
import { temperatureFigureNames, temperatureFigures } from "../../src/experiment/temperature_figures.ts";
import { temperatureLadder } from "../../src/experiment/temperature_ladder.ts";
import { temperaturesReportHtml } from "../../src/experiment/temperature_report.ts";
import { temperaturesReportJson } from "../../src/experiment/temperature_report_json.ts";
import { summarizeTemperatures } from "../../src/experiment/temperature_summary.ts";
import type { TemperaturesOutcome } from "../../src/experiment/temperature_results.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../src/reweighting/estimate.ts";
import { writeJson } from "../../src/format/json.ts";
import { syntheticAudit } from "../support/dimer_outcome.ts";

const RANGE = [0.5, 2] as const;

/** An outcome in which ΔU = 5 and ΔS = −1.5 at all temperatures, everything known to 0.01 k_BT. */
function outcomeOf(change: (temperature: number, bar: Estimate) => Estimate = (_, bar) => bar): TemperaturesOutcome {
  const none = { closed: null, open: null, all: null };
  const points = temperatureLadder(RANGE, 3).map(({ temperature, trained }) => {
    const energyDifference = estimateFrom(5 / temperature, 0.01);
    const bar = change(temperature, estimateFrom(5 / temperature + 1.5, 0.01));
    const reweighting = estimateFrom(5 / temperature + 1.51, 0.04);
    return {
      temperature,
      trained,
      data: {
        burnIn: 3000,
        relaxed: true,
        evaluationRelaxed: true,
        autocorrelationSweeps: 120,
        stride: 240,
        acceptance: 0.35,
        crossings: 0,
      },
      evaluation: {
        samples: 1000,
        frames: 200,
        outsideDomain: 0,
        notFinite: 0,
        samplingEfficiency: { closed: 0.3, open: 0.2, all: 0.25 },
        samplingEfficiencyInterval: { ...none, closed: [0.28, 0.32] as const },
        paretoK: { ...none, closed: 0.4, limit: 0.66 },
        evaluationNll: none,
        gap: { closed: 1.2, open: 1.5, all: 0.66 },
        freeEnergyDifference: { bar, reweighting },
        energyDifference,
        entropyDifference: estimateFrom(-1.5, 0.014),
        covariance: 0,
      },
      headline: bar,
    };
  });
  const data = points.map(({ temperature, evaluation }): CurveData => ({
    temperature,
    freeEnergy: evaluation.freeEnergyDifference.bar,
    energy: evaluation.energyDifference,
    covariance: 0,
  }));
  return {
    run: {
      preset: "noe2019",
      parameters: { epsilon: 1 },
      dim: 76,
      range: RANGE,
      rungs: 3,
      seed: 1,
      budget: "default",
      threads: 2,
      packageVersion: "0.0.0",
      kernelBuild: "relaxed",
      command: "deno run -A scripts/dimer_temperatures.ts",
    },
    points,
    curve: thermodynamicCurve(data),
    references: [0.5, 1, 2].map((temperature) => ({
      temperature,
      freeEnergyDifference: estimateFrom(5 / temperature + 1.5, 0.02),
      byStart: { closed: estimateFrom(6.5, 0.03), open: estimateFrom(6.5, 0.03) },
    })),
    flow: { parameters: 1000, description: "autoregressive particle flow" },
    audit: syntheticAudit,
    history: [1, 2].map((k) => ({ stage: "fit", step: 100 * k, losses: { loss: 50 - k }, validation: 51 - k })),
    frames: { train: 1000, validate: 100, evaluate: 200 },
    energyEvaluations: { data: 1e6, training: 0, evaluation: 5000, reference: 2e6 },
    moves: { data: 2e7, umbrella: 4e7 },
    wallTimeMs: { data: 1000, training: 2000, evaluation: 3000, reference: 4000 },
  };
}

Deno.test("the report over temperatures says ΔF in both units, with its pictures", async () => {
  const outcome = outcomeOf();
  const figures = await temperatureFigures(outcome);
  assertEquals(figures.map(({ name }) => name), temperatureFigureNames);
  for (const { svg } of figures) assert(svg.startsWith("<svg") && !svg.includes("NaN"));
  const html = temperaturesReportHtml(outcome, figures);
  // At T = 2: 5/2 + 3/2 = 4 k_BT, which is 8 k_BT₀, twice the error.
  assert(html.includes("4.000\u00a0±\u00a00.010") && html.includes("8.000\u00a0±\u00a00.020"), "ΔF at T = 2");
  assert(!html.includes("NaN") && !html.includes("undefined") && !html.includes("Not reliable"));
  assertEquals(temperaturesReportHtml(outcome, figures), html);
  assertEquals(
    summarizeTemperatures(outcome).split("\n").slice(1, 4),
    [
      "T / T₀  trained  BAR             reweighting     curve           umbrella        best in k_BT₀",
      "0.5     yes      11.500 ± 0.010  11.510 ± 0.040  11.501 ± 0.006  11.500 ± 0.020  5.750 ± 0.005",
      "0.7071  no       8.571 ± 0.010   8.581 ± 0.040   8.570 ± 0.005                   6.061 ± 0.007",
    ],
  );
});

Deno.test("the report for machines holds every temperature, and null for what is no number", () => {
  const report = temperaturesReportJson(outcomeOf());
  writeJson(report);
  const lines = report.temperatures as unknown as {
    temperature: number;
    freeEnergyInT0: Estimate;
    paretoK: { open: null };
  }[];
  assertEquals(lines.map(({ temperature }) => temperature), temperatureLadder(RANGE, 3).map((at) => at.temperature));
  assertEquals([lines[4].freeEnergyInT0.value, lines[4].freeEnergyInT0.standardError], [8, 0.02]);
  assertEquals(lines[0].paretoK.open, null);
  const { at: _, ...curve } = report.curve as Record<string, unknown>;
  assertEquals(Object.keys(curve), ["degree", "chiSquare", "freedom", "widening"]);
});

Deno.test("the report over temperatures marks what is not reliable, and does without what is missing", async () => {
  const one = outcomeOf((temperature, bar) =>
    temperature === 1 ? { ...bar, reliable: false, reason: "of the test" } : bar
  );
  const html = temperaturesReportHtml(one, await temperatureFigures(one));
  assert(html.includes("BAR at 1: of the test") && html.includes("no reliable estimate"));
  const summary = summarizeTemperatures(one);
  assert(summary.includes("6.500 ± 0.010 (!)"));
  assert(summary.includes("Audit of the flow: passed"));

  const spoilt = outcomeOf((temperature, bar) => {
    const reliable = { ...bar, reliable: false, reason: "of the test" };
    return temperature === 1 ? reliable : { ...bar, value: bar.value! + (temperature > 1 ? 0.1 : 0) };
  });
  const without = {
    ...spoilt,
    points: spoilt.points.map((point) => point.headline.reliable ? point : { ...point, headline: noEstimate("no") }),
  };
  const lines = summarizeTemperatures(without).split("\n");
  assert(/ 6\.500 ± 0\.010 \(!\) .* none reliable$/.test(lines[4]), lines[4]);
  assert(
    /^curve through all: χ² \d+\.\d for \d degrees of freedom, by the estimates' own errors; errors of the curve are widened by \d+\.\d\d, the root of their ratio$/
      .test(lines[7]),
    lines[7],
  );

  const nothing = outcomeOf(() => noEstimate("of the test"));
  const empty: TemperaturesOutcome = { ...nothing, history: [] };
  const figures = await temperatureFigures(empty);
  assertEquals(figures.map(({ name }) => name), ["free_energy", "thermodynamics", "quality"]);
  assert(temperaturesReportHtml(empty, figures).includes("Too few estimates are reliable for a curve"));
  writeJson(temperaturesReportJson(empty));
});
