/**
 * The autoregressive particle flow of the dimer, both heads, one thread: ours beside PyTorch on the same parameters.
 *
 * Run with `deno bench -A tests/bench/particle_flow_bench.ts`. Aims of the project: weighted samples and training 1.5 times
 * as fast as PyTorch, better 3 times. PyTorch comes from Debian (`apt-get install python3-torch`: 1.13 with OpenBLAS); where
 * there is none the bench says so and times ours alone. Models are trained for a moment on real frames first, so that
 * densities look as they do in use; both sides then compute the same ln p, loss and gradient, or the bench stops.
 *
 * What limits ours: matrix products of networks run on 128 bits at a time in WebAssembly, on 256 in PyTorch's libraries.
 *
 * @module
 */
import { Graph } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { input } from "../../src/graph/operations.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { AutoregressiveParticleFlow } from "../../src/flow/autoregressive_particle_flow.ts";
import { Flow } from "../../src/flow/flow.ts";
import type { HeadOptions } from "../../src/flow/particle_heads.ts";
import { maximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import type { NpyArray } from "../../src/format/npy.ts";
import { decodeNpz, encodeNpz } from "../../src/format/npz.ts";
import { Adam } from "../../src/optim/adam.ts";
import { MetropolisChains } from "../../src/sampling/metropolis_chains.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { train } from "../../src/training/train.ts";
import { compareInTurn, type LateContender, timed } from "./compare.ts";

const PYTHON = "/usr/bin/python3";
const HEADS = ["mixture", "tilted"] as const;
type Head = typeof HEADS[number];
const GRIDS = { training: { fine: 17, coarse: 17 }, sampling: { fine: 33, coarse: 17 } };
/**
 * Largest difference in ln p of a configuration. Ours interpolates pair energies to 0.1 % and cuts them off below 0.003 k_BT;
 * 38 particles with about eight neighbours each: errors of 1e-3 · √300 with energies of order one.
 */
const TOLERANCE = 0.1;
const STEPS: Readonly<Record<Head, number>> = { mixture: 600, tilted: 250 };

const build = await loadKernels();
const dimer = new ParticleDimer();
const { dim, particles } = dimer;

/** Frames of both basins. */
function sampleFrames(): Float64Array {
  const chains = new MetropolisChains(dimer, { chains: 32, seed: 1 });
  chains.tune(1000);
  const frames = new Float64Array(16_384 * dim);
  for (let at = 0; at < frames.length; at += 32 * dim) {
    chains.advance(40);
    frames.set(chains.frames().x, at);
  }
  return frames;
}

const frames = sampleFrames();
const heads: Readonly<Record<Head, HeadOptions>> = {
  mixture: { kind: "mixture", components: 12 },
  tilted: { kind: "tilted", interactions: dimer, grid: GRIDS.training, basis: 7 },
};

/** Rows `step` · n to n further, from the start again after the end. */
function batchOf(n: number, step: number): Float64Array {
  const first = step % Math.floor(frames.length / dim / n) * n;
  return frames.subarray(first * dim, (first + n) * dim);
}

async function trained(head: Head): Promise<{ bijector: AutoregressiveParticleFlow; flow: Flow }> {
  const bijector = AutoregressiveParticleFlow.fit(frames, { particles, spatialDim: 2, head: heads[head], seed: 1 });
  const flow = new Flow(bijector);
  await train({
    parameters: flow.parameters().filter((parameter) => parameter.trainable),
    stages: [{
      name: head,
      steps: STEPS[head],
      batch: 128,
      learningRate: { shape: "cosine", initial: 4e-3, final: 1e-4, warmup: 20 },
      adam: { maximumNorm: 20 },
    }],
    objective: (graph) => ({
      loss: maximumLikelihoodLoss(flow, input(graph, "x", dim)),
      metrics: {},
      batch: (step) => [batchOf(128, step)],
    }),
  });
  return { bijector, flow };
}

const models = { mixture: await trained("mixture"), tilted: await trained("tilted") };

/** Steps of Adam on one thread. */
function ourTraining(head: Head, n: number) {
  models[head].bijector.setGrid(GRIDS.training);
  const graph = new Graph();
  const loss = maximumLikelihoodLoss(models[head].flow, input(graph, "x", dim));
  const run = new KernelRun([loss], { n, gradient: true, pool: serialPool });
  const parameters = models[head].flow.parameters().filter((parameter) => run.gradients.offsets.has(parameter));
  const adam = new Adam(parameters, { maximumNorm: 20 });
  let step = 0;
  return (rate: number) => {
    const [[value]] = run.forward([batchOf(n, step++)]);
    run.backward([Float64Array.of(1)]);
    return { loss: value, ...adam.step(run.gradients, rate) };
  };
}

/** Samples with ln p on one thread. */
function ourSampling(head: Head, n: number): () => void {
  const { bijector, flow } = models[head];
  bijector.setGrid(GRIDS.sampling);
  flow.release();
  let first = 0;
  return () => void flow.sample(n, { seed: 1, first: first += n });
}

/** The PyTorch side as a program that answers lines. */
class Peer {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(folder: string) {
    const script = new URL("particle_flow_peer.py", import.meta.url).pathname;
    const env = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
    const args = [script, `${folder}/models.npz`, `${folder}/meta.json`];
    this.#process = new Deno.Command(PYTHON, { args, env, stdin: "piped", stdout: "piped" }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line that it writes. */
  async line(): Promise<string> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the peer ended early");
      this.#rest += value;
    }
    const [line, ...rest] = this.#rest.split("\n");
    this.#rest = rest.join("\n");
    return line;
  }

  async ask(...words: (string | number)[]): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(words.join(" ") + "\n"));
    return await this.line();
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#process.status;
  }
}

