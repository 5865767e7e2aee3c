import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow, type Generator } from "../../src/flow/flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { Whitening } from "../../src/flow/whitening.ts";
import { flowMonteCarlo, type FlowMonteCarloOptions } from "../../src/hybrid/flow_monte_carlo.ts";
import { representatives } from "../../src/hybrid/label_representatives.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { freeEnergyDifferenceByCounting } from "../../src/reweighting/counted_difference.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { realNVP } from "../flow/bijector_examples.ts";
import { logDetFaults } from "../support/broken.ts";
import { scattered, shakenStarts } from "../support/dimer_configurations.ts";
import { assertObserved, flatWell, flatWellMeans, flatWellSamples } from "../support/flat_double_well.ts";
import { assertMeanIs, FOUR_SIGMA } from "../support/statistics.ts";

await loadKernels();

const TEMPERATURE = 1.25;
const WALKERS = 20_000;
/** A map that has learnt nothing and changes volumes. */
const untaught = () => new Flow(realNVP({ dim: 2 }, 3));

const local = { probability: 1, step: 0.8, sweeps: 3 };
const latent = () => ({ probability: 1, flow: untaught(), step: 0.8 });
const independence = (generator: Generator = untaught()) => ({ probability: 1, generator });

/** Moves of the flat double well that start from its exact distribution. */
function fromEquilibrium(moves: FlowMonteCarloOptions["moves"], options: Partial<FlowMonteCarloOptions> = {}) {
  const start = flatWellSamples(WALKERS, 1 / TEMPERATURE);
  return flowMonteCarlo({ system: flatWell, temperature: TEMPERATURE, start, turns: 10, moves, seed: 5, ...options });
}

const expected = flatWellMeans(1 / TEMPERATURE);

Deno.test("every kind of move, and their mixture, leaves the Boltzmann distribution as it is, whatever the flow", async () => {
  const kinds: Record<string, FlowMonteCarloOptions["moves"]> = {
    local: { local },
    independence: { independence: independence() },
    latent: { latent: latent() },
    mixed: {
      local: { ...local, probability: 0.4 },
      independence: { ...independence(), probability: 0.3 },
      latent: { ...latent(), probability: 0.3 },
    },
  };
  for (const [name, moves] of Object.entries(kinds)) {
    const { x, moves: counts } = await fromEquilibrium(moves);
    assertObserved(x, expected);
    // The distribution is not kept by standing still.
    for (const kind of Object.keys(moves) as (keyof typeof moves)[]) {
      assert(counts[kind].acceptance > 0.15, `${name}: ${kind} ${counts[kind].acceptance}`);
      assert(counts[kind].turns > 0, `${name}: ${kind}`);
    }
  }
});

Deno.test("the law rejects a density without its log-determinant, weights the wrong way round and another temperature", async () => {
  const flow = untaught();
  const target = (x: Float64Array) => flatWell.energy(x).map((u) => -u / TEMPERATURE);
  const stating = (logProb: (x: Float64Array, right: Float64Array) => Float64Array): Generator => ({
    dim: 2,
    sample(n, options) {
      const samples = flow.sample(n, options);
      return { ...samples, logProb: logProb(samples.x, samples.logProb) };
    },
    logProb: (x) => logProb(x, flow.logProb(x)),
  });
  const broken: Record<string, Generator> = {
    // min(1, w/w′) is min(1, w′/w) for a density p′ with −u − ln p′ = u + ln p.
    "weights the wrong way round": stating((x, right) => target(x).map((log, i) => 2 * log - right[i])),
    "no density at all": stating((_, right) => right.map(() => 0)),
    ...Object.fromEntries(Object.entries(logDetFaults).map(([name, of]) => [name, new Flow(of(flow.bijector))])),
  };
  assertObserved((await fromEquilibrium({ independence: independence(stating((_, right) => right)) })).x, expected);
  for (const [name, generator] of Object.entries(broken)) {
    const { x } = await fromEquilibrium({ independence: independence(generator) });
    assertThrows(() => assertObserved(x, expected), Error, "expected", name);
  }
  const [, of] = Object.entries(logDetFaults)[0];
  const { x } = await fromEquilibrium({ latent: { ...latent(), flow: new Flow(of(flow.bijector)) } });
  assertThrows(() => assertObserved(x, expected), Error, "expected", "latent");
  for (const moves of [{ local }, { independence: independence() }, { latent: latent() }]) {
    const { x } = await fromEquilibrium(moves, { temperature: 1.1 });
    assertThrows(() => assertObserved(x, expected), Error, "expected");
  }
});

