import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import type { BoltzmannStage } from "../../src/hybrid/boltzmann_objective.ts";
import { type Basins, type ExplorationOptions, explore } from "../../src/hybrid/exploration.ts";
import { checkedStepRule, nextLatentStep } from "../../src/hybrid/exploration_step.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { takeSnapshot } from "../../src/training/snapshot.ts";

await loadKernels();

/** Wells near ±1.3, the right one higher by 1.3 k_BT, and a barrier of 3.9 k_BT from the left: a search of a second. */
const well = new DoubleWell({ b: 3.6, c: 0.5 });
const START = Float64Array.of(-1.4, 0);

const sides: Basins = {
  names: ["left", "right"],
  of: (x) => Int32Array.from({ length: x.length / 2 }, (_, i) => x[2 * i] < 0 ? 0 : 1),
};

function stage(name: string, steps: number, rest: Partial<BoltzmannStage> = {}): BoltzmannStage {
  return {
    name,
    steps,
    batch: 128,
    learningRate: { shape: "constant", initial: 2e-3 },
    weights: { maximumLikelihood: 1, energy: 1, reactionCoordinate: 0 },
    ...rest,
  };
}

function optionsOf(seed: number, steps: number, rest: Partial<ExplorationOptions> = {}): ExplorationOptions {
  return {
    flow: new Flow(new RealNVP({ dim: 2, blocks: 3, hidden: [24], seed })),
    system: well,
    beta: 1,
    start: START,
    capacity: 512,
    pretraining: [stage("likelihood", 10, { weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 } })],
    stage: stage("exploration", steps),
    basins: sides,
    seed,
    ...rest,
  };
}

const EXACT = 1 / (1 + Math.exp(well.exact(1).freeEnergyDifference));

Deno.test("explore finds the other well of a double well, and not with steps that are too short", async () => {
  const shares: number[] = [];
  for (const seed of [1, 2, 3]) {
    const { complete, state: { history } } = await explore(optionsOf(seed, 300));
    assert(complete);
    assertEquals(history.populations[0][1], 0);
    shares.push(history.populations[299][1] / 512);
  }
  // A search promises no more than the order of magnitude: the flow that moves the members has learnt from them.
  for (const share of shares) assert(share > EXACT / 3 && share < 3 * EXACT, `${shares}, exact ${EXACT}`);

  const short = { initial: 0.02, most: 0.02 };
  const { state: { history } } = await explore(optionsOf(1, 300, { latentStep: short }));
  assertEquals(history.populations[299][1], 0);
});

Deno.test("explore keeps energies, populations and places of its buffer in order", async () => {
  const { state: { frames, history, latentStep } } = await explore(optionsOf(4, 60, { capacity: 130 }));
  const x = Float64Array.from(frames);
  assertEquals(history.lowestEnergy[59], Math.min(...well.energy(x)));
  const right = Array.from(sides.of(x)).filter((side) => side === 1).length;
  assertEquals(history.populations[59], [130 - right, right]);
  assertEquals(history.acceptance.length, 60);
  // 128 of 130 members move in each iteration: after 60 of them nobody is where all began.
  assertEquals(x.filter((v, i) => v === Math.fround(START[i % 2])).length, 0);
  // Steps stay for 50 iterations, then more than a fifth is accepted.
  assertEquals(history.latentStep.slice(0, 51), new Array(51).fill(0.1));
  assert(latentStep > history.latentStep[50]);
});

Deno.test("explore gives the same for the same seed, for any number of threads, and after an interruption", async () => {
  const whole = optionsOf(5, 40);
  const { state } = await explore(whole);
  const parameters = takeSnapshot(whole.flow.parameters());

  using pool = await ThreadPool.open(2);
  const threaded = optionsOf(5, 40, { pool });
  assertEquals((await explore(threaded)).state, state);
  assertEquals(takeSnapshot(threaded.flow.parameters()), parameters);

  const interrupted = optionsOf(5, 40);
  const first = await explore({ ...interrupted, until: 15 });
  assertEquals([first.complete, first.state.position.step], [false, 15]);
  const rest = await explore({ ...interrupted, resume: first.state });
  assert(rest.complete);
  assertEquals(rest.state, state);
  assertEquals(takeSnapshot(interrupted.flow.parameters()), parameters);

  // Without its buffer it would go on otherwise.
  const again = optionsOf(5, 40);
  const half = await explore({ ...again, until: 15 });
  const forgotten = { ...half.state, frames: half.state.frames.map((v) => v + 0.01) };
  assertNotEquals((await explore({ ...again, resume: forgotten })).state, state);
});

