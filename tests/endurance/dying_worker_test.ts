/** A worker that dies at work: in `train`, and in the scripts. Each program here is watched, so that a hang is a failure. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Control, ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../src/hybrid/boltzmann_objective.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/training/snapshot.ts";
import { train, type TrainingPosition } from "../../src/training/train.ts";
import { type Finished, tryDeno } from "../support/deno_process.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { long, record } from "../support/incidents.ts";
import { observedPool } from "../support/observed_pool.ts";
import { comparableReport } from "../support/tiny_runs.ts";

await loadKernels();

const DEAD =
  "Cannot run kernels on threads: a worker must give a sign of life within 2 s, got none: open another pool and " +
  "go on from the last checkpoint";

/** A small training; the same numbers whenever it is stopped and gone on with. */
function training() {
  const flow = new Flow(new RealNVP({ dim: 2, blocks: 1, hidden: [8], seed: 5 }));
  const stage: BoltzmannStage = {
    name: "energy",
    steps: 20,
    batch: 128,
    learningRate: { shape: "constant", initial: 1e-3 },
    weights: { maximumLikelihood: 0, energy: 1, reactionCoordinate: 0 },
  };
  const objective = boltzmannObjective({ flow, system: new DoubleWell({ dim: 2 }), beta: 1, seed: 1 });
  const parameters = flow.parameters();
  return { parameters, options: { parameters, stages: [stage], objective, checkpointEveryMs: -1 } };
}

Deno.test("train() ends with an error where a worker dies at work, and another pool goes on to the same parameters", async () => {
  const whole = training();
  await train(whole.options);

  const { pool, worker, control } = await observedPool(2);
  const kill = () => {
    worker.terminate();
    Atomics.add(control, Control.active, 1); // what it leaves behind when it dies between two tasks
  };
  const { parameters, options } = training();
  const saved: { position: TrainingPosition; values: ReturnType<typeof takeSnapshot> }[] = [];
  const onCheckpoint = (position: TrainingPosition) => {
    saved.push({ position, values: takeSnapshot(parameters) });
    if (saved.length === 7) kill();
  };
  await assertRejects(() => train({ ...options, pool, onCheckpoint }), Error, DEAD);
  await assertRejects(() => train({ ...options, pool, onCheckpoint }), Error, DEAD);
  pool.close();

  const { position, values } = saved[6];
  assertEquals(position.step, 7);
  restoreSnapshot(parameters, values);
  using another = await ThreadPool.open(2);
  await train({ ...options, pool: another, resume: position });
  assertEquals(parameters.map((p) => p.values()), whole.parameters.map((p) => p.values()));
});

/** Seconds after which a program that should have ended is hanging. */
const WATCH = 120;

/** Runs a program under a watchdog, which kills it where it hangs. */
function watched(name: string, ...args: readonly string[]): Promise<Finished> {
  const path = new URL(name, import.meta.url).pathname;
  return tryDeno(["run", "-A", "--no-check", path, ...args], { seconds: WATCH });
}

/** Reports by what is run. */
const reports = {
  dimer: "report.json",
  comparison: "comparison.json",
  ...long && { temperatures: "report.json", fluid: "report.json" },
};

for (const [kind, report] of Object.entries(reports)) {
  Deno.test(`a script whose worker dies ends with a sentence and keeps its checkpoint, with which --resume ends as if nothing had been: ${kind}`, async () => {
    await inTemporaryDirectory(async (directory) => {
      const start = performance.now();
      const [whole, dying] = [`${directory}/whole`, `${directory}/dying`];
      const tiny = "../support/tiny_run_program.ts";
      const args = [kind, "--threads=2", "--checkpoint-every=0"];

      const { code, stderr } = await watched("dying_worker_program.ts", ...args, `--out=${dying}`);

      assertEquals(code, 1, stderr);
      const [said, checkpoint] = stderr.trimEnd().split("; the last good checkpoint is ");
      assert(said.endsWith(DEAD), stderr);
      assert(checkpoint.startsWith(dying) && (await Deno.stat(checkpoint)).isFile, stderr);
      const [resumed, undisturbed] = [
        await watched(tiny, ...args, `--out=${dying}`, "--resume"),
        await watched(tiny, ...args, `--out=${whole}`),
      ];
      assertEquals([resumed.code, undisturbed.code], [0, 0], resumed.stderr);
      assertEquals(await comparableReport(dying, report), await comparableReport(whole, report));
      const seconds = (performance.now() - start) / 1000;
      record({ incident: `worker that dies at work, ${kind}`, trials: 1, lost: 0, wrong: 0, seconds });
    });
  });
}
