import { assert, assertEquals } from "@std/assert";
import { kernels } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { canonicalOrder, particleEnergy, particleGradient } from "../../src/backend/particle_kernels.ts";
import { type ChainPairs, particleMetropolis } from "../../src/backend/metropolis_kernels.ts";
import {
  assignmentReference,
  dimerEnergyReference,
  dimerGradientReference,
  type MetropolisRule,
  minusLogReference,
  moveChangeReference,
  particleMetropolisReference,
} from "../../src/backend/particle_reference.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { f64, scope } from "../../src/backend/wasm.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { exportedOpcodes, relaxedMultiplyAdds, simdArithmetic, simdPrefix } from "../support/wasm_opcodes.ts";
import { row, scattered, shakenStarts } from "../support/dimer_configurations.ts";

await loadKernels();

/** About 700 terms, each with about 20 roundings of 1.1e-16: 1e-14 if they average out, far below 1e-12 if they do not. */
const ENERGY_TOLERANCE = 1e-12;
/** The gradient's terms cancel; its error is measured against the sum of their sizes. */
const GRADIENT_TOLERANCE = 1e-12;

const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17];
const systems = (["noe2019", "noe2019-class", "printed"] as const).map((preset) => new ParticleDimer({ preset }));
const unusual = [0, 1, 4, 9, 49].map((solvent) =>
  new ParticleDimer({ solvent, halfBox: 2.5, epsilon: 0.7, sigma: 0.9 })
);

for (const build of ["relaxed", "baseline"] as const) {
  Deno.test(`particleEnergy and particleGradient equal plain TypeScript (${build})`, async () => {
    await loadKernels({ deterministic: build === "baseline" });
    for (const dimer of [...systems, ...unusual]) {
      for (const n of [...lengths, 1000]) {
        const x = n % 2 === 0 ? shakenStarts(dimer, n, 0.05) : scattered(dimer, n);
        const energy = particleEnergy(dimer.coefficients, x);
        const both = particleGradient(dimer.coefficients, x);
        assertEquals([energy.length, both.energy.length, both.gradient.length], [n, n, n * dimer.dim]);
        for (let s = 0; s < n; s += n > 100 ? 37 : 1) {
          const expected = dimerEnergyReference(dimer.coefficients, row(x, dimer.dim, s));
          for (const actual of [energy[s], both.energy[s]]) {
            // Energies near zero come from cancelling bond terms of size 100.
            assert(Math.abs(actual - expected) <= ENERGY_TOLERANCE * (Math.abs(expected) + 100));
          }
          const slope = dimerGradientReference(dimer.coefficients, row(x, dimer.dim, s));
          const size = slope.reduce((most, g) => Math.max(most, Math.abs(g)), 100);
          slope.forEach((g, k) => {
            assert(Math.abs(both.gradient[s * dimer.dim + k] - g) <= GRADIENT_TOLERANCE * size);
          });
        }
      }
    }
    await loadKernels();
  });
}

Deno.test("dimerGradientReference equals central differences of the energy", () => {
  for (const dimer of [...systems, ...unusual]) {
    const x = shakenStarts(dimer, 1, 0.1, 5);
    const gradient = dimerGradientReference(dimer.coefficients, x);
    const h = 1e-5;
    for (let k = 0; k < dimer.dim; k++) {
      const at = (shift: number) =>
        dimerEnergyReference(dimer.coefficients, x.map((value, i) => i === k ? value + shift : value));
      const slope = (at(h) - at(-h)) / (2 * h);
      const tolerance = 1e-6 * (Math.abs(gradient[k]) + 1) + 1e-16 * at(0) / h * 20;
      assert(Math.abs(slope - gradient[k]) < tolerance, `coordinate ${k}: ${gradient[k]} instead of ${slope}`);
    }
  }
});

Deno.test("energy kernels give +∞ for overlap, NaN for NaN, and treat signed zero and infinity like the formula", () => {
  const [dimer] = systems;
  const start = dimer.initialConfiguration(2);
  const cases = [
    { at: [8, 9], values: [start[4], start[5]], energy: Infinity },
    { at: [10], values: [NaN], energy: NaN },
    { at: [0], values: [NaN], energy: NaN },
    { at: [12], values: [Infinity], energy: Infinity },
    { at: [1, 3], values: [-0, -0], energy: dimerEnergyReference(dimer.coefficients, start) },
    { at: [1], values: [5e-324], energy: dimerEnergyReference(dimer.coefficients, start) },
  ];
  for (const { at, values, energy } of cases) {
    const bad = start.slice();
    at.forEach((k, i) => bad[k] = values[i]);
    for (const order of [[bad, start, start], [start, bad, start], [start, start, bad]]) {
      const x = Float64Array.of(...order.flatMap((part) => [...part]));
      for (const actual of [particleEnergy(dimer.coefficients, x), particleGradient(dimer.coefficients, x).energy]) {
        order.forEach((part, s) => {
          const expected = part === bad ? energy : dimerEnergyReference(dimer.coefficients, start);
          if (Number.isFinite(expected)) assert(Math.abs(actual[s] / expected - 1) < ENERGY_TOLERANCE);
          else assertEquals(actual[s], expected);
        });
      }
    }
  }
});

