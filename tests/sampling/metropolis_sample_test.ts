import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { metropolisSample } from "../../src/sampling/metropolis_sample.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";

await loadKernels();

const system = new ParticleDimer();

Deno.test("metropolisSample returns relaxed frames of the domain, by chain, with their cost", async () => {
  const sample = await metropolisSample(system, { frames: 100, chains: 8, seed: 1, spacing: 0.2 });
  const { x, d, chain, stride, relaxation } = sample;
  assertEquals([x.length, d.length, chain.length], [104 * 76, 104, 104]);
  assertEquals([...chain.subarray(0, 10)], [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
  assertEquals(d, system.distance(x));
  assert(system.inDomain(x).every((inside) => inside === 1));
  // Equilibrium energies at T = 1 lie between 30 and 95 (starts have thousands).
  assert(system.energy(x).every((u) => u > 25 && u < 110));
  assert(relaxation.relaxed && relaxation.burnIn >= 20 * relaxation.autocorrelationTime);
  assertEquals(stride, Math.ceil(0.4 * relaxation.autocorrelationTime));
  assertEquals(sample.moves, (relaxation.burnIn + 13 * stride) * 8 * 38);
  assertEquals(sample.energyEvaluations, 2 * sample.moves / 38);
  assert(Math.abs(sample.acceptance - 0.35) < 0.05);
  // Chains stay in the basin of their start at T = 1: even ones closed, odd ones open.
  chain.forEach((c, s) => assertEquals(d[s] < 1.5, c % 2 === 0));
  assertEquals(sample.crossings, new Int32Array(8));
});

Deno.test("metropolisSample gives other frames for another stream, the same for the same", async () => {
  const small = new ParticleDimer({ solvent: 4, halfBox: 2 });
  const draw = (stream: number) => metropolisSample(small, { frames: 20, chains: 4, seed: 3, stream });
  const [a, b, c] = [await draw(1), await draw(1), await draw(2)];
  assertEquals(a.x, b.x);
  assert(a.x.every((value, k) => value !== c.x[k]));
});

Deno.test("metropolisSample stops when told to, and tells how far it is", async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const onProgress = (done: number) => {
    seen.push(done);
    if (done > 0) controller.abort(new Error("enough"));
  };
  await assertRejects(
    () => metropolisSample(system, { frames: 1e6, chains: 4, signal: controller.signal, onProgress }),
    Error,
    "enough",
  );
  assert(seen.every((done) => done >= 0 && done <= 1));
});

Deno.test("metropolisSample says what is wrong", async () => {
  const what = "Cannot sample particles:";
  await assertRejects(
    () => metropolisSample(system, { frames: 0 }),
    RangeError,
    `${what} frames must be a whole number ≥ 1`,
  );
  await assertRejects(
    () => metropolisSample(system, { frames: 1, spacing: 0 }),
    RangeError,
    `${what} spacing must be a positive number, got 0`,
  );
});
