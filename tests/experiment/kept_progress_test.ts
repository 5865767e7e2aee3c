/** Long computations that died on the way and go on from what they kept. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { serialPool } from "../../src/backend/executor.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { sampleDimerData } from "../../src/experiment/dimer_data.ts";
import { evaluateDimer } from "../../src/experiment/dimer_evaluation.ts";
import { plainMonteCarlo, type PlainProgress } from "../../src/experiment/dimer_reference.ts";
import { packResult, unpackResult } from "../../src/experiment/packed_result.ts";
import { sampleTemperatures } from "../../src/experiment/temperature_data.ts";
import { temperatureLadder } from "../../src/experiment/temperature_ladder.ts";
import { Flow } from "../../src/flow/flow.ts";
import { Whitening } from "../../src/flow/whitening.ts";
import type { ProgressKeeper } from "../../src/sampling/keeper.ts";
import { couplingSample } from "../../src/sampling/coupling_sample.ts";
import { type MetropolisProgress, metropolisSample } from "../../src/sampling/metropolis_sample.ts";
import { type UmbrellaProgress, umbrellaSample } from "../../src/sampling/umbrella_sample.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/training/checkpoint.ts";

await loadKernels();

type SplitsKeeper = ProgressKeeper<readonly MetropolisProgress[]>;

class Killed extends Error {}

/** A keeper whose program dies at the offer number `at`, with everything kept in a file. */
function dyingKeeper<T>(at: number): { keeper: ProgressKeeper<T>; offers: () => number } {
  let file: Uint8Array | null = null;
  let offers = 0;
  const keeper: ProgressKeeper<T> = {
    load: async () => file && unpackResult(await decodeCheckpoint(file), "file") as T,
    async offer(state) {
      if (++offers !== at) return;
      file = await encodeCheckpoint({ kind: "k", ...packResult(state()) });
      throw new Killed();
    },
  };
  return { keeper, offers: () => offers };
}

/** The computation gives the same whether or not it dies at an offer; returns how often it offers. */
async function assertGoesOn<T>(compute: (keeper?: ProgressKeeper<T>) => Promise<unknown>, at: number): Promise<number> {
  const { keeper, offers } = dyingKeeper<T>(at);
  await assertRejects(() => compute(keeper), Killed);
  const found = await compute(keeper);
  const expected = await compute();
  // Functions are not results.
  const plain = (value: unknown) => Object.entries(Object(value)).filter(([, item]) => typeof item !== "function");
  assertEquals(plain(found), plain(expected));
  return offers();
}

const system = new ParticleDimer({ solvent: 4 });
const windows = { centres: Float64Array.of(1, 1.5, 2), biasConstant: 20, spacing: 1 };

const umbrella = (keeper?: ProgressKeeper<UmbrellaProgress>) =>
  umbrellaSample(system, { sweeps: 3210, every: 10, burnIn: 300, windows, seed: 4, keeper });

Deno.test("umbrellaSample() goes on from what it kept", async () => {
  // Portions of 1000, 1000, 1000 and 210 sweeps; those after the death are not repeated.
  for (const at of [1, 3]) assertEquals(await assertGoesOn(umbrella, at), 4);
});

Deno.test("assertGoesOn() rejects a computation that forgets its random numbers, and one that begins anew", async () => {
  const forgetful = (keeper?: ProgressKeeper<UmbrellaProgress>) =>
    umbrella(
      keeper && {
        ...keeper,
        async load() {
          const kept = await keeper.load();
          kept?.chains.arrays.generators.fill(1);
          return kept;
        },
      },
    );
  await assertRejects(() => assertGoesOn(forgetful, 2), Error, "Values are not equal");
  const anew = (keeper?: ProgressKeeper<UmbrellaProgress>) =>
    umbrella(keeper && { ...keeper, load: () => Promise.resolve(null) });
  assert(await assertGoesOn(anew, 2) > 4, "all portions were done twice");
});

Deno.test("umbrellaSample() refuses what other sampling has kept", async () => {
  const { keeper } = dyingKeeper<UmbrellaProgress>(1);
  await assertRejects(() => umbrella(keeper), Killed);
  await assertRejects(
    () => umbrellaSample(system, { sweeps: 500, every: 10, burnIn: 300, windows, seed: 4, keeper }),
    RangeError,
    "Cannot resume umbrella sampling: what was kept must hold 300 distances of 500 sweeps, got 1926 and sweep 1000",
  );
});

Deno.test("plainMonteCarlo() goes on from what it kept", async () => {
  const compute = (keeper?: ProgressKeeper<PlainProgress>) =>
    plainMonteCarlo(system, {
      temperature: 1,
      sweepsPerWindow: 2500,
      bootstraps: 10,
      seed: 2,
      pool: serialPool,
      chains: 4,
      burnIn: 200,
      keeper,
    });
  for (const at of [1, 2]) assertEquals(await assertGoesOn(compute, at), 3);
});

