/**
 * Tables of measurements in Markdown.
 *
 * @module
 */
import { coresOf, type Measurement, ourCounterpart, ratioOf, speedOf } from "./measurement.ts";
import type { Spread } from "./statistics.ts";

/** A table with a heading and a sentence below it. */
export interface Table {
  /** Heading. */
  readonly title: string;
  /** Titles of the columns; the first is aligned left. */
  readonly columns: readonly string[];
  /** Cells. */
  readonly rows: readonly (readonly string[])[];
  /** What a reader must know. */
  readonly note?: string;
}

/** Writes three significant digits, thousands in groups. */
export function figures(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) < 100) return String(Number(value.toPrecision(3)));
  const digits = Math.max(0, Math.floor(Math.log10(Math.abs(value))) - 3);
  const rounded = Math.round(value / 10 ** digits) * 10 ** digits;
  return String(rounded).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** Writes a median with its quartiles. */
export function spreadText({ low, median, high }: Spread, show: (value: number) => string = figures): string {
  return `${show(median)} [${show(low)}, ${show(high)}]`;
}

const twoDigits = (value: number) => value.toFixed(2);

/** Makes the table of a measurement: speeds, and how many times as fast ours is on as many threads. */
export function speedTable(measurement: Measurement): Table {
  const { title, unit, contenders, rounds, flopPerUnit } = measurement;
  const columns = ["program", "threads", "cores busy", `${unit}/s`, ...(flopPerUnit ? ["Gflop/s"] : []), "ours ÷ this"];
  const rows = contenders.map(({ peer, name, threads }, k) => {
    const speed = speedOf(measurement, k);
    const ours = ourCounterpart(measurement, k);
    return [
      name,
      String(threads),
      coresOf(measurement, k).toFixed(1),
      spreadText(speed),
      ...(flopPerUnit ? [figures(speed.median * flopPerUnit / 1e9)] : []),
      peer === "ours" || ours < 0 ? "" : spreadText(ratioOf(measurement, ours, k), twoDigits),
    ];
  });
  const note = `Median [quartiles] of ${rounds.length} rounds.${scalingText(measurement)}${busyText(measurement)}`;
  return { title, columns, rows, note };
}

/** Least share of a core that a quiet machine gives to a program on one thread. */
const QUIET = 0.9;

/** A warning where other work took part of the machine: wall time, on several threads, then says little. */
function busyText(measurement: Measurement): string {
  const { contenders } = measurement;
  const alone = contenders.flatMap(({ threads }, k) => threads === 1 ? [coresOf(measurement, k)] : []);
  const share = Math.min(...alone);
  if (share >= QUIET || contenders.every(({ threads }) => threads === 1)) return "";
  return ` **The machine was busy (programs on one thread got down to ${
    share.toFixed(2)
  } of a core): times on several ` +
    "threads are not for quoting.**";
}

/** What several threads bring ours, by wall time. */
function scalingText(measurement: Measurement): string {
  const ours = measurement.contenders.flatMap(({ peer }, k) => peer === "ours" ? [k] : []);
  const [one, ...more] = ours;
  return more.map((k) => {
    const ratio = spreadText(ratioOf(measurement, k, one), twoDigits);
    return ` Ours on ${measurement.contenders[k].threads} threads ÷ ours on one: ${ratio} (wall time).`;
  }).join("");
}

/** Says what each contender is, once. */
export function contenderList(measurements: readonly Measurement[]): string[] {
  const seen = new Map<string, string>();
  for (const { contenders } of measurements) {
    for (const { name, threads, version, settings, env } of contenders) {
      const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`).join(" ");
      const line = `- ${name} (${threads}): ${version}; ${settings}${variables && `; ${variables}`}`;
      seen.set(`${name} ${threads} ${settings}`, line);
    }
  }
  return [...seen.values()];
}

/** Writes a table in Markdown. */
export function markdownTable({ columns, rows, note }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = columns.map((_, i) => i === 0 ? "---" : "---:");
  return [line(columns), line(rule), ...rows.map(line), ...(note ? ["", note] : [])].join("\n");
}
