/** Numbers that are none, on their way through whole computations: refused and named, or skipped, counted and told. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { evaluatePartition } from "../../src/experiment/partition_evaluation.ts";
import { type ParticleFrames, particleFreeEnergy } from "../../src/experiment/particle_free_energy.ts";
import { dimerReportHtml } from "../../src/experiment/dimer_report_html.ts";
import { dimerReportJson } from "../../src/experiment/dimer_report_json.ts";
import { skippedSentences } from "../../src/experiment/report_numbers.ts";
import { sameGrid, validationNll } from "../../src/experiment/validation.ts";
import type { Generator } from "../../src/flow/flow.ts";
import { BoltzmannGenerator } from "../../src/hybrid/boltzmann_generator.ts";
import { syntheticOutcome } from "../support/dimer_outcome.ts";
import { normals } from "../support/random_arrays.ts";

await loadKernels();

/** One particle in a harmonic trap. */
const trap = {
  dim: 2,
  particles: 1,
  spatialDim: 2 as const,
  referencePositions: Float64Array.of(0, 0),
  pairTerm: () => null,
  oneBodyEnergy: (_particle: number, _axis: number, x: number) => x * x / 2,
  energy: (x: Float64Array) =>
    Float64Array.from({ length: x.length / 2 }, (_, i) => (x[2 * i] ** 2 + x[2 * i + 1] ** 2) / 2),
};
const chain = Int32Array.from({ length: 200 }, (_, i) => i % 8);
const frames: ParticleFrames = {
  train: normals(400, 1),
  validate: normals(400, 2),
  evaluate: { x: normals(400, 3), chain },
};
const training = { name: "fit", steps: 4, batch: 32, learningRate: { shape: "constant", initial: 1e-3 } } as const;
const settings = { head: "mixture" as const, hidden: [4], training, samples: 256, bootstraps: 10 };

Deno.test("particleFreeEnergy() refuses frames that are not finite, in every split, with and without a domain", async () => {
  const domain = { ...trap, inDomain: (x: Float64Array) => new Uint8Array(x.length / 2).fill(1) };
  for (const system of [trap, domain]) {
    for (const [i, bad] of [NaN, Infinity, -Infinity].entries()) {
      const spoilt = normals(400, 4).with(9, bad).with(8, bad).with(77, bad);
      const wrong: [string, ParticleFrames][] = [
        ["train", { ...frames, train: spoilt }],
        ["validate", { ...frames, validate: spoilt }],
        ["evaluate.x", { ...frames, evaluate: { x: spoilt, chain } }],
      ];
      const [name, broken] = wrong[i];
      const { message } = await assertRejects(() => particleFreeEnergy(system, broken, { settings }), RangeError);
      assertEquals(
        message,
        `Cannot compute a free energy of particles: ${name} must be finite, got 2 of 200 frames that are not, the first ` +
          "with index 4",
      );
    }
  }
});

Deno.test("particleFreeEnergy() refuses no samples and no replicates before it trains", async () => {
  for (const [name, value] of [["samples", 0], ["samples", 1.5], ["bootstraps", 0]] as const) {
    let trained = false;
    const { message } = await assertRejects(
      () =>
        particleFreeEnergy(trap, frames, {
          settings: { ...settings, [name]: value },
          onProgress: () => trained = true,
        }),
      RangeError,
    );
    assertEquals(
      message,
      `Cannot compute a free energy of particles: ${name} must be a whole number ≥ 1, got ${value}`,
    );
    assertEquals(trained, false);
  }
});

Deno.test("particleFreeEnergy() ends in training where the flow cannot have a density, and says at which frame", async () => {
  // One validation frame so far out that its square is no number of float32.
  const far = { ...frames, validate: frames.validate.with(5, 1e30) };
  const { message } = await assertRejects(() => particleFreeEnergy(trap, far, { settings }), NotFiniteError);
  assertEquals(
    message,
    'Cannot choose the best parameters after step 4 of stage "fit": log-densities of validation frames must be finite, ' +
      "got 1 of 200 that are not, the first with index 2",
  );
});

/** Normal samples, some of which are lost. */
const lossy = (lost: (i: number) => boolean): Generator => {
  const logProb = (x: Float64Array) => trap.energy(x).map((u) => -u - Math.log(2 * Math.PI));
  return {
    dim: 2,
    sample(n, { seed, first = 0 }) {
      const x = normals(2 * n, seed + first).map((v, i) => lost(first + (i >> 1)) && i % 2 === 0 ? NaN : v);
      return { x, z: x, logProb: logProb(x) };
    },
    logProb,
  };
};
const evaluation = { samples: 10_000, bootstraps: 20, framesRelaxed: true, seed: 1, pool: serialPool };

