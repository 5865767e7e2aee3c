/**
 * What every peer computes: one RealNVP with the same weights and inputs for all of them, handed over in files.
 *
 * A folder holds `workload.json` ({@link Workload}) and little-endian float32 numbers without any header: `weights.f32`
 * (all parameters in the order of the JSON, row-major) and the inputs [batch, dim] of the three tasks, `data.f32`,
 * `latent.f32` and `normal.f32`.
 *
 * @module
 */
import {
  type DimerCoefficients,
  Flow,
  MetropolisChains,
  type ModelDescription,
  type Parameter,
  ParticleDimer,
  RandomStream,
  RealNVP,
} from "../../mod.ts";

/**
 * What is timed: a step of maximum likelihood on `data.f32`, a step on the dimer's energy on `latent.f32` (both with
 * gradient and Adam), and z → (x, log-determinant) of `normal.f32`.
 */
export const FLOW_TASKS = ["maximumLikelihood", "energy", "sampling"] as const;
/** One of {@link FLOW_TASKS}. */
export type FlowTask = typeof FLOW_TASKS[number];

/** Size of a RealNVP on the dimer, and how many samples it gets at once. */
export interface FlowSize {
  /** Solvent particles; the flow has 2 (2 + solvent) coordinates. */
  readonly solvent: number;
  /** Blocks of two couplings. */
  readonly blocks: number;
  /** Hidden layers of each S and T network. */
  readonly hidden: readonly number[];
  /** Samples of a step. */
  readonly batch: number;
}

/** The flow of the published dimer: 76 coordinates, 16 couplings, 3.05 million parameters. */
export const R8: FlowSize = { solvent: 36, blocks: 8, hidden: [200, 200, 200], batch: 1024 };

/** `workload.json`. */
export interface Workload extends FlowSize {
  /** Coordinates. */
  readonly dim: number;
  /** The energy's numbers. */
  readonly coefficients: DimerCoefficients;
  /** The energy is linear up to a, logarithmic from there, constant from b on (`linLogCut`). */
  readonly softening: { readonly highEnergy: number; readonly maxEnergy: number };
  /** Adam's constants; `checkedRate` for the steps that are compared, `timedRate` for those that are timed. */
  readonly adam: {
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly checkedRate: number;
    /** Small: a step that costs what a step costs and hardly changes the model that is timed. */
    readonly timedRate: number;
  };
  /**
   * What the loss is multiplied by in each step that is compared; told losses are without it. Gradients that turn round
   * and change their size show whether Adam's moments are right.
   */
  readonly checkedFactors: readonly number[];
  /** Names and shapes of the parameters, `realnvp.<coupling>.<s or t>.<layer>.<weight or bias>`. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** Input file of each task. */
export const INPUTS: Readonly<Record<FlowTask, string>> = {
  maximumLikelihood: "data.f32",
  energy: "latent.f32",
  sampling: "normal.f32",
};

const FACTORS = [4, -1, 0.5];
const SEED = 20_190_906;
const Stream = { weights: 1, normals: 2, rounding: 3 } as const;
/** Unit roundoff of float32. */
const U = 2 ** -24;

/**
 * Counts multiplications and additions of the networks for one sample of one task; everything else (tanh, exp, energy,
 * Adam) is left out, so that speeds in flop/s are comparable and, if anything, too low.
 *
 * @param size the flow
 * @param task what is computed; a training step multiplies three times: values, gradients by inputs and by weights
 * @returns floating-point operations
 */
export function flopPerSample({ solvent, blocks, hidden }: FlowSize, task: FlowTask): number {
  const half = 2 + solvent;
  const sizes = [half, ...hidden, half];
  const network = sizes.slice(1).reduce((sum, outputs, i) => sum + 2 * sizes[i] * outputs, 0);
  return 2 * 2 * blocks * network * (task === "sampling" ? 1 : 3);
}

/** Makes the flow of a size with fresh weights. */
export function makeFlow({ solvent, blocks, hidden }: FlowSize): Flow {
  return new Flow(new RealNVP({ dim: 2 * (2 + solvent), blocks, hidden, seed: 1 }));
}

/** Gives every parameter random numbers, the biases and the S networks' last layers too: each term of a step matters. */
function randomise(parameters: readonly Parameter[], lastLayer: number): void {
  const random = new RandomStream(SEED, Stream.weights);
  for (const parameter of parameters) {
    const isLast = parameter.name.includes(`.${lastLayer}.`);
    const isBias = parameter.shape.length === 1;
    // Scales of about 0.1 per coupling: 16 of them neither blow a coordinate up nor forget it.
    const width = isBias ? 0.05 : 0.02;
    const values = parameter.values();
    parameter.set(values.map((v) => (isLast && !isBias ? 0 : v) + width * random.normal()));
  }
}

/** Sweeps that bring the published start to equilibrium, and between frames. */
const SWEEPS = { start: 400, between: 10 };
const CHAINS = 32;
/** In every so many frames two particles overlap, so that the logarithmic branch of the energy is used. */
const OVERLAPS = 16;
/** Their distance: 6·10⁶ k_BT for σ = 1.1. */
const OVERLAP = 0.3;

/** Equilibrium frames of both basins, some with an overlap. */
function frames(dimer: ParticleDimer, n: number): Float32Array<ArrayBuffer> {
  const { dim } = dimer;
  const x = new Float32Array(n * dim);
  const chains = new MetropolisChains(dimer, { chains: CHAINS, seed: SEED });
  chains.tune(SWEEPS.start);
  for (let s = 0; s < n; s += CHAINS) {
    chains.advance(SWEEPS.between);
    x.set(chains.positions().subarray(0, Math.min(CHAINS, n - s) * dim), s * dim);
  }
  for (let s = OVERLAPS - 1; s < n; s += OVERLAPS) {
    x[s * dim + 4] = x[s * dim + 6] + OVERLAP;
    x[s * dim + 5] = x[s * dim + 7];
  }
  return x;
}

/**
 * Writes a workload.
 *
 * The latent numbers of the energy task are those of the frames, so that energies are those of a flow in training: with
 * z from the prior and random weights every energy would be cut off, and a wrong one would pass.
 *
 * @param folder an existing folder
 * @param size what to make
 * @param checkedSteps training steps that are compared, at most three
 */
export async function writeWorkload(folder: string, size: FlowSize, checkedSteps = FACTORS.length): Promise<void> {
  const dimer = new ParticleDimer({ solvent: size.solvent });
  const flow = makeFlow(size);
  const parameters = flow.parameters();
  randomise(parameters, size.hidden.length);
  const data = frames(dimer, size.batch);
  const latent = Float32Array.from(flow.encode(Float64Array.from(data)).z);
  flow.release();
  const normals = new RandomStream(SEED, Stream.normals).fillNormals(new Float64Array(data.length));
  const workload: Workload = {
    ...size,
    dim: dimer.dim,
    coefficients: dimer.coefficients,
    softening: { highEnergy: 1e4, maxEnergy: 1e10 },
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, checkedRate: 1e-5, timedRate: 1e-6 },
    checkedFactors: FACTORS.slice(0, checkedSteps),
    parameters: parameters.map(({ name, shape }) => ({ name, shape })),
  };
  await Deno.writeTextFile(`${folder}/workload.json`, JSON.stringify(workload));
  await writeNumbers(`${folder}/weights.f32`, parameters.map((parameter) => parameter.values()));
  await writeNumbers(`${folder}/data.f32`, [data]);
  await writeNumbers(`${folder}/latent.f32`, [latent]);
  await writeNumbers(`${folder}/normal.f32`, [Float32Array.from(normals)]);
}

