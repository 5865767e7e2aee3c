/**
 * What every experiment of the reproduction must answer.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Experiment, ExperimentResult } from "../../src/experiment/reproduction/experiment.ts";
import type { ReproducedRow } from "../../src/experiment/reproduction/row.ts";

/** Throws unless rows are numbers or say why they are not, costs were counted, and all pictures are there. */
export function assertComplete(experiment: Experiment, { rows, figures, remarks }: ExperimentResult): void {
  assertEquals(new Set(rows.map(({ quantity }) => quantity)).size, rows.length, "every row has a name of its own");
  for (const { quantity, ours, reference, energyEvaluations, seconds, published } of rows) {
    assert(ours.value === null ? ours.reason !== null : Number.isFinite(ours.value), quantity);
    assert(ours.reliable === (ours.reason === null), quantity);
    if (ours.interval95 !== null) {
      assert(ours.interval95[0] <= ours.value! && ours.value! <= ours.interval95[1], quantity);
    }
    if (reference !== null) assert(Number.isFinite(reference.value) && reference.standardError >= 0, quantity);
    if (published !== null) assert(published.value !== "" && published.source !== "", quantity);
    assert(energyEvaluations > 0 && seconds > 0, quantity);
  }
  assertEquals(figures.map(({ name }) => name), experiment.figures);
  for (const { svg, caption } of figures) {
    assertMatch(svg, /^<svg /);
    assert(!/NaN|undefined/.test(svg + caption));
  }
  assert(remarks.every((remark) => /[.?]$/.test(remark)));
}

/** The row whose name begins so. */
export function rowOf(rows: readonly ReproducedRow[], beginning: string): ReproducedRow {
  const found = rows.find(({ quantity }) => quantity.startsWith(beginning));
  assert(found !== undefined, `no row ${beginning}`);
  return found;
}
