import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { IsingLattice } from "../../src/system/ising_lattice.ts";
import { enumerateIsing, isingLevels } from "../../src/system/ising_states.ts";

const temperatures = [0.05, 0.5, 1, 2, 2.269, 2 / Math.log(1 + Math.SQRT2), 2.5, 5, 100, 1000];

/** Configuration k of all 2^dim, by its binary digits. */
function configuration(k: number, dim: number): Float64Array {
  return Float64Array.from({ length: dim }, (_, i) => k >> i & 1 ? 1 : -1);
}

/** Whether a number is the exact one within the error that `exact` states. */
function within(got: number, want: number, lattice: IsingLattice, unit: number): boolean {
  return Math.abs(got - want) <= 1e-14 * lattice.dim * unit;
}

/** Kaufman's numbers beside those of an enumeration. */
function agrees(lattice: IsingLattice, temperature: number, other = lattice): boolean {
  const [exact, counted] = [lattice.exact(temperature), enumerateIsing(other, temperature)];
  const { coupling } = lattice;
  return within(exact.logPartition, counted.logPartition, lattice, Math.max(1, coupling / temperature)) &&
    within(exact.meanEnergy, counted.meanEnergy, lattice, Math.max(coupling, temperature)) &&
    within(exact.heatCapacity, counted.heatCapacity, lattice, Math.max(1, (coupling / temperature) ** 2));
}

Deno.test("Kaufman's solution is what enumeration says, at, above and below the critical temperature", () => {
  for (const side of [2, 3, 4]) {
    for (const temperature of temperatures) {
      assert(agrees(new IsingLattice({ side }), temperature), `${side} ${temperature}`);
      const coupling = 0.7;
      assert(agrees(new IsingLattice({ side, coupling }), coupling * temperature), `${side} ${temperature}`);
    }
    // A coupling that differs by one part in 10⁹ is told apart.
    assert(!agrees(new IsingLattice({ side }), 2, new IsingLattice({ side, coupling: 1 + 1e-9 })));
  }
});

Deno.test("ln Z of larger lattices is what was computed independently", () => {
  // research/field.md: another program, five digits.
  const published = [[2, 4.38227, 3.71169], [4, 15.52282, 13.28103], [8, 60.14522, 52.26141], [
    16,
    238.65565,
    208.86733,
  ]];
  for (const [side, near, above] of published) {
    const lattice = new IsingLattice({ side });
    assertAlmostEquals(lattice.exact(2.269).logPartition, near, 5.1e-6);
    assertAlmostEquals(lattice.exact(3).logPartition, above, 5.1e-6);
  }
});

Deno.test("large lattices come near Onsager's free energy and energy at the critical temperature", () => {
  // ln Z / N → ½ ln 2 + 2G/π, G Catalan's constant; ⟨U⟩ / N → −√2 J. Corrections of order 1/L² and 1/L.
  const limit = Math.LN2 / 2 + 2 * 0.915965594177219 / Math.PI;
  for (const side of [64, 128, 256, 512]) {
    const lattice = new IsingLattice({ side });
    const { logPartition, meanEnergy } = lattice.exact(lattice.criticalTemperature);
    // Ferdinand and Fisher 1969: ln Z − N f = ln(2^¼ + 2^-½) = 0.639912 at T_c, and less than 1/N² more.
    assertAlmostEquals(logPartition - side ** 2 * limit, Math.log(2 ** 0.25 + 2 ** -0.5), 1 / side ** 2 + 1e-9);
    assert(Math.abs(meanEnergy / side ** 2 + Math.SQRT2) < 1 / side);
  }
});

Deno.test("energies and heat capacities are the derivatives of ln Z where no enumeration reaches", () => {
  for (const side of [5, 8, 31]) {
    for (const temperature of temperatures.slice(2, 8)) {
      const lattice = new IsingLattice({ side });
      // Richardson's central differences: the error is of the order of h⁴ N² and of rounding over h.
      const h = 1e-3 / side;
      const difference = (of: (t: number) => number) => {
        const central = (h: number) => (of(temperature * (1 + h)) - of(temperature * (1 - h))) / (2 * h * temperature);
        return (4 * central(h) - central(2 * h)) / 3;
      };
      const { meanEnergy, heatCapacity } = lattice.exact(temperature);
      const energy = temperature ** 2 * difference((t) => lattice.exact(t).logPartition);
      const capacity = difference((t) => lattice.exact(t).meanEnergy);
      assertAlmostEquals(energy / meanEnergy, 1, 1e-8);
      assert(Math.abs(capacity - heatCapacity) < 1e-8 * (heatCapacity + side ** 2), `${side} ${temperature}`);
    }
  }
});