Deno.test("energy kernels write nothing beyond their outputs", () => {
  const [dimer] = systems;
  for (const n of [1, 2, 3]) {
    using s = scope();
    const dim = dimer.dim;
    const [x, parameters, energy, gradient, scratch] = [
      s.f64(n * dim),
      s.f64(10),
      s.f64(n + 2),
      s.f64(n * dim + 2),
      s.f64(12 * 38 + 2),
    ];
    f64(x, n * dim).set(shakenStarts(dimer, n, 0.05));
    const ends = [f64(energy + 8 * n, 2), f64(gradient + 8 * n * dim, 2), f64(scratch + 96 * 38, 2)];
    ends.forEach((end) => end.fill(7));
    kernels.particleDimerGradientF64(n, 38, parameters, x, energy, gradient, scratch);
    kernels.particleDimerEnergyF64(n, 38, parameters, x, energy, scratch);
    ends.forEach((end) => assertEquals([...end], [7, 7]));
  }
});

/** Chains with random generators, closed and open in turn, whose energy has been brought down a little. */
function someChains(dimer: ParticleDimer, pairs: number, bias = 0): ChainPairs {
  const random = new RandomStream(31, pairs);
  const chains: ChainPairs = {
    pairs,
    tables: new Float64Array(8 * pairs),
    positions: new Float64Array(4 * dimer.particles * pairs),
    generators: new BigUint64Array(8 * pairs).map(() => BigInt(random.uint32()) << 32n | BigInt(random.uint32())),
    accepted: new Float64Array(2 * pairs),
  };
  for (let p = 0; p < pairs; p++) {
    chains.tables.set([1, 0.5, 0.15, 0.3, bias, 2 * bias, 1.1, 1.9], 8 * p);
    const starts = [dimer.initialConfiguration(1), dimer.initialConfiguration(2)];
    for (let k = 0; k < 2 * dimer.particles; k++) {
      starts.forEach((start, lane) => chains.positions[4 * dimer.particles * p + 2 * k + lane] = start[k]);
    }
  }
  return chains;
}

const copyOf = (chains: ChainPairs): ChainPairs => ({
  pairs: chains.pairs,
  tables: chains.tables.slice(),
  positions: chains.positions.slice(),
  generators: chains.generators.slice(),
  accepted: chains.accepted.slice(),
});

for (const build of ["relaxed", "baseline"] as const) {
  Deno.test(`particleMetropolis walks through the same bits as plain TypeScript (${build})`, async () => {
    await loadKernels({ deterministic: build === "baseline" });
    for (const dimer of [...systems, ...unusual.slice(0, 3)]) {
      const chains = someChains(dimer, 2, 100);
      const twin = copyOf(chains);
      particleMetropolis(dimer.coefficients, chains, 40, 0);
      particleMetropolisReference(dimer.coefficients, twin, 40);
      assertEquals(chains, twin);
      assert(chains.accepted.every((count) => count > 0 && count < 40 * dimer.particles));
    }
    await loadKernels();
  });
}

Deno.test("the comparison of bits rejects a sampler that always accepts and one with the wrong sign", () => {
  const [dimer] = systems;
  const chains = someChains(dimer, 1);
  const start = copyOf(chains);
  particleMetropolis(dimer.coefficients, chains, 3, 0);
  const wrongSign: MetropolisRule = ({ pairs, walls, dimer }, bound) => -pairs - walls - dimer <= bound;
  for (const rule of [() => true, wrongSign]) {
    const broken = copyOf(start);
    particleMetropolisReference(dimer.coefficients, broken, 3, rule);
    assert(broken.positions.some((value, k) => value !== chains.positions[k]));
  }
});