Deno.test("proposals of a flow bring walkers from one well to both, and populations give the free-energy difference", async () => {
  const system = new DoubleWell();
  const generator = new Flow(new Scaling({ dim: 2, logScale: [Math.log(1.6), Math.log(1.2)] }));
  const start = new Float64Array(2 * 64).map((_, i) => i % 2 === 0 ? -1.77 : 0);
  const common = { system, start, turns: 2000, burnIn: 200, seed: 4 };
  const basins = (x: Float64Array) =>
    Int8Array.from({ length: 64 }, (_, i) => x[2 * i] < -1 ? 0 : x[2 * i] > 1 ? 1 : -1);
  const mixed = await flowMonteCarlo({
    ...common,
    moves: { local: { probability: 0.5, step: 0.4 }, independence: { probability: 0.5, generator } },
    observe: { x: (x) => x.filter((_, i) => i % 2 === 0) },
    basins: (x) => Int8Array.from({ length: 64 }, (_, i) => x[2 * i] < 0 ? 0 : 1),
  });
  const { freeEnergyDifference } = system.exact(1);
  const counted = freeEnergyDifferenceByCounting(mixed.basins, mixed.chain);
  assert(counted.reliable, `${counted.reason}`);
  assert(Math.abs(counted.value! - freeEnergyDifference) < FOUR_SIGMA * counted.standardError!);
  assert(Math.abs(counted.value! - freeEnergyDifference - 1) > FOUR_SIGMA * counted.standardError!);
  assert(counted.crossings <= mixed.transitions);
  assertEquals(mixed.series.x.map((x) => x < 0 ? 0 : 1), Float64Array.from(mixed.basins));

  // Alone, local moves of this length have not seen the other well in as many turns.
  const alone = await flowMonteCarlo({ ...common, moves: { local: { probability: 1, step: 0.4 } }, basins });
  assertEquals(alone.transitions, 0);
  assert(mixed.moves.independence.transitions > 100);
});

/** The dimer without solvent, with exact labelled configurations: its ends may have either label. */
const dimer = new ParticleDimer({ solvent: 0 });
const HOT = 4;
const H = 0.01;

/** Weights of differences (x₁ − x₀, y₁ − y₀) on a grid: the centre is normal and independent of them. */
function differences() {
  const cells: [dx: number, dy: number, weight: number][] = [];
  for (let dx = -3.5 + H / 2; dx < 3.5; dx += H) {
    for (let dy = -2 + H / 2; dy < 2; dy += H) {
      const weight = Math.exp(-(dimer.dimerEnergy(Math.hypot(dx, dy)) + 10 * dy * dy) / HOT);
      if (weight > 1e-12) cells.push([dx, dy, weight]);
    }
  }
  return cells;
}

function dimerSamples(n: number): { x: Float64Array; open: number } {
  const cells = differences();
  const sums = new Float64Array(cells.length);
  let [total, open] = [0, 0];
  cells.forEach(([dx, dy, weight], i) => {
    sums[i] = total += weight;
    if (Math.hypot(dx, dy) >= 1.5) open += weight;
  });
  const random = new RandomStream(8);
  const x = new Float64Array(4 * n);
  for (let i = 0; i < n; i++) {
    const target = random.uniform() * total;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < target) low = middle + 1;
      else high = middle;
    }
    const [dx, dy] = [cells[low][0], cells[low][1]].map((v) => v + H * (random.uniform() - 0.5));
    // 20 (x₀ + x₁)² and 20 (y₀² + y₁²) = 10 (y₀ + y₁)² + 10 dy².
    const [cx, cy] = [random.normal() * Math.sqrt(HOT / 40), random.normal() * Math.sqrt(HOT / 20)];
    x.set([(cx - dx) / 2, (cy - dy) / 2, (cx + dx) / 2, (cy + dy) / 2], 4 * i);
  }
  return { x, open: open / total };
}

/** Share of open walkers, and share of those whose first end is on the left, each against its expected value. */
function assertDimer(x: Float64Array, open: number) {
  const share = (of: (i: number) => boolean) => {
    let count = 0;
    for (let i = 0; i < x.length / 4; i++) if (of(i)) count++;
    return count / (x.length / 4);
  };
  const d = dimer.distance(x);
  const within = (found: number, wanted: number, what: string) => {
    const error = Math.sqrt(wanted * (1 - wanted) / (x.length / 4));
    if (Math.abs(found - wanted) > FOUR_SIGMA * error) {
      throw new Error(`${what} ${found} ± ${error}, expected ${wanted}`);
    }
  };
  within(share((i) => d[i] >= 1.5), open, "open");
  within(share((i) => x[4 * i] <= x[4 * i + 2]), 0.5, "in order");
  within(share((i) => d[i] >= 1.5 && x[4 * i] <= x[4 * i + 2]), open / 2, "open and in order");
}

