import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { AutoregressiveSpins } from "../../src/flow/autoregressive_spins.ts";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { input, negate } from "../../src/graph/operations.ts";
import { BoltzmannGenerator } from "../../src/hybrid/boltzmann_generator.ts";
import { variationalBatch, variationalObjective } from "../../src/hybrid/variational.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { samplingEfficiency } from "../../src/reweighting/effective_sample_size.ts";
import { logPartitionFunction } from "../../src/reweighting/exponential_averaging.ts";
import { IsingLattice } from "../../src/system/ising_lattice.ts";
import { enumerateIsing } from "../../src/system/ising_states.ts";
import { train } from "../../src/training/train.ts";
import { FOUR_SIGMA, mean, variance } from "../support/statistics.ts";

await loadKernels();

const temperature = 2.269;
const beta = 1 / temperature;

function spinsOn(system: IsingLattice, seed: number): AutoregressiveSpins {
  return new AutoregressiveSpins({ dim: system.dim, bonds: system.bonds(), beta, hidden: [16], seed });
}

const stage = { name: "fit", steps: 250, batch: 256, learningRate: { shape: "cosine", initial: 0.01 } } as const;

Deno.test("the gradient is that of the variational free energy, which an enumeration gives", () => {
  const system = new IsingLattice({ side: 2 });
  const generator = new AutoregressiveSpins({ dim: 4, bonds: system.bonds(), beta: 0.3 * beta, hidden: [3] });
  generator.parameters().forEach((parameter, k) => {
    parameter.set(new RandomStream(1, k).fillNormals(new Float64Array(parameter.length)));
  });
  const gradients = (run: KernelRun) => generator.parameters().flatMap((p) => [...run.gradientOf(p)]);

  // ∇F = Σ_s q R ∇log q over all 16 configurations.
  const states = Float64Array.from({ length: 64 }, (_, k) => (k >> 2) >> k % 4 & 1 ? 1 : -1);
  const target = new BoltzmannGenerator(generator, system, { beta });
  const { logWeights, logProb } = target.weigh(states);
  using all = new KernelRun([generator.logProbOf(input(new Graph(), "x", 4))], { n: 16, gradient: true });
  all.forward([states]);
  all.backward([logProb.map((log, i) => -Math.exp(log) * logWeights[i])]);
  const exact = gradients(all);

  const objectiveOf = variationalObjective({ generator, system, beta, seed: 1 });
  const objective = objectiveOf(new Graph(), stage, 0);
  using run = new KernelRun([objective.loss, objective.metrics.freeEnergy], { n: stage.batch, gradient: true });
  const batches = Array.from({ length: 100 }, (_, step) => {
    const [, freeEnergy] = run.forward(objective.batch(step));
    run.backward([Float64Array.of(1), null]);
    return { freeEnergy: freeEnergy[0], gradient: gradients(run) };
  });
  const agree = (values: number[], expected: number) =>
    Math.abs(mean(values) - expected) <= FOUR_SIGMA * Math.sqrt(variance(values) / values.length);
  const freeEnergy = logProb.reduce((sum, log, i) => sum - Math.exp(log) * logWeights[i], 0);
  assert(agree(batches.map((batch) => batch.freeEnergy), freeEnergy));
  assert(!agree(batches.map((batch) => batch.freeEnergy), freeEnergy + 0.05));
  exact.forEach((expected, k) => assert(agree(batches.map(({ gradient }) => gradient[k]), expected), `${k}`));
  // A gradient of the other sign, or without the part of the last half of its numbers, is not.
  assert(exact.some((expected, k) => !agree(batches.map(({ gradient }) => -gradient[k]), expected)));
  assert(exact.some((expected, k) => !agree(batches.map(({ gradient }) => gradient[k] / 2), expected)));
});

Deno.test("the signal is what a sample exceeds the mean of all others by", () => {
  const system = new IsingLattice({ side: 3 });
  const options = { generator: spinsOn(system, 1), system, beta, seed: 3 };
  const { x, freeEnergy, signal } = variationalBatch(options, { name: "fit", batch: 5 }, 0, 7);
  freeEnergy.forEach((r, i) => {
    const others = freeEnergy.filter((_, j) => j !== i);
    assert(Math.abs(signal[i] - (r - mean(others))) < 1e-13);
  });
  assert(
    system.energy(x).every((u, i) => Math.abs(beta * u + options.generator.logProb(x)[i] - freeEnergy[i]) < 1e-13),
  );
  assertEquals(variationalBatch(options, { name: "fit", batch: 5 }, 0, 7).x, x);
  for (const [index, step] of [[1, 7], [0, 8]]) {
    assert(variationalBatch(options, { name: "fit", batch: 5 }, index, step).x.some((s, i) => s !== x[i]));
  }
});

