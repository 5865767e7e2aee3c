import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { energiesOfMoves, energiesOfSweeps, EnergyAccount, pairTerms } from "../../src/experiment/energy_ledger.ts";

Deno.test("pairTerms counts every pair but the dimer's", () => {
  for (const particles of [2, 3, 6, 38]) {
    let count = 0;
    for (let i = 0; i < particles; i++) {
      for (let j = i + 1; j < particles; j++) if (j > 1) count++;
    }
    assertEquals(pairTerms(particles), count);
  }
  assertEquals(pairTerms(38), 702);
});

Deno.test("energiesOfMoves weighs a move by the pair terms of its particle", () => {
  assertEquals(energiesOfMoves(38, { dimer: 0, solvent: 702 }), 37);
  assertEquals(energiesOfMoves(38, { dimer: 702, solvent: 0 }), 36);
  assertEquals(energiesOfMoves(2, { dimer: 10, solvent: 0 }), 10);
});

Deno.test("energiesOfSweeps: a sweep is worth two energies for any number of particles", () => {
  for (const particles of [2, 3, 6, 38, 402]) assertAlmostEquals(energiesOfSweeps(particles, 7), 14, 1e-12);
});

Deno.test("EnergyAccount adds up by purpose and goes on from earlier counts", () => {
  const account = new EnergyAccount();
  account.add("data", 10);
  account.add("training", 2);
  account.add("data", 0.5);
  assertEquals(account.ledger, { data: 10.5, training: 2, evaluation: 0, reference: 0 });
  assertEquals(account.total, 12.5);
  const later = new EnergyAccount(account.ledger);
  later.add("reference", 1);
  assertEquals(later.ledger, { data: 10.5, training: 2, evaluation: 0, reference: 1 });
  assertEquals(account.ledger.reference, 0, "ledgers are copies");
});

Deno.test("EnergyAccount refuses what is not a count", () => {
  const account = new EnergyAccount();
  for (const bad of [-1, NaN, Infinity]) {
    const error = assertThrows(() => account.add("evaluation", bad), RangeError);
    assertEquals(error.message, `Cannot count energies: evaluation must grow by a number ≥ 0, got ${bad}`);
  }
  assertEquals(account.total, 0);
});
