/** A worker that dies at work: in `train`, and in the scripts. Each program here is watched, so that a hang is a failure. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Control, ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../src/hybrid/boltzmann_objective.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/training/snapshot.ts";
import { train, type TrainingPosition } from "../../src/training/train.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { long, record } from "../support/incidents.ts";
import { observedPool } from "../support/observed_pool.ts";

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
async function watched(...args: readonly string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...args],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let hangs = false;
  const watchdog = setTimeout(() => {
    hangs = true;
    child.kill("SIGKILL");
  }, 1000 * WATCH);
  const { code, stderr } = await child.output();
  clearTimeout(watchdog);
  return { code, hangs, message: new TextDecoder().decode(stderr) };
}

const here = (name: string) => new URL(name, import.meta.url).pathname;

for (const kind of long ? ["dimer", "temperatures", "fluid"] : ["dimer"]) {
  Deno.test(`a script whose worker dies ends with a sentence and keeps its checkpoint, with which --resume ends as if nothing had been: ${kind}`, async () => {
    await inTemporaryDirectory(async (directory) => {
      const start = performance.now();
      const [whole, dying] = [`${directory}/whole`, `${directory}/dying`];
      const tiny = here("../support/tiny_run_program.ts");
      const args = [kind, "--threads=2", "--checkpoint-every=0"];

      const dead = await watched(here("dying_worker_program.ts"), ...args, `--out=${dying}`);

      assert(!dead.hangs, "it hangs");
      assertEquals(dead.code, 1, dead.message);
      assert(dead.message.includes(DEAD), dead.message);
      if (kind !== "fluid") assertMatch(dead.message, /the last good checkpoint is .+checkpoint\.safetensors\n$/);
      const [resumed, undisturbed] = [
        await watched(tiny, ...args, `--out=${dying}`, "--resume"),
        await watched(tiny, ...args, `--out=${whole}`),
      ];
      assertEquals([resumed.code, undisturbed.code], [0, 0], resumed.message);
      const reports = [dying, whole].map((path) => JSON.parse(Deno.readTextFileSync(`${path}/report.json`)));
      reports.forEach((report) => {
        delete report.wallTimeMs;
        delete report.onnx?.samplesPerSecond;
      });
      assertEquals(reports[0], reports[1]);
      const seconds = (performance.now() - start) / 1000;
      record({ incident: `worker that dies at work, ${kind}`, trials: 1, lost: 0, wrong: 0, seconds });
    });
  });
}
