/** Runs that are stopped while they sample data: they go on from what they kept. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { RunResult } from "../../src/experiment/run_parts.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/training/checkpoint.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { filesBelow } from "../support/killed_runs.ts";
import { runTinyDimer, runTinyFluid, runTinyTemperatures, silent, type TinyOptions } from "../support/tiny_runs.ts";

await loadKernels();

const KEPT = "/parts/data_so_far_chains.safetensors";

/** Runs, and the file that holds their data in the end. */
const runs: readonly (readonly [string, (options: TinyOptions) => Promise<RunResult<unknown>>, string])[] = [
  ["runDimer()", runTinyDimer, "/data.safetensors"],
  ["runDimerTemperatures()", runTinyTemperatures, "/parts/data.safetensors"],
  ["runFluid()", runTinyFluid, "/parts/data.safetensors"],
];

for (const [name, run, data] of runs) {
  /** Goes on, or begins, until the data are complete; returns their file. */
  const dataOf = async (out: string, resume: boolean) => {
    const stop = new AbortController();
    const start = (part: string) => part === "training" && stop.abort();
    const result = await run({ out, resume, signal: stop.signal, progress: { ...silent, start } });
    assertEquals(result, { complete: false, during: "training" });
    assert(!filesBelow(out).includes(KEPT), "what was kept on the way is not removed");
    return await Deno.readFile(out + data);
  };

  Deno.test(`${name} goes on with the data where it was stopped, and ends with the same bytes`, async () => {
    await inTemporaryDirectory(async (root) => {
      const [whole, stopped, changed] = ["whole", "stopped", "changed"].map((folder) => `${root}/${folder}`);
      const stop = new AbortController();
      const look = setInterval(() => filesBelow(stopped).includes(`${KEPT}.previous`) && stop.abort(), 1);
      const result = await run({ out: stopped, signal: stop.signal, checkpointEveryMs: 0 });
      clearInterval(look);
      assertEquals(result, { complete: false, during: "sampling data" });

      // The same with one coordinate of the chains a little elsewhere: the data must show it, for they are to go on from there.
      await Deno.mkdir(`${changed}/parts`, { recursive: true });
      for (const file of filesBelow(stopped)) await Deno.copyFile(stopped + file, changed + file);
      const kept = await loadCheckpoint(changed + KEPT);
      const positions = [...kept.tensors].filter(([tensor]) => tensor.endsWith(".chains.arrays.positions")).at(-1)!;
      (positions[1].data as Float64Array)[0] += 1e-6;
      await saveCheckpoint(changed + KEPT, kept);

      const expected = await dataOf(whole, false);
      assertEquals(await dataOf(stopped, true), expected);
      assertNotEquals(await dataOf(changed, true), expected);
    });
  });
}
