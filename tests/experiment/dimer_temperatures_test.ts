import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { Progress } from "../../src/experiment/progress.ts";
import { summarizeTemperatures } from "../../src/experiment/temperature_summary.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/training/checkpoint.ts";
import type { JsonObject } from "../../src/format/json.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { differingFiles } from "../support/killed_runs.ts";
import { comparableReport, runTinyTemperatures, silent } from "../support/tiny_runs.ts";

await loadKernels();

function run(out: string, variation: Omit<Parameters<typeof runTinyTemperatures>[0], "out"> = {}) {
  return runTinyTemperatures({ out, ...variation });
}

/** A progress that stops a run at a step of its training. */
function stopAt(step: number): { signal: AbortSignal; progress: Progress } {
  const controller = new AbortController();
  let steps = 0;
  const update = (_: number, loss?: number) => {
    if (loss !== undefined && ++steps === step) controller.abort();
  };
  return { signal: controller.signal, progress: { ...silent, update } };
}

Deno.test("runDimerTemperatures() writes report and checkpoint, the same for two threads and after a resumed stop", async (t) => {
  await inTemporaryDirectory(async (root) => {
    const [one, two, stopped] = ["one", "two", "stopped"].map((name) => `${root}/${name}`);
    const result = await run(one);
    assert(result.complete);

    await t.step("the report has a line for every temperature, seen or not", async () => {
      const report = await comparableReport(one);
      const lines = report.temperatures as Record<string, unknown>[];
      assertEquals(lines.map(({ temperature }) => temperature), [0.8, 1, 1.25]);
      assertEquals(lines.map(({ trained }) => trained), [true, false, true]);
      for (const line of lines) {
        const differences = line.freeEnergyDifference as Record<string, Record<string, unknown>>;
        for (const name of ["bar", "reweighting", "reference", "headline"]) {
          for (const key of ["value", "standardError", "interval95", "reliable", "reason"]) {
            assert(key in differences[name], `freeEnergyDifference.${name} lacks ${key}`);
          }
        }
        // Sixty frames and a net of this size cannot support an estimate, and the report must say so.
        assertEquals(differences.headline.reliable, false);
        for (const key of ["gap", "samplingEfficiency", "energyDifference", "entropyDifference", "freeEnergyInT0"]) {
          assert(key in line, `a temperature lacks ${key}`);
        }
      }
      const { evaluation } = report.energyEvaluations as Record<string, number>;
      assertEquals(evaluation, 3 * (600 + 64), "one energy for each sample and frame");
      assertEquals((report.references as { temperature: number }[]).map(({ temperature }) => temperature), [
        0.8,
        1,
        1.25,
      ]);
      const html = await Deno.readTextFile(`${one}/report.html`);
      assert(html.includes("Not reliable, marked (!)") && html.includes("</html>"));
      assert(summarizeTemperatures(result.outcome).split("\n").length >= 5);
      assertEquals([result.outcome.audit.passed, result.outcome.audit.checks.length], [true, 5]);
    });

    await t.step("two threads give the same numbers and the same checkpoint", async () => {
      assert((await run(two, { threads: 2 })).complete);
      assertEquals(await comparableReport(two), await comparableReport(one));
      const file = "checkpoint.safetensors";
      assertEquals(await Deno.readFile(`${two}/${file}`), await Deno.readFile(`${one}/${file}`));
    });

    await t.step("a run stopped in training and resumed ends with the same numbers", async () => {
      assertEquals(await run(stopped, stopAt(9)), { complete: false, during: "training" });
      assert((await run(stopped, { resume: true })).complete);
      assertEquals(await comparableReport(stopped), await comparableReport(one));
    });

    await t.step(
      "a damaged checkpoint, or part, is noticed: the one before is taken, the part computed anew",
      async () => {
        const damaged = `${root}/damaged`;
        assertEquals(await run(damaged, { ...stopAt(20), checkpointEveryMs: 0 }), {
          complete: false,
          during: "training",
        });
        for (const name of ["checkpoint", "parts/data"]) {
          const path = `${damaged}/${name}.safetensors`;
          const bytes = await Deno.readFile(path);
          bytes[bytes.length - 100] ^= 4;
          await Deno.writeFile(path, bytes);
        }
        const notes: string[] = [];
        const progress = { ...silent, note: (text: string) => notes.push(text) };
        assert((await run(damaged, { resume: true, progress })).complete);
        assertEquals(
          notes.map((note) => note.replace(/^Cannot load checkpoint .*damaged\/(.*?): SHA-256.*; /, "$1: ")),
          [
            "parts/data.safetensors: computes it anew",
            "checkpoint.safetensors: went back to the checkpoint before it",
          ],
        );
        assertEquals(differingFiles(one, damaged), []);
      },
    );

    await t.step("a checkpoint of another release is refused, one of other kernels is told of", async () => {
      const path = `${two}/checkpoint.safetensors`;
      const { kind, state, tensors } = await loadCheckpoint(path);
      const versions = state.versions as JsonObject;
      const withVersions = (changes: JsonObject) =>
        saveCheckpoint(path, { kind, tensors, state: { ...state, versions: { ...versions, ...changes } } });
      const notes: string[] = [];
      const progress = { ...silent, note: (text: string) => notes.push(text) };
      await withVersions({ kernels: "slow" });
      assert((await run(two, { resume: true, progress })).complete);
      assertEquals(notes, [
        'Results may differ in the last bits from those of a run that was never stopped: kernels was "slow", is ' +
        `"${versions.kernels}"`,
      ]);
      await withVersions({ boltzflow: "0.0.1" });
      const error = await assertRejects(() => run(two, { resume: true }), RangeError);
      assertEquals(
        error.message.replace(/got ".*?"/, "got …"),
        `Cannot resume from ${path}: boltzflow must be "0.0.1", got …: go on with the release that began the run, or ` +
          "start anew with --force",
      );
    });

    await t.step("a directory that holds a run is refused, and so is another question in it", async () => {
      const taken = `Cannot start a run in ${one}: the directory must be empty or new, got one that holds a dimer ` +
        "temperatures run: go on with it (--resume), replace it (--force) or choose another directory (--out)";
      assertEquals((await assertRejects(() => run(one), Error)).message, taken);
      const other = await assertRejects(() => run(one, { resume: true, seed: 4 }), Error);
      assert(other.message.includes("seed"), other.message);
    });
  });
});

Deno.test("runDimerTemperatures() refuses temperatures that are no range before anything is written", async () => {
  const error = await assertRejects(() => run("/nowhere/at/all", { range: [2, 0.5] }), RangeError);
  assertEquals(
    error.message,
    "Cannot make a temperature ladder: range must be two rising positive numbers, got 2 and 0.5",
  );
});
