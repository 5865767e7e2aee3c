/**
 * The report of the reproduction: tables for people, numbers for machines.
 *
 * @module
 */
import type { JsonObject } from "../../format/json.ts";
import { markupToHtml, plainText } from "../../plot/markup.ts";
import { count, decimalsFor, duration, fixed, NOTHING, power } from "../report_numbers.ts";
import type { ReproducedRow, Verdict } from "./row.ts";
import { publishedVerdictOf, verdictOf, verdictText } from "./row.ts";
import type { ReproducedExperiment, ReproductionOutcome } from "./reproduction_results.ts";

/** Version of the layout of the JSON: raised when a key changes its meaning or goes. */
const VERSION = 1;
/** Of a number with an error: some references are all but exact. */
const MOST_DECIMALS = 9;
/** From here on numbers are written as powers of ten. */
const LARGE = 1e6;
/** Names the file of a picture, relative to the report. */
type FigureFile = (experiment: string, figure: string) => string;

/** How many rows ended how, in the order in which it is said. */
const KINDS: readonly Verdict["kind"][] = [
  "agrees",
  "differs",
  "unreliable",
  "reached",
  "missed",
  "undecided",
  "stated",
  "no estimate",
];

/**
 * Counts verdicts.
 *
 * @param rows of any experiments
 * @returns a sentence, for example "31 rows: 28 agrees, 1 differs, 2 reached"
 */
export function countVerdicts(rows: readonly ReproducedRow[]): string {
  // Doubtful ones are called unreliable in their rows, too.
  const kinds = rows.map((row) => verdictOf(row).kind).map((kind) => kind === "doubtful" ? "unreliable" : kind);
  const counts = KINDS.map((kind) => [kind, kinds.filter((k) => k === kind).length] as const);
  return `${rows.length} rows: ${counts.filter(([, n]) => n > 0).map(([kind, n]) => `${n} ${kind}`).join(", ")}`;
}

/**
 * Says on a terminal what an experiment found, one line for each row.
 *
 * @param experiment that has run
 * @returns text without a final line break
 */
export function summarizeExperiment({ title, rows, failure, seconds }: ReproducedExperiment): string {
  return [
    `${title} (${duration(1000 * seconds)})`,
    ...failure === null ? [] : [`  failed: ${failure}`],
    ...rows.map((row) => {
      const { quantity, unit, published, reference } = row;
      return `  ${quantity}: published ${published?.value ?? NOTHING} · reference ${referenceText(reference)} · ours ${
        oursText(row)
      }${unit === "" ? "" : ` ${unit}`} · ${verdictText(row)}`;
    }),
  ].join("\n");
}

/**
 * Writes the whole report as Markdown.
 *
 * @param outcome of the run
 * @param figureFile where pictures lie
 * @returns text that ends in a line break
 */
export function reproductionMarkdown(outcome: ReproductionOutcome, figureFile: FigureFile): string {
  const { run, experiments, notRun } = outcome;
  const rows = experiments.flatMap((experiment) => experiment.rows);
  const total = experiments.reduce((sum, { seconds }) => sum + seconds, 0);
  return [
    "# The founding papers, reproduced",
    `Last command: \`${run.command}\`; budget ${run.budget}, seed ${run.seed}, ${run.threads} threads, boltzflow ${run.packageVersion}, ` +
    `${run.kernelBuild} kernels; ${duration(1000 * total)} on the wall.`,
    `${countVerdicts(rows)}. ${chanceText(rows)}${
      publishedText(rows)
    }Values after ± are half of 95 % intervals for ours and standard errors ` +
    "for references. Energies and processor time of a row hold training and data; rows of one flow share them.",
    ...experiments.map((experiment) => section(experiment, figureFile)),
    ...notRun.length === 0 ? [] : [
      "## Not run",
      notRun.map(({ name, title, long }) =>
        `- ${title}: \`--only ${name} --resume\`${long ? " (long; goes on from disk when it is stopped)" : ""}`
      ).join("\n"),
    ],
  ].join("\n\n") + "\n";
}

/** How many published numbers are found again. */
function publishedText(rows: readonly ReproducedRow[]): string {
  const verdicts = rows.map(publishedVerdictOf);
  const ours = verdicts.flatMap((verdict) => verdict === null || verdict.ours === null ? [] : [verdict.ours]);
  if (ours.length === 0) return "";
  return `Of ${ours.length} published numbers beside a reliable one of ours ${
    ours.filter(Boolean).length
  } agree with it: ` +
    "they are within 3 of its standard errors, as far as they were printed or can be read off. ";
}

/** How many differences chance alone would make. */
function chanceText(rows: readonly ReproducedRow[]): string {
  const compared = rows.map(verdictOf).filter((verdict) =>
    "standardErrors" in verdict && verdict.kind !== "unreliable"
  );
  const beyondTwo = compared.filter((verdict) => "standardErrors" in verdict && verdict.standardErrors > 2).length;
  if (compared.length === 0) return "";
  return "A row agrees if ours and the reference differ by at most 3 standard errors of their difference; of the " +
    `${compared.length} reliable ones with a reference ${beyondTwo} differ by more than 2, where chance alone would make ` +
    `${fixed(0.0455 * compared.length, 1)}. `;
}