Deno.test("energy and magnetisation are the sums over bonds and sites", () => {
  for (const side of [2, 3, 4]) {
    const lattice = new IsingLattice({ side, coupling: 0.5 });
    const bonds = lattice.bonds();
    assertEquals(bonds.length, 2 * lattice.dim);
    const rows = Array.from({ length: 50 }, (_, k) => configuration(k * 1301 % 2 ** lattice.dim, lattice.dim));
    const x = Float64Array.from(rows.flatMap((row) => [...row]));
    const [energy, magnetisation] = [lattice.energy(x), lattice.magnetisation(x)];
    rows.forEach((row, s) => {
      assertEquals(energy[s], bonds.reduce((sum, { i, j, strength }) => sum - strength * row[i] * row[j], 0));
      assertEquals(magnetisation[s], row.reduce((sum, spin) => sum + spin, 0) / lattice.dim);
    });
  }
});

Deno.test("isingLevels counts what visiting all configurations counts, and rejects a missing bond", () => {
  for (const side of [2, 3]) {
    const lattice = new IsingLattice({ side });
    const count = (energy: (x: Float64Array) => number) => {
      const counts = new Map<string, number>();
      for (let k = 0; k < 2 ** lattice.dim; k++) {
        const x = configuration(k, lattice.dim);
        const key = `${energy(x)} ${lattice.magnetisation(x)[0].toFixed(6)}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      return counts;
    };
    const levels = new Map(
      isingLevels(lattice).map(({ energy, magnetisation, count }) => [`${energy} ${magnetisation.toFixed(6)}`, count]),
    );
    assertEquals(levels, count((x) => lattice.energy(x)[0]));
    assert(levels.size !== count((x) => lattice.energy(x)[0] + x[0] * x[1]).size);
  }
});

Deno.test("levels of 4 × 4 spins are symmetric, complete and those that are known", () => {
  const levels = isingLevels(new IsingLattice({ side: 4 }));
  assertEquals(levels.reduce((sum, { count }) => sum + count, 0), 65536);
  const energies = new Map<number, number>();
  for (const { energy, count } of levels) energies.set(energy, (energies.get(energy) ?? 0) + count);
  // Beale, Phys. Rev. Lett. 76, 78 (1996), and any program: the first levels of 4 × 4.
  assertEquals([...energies].slice(0, 4), [[-32, 2], [-24, 32], [-20, 64], [-16, 424]]);
  const { magnetisation } = enumerateIsing(new IsingLattice({ side: 4 }), 2.269);
  assertAlmostEquals(magnetisation.reduce((sum, p) => sum + p, 0), 1, 1e-14);
  magnetisation.forEach((p, k) => assertEquals(p, magnetisation[16 - k]));
});

Deno.test("an IsingLattice says what is wrong", () => {
  const lattice = new IsingLattice({ side: 3 });
  for (const side of [1, 2.5, 513]) {
    assertThrows(
      () => new IsingLattice({ side }),
      RangeError,
      `Cannot make an IsingLattice: side must be a whole number from 2 to 512, got ${side}`,
    );
  }
  assertThrows(
    () => new IsingLattice({ side: 2, coupling: -1 }),
    RangeError,
    "Cannot make an IsingLattice: coupling must be a positive number, got -1",
  );
  for (const temperature of [0, -1, NaN, 0.003, 1001]) {
    assertThrows(
      () => lattice.exact(temperature),
      RangeError,
      `Cannot solve an IsingLattice: temperature must be from J/300 to 1000 J, got ${temperature} for J = 1`,
    );
  }
  const x = new Float64Array(18).fill(1);
  x[11] = 0.5;
  for (
    const [compute, what] of [
      [() => lattice.energy(x), "energies"],
      [() => lattice.magnetisation(x), "magnetisations"],
    ] as const
  ) {
    assertThrows(
      compute,
      RangeError,
      `Cannot compute ${what}: spins must be −1 or 1, got 0.5 at site 2 of configuration 1`,
    );
  }
  assertThrows(() => lattice.energy(new Float64Array(10)), RangeError, "multiple of dim = 9, got 10");
  assertThrows(
    () => isingLevels(new IsingLattice({ side: 5 })),
    RangeError,
    "Cannot count configurations: side must be at most 4, got 5",
  );
  assertThrows(
    () => enumerateIsing(lattice, 0),
    RangeError,
    "Cannot weigh configurations: temperature must be a positive number, got 0",
  );
});
