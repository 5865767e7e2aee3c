/**
 * The little markup of labels, captions and paragraphs, for formulas in running text:
 *
 * | written | shown |
 * |---|---|
 * | `k_BT` | the unit of energy, *k* with subscript B and *T* |
 * | `x_0`, `w_{ML}` | subscript: one character after a one-letter symbol, or braces |
 * | `10^4`, `10^-3`, `e^{-u}` | superscript: an integer, one letter, or braces |
 * | `*d*`, `*F*(*d*)`, `Δ*F*` | italic letters |
 * | `` `report.json` `` | code |
 * | `\_`, `\^`, `\*`, `` \` `` | the character itself |
 *
 * Everything else is text: `sample_onnx`, `2 * 3` and `<b>` are shown as they are.
 *
 * @module
 */
import type { Selection } from "./d3.ts";
import { show } from "./check.ts";
import { px, theme } from "./theme.ts";

/** A piece of text in one style. */
export interface Run {
  /** The characters. */
  readonly text: string;
  /** How they are set. */
  readonly style: "plain" | "italic" | "sub" | "super" | "code";
}

/** Compiled when the first text is shown: sets of Unicode letters take a millisecond of every start. */
let mark: RegExp | undefined;

function compileMark(): RegExp {
  return new RegExp(
    [
      String.raw`\\([_^*\\\x60])`,
      String.raw`\x60([^\x60]+)\x60`,
      String.raw`(?<![\p{L}\p{N}_])(k_BT)(?![\p{L}\p{N}])`,
      String.raw`(?<![a-zA-Z\p{N}*])\*(\p{L}+)\*(?![\p{L}\p{N}*])`,
      String.raw`_\{([^{}]+)\}`,
      String.raw`(?<=(?<![\p{L}\p{N}_])\p{L}\*?)_([\p{L}\p{N}])`,
      String.raw`\^\{([^{}]+)\}`,
      String.raw`(?<=[\p{L}\p{N})\]*])\^(-?\d+|\p{L}(?![\p{L}\p{N}]))`,
    ].join("|"),
    "gu",
  );
}

const UNIT: readonly Run[] = [
  { text: "k", style: "italic" },
  { text: "B", style: "sub" },
  { text: "T", style: "italic" },
];

function pushPlain(runs: Run[], text: string): void {
  if (text === "") return;
  const last = runs.at(-1);
  if (last?.style === "plain") runs[runs.length - 1] = { text: last.text + text, style: "plain" };
  else runs.push({ text, style: "plain" });
}

/**
 * Splits a text into styled runs.
 *
 * @param text with the markup above
 * @returns the runs, in order
 * @throws {TypeError} if it is not a string
 * @throws {RangeError} if it holds a character that no XML file may hold
 */
export function parseMarkup(text: string): Run[] {
  if (typeof text !== "string") throw new TypeError(`Cannot write text: it must be a string, got ${show(text)}`);
  // deno-lint-ignore no-control-regex
  const bad = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|\p{Cs}/u.exec(text);
  if (bad !== null) {
    const code = bad[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    throw new RangeError(`Cannot write text: it must hold no control characters, got U+${code} at index ${bad.index}`);
  }
  const runs: Run[] = [];
  let end = 0;
  for (const match of text.matchAll(mark ??= compileMark())) {
    pushPlain(runs, text.slice(end, match.index));
    const [, escaped, code, unit, italic, sub1, sub2, super1, super2] = match;
    if (escaped !== undefined) pushPlain(runs, escaped);
    else if (code !== undefined) runs.push({ text: code, style: "code" });
    else if (unit !== undefined) runs.push(...UNIT);
    else if (italic !== undefined) runs.push({ text: italic, style: "italic" });
    else if (sub1 ?? sub2) runs.push({ text: sub1 ?? sub2, style: "sub" });
    else runs.push({ text: (super1 ?? super2).replace(/^-/, "−"), style: "super" });
    end = match.index + match[0].length;
  }
  pushPlain(runs, text.slice(end));
  return runs;
}

/** Drops the markup: for labels that are read aloud. */
export function plainText(text: string): string {
  return parseMarkup(text).map((run) => run.text).join("");
}

/** Escapes a text for XML and HTML, content and attributes alike. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

const TAGS = { plain: "", italic: "i", sub: "sub", super: "sup", code: "code" } as const;

/** Sets a text as HTML; everything that is not markup is escaped. */
export function markupToHtml(text: string): string {
  return parseMarkup(text).map((run) => {
    const tag = TAGS[run.style];
    return tag === "" ? escapeText(run.text) : `<${tag}>${escapeText(run.text)}</${tag}>`;
  }).join("");
}

/** Sets a text in an SVG `<text>` element of the given size. Shifts are in px: not every viewer knows baseline-shift. */
export function setText(element: Selection, text: string, size: number): Selection {
  const runs = parseMarkup(text);
  if (runs.every((run) => run.style === "plain")) return element.text(runs.map((run) => run.text).join(""));
  // Some viewers drop spaces at the ends of a tspan unless told to keep them.
  element.attr("xml:space", "preserve");
  let offset = 0;
  for (const run of runs) {
    const raised = run.style === "sub" ? 0.22 * size : run.style === "super" ? -0.36 * size : 0;
    const span = element.append("tspan");
    if (raised !== offset) span.attr("dy", px(raised - offset));
    if (raised !== 0) span.attr("font-size", px(0.72 * size));
    if (run.style === "italic") span.attr("font-style", "italic");
    if (run.style === "code") span.attr("font-family", theme.monospace);
    span.text(run.text);
    offset = raised;
  }
  return element;
}

// Advance widths in 1/1000 em of the Helvetica family; other characters count as 0.6 em.
const WIDTHS: ReadonlyMap<string, number> = new Map(
  ([
    [222, "ijl'|"],
    [278, " !,./:;I[\\]ft\u00a0"],
    [333, "()-r`{}·"],
    [389, '*"^°'],
    [500, "Jckvsxyz"],
    [556, "#$?0123456789L_abdeghnopqu"],
    [584, "+<=>~−±×≤≥≈"],
    [639, "FTZ"],
    [667, "&ABEKPSVXY"],
    [722, "CDHNRUwΔ"],
    [778, "GOQ"],
    [860, "Mm%"],
    [944, "W—…"],
  ] as [number, string][]).flatMap(([width, characters]) => [...characters].map((c): [string, number] => [c, width])),
);
/** Room for viewers that fall back to a wider font than Helvetica. */
const FALLBACK_ROOM = 1.1;

/** Estimates the width in px of a text with markup; there is no font here to ask. */
export function textWidth(text: string, size: number): number {
  let thousandths = 0;
  for (const run of parseMarkup(text)) {
    const scale = run.style === "sub" || run.style === "super" ? 0.72 : 1;
    for (const c of run.text) thousandths += scale * (run.style === "code" ? 620 : WIDTHS.get(c) ?? 600);
  }
  return thousandths / 1000 * size * FALLBACK_ROOM;
}