/** A normal density around the configurations of the domain, wide enough for a third of it to lie outside. */
function roughFlow(canonical: Float64Array): Flow {
  const random = new RandomStream(12);
  return new Flow(Whitening.fit(canonical.map((v) => v + 0.7 * random.normal()), 4));
}

Deno.test("labels are the walkers' own: the dimer is distributed right over labelled configurations", async () => {
  const { x: start, open } = dimerSamples(WALKERS);
  assertDimer(start, open);
  const flow = roughFlow(dimer.canonicalize(start));
  const outside = dimer.inDomain(flow.sample(1000, { seed: 1 }).x).filter((is) => is === 0).length;
  assert(outside > 150, `${outside} of 1000 outside`);
  const run = (moves: FlowMonteCarloOptions["moves"]) =>
    flowMonteCarlo({ system: dimer, temperature: HOT, start, turns: 10, moves, seed: 6 });
  const sweeps = { step: 0.5, sweeps: 2 };
  const all = await run({
    local: { ...sweeps, probability: 0.4 },
    independence: { generator: flow, probability: 0.3 },
    latent: { flow, step: 0.3, probability: 0.3 },
  });
  assertDimer(all.x, open);
  for (const kind of ["local", "independence", "latent"] as const) {
    assert(all.moves[kind].accepted > 0.02 * all.moves[kind].offered, `${kind} ${all.moves[kind].acceptance}`);
  }
  for (
    const moves of [{ independence: { generator: flow, probability: 1 } }, {
      latent: { flow, step: 0.3, probability: 1 },
    }]
  ) {
    assertDimer((await run(moves)).x, open);
  }

  // Proposals that are brought into the domain have another density than the one that they are given.
  const inwards: Generator = {
    dim: 4,
    sample(n, options) {
      const samples = flow.sample(n, options);
      return { ...samples, x: dimer.canonicalize(samples.x) };
    },
    logProb: (x, options) => flow.logProb(x, options),
  };
  const { x } = await run({ independence: { generator: inwards, probability: 1 } });
  assertThrows(() => assertDimer(x, open), Error, "expected");
});

Deno.test("representatives lie in the domain and find their labels again", () => {
  const system = new ParticleDimer();
  const x = scattered(system, 5);
  const { x: inside, withLabels } = representatives(system, x, serialPool);
  assertEquals(inside, system.canonicalize(x));
  assert(inside.some((v, i) => v !== x[i]), "some labels must change");
  assertEquals(withLabels(inside), x);
});

Deno.test("a domain without labels is a wall", async () => {
  const interval = {
    name: "interval",
    dim: 1,
    energy: (x: Float64Array) => new Float64Array(x.length),
    energyAndGradient: (x: Float64Array) => ({
      energy: new Float64Array(x.length),
      gradient: new Float64Array(x.length),
    }),
    inDomain: (x: Float64Array) => Uint8Array.from(x, (v) => v >= 0 && v <= 1 ? 1 : 0),
  };
  const start = new Float64Array(2000).fill(0.5);
  const generator = new Flow(new Scaling({ dim: 1 }));
  const { x, moves } = await flowMonteCarlo({
    system: interval,
    start,
    turns: 60,
    moves: { local: { probability: 0.7, step: 0.5 }, independence: { probability: 0.3, generator } },
    seed: 2,
  });
  assertEquals(interval.inDomain(x).indexOf(0), -1);
  assert(moves.local.acceptance > 0.1 && moves.independence.acceptance > 0.1);
  assertMeanIs(x, 1 / 2);
  assertMeanIs(x.map((v) => v * v), 1 / 3);
  await assertRejects(
    () => flowMonteCarlo({ system: interval, start: Float64Array.of(0.5, -1), turns: 1, moves: { local } }),
    RangeError,
    "Cannot run flow Monte Carlo: start must lie in the domain of the system, got walker 1 outside",
  );
});