Deno.test("explore stops after the iteration in which it is told to", async () => {
  const controller = new AbortController();
  const { complete, state } = await explore(optionsOf(6, 40, {
    signal: controller.signal,
    onStep: ({ index, step }) => index === 1 && step === 7 && controller.abort(),
  }));
  assertEquals([complete, state.position.stage, state.position.step, state.history.loss.length], [false, 1, 7, 7]);
});

Deno.test("explore keeps its members in the reference domain", async () => {
  const alike = {
    name: "two alike",
    dim: 2,
    energy: (x: Float64Array) => Float64Array.from({ length: x.length / 2 }, (_, i) => (x[2 * i] - x[2 * i + 1]) ** 2),
    energyAndGradient(x: Float64Array) {
      const gradient = x.map((v, i) => 2 * (v - x[i ^ 1]));
      return { energy: this.energy(x), gradient };
    },
    inDomain: (x: Float64Array) =>
      Uint8Array.from({ length: x.length / 2 }, (_, i) => x[2 * i] <= x[2 * i + 1] ? 1 : 0),
    canonicalize: (x: Float64Array) =>
      x.map((_, i) => i % 2 === 0 ? Math.min(x[i], x[i + 1]) : Math.max(x[i - 1], x[i])),
  };
  // Without J_KL: this energy has no Boltzmann distribution.
  const likelihood = { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 };
  const { state: { frames, history } } = await explore(optionsOf(7, 20, {
    system: alike,
    start: Float64Array.of(0.3, 0.1),
    stage: stage("exploration", 20, { weights: likelihood }),
    latentStep: { initial: 0.5 },
  }));
  assert(history.outsideDomain.some((count) => count > 0));
  assertEquals(alike.inDomain(Float64Array.from(frames)).indexOf(0), -1);
});

Deno.test("nextLatentStep follows the published rule", () => {
  const rule = checkedStepRule({});
  const after = (step: number, acceptance: number, iterations = 51) =>
    nextLatentStep(step, new Array(iterations).fill(acceptance), rule);
  assertEquals(after(0.1, 0.9, 50), 0.1);
  assertEquals(after(0.1, 0.9), 0.1 * 1.02);
  assertEquals(after(0.1, 0.1), 0.1);
  assertEquals(after(0.1, 0.01), 0.1 * 0.98);
  assertEquals(after(0.99, 0.9), 1);
  assertEquals(after(0.00101, 0), 0.001);
  // Only the last 50 count.
  assertEquals(nextLatentStep(0.1, [...new Array(100).fill(1), ...new Array(50).fill(0)], rule), 0.1 * 0.98);
});

Deno.test("explore refuses what cannot be explored, and numbers that are none", async () => {
  const message = async (rest: Partial<ExplorationOptions>) =>
    (await assertRejects(() => explore(optionsOf(1, 5, rest)), RangeError)).message;
  assertEquals(
    await message({ capacity: 100 }),
    "Cannot explore: capacity must be a whole number of at least 128, the largest batch, got 100",
  );
  assertEquals(
    await message({ start: new Float64Array() }),
    "Cannot explore: start must hold a configuration, got none",
  );
  assertEquals(
    await message({ system: new DoubleWell({ dim: 3 }) }),
    "Cannot explore: flow and system must have one dim, got 2 and 3",
  );
  assertEquals(
    await message({ latentStep: { initial: 2 } }),
    "Cannot explore: latentStep must have 0 < least ≤ initial ≤ most, got 0.001, 2 and 1",
  );
  assertEquals(
    await message({ latentStep: { window: 0.5 } }),
    "Cannot explore: window of latentStep must be a whole number ≥ 1, got 0.5",
  );
  const options = optionsOf(1, 5);
  const { state } = await explore({ ...options, until: 2 });
  assertEquals(
    await message({ capacity: 300, resume: state }),
    "Cannot resume an exploration: it must hold 300 configurations of 2 coordinates, got 1024 numbers: resume with the " +
      "options of the interrupted run",
  );

  // Moves meet energies that are none; training does not.
  const broken = Object.assign(Object.create(well), {
    energyAndGradient: (x: Float64Array) => well.energyAndGradient(x),
    energy: (x: Float64Array) => well.energy(x).map((u, i) => x[2 * i] > -1.39 ? NaN : u),
  });
  await assertRejects(() => explore(optionsOf(1, 5, { system: broken })), NotFiniteError, "Cannot make latent moves");
  const { state: { history } } = await explore(optionsOf(1, 5, { system: broken, skipNotFinite: 1 }));
  assert(history.notFinite.every((count) => count > 0));
});
