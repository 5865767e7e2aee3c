/**
 * The free-energy profile with the numbers below it, and as a table.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Notes } from "./catalogue.ts";
import { Chart, type Point } from "./chart.ts";
import type { Progress } from "./messages.ts";
import { byId, fillRows } from "./page_parts.ts";
import type { Summary } from "./running_statistics.ts";
import { count, decimal, estimate, percent, summaryInWords } from "./words.ts";

const LENGTH = "bond length d (reduced units)";
/** Most kT that the axis shows. */
const LARGEST_REACH = 50;

/** Shows what the samples say about the bond. */
export class ProfilePanel {
  readonly #chart = new Chart(
    byId("profile", SVGSVGElement),
    { from: 0.6, to: 2.4, tick: 0.2, label: LENGTH },
    { from: -2, to: 16, tick: 2, label: "free energy F (kT)" },
  );
  #reference: Notes | null = null;
  #summary: Summary | null = null;
  #here: number | null = null;

  /** Prepares the panel. */
  constructor() {
    this.#chart.content = () => this.#draw();
    byId("profile-details", HTMLDetailsElement).addEventListener("toggle", () => this.fillTable());
  }

  /**
   * Begins anew.
   *
   * @param reference to compare with
   */
  clear(reference: Notes): void {
    this.#reference = reference;
    this.#summary = null;
    this.#here = null;
    for (const id of ["effective", "rate", "shares", "difference"]) setText(id, "–");
    setText("n", "0");
    setText("reference", estimate({ ...reference.difference, interval95: null, reliable: true, reason: null }));
    const known = reference.freeEnergy.filter((value) => value !== null);
    const lowest = Math.floor(Math.min(...known)) - 1;
    const highest = Math.min(Math.ceil(Math.max(...known)) + 1, lowest + LARGEST_REACH);
    const { edges } = reference;
    this.#chart.scale(
      { from: edges[0], to: edges[edges.length - 1], tick: 0.1, label: LENGTH },
      { from: lowest, to: highest, tick: 2, label: "free energy F (kT)" },
    );
    this.fillTable();
  }

  /** Marks the bond length of the picture on display. */
  set here(d: number | null) {
    this.#here = d;
    this.#chart.draw();
  }

  /** Shows new statistics. */
  show({ summary, rate }: Progress): void {
    this.#summary = summary;
    const { n, effective, closed, open, difference } = summary;
    setText("n", count(n));
    setText("effective", n > 0 ? `${count(effective)} (${percent(effective / n)})` : "–");
    setText("rate", rate === null ? "–" : count(rate));
    setText("shares", closed.weight + open.weight > 0 ? `${percent(open.drawn)} / ${percent(open.weight)}` : "–");
    setText("difference", estimate(difference));
    byId("difference", HTMLElement).title = difference.reason === null ? "" : `Not reliable yet: ${difference.reason}`;
    const words = summaryInWords(summary, this.#reference?.difference.value ?? NaN);
    setText("numbers-text", `Two valleys, closed and open, with a barrier between them. ${words}`);
    this.#chart.draw();
  }

  /** Writes the table, if it is unfolded; a table that changes while it is read is of no use. */
  fillTable(): void {
    const reference = this.#reference;
    if (!byId("profile-details", HTMLDetailsElement).open || reference === null) return;
    const profile = this.#summary?.profile ?? null;
    setText(
      "profile-caption",
      `F(d) with half the width of its 95 % band, after ${count(this.#summary?.n ?? 0)} samples`,
    );
    const level = (value: number | null | undefined, lower: number | null | undefined) => {
      if (value === null || value === undefined) return "–";
      return lower === null || lower === undefined
        ? decimal(value, 2)
        : `${decimal(value, 2)} ± ${(value - lower).toFixed(2)}`;
    };
    fillRows(
      "profile-rows",
      reference.freeEnergy.map((value, bin) => [
        `${reference.edges[bin].toFixed(2)} to ${reference.edges[bin + 1].toFixed(2)}`,
        level(profile?.freeEnergy[bin], profile?.lower[bin]),
        profile === null ? "0" : count(profile.effectiveSamples[bin]),
        level(value, reference.lower[bin]),
      ]),
    );
  }

  #draw(): void {
    const chart = this.#chart;
    const reference = this.#reference;
    if (reference === null) return;
    const width = reference.edges[1] - reference.edges[0];
    const centers = reference.freeEnergy.map((_, bin) => 0.5 * (reference.edges[bin] + reference.edges[bin + 1]));
    const curve = (values: readonly (number | null)[]): Point[] => centers.map((d, bin) => [d, values[bin]]);
    chart.band(curve(reference.lower), curve(reference.upper), "band reference", 0);
    chart.line(curve(reference.freeEnergy), "curve reference");
    const profile = this.#summary?.profile ?? null;
    if (profile !== null) {
      const trusted = (values: readonly (number | null)[]) =>
        curve(values.map((value, bin) => profile.reliable[bin] ? value : null));
      chart.band(trusted(profile.lower), trusted(profile.upper), "band flow", width);
      chart.line(trusted(profile.freeEnergy), "curve flow");
      curve(profile.freeEnergy).forEach((point, bin) => {
        chart.dot(point, profile.reliable[bin] ? "mark flow" : "mark flow thin");
      });
    }
    if (this.#here !== null) chart.upright(this.#here, "here");
  }
}

function setText(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}
