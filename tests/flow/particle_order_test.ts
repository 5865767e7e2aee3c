import { assertEquals, assertThrows } from "@std/assert";
import { closeParticles, placeParticles } from "../../src/flow/particle_order.ts";

Deno.test("placeParticles() shows each network all earlier particles, or the nearest ones in the order of placement", () => {
  assertEquals(placeParticles({ particles: 3, spatialDim: 1 }).map(({ seen }) => seen), [[], [0], [0, 1]]);
  const line = Float64Array.of(0, 1, 5, 2);
  const near = placeParticles({
    particles: 4,
    spatialDim: 1,
    order: [2, 0, 1, 3],
    neighbourhood: 2,
    referencePositions: line,
  });
  assertEquals(near.map(({ particle, seen }) => [particle, seen]), [[2, []], [0, [2]], [1, [2, 0]], [3, [0, 1]]]);
  assertEquals(near[3].earlier, [2, 0, 1]);
});

Deno.test("placeParticles() refuses what is no permutation and a neighbourhood without places", () => {
  assertThrows(
    () => placeParticles({ particles: 3, spatialDim: 2, order: [0, 1, 1] }),
    RangeError,
    "Cannot make a particle flow: order must hold each particle from 0 to 2 once, got [0,1,1]",
  );
  assertThrows(
    () => placeParticles({ particles: 2, spatialDim: 2, neighbourhood: 0 }),
    RangeError,
    "Cannot make a particle flow: referencePositions must hold 4 numbers where a neighbourhood is given, got none",
  );
});

Deno.test("closeParticles() finds who comes within the cutoff, the most frequent first, and nobody without a pair term", () => {
  // Rows: an extra number, then four particles on a line.
  const rows = [[9, 0, 1.5, 0.5, 0.1], [9, 0, 0.9, 0.5, 0.1], [9, 0, 3, 0.9, 0.1]];
  const pair = { cutoff: 1, energy: () => 1 };
  const interactions = {
    spatialDim: 1 as const,
    pairTerm: (i: number, j: number) => i + j === 3 && i * j === 0 ? null : pair,
  };
  const placed = placeParticles({ particles: 4, spatialDim: 1 });
  const found = closeParticles(Float64Array.from(rows.flat()), 5, 1, placed, interactions);
  // 1–0: one row of three; 2–0: three, 2–1: one (1.0 is not closer than 1); 3–2: three, 3–1: one, 3–0: no term.
  assertEquals(found, [[], [0], [0, 1], [2, 1]]);
});
