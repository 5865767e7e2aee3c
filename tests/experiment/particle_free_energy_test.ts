import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import {
  type ParticleFlowSettings,
  type ParticleFrames,
  type ParticleFreeEnergy,
  particleFreeEnergy,
  type ParticleTarget,
} from "../../src/experiment/particle_free_energy.ts";
import { weightedMean } from "../../src/experiment/weighted_means.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { metropolisSample } from "../../src/sampling/metropolis_sample.ts";
import { fluidSymmetries } from "../../src/system/fluid_symmetries.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { idealAverage } from "../support/ideal_gas.ts";
import { integrateTwoParticles, TWO_SITES } from "../support/two_particles.ts";

await loadKernels();

/** Two particles, seconds. */
const tiny: Partial<ParticleFlowSettings> = {
  hidden: [16],
  grid: { fine: 33, coarse: 17 },
  training: {
    name: "fit",
    steps: 150,
    batch: 128,
    learningRate: { shape: "cosine", initial: 1e-2, final: 1e-3, warmup: 10 },
    adam: { maximumNorm: 20 },
  },
  samples: 8192,
  bootstraps: 100,
};

async function framesOf(fluid: LennardJonesFluid, temperature: number): Promise<ParticleFrames> {
  const split = (frames: number, stream: number) =>
    metropolisSample(fluid, { frames, chains: 16, temperature, seed: 2, stream });
  const [train, validate, evaluate] = [await split(2000, 0), await split(200, 1), await split(4000, 2)];
  return { train: train.x, validate: validate.x, evaluate: { x: evaluate.x, chain: evaluate.chain } };
}

/** Throws unless an estimate is within four of its errors of the truth, and exact enough to tell. */
function assertIs({ value, standardError, reliable, reason }: Estimate, expected: number, largestError: number): void {
  assert(reliable, `${reason}`);
  assert(standardError! < largestError, `error of ${standardError}`);
  if (Math.abs(value! - expected) < 4 * standardError!) return;
  throw new Error(`${value} ± ${standardError} instead of ${expected}`);
}

const twoParticles = (preset: "liquid" | "soft-discs") =>
  new LennardJonesFluid({ preset, particles: 2, density: 0.35, sites: TWO_SITES });

Deno.test("particleFreeEnergy of two particles is the integral over half of their configurations", async () => {
  for (const [preset, temperature, head] of [["liquid", 0.5, "tilted"], ["soft-discs", 1, "mixture"]] as const) {
    const fluid = twoParticles(preset);
    const exact = integrateTwoParticles(fluid, temperature, 1, 0.005);
    const expected = exact.logPartition - Math.log(2);
    const found = await particleFreeEnergy(fluid, await framesOf(fluid, temperature), {
      temperature,
      symmetries: fluidSymmetries(fluid),
      settings: { ...tiny, head },
      seed: 4,
    });
    assertIs(found.logPartition.bar, expected, 0.02);
    assertIs(found.logPartition.reweighting, expected, 0.02);
    assertEquals(found.logPartition.headline.value, found.logPartition.bar.value);

    // Weights make samples of the flow samples of the particles: averages of anything are exact.
    const { samples, meanReducedEnergy: { flow, frames }, gap, outsideDomain } = found;
    const pairEnergy = weightedMean(fluid.pairEnergy(samples.x), { logWeights: samples.logWeights });
    assertIs({ ...pairEnergy }, exact.pairEnergy, 0.05);
    assert(Math.abs(flow.value! - frames.value!) < 4 * Math.hypot(flow.standardError!, frames.standardError!));
    assert(found.samplingEfficiency > 0.5 && found.samplingEfficiency < 1, `${found.samplingEfficiency}`);
    assert(gap.value! > -4 * gap.standardError! && gap.value! < 0.5, `${gap.value}`);
    assert(outsideDomain > 0 && outsideDomain < 0.3, `${outsideDomain}`);
  }
});

Deno.test("particleFreeEnergy of four particles is the average over independent configurations of the ideal gas", async () => {
  const fluid = new LennardJonesFluid({ particles: 4, density: 0.4 });
  const { value, error } = idealAverage(fluid, 1, 300_000);
  const { logPartition } = await particleFreeEnergy(fluid, await framesOf(fluid, 1), {
    symmetries: fluidSymmetries(fluid),
    settings: { ...tiny, hidden: [32] },
    seed: 1,
  });
  const expected = value + fluid.idealLogPartition(1) - fluid.logLabellings;
  for (const estimate of [logPartition.bar, logPartition.reweighting]) {
    const standardError = Math.hypot(error, estimate.standardError!);
    assertIs({ ...estimate, standardError }, expected, 0.05);
  }
});

