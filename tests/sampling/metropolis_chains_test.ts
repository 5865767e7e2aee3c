import { assert, assertEquals, assertThrows } from "@std/assert";
import type { ChainPairs } from "../../src/backend/metropolis_kernels.ts";
import {
  type MetropolisRule,
  metropolisRule,
  type MoveChange,
  particleMetropolisReference,
} from "../../src/backend/particle_reference.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { integratedAutocorrelationTime } from "../../src/sampling/autocorrelation.ts";
import { emptyPairs, fillTable, seedGenerators, TableRow, toLanes } from "../../src/sampling/chain_lanes.ts";
import type { MetropolisState } from "../../src/sampling/chain_state.ts";
import { MetropolisChains } from "../../src/sampling/metropolis_chains.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { chiSquarePerFreedom, distanceProbabilities } from "../support/dimer_density.ts";

await loadKernels();

/** A dimer alone, whose barrier of about 2 k_BT chains cross often. */
const alone = new ParticleDimer({ solvent: 0, a: 4, b: 2, slope: 0.5 });
const edges = [0, 0.35, 0.5, 0.65, 0.8, 0.95, 1.1, 1.3, 1.5, 1.7, 1.9, 2.1, 2.3, 2.6, 9];
/** χ² per freedom with 13 degrees of freedom exceeds this once in 100,000. */
const CHI_LIMIT = 3.5;

/** Distances of 64 chains, far enough apart in time to be independent. */
function independentDistances(system: ParticleDimer, temperature: number, bias = 0): Float64Array {
  const centres = new Float64Array(64).fill(1.4);
  const chains = new MetropolisChains(system, { chains: 64, temperature, seed: 3, bias: { constant: bias, centres } });
  chains.tune(400);
  const series = Array.from({ length: 64 }, () => new Float64Array(400));
  chains.advance(400 * 5, { every: 5 }).forEach((d, i) => series[i % 64][Math.floor(i / 64)] = d);
  const every = Math.ceil(5 * 2 * integratedAutocorrelationTime(series));
  return chains.advance(every * 60, { every });
}

Deno.test("MetropolisChains draw the exact distribution of the distance of a dimer alone", () => {
  for (const temperature of [0.6, 1, 2]) {
    const chi = chiSquarePerFreedom(
      independentDistances(alone, temperature),
      edges,
      distanceProbabilities(alone, temperature, edges),
    );
    assert(chi < CHI_LIMIT, `χ² per freedom at T = ${temperature}: ${chi}`);
  }
});

Deno.test("MetropolisChains draw the exact distribution under a bias", () => {
  for (const temperature of [0.6, 2]) {
    const bias = (d: number) => 3 * (d - 1.4) ** 2;
    const samples = independentDistances(alone, temperature, 3);
    assert(chiSquarePerFreedom(samples, edges, distanceProbabilities(alone, temperature, edges, bias)) < CHI_LIMIT);
    const forgotten = distanceProbabilities(alone, temperature, edges);
    assert(chiSquarePerFreedom(samples, edges, forgotten) > CHI_LIMIT, "a forgotten bias must be noticed");
    const unscaled = distanceProbabilities(alone, temperature, edges, (d) => bias(d) / temperature);
    assert(chiSquarePerFreedom(samples, edges, unscaled) > CHI_LIMIT, "a bias in other units must be noticed");
  }
});

/** Chains of the plain TypeScript twin with a rule of its own; returns the distances after every tenth sweep. */
function twinDistances(rule: MetropolisRule): Float64Array {
  const chains: ChainPairs = emptyPairs(16, alone.dim);
  seedGenerators(chains, 5, 0);
  fillTable(chains, TableRow.temperature, () => 1);
  fillTable(chains, TableRow.step, () => 0.4);
  const start = new Float64Array(16 * alone.dim).map((_, k) => alone.initialConfiguration(1.5)[k % alone.dim]);
  toLanes(start, alone.dim, chains.positions);
  const samples: number[] = [];
  for (let k = 0; k < 60; k++) {
    particleMetropolisReference(alone.coefficients, chains, 50, rule);
    for (let p = 0; p < 8; p++) {
      for (const lane of [0, 1]) {
        const at = (c: number) => chains.positions[8 * p + 2 * c + lane];
        samples.push(Math.hypot(at(0) - at(2), at(1) - at(3)));
      }
    }
  }
  return Float64Array.from(samples);
}

