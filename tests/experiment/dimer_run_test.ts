import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FlowAudit } from "../../src/flow/audit_checks.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { comparableReport, runTinyDimer, silent, tinyDimer as tiny } from "../support/tiny_runs.ts";

await loadKernels();

function run(out: string, variation: Omit<Parameters<typeof runTinyDimer>[0], "out"> = {}) {
  return runTinyDimer({ out, ...variation });
}

/** The report without what may differ between machines and runs, rates of sampling among it. */
async function reportWithoutRates(out: string): Promise<Record<string, unknown>> {
  const report = await comparableReport(out);
  delete (report.onnx as { samplesPerSecond?: number }).samplesPerSecond;
  return report;
}

const read = (path: string) => Deno.readFile(path);

Deno.test("runDimer() writes report, models and checkpoint, the same for one and two threads and after a resumed stop", async (t) => {
  const root = await Deno.makeTempDir();
  const [one, two, stopped] = ["one", "two", "stopped"].map((name) => `${root}/${name}`);
  const result = await run(one);
  assert(result.complete);

  await t.step("the report has every key that programs rely on", async () => {
    const report = await reportWithoutRates(one);
    for (
      const key of [
        "system",
        "seed",
        "budget",
        "temperature",
        "energyEvaluations",
        "flow",
        "losses",
        "samplingEfficiency",
        "paretoK",
        "outsideDomain",
        "freeEnergyDifference",
        "profile",
        "onnx",
        "audit",
      ]
    ) assert(key in report, `report.json lacks ${key}`);
    // A small flow, hardly trained, is a correct density all the same.
    const { passed, checks } = report.audit as FlowAudit;
    assertEquals([passed, checks.map(({ verdict }) => verdict)], [true, [
      ...new Array(4).fill("passed"),
      "not possible",
    ]]);
    const differences = report.freeEnergyDifference as Record<string, Record<string, unknown>>;
    for (const name of ["reweighting", "bar", "reference", "headline"]) {
      for (const key of ["value", "standardError", "interval95", "reliable", "reason"]) {
        assert(key in differences[name], `freeEnergyDifference.${name} lacks ${key}`);
      }
    }
    // 3,000 samples did not suffice, so the run went on to the most it may draw.
    assertEquals(report.samples, tiny.evaluation.until.maximumSamples);
    const { evaluation } = report.energyEvaluations as Record<string, number>;
    assertEquals(evaluation, tiny.evaluation.until.maximumSamples + tiny.data.frames.evaluate, "one energy for each");
    // Two hundred frames and a net of this size cannot support an estimate, and the report must say so.
    assertEquals(differences.headline.reliable, false);
    assertEquals(differences.headline.value, null);
    assert(typeof differences.headline.reason === "string");
  });

  await t.step("two threads give the same bytes", async () => {
    assert((await run(two, { threads: 2 })).complete);
    for (const file of ["sampler.onnx", "density.onnx", "checkpoint.safetensors", "data.safetensors"]) {
      assertEquals(await read(`${two}/${file}`), await read(`${one}/${file}`), file);
    }
    assertEquals(await reportWithoutRates(two), await reportWithoutRates(one));
  });

  await t.step("a run stopped in training and resumed ends with the same bytes", async () => {
    const controller = new AbortController();
    let steps = 0;
    const progress = {
      ...silent,
      update: (_: number, loss?: number) => {
        if (loss !== undefined && ++steps === 9) controller.abort();
      },
    };
    const first = await run(stopped, { signal: controller.signal, progress });
    assertEquals(first, { complete: false, during: "training" });
    assert((await run(stopped, { resume: true })).complete);
    for (const file of ["sampler.onnx", "density.onnx", "checkpoint.safetensors", "data.safetensors"]) {
      assertEquals(await read(`${stopped}/${file}`), await read(`${one}/${file}`), file);
    }
    assertEquals(await reportWithoutRates(stopped), await reportWithoutRates(one));
  });

  await t.step("a stop whose checkpoint cannot be written is an error, not a run that can go on", async () => {
    const controller = new AbortController();
    const blocked = `${root}/blocked`;
    const update = (_: number, loss?: number) => {
      if (loss === undefined || controller.signal.aborted) return;
      Deno.mkdirSync(`${blocked}/checkpoint.safetensors/in the way`, { recursive: true });
      controller.abort();
    };
    const error = await assertRejects(
      () => run(blocked, { signal: controller.signal, progress: { ...silent, update } }),
      Error,
    );
    assert(error.message.includes(`${blocked}/checkpoint.safetensors`), error.message);
  });

  await t.step("a loss that becomes infinite ends the run with stage, step and checkpoint", async () => {
    const [first, second] = tiny.stages;
    const wild = { ...second, learningRate: { shape: "constant", initial: 1e30 } } as const;
    const error = await assertRejects(
      () => run(`${root}/wild`, { settings: { ...tiny, stages: [first, wild] } }),
      Error,
    );
    assert(
      /^Cannot go on training( at step \d of stage "mixture")?: .* must be finite, got .*; /.test(error.message),
      error.message,
    );
    assert(error.message.endsWith(`the last good checkpoint is ${root}/wild/checkpoint.safetensors`), error.message);
  });

  await t.step("with weights of float16 the report is about the rounded flow, as the models are", async () => {
    const half = `${root}/half`;
    assert((await run(half, { settings: { ...tiny, storage: "float16" } })).complete);
    const [full, rounded] = [await reportWithoutRates(one), await reportWithoutRates(half)];
    const nll = (report: Record<string, unknown>) => (report.evaluationNll as { all: number }).all;
    assert(nll(full) !== nll(rounded), "frames were evaluated before the weights were rounded");
    assert((await read(`${half}/sampler.onnx`)).length < (await read(`${one}/sampler.onnx`)).length);
    assert(/rounded to float16$/.test((rounded.flow as { description: string }).description));
  });

  await t.step("another seed gives another model", async () => {
    const ours = await read(`${one}/sampler.onnx`);
    assert((await run(`${root}/other`, { seed: 4 })).complete);
    assert((await read(`${root}/other/sampler.onnx`)).some((byte, i) => byte !== ours[i]));
  });

  await t.step("a directory that holds a run is refused, and left as it is", async () => {
    const before = await read(`${one}/report.json`);
    await assertRejects(() => run(one), Error, "Cannot start a run in");
    await assertRejects(() => run(one, { resume: true, seed: 5 }), Error, "Cannot resume the run in");
    assertEquals(await read(`${one}/report.json`), before);
  });
  await Deno.remove(root, { recursive: true });
});
