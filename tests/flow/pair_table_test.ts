import { assert, assertEquals, assertThrows } from "@std/assert";
import { tabulatePair } from "../../src/flow/pair_table.ts";
import { powerPairTerm } from "../../src/system/pair_terms.ts";

/** Linear interpolation in r², as the kernels read a table. */
function lookUp({ values, cutoffSquared }: ReturnType<typeof tabulatePair>, r: number): number {
  const t = r * r / cutoffSquared * (values.length - 1);
  if (t >= values.length - 1) return 0;
  const i = Math.floor(t);
  return values[i] + (t - i) * (values[i + 1] - values[i]);
}

for (
  const [name, term] of [
    ["r⁻¹²", powerPairTerm(1.1 ** 12, 0)!],
    ["Lennard-Jones", powerPairTerm(4, 4)!],
    ["a bond", { cutoff: 8, energy: (r: number) => 2 * (r - 1.5) - 25 * (r - 1.5) ** 2 + 10 * (r - 1.5) ** 4 }],
  ] as const
) {
  Deno.test(`tabulatePair() keeps ${name} within 0.001 k_BT₀, or 0.1 % above 1 k_BT₀`, () => {
    const table = tabulatePair(term);
    let looked = 0;
    for (let r = 0.3; r < term.cutoff * 0.99; r += 0.00137) {
      const exact = term.energy(r);
      if (exact > 20) continue;
      looked++;
      const error = Math.abs(lookUp(table, r) - exact) / Math.max(1, Math.abs(exact));
      assert(error <= 1.2e-3, `error ${error} at r = ${r}`);
    }
    assert(looked > 300);
  });
}

Deno.test("tabulatePair() caps what is infinite at 200 k_BT₀ and ends in 0", () => {
  const { values } = tabulatePair({ cutoff: 2, energy: (r) => r < 1 ? Infinity : 1 });
  assertEquals([values[0], values.at(-1)], [200, 0]);
});

Deno.test("tabulatePair() caps at 100 k_BT where that is above 200 k_BT₀, and resolves what is relevant there", () => {
  const wall = { cutoff: 2, energy: (r: number) => r < 1 ? Infinity : 1 };
  for (const [temperature, cap] of [[0.1, 200], [2, 200], [2.5, 250], [100, 10_000]]) {
    assertEquals(tabulatePair(wall, temperature).values[0], cap, `T = ${temperature}`);
  }
  // 25 k_BT₀ is a quarter of k_BT at T = 100, where 1250 k_BT₀ still matter: the table must be fine there, too.
  const steep = powerPairTerm(1, 0)!;
  const errorAt = (temperature: number) => {
    const table = tabulatePair(steep, temperature);
    let largest = 0;
    for (let r = 0.56; r < 1; r += 0.00137) {
      largest = Math.max(largest, Math.abs(lookUp(table, r) - steep.energy(r)) / steep.energy(r));
    }
    return largest;
  };
  assert(errorAt(100) <= 1.2e-3, `${errorAt(100)}`);
  assert(errorAt(1) > 1.2e-3, "a table for T₀ is too rough there");
});

Deno.test("tabulatePair() refuses a cutoff that is not positive and an energy that is not a number", () => {
  assertThrows(
    () => tabulatePair({ cutoff: 0, energy: () => 0 }),
    RangeError,
    "Cannot tabulate a pair energy: cutoff must be a positive number, got 0",
  );
  assertThrows(
    () => tabulatePair({ cutoff: 1, energy: () => NaN }),
    RangeError,
    "Cannot tabulate a pair energy: energy(r) must be a number above −∞, got NaN at r = ",
  );
  assertThrows(
    () => tabulatePair({ cutoff: 1, energy: (r) => Math.log(Math.max(0, r - 0.5)) }),
    RangeError,
    "Cannot tabulate a pair energy: energy(r) must be a number above −∞, got -Infinity at r = ",
  );
});