Deno.test("the exact distribution rejects samplers that always accept, have the wrong sign, or the wrong temperature", () => {
  const expected = distanceProbabilities(alone, 1, edges);
  const chi = (rule: MetropolisRule) => chiSquarePerFreedom(twinDistances(rule), edges, expected);
  const times = (factor: number, { pairs, walls, dimer }: MoveChange) => ({
    pairs: factor * pairs,
    walls: factor * walls,
    dimer: factor * dimer,
  });
  assert(chi(metropolisRule) < CHI_LIMIT);
  assert(chi(() => true) > CHI_LIMIT);
  assert(chi((change, bound) => metropolisRule(times(-1, change), bound)) > CHI_LIMIT);
  assert(chi((change, bound) => metropolisRule(times(1.5, change), bound)) > CHI_LIMIT);
});

/** Σ xᵢ ∂U/∂xᵢ of each configuration: its mean is dim · T for any energy that confines. */
function virial(system: ParticleDimer, x: Float64Array): Float64Array {
  const { gradient } = system.energyAndGradient(x);
  return new Float64Array(x.length / system.dim).map((_, s) => {
    let sum = 0;
    for (let k = s * system.dim; k < (s + 1) * system.dim; k++) sum += x[k] * gradient[k];
    return sum;
  });
}

Deno.test("MetropolisChains of the full system obey the virial theorem", () => {
  const system = new ParticleDimer();
  for (const temperature of [0.5, 1, 2]) {
    const chains = new MetropolisChains(system, { chains: 16, temperature, seed: 6 });
    chains.tune(400);
    chains.advance(1000);
    const series = Array.from({ length: 16 }, () => new Float64Array(400));
    for (let t = 0; t < 400; t++) {
      chains.advance(15);
      virial(system, chains.positions()).forEach((value, c) => series[c][t] = value);
    }
    const values = series.flatMap((s) => [...s]);
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
    const error = Math.sqrt(2 * integratedAutocorrelationTime(series) * variance / values.length);
    const expected = system.dim * temperature;
    assert(Math.abs(mean - expected) < 4 * error, `T ${temperature}: ${mean} ± ${error} instead of ${expected}`);
    assert(
      error < 0.06 * expected,
      "the error must be small enough to notice a temperature that is wrong by a quarter",
    );
  }
});

Deno.test("MetropolisChains are the same for one and two threads and however sweeps are divided", async () => {
  const system = new ParticleDimer();
  using pool = await ThreadPool.open(2);
  const make = () => new MetropolisChains(system, { chains: 6, seed: 9, stream: 2 });
  const [whole, parts] = [make(), make()];
  whole.tune(60);
  parts.tune(60, { pool });
  const distances = whole.advance(50, { every: 10 });
  assertEquals([...distances], [...parts.advance(20, { every: 10, pool }), ...parts.advance(30, { every: 10, pool })]);
  assertEquals(parts.state, whole.state);
  assertEquals(parts.frames({ pool }), whole.frames());
  const other = new MetropolisChains(system, { chains: 6, seed: 9, stream: 3 });
  other.tune(60);
  assert(other.positions().every((value, k) => value !== whole.positions()[k]));
});

Deno.test("MetropolisChains go on from their state as if nothing had happened", () => {
  const system = new ParticleDimer();
  const bias = { constant: 70, centres: Float64Array.of(0.9, 1.3, 1.7, 2.1) };
  const chains = new MetropolisChains(system, { chains: 4, seed: 1, temperature: 0.7, bias });
  chains.tune(100);
  chains.frames();
  const { numbers, arrays } = chains.state;
  const state: MetropolisState = { numbers: JSON.parse(JSON.stringify(numbers)), arrays: structuredClone(arrays) };
  const resumed = MetropolisChains.fromState(system, state);
  for (const c of [chains, resumed]) c.advance(100, { every: 10 });
  assertEquals(resumed.state, chains.state);
  assertEquals(resumed.frames(), chains.frames());
  assertEquals(resumed.acceptance(), chains.acceptance());
  assertThrows(
    () => MetropolisChains.fromState(new ParticleDimer({ solvent: 9 }), state),
    RangeError,
    "Cannot resume Metropolis chains: positions must have 88 numbers, got 304",
  );
});