/** Trains on a lattice, draws, and returns what reweighting makes of it. */
async function outcome(side: number, steps: number, flip = false) {
  const system = new IsingLattice({ side });
  const generator = spinsOn(system, 1);
  const ascending = {
    dim: system.dim,
    sample: generator.sample.bind(generator),
    logProb: generator.logProb.bind(generator),
    logProbOf: (x: Tensor) => negate(generator.logProbOf(x)),
  };
  await train({
    parameters: generator.parameters(),
    stages: [{ ...stage, steps }],
    objective: variationalObjective({ generator: flip ? ascending : generator, system, beta, seed: 1 }),
  });
  const { x, logWeights } = new BoltzmannGenerator(generator, system, { beta }).sample(20_000, { seed: 2 });
  return { system, x, logWeights, logPartition: logPartitionFunction(logWeights) };
}

Deno.test("4 × 4 spins next to T_c: ln Z, efficiency and the distribution of the magnetisation are exact", async () => {
  const { system, x, logWeights, logPartition } = await outcome(4, stage.steps);
  const exact = enumerateIsing(system, temperature);
  const { value, standardError, reason } = logPartition;
  assert(Math.abs(value! - exact.logPartition) <= FOUR_SIGMA * standardError!, JSON.stringify(logPartition));
  // Nothing else to doubt, though many configurations, and so weights, are drawn often.
  assertEquals(reason, "coverage of states is unchecked: no frames were scored");
  assert(standardError! < 1e-3 * system.dim / FOUR_SIGMA, `${standardError}`);
  assert(samplingEfficiency(logWeights) > 0.98, `${samplingEfficiency(logWeights)}`);
  // Another temperature by one in a thousand is told apart.
  const other = system.exact(1.001 * temperature).logPartition;
  assert(Math.abs(value! - other) > FOUR_SIGMA * standardError!);

  const magnetisation = system.magnetisation(x);
  const weights = logWeights.map((log) => Math.exp(log - value!));
  const inBin = (k: number) => weights.map((w, s) => Math.round((magnetisation[s] + 1) * 8) === k ? w : 0);
  exact.magnetisation.forEach((p, k) => {
    const share = inBin(k);
    // 17 bins; the error of ln Z, a thousandth, is not in that of the bins.
    assert(Math.abs(mean(share) - p) <= FOUR_SIGMA * Math.sqrt(variance(share) / share.length) + 1e-3 * p, `bin ${k}`);
  });
});

Deno.test("8 × 8 spins next to T_c keep more than nine samples in ten after 250 steps; with the sign wrong none", async () => {
  const { system, logWeights, logPartition: { value, standardError } } = await outcome(8, stage.steps);
  const exact = system.exact(temperature).logPartition;
  assert(samplingEfficiency(logWeights) > 0.9, `${samplingEfficiency(logWeights)}`);
  assert(Math.abs(value! - exact) <= FOUR_SIGMA * standardError! && standardError! < 1e-3 * system.dim / FOUR_SIGMA);
  assert(samplingEfficiency((await outcome(8, 50, true)).logWeights) < 0.1);
});

Deno.test("training does not depend on the number of threads", async () => {
  using pool = await ThreadPool.open(2);
  const system = new IsingLattice({ side: 3 });
  const weights = async (options: { pool?: ThreadPool }) => {
    const generator = spinsOn(system, 1);
    const objective = variationalObjective({ generator, system, beta, seed: 1, ...options });
    await train({ parameters: generator.parameters(), stages: [{ ...stage, steps: 5 }], objective, ...options });
    return generator.parameters().map((parameter) => parameter.values());
  };
  assertEquals(await weights({ pool }), await weights({}));
});

Deno.test("variational training says what is wrong", async () => {
  const system = new IsingLattice({ side: 2 });
  const generator = spinsOn(system, 1);
  const fit = (changes: Record<string, unknown>, batch = 4) =>
    train({
      parameters: generator.parameters(),
      stages: [{ ...stage, batch }],
      objective: variationalObjective({ generator, system, beta, seed: 1, ...changes }),
    });
  await assertRejects(() => fit({}, 1), RangeError, 'Cannot train stage "fit": batch must be at least 2, got 1');
  assertThrows(
    () => variationalObjective({ generator, system: new IsingLattice({ side: 3 }), beta, seed: 1 }),
    RangeError,
    "flow and system must have one dim, got 4 and 9",
  );
  assertThrows(
    () => variationalObjective({ generator, system, beta: 0, seed: 1 }),
    RangeError,
    "beta must be a positive",
  );
  const wall = { dim: 4, energy: (x: Float64Array) => new Float64Array(x.length / 4).fill(Infinity, 2) };
  await assertRejects(
    () => fit({ system: wall }),
    NotFiniteError,
    "the energies of the variational loss must be finite, got 2 of 4 that are not, the first with index 2: ",
  );
});
