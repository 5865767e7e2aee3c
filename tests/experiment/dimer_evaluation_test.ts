import { assertAlmostEquals, assertEquals } from "@std/assert";
import { serialPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { evaluateDimer } from "../../src/experiment/dimer_evaluation.ts";
import { Flow } from "../../src/flow/flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";

await loadKernels();

Deno.test("evaluateDimer() counts flow samples that are not numbers as samples without weight", async () => {
  const system = new ParticleDimer();
  const flow = new Flow(new Scaling({ dim: system.dim }));
  flow.parameters()[0].set(new Float32Array(system.dim).fill(100)); // e^100 is beyond float32
  const x = Float64Array.from([1, 2].flatMap((d) => [...system.canonicalize(system.initialConfiguration(d))]));
  const { outsideDomain, samplingEfficiency, freeEnergyDifference } = await evaluateDimer({
    generator: flow,
    system,
    beta: 1,
    frames: { x, d: system.distance(x), chain: Int32Array.of(0, 1) },
    samples: 64,
    bootstraps: 10,
    edges: Float64Array.of(0, 1.5, 3),
    seed: 1,
    pool: serialPool,
  });
  assertEquals(outsideDomain, 1);
  assertEquals(samplingEfficiency, { closed: null, open: null, all: null });
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
