/**
 * Several figures on one sheet.
 *
 * @module
 */
import { requireNonEmpty, requireNumber, show } from "./check.ts";
import { appendText, newFigure } from "./figure.ts";
import { theme } from "./theme.ts";

/** Options of {@linkcode figureGrid}. */
export interface FigureGridOptions {
  /** Figures in a row, default 1. */
  readonly columns?: number;
  /** Letters (a), (b) … in the upper left corners; default true if there are several figures. */
  readonly letters?: boolean;
  /** What a screen reader says. */
  readonly description: string;
}

const ACTION = "arrange figures";
const GAP = 6;

interface Part {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

function measure(svg: string, name: string): Part {
  const match = typeof svg === "string"
    ? /^<svg xmlns="[^"]*" width="([\d.]+)" height="([\d.]+)" viewBox="0 0 \1 \2"/.exec(svg)
    : null;
  if (match === null) {
    throw new TypeError(`Cannot ${ACTION}: ${name} must be the SVG text of a plot of this library, got ${show(svg)}`);
  }
  return { svg: svg.trimEnd(), width: Number(match[1]), height: Number(match[2]) };
}

/**
 * Arranges finished figures in rows on one sheet, lettered for reference.
 *
 * Figures keep their sizes; rows and columns are as large as their largest member.
 *
 * @param svgs SVG texts made by the plots of this library
 * @param options columns, letters and description
 * @returns SVG text; the same bytes for the same figures
 * @throws {RangeError} if there is none or `columns` is impossible
 * @throws {TypeError} if a text is not such a figure
 */
export async function figureGrid(svgs: readonly string[], options: FigureGridOptions): Promise<string> {
  requireNonEmpty(ACTION, "svgs", svgs);
  const columns = options.columns ?? 1;
  requireNumber(ACTION, "columns", columns, "be a whole number ≥ 1", (v) => Number.isInteger(v) && v >= 1);
  const parts = svgs.map((svg, i) => measure(svg, `svgs[${i}]`));
  const cell = (i: number) => ({ row: Math.floor(i / columns), column: i % columns });
  const widths = sizes(parts.map((part, i) => [cell(i).column, part.width]));
  const heights = sizes(parts.map((part, i) => [cell(i).row, part.height]));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value + GAP, 0);
  const figure = await newFigure(sum(widths) - GAP, sum(heights) - GAP, options.description);
  const marks = parts.map((part, i) => {
    const left = sum(widths.slice(0, cell(i).column)) + (widths[cell(i).column] - part.width) / 2;
    return { left, top: sum(heights.slice(0, cell(i).row)) };
  });
  // Placeholders are replaced by the figures' own text: their elements are not parsed again.
  marks.forEach(({ left, top }, i) =>
    figure.root.append("g").attr("transform", `translate(${left},${top})`).attr("data-part", i)
  );
  if (options.letters ?? parts.length > 1) {
    marks.forEach(({ top }, i) => {
      const left = sum(widths.slice(0, cell(i).column));
      const letter = `(${String.fromCharCode(97 + i % 26)})`;
      appendText(figure.root, letter, { x: left + 6, y: top + 16, size: theme.labelSize, bold: true });
    });
  }
  const sheet = figure.toSvg();
  return sheet.replace(/<g ([^>]*) data-part="(\d+)"\/>/g, (_, place, i) => `<g ${place}>${inner(parts[i].svg)}</g>`);
}

/** The part inside a sheet speaks through the sheet's description. */
function inner(svg: string): string {
  return svg.replace(/ role="img" aria-label="[^"]*"/, "");
}

function sizes(entries: readonly (readonly [index: number, size: number])[]): number[] {
  const out: number[] = [];
  for (const [index, size] of entries) out[index] = Math.max(out[index] ?? 0, size);
  return out;
}