Deno.test("MetropolisChains.frames lie in the domain, keep the energy and leave the chains alone", () => {
  const system = new ParticleDimer();
  const chains = new MetropolisChains(system, { chains: 8, seed: 2, temperature: 2 });
  chains.tune(200);
  for (let k = 0; k < 5; k++) {
    chains.advance(200);
    const before = chains.positions();
    const { x, d } = chains.frames();
    assertEquals(chains.positions(), before);
    assert(system.inDomain(x).every((inside) => inside === 1));
    assertEquals(d, system.distance(x));
    const u = system.energy(before);
    system.energy(x).forEach((value, c) => assert(Math.abs(value / u[c] - 1) < 1e-12));
    assertEquals(system.canonicalize(before), x);
  }
});

Deno.test("MetropolisChains count moves and crossings", () => {
  const chains = new MetropolisChains(alone, { chains: 4, seed: 8 });
  const first = chains.distances().map((d) => d < 1.5 ? 0 : 1);
  const distances = chains.advance(3000, { every: 3 });
  const crossings = [0, 1, 2, 3].map((c) => {
    let basin = first[c];
    let count = 0;
    for (let t = c; t < distances.length; t += 4) {
      if ((distances[t] < 1.5 ? 0 : 1) !== basin) [basin, count] = [1 - basin, count + 1];
    }
    return count;
  });
  assertEquals([...chains.crossings()], crossings);
  assert(crossings.every((count) => count > 0));
  assertEquals([chains.sweeps, chains.moves, chains.energyEvaluations], [3000, 3000 * 2 * 4, 2 * 3000 * 4]);
  const full = new MetropolisChains(new ParticleDimer(), { chains: 2 });
  full.advance(5);
  // 36 solvent moves of 37 pairs and two dimer moves of 36 pairs make 1,404 of the 702 pairs of one energy.
  assertEquals(full.energyEvaluations, 5 * 2 * (36 * 37 + 2 * 36) / 702);
});

Deno.test("MetropolisChains.tune reaches about 35 % acceptance at any temperature", () => {
  for (const temperature of [0.25, 1, 4]) {
    const chains = new MetropolisChains(new ParticleDimer(), { chains: 8, temperature, seed: 3 });
    chains.tune(600);
    assertEquals(Number.isNaN(chains.acceptance()), true);
    chains.advance(100);
    assert(Math.abs(chains.acceptance() - 0.35) < 0.03, `T ${temperature}: ${chains.acceptance()}`);
  }
});

Deno.test("MetropolisChains say what is wrong", () => {
  const system = new ParticleDimer();
  const make = (options: Record<string, unknown>) => () => new MetropolisChains(system, options);
  const what = "Cannot run Metropolis chains:";
  assertThrows(make({ chains: 3 }), RangeError, `${what} chains must be an even number ≥ 2, got 3`);
  assertThrows(make({ temperature: 0 }), RangeError, `${what} temperature must be a positive number, got 0`);
  assertThrows(make({ step: 0 }), RangeError, `${what} step must be a positive number, got 0`);
  assertThrows(make({ chains: 2, start: new Float64Array(76) }), RangeError, "of 152 numbers, got 76");
  assertThrows(
    make({ chains: 2, start: new Float64Array(152) }),
    RangeError,
    "finite energies, got Infinity in chain 0",
  );
  const centres = new Float64Array(1);
  assertThrows(make({ bias: { constant: 1, centres } }), RangeError, `${what} bias centres must be 32 finite numbers`);
  assertThrows(make({ bias: { constant: -1, centres } }), RangeError, `${what} bias constant must be a number ≥ 0`);
  const chains = new MetropolisChains(system, { chains: 2 });
  assertThrows(() => chains.advance(-1), RangeError, `${what} sweeps must be a whole number ≥ 0, got -1`);
  assertThrows(
    () => chains.advance(1, { every: 0.5 }),
    RangeError,
    `${what} every must be a whole number ≥ 0, got 0.5`,
  );
});
