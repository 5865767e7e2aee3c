import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { dimerFigures } from "../../src/experiment/dimer_figures.ts";
import { dimerReport, dimerReportHtml } from "../../src/experiment/dimer_report_html.ts";
import { dimerReportJson } from "../../src/experiment/dimer_report_json.ts";
import type { DimerOutcome } from "../../src/experiment/dimer_results.ts";
import { agreement, compare, differenceText, populationSentence } from "../../src/experiment/dimer_verdict.ts";
import {
  count,
  duration,
  fixed,
  interval,
  power,
  share,
  signed,
  withError,
} from "../../src/experiment/report_numbers.ts";
import { estimateFrom, type FreeEnergyEstimate, noEstimate } from "../../src/reweighting/estimate.ts";
import { writeJson } from "../../src/format/json.ts";
import { all, parseHtml } from "../plot/parse_svg.ts";
import { syntheticOutcome } from "../support/dimer_outcome.ts";

await loadKernels();

const outcome = syntheticOutcome();
const figures = await dimerFigures(outcome);

/** The outcome with another estimate by BAR, which is the headline if it is reliable. */
function withBar(bar: FreeEnergyEstimate): DimerOutcome {
  const { reweighting } = outcome.evaluation.freeEnergyDifference;
  const evaluation = { ...outcome.evaluation, freeEnergyDifference: { bar, reweighting } };
  return { ...outcome, evaluation, headline: bar.reliable ? bar : noEstimate(`BAR: ${bar.reason}`) };
}

/** The outcome with a part of its reference replaced. */
function withReference(changes: Partial<DimerOutcome["reference"]>): DimerOutcome {
  return { ...outcome, reference: { ...outcome.reference, ...changes } };
}

/** The visible text of the page, blanks made plain. */
function textOf(of: DimerOutcome, selector = "body"): string {
  const root = parseHtml(dimerReportHtml(of, figures));
  return all(root, selector).map((element) => element.textContent).join("\n").replace(/[\s\u00a0\u202f]+/g, " ");
}

Deno.test("dimerReportHtml begins with the number, its error, its interval, and the check", () => {
  const [flow, umbrella, apart] = dimerReport(outcome, figures).summary!;
  assertEquals(flow.value.replaceAll("\u00a0", " "), "6.790 ± 0.071 k_BT");
  assert(!flow.warning && /^95.% interval 6\.648.to.6\.932; no umbrella data in it$/.test(flow.note!), flow.note);
  assertEquals(umbrella.value.replaceAll("\u00a0", " "), "6.734 ± 0.021 k_BT");
  assertEquals(apart.value.replaceAll("\u00a0", " "), "+0.056 ± 0.074 k_BT");
  assertEquals(apart.note, "0.8 combined standard errors: they agree");
  const found = textOf(outcome, "section:first-of-type");
  assert(found.includes("lies 6.790 ± 0.071 kBT (one standard error) above that of the closed state"), found);
  assert(found.includes("by the Bennett acceptance ratio between flow samples and evaluation frames"));
  assert(found.includes("about 890 closed configurations for every open one (95 %: 770 to 1000)"));
  assert(found.includes("saw no transition and has no estimate"));
});

