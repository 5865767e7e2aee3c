import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { fluidFigures } from "../../src/experiment/fluid_figures.ts";
import { summarizeFluid } from "../../src/experiment/fluid_report.ts";
import type { FluidOutcome } from "../../src/experiment/fluid_results.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { inTemporaryDirectory, namesIn } from "../support/file_faults.ts";
import { idealAverage } from "../support/ideal_gas.ts";
import {
  comparableReport,
  runTinyFluid,
  silent,
  tinyFluid as system,
  tinyFluidSettings as tiny,
} from "../support/tiny_runs.ts";

await loadKernels();

type Variation = Omit<Parameters<typeof runTinyFluid>[0], "out">;

/** A run that is not stopped. */
async function run(out: string, variation: Variation = {}): Promise<FluidOutcome> {
  const result = await runTinyFluid({ out, ...variation });
  assert(result.complete);
  return result.outcome;
}

Deno.test("runFluid finds the free energy of four particles by flow and integration, on any number of threads", async () => {
  await inTemporaryDirectory(async (directory) => {
    const [one, two] = [`${directory}/one`, `${directory}/two`];
    const outcome = await run(one);
    await run(two, { threads: 2 });
    assertEquals(await comparableReport(one), await comparableReport(two));

    const fluid = new LennardJonesFluid(system);
    const { value, error } = idealAverage(fluid, 1, 300_000);
    const expected = value + fluid.idealLogPartition(1) - fluid.logLabellings;
    assertEquals([outcome.audit.passed, outcome.audit.checks.length], [true, 5]);
    const { logPartition } = outcome.evaluation;
    const estimates = [
      logPartition.bar,
      logPartition.reweighting,
      outcome.reference.integration,
      outcome.reference.mbar,
    ];
    for (const { value, standardError, reliable, reason } of estimates) {
      assert(reliable, `${reason}`);
      assert(Math.abs(value! - expected) < 4 * Math.hypot(error, standardError!), `${value} instead of ${expected}`);
    }
    assert(logPartition.bar.standardError! < 0.05);

    // Flow and Monte Carlo agree on the pairs, bin by bin; 64 bins, five errors.
    const { reweighted, frames } = outcome.pairs;
    reweighted.g.forEach((g, b) => {
      const error = Math.hypot(reweighted.error[b], frames.error[b]);
      assert(Math.abs(g - frames.g[b]) <= 5 * error + 0.02, `${g} and ${frames.g[b]} ± ${error} at ${frames.r[b]}`);
    });

    const report = await comparableReport(one) as Record<string, Record<string, number>>;
    const all = report.freeEnergyAllLabellings.value - report.freeEnergy.value;
    assert(Math.abs(all + Math.log(24)) < 1e-12, "F of all labellings is lower by ln 4!");
    const excess = report.excessFreeEnergy.value - report.freeEnergy.value;
    assert(Math.abs(excess - outcome.reference.ideal) < 1e-12);
    for (const name of ["energies", "pair_distribution"]) {
      assertMatch(await Deno.readTextFile(`${one}/figures/${name}.svg`), /^<svg [\s\S]*<\/svg>\s*$/);
    }
    const table = summarizeFluid(outcome);
    const [, stated] = /flow, BAR +(−?\d+\.\d+) ± /.exec(table)!;
    assert(Math.abs(Number(stated.replace("−", "-")) - logPartition.bar.value!) < 0.005, table);
    assert(table.split("\n").every((line) => line.length <= 140), table);
  });
});

Deno.test("runFluid goes on with a run that was stopped, keeps one that is there, replaces it with force", async () => {
  await inTemporaryDirectory(async (directory) => {
    const [out, whole] = [`${directory}/run`, `${directory}/whole`];
    const controller = new AbortController();
    let steps = 0;
    const update = (_: number, loss?: number) => {
      if (loss !== undefined && ++steps === 70) controller.abort();
    };
    const stopped = await runTinyFluid({
      out,
      progress: { ...silent, update },
      signal: controller.signal,
    });
    assertEquals(stopped, { complete: false, during: "training" });
    assertEquals(await namesIn(out), ["checkpoint.safetensors", "parts", "run.json"]);
    await assertRejects(
      () => run(out),
      Error,
      `Cannot start a run in ${out}: the directory must be empty or new, got one that holds a fluid run: go on with it ` +
        "(--resume), replace it (--force) or choose another directory (--out)",
    );
    await run(out, { resume: true });
    await run(whole);
    assertEquals(await comparableReport(out), await comparableReport(whole));
    for (const file of ["checkpoint", "parts/data", "parts/flow", "parts/integration"]) {
      const [ours, theirs] = [out, whole].map((path) => Deno.readFile(`${path}/${file}.safetensors`));
      assertEquals(await ours, await theirs, file);
    }

    const settings = {
      ...tiny,
      flow: { ...tiny.flow, head: "mixture" as const, samples: 256 },
      integrationSweeps: 100,
    };
    const { flow } = await run(out, { settings, force: true });
    assertMatch(flow.description, /Gaussian mixtures/);
    assertEquals((await comparableReport(out)).samples, 256);
  });
});

Deno.test("summarizeFluid and fluidFigures do without what a flow that missed the target cannot give", async () => {
  await inTemporaryDirectory(async (directory) => {
    const settings = { ...tiny, flow: { ...tiny.flow, samples: 256 }, integrationSweeps: 100 };
    const outcome = await run(`${directory}/run`, { settings });
    const none = {
      value: null,
      standardError: null,
      interval95: null,
      reliable: false,
      reason: "every weight is zero",
    };
    const missed: FluidOutcome = {
      ...outcome,
      evaluation: {
        ...outcome.evaluation,
        logPartition: { bar: none, reweighting: none, headline: none },
        samplingEfficiency: 0,
        samplingEfficiencyInterval: null,
        paretoK: { value: Infinity, limit: -Infinity },
        gap: none,
        outsideDomain: 1,
      },
      difference: none,
      energies: { ...outcome.energies, logWeights: outcome.energies.logWeights.map(() => -Infinity) },
      pairs: {
        ...outcome.pairs,
        reweighted: { ...outcome.pairs.reweighted, g: outcome.pairs.reweighted.g.map(() => NaN) },
      },
    };
    assertEquals(await fluidFigures(missed), []);
    const table = summarizeFluid(missed);
    assertMatch(table, /flow, BAR +no estimate +no estimate/);
    assertMatch(table, /unreliable, flow, BAR: every weight is zero/);
  });
});
