import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { serialPool } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { ParticleDimer, type ParticleDimerPreset } from "../../src/system/particle_dimer.ts";
import { row, shakenStarts } from "../support/dimer_configurations.ts";

await loadKernels();

const presets: readonly ParticleDimerPreset[] = ["noe2019", "noe2019-class", "printed"];

/** The published formulas, written down again without looking at ours. */
function published(preset: ParticleDimerPreset, x: Float64Array): number {
  const printed = preset === "printed";
  const slope = preset === "noe2019" ? 2 : -0.5;
  const n = x.length / 2;
  const distance = (i: number, j: number) => Math.hypot(x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]);
  const d = distance(0, 1);
  const y = 2 * (d - 1.5);
  let u = printed
    ? 25 / 4 * (d - 1.5) ** 4 - 10 / 2 * (d - 1.5) ** 2 - 0.5 * (d - 1.5) ** 4
    : slope * y - 25 * y ** 2 + 10 * y ** 4;
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) if (i + j > 1) u += (1.1 / distance(i, j)) ** 12;
  for (const v of x) u += (printed ? 100 : 200) * Math.max(0, Math.abs(v) - 3) ** 2;
  return u + 20 * (x[0] + x[2]) ** 2 + 20 * x[1] ** 2 + 20 * x[3] ** 2;
}

/** Coordinates that any program can set up: the published start, coordinate k moved by 0.08 sin(1.3 k + d). */
function wavy(system: ParticleDimer, d: number): Float64Array {
  return system.initialConfiguration(d).map((value, k) => value + 0.08 * Math.sin(1.3 * k + d));
}

Deno.test("ParticleDimer.energy equals the published formulas for batches of any size", () => {
  for (const preset of presets) {
    const system = new ParticleDimer({ preset });
    for (const n of [1, 2, 3, 7, 16, 33]) {
      const x = shakenStarts(system, n, 0.1, n);
      const energy = system.energy(x);
      assertEquals(energy.length, n);
      for (let s = 0; s < n; s++) {
        const expected = published(preset, row(x, 76, s));
        assert(Math.abs(energy[s] - expected) <= 1e-12 * Math.abs(expected), `${preset}, configuration ${s} of ${n}`);
      }
    }
  }
});

Deno.test("ParticleDimer.energy equals values computed with numpy", () => {
  // python3, numpy: pairs by broadcasting, box and bond as in the published code.
  const golden = {
    "noe2019": [7856.46995463633, 1249.6969410085271],
    "noe2019-class": [7859.183373167813, 1247.4577526648193],
    "printed": [7868.381645697285, 1256.6950289844324],
  };
  for (const preset of presets) {
    const system = new ParticleDimer({ preset });
    [1, 2].forEach((d, k) => {
      const [energy] = system.energy(wavy(system, d));
      assert(Math.abs(energy / golden[preset][k] - 1) < 1e-12, `${preset} ${d}: ${energy}`);
    });
  }
});

Deno.test("ParticleDimer starts with the energies of the published starts", () => {
  const system = new ParticleDimer();
  const energies = [1, 2, 0.7, 1.5].map((d) => Math.round(system.energy(system.initialConfiguration(d))[0]));
  assertEquals(energies, [5262, 425, 2509, 3320]);
  assertAlmostEquals(system.distance(system.initialConfiguration(2))[0], 2.1, 1e-14);
});

Deno.test("ParticleDimer.dimerEnergy has the wells and barriers of the published figures", () => {
  const at = (preset: ParticleDimerPreset, d: number) => new ParticleDimer({ preset }).dimerEnergy(d);
  // Computed from the formulas by bisection of their derivatives.
  assertAlmostEquals(at("noe2019", 0.9312), -17.881, 1e-3);
  assertAlmostEquals(at("noe2019", 2.0487), -13.409, 1e-3);
  assertAlmostEquals(at("noe2019", 1.52), 0.04, 1e-3);
  assertAlmostEquals(at("noe2019-class", 0.9435), -15.067, 1e-3);
  assertAlmostEquals(at("noe2019-class", 2.0615), -16.185, 1e-3);
  assertAlmostEquals(at("printed", 0.8406), -1.087, 1e-3);
  assertAlmostEquals(at("printed", 2.1594), -1.087, 1e-3);
});

Deno.test("ParticleDimer.energyAndGradient equals central differences", () => {
  for (const preset of presets) {
    const system = new ParticleDimer({ preset });
    const x = shakenStarts(system, 3, 0.15, 8); // some coordinates lie beyond the walls
    const { energy, gradient } = system.energyAndGradient(x);
    const h = 1e-5;
    for (let k = 0; k < x.length; k++) {
      const s = Math.floor(k / 76);
      const at = (shift: number) => system.energy(x.map((value, i) => i === k ? value + shift : value))[s];
      const slope = (at(h) - at(-h)) / (2 * h);
      // The third derivative of a close pair and the rounding of energies of 1e4, both in units of the gradient.
      const tolerance = 1e-5 * Math.abs(slope) + 1e-15 * energy[s] / h + 1e-4;
      assert(Math.abs(gradient[k] - slope) < tolerance, `${preset}, coordinate ${k}: ${gradient[k]}, ${slope}`);
    }
    system.energy(x).forEach((u, s) => assert(Math.abs(energy[s] / u - 1) < 1e-12));
  }
});

