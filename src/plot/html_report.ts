/**
 * A report in one HTML file: text, tables and figures, no scripts, nothing loaded from anywhere.
 *
 * @module
 */
import { requireArray, requireNonEmpty } from "./check.ts";
import { requireInertSvg } from "./inline_svg.ts";
import { escapeText, markupToHtml, plainText } from "./markup.ts";
import { REPORT_STYLE } from "./report_style.ts";

/** A picture with its caption. */
export interface ReportFigure {
  /** SVG text, as a plot returns it. */
  readonly svg: string;
  /** Sentence under the picture, with markup. */
  readonly caption: string;
}

/** A table. Strings may hold markup; numbers are printed as they are, with a true minus sign. */
export interface ReportTable {
  /** Sentence above the table. */
  readonly caption?: string;
  /** Headings, [columns]. */
  readonly columns: readonly string[];
  /** Cells, [rows][columns]; the first of a row is its heading. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A section: heading, text, then its table, then its figures. */
export interface ReportSection {
  /** Heading with markup. */
  readonly heading: string;
  /** Paragraphs with markup. */
  readonly paragraphs?: readonly string[];
  /** Table after the text. */
  readonly table?: ReportTable;
  /** Figures after the table. */
  readonly figures?: readonly ReportFigure[];
}

/** A number that the reader should see first. */
export interface ReportNumber {
  /** What it is. */
  readonly label: string;
  /** Its value with error and unit, for example `7.02 ± 0.06 k_BT`. */
  readonly value: string;
  /** How it was obtained, or why it is not to be trusted. */
  readonly note?: string;
  /** True for what is unreliable: shown in the colour of a warning, and the word is said. */
  readonly warning?: boolean;
}

/** The whole report. All texts may hold the markup of labels (`k_BT`, `*d*`, `10^-3`, `` `file.json` ``). */
export interface HtmlReport {
  /** Title of the page. */
  readonly title: string;
  /** Line below it. */
  readonly subtitle?: string;
  /** Key numbers at the top. */
  readonly summary?: readonly ReportNumber[];
  /** Sections in order, at least one; four or more get a table of contents. */
  readonly sections: readonly ReportSection[];
  /** Last line: how to reproduce the report. */
  readonly footer?: string;
}

const ACTION = "write a report";

function figureHtml(figure: ReportFigure, number: number, name: string): string {
  requireInertSvg(ACTION, `${name}.svg`, figure?.svg);
  const id = `figure-${number}`;
  return `<figure aria-labelledby="${id}">\n${figure.svg.trim()}\n<figcaption id="${id}"><b>Figure ${number}.</b> ${
    markupToHtml(figure.caption)
  }</figcaption>\n</figure>`;
}

function cellText(cell: string | number): string {
  return typeof cell === "number" ? String(cell).replace("-", "−") : markupToHtml(cell);
}

/** A column is numeric, and set flush right, if every cell starts like a number or is a dash. */
function isNumeric(table: ReportTable, column: number): boolean {
  return column > 0 &&
    table.rows.every((row) =>
      typeof row[column] === "number" || /^\s*(?:[−+±<>≥≤~]?\s*[\d.]|[–—-]?\s*$)/.test(row[column] as string)
    );
}

function tableHtml(table: ReportTable, name: string): string {
  requireNonEmpty(ACTION, `${name}.columns`, table.columns);
  requireArray(ACTION, `${name}.rows`, table.rows);
  table.rows.forEach((row, i) => {
    if (row.length === table.columns.length) return;
    const rule = `have as many cells as there are columns (${table.columns.length})`;
    throw new RangeError(`Cannot ${ACTION}: ${name}.rows[${i}] must ${rule}, got ${row.length}`);
  });
  const align = table.columns.map((_, column) => isNumeric(table, column) ? ' class="number"' : "");
  const head = table.columns.map((text, i) => `<th scope="col"${align[i]}>${markupToHtml(text)}</th>`).join("");
  const body = table.rows.map((row) =>
    `<tr>${
      row.map((cell, i) => i === 0 ? `<th scope="row">${cellText(cell)}</th>` : `<td${align[i]}>${cellText(cell)}</td>`)
        .join("")
    }</tr>`
  ).join("\n");
  const caption = table.caption === undefined ? "" : `<caption>${markupToHtml(table.caption)}</caption>\n`;
  return `<div class="table"><table>\n${caption}<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table></div>`;
}

function summaryHtml(numbers: readonly ReportNumber[]): string {
  const items = numbers.map(({ label, value, note, warning }) => {
    const text = [warning ? "unreliable" : "", note === undefined ? "" : markupToHtml(note)].filter((t) => t !== "");
    const noteHtml = text.length === 0 ? "" : `<dd class="note">${text.join(": ")}</dd>`;
    const className = warning ? ' class="warning"' : "";
    return `<div${className}><dt>${markupToHtml(label)}</dt><dd class="value">${
      markupToHtml(value)
    }</dd>${noteHtml}</div>`;
  });
  return `<dl class="summary">\n${items.join("\n")}\n</dl>`;
}

function contentsHtml(sections: readonly ReportSection[]): string {
  if (sections.length < 4) return "";
  const items = sections.map(({ heading }, i) => `<li><a href="#section-${i + 1}">${markupToHtml(heading)}</a></li>`);
  return `<nav aria-label="Contents"><ol>\n${items.join("\n")}\n</ol></nav>`;
}

/**
 * Writes a report as one self-contained HTML file.
 *
 * Figures are inlined and numbered through; every text is escaped. There are no scripts, fonts, links to other hosts or
 * timestamps: the same content gives the same bytes, and the file reads the same offline, printed and in a dark room.
 *
 * @param report title, key numbers and sections
 * @returns the text of an HTML file
 * @throws {RangeError} if there is no section, a table's row is too short or long, or a figure holds scripts or outside references
 * @throws {TypeError} if a text or a figure is not a string
 *
 * @example
 * ```ts
 * import { htmlReport } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const html = htmlReport({
 *   title: "A dimer in a box",
 *   summary: [{ label: "*F*(open) − *F*(closed)", value: "7.0 ± 0.1 k_BT" }],
 *   sections: [{ heading: "What was done", paragraphs: ["Configurations were drawn from a flow."] }],
 * });
 * assert(html.includes("<h2"));
 * ```
 */
export function htmlReport(report: HtmlReport): string {
  requireNonEmpty(ACTION, "sections", report?.sections);
  let figures = 0;
  const sections = report.sections.map((section, i) => {
    const name = `sections[${i}]`;
    const parts = [
      `<h2 id="section-${i + 1}">${markupToHtml(section.heading)}</h2>`,
      ...(section.paragraphs ?? []).map((text) => `<p>${markupToHtml(text)}</p>`),
      ...(section.table === undefined ? [] : [tableHtml(section.table, `${name}.table`)]),
      ...(section.figures ?? []).map((figure, k) => figureHtml(figure, ++figures, `${name}.figures[${k}]`)),
    ];
    return `<section aria-labelledby="section-${i + 1}">\n${parts.join("\n")}\n</section>`;
  });
  const { title, subtitle, summary, footer } = report;
  const body = [
    `<header>\n<h1>${markupToHtml(title)}</h1>`,
    subtitle === undefined ? "" : `<p class="subtitle">${markupToHtml(subtitle)}</p>`,
    "</header>",
    "<main>",
    summary === undefined || summary.length === 0 ? "" : summaryHtml(summary),
    contentsHtml(report.sections),
    ...sections,
    "</main>",
    footer === undefined ? "" : `<footer>${markupToHtml(footer)}</footer>`,
  ].filter((part) => part !== "");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeText(plainText(title))}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
${body.join("\n")}
</body>
</html>
`;
}
