import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { serialPool } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { dimerRange, profileEdges } from "../../src/experiment/dimer_bins.ts";
import {
  dimerReference,
  type DimerReferenceOptions,
  doubtedByCrossings,
} from "../../src/experiment/dimer_reference.ts";
import type { DimerReference } from "../../src/experiment/dimer_results.ts";
import { bondlessWindows, doubtedByStarts, withoutBond } from "../../src/experiment/dimer_umbrella.ts";
import { estimateFrom, type FreeEnergyEstimate, noEstimate } from "../../src/reweighting/estimate.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { assertClose } from "../support/assert_close.ts";
import { shakenStarts } from "../support/dimer_configurations.ts";

await loadKernels();

const presets = ["noe2019", "noe2019-class", "printed"] as const;
const temperatures = [0.25, 1, 4];

function options(sweepsPerWindow: number, temperature = 1): DimerReferenceOptions {
  return { temperature, sweepsPerWindow, bootstraps: 100, seed: 5, pool: serialPool };
}

/**
 * The exact density of d of two bonded particles without solvent, up to a factor.
 *
 * With the centre at (X, Y) and the bond at the angle θ the tether is k (4X² + 2Y² + ½ d² sin² θ), so that
 * p(d) ∝ d e^−βw(d) ∫ e^(−½ βk d² sin² θ) dθ; the walls are ten standard deviations away.
 */
function exactDensity(dimer: ParticleDimer, temperature: number): (d: number) => number {
  const { tether } = dimer.parameters;
  return (d) => {
    let sum = 0;
    for (let k = 0; k < 200; k++) sum += Math.exp(-tether * (d * Math.sin(Math.PI * k / 200)) ** 2 / 2 / temperature);
    return d * sum * Math.exp(-dimer.dimerEnergy(d) / temperature);
  };
}

function integrate(f: (d: number) => number, from: number, to: number): number {
  const steps = 400;
  let sum = 0;
  for (let k = 0; k < steps; k++) sum += f(from + (to - from) * (k + 0.5) / steps);
  return sum * (to - from) / steps;
}

function exactDifference(dimer: ParticleDimer, temperature: number): number {
  const density = exactDensity(dimer, temperature);
  return Math.log(integrate(density, 0, 1.5) / integrate(density, 1.5, 4));
}

/** Throws unless an estimate is reliable and within four standard errors: a false alarm of 1 in a thousand with 20 degrees of freedom. */
function assertEstimates(estimate: FreeEnergyEstimate, expected: number, expectedError = 0): void {
  assert(estimate.reliable, `must be reliable: ${estimate.reason}`);
  const off = Math.abs(estimate.value! - expected);
  const error = Math.hypot(estimate.standardError!, expectedError);
  assert(off <= 4 * error, `${estimate.value} ± ${error} must be ${expected}`);
}

for (
  const [name, dimer, temperature] of [
    ["noe2019", new ParticleDimer({ solvent: 0 }), 1],
    ["noe2019 at T = 0.25", new ParticleDimer({ solvent: 0 }), 0.25],
    ["slope −3", new ParticleDimer({ solvent: 0, slope: -3 }), 1],
    ["printed at T = 2", new ParticleDimer({ solvent: 0, preset: "printed" }), 2],
  ] as const
) {
  Deno.test(`dimerReference equals quadrature for a dimer alone: ${name}`, async () => {
    const { freeEnergyDifference, byStart, profile } = await dimerReference(dimer, options(5000, temperature));
    assertEstimates(freeEnergyDifference, exactDifference(dimer, temperature));
    assertEstimates(byStart.closed, exactDifference(dimer, temperature));
    assertEstimates(byStart.open, exactDifference(dimer, temperature));
    const density = exactDensity(dimer, temperature);
    const total = integrate(density, 0, 4);
    // Every bin within five standard errors; bins hang together.
    const scores = profile.freeEnergy.flatMap((value, bin) => {
      if (!profile.reliable[bin]) return [];
      const [from, to] = [profile.edges[bin], profile.edges[bin + 1]];
      const exact = -Math.log(integrate(density, from, to) / total / (to - from));
      return [Math.abs(value! - exact) / profile.standardError[bin]!];
    });
    assert(scores.length > 12, `reliable bins: ${scores.length}`);
    assert(Math.max(...scores) < 5, `largest deviation of a bin is ${Math.max(...scores)} standard errors`);
  });
}