Deno.test("an evaluation refuses lost samples with the number of the piece, or counts them as weight zero", async () => {
  const every = lossy((i) => i % 1000 === 500);
  const { message } = await assertRejects(
    () => evaluatePartition(new BoltzmannGenerator(every, trap), frames.evaluate, evaluation),
    NotFiniteError,
  );
  assertEquals(
    message,
    "Cannot weigh configurations: coordinates, log-density and energy must be finite, got 4 of 4096 for which one is not " +
      "(coordinate 4), the first with index 500: mend flow or data, or have them skipped and counted by skipNotFinite " +
      "(samples 0 to 4095 of the flow)",
  );
  const late = lossy((i) => i === 9000);
  await assertRejects(
    () => evaluatePartition(new BoltzmannGenerator(late, trap), frames.evaluate, evaluation),
    NotFiniteError,
    "(samples 8192 to 9999 of the flow)",
  );

  const skipping = new BoltzmannGenerator(every, trap, { skipNotFinite: true });
  const found = await evaluatePartition(skipping, frames.evaluate, evaluation);
  assertEquals([found.notFinite, found.samples.notFinite, found.outsideDomain], [10, 10, 0]);
  // Ten samples of ten thousand that stand for nothing lack in Z: the estimate says so, it does not renormalise.
  const { value } = found.logPartition.reweighting;
  assert(Math.abs(value! - Math.log(2 * Math.PI * 0.999)) < 1e-9, `${value}`);
});

Deno.test("evaluation frames are data: one without a density is refused even where samples may be skipped", async () => {
  const skipping = new BoltzmannGenerator(lossy(() => false), trap, { skipNotFinite: true });
  const x = frames.evaluate.x.with(3, NaN);
  await assertRejects(
    () => evaluatePartition(skipping, { x, chain }, evaluation),
    NotFiniteError,
    "got 1 of 200 for which one is not (coordinate 1), the first with index 1",
  );
});

Deno.test("validationNll() is a mean of numbers or none at all", () => {
  const giving = (...logProb: number[]): Generator => ({
    dim: 1,
    sample: () => ({ x: new Float64Array(0), z: new Float64Array(0), logProb: new Float64Array(0) }),
    logProb: () => Float64Array.from(logProb),
  });
  assertEquals(validationNll(giving(-1, -2, -6), new Float64Array(3), serialPool), 3);
  for (const bad of [NaN, -Infinity, Infinity]) {
    assertThrows(
      () => validationNll(giving(-1, bad, bad), new Float64Array(3), serialPool),
      NotFiniteError,
      "log-densities of validation frames must be finite, got 2 of 3 that are not, the first with index 1",
    );
  }
});

Deno.test("validation losses of two stages are comparable on one grid, named or usual", () => {
  const [coarse, fine] = [{ fine: 17, coarse: 17 }, { fine: 33, coarse: 17 }];
  const comparable = sameGrid(fine);
  assertEquals(comparable({ grid: coarse }, { grid: { ...coarse } }), true);
  assertEquals([comparable({}, {}), comparable({}, { grid: fine })], [true, true]);
  assertEquals([comparable({}, { grid: coarse }), comparable({ grid: coarse }, {})], [false, false]);
  assertEquals(sameGrid(undefined)({}, {}), true);
});

Deno.test("reports say what was skipped, and nothing where nothing was", () => {
  assertEquals(skippedSentences([{}, {}], 0), []);
  const outcome = syntheticOutcome();
  const clean = dimerReportHtml(outcome, []);
  assert(!clean.includes("skipped"));
  const history = outcome.history.map((line, k) => k === 3 ? { ...line, skipped: 2 } : line);
  const skipped = { ...outcome, history, evaluation: { ...outcome.evaluation, notFinite: 7 } };
  const html = dimerReportHtml(skipped, []);
  assert(html.includes("2 steps of training were skipped because loss or gradient was not finite."));
  assert(html.includes("7 flow samples had coordinates, a density or an energy that is not finite"));
  const json = dimerReportJson(skipped) as unknown as { notFinite: number; losses: { skipped?: number }[] };
  assertEquals([json.notFinite, json.losses[3].skipped, json.losses[4].skipped], [7, 2, undefined]);
});
