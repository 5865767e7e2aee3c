import { assertEquals, assertThrows } from "@std/assert";
import { EnergyAccount } from "../../src/experiment/energy_ledger.ts";

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
