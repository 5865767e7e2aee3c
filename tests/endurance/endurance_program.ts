/**
 * Works for a long time in a process of its own and prints what the process holds at some steps, as one line of JSON.
 *
 * Arguments: what, and the steps after which to look, ascending. Needs `--v8-flags=--expose-gc` and /proc.
 */
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../src/hybrid/boltzmann_objective.ts";
import { exportFlow } from "../../src/onnx/export_flow.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import type { Backend } from "../../src/sampler/session.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { train } from "../../src/training/train.ts";

/** What a process holds after a step. */
export interface Holding {
  readonly step: number;
  /** Resident memory in bytes. */
  readonly resident: number;
  /** Open files, pipes and sockets. */
  readonly files: number;
  /** Threads of the operating system. */
  readonly threads: number;
}

const collect = (globalThis as unknown as { gc(): void }).gc;
const [what, ...steps] = Deno.args.map((arg, i) => i === 0 ? arg : Number(arg)) as [string, ...number[]];
const last = steps.at(-1)!;
const seen: Holding[] = [];
/** What a program that leaks would keep. */
const kept: unknown[] = [];

function status(name: string): number {
  return Number(new RegExp(`${name}:\\s*(\\d+)`).exec(Deno.readTextFileSync("/proc/self/status"))?.[1]);
}

/**
 * Resident memory in bytes when collecting brings no more. What was closed is gone after a turn of the event loop, and
 * lets go of more after the next (60 MiB of compiled code after ten models); workers take a moment to end.
 */
async function settledMemory(): Promise<number> {
  let [before, now] = [Infinity, Infinity];
  do {
    before = now;
    for (let turn = 0; turn < 2; turn++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    collect();
    now = 1024 * status("VmRSS");
  } while (now < before - 2 ** 20);
  return now;
}

async function look(step: number): Promise<void> {
  const resident = await settledMemory();
  const files = [...Deno.readDirSync("/proc/self/fd")].length;
  seen.push({ step, resident, files, threads: status("Threads") });
}

const smallFlow = () => new Flow(new RealNVP({ dim: 2, blocks: 1, hidden: [8] }));
const system = new DoubleWell({ dim: 2 });
const metadata = { system: "test", preset: "none", parameters: {}, particles: null, temperature: 1 };
const units = { length: "1", energy: "k_B T₀", temperature: "T₀" };

/** Repeats something; looks after the steps that were asked for. */
async function repeat(body: (step: number) => unknown): Promise<void> {
  for (let step = 1; step <= last; step++) {
    await body(step);
    if (steps.includes(step)) await look(step);
  }
}

function models(): Uint8Array {
  return exportFlow(smallFlow(), { ...metadata, units, referenceDomain: "all", seed: 1 }).sampler;
}

async function drawOften(backend: Backend): Promise<void> {
  await using sampler = await loadSampler(models(), { backend });
  await repeat((step) => sampler.sample(3, { seed: 1, first: 3 * step }));
}

async function openOften(backend: Backend): Promise<void> {
  const bytes = models();
  await repeat(async (step) => {
    await using sampler = await loadSampler(bytes, { backend });
    await sampler.sample(3, { seed: step });
  });
}

const programs: Record<string, () => Promise<void>> = {
  /** Two threads train a flow on data and energies. */
  async training() {
    using pool = await ThreadPool.open(2);
    const flow = smallFlow();
    const data = new RandomStream(1).fillNormals(new Float64Array(2 * 64));
    const objective = boltzmannObjective({ flow, system, beta: 1, data: () => data, seed: 1 });
    const weights = { maximumLikelihood: 1, energy: 1, reactionCoordinate: 0 };
    const rate = { shape: "constant", initial: 1e-4 } as const;
    let from = 0;
    for (const until of steps) {
      const stage = { name: "long", steps: until - from, batch: 64, learningRate: rate, weights };
      await train<BoltzmannStage>({
        parameters: flow.parameters(),
        stages: [stage],
        objective,
        reportEvery: last,
        pool,
      });
      await look(until);
      from = until;
    }
  },
  /** Samples of a flow, a few at a time. */
  async sample() {
    const flow = smallFlow();
    await repeat((step) => flow.sample(3, { seed: 1, first: 3 * step }));
  },
  /** Samples of a model in onnxruntime, a few at a time. */
  onnx: () => drawOften("onnxruntime"),
  /** Samples of a model by our own kernels, a few at a time. */
  kernels: () => drawOften("kernels"),
  /** Models that are opened in onnxruntime and closed. */
  sessions: () => openOften("onnxruntime"),
  /** Models that are opened by our own kernels and closed. */
  "kernel sessions": () => openOften("kernels"),
  /** Pools of threads that are opened and closed. */
  async pools() {
    await repeat(async () => {
      using pool = await ThreadPool.open(3);
      smallFlow().sample(100, { seed: 1, pool });
    });
  },
  /** Files that are opened and never closed. */
  "leak of files": () => repeat(() => void kept.push(Deno.openSync("/proc/self/status"))),
  /** Workers that are never ended. */
  "leak of threads": () => repeat(async () => void kept.push(await ThreadPool.open(2))),
  /** Arrays of 4 KiB that are never let go. */
  "leak of memory": () => repeat(() => void kept.push(new Float64Array(512).fill(1))),
};

await loadKernels();
// Deno opens some files when it looks and waits for the first time.
await look(0);
seen.length = 0;
await programs[what]();
console.log(JSON.stringify(seen));
if (what.startsWith("leak")) Deno.exit();