Deno.test("ParticleDimer.energy is symmetric: mirror images, exchanged solvent, exchanged dimer", () => {
  const system = new ParticleDimer();
  const x = shakenStarts(system, 5, 0.1, 3);
  const u = system.energy(x);
  const same = (image: Float64Array) =>
    system.energy(image).forEach((value, s) => assert(Math.abs(value / u[s] - 1) < 1e-12));
  same(x.map((value, k) => k % 2 === 1 ? -value : value));
  same(x.map((value, k) => k % 2 === 0 ? -value : value));
  const order = new RandomStream(5).permutation(36);
  const exchanged = (labels: ArrayLike<number>) => x.map((_, k) => x[k - k % 76 + 2 * labels[(k % 76) >> 1] + k % 2]);
  same(exchanged([0, 1, ...Array.from(order, (i) => i + 2)]));
  same(exchanged([1, 0, ...Array.from({ length: 36 }, (_, i) => i + 2)]));
  const mixed = system.energy(exchanged([2, 1, 0, ...Array.from({ length: 35 }, (_, i) => i + 3)]));
  assert(mixed.every((value, s) => Math.abs(value - u[s]) > 1e-3), "dimer and solvent differ");
});

Deno.test("ParticleDimer.canonicalize maps into the domain, keeps the energy, and changes nothing twice", () => {
  const system = new ParticleDimer();
  const random = new RandomStream(7);
  const n = 50;
  const x = shakenStarts(system, n, 0.2, 9);
  for (let s = 0; s < n; s++) {
    const frame = row(x, 76, s);
    const order = random.permutation(36);
    const old = frame.slice();
    for (let k = 0; k < 36; k++) frame.set(old.subarray(4 + 2 * order[k], 6 + 2 * order[k]), 4 + 2 * k);
    if (s % 3 === 0) frame.set([old[2], old[3], old[0], old[1]]);
  }
  const canonical = system.canonicalize(x);
  assert(system.inDomain(canonical).every((inside) => inside === 1));
  assertEquals(system.canonicalize(canonical), canonical);
  const u = system.energy(x);
  system.energy(canonical).forEach((value, s) => assert(Math.abs(value / u[s] - 1) < 1e-12));
  const inside = system.inDomain(x);
  assert(inside.every((flag) => flag === 0));
  for (let s = 0; s < n; s++) assert(canonical[76 * s] <= canonical[76 * s + 2]);
});

Deno.test("ParticleDimer.canonicalize finds the costs that scipy finds", () => {
  // python3, scipy.optimize.linear_sum_assignment on |site − x|², sites 1.05² times the published grid.
  const golden: readonly [number, number][] = [
    [0.3, 3.0751665961425525],
    [1.0, 24.325846012821447],
    [3.0, 120.48814235311731],
  ];
  const system = new ParticleDimer();
  const sites = system.referencePositions.subarray(4);
  for (const [width, cost] of golden) {
    const x = system.referencePositions.slice();
    for (let k = 0; k < 36; k++) {
      const site = (7 * k + 5) % 36;
      x[4 + 2 * k] = sites[2 * site] + width * Math.sin(1.7 * k + 0.3);
      x[5 + 2 * k] = sites[2 * site + 1] + width * Math.cos(2.9 * k - 0.4);
    }
    const canonical = system.canonicalize(x).subarray(4);
    const found = canonical.reduce((sum, value, k) => sum + (value - sites[k]) ** 2, 0);
    assert(Math.abs(found / cost - 1) < 1e-12, `${found} instead of ${cost}`);
  }
});

Deno.test("ParticleDimer.inDomain rejects an exchanged dimer, exchanged neighbours and what is not finite", () => {
  const system = new ParticleDimer();
  const reference = system.referencePositions;
  assertEquals([...system.inDomain(reference)], [1]);
  const swapped = reference.slice();
  swapped.set([reference[2], reference[3], reference[0], reference[1]]);
  const neighbours = reference.slice();
  neighbours.set([...reference.subarray(6, 8), ...reference.subarray(4, 6)], 4);
  const broken = [NaN, Infinity].map((value) => reference.map((v, k) => k === 30 ? value : v));
  assertEquals([...system.inDomain(Float64Array.of(...swapped, ...neighbours, ...broken[0], ...broken[1]))], [
    0,
    0,
    0,
    0,
  ]);
  // Equal x of the dimer's ends belong to the domain in either order.
  const upright = reference.map((v, k) => k === 0 || k === 2 ? 0 : k === 1 ? 0.5 : k === 3 ? -0.5 : v);
  assertEquals([...system.inDomain(upright)], [1]);
});