Deno.test("dimerReportHtml is one page with all figures, and the same bytes every time", () => {
  const html = dimerReportHtml(outcome, figures);
  const root = parseHtml(html);
  assertEquals(all(root, "figure").length, 6);
  assertEquals(all(root, "section").length, 11);
  assertEquals(all(root, "script, img, link, iframe").length, 0);
  assertEquals(html, dimerReportHtml(syntheticOutcome(), figures));
  assert(!/NaN|Infinity|undefined|null|\*\*|\[object/.test(textOf(outcome)));
  for (const needed of [outcome.run.command, "seed 1", "sampler.onnx", "density.onnx", "scripts/sample_onnx.ts"]) {
    assert(textOf(outcome).includes(needed), needed);
  }
});

/**
 * What honesty asks of the page: every row of estimates has an error or says that there is none, and what is unreliable
 * says why.
 */
function assertHonest(page: string, of: DimerOutcome): void {
  const root = parseHtml(page);
  const rows = all(root, "table")[0].querySelectorAll("tbody tr");
  const { bar, reweighting } = of.evaluation.freeEnergyDifference;
  const { byStart, plain, freeEnergyDifference } = of.reference;
  const estimates = [bar, reweighting, freeEnergyDifference, byStart.closed, byStart.open, plain.freeEnergyDifference];
  assertEquals(rows.length, estimates.length);
  estimates.forEach(({ value, reliable, reason }, k) => {
    const cells = Array.from(rows[k].children, (cell) => cell.textContent);
    if (value === null ? cells[1] !== "no\u00a0estimate" : !cells[1].includes("±")) {
      throw new Error(`no error: ${cells}`);
    }
    if (reliable !== (cells[3] === "yes")) throw new Error(`wrong verdict: ${cells}`);
    if (!reliable && !cells[3].includes(reason!)) throw new Error(`no reason: ${cells}`);
  });
}

Deno.test("dimerReportHtml: every estimate has its error, and the unreliable ones their reason", () => {
  const doubted = withReference({
    freeEnergyDifference: estimateFrom(6.5, 0.2, { reason: "chains from closed and from open starts differ" }),
    plain: {
      freeEnergyDifference: estimateFrom(2.2, 0.3, { reason: "only 90 transitions in 72 chains" }),
      crossings: 90,
      chains: 72,
    },
  });
  for (const one of [outcome, doubted, withBar(estimateFrom(7, 1.3, { reason: "its error is large" }))]) {
    assertHonest(dimerReportHtml(one, figures), one);
  }
  const page = dimerReportHtml(outcome, figures);
  const reason = outcome.evaluation.freeEnergyDifference.reweighting.reason!;
  assertThrows(() => assertHonest(page.replaceAll(reason, "…"), outcome), Error);
  assertThrows(() => assertHonest(page.replace(/<td>6.31[^<]*<\/td>/, "<td>6.31</td>"), outcome), Error);
  assertThrows(() => assertHonest(page, doubted), Error);
});

Deno.test("dimerReportHtml: an unreliable result is no bare number but a warning with its reason", () => {
  const reason = "only 12.0 flow (basin open) samples effectively overlap with the other state, fewer than 50";
  const doubtful = withBar(estimateFrom(7.77, 0.4, { reason }));
  const [flow, umbrella, apart] = dimerReport(doubtful, figures).summary!;
  assertEquals([flow.value, flow.warning], ["no reliable estimate", true]);
  assertEquals(flow.note, `BAR: ${reason}`);
  assert(!umbrella.warning);
  assertEquals(apart.value, "–");
  const text = textOf(doubtful, "section:first-of-type");
  assert(
    text.includes(`The reason: BAR: ${reason}.`) && !text.includes("7.77") && !text.includes("In equilibrium"),
    text,
  );
  assert(text.includes("The two cannot be compared"));
});

Deno.test("dimerReportHtml warns of a reference that is doubted, of chains at unrest, and of a smoke run", () => {
  const doubted = withReference({ freeEnergyDifference: estimateFrom(6.5, 0.2, { reason: "starts differ" }) });
  const tile = dimerReport(doubted, figures).summary![1];
  assertEquals([tile.warning, tile.note], [true, "starts differ"]);
  assert(textOf(doubted).includes("6.50 ± 0.20 kBT, unreliable because starts differ."));
  const restless = { ...outcome, data: { ...outcome.data, relaxed: false } };
  assert(textOf(restless).includes("mistrust every number") && !textOf(outcome).includes("mistrust every number"));
  const smoke = { ...outcome, run: { ...outcome.run, budget: "smoke" } };
  assert(textOf(smoke).includes("smoke budget") && !textOf(outcome).includes("smoke budget"));
});

Deno.test("dimerReportHtml says below for a negative difference, and names the rarer state", () => {
  const negative = withBar(estimateFrom(-2, 0.1));
  const text = textOf(negative, "section:first-of-type");
  assert(text.includes("lies 2.00 ± 0.10 kBT (one standard error) below that of the closed state"), text);
  assert(text.includes("the 95 % interval of the difference is −2.20 to −1.80"), text);
  assert(text.includes("7.4 open configurations for every closed one (95 %: 6.1 to 9.0)"), text);
});

Deno.test("dimerReportHtml tells the transitions of plain Monte Carlo", () => {
  const plain = (freeEnergyDifference: FreeEnergyEstimate, crossings: number) =>
    textOf(withReference({ plain: { freeEnergyDifference, crossings, chains: 72 } }), "section:first-of-type");
  const few = noEstimate("only 1 transition in 72 chains: populations are those of the starts");
  assert(
    plain(few, 1).includes("saw 1 transition, which is not enough for an estimate: only 1 transition in 72 chains"),
  );
  assert(plain(estimateFrom(2.5, 0.02), 5000).includes("saw 5 000 transitions and gives 2.500 ± 0.020 kBT."));
});

Deno.test("dimerReportHtml does without figures that were not drawn", () => {
  const root = parseHtml(dimerReportHtml(outcome, figures.filter(({ name }) => name === "profile")));
  assertEquals(all(root, "figure").length, 1);
});

Deno.test("compare and agreement: what a distance in standard errors means", () => {
  const apart = compare(estimateFrom(7, 0.3), estimateFrom(6, 0.4))!;
  assertEquals(apart, { difference: 1, combinedError: 0.5, inErrors: 2 });
  assertEquals(differenceText(apart), "+1.00\u00a0±\u00a00.50");
  assertEquals(differenceText(compare(estimateFrom(6, 0.3), estimateFrom(7, 0.4))!), "−1.00\u00a0±\u00a00.50");
  assertEquals(compare(noEstimate("none"), estimateFrom(6, 0.4)), null);
  assertEquals(compare(estimateFrom(7, NaN), estimateFrom(6, 0.4)), null);
  const said = (inErrors: number) => agreement({ ...apart, inErrors });
  assertEquals(said(1.94), "1.9 combined standard errors: they agree");
  assert(said(2.2).includes("one comparison of 20 to 80") && said(2.7).includes("one comparison of 80 to 370"));
  assert(said(3).includes("contradict each other"));
});

Deno.test("populationSentence turns free energies into ratios", () => {
  const sentence = (value: number, error: number) =>
    populationSentence(withBar(estimateFrom(value, error))).replaceAll("\u00a0", " ");
  assert(sentence(Math.log(2), 0.05).includes("2.0 closed configurations for every open one (95 %: 1.8 to 2.2)"));
  assert(sentence(30, 0.5).includes("1.1×10^13 closed"));
  assert(populationSentence(withBar(noEstimate("nothing"))).startsWith("No population can be stated"));
});

Deno.test("numbers are rounded to what they are worth", () => {
  const plain = (text: string) => text.replaceAll("\u00a0", " ").replaceAll("\u202f", " ");
  const written = (value: number | null, error: number) => {
    const estimate = value === null ? noEstimate("none") : estimateFrom(value, error);
    return [plain(withError(estimate)), plain(interval(estimate))];
  };
  assertEquals(written(6.7341, 0.0213), ["6.734 ± 0.021", "6.692 to 6.776"]);
  assertEquals(written(-0.5, 0.25), ["−0.50 ± 0.25", "−0.99 to −0.01"]);
  assertEquals(written(27.3, 1.26), ["27.3 ± 1.3", "24.8 to 29.8"]);
  assertEquals(written(340, 12), ["340 ± 12", "316 to 364"]);
  assertEquals(written(5, NaN), ["5.00 ± ?", "–"]);
  assertEquals(written(null, 1), ["no estimate", "–"]);
  assertEquals([fixed(null, 1), fixed(NaN, 1), fixed(-Infinity, 1), fixed(-0.25, 1)], ["–", "–", "−∞", "−0.3"]);
  assertEquals([fixed(-0.04, 1), fixed(0.04, 1)], ["0.0", "0.0"]);
  assertEquals([fixed(3e7, 1), signed(0.5, 1), signed(-0.5, 1), signed(null, 1)], ["3.0×10^7", "+0.5", "−0.5", "–"]);
  assertEquals([count(0), count(999), count(1234567 / 10), count(752_400_000)].map(plain), [
    "0",
    "999",
    "123 457",
    "7.52×10^8",
  ]);
  assertEquals([power(0), power(-2.34e-4), power(9.96e5, 2), power(null)], ["0", "−2.3×10^-4", "1.0×10^6", "–"]);
  assertEquals(
    [share(0), share(2.3e-4), share(0.0123), share(0.3127), share(0.9999), share(1), share(null)].map(plain),
    [
      "0",
      "2.3×10^-4",
      "1.2 %",
      "31 %",
      "100 %",
      "100 %",
      "–",
    ],
  );
  assertEquals([850, 12_300, 99_940, 99_960, 512_400, 7_500_000].map(duration), [
    "850 ms",
    "12.3 s",
    "99.9 s",
    "1 min 40 s",
    "8 min 32 s",
    "2 h 5 min",
  ]);
});

// deno-lint-ignore no-explicit-any
const json = dimerReportJson(outcome) as any;

Deno.test("dimerReportJson keeps the keys that machines rely on", () => {
  assertEquals(json.system.name, "ParticleDimer");
  assertEquals([json.system.preset, json.system.dim, json.system.parameters.slope], ["noe2019", 76, 2]);
  assertEquals([json.seed, json.budget, json.temperature, json.threads], [1, "default", 1, 2]);
  assertEquals(json.energyEvaluations, outcome.energyEvaluations);
  assertEquals(json.wallTimeMs.training, 512_000);
  assertEquals(json.flow.parameters, 3_073_000);
  assertEquals(json.losses.length, outcome.history.length);
  assertEquals(Object.keys(json.losses[0]), ["stage", "step", "loss", "maximumLikelihood", "validation"]);
  assertEquals(Object.keys(json.samplingEfficiency), ["closed", "open", "all"]);
  assertEquals([json.paretoK.closed, json.paretoK.limit, json.outsideDomain], [0.912, 0.7, 0.3127]);
  assertEquals(Object.keys(json.freeEnergyDifference), ["reweighting", "bar", "reference", "headline"]);
  for (const estimate of Object.values(json.freeEnergyDifference)) {
    assertEquals(Object.keys(estimate as object), ["value", "standardError", "interval95", "reliable", "reason"]);
  }
  assertEquals(json.freeEnergyDifference.headline, json.freeEnergyDifference.bar);
  assertEquals(json.freeEnergyDifference.bar.value, 6.79);
  const bins = json.profile.d.length;
  for (const name of ["flow", "flowError", "reference", "referenceError"]) {
    assertEquals(json.profile[name].length, bins);
  }
  assertEquals([json.onnx.file, json.onnx.opset, json.onnx.maxAbsDifference], ["sampler.onnx", 17, 3.1e-5]);
  assertEquals(json.onnx.samplesPerSecond, 4200);
  assertEquals(json.reference.plainMonteCarlo.freeEnergyDifference.reason, "no transition, no estimate");
});

Deno.test("dimerReportJson is JSON: NaN and infinities are null, and the text gives the same values back", () => {
  assertEquals(JSON.parse(writeJson(json)), json);
  const odd: DimerOutcome = {
    ...outcome,
    evaluation: { ...outcome.evaluation, profile: null, outsideDomain: NaN },
    path: { ...outcome.path, reducedEnergy: outcome.path.reducedEnergy.map(() => Infinity) },
    history: [{ ...outcome.history[0], losses: { loss: -Infinity } }],
  };
  // deno-lint-ignore no-explicit-any
  const report = dimerReportJson(odd) as any;
  assertEquals(JSON.parse(writeJson(report)), report);
  assertEquals([report.outsideDomain, report.losses[0].loss, report.path.reducedEnergy[0]], [null, null, null]);
  assertEquals(report.profile.flow, report.profile.d.map(() => null));
  const dumb = () => writeJson({ ...report, outsideDomain: NaN });
  assertThrows(dumb, RangeError);
});

/** The report without what may depend on the machine's moods. */
function withoutRates(report: object): string {
  // deno-lint-ignore no-explicit-any
  const copy = structuredClone(report) as any;
  delete copy.threads;
  delete copy.wallTimeMs;
  delete copy.onnx.samplesPerSecond;
  return writeJson(copy);
}

Deno.test("dimerReportJson of two runs with different threads differs in threads, times and rates only", () => {
  const other: DimerOutcome = {
    ...outcome,
    run: { ...outcome.run, threads: 1, command: "deno run -A scripts/train_dimer.ts --threads 1 --out elsewhere" },
    wallTimeMs: { data: 1, training: 2, evaluation: 3, reference: 4, export: 5 },
    onnx: { ...outcome.onnx, samplesPerSecond: 1 },
  };
  assertEquals(withoutRates(dimerReportJson(other)), withoutRates(json));
  assert(writeJson(dimerReportJson(other)) !== writeJson(json));
  const leaky = (of: DimerOutcome) => ({ ...dimerReportJson(of), command: of.run.command });
  assert(withoutRates(leaky(other)) !== withoutRates(leaky(outcome)), "a report that names the command would differ");
});

Deno.test("the report says what the models leave out, which parameters were kept, and what intervals of efficiency are", () => {
  const autoregressive = { ...outcome, flow: { ...outcome.flow, kind: "autoregressive" as const } };
  const withoutAverage = "The files hold the flow itself, not its average over the mirror images of the dimer";
  assert(textOf(autoregressive).includes(withoutAverage));
  assert(!textOf(outcome).includes(withoutAverage), "RealNVP is not averaged");

  const best = "those of the lowest NLL of validation frames were kept";
  const last = "The last parameters were kept";
  assert(textOf(outcome).includes(best) && !textOf(outcome).includes(last));
  const ofPaper = textOf({ ...outcome, keep: "last" });
  assert(!ofPaper.includes(best) && ofPaper.includes(last));

  assert(textOf(outcome).includes("only 64 to 80 times for heavy tails"));
  assert(textOf(outcome).includes("its bootstrap interval") && !textOf(outcome).includes("95 % interval of it"));
});