function section(experiment: ReproducedExperiment, figureFile: FigureFile): string {
  const { name, title, about, rows, figures, remarks, failure, seconds, commit } = experiment;
  return [
    `## ${title}`,
    `${about} (\`--only ${name}\`, ${duration(1000 * seconds)}${commit ? `, commit ${commit.slice(0, 7)}` : ""})`,
    ...failure === null ? [] : [`**Failed:** ${failure}`],
    ...rows.length === 0 ? [] : [table(rows)],
    ...notesOf(rows),
    ...remarks,
    ...figures.map(({ name: figure, caption }) =>
      `![${plainText(caption)}](${figureFile(name, figure)})\n\n${markupToHtml(caption)}`
    ),
  ].join("\n\n");
}

const HEADINGS = [
  "quantity",
  "published",
  "independent reference",
  "ours ± 95 %",
  "energies",
  "processor time",
  "verdict",
];

function table(rows: readonly ReproducedRow[]): string {
  const cells = rows.map((row) => [
    row.quantity + (row.unit === "" ? "" : ` / ${row.unit}`),
    row.published === null ? NOTHING : `${row.published.value} (${row.published.source})`,
    referenceText(row.reference) + (row.reference === null ? "" : ` (${row.reference.method})`),
    `${oursText(row)} (${row.method})`,
    count(row.energyEvaluations),
    duration(1000 * row.seconds),
    verdictText(row),
  ]);
  return [HEADINGS, HEADINGS.map(() => "---"), ...cells].map((line) => `| ${line.map(cell).join(" | ")} |`).join("\n");
}

/** A bar would end the cell. */
function cell(text: string): string {
  return plain(text).replaceAll("|", "\\|");
}

/** Notes of rows, each once. */
function notesOf(rows: readonly ReproducedRow[]): string[] {
  const noted = rows.filter(({ note }) => note !== undefined);
  const texts = [...new Set(noted.map(({ note }) => note))];
  return texts.length === 0 ? [] : [
    texts.map((text) => {
      const quantities = noted.filter(({ note }) => note === text).map(({ quantity }) => quantity);
      return `- ${quantities.join("; ")}: ${text}`;
    }).map(plain).join("\n"),
  ];
}

/** Without the markup of labels that Markdown would read in its own way. */
function plain(text: string): string {
  return text.replaceAll("\n", " ").replaceAll("k_BT", "k\\_BT");
}

function referenceText(reference: ReproducedRow["reference"]): string {
  if (reference === null) return NOTHING;
  const { value, standardError } = reference;
  if (standardError === 0) return numberText(value);
  const decimals = decimalsFor(standardError, MOST_DECIMALS);
  return `${fixed(value, decimals)} ± ${fixed(standardError, decimals)}`;
}

/** The value with half of its 95 % interval, or with both ends where it is skewed. */
function oursText({ ours: { value, interval95, standardError } }: ReproducedRow): string {
  if (value === null) return NOTHING;
  if (interval95 === null) return `${numberText(value)} ± ?`;
  const [low, high] = interval95;
  if (high === low) return numberText(value);
  const half = (high - low) / 2;
  const decimals = decimalsFor(half, MOST_DECIMALS);
  const show = (v: number) => Math.abs(value) >= LARGE ? power(v) : fixed(v, decimals);
  const skewed = Math.abs((high + low) / 2 - value) > 0.05 * half;
  return skewed || standardError === null
    ? `${show(value)} (${show(low)} to ${show(high)})`
    : `${show(value)} ± ${show(half)}`;
}

/** A number without error: six digits, no more decimals than it has. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return fixed(value, 0);
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= LARGE)) {
    return value.toExponential(2).replace("-", "−");
  }
  return String(Number(value.toPrecision(6))).replace("-", "−");
}

/**
 * Puts the outcome into JSON: one object for each row, with its verdict.
 *
 * @param outcome of the run
 * @param figureFile where pictures lie
 * @returns plain data; numbers that are not finite become texts
 */
export function reproductionJson(outcome: ReproductionOutcome, figureFile: FigureFile): JsonObject {
  const { run: { command: _, ...run }, experiments, notRun } = outcome;
  return {
    format: "boltzflow reproduction",
    version: VERSION,
    run,
    summary: countVerdicts(experiments.flatMap(({ rows }) => rows)),
    experiments: experiments.map(({ name, title, about, long, seconds, commit, failure, rows, remarks, figures }) => ({
      name,
      title,
      about,
      long,
      seconds,
      commit: commit ?? null,
      failure,
      rows: rows.map((row) => ({ ...rowJson(row), verdict: verdictJson(row) })),
      remarks,
      figures: figures.map(({ name: figure, caption }) => ({ file: figureFile(name, figure), caption })),
    })),
    notRun: notRun.map((experiment) => ({ ...experiment })),
  } as unknown as JsonObject;
}

/** JSON has no word for infinite numbers. */
function verdictJson(row: ReproducedRow) {
  const verdict = verdictOf(row);
  const finite = "standardErrors" in verdict && !Number.isFinite(verdict.standardErrors)
    ? { standardErrors: null }
    : {};
  return { ...verdict, ...finite, published: publishedVerdictOf(row), text: verdictText(row) };
}

/** See {@link verdictJson}: the same for goals. */
function rowJson({ goal, note, ...row }: ReproducedRow) {
  return {
    ...row,
    ...goal && { goal: goal.map((bound) => Number.isFinite(bound) ? bound : null) },
    ...note !== undefined && { note },
  };
}
