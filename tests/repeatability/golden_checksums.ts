/** The runs whose checksums are compared: every kind of data, flow, loss and export. */
import {
  add,
  AutoregressiveParticleFlow,
  type Bijector,
  boltzmannObjective,
  type BoltzmannStage,
  Chain,
  column,
  cos,
  couplingSample,
  dimerSymmetries,
  exp,
  exportFlow,
  Flow,
  FrameBuffer,
  LennardJonesFluid,
  loadKernels,
  metropolis,
  metropolisSample,
  MixtureGenerator,
  multiply,
  NICE,
  ParticleDimer,
  power,
  RandomStream,
  RealNVP,
  refinementObjective,
  type RefinementStage,
  scaleShift,
  settledStarts,
  sin,
  square,
  SymmetrisedGenerator,
  systemFromEnergy,
  ThreadPool,
  train,
  Whitening,
} from "../../mod.ts";
import { temperatureLadder } from "../../src/experiment/mod.ts";
import { describeDimer } from "../../src/experiment/dimer_models.ts";
import { logTemperatures, temperatureRows } from "../../src/experiment/temperature_ladder.ts";
import { sha256 } from "../../src/format/sha256.ts";
import { MetropolisChains } from "../../src/sampling/metropolis_chains.ts";

const SEED = 20;
const dimer = new ParticleDimer({ solvent: 4 });
const fluid = new LennardJonesFluid({ particles: 9 });

/** A user's energy of all operations that columns have. */
const userSystem = systemFromEnergy((x) => {
  const [a, b] = [column(x, 0), column(x, 1)];
  const well = add(scaleShift(square(square(a)), 0.25, 0), power(scaleShift(square(b), 1, 1), 0.7));
  return add(add(well, multiply(sin(a), cos(b))), exp(scaleShift(square(a), -1, 0)));
}, { dim: 2 });

type Pool = ThreadPool;
type Sums = Record<string, string>;

function digest(...arrays: readonly (Float32Array | Float64Array | Int32Array | Uint8Array)[]): string {
  return sha256(Uint8Array.from(arrays.flatMap((a) => [...new Uint8Array(a.buffer, a.byteOffset, a.byteLength)])));
}

/**
 * Computes all checksums.
 *
 * @param options kernels and threads
 */
export async function checksums(options: { deterministic: boolean; threads: number }): Promise<Sums> {
  await loadKernels({ deterministic: options.deterministic });
  using pool = await ThreadPool.open(options.threads);
  const data = await dimerData(pool);
  return {
    "random numbers": digest(new RandomStream(SEED).fillNormals(new Float64Array(10_000))),
    "Monte Carlo of the dimer": digest(data, umbrella(pool)),
    ...await fluidRuns(pool),
    "Monte Carlo of a user's energy": userChains(),
    ...await flowsOfTheDimer(data, pool),
    ...await energyRuns(pool),
  };
}

async function dimerData(pool: Pool): Promise<Float64Array> {
  const common = { chains: 8, seed: SEED, pool };
  const start = settledStarts(dimer, { ...common, temperature: 1, stream: 2, sweeps: 100 });
  return (await metropolisSample(dimer, { ...common, frames: 400, start, spacing: 0.25 })).x;
}

function umbrella(pool: Pool): Float64Array {
  const bias = { constant: 10, centres: Float64Array.of(0.8, 1.2, 1.6, 2.2) };
  const chains = new MetropolisChains(dimer, { chains: 4, temperature: 0.7, seed: SEED, bias });
  chains.tune(50, { pool });
  chains.advance(100, { pool });
  return chains.frames({ pool }).x;
}

async function fluidRuns(pool: Pool): Promise<Sums> {
  const sample = await metropolisSample(fluid, { frames: 300, chains: 8, seed: SEED, spacing: 0.25, pool });
  const coupled = await couplingSample(fluid, {
    sweeps: 20,
    nodes: 3,
    chains: 2,
    burnIn: 20,
    every: 5,
    seed: SEED,
    pool,
  });
  const bijector = AutoregressiveParticleFlow.fit(sample.x, {
    particles: fluid.particles,
    spatialDim: 2,
    hidden: [8],
    seed: SEED,
    head: { kind: "tilted", interactions: fluid, grid: { fine: 9, coarse: 9 } },
  });
  return {
    "Monte Carlo of the fluid": digest(sample.x, coupled.pairEnergies, coupled.derivatives),
    "tilted flow of the fluid": await fitted(bijector, sample.x, 8, pool),
  };
}

function userChains(): string {
  const start = new RandomStream(SEED, 5).fillNormals(new Float64Array(16));
  const { x, energy } = metropolis(userSystem, { start, steps: 50, step: 0.5, seed: SEED });
  return digest(x, energy);
}

const rate = { learningRate: { shape: "cosine", initial: 2e-3, warmup: 3 }, adam: { maximumNorm: 20 } } as const;

/** Trains by maximum likelihood; the checksum of all parameters. */
async function fitted(bijector: Bijector, data: Float64Array, steps: number, pool: Pool): Promise<string> {
  const flow = new Flow(bijector);
  await trainOn(flow, data, [{
    ...rate,
    name: "data",
    steps,
    batch: 96,
    weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 },
  }], pool);
  return parametersOf(flow);
}

