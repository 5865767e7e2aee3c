/**
 * Trains or samples in a process of its own and prints what memory it uses at some steps, as one line of JSON.
 *
 * Arguments: what (ml, kl, external, leak, both or sample), threads, and the steps after which to look, ascending. Needs
 * `--v8-flags=--expose-gc`.
 */
import { square, sumFeatures } from "../../src/graph/operations.ts";
import type { Executor } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { memory } from "../../src/backend/shared_memory.ts";
import { allocatedBytes } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../src/hybrid/boltzmann_objective.ts";
import type { EnergyFunction } from "../../src/loss/energy.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { systemFromEnergy } from "../../src/system/from_autodiff.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { train } from "../../src/training/train.ts";

/** Memory of a process after a step; bytes. */
export interface MemoryAtStep {
  readonly step: number;
  /** Size of the kernels' memory. */
  readonly wasm: number;
  /** What of it is in use. */
  readonly allocated: number;
  /** JavaScript heap after a collection. */
  readonly heap: number;
  /** Array buffers outside of the heap. */
  readonly external: number;
  /** Largest resident memory so far; 0 where there is no /proc. */
  readonly peak: number;
  /** Since the start. */
  readonly milliseconds: number;
}

const collect = (globalThis as unknown as { gc(): void }).gc;
const [what, threads, ...steps] = Deno.args.map((arg, i) => i === 0 ? arg : Number(arg)) as [string, ...number[]];
const seen: MemoryAtStep[] = [];
/** What a training that leaks would keep of each step. */
const kept: number[][] = [];

/** Largest resident memory of this process so far, in bytes; 0 where there is no /proc. */
function peakResident(): number {
  try {
    return 1024 * Number(/VmHWM:\s*(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function look(step: number): void {
  if (!steps.includes(step)) return;
  collect();
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  seen.push({
    step,
    wasm: memory.buffer.byteLength,
    allocated: allocatedBytes(),
    heap: heapUsed,
    external,
    peak: peakResident(),
    milliseconds: performance.now(),
  });
}

/** A flow with what it is trained on. */
interface Task {
  readonly dim: number;
  readonly batch: number;
  readonly flow: Flow;
  readonly system: EnergyFunction;
  readonly weights: { readonly maximumLikelihood: number; readonly energy: number; readonly reactionCoordinate: 0 };
}

/** The smallest flow there is, so that what is left over from a step shows; or the published one of 76 coordinates. */
function taskOf(what: string): Task {
  const [maximumLikelihood, energy] = what === "ml" || what === "leak" ? [1, 0] : what === "both" ? [1, 1] : [0, 1];
  const weights = { maximumLikelihood, energy, reactionCoordinate: 0 } as const;
  if (what === "both") {
    return { dim: 76, batch: 1024, flow: new Flow(new RealNVP({ dim: 76 })), system: new ParticleDimer(), weights };
  }
  const flow = new Flow(new RealNVP({ dim: 2, blocks: 1, hidden: [8] }));
  const system = what === "external" ? bowl : systemFromEnergy((x) => sumFeatures(square(x)), { dim: 2 });
  return { dim: 2, batch: 32, flow, system, weights };
}

/** |x|², computed outside of any graph, as a user's own energy may be. */
const bowl: EnergyFunction = {
  dim: 2,
  energyAndGradient: (x) => ({
    energy: Float64Array.from({ length: x.length / 2 }, (_, i) => x[2 * i] ** 2 + x[2 * i + 1] ** 2),
    gradient: x.map((v) => 2 * v),
  }),
};

/** Training steps as a user makes them; the first look is after the step that makes room. */
async function trainSteps(pool: Executor): Promise<void> {
  const { dim, batch, flow, system, weights } = taskOf(what);
  const data = new RandomStream(1).fillNormals(new Float64Array(batch * dim));
  const objective = boltzmannObjective({ flow, system, beta: 1, data: () => data, seed: 1 });
  const count = steps.at(-1)!;
  await train<BoltzmannStage>({
    parameters: flow.parameters(),
    // One step more: steps are looked at when the next one asks for its batch.
    stages: [{ name: what, steps: count + 1, batch, learningRate: { shape: "constant", initial: 1e-4 }, weights }],
    objective: (...given) => {
      const made = objective(...given);
      const draw = (step: number) => {
        if (what === "leak") kept.push([step]);
        look(step);
        return made.batch(step);
      };
      return { ...made, batch: draw };
    },
    reportEvery: count + 1,
    pool,
  });
}

/** Samples of a flow, a number that does not fill its panels. */
function drawSamples(pool: Executor): void {
  const { flow } = taskOf("ml");
  for (let step = 1; step <= steps.at(-1)!; step++) {
    flow.sample(33, { seed: 1, first: 33 * step, pool });
    look(step);
  }
}

await loadKernels();
const pool = await ThreadPool.open(threads);
if (what === "sample") drawSamples(pool);
else await trainSteps(pool);
pool[Symbol.dispose]();
console.log(JSON.stringify(seen));