/** Whether PyTorch can be asked. */
async function hasTorch(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(PYTHON, { args: ["-c", "import torch"], stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

/** Writes both models and the frames for the peer. */
async function writeModels(folder: string): Promise<void> {
  const arrays: Record<string, NpyArray> = { frames: { shape: [frames.length / dim, dim], data: frames } };
  const meta: Record<string, unknown> = {};
  const { c12, ...energy } = { c12: dimer.parameters.epsilon * dimer.parameters.sigma ** 12, ...bondOf() };
  for (const head of HEADS) {
    const { bijector, flow } = models[head];
    for (const parameter of flow.parameters()) {
      arrays[`${head}.${parameter.name}`] = {
        shape: [...parameter.shape],
        data: Float32Array.from(parameter.values()),
      };
    }
    const options = bijector.options.head;
    meta[head] = {
      particles,
      hidden: [64, 64],
      components: 12,
      basis: 7,
      features: head === "mixture" ? 72 : 49,
      neighbours: options.kind === "tilted" ? options.neighbours : [],
      grids: GRIDS,
      tailRate: 100,
      beta: 1,
      c12,
      // Nearer than this a pair has more than 200 k_BT, where tables are cut off.
      closest: (c12 / 200) ** (1 / 6),
      ...energy,
    };
  }
  await Deno.writeFile(`${folder}/models.npz`, await encodeNpz(arrays));
  await Deno.writeTextFile(`${folder}/meta.json`, JSON.stringify(meta));
}

function bondOf() {
  const { slope, a, b, d0 } = dimer.parameters;
  return { d0, bond: [2 * slope, -4 * a, 16 * b] };
}

/** What the peer computed must be what we compute. */
async function check(peer: Peer, head: Head, folder: string): Promise<void> {
  await peer.ask("check", head, `${folder}/${head}.npz`);
  const found = await decodeNpz(await Deno.readFile(`${folder}/${head}.npz`));
  const numbers = (name: string) => Float64Array.from(found.get(name)!.data as Float64Array);
  const { bijector, flow } = models[head];
  bijector.setGrid(GRIDS.sampling);
  flow.release();
  const ours = flow.logProb(numbers("x"));
  const theirs = numbers("logProb");
  const worst = ours.reduce((most, log, i) => Math.max(most, Math.abs(log - theirs[i])), 0);
  const { loss, gradientNorm } = ourTraining(head, 128)(0);
  const training = [1, particles].map((group) => numbers(`training${group}`));
  console.log(
    `${head}: ln p of 512 samples differs by at most ${worst.toExponential(1)}; loss ${loss.toFixed(4)}, PyTorch ` +
      `${training.map(([value]) => value.toFixed(4)).join(" and ")}; norm of the gradient ${
        gradientNorm.toFixed(4)
      }, ` +
      `PyTorch ${training.map(([, value]) => value.toFixed(4)).join(" and ")}`,
  );
  if (head === "mixture") checkMap(numbers("z"), numbers("mapped"));
  const agrees = worst < TOLERANCE &&
    training.every(([value, norm]) =>
      Math.abs(value - loss) < TOLERANCE / 10 && Math.abs(norm / gradientNorm - 1) < 0.02
    );
  if (!agrees) throw new Error(`the contenders disagree on the ${head} head`);
}

/** Particles far out in a tail, which float32 distribution functions do not resolve, may drag a few samples along. */
function checkMap(z: Float64Array, theirs: Float64Array): void {
  const { x } = models.mixture.flow.decode(z);
  const sorted = Array.from({ length: z.length / dim }, (_, i) => {
    const rows = [x, theirs].map((all) => all.subarray(i * dim, (i + 1) * dim));
    return rows[0].reduce((most, v, k) => Math.max(most, Math.abs(v - rows[1][k])), 0);
  }).sort((a, b) => a - b);
  const common = sorted[Math.floor(0.9 * sorted.length)];
  console.log(`mixture: x of z differs by at most ${common.toExponential(1)} in nine samples of ten`);
  if (!(common < 1e-2)) throw new Error("the contenders map z differently");
}

const OUR_BATCHES = { train: [128, 256, 512], sample: [256, 2048] } as const;

/** Ours at its best batch, or at a given one. */
async function ourBest(
  head: Head,
  work: "train" | "sample",
  batches: readonly number[] = OUR_BATCHES[work],
): Promise<LateContender> {
  const contenders = [];
  for (const n of batches) {
    const step = work === "train" ? ourTraining(head, n) : null;
    const run = step === null ? ourSampling(head, n) : () => void step(1e-6);
    const contender = await timed(`Wasm (${build}), batch ${n}`, n, run);
    contenders.push({ contender, time: Math.min(...Array.from({ length: 3 }, contender.nanoseconds)) });
  }
  const speeds = contenders.map(({ contender, time }) => `${contender.name} ${(1e6 / time).toFixed(2)}`);
  console.log(`\n${head}, ${work}: ${speeds.join(", ")} thousand/s`);
  return contenders.reduce((best, next) => next.time < best.time ? next : best).contender;
}

/** Theirs at its best batch, or at a given one. Ancestral samples of a mixture need no map; the map from z does what ours does. */
async function theirBest(
  peer: Peer,
  head: Head,
  work: "train" | "sample" | "map",
  given: readonly number[] = [],
): Promise<LateContender> {
  const [batch, group] = (await peer.ask("tune", head, work, ...given)).split(" ");
  const how = { train: `, ${group} at once`, sample: head === "mixture" ? ", ancestral" : "", map: ", z to x" };
  return {
    name: `PyTorch, batch ${batch}${how[work]}`,
    nanoseconds: async () => Number(await peer.ask("time", head, work, batch, group)),
  };
}

const folder = await Deno.makeTempDir({ prefix: "boltzflow_bench_" });
const peer = await hasTorch() ? (await writeModels(folder), new Peer(folder)) : null;
const version = await peer?.line();
if (peer === null) console.log(`No PyTorch at ${PYTHON} (Debian: apt-get install python3-torch): ours alone.`);
else console.log(`PyTorch ${version}`);
if (peer !== null) { for (const head of HEADS) await check(peer, head, folder); }

for (const work of ["sample", "train"] as const) {
  for (const head of HEADS) {
    const contenders: LateContender[] = [await ourBest(head, work)];
    if (peer !== null) {
      contenders.push(await theirBest(peer, head, work));
      if (work === "sample" && head === "mixture") contenders.push(await theirBest(peer, head, "map"));
    }
    const title = work === "sample" ? "Samples with ln p" : "Training";
    await compareInTurn(`${title}, ${head} head, one thread`, "samples", contenders, 9);
  }
}
// The batch that the dimer run trains with: small, because many small steps learn more in the same time.
for (const head of HEADS) {
  if (peer === null) break;
  const contenders = [await ourBest(head, "train", [128]), await theirBest(peer, head, "train", [128])];
  await compareInTurn(`Training, ${head} head, one thread, batch 128 for both`, "samples", contenders, 9);
}
await peer?.close();
await Deno.remove(folder, { recursive: true });
