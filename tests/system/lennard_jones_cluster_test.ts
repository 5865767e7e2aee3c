/** LJ13: both published energies, the known global minimum, gradient, symmetries, quadrature of a pair. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { LennardJonesCluster, type LennardJonesClusterOptions } from "../../src/system/lennard_jones_cluster.ts";
import { assertClusterInvariant, nearStart, reflection, relabelling, rotation } from "../support/cluster_laws.ts";
import { assertGradient, assertSampledMean, energyFaults } from "../support/system_laws.ts";

/** The formula over ordered pairs, each of which counts by `weight`, and the trap. */
function formula(r: Float64Array, weight: number): number {
  let sum = 0;
  for (let i = 0; i < r.length; i += 3) {
    for (let j = 0; j < r.length; j += 3) {
      if (i === j) continue;
      const d = Math.hypot(r[i] - r[j], r[i + 1] - r[j + 1], r[i + 2] - r[j + 2]);
      sum += weight * (d ** -12 - 2 * d ** -6);
    }
  }
  for (let c = 0; c < 3; c++) {
    const own = r.filter((_, i) => i % 3 === c);
    const centre = own.reduce((total, v) => total + v, 0) / own.length;
    own.forEach((v) => sum += 0.5 * (v - centre) ** 2);
  }
  return sum;
}

/** Each preset means its source: pairs once (ordered ones by halves), or twice. */
function assertConventions(make: (options: LennardJonesClusterOptions) => LennardJonesCluster): void {
  for (const [preset, weight] of [["eacf", 1 / 2], ["efm", 1]] as const) {
    const system = make({ preset });
    const x = nearStart(system, 5, 0.05);
    const r = system.positions(x);
    // 78 pairs, each term of up to a hundred rounded a few times.
    system.energy(x).forEach((u, s) => assertAlmostEquals(u, formula(r.subarray(39 * s, 39 * s + 39), weight), 1e-10));
  }
}

Deno.test("LennardJonesCluster's presets are the published energies", () => {
  assertEquals(new LennardJonesCluster().dim, 36);
  assertConventions((options) => new LennardJonesCluster(options));
  for (const fault of [{ pairFactor: 1.5 }, { rm: 2 ** (1 / 6) }, { oscillator: 2 }, { epsilon: 4 }]) {
    assertThrows(() => assertConventions((options) => new LennardJonesCluster({ ...options, ...fault })), Error);
  }
});

/** A particle in the middle of an icosahedron of edge 2. */
function icosahedron(): Float64Array {
  const golden = (1 + Math.sqrt(5)) / 2;
  const corners = [-1, 1].flatMap((a) => [-golden, golden].map((b) => [0, a, b]));
  const all = corners.flatMap(([o, a, b]) => [[o, a, b], [a, b, o], [b, o, a]]);
  return Float64Array.from([[0, 0, 0], ...all].flat());
}

Deno.test("LennardJonesCluster has the known global minimum of thirteen particles", () => {
  // A trap too weak to count.
  const system = new LennardJonesCluster({ oscillator: 1e-13 });
  const shape = icosahedron();
  // Σ (d₀/d)¹² and Σ (d₀/d)⁶ over the pairs at one scale give the best scale: u = A s² − 2 B s is lowest at s = B/A.
  const [a, b] = [12, 6].map((power) => {
    let sum = 0;
    for (let i = 0; i < 39; i += 3) {
      for (let j = 0; j < i; j += 3) {
        sum += Math.hypot(shape[i] - shape[j], shape[i + 1] - shape[j + 1], shape[i + 2] - shape[j + 2]) ** -power;
      }
    }
    return sum;
  });
  const scale = (a / b) ** (1 / 6);
  const { energy, gradient } = system.energyAndGradient(system.coordinates(shape.map((v) => scale * v)));
  // Wales & Doye, J. Phys. Chem. A 101, 5111 (1997), table 1.
  assertAlmostEquals(energy[0], -44.326801, 5e-7);
  assert(gradient.every((g) => Math.abs(g) < 1e-10), "a stationary point");
  // Taken as 4ε (σ/r), or with pairs twice, it is another number.
  for (const fault of [{ epsilon: 4 }, { pairFactor: 2 }, { rm: 2 ** (1 / 6) }]) {
    const other = new LennardJonesCluster({ oscillator: 1e-13, ...fault });
    const [u] = other.energy(other.coordinates(shape.map((v) => scale * v)));
    assert(Math.abs(u + 44.326801) > 0.1);
  }
});

Deno.test("LennardJonesCluster.energyAndGradient equals central differences", () => {
  for (const centreOfMass of ["removed", "pinned"] as const) {
    const system = new LennardJonesCluster({ particles: 5, centreOfMass, preset: "efm" });
    const x = nearStart(system, 3, 0.02);
    // h⁴/30 times fifth derivatives, about 12¹⁶/12 ≈ 1e6 of each of some forty terms, and rounding of 1e-14/h.
    assertGradient(system, x, 1e-8);
    for (const [name, spoil] of Object.entries(energyFaults)) {
      assertThrows(() => assertGradient(spoil(system), x, 1e-8), Error, "gradient", name);
    }
  }
});

