import { assert, assertEquals, assertRejects } from "@std/assert";
import { serialPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { loadDimerData, saveDimerData } from "../../src/experiment/dimer_checkpoint.ts";
import { sampleDimerData } from "../../src/experiment/dimer_data.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/training/checkpoint.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";

await loadKernels();

const system = new ParticleDimer();
const data = await sampleDimerData({
  system,
  temperature: 1,
  settings: {
    chains: { train: 2, validate: 2, evaluate: 2 },
    frames: { train: 4, validate: 2, evaluate: 2 },
    freshPerStep: 0,
  },
  seed: 1,
  pool: serialPool,
});

Deno.test("saveDimerData() and loadDimerData() keep frames, statistics and chains", () =>
  inTemporaryDirectory(async (folder) => {
    const path = `${folder}/data.safetensors`;
    await saveDimerData(path, data);

    const loaded = await loadDimerData(path, system, 1);

    assert(loaded !== null);
    for (const split of ["train", "validate", "evaluate"] as const) assertEquals(loaded[split], data[split]);
    assertEquals(loaded.statistics, data.statistics);
    assertEquals(loaded.chains.state, data.chains.state);
  }));

Deno.test("loadDimerData() finds nothing where there is no file", async () => {
  assertEquals(await loadDimerData("/nowhere/data.safetensors", system, 1), null);
});

Deno.test("loadDimerData() refuses the data of another system or temperature, and names what differs", () =>
  inTemporaryDirectory(async (folder) => {
    const path = `${folder}/data.safetensors`;
    await saveDimerData(path, data);
    const cure = ": put the file of this run back, or start anew with --force";
    const steeper = new ParticleDimer({ slope: 3 });

    const others = [
      [() => loadDimerData(path, steeper, 1), "parameters.slope must be 3, got 2"],
      [() => loadDimerData(path, system, 2), "temperature must be 2, got 1"],
    ] as const;

    for (const [load, fault] of others) {
      const error = await assertRejects(load, RangeError);
      assertEquals(error.message, `Cannot resume from ${path}: its ${fault}${cure}`);
    }
  }));

Deno.test("loadDimerData() refuses a checkpoint without one of its tensors", () =>
  inTemporaryDirectory(async (folder) => {
    const path = `${folder}/data.safetensors`;
    await saveDimerData(path, data);
    const whole = await loadCheckpoint(path);
    for (const name of ["evaluate/x", "chains/positions"]) {
      const tensors = new Map(whole.tensors);
      tensors.delete(name);
      await saveCheckpoint(path, { ...whole, tensors });

      const error = await assertRejects(() => loadDimerData(path, system, 1), RangeError);

      assertEquals(
        error.message,
        `Cannot resume from ${path}: the file must hold ${name}, got none: start anew with --force`,
      );
    }
  }));