Deno.test("the energy of a move is the difference of two energies", () => {
  const random = new RandomStream(8);
  for (const dimer of [...systems, ...unusual]) {
    const x = shakenStarts(dimer, 1, 0.05, 4);
    for (let i = 0; i < dimer.particles; i++) {
      const moved = x.slice();
      moved[2 * i] += 0.1 * random.normal();
      moved[2 * i + 1] += 0.1 * random.normal();
      const [before, after] = [x, moved].map((p) => {
        const d = Math.hypot(p[0] - p[2], p[1] - p[3]);
        return dimerEnergyReference(dimer.coefficients, p) + 30 * (d - 1.2) ** 2;
      });
      const parts = moveChangeReference(dimer.coefficients, [1, 0, 30, 1.2], x, i, moved[2 * i], moved[2 * i + 1]);
      const change = parts.pairs + parts.walls + parts.dimer;
      assert(Math.abs(change - (after - before)) < 1e-12 * (before + after + 1000), `particle ${i}`);
    }
  }
});

Deno.test("particleMetropolis does not depend on how it is cut, and records distances where it says", async () => {
  const [dimer] = systems;
  const start = someChains(dimer, 5, 20);
  const whole = copyOf(start);
  const distances = particleMetropolis(dimer.coefficients, whole, 60, 20);
  assertEquals(distances.length, 3 * 10);
  const parts = copyOf(start);
  const rows = [20, 20, 20].map((sweeps) => {
    particleMetropolis(dimer.coefficients, parts, sweeps, 0);
    return Array.from({ length: 10 }, (_, chain) => {
      const at = (k: number) => parts.positions[4 * dimer.particles * (chain >> 1) + 2 * k + (chain & 1)];
      return Math.sqrt((at(0) - at(2)) * (at(0) - at(2)) + (at(1) - at(3)) * (at(1) - at(3)));
    });
  });
  assertEquals(parts, whole);
  assertEquals([...distances], rows.flat());
  using pool = await ThreadPool.open(2);
  const threaded = copyOf(start);
  assertEquals(particleMetropolis(dimer.coefficients, threaded, 60, 20, pool), distances);
  assertEquals(threaded, whole);
  const longer = copyOf(start);
  assertEquals(particleMetropolis(dimer.coefficients, longer, 7, 3).length, 2 * 10);
});

Deno.test("minusLogReference equals the logarithm", () => {
  const random = new RandomStream(9);
  for (let k = 0; k < 20_000; k++) {
    const u = Math.max(2 ** -52, (1 - random.uniform()) * 2 ** -random.integer(52));
    // The series ends at s¹⁵ with |s| ≤ 0.1716: 2 s¹⁷/17/(1 − s²) = 1.2e-14; the rest is rounding of numbers up to 36.
    assert(Math.abs(minusLogReference(u) + Math.log(u)) < 1.3e-14 + 36 * 4.5e-16, `−ln ${u}`);
  }
  assertEquals(minusLogReference(1) + 0, 0);
  assertEquals(minusLogReference(2 ** -52), 52 * Math.LN2);
});

/** Sum of squared distances of a frame's solvent, in the order given, to the sites. */
function assignmentCost(sites: Float64Array, x: Float64Array, order: Int32Array): number {
  let cost = 0;
  for (let k = 0; k < sites.length / 2; k++) {
    const j = order[k + 2];
    cost += (sites[2 * k] - x[2 * j]) ** 2 + (sites[2 * k + 1] - x[2 * j + 1]) ** 2;
  }
  return cost;
}

function costMatrix(sites: Float64Array, x: Float64Array): number[][] {
  const m = sites.length / 2;
  return Array.from(
    { length: m },
    (_, k) =>
      Array.from({ length: m }, (_, j) => (sites[2 * k] - x[2 * j + 4]) ** 2 + (sites[2 * k + 1] - x[2 * j + 5]) ** 2),
  );
}

/** Least cost over all orders, by trying them. */
function bruteForce(cost: number[][], row = 0, free = cost.map((_, j) => j)): number {
  if (row === cost.length) return 0;
  return Math.min(...free.map((j) => cost[row][j] + bruteForce(cost, row + 1, free.filter((k) => k !== j))));
}

Deno.test("canonicalOrder finds the best of all orders of up to seven particles", () => {
  for (const m of [1, 2, 3, 4, 5, 6, 7]) {
    const random = new RandomStream(41, m);
    const n = m < 7 ? 60 : 12;
    const sites = random.fillNormals(new Float64Array(2 * m));
    const x = random.fillNormals(new Float64Array(n * (2 * m + 4)));
    const order = canonicalOrder(sites, x);
    for (let s = 0; s < n; s++) {
      const frame = row(x, 2 * m + 4, s);
      const own = order.subarray(s * (m + 2), (s + 1) * (m + 2));
      assertEquals([...own].sort((a, b) => a - b), Array.from({ length: m + 2 }, (_, k) => k));
      const best = bruteForce(costMatrix(sites, frame));
      assert(Math.abs(assignmentCost(sites, frame, own) - best) < 1e-12 * (best + 1));
      assertEquals([own[0], own[1]], frame[0] > frame[2] ? [1, 0] : [0, 1]);
    }
  }
});