Deno.test("LennardJonesCluster does not change when it is turned, mirrored, relabelled or, unless pinned, shifted", () => {
  for (const centreOfMass of ["removed", "pinned"] as const) {
    const system = new LennardJonesCluster({ particles: 4, centreOfMass });
    const x = nearStart(system, 4, 0.05);
    for (const move of [rotation(3, 0.7), reflection(3), relabelling(3, [2, 0, 3, 1])]) {
      assertClusterInvariant(system, x, move, 1e-12);
    }
    assertThrows(() => assertClusterInvariant(system, x, (r) => r.map((v) => 1.001 * v), 1e-12), Error, "image");
    const shift = () => assertClusterInvariant(system, x, (r) => r.map((v) => v + 0.1), 1e-12);
    if (centreOfMass === "removed") shift();
    else assertThrows(shift, Error, "image");
  }
});

/** ln Z and ⟨U⟩ of two particles, from their distance alone: q = d/√2 in three dimensions. */
function pairReference(system: LennardJonesCluster): { logPartition: number; meanEnergy: number } {
  const steps = 20_000;
  const u = (d: number) => system.energy(system.coordinates(Float64Array.of(0, 0, 0, d, 0, 0)))[0];
  const sums = { weight: 0, energy: 0 };
  for (let i = 1; i < steps; i++) {
    const d = 12 * i / steps;
    const energy = u(d);
    const weight = 4 * Math.PI * d * d * 2 ** -1.5 * Math.exp(-energy);
    if (weight === 0) continue;
    sums.weight += weight;
    sums.energy += weight * energy;
  }
  return { logPartition: Math.log(sums.weight * 12 / steps), meanEnergy: sums.energy / sums.weight };
}

Deno.test("metropolis draws pairs as quadrature over their distance says", () => {
  const system = new LennardJonesCluster({ particles: 2 });
  const start = Float64Array.from({ length: 24 * 3 }, (_, i) => i % 3 === 0 ? 0.7 + 0.03 * Math.floor(i / 3) : 0);
  const plan = { start, steps: 6000, step: 0.45 };
  const { meanEnergy } = pairReference(system);
  assertSampledMean(system, plan, (_, u) => u, meanEnergy, "energy");
  // Once is not twice.
  const twice = pairReference(new LennardJonesCluster({ particles: 2, preset: "efm" })).meanEnergy;
  assertThrows(() => assertSampledMean(system, plan, (_, u) => u, twice, "energy"), Error, "energy is");
});

Deno.test("LennardJonesCluster.idealLogPartition is that of a weak pair energy", () => {
  const weak = new LennardJonesCluster({ particles: 2, epsilon: 1e-30 });
  assertAlmostEquals(pairReference(weak).logPartition, weak.idealLogPartition(1), 1e-4); // a core of radius 0.003 is left
  const pinned = new LennardJonesCluster({ centreOfMass: "pinned", centreConstant: 2 });
  const removed = new LennardJonesCluster();
  assertAlmostEquals(removed.idealLogPartition(2), 18 * Math.log(4 * Math.PI), 1e-12);
  assertAlmostEquals(pinned.idealLogPartition(2) - removed.idealLogPartition(2), 1.5 * Math.log(2 * Math.PI), 1e-12);
});

Deno.test("startConfiguration has a finite energy for any cluster", () => {
  for (
    const options of [{}, { particles: 55 }, { particles: 2 }, { particles: 30, spatialDim: 1 }, { spatialDim: 2 }]
  ) {
    const system = new LennardJonesCluster(options);
    const [u] = system.energy(system.startConfiguration());
    assert(Number.isFinite(u));
    // Sites one r_m apart: nobody is closer.
    const r = system.positions(system.startConfiguration());
    const d = system.spatialDim;
    for (let i = 0; i < r.length; i += d) {
      for (let j = 0; j < i; j += d) {
        const apart = Math.hypot(...Array.from({ length: d }, (_, c) => r[i + c] - r[j + c]));
        assert(apart > 1 - 1e-12, `${apart}`);
      }
    }
  }
});

Deno.test("LennardJonesCluster says what is wrong", () => {
  const make = (options: Record<string, unknown>) => () => new LennardJonesCluster(options);
  const what = "Cannot make a LennardJonesCluster:";
  assertThrows(make({ preset: "lj13" }), RangeError, `${what} preset must be one of eacf, efm, got lj13`);
  assertThrows(make({ oscillator: 0 }), RangeError, `${what} oscillator must be positive, got 0`);
  assertThrows(make({ rm: -1 }), RangeError, `${what} rm must be positive, got -1`);
  assertThrows(() => new LennardJonesCluster().idealLogPartition(0), RangeError, "must be a positive number, got 0");
});
