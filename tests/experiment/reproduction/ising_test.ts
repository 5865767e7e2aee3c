/** The experiment on spins: its exact answers, and all of it in small. */
import "../../../src/backend/loaded.ts";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { isingExperiment } from "../../../src/experiment/reproduction/ising.ts";
import { enumerate, exactOf, TEMPERATURE } from "../../../src/experiment/reproduction/ising_generator.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { IsingLattice } from "../../../src/system/ising_lattice.ts";

Deno.test("enumerate agrees with Kaufman's solution, and not at another temperature", () => {
  for (const side of [2, 3, 4]) {
    const system = new IsingLattice({ side });
    const exact = system.exact(TEMPERATURE);
    const { logPartition, meanEnergy } = enumerate(system, TEMPERATURE);
    // Sums of 2^16 terms, each with an exponential: their roundings average out far below this.
    assertAlmostEquals(logPartition, exact.logPartition, 1e-11);
    assertAlmostEquals(meanEnergy, exact.meanEnergy, 1e-10);
    assert(Math.abs(enumerate(system, 2.3).logPartition - exact.logPartition) > 0.01);
  }
  assertAlmostEquals(exactOf(4).logPartition, 15.52282, 5e-6);
  assertAlmostEquals(exactOf(8).logPartition, 60.14522, 5e-6);
});

Deno.test("isingExperiment in small: rows are complete, and 4 × 4 spins are reproduced already", async () => {
  const { rows, figures, remarks } = await isingExperiment.run(await experimentContext({ seed: 2 }));
  assertEquals(figures.map(({ name }) => name), [...isingExperiment.figures]);
  assert(remarks.length > 0 && figures.every(({ svg }) => svg.startsWith("<svg")));
  const caption = figures.find(({ name }) => name === "magnetisation")!.caption;
  assert(caption.includes("of 4 × 4 spins (a) and 8 × 8 spins (b): "), caption);
  assertEquals(rows.length, 16);
  for (const row of rows) {
    assert(Number.isFinite(row.ours.value) && row.energyEvaluations > 1000 && row.seconds > 0, row.quantity);
    const { kind } = verdictOf(row);
    assert(kind !== "differs", row.quantity);
    if (row.quantity.includes("4 × 4")) assert(["agrees", "reached", "stated"].includes(kind), row.quantity);
  }
  // The variational free energy is a bound: what is missing is not negative, and more on the larger lattice.
  const excess = rows.filter(({ quantity }) => quantity.startsWith("F[q]")).map(({ ours }) => ours);
  assert(excess[0].value! > -4 * excess[0].standardError!);
  assert(excess[1].value! > excess[0].value!);
});