Deno.test("the quadrature check rejects a bias that is off by a fifth", async () => {
  class WrongBond extends ParticleDimer {
    override dimerEnergy(d: number): number {
      return 0.8 * super.dimerEnergy(d);
    }
  }
  const dimer = new ParticleDimer({ solvent: 0 });
  const { freeEnergyDifference } = await dimerReference(new WrongBond({ solvent: 0 }), options(5000));
  assertThrows(() => assertEstimates(freeEnergyDifference, exactDifference(dimer, 1)), Error);
});

Deno.test("dimerReference agrees with an independent umbrella sampling of the whole system", async () => {
  // 32 windows of 5e5 sweeps twice, harmonic bias, WHAM, by a program in C of its own.
  const { freeEnergyDifference, plain, windows } = await dimerReference(new ParticleDimer(), options(1500, 2));
  assertEstimates(freeEnergyDifference, 3.97, 0.04);
  assert(freeEnergyDifference.standardError! < 0.4);
  assert(!plain.freeEnergyDifference.reliable, "a barrier of 8 k_BT is not crossed ten times by each chain");
  assert(windows.spacing < 1.5, `windows are ${windows.spacing} σ apart`);
});

Deno.test("dimerReference: plain Monte Carlo is right where it crosses often", async () => {
  const dimer = new ParticleDimer({ solvent: 0, a: 2, b: 0.8, slope: 0.5 });
  const { plain, moves, energyEvaluations } = await dimerReference(dimer, options(6000));
  assert(plain.crossings > 10 * plain.chains, `${plain.crossings} crossings`);
  assertEstimates(plain.freeEnergyDifference, exactDifference(dimer, 1));
  assertEquals(moves.plain, moves.umbrella);
  assertEquals(energyEvaluations, moves.plain + moves.umbrella, "two sweeps of two particles are worth two energies");
});

Deno.test("dimerReference says that plain Monte Carlo without transitions gives no estimate", async () => {
  const { plain } = await dimerReference(new ParticleDimer({ solvent: 0 }), options(20, 0.25));
  assertEquals(plain.crossings, 0);
  assertEquals(plain.freeEnergyDifference, noEstimate("no transition, no estimate"));
});

Deno.test("dimerReference is the same for one and two threads and another one for another seed", async () => {
  const dimer = new ParticleDimer({ solvent: 4 });
  const run = async (pool: DimerReferenceOptions["pool"], seed: number): Promise<DimerReference> =>
    await dimerReference(dimer, { ...options(200), pool, seed });
  using two = await ThreadPool.open(2);
  const first = await run(serialPool, 5);
  assertEquals(await run(two, 5), first);
  const other = await run(serialPool, 6);
  assert(other.freeEnergyDifference.value !== first.freeEnergyDifference.value);
});

Deno.test("dimerReference reports rising fractions and stops when it is told to", async () => {
  const dimer = new ParticleDimer();
  const controller = new AbortController();
  const fractions: number[] = [];
  const run = dimerReference(dimer, {
    ...options(1e6),
    signal: controller.signal,
    onProgress(done) {
      fractions.push(done);
      if (fractions.length === 5) controller.abort();
    },
  });
  const error = await assertRejects(() => run, DOMException);
  assertEquals(error.name, "AbortError");
  assert(fractions.every((done, i) => done >= 0 && done < 1 && done >= (fractions[i - 1] ?? 0)), `${fractions}`);
});

