/** The ways in which references of clusters are computed, against ways that share nothing with them. */
import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { descendLadder, type LadderResult } from "../../scripts/cluster_ladder.ts";
import { integrateDoubleWellCluster } from "../../scripts/cluster_quadrature.ts";
import { clusterReferences, clusterReferencesCommand } from "../../src/system/cluster_references.ts";
import { DoubleWellCluster } from "../../src/system/double_well_cluster.ts";
import { LennardJonesCluster } from "../../src/system/lennard_jones_cluster.ts";
import { assertMeanIs } from "../support/statistics.ts";
import { normals } from "../support/random_arrays.ts";
import { assertSampledMean } from "../support/system_laws.ts";

/** ln Z of two particles from their distance alone: q = d/√2 in three dimensions. */
function pairLogPartition(preset: "eacf" | "efm"): number {
  const system = new LennardJonesCluster({ preset, particles: 2 });
  const steps = 4000;
  let sum = 0;
  for (let i = 1; i < steps; i++) {
    const d = 12 * i / steps;
    const [u] = system.energy(Float64Array.of(d / Math.SQRT2, 0, 0));
    sum += 4 * Math.PI * d * d * 2 ** -1.5 * Math.exp(-u);
  }
  return Math.log(sum * 12 / steps);
}

function assertLadder(of: (seed: number) => LadderResult): void {
  const results = Array.from({ length: 12 }, (_, seed) => of(seed));
  (["eacf", "efm"] as const).forEach((preset, f) => {
    assertMeanIs(results.map(({ logPartition }) => logPartition[f]), pairLogPartition(preset), `ln Z, ${preset}`);
  });
}

Deno.test("descendLadder gives ln Z of two particles as quadrature over their distance", () => {
  const ladder = (seed: number) => descendLadder({ particles: 2, sweeps: 3000, frames: 150, seed });
  assertLadder(ladder);
  // An error of 3 % of Z is seen.
  assertThrows(
    () =>
      assertLadder((seed) => {
        const { logPartition: [once, twice], meanEnergy } = ladder(seed);
        return { logPartition: [once + 0.03, twice + 0.03], meanEnergy };
      }),
    Error,
    "ln Z, eacf",
  );
});

Deno.test("integrateDoubleWellCluster gives ln Z and populations as plain importance sampling of all six coordinates", () => {
  const system = new DoubleWellCluster();
  const temperature = 4;
  const width = 2.6;
  const z = normals(6 * 400_000, 11);
  const energy = system.energy(z.map((v) => width * v));
  const r = system.positions(z.map((v) => width * v));
  // log p(z): a Gaussian in six dimensions.
  const weights = energy.map((u, i) => {
    let squares = 0;
    for (let c = 0; c < 6; c++) squares += z[6 * i + c] ** 2;
    return Math.exp(-u / temperature - 30 / temperature + squares / 2 + 6 * Math.log(width * Math.sqrt(2 * Math.PI)));
  });
  const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
  const error = Math.sqrt(weights.reduce((sum, w) => sum + (w / mean - 1) ** 2, 0)) / weights.length;
  const close = weights.reduce(
    (sum, w, i) => Math.hypot(r[8 * i] - r[8 * i + 2], r[8 * i + 1] - r[8 * i + 3]) < 4 ? sum + w : sum,
    0,
  );
  const exact = integrateDoubleWellCluster("koehler2020", temperature, { points: 128, spacing: 0.2, step: 0.2 });
  assert(error < 0.02, `${error}`);
  assertAlmostEquals(exact.logPartition, Math.log(mean) + 30 / temperature, 4 * error);
  assertAlmostEquals(exact.closeProbability, close / mean / weights.length, 4 * error);
  // √4 to the power of two directions is what the volume of mean-free positions is about.
  assert(Math.abs(exact.logPartition - Math.log(4) - Math.log(mean) - 30 / temperature) > 4 * error);
});

const rowOf = (system: string, preset: string, temperature: number) =>
  clusterReferences.find((row) => row.system === system && row.preset === preset && row.temperature === temperature)!;

Deno.test("the table of clusters is what its command computes", () => {
  assert(clusterReferencesCommand.startsWith("deno run -A scripts/cluster_references.ts"));
  const { logPartition, closeProbability } = rowOf("double-well-cluster", "koehler2020", 2);
  const again = integrateDoubleWellCluster("koehler2020", 2, { points: 128, spacing: 0.2, step: 0.1 });
  assertAlmostEquals(logPartition.value, again.logPartition, 2 * logPartition.error);
  assertAlmostEquals(closeProbability!.value, again.closeProbability, 2 * closeProbability!.error);
  // One short run: the twelve of the table, 20 000 sweeps each, scatter by 0.022 √12 and 0.028 √12; four times √(20/3) that.
  const { logPartition: [once, twice] } = descendLadder({ sweeps: 3000, frames: 100, seed: 77 });
  assertAlmostEquals(once, rowOf("lennard-jones-cluster", "eacf", 1).logPartition.value, 0.8);
  assertAlmostEquals(twice, rowOf("lennard-jones-cluster", "efm", 1).logPartition.value, 1);
});

Deno.test("metropolis draws from DW4 as the table says", () => {
  const system = new DoubleWellCluster();
  const start = system.startConfiguration();
  const plan = {
    start: Float64Array.from({ length: 24 * system.dim }, (_, i) => start[i % system.dim]),
    steps: 6000,
    step: 0.35,
    temperature: 2,
  };
  const { meanEnergy, closeProbability } = rowOf("double-well-cluster", "koehler2020", 2);
  const isClose = (x: Float64Array) => {
    const r = system.positions(x.slice());
    return Math.hypot(r[0] - r[2], r[1] - r[3]) < 4 ? 1 : 0;
  };
  assertSampledMean(system, plan, (_, u) => u, meanEnergy.value, "energy");
  assertSampledMean(system, plan, isClose, closeProbability!.value, "close");
  const { meanEnergy: colder } = rowOf("double-well-cluster", "koehler2020", 1);
  assertThrows(() => assertSampledMean(system, plan, (_, u) => u, colder.value, "energy"), Error, "energy is");
});