Deno.test("the same seed gives the same bytes on any threads, another seed others; counts add up", async () => {
  const system = new ParticleDimer();
  const start = shakenStarts(system, 6, 0.02);
  const flow = roughDimerFlow(start, system.dim);
  const options: FlowMonteCarloOptions = {
    system,
    start,
    turns: 12,
    burnIn: 3,
    moves: {
      local: { probability: 0.5, step: 0.2, sweeps: 4 },
      independence: { probability: 0.25, generator: flow },
      latent: { probability: 0.25, flow, step: 0.05 },
    },
    observe: { d: (x) => system.distance(x) },
    basins: (x) => Int8Array.from(system.distance(x), (d) => d < 1.5 ? 0 : 1),
    seed: 7,
  };
  const run = await flowMonteCarlo(options);
  using pool = await ThreadPool.open(2);
  assertEquals(await flowMonteCarlo({ ...options, pool }), run);
  assert((await flowMonteCarlo({ ...options, seed: 8 })).x.some((v, i) => v !== run.x[i]));

  const { local, independence, latent } = run.moves;
  assertEquals(run.kinds.length, 12);
  for (const kind of ["local", "independence", "latent"] as const) {
    assertEquals(run.moves[kind].turns, run.kinds.filter((own) => own === kind).length);
  }
  assertEquals(local.offered, local.turns * 4 * 38 * 6);
  assertEquals(local.energyEvaluations, local.turns * 2 * 4 * 6);
  assertEquals(independence.offered, 6 * independence.turns);
  // One energy for each proposal, and one where sweeps have left the walkers.
  assert(independence.energyEvaluations >= 6 * independence.turns);
  assert(independence.energyEvaluations + latent.energyEvaluations <= 12 * (independence.turns + latent.turns));
  assertEquals(
    run.energyEvaluations,
    local.energyEvaluations + independence.energyEvaluations + latent.energyEvaluations,
  );
  assert(run.burnInEvaluations > 0);
  assertEquals([run.series.d.length, run.basins.length, run.chain[7]], [72, 72, 1]);
  assertEquals(run.series.d.subarray(66), system.distance(run.x));
});

/** A normal density around shaken starts. */
function roughDimerFlow(x: Float64Array, dim: number): Flow {
  const logScale = new Array(dim).fill(Math.log(0.1));
  const flow = new Flow(new Scaling({ dim, logScale }));
  assertEquals(x.length % dim, 0);
  return flow;
}

Deno.test("weights of walkers are looked up once as long as nobody moves them otherwise", async () => {
  const start = flatWellSamples(10, 1);
  const counted = { system: flatWell, start, turns: 5, seed: 1 };
  const { moves } = await flowMonteCarlo({ ...counted, moves: { independence: independence() } });
  assertEquals([moves.independence.energyEvaluations, moves.independence.flowEvaluations], [60, 60]);
  assertAlmostEquals(moves.independence.acceptance, moves.independence.accepted / 50);
  assert(Number.isNaN(moves.local.acceptance));
});

Deno.test("flow Monte Carlo refuses what it cannot run", async () => {
  const start = Float64Array.of(-1, 0, 1, 0);
  const refused = (message: string, options: Partial<FlowMonteCarloOptions>) =>
    assertRejects(
      () => flowMonteCarlo({ system: flatWell, start, turns: 2, moves: { local }, ...options }),
      RangeError,
      `Cannot run flow Monte Carlo: ${message}`,
    );
  await refused("turns must be a whole number ≥ 1, got 0", { turns: 0 });
  await refused("burnIn must be a whole number ≥ 0, got -1", { burnIn: -1 });
  await refused("temperature must be a positive number, got 0", { temperature: 0 });
  await refused("probabilities of moves must sum to 1, got 0.5", { moves: { local: { ...local, probability: 0.5 } } });
  await refused("moves.local.probability must be from 0 to 1, got 1.5", {
    moves: { local: { ...local, probability: 1.5 } },
  });
  await refused("moves.local.step must be a positive number, got 0", { moves: { local: { ...local, step: 0 } } });
  await refused("moves.local.sweeps must be a whole number ≥ 1, got 0", { moves: { local: { ...local, sweeps: 0 } } });
  await refused("start must hold one or more rows of 2, got 3 numbers", { start: new Float64Array(3) });
  await refused("start must have finite energies, got Infinity in walker 0", { start: Float64Array.of(1e100, 0) });
  await refused("flow of moves.independence must have dim 2, got 1", {
    moves: { independence: independence(new Flow(new Scaling({ dim: 1 }))) },
  });
  await refused("observe.one must return a number for each of 2 walkers, got 1", { observe: { one: () => [1] } });
  await refused("basins must return whole numbers from -128 to 127, got 0.5", { basins: () => [0, 0.5] });
  const nowhere = {
    dim: 2,
    sample: untaught().sample.bind(untaught()),
    logProb: (x: Float64Array) => new Float64Array(x.length / 2).fill(-Infinity),
  };
  await assertRejects(
    () => flowMonteCarlo({ system: flatWell, start, turns: 2, moves: { independence: independence(nowhere) } }),
    NotFiniteError,
    "Cannot make independence moves: log-weights of walkers must be finite, got Infinity for walker 0",
  );
  const signal = AbortSignal.abort();
  await assertRejects(
    () => flowMonteCarlo({ system: flatWell, start, turns: 2, moves: { local }, signal }),
    DOMException,
  );
});
