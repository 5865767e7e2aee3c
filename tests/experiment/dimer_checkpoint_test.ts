import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { loadDimerData, packDimerData, saveDimerData, unpackDimerData } from "../../src/experiment/dimer_checkpoint.ts";
import { dimerFiles } from "../../src/experiment/dimer_files.ts";
import { RunCheckpoints } from "../../src/experiment/run_checkpoints.ts";
import { RunDirectory } from "../../src/experiment/run_directory.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import type { JsonObject } from "../../src/format/json.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { fewDimerFrames } from "../support/tiny_runs.ts";

await loadKernels();

const system = new ParticleDimer();
const data = await fewDimerFrames();

/** The checkpoints of a run in a folder, resumed or not, and what was said about them. */
async function withCheckpoints(
  folder: string,
  body: (checkpoints: RunCheckpoints, notes: string[]) => Promise<void>,
  changes: { resume?: boolean; configuration?: JsonObject } = {},
): Promise<void> {
  const claim = { kind: "dimer", configuration: { seed: 1, system: { slope: 2 } }, files: Object.values(dimerFiles) };
  await using directory = await RunDirectory.claim(folder, { ...claim, room: 1000, ...changes });
  const notes: string[] = [];
  await body(new RunCheckpoints(directory, (text) => notes.push(text)), notes);
}

Deno.test("saveDimerData() and loadDimerData() keep frames, statistics and chains", () =>
  inTemporaryDirectory(async (folder) => {
    await withCheckpoints(folder, (checkpoints) => saveDimerData(checkpoints, data));

    await withCheckpoints(folder, async (checkpoints, notes) => {
      const loaded = await loadDimerData(checkpoints, system);
      assert(loaded !== null);
      for (const split of ["train", "validate", "evaluate"] as const) assertEquals(loaded[split], data[split]);
      assertEquals(loaded.statistics, data.statistics);
      assertEquals(loaded.chains.state, data.chains.state);
      assertEquals(notes, []);
    }, { resume: true });
  }));

Deno.test("loadDimerData() finds nothing where there is no file, and nothing in a run that begins", () =>
  inTemporaryDirectory(async (folder) => {
    await withCheckpoints(folder, async (checkpoints) => {
      assertEquals(await loadDimerData(checkpoints, system), null);
      await saveDimerData(checkpoints, data);
      assertEquals(await loadDimerData(checkpoints, system), null);
    });
  }));

Deno.test("loadDimerData() refuses the data of another run, and names what differs", () =>
  inTemporaryDirectory(async (folder) => {
    const [ours, others] = [`${folder}/ours`, `${folder}/others`];
    await withCheckpoints(ours, (checkpoints) => saveDimerData(checkpoints, data));
    const configuration = { seed: 1, system: { slope: 3 } };
    await withCheckpoints(others, () => Promise.resolve(), { configuration });
    await Deno.copyFile(`${ours}/data.safetensors`, `${others}/data.safetensors`);

    await withCheckpoints(others, async (checkpoints) => {
      const error = await assertRejects(() => loadDimerData(checkpoints, system), RangeError);
      assertEquals(
        error.message,
        `Cannot resume from ${others}/data.safetensors: its configuration.system.slope must be 3, got 2: put the file ` +
          "of this run back, or start anew with --force",
      );
    }, { configuration, resume: true });
  }));

Deno.test("loadDimerData() says so when a file is damaged, and has data sampled anew", () =>
  inTemporaryDirectory(async (folder) => {
    const path = `${folder}/data.safetensors`;
    await withCheckpoints(folder, (checkpoints) => saveDimerData(checkpoints, data));
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 9] ^= 1;
    await Deno.writeFile(path, bytes);

    await withCheckpoints(folder, async (checkpoints, notes) => {
      assertEquals(await loadDimerData(checkpoints, system), null);
      assertMatch(notes.join(), /^Cannot load checkpoint .*: SHA-256 must be .*; computes it anew$/);
    }, { resume: true });
  }));

Deno.test("unpackDimerData() refuses a checkpoint without one of its tensors", () => {
  for (const name of ["evaluate/x", "chains/positions"]) {
    const { state, tensors } = packDimerData(data);
    const fewer = new Map(tensors);
    fewer.delete(name);
    assertThrows(
      () => unpackDimerData(system, { state, tensors: fewer }, "data.safetensors"),
      RangeError,
      `Cannot resume from data.safetensors: the file must hold ${name}, got none: start anew with --force`,
    );
  }
});