Deno.test("ParticleDimer works for other numbers of solvent particles, on grids and on given sites", () => {
  assertEquals(new ParticleDimer({ solvent: 0 }).dim, 4);
  assertEquals(new ParticleDimer({ solvent: 1 }).dim, 6);
  const many = new ParticleDimer({ solvent: 100, halfBox: 5 });
  assertEquals(many.energy(many.initialConfiguration(1)).length, 1);
  const sites = Float64Array.of(-1, 0, 0, 1, 1, -1);
  const three = new ParticleDimer({ solvent: 3, sites });
  assertEquals(three.sites, sites);
  assertEquals([...three.initialConfiguration(2)], [-1.05, 0, 1.05, 0, ...sites]);
  assertEquals([...three.inDomain(three.initialConfiguration(2))], [1]);
  assertThrows(
    () => new ParticleDimer({ solvent: 3 }),
    RangeError,
    "Cannot make a ParticleDimer: solvent must be a square number where no sites are given, got 3: " +
      "pass sites, a Float64Array [solvent, 2]",
  );
  assertThrows(() => new ParticleDimer({ solvent: 3, sites: new Float64Array(4) }), RangeError, "got 4 numbers");
});

Deno.test("ParticleDimer gives the same numbers on two threads", async () => {
  using pool = await ThreadPool.open(2);
  const system = new ParticleDimer();
  const x = shakenStarts(system, 1201, 0.3, 6);
  for (const method of ["energy", "energyAndGradient", "canonicalize", "inDomain"] as const) {
    assertEquals(system[method](x, { pool }), system[method](x, { pool: serialPool }));
  }
});

Deno.test("ParticleDimer says what is wrong", () => {
  const make = (options: Record<string, unknown>) => () => new ParticleDimer(options);
  const what = "Cannot make a ParticleDimer:";
  assertThrows(
    make({ preset: "noe" }),
    RangeError,
    `${what} preset must be one of noe2019, noe2019-class, printed, got noe`,
  );
  assertThrows(
    make({ slop: 2 }),
    RangeError,
    `${what} parameter must be one of epsilon, sigma, tether, slope, a, b, d0, halfBox, boxConstant, solvent, got slop`,
  );
  assertThrows(make({ slope: NaN }), RangeError, `${what} slope must be a finite number, got NaN`);
  assertThrows(make({ slope: "2" }), RangeError, `${what} slope must be a finite number, got 2`);
  assertThrows(make({ sigma: 0 }), RangeError, `${what} sigma must be positive, got 0`);
  assertThrows(make({ epsilon: -1 }), RangeError, `${what} epsilon must not be negative, got -1`);
  assertThrows(make({ solvent: 2.5 }), RangeError, `${what} solvent must be a whole number from 0 to 1600, got 2.5`);
  const system = new ParticleDimer();
  assertThrows(
    () => system.energy(new Float64Array(77)),
    RangeError,
    "Cannot compute energies: x must have a length that is a multiple of dim = 76, got 77",
  );
  assertThrows(() => system.energyAndGradient(new Float64Array(1)), RangeError, "Cannot compute gradients: x must");
  assertThrows(() => system.canonicalize(new Float64Array(1)), RangeError, "Cannot relabel particles: x must");
  const crowd = new ParticleDimer({ solvent: 441, halfBox: 10.5 });
  assertThrows(
    () => crowd.canonicalize(crowd.initialConfiguration(1)),
    RangeError,
    "Cannot relabel particles: solvent must be at most 400, got 441",
  );
  assertThrows(() => system.distance(new Float64Array(1)), RangeError, "Cannot measure distances: x must");
  assertThrows(
    () => system.energy([1, 2] as unknown as Float64Array),
    TypeError,
    "Cannot compute energies: x must be a Float64Array, got Array",
  );
  assertThrows(() => system.initialConfiguration(0), RangeError, "Cannot set up a ParticleDimer: d must be a positive");
});

Deno.test("ParticleDimer refuses a bond whose energy has no lower bound", () => {
  const rule = "the energy of a long bond would have no lower bound";
  const cases = [
    [{ b: -10 }, `Cannot make a ParticleDimer: b must not be negative, got -10: ${rule}`],
    [
      { preset: "printed", slope: -7 },
      `Cannot make a ParticleDimer: a / 4 + slope must not be negative, got -0.75: ${rule}`,
    ],
  ] as const;

  for (const [options, message] of cases) {
    assertEquals(assertThrows(() => new ParticleDimer(options), RangeError).message, message);
  }
  new ParticleDimer({ a: 0, b: 0, slope: 0 });
});