Deno.test("doubtedByStarts: starts that differ by more than three standard errors make an estimate unreliable", () => {
  const all = estimateFrom(7, 0.1);
  assertEquals(doubtedByStarts(all, estimateFrom(6.9, 0.1), estimateFrom(7.3, 0.1)), all);
  const apart = doubtedByStarts(all, estimateFrom(6.5, 0.1), estimateFrom(7.5, 0.1));
  assertEquals({ ...apart, reliable: true, reason: null }, { ...all });
  assertEquals(
    apart.reason,
    "chains from closed and from open starts differ by 1.00 k_BT, more than 3 standard errors of 0.14 k_BT: they have " +
      "not forgotten where they began",
  );
  assertEquals(
    doubtedByStarts(all, noEstimate("nothing"), estimateFrom(7, 0.1)).reason,
    "the chains of one start alone give no estimate",
  );
  const doubted = estimateFrom(7, 2, { reason: "an error beyond 1 k_BT" });
  assertEquals(doubtedByStarts(doubted, estimateFrom(1, 0.1), estimateFrom(9, 0.1)), doubted, "the first doubt stays");
});

Deno.test("doubtedByCrossings: chains must have crossed often enough to forget where they were put", () => {
  const estimate = estimateFrom(3, 0.1);
  assertEquals(doubtedByCrossings(estimate, 640, 64), estimate);
  assertEquals(doubtedByCrossings(estimate, 639, 64).value, 3);
  assertEquals(doubtedByCrossings(estimate, 639, 64).reliable, false);
  assertEquals(doubtedByCrossings(estimate, 63, 64).value, null);
  assertEquals(
    doubtedByCrossings(estimate, 1, 64).reason,
    "only 1 transition in 64 chains: populations are those of the starts",
  );
  assertEquals(doubtedByCrossings(estimate, 0, 64).reason, "no transition, no estimate");
});

Deno.test("profileEdges: bins of 0.05, the boundary of the basins is an edge, both basins are inside", () => {
  for (const preset of presets) {
    for (const temperature of temperatures) {
      const dimer = new ParticleDimer({ preset });
      const edges = Array.from(profileEdges(dimer, temperature));
      assert(edges.includes(1.5), `${preset} at ${temperature}`);
      edges.slice(1).forEach((edge, k) => assertClose(edge - edges[k], 0.05, { absolute: 1e-12 }));
      const [low, high] = dimerRange(dimer, temperature, 16);
      assert(edges[0] <= low && edges[edges.length - 1] >= high && edges[0] >= 0);
    }
  }
  assertEquals(profileEdges(new ParticleDimer(), 1)[0], 0.7);
  assertEquals(profileEdges(new ParticleDimer(), 1).at(-1), 2.3);
  const error = assertThrows(() => profileEdges(new ParticleDimer(), 0), RangeError);
  assertEquals(error.message, "Cannot find the range of a dimer: temperature must be a positive number, got 0");
});

Deno.test("bondlessWindows cover what carries weight, in equal steps below 1.5 σ, for any bond", () => {
  for (const system of [...presets.map((preset) => ({ preset })), { slope: 20 }, { slope: -20 }, { d0: 1.4 }]) {
    for (const temperature of temperatures) {
      const dimer = new ParticleDimer(system);
      const { centres, biasConstant, spacing } = bondlessWindows(dimer, temperature);
      assert(spacing <= 1 && centres.length >= 10 && centres.length <= 60, `${centres.length} windows`);
      assertClose((centres[1] - centres[0]) * Math.sqrt(2 * biasConstant), spacing, { relative: 1e-9 });
      const [low, high] = dimerRange(dimer, temperature, 8);
      const sigma = 1 / Math.sqrt(2 * biasConstant);
      assert(centres[0] <= Math.max(low, sigma) && centres[centres.length - 1] >= high && low < 1.5 && high > 1.5);
    }
  }
});

Deno.test("withoutBond takes the bond away and nothing else", () => {
  const dimer = new ParticleDimer({ preset: "printed", sigma: 1 });
  const x = shakenStarts(dimer, 6, 0.05);
  const bond = dimer.distance(x).map((d) => dimer.dimerEnergy(d));
  assertClose(withoutBond(dimer).energy(x), dimer.energy(x).map((u, s) => u - bond[s]), { relative: 1e-12 });
  assertEquals(withoutBond(dimer).sites, dimer.sites);
});