/**
 * Writes the same workload with every weight off by as much as the rounding of a sum can do: a dot product of K terms in
 * float32 is the exact one of weights that are off by at most K·2⁻²⁴ each. What then changes is what a correct program may
 * differ by.
 *
 * @param from folder of the workload
 * @param folder an existing folder for the copy
 * @param draw number of the copy
 */
export async function writeRoundedWorkload(from: string, folder: string, draw: number): Promise<void> {
  const { parameters } = await readWorkload(from);
  const weights = await readNumbers(`${from}/weights.f32`);
  const random = new RandomStream(SEED, Stream.rounding, draw);
  let at = 0;
  let terms = 1;
  for (const { shape } of parameters) {
    // A bias is one more term of its row's sum; it follows its weight in the list.
    if (shape.length === 2) terms = shape[1] + 1;
    const length = shape.reduce((a, b) => a * b, 1);
    for (const end = at + length; at < end; at++) weights[at] *= 1 + terms * U * (2 * random.uniform() - 1);
  }
  await writeNumbers(`${folder}/weights.f32`, [weights]);
  for (const name of ["workload.json", ...Object.values(INPUTS)]) {
    await Deno.copyFile(`${from}/${name}`, `${folder}/${name}`);
  }
}

/** Reads `workload.json` of a folder. */
export async function readWorkload(folder: string): Promise<Workload> {
  return JSON.parse(await Deno.readTextFile(`${folder}/workload.json`));
}

/** Makes the flow of a workload with the weights of its folder. */
export async function readFlow(folder: string): Promise<Flow> {
  const flow = makeFlow(await readWorkload(folder));
  const weights = await readNumbers(`${folder}/weights.f32`);
  let at = 0;
  for (const parameter of flow.parameters()) parameter.set(weights.subarray(at, at += parameter.length));
  return flow;
}

/** Reads a file of float32 numbers. */
export async function readNumbers(path: string): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array((await Deno.readFile(path)).buffer);
}

/** Writes arrays of numbers one after the other. */
export async function writeNumbers(
  path: string,
  arrays: readonly (Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>)[],
): Promise<void> {
  using file = await Deno.create(path);
  const writer = file.writable.getWriter();
  for (const { buffer, byteOffset, byteLength } of arrays) {
    await writer.write(new Uint8Array(buffer, byteOffset, byteLength));
  }
  await writer.close();
}

/** What a model file must say about itself, where nobody asks: no energy is computed from it. */
export const NAMELESS: ModelDescription = {
  system: "none",
  preset: "custom",
  parameters: {},
  particles: null,
  temperature: 1,
  units: {},
  referenceDomain: "everywhere",
  seed: 0,
};
