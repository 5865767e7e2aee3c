import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { evaluateDimer } from "../../src/experiment/dimer_evaluation.ts";
import { Flow } from "../../src/flow/flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";

await loadKernels();

Deno.test("evaluateDimer() refuses flow samples that are no numbers, or counts them as samples without weight", async () => {
  const system = new ParticleDimer();
  const flow = new Flow(new Scaling({ dim: system.dim }));
  flow.parameters()[0].set(new Float32Array(system.dim).fill(100)); // e^100 is beyond float32
  const x = Float64Array.from([1, 2].flatMap((d) => [...system.canonicalize(system.initialConfiguration(d))]));
  const options = {
    generator: flow,
    system,
    beta: 1,
    frames: { x, d: system.distance(x), chain: Int32Array.of(0, 1) },
    samples: 64,
    bootstraps: 10,
    edges: Float64Array.of(0, 1.5, 3),
    seed: 1,
    pool: serialPool,
  };
  await assertRejects(
    () => evaluateDimer(options),
    NotFiniteError,
    "got 64 of 64 for which one is not (coordinate 64), the first with index 0",
  );

  const found = await evaluateDimer({ ...options, skipNotFinite: true });
  const { outsideDomain, notFinite, samplingEfficiency, samplingEfficiencyInterval, freeEnergyDifference } = found;
  assertEquals([outsideDomain, notFinite], [0, 64]);
  assertEquals(samplingEfficiency, { closed: null, open: null, all: null });
  assertEquals(samplingEfficiencyInterval, { closed: null, open: null, all: null });
  assertEquals(freeEnergyDifference.bar.reason, "no flow sample lies in basin closed");
  assertEquals(freeEnergyDifference.reweighting.reason, "no sample of basin closed has any weight");
});

/** A dimer that counts the configurations whose energies it computes. */
class CountingDimer extends ParticleDimer {
  evaluations = 0;

  override energy(...[x, options]: Parameters<ParticleDimer["energy"]>): Float64Array {
    this.evaluations += x.length / this.dim;
    return super.energy(x, options);
  }
}

Deno.test("evaluateDimer() computes one energy for each flow sample and each evaluation frame, as the ledger says", async () => {
  const system = new CountingDimer();
  const flow = new Flow(new Scaling({ dim: system.dim }));
  const x = Float64Array.from([1, 1.1, 2].flatMap((d) => [...system.canonicalize(system.initialConfiguration(d))]));
  const { evaluationNll, reducedEnergies } = await evaluateDimer({
    generator: flow,
    system,
    beta: 0.5,
    frames: { x, d: system.distance(x), chain: Int32Array.of(0, 1, 2) },
    samples: 64,
    bootstraps: 10,
    edges: Float64Array.of(0, 1.5, 3),
    seed: 1,
    pool: serialPool,
  });
  assertEquals(system.evaluations, 64 + 3);
  assertEquals([...reducedEnergies.data.open], [0.5 * system.energy(x)[2]]);
  const logProb = flow.logProb(x);
  assertAlmostEquals(evaluationNll.closed!, -(logProb[0] + logProb[1]) / 2, 1e-12);
  assertEquals(evaluationNll.open, -logProb[2]);
});

Deno.test("evaluateDimer() tells the divergence of a flow that is exact but for the shares of the basins", async () => {
  const system = new ParticleDimer();
  const x = Float64Array.from(
    [1, 1.1, 1.2, 2].flatMap((d) => [...system.canonicalize(system.initialConfiguration(d))]),
  );
  // Three samples in four are closed; within a basin ln q = −u + constant.
  const logProb = (x: Float64Array) => {
    const d = system.distance(x);
    return system.energy(x).map((u, i) => -u + (d[i] < 1.5 ? 7 : -2));
  };
  const { gap, samplingEfficiency } = await evaluateDimer({
    generator: {
      dim: system.dim,
      sample(n) {
        const samples = new Float64Array(n * system.dim).map((_, i) => x[i % x.length]);
        return { x: samples, z: samples, logProb: logProb(samples) };
      },
      logProb,
    },
    system,
    beta: 1,
    frames: { x, d: system.distance(x), chain: Int32Array.of(0, 1, 2, 3) },
    samples: 400,
    bootstraps: 10,
    edges: Float64Array.of(0, 1.5, 3),
    seed: 1,
    pool: serialPool,
  });
  assertAlmostEquals(gap.closed!, -Math.log(3 / 4), 1e-9);
  assertAlmostEquals(gap.open!, -Math.log(1 / 4), 1e-9);
  assertAlmostEquals(gap.all!, 0.5 * Math.log((1 / 2) / (3 / 4)) + 0.5 * Math.log((1 / 2) / (1 / 4)), 1e-9);
  assertAlmostEquals(samplingEfficiency.open!, 1, 1e-12);
});