/** What a target with a fault in it gives, on frames of the right one. */
async function faulty(change: Partial<ParticleTarget>, temperature = 1): Promise<ParticleFreeEnergy> {
  const fluid = twoParticles("liquid");
  const target: ParticleTarget = {
    dim: fluid.dim,
    particles: 2,
    spatialDim: 2,
    referencePositions: fluid.referencePositions,
    energy: (x) => fluid.energy(x),
    inDomain: (x) => fluid.inDomain(x),
    pairTerm: (i, j) => fluid.pairTerm(i, j),
    oneBodyEnergy: (particle, axis, x) => fluid.oneBodyEnergy(particle, axis, x),
    ...change,
  };
  return await particleFreeEnergy(target, await framesOf(fluid, 1), { temperature, settings: tiny, seed: 4 });
}

Deno.test("the law of two particles rejects forgotten labels, energies of another system, and another temperature", async () => {
  const expected = integrateTwoParticles(twoParticles("liquid"), 1, 1, 0.005).logPartition - Math.log(2);
  assertIs((await faulty({})).logPartition.bar, expected, 0.02);

  const weaker = new LennardJonesFluid({ ...twoParticles("liquid").parameters, attraction: 3, sites: TWO_SITES });
  // Samples with exchanged labels count as well: what should be half of the configurations is more.
  const broken = [
    await faulty({ inDomain: (x) => new Uint8Array(x.length / 4).fill(1) }),
    await faulty({ energy: (x) => weaker.energy(x) }),
    await faulty({}, 1.3),
  ];
  for (const [k, { logPartition }] of broken.entries()) {
    const { message } = assertThrows(() => assertIs(logPartition.bar, expected, 1), Error, "", `fault ${k}`);
    // The value is off, or flow samples and frames were seen to contradict each other before it came to that.
    assertMatch(message, /instead of|contradict/, `fault ${k}`);
  }
});

Deno.test("interactions that leave something out cost efficiency and nothing else", async () => {
  const expected = integrateTwoParticles(twoParticles("liquid"), 1, 1, 0.005).logPartition - Math.log(2);
  const right = await faulty({});
  const blind = await faulty({ pairTerm: () => null });
  assertIs(blind.logPartition.bar, expected, 0.05);
  assert(blind.samplingEfficiency < right.samplingEfficiency);
});

Deno.test("particleFreeEnergy is the same for any number of threads, and another one for another seed", async () => {
  const fluid = twoParticles("liquid");
  const frames = await framesOf(fluid, 1);
  const settings = { ...tiny, samples: 2048, bootstraps: 20 };
  const run = async (threads: number, seed: number) => {
    using pool = await ThreadPool.open(threads);
    const { logPartition, history, samples } = await particleFreeEnergy(fluid, frames, { settings, seed, pool });
    return { logPartition, history, samples };
  };
  const [one, two] = [await run(1, 7), await run(2, 7)];
  assertEquals(one, two);
  const other = await run(1, 8);
  assert(other.logPartition.bar.value !== one.logPartition.bar.value);
  const { value, standardError } = other.logPartition.bar;
  assertAlmostEquals(value!, one.logPartition.bar.value!, 4 * Math.SQRT2 * standardError!);
});

Deno.test("particleFreeEnergy says when chains had not relaxed, stops when told, and refuses what is no data", async () => {
  const fluid = twoParticles("liquid");
  const frames = await framesOf(fluid, 1);
  const settings = { ...tiny, samples: 512, bootstraps: 20, head: "mixture" as const };
  const { logPartition } = await particleFreeEnergy(fluid, frames, { settings, framesRelaxed: false });
  assertEquals(logPartition.bar.reliable, false);
  assertEquals(logPartition.bar.reason, "the evaluation chains had not relaxed when burn-in ended");
  assertEquals(logPartition.headline.value, logPartition.reweighting.value);

  const controller = new AbortController();
  await assertRejects(
    () =>
      particleFreeEnergy(fluid, frames, {
        settings,
        signal: controller.signal,
        onProgress: () => controller.abort(new DOMException("enough", "AbortError")),
      }),
    DOMException,
    "enough",
  );

  const exchanged = frames.train.slice();
  exchanged.set([...frames.train.subarray(2, 4), ...frames.train.subarray(0, 2)]);
  const refusals: [ParticleFrames, string][] = [
    [{ ...frames, train: exchanged }, "train must lie in the reference domain, got 1 of 2000 frames outside"],
    [{ ...frames, validate: new Float64Array(5) }, "validate must hold one or more rows of 4, got 5 numbers"],
    [
      { ...frames, evaluate: { x: frames.evaluate.x, chain: new Int32Array(3) } },
      "evaluate.chain must name a chain for each of 4000 frames, got 3",
    ],
  ];
  for (const [wrong, message] of refusals) {
    await assertRejects(
      () => particleFreeEnergy(fluid, wrong, { settings }),
      RangeError,
      `Cannot compute a free energy of particles: ${message}`,
    );
  }
});