Deno.test("metropolisSample() goes on from its trials of relaxation, and from its frames", async () => {
  const compute = (keeper?: ProgressKeeper<MetropolisProgress>) =>
    metropolisSample(system, { frames: 20, chains: 4, spacing: 0.2, seed: 3, keeper });
  const { relaxation } = await compute();
  // Each trial is twice as long as the one before, the first 128 · 20 sweeps, after 400 of tuning.
  const trials = Math.log2((relaxation.burnIn - 400) / 2560 + 1);
  assert(trials >= 2, "relaxation must go on to a second trial, or nothing is kept of it");
  for (const at of [1, trials - 1, trials, trials + 4]) {
    assertEquals(await assertGoesOn(compute, at), trials - 1 + 5);
  }
});

Deno.test("metropolisSample() goes on from any number of rows", async () => {
  // 7 and 14 of 25 rows are 56.00000000000001 and 112.00000000000001 of 200 frames where rows are told by their share.
  const compute = (keeper?: ProgressKeeper<MetropolisProgress>) =>
    metropolisSample(system, { frames: 200, chains: 8, spacing: 0.01, seed: 3, keeper });
  const all = { offers: 0 };
  await compute({ load: () => Promise.resolve(null), offer: () => Promise.resolve(void all.offers++) });
  for (let at = 1; at <= all.offers; at++) {
    const { keeper } = dyingKeeper<MetropolisProgress>(at);
    await assertRejects(() => compute(keeper), Killed);
    assertEquals((await compute(keeper)).chain.length, 200);
  }
});

Deno.test("metropolisSample() refuses what other sampling has kept", async () => {
  const { keeper, offers } = dyingKeeper<MetropolisProgress>(10);
  const compute = (frames: number) => metropolisSample(system, { frames, chains: 4, spacing: 0.2, seed: 3, keeper });
  await assertRejects(() => compute(40), Killed);
  assertEquals(offers(), 10);
  await assertRejects(() => compute(4), RangeError, "Cannot resume the sampling of particles: what was kept must hold");
});

Deno.test("samples in turn go on together, those that are complete are not drawn again", async () => {
  const settings = {
    chains: { train: 4, validate: 2, evaluate: 2 },
    frames: { train: 8, validate: 4, evaluate: 4 },
    freshPerStep: 0,
  };
  const own = { system, settings, seed: 3, pool: serialPool };
  const dimer = async (keeper?: SplitsKeeper) => {
    const { chains, ...data } = await sampleDimerData({ ...own, temperature: 1, keeper });
    return { ...data, state: chains.state };
  };
  const ladder = temperatureLadder([0.8, 1.25], 2);
  const temperatures = (keeper?: SplitsKeeper) => sampleTemperatures({ ...own, ladder, keeper });
  for (const compute of [dimer, temperatures]) {
    const all = { offers: 0 };
    const counting: SplitsKeeper = {
      load: () => Promise.resolve(null),
      offer: () => Promise.resolve(void all.offers++),
    };
    await compute(counting);
    for (const at of [1, Math.ceil(all.offers / 2), all.offers]) {
      assertEquals(await assertGoesOn(compute, at), all.offers);
    }
  }
});

Deno.test("couplingSample() goes on from the windows that it kept", async () => {
  const fluid = new LennardJonesFluid({ particles: 4, density: 0.3 });
  const compute = (keeper?: Parameters<typeof couplingSample>[1]["keeper"]) =>
    couplingSample(fluid, { sweeps: 60, nodes: 3, chains: 4, seed: 1, keeper });
  for (const at of [1, 4]) assertEquals(await assertGoesOn(compute, at), 5);
});

Deno.test("evaluateDimer() goes on from the samples that it kept, also after it had found them too few", async () => {
  const { x, chain, d } = await metropolisSample(system, { frames: 400, chains: 8, spacing: 0.2, seed: 3 });
  const generator = new Flow(Whitening.fit(x, system.dim));
  const compute = (keeper?: Parameters<typeof evaluateDimer>[0]["keeper"]) =>
    evaluateDimer({
      generator,
      system,
      beta: 1,
      frames: { x, chain, d },
      samples: 10_000,
      until: { standardError: 1e-9, maximumSamples: 30_000 },
      bootstraps: 10,
      edges: Float64Array.of(0.5, 1.5, 2.5),
      seed: 5,
      pool: serialPool,
      ...keeper && { keeper },
    });
  // Pieces of 8192: two for 10,000, two more for 20,000, two more for 30,000.
  for (const at of [1, 2, 5]) assertEquals(await assertGoesOn(compute, at), 6);
});
