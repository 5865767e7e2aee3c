import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import {
  energiesFor,
  equilibriumRate,
  rateWithCost,
  ratioOf,
  transitionRate,
} from "../../../src/experiment/reproduction/chain_summary.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { flowMonteCarloExperiment } from "../../../src/experiment/reproduction/flow_monte_carlo.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { RandomStream } from "../../../src/random/random_stream.ts";
import { estimateFrom } from "../../../src/reweighting/estimate.ts";
import { FOUR_SIGMA } from "../../support/statistics.ts";

await loadKernels();

Deno.test("flow Monte Carlo: rows and figures are complete; what can be known exactly agrees", async () => {
  const { rows, figures, remarks } = await flowMonteCarloExperiment.run(await experimentContext());
  assertEquals(figures.map(({ name }) => name), [...flowMonteCarloExperiment.figures]);
  for (const { svg } of figures) assert(svg.startsWith("<svg"));
  assert(remarks.length > 0);
  for (const { quantity, ours, energyEvaluations } of rows) {
    assert(ours.value === null ? ours.reason !== null : Number.isFinite(ours.value), quantity);
    assert(energyEvaluations > 0, quantity);
  }
  const times = rows.find(({ quantity }) => quantity.includes("independence moves alone"))!;
  assert(times.reference!.value >= 0.5);
  const of = (text: string) => rows.find(({ quantity }) => quantity.includes(text))!;
  const acceptance = of("double well: acceptance");
  assert(verdictOf(acceptance).kind === "agrees", JSON.stringify(acceptance));
  // The same numbers against half the acceptance are a difference.
  const half = { ...acceptance, reference: { ...acceptance.reference!, value: acceptance.reference!.value / 2 } };
  assertEquals(verdictOf(half).kind, "differs");
  assertEquals(verdictOf(of("double well: ΔF(right − left), T = 1, mixed")).kind, "agrees");
  assertEquals(of("double well: ΔF(right − left), T = 1, local").ours.reliable, false);
  const speed = of("dimer, T = 1: energies for 100 transitions");
  assert(speed.note!.includes("1.20e+12") && speed.note!.includes("10^6.6"));
});

Deno.test("transitionRate counts changes of basin by way of none, and bounds what it has not seen", () => {
  // Walker 0: 0 → none → 1 → 1; walker 1: none → none → none → 0.
  const basins = Int8Array.of(0, -1, -1, -1, 1, -1, 1, 0);
  assertAlmostEquals(transitionRate(basins, 2, 1000).value!, 1000);
  const none = transitionRate(new Int8Array(8), 2, 2e6);
  assertEquals([none.value, none.interval95![0]], [0, 0]);
  assertAlmostEquals(none.interval95![1], -Math.log(0.05) / 2);
});

Deno.test("equilibriumRate is that of chains at equilibrium, wherever walkers started", () => {
  const [walkers, turns, energies] = [400, 100, 1e6];
  // Leaving basin 1 takes 50 turns, leaving basin 0 takes 950: p₁ = 0.05.
  const run = (seed: number) => {
    const random = new RandomStream(seed);
    const basins = new Int8Array(walkers * turns);
    for (let i = 0; i < basins.length; i++) {
      const before = i < walkers ? i % 2 : basins[i - walkers];
      basins[i] = random.uniform() < (before === 1 ? 1 / 50 : 1 / 950) ? 1 - before : before;
    }
    return basins;
  };
  const expected = 2 * 0.05 / 50 * walkers * turns;
  const exact = { value: 0.05, standardError: 0 };
  for (let seed = 0; seed < 10; seed++) {
    const basins = run(seed);
    const found = equilibriumRate(basins, walkers, energies, exact);
    assert(Math.abs(found.value! - expected) < FOUR_SIGMA * found.standardError!, `${found.value}, ${expected}`);
    // Plain counting takes the way down from the starts for equilibrium.
    const plain = transitionRate(basins, walkers, energies);
    assert(Math.abs(plain.value! - expected) > FOUR_SIGMA * plain.standardError!);
  }
  const basins = run(0);
  const [known, doubted] = [0, 0.01].map((standardError) =>
    equilibriumRate(basins, walkers, energies, { value: 0.05, standardError })
  );
  assertEquals(doubted.value, known.value);
  assertAlmostEquals(doubted.standardError!, Math.hypot(known.standardError!, 0.2 * known.value!), 1e-9);
  const half = { value: 0.5, standardError: 0 };
  assertEquals(equilibriumRate(new Int8Array(8), 2, 1, half).reason, "no walker was in the basin of less weight");
  const stuck = equilibriumRate(new Int8Array(8).fill(1), 2, 8e6, half);
  assertEquals(stuck.value, 0);
  // Of four turns three have one before them.
  assertAlmostEquals(stuck.interval95![1], -Math.log(0.05) / (8 * 0.75));
});

Deno.test("transitionRate's error is that of walkers which cross by chance", () => {
  const [walkers, turns, share] = [400, 500, 0.01];
  const rates = Array.from({ length: 20 }, (_, seed) => {
    const random = new RandomStream(seed);
    const basins = new Int8Array(walkers * turns);
    for (let i = walkers; i < basins.length; i++) {
      basins[i] = random.uniform() < share ? 1 - basins[i - walkers] : basins[i - walkers];
    }
    return transitionRate(basins, walkers, 1e6);
  });
  const expected = walkers * (turns - 1) * share;
  rates.forEach(({ value, standardError }) => {
    assert(Math.abs(value! - expected) < FOUR_SIGMA * standardError!);
    // Counts are binomial.
    assertAlmostEquals(standardError!, Math.sqrt(expected * (1 - share)), 0.2 * Math.sqrt(expected));
  });
});

Deno.test("prices and ratios are what they say", () => {
  // Half the error costs four times as much; what is paid beforehand is paid once.
  const { value, standardError } = energiesFor(estimateFrom(3, 0.1), { energies: 1000, runs: 51, paid: 500 }, 0.05);
  assertAlmostEquals(value!, 4500);
  assertAlmostEquals(standardError!, 800);
  const ratio = ratioOf(estimateFrom(6, 0.6), estimateFrom(2, 0.1));
  assertAlmostEquals(ratio.value!, 3);
  assertAlmostEquals(ratio.standardError!, 3 * Math.hypot(0.1, 0.05));
  assert(ratio.interval95![0] > 0 && ratio.interval95![1] > 3);
  // A hundred transitions at 50 per million take two million energies; with as many beforehand half as much.
  const paid = rateWithCost(estimateFrom(50, 5), 2e6, 100);
  assertAlmostEquals(paid.value!, 25);
  const h = 1e-4;
  const slope = (rateWithCost(estimateFrom(50 + h, 5), 2e6, 100).value! - paid.value!) / h;
  assertAlmostEquals(paid.standardError!, 5 * slope, 1e-4);
  assertEquals(ratioOf(estimateFrom(6, 1), transitionRate(new Int8Array(4), 2, 1)).reason, "a rate is zero");
});