Deno.test("canonicalOrder costs as little as the Hungarian method for 35, 36 and 100 particles", () => {
  for (const m of [35, 36, 100]) {
    const random = new RandomStream(42, m);
    const n = m > 50 ? 5 : 40;
    const sites = random.fillUniforms(new Float64Array(2 * m)).map((u) => 6 * u - 3);
    const x = new Float64Array(n * (2 * m + 4));
    for (let s = 0; s < n; s++) {
      // From frames that are nearly in order to frames without any.
      const width = s / n;
      const frame = row(x, 2 * m + 4, s);
      for (let k = 0; k < 2 * m; k++) frame[k + 4] = sites[k] + 3 * width * random.normal();
    }
    const order = canonicalOrder(sites, x);
    for (let s = 0; s < n; s++) {
      const frame = row(x, 2 * m + 4, s);
      const cost = costMatrix(sites, frame);
      const best = assignmentReference(cost).reduce((sum, j, k) => sum + cost[k][j], 0);
      const own = order.subarray(s * (m + 2), (s + 1) * (m + 2));
      assertEquals(new Set(own).size, m + 2);
      assert(Math.abs(assignmentCost(sites, frame, own) - best) < 1e-12 * (best + m), `frame ${s} of ${m} particles`);
    }
  }
});

Deno.test("canonicalOrder keeps labels in a tie and whatever the coordinates are, it ends", () => {
  const square = Float64Array.of(-1, -1, -1, 1, 1, -1, 1, 1);
  const centre = new Float64Array(2 * 6); // every particle at the same place: all orders cost the same
  assertEquals([...canonicalOrder(square, centre)], [0, 1, 2, 3, 4, 5]);
  const diagonal = Float64Array.of(0, 0, 0, 0, -1, 0, 0, 1, 1, 0, 0, -1); // a quarter turn costs as much either way
  assertEquals([...canonicalOrder(square, diagonal)].slice(0, 2), [0, 1]);
  for (const bad of [NaN, Infinity, -Infinity, 1e200, 1e150]) {
    for (let k = 0; k < 12; k++) {
      const x = Float64Array.of(0, 0, 1, 1, 1, 1, 1, -1, -1, 1, -1, -1);
      x[k] = bad;
      const order = [...canonicalOrder(square, x)];
      assertEquals(order.sort(), [0, 1, 2, 3, 4, 5]);
    }
  }
});

Deno.test("batches are cut alike for any number of threads", async () => {
  using pool = await ThreadPool.open(2);
  const dimer = new ParticleDimer({ solvent: 100, halfBox: 5 });
  const x = scattered(dimer, 1700);
  const serial = particleGradient(dimer.coefficients, x, serialPool);
  assertEquals(particleGradient(dimer.coefficients, x, pool), serial);
  assertEquals(particleEnergy(dimer.coefficients, x, pool), particleEnergy(dimer.coefficients, x));
  assertEquals(
    canonicalOrder(dimer.sites, x.subarray(0, 200 * dimer.dim), pool),
    canonicalOrder(dimer.sites, x.subarray(0, 200 * dimer.dim)),
  );
});

Deno.test("particle kernels compute with SIMD; Monte Carlo and relabelling without fused multiply-adds", async () => {
  for (const build of ["relaxed", "baseline"]) {
    const file = new URL(`../../src/backend/kernels_${build}.wasm`, import.meta.url);
    const opcodes = exportedOpcodes(await Deno.readFile(file));
    const fused = (name: string) => relaxedMultiplyAdds.some((sub) => opcodes.get(name)!.has(simdPrefix * 65536 + sub));
    for (const name of ["particleDimerEnergyF64", "particleDimerGradientF64"]) {
      assert(simdArithmetic(opcodes.get(name)!) > 20, name);
      assertEquals(fused(name), build === "relaxed");
    }
    for (const name of ["dimerMetropolisF64", "canonicalOrderF64"]) {
      assert(simdArithmetic(opcodes.get(name)!) > 20, name);
      assertEquals(fused(name), false);
    }
  }
});