async function trainOn(
  flow: Flow,
  data: Float64Array,
  stages: readonly BoltzmannStage[],
  pool: Pool,
  system: Parameters<typeof boltzmannObjective>[0]["system"] = dimer,
): Promise<void> {
  const { dim } = flow;
  const symmetries = dim === dimer.dim ? dimerSymmetries(dimer) : [];
  const buffer = new FrameBuffer({ dim, capacity: data.length / dim, seed: SEED, symmetries });
  buffer.push(data);
  await train({
    parameters: flow.parameters(),
    stages,
    objective: boltzmannObjective({
      flow,
      system: { dim, energyAndGradient: (x) => system.energyAndGradient(x) },
      beta: 0.9,
      data: (n, stage, step) => buffer.batch(n, stage, step),
      reactionCoordinate: { of: (x) => square(column(x, 0)), bounds: [0, 2], form: "entropy" },
      seed: SEED,
    }),
    validate: () => -flow.logProb(data.subarray(0, 64 * dim), { pool }).reduce((a, b) => a + b, 0),
    reportEvery: 4,
    pool,
  });
}

const parametersOf = (flow: Flow): string => digest(...flow.parameters().map((p) => p.values()));

const mixed = { maximumLikelihood: 1, energy: 0.1, reactionCoordinate: 0.1 };
const softening = { highEnergy: 20, maxEnergy: 1e10 };

async function flowsOfTheDimer(data: Float64Array, pool: Pool): Promise<Sums> {
  const { dim, particles } = dimer;
  const realNVP = new RealNVP({
    dim,
    blocks: 2,
    hidden: [8],
    scaleActivation: "tanh",
    shiftActivation: "silu",
    seed: SEED,
  });
  const flow = new Flow(new Chain([realNVP, Whitening.fit(data, dim)]));
  await trainOn(flow, data, [
    { ...rate, name: "data", steps: 12, batch: 96, weights: { ...mixed, energy: 0, reactionCoordinate: 0 } },
    { ...rate, name: "all losses", steps: 8, batch: 96, weights: mixed, softening },
  ], pool);
  const models = exportFlow(flow, describeDimer(dimer, 1, SEED));
  const nice = new NICE({ dim, blocks: 2, hidden: [8], activation: "tanh", seed: SEED });
  const common = { particles, spatialDim: 2, hidden: [8], seed: SEED } as const;
  const tilted = { kind: "tilted", interactions: dimer, grid: { fine: 9, coarse: 9 } } as const;
  const mixture = AutoregressiveParticleFlow.fit(data, { ...common, head: { kind: "mixture", components: 3 } });
  const tiltedFlow = AutoregressiveParticleFlow.fit(data, { ...common, head: tilted });
  const sums = {
    "RealNVP, all losses": parametersOf(flow),
    "models of RealNVP": digest(models.sampler, models.density),
    "NICE": await fitted(new Chain([nice, Whitening.fit(data, dim)]), data, 8, pool),
    "mixture flow": await fitted(mixture, data, 12, pool),
    "tilted flow": await fitted(tiltedFlow, data, 12, pool),
    "tilted flow of temperatures": await temperatures(data, { ...common, head: tilted }, pool),
  };
  const exported = [mixture, tiltedFlow].map((bijector) =>
    exportFlow(new Flow(bijector), describeDimer(dimer, 1, SEED))
  );
  const samples = new SymmetrisedGenerator(new Flow(tiltedFlow), dimerSymmetries(dimer)).sample(200, {
    seed: SEED,
    pool,
  });
  return {
    ...sums,
    "models of particle flows": digest(...exported.flatMap(({ sampler, density }) => [sampler, density])),
    "samples with densities": digest(samples.x, samples.logProb),
  };
}

async function temperatures(
  data: Float64Array,
  options: Omit<Parameters<typeof AutoregressiveParticleFlow.fit>[1], "temperatures">,
  pool: Pool,
): Promise<string> {
  const ladder = temperatureLadder([0.6, 1.7], 3);
  const coordinate = logTemperatures([0.6, 1.7]);
  const rows = ladder.flatMap(({ temperature }) => [...temperatureRows(data, dimer.dim, temperature, coordinate)]);
  const spread = Float64Array.from(rows);
  const bijector = AutoregressiveParticleFlow.fit(spread, { ...options, temperatures: coordinate });
  return await fitted(bijector, spread, 8, pool);
}

/** Training by energies alone: with gradients, and by weights. */
async function energyRuns(pool: Pool): Promise<Sums> {
  const make = () => new Flow(new RealNVP({ dim: 2, blocks: 2, hidden: [8], scaleActivation: "tanh", seed: SEED }));
  const flow = make();
  const weights = { maximumLikelihood: 0, energy: 1, reactionCoordinate: 0 };
  await trainOn(
    flow,
    new Float64Array(128),
    [{ ...rate, name: "energy", steps: 10, batch: 64, weights }],
    pool,
    userSystem,
  );
  const [refined, start] = [make(), make()];
  const stage: RefinementStage = { ...rate, name: "refine", steps: 10, batch: 64, leastEfficiency: 0.3 };
  await train({
    parameters: refined.parameters(),
    stages: [stage],
    objective: refinementObjective({
      flow: refined,
      system: userSystem,
      beta: 1,
      proposal: new MixtureGenerator(refined, start, { share: 0.2 }),
      seed: SEED,
      pool,
    }),
    pool,
  });
  return { "a user's energy": parametersOf(flow), "refinement": parametersOf(refined) };
}
