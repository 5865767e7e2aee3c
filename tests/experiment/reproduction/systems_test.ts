/** The experiment on the systems: its data, its references, and all of it in small. */
import "../../../src/backend/loaded.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { experimentContext, type ExperimentResult } from "../../../src/experiment/reproduction/experiment.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { systemsExperiment } from "../../../src/experiment/reproduction/systems.ts";
import { alikeImages, coolChains } from "../../../src/experiment/reproduction/systems_frames.ts";
import { expectedModes, modesOf } from "../../../src/experiment/reproduction/systems_many_well.ts";
import { efficiencyOf } from "../../../src/experiment/reproduction/systems_settings.ts";
import { bondWell, wholePartition } from "../../../src/experiment/reproduction/systems_wells.ts";
import { basinFreeEnergies } from "../../../src/reweighting/basin_free_energies.ts";
import { logOf } from "../../../src/random/elementary.ts";
import { RandomStream } from "../../../src/random/random_stream.ts";
import { DoubleWell } from "../../../src/system/double_well.ts";
import { LennardJonesCluster } from "../../../src/system/lennard_jones_cluster.ts";
import { normals } from "../../support/random_arrays.ts";

/** Printed by a notebook of 2019, with the other sign. */
const PRINTED_BOND = 4.4139043664615345;

async function runSmall(): Promise<ExperimentResult & { readonly kept: readonly string[] }> {
  const kept: string[] = [];
  const context = await experimentContext({ seed: 3 });
  const result = await systemsExperiment.run({ ...context, kept: (part, work) => (kept.push(part), work()) });
  return { ...result, kept };
}

/** One run for two tests. */
let small: ReturnType<typeof runSmall> | null = null;

Deno.test("systemsExperiment in small: every row is complete, every part is kept", async () => {
  const { rows, figures, remarks, kept } = await (small ??= runSmall());
  assertEquals(kept, [...systemsExperiment.parts("smoke")]);
  assertEquals(figures.map(({ name }) => name), [...systemsExperiment.figures]);
  assert(figures.every(({ svg, caption }) => svg.startsWith("<svg") && caption.length > 50));
  assert(remarks.every((remark) => remark.endsWith(".")));
  assertEquals(new Set(rows.map(({ quantity }) => quantity)).size, rows.length);
  for (const row of rows) {
    assert(row.energyEvaluations > 100 && row.seconds > 0, row.quantity);
    assert(row.ours.value === null || Number.isFinite(row.ours.value), row.quantity);
    assert(row.reference !== null || /^(sampling efficiency|mean \|ln Z)/.test(row.quantity), row.quantity);
    // Small runs are poor, and say so: what is called reliable is not far off.
    const verdict = verdictOf(row);
    if (verdict.kind === "differs") assert(/modes|Monte Carlo/.test(row.quantity), row.quantity);
  }
});

Deno.test("a number of networks without data is stated beside ours, and is no goal of a flow that had some", async () => {
  const { rows } = await (small ??= runSmall());
  const row = rows.find(({ quantity }) => quantity.startsWith("mean |ln Z − exact|"))!;
  assertEquals([row.published!.value, row.goal, verdictOf(row).kind], ["0.0316 ± 0.0042", undefined, "stated"]);
  assert(row.note!.startsWith("The numbers do not compare: "));
});

Deno.test("efficiencyOf doubts heavy tails, and only these", () => {
  // Weights u^(−k) with u uniform have the Pareto shape k.
  const random = new RandomStream(5);
  const logs = Float64Array.from({ length: 4000 }, () => -logOf(random.uniform()));
  const light = efficiencyOf({ logWeights: logs.map((v) => 0.2 * v) });
  const heavy = efficiencyOf({ logWeights: logs.map((v) => 0.8 * v) });

  // (E w)² / E w² = (1 − 2k) / (1 − k)².
  assertAlmostEquals(light.value!, 0.6 / 0.64, 0.02);
  assertEquals([light.reliable, heavy.reliable], [true, false]);
  assert(/heavy-tailed \(Pareto k 0\.\d\d\): this is an upper bound/.test(heavy.reason!), heavy.reason!);
  assertEquals(efficiencyOf({ logWeights: new Float64Array(3).fill(-Infinity) }).reason, "every weight is zero");
});

Deno.test("references of the systems are the published conventions", async () => {
  const { rows } = await (small ??= runSmall());
  const reference = (quantity: string) => rows.find((row) => row.quantity.startsWith(quantity))!.reference!.value;
  const differences = [6.8494, 3.3799, 1.63027, 0.76056];
  [0.5, 1, 2, 4].forEach((temperature, k) =>
    [1, 2].forEach((dim) =>
      assertAlmostEquals(
        reference(`ΔF(right − left), double well noe2019, ${dim}-D, T = ${temperature}`),
        differences[k],
        5e-5,
      )
    )
  );
  assertAlmostEquals(reference("ln Z, double well noe2019, 2-D"), 11.02047, 5e-6);
  assertAlmostEquals(reference("ln Z, many-well-32"), 164.69568, 5e-6);
  // Pairs that count twice are another system, not a rounding of the same.
  assert(reference("ln Z, LJ13 efm") - reference("ln Z, LJ13 eacf") > 20);
});

Deno.test("the printed free energy of the bond is that of slope 2, and of no other preset", () => {
  const difference = (preset: "noe2019" | "noe2019-class") => bondWell(preset).exact(1).freeEnergyDifference;
  // The notebook sums over a grid of distances: nine digits are the same.
  const assertPrinted = (value: number) => assertAlmostEquals(value, PRINTED_BOND, 2e-9);
  assertPrinted(difference("noe2019"));
  assertThrows(() => assertPrinted(difference("noe2019-class")), Error, "4.41");
  assert(difference("noe2019-class") < 0);
});

/** P(x > 0) of chains that end in wells which they cannot leave, and its error from families. */
function cooledShare(temperatures: readonly number[]): { share: number; error: number } {
  const chains = 3000;
  const { x, family } = coolChains(new DoubleWell({ preset: "snf", dim: 1 }), {
    start: Float64Array.of(0),
    chains,
    temperatures,
    moves: [150, 15],
    step: 0.25,
    seed: 8,
  });
  const right = x.map((v) => v > 0 ? 1 : 0);
  const share = right.reduce((sum, is) => sum + is, 0) / chains;
  const scores = new Map<number, number>();
  right.forEach((is, i) => scores.set(family[i], (scores.get(family[i]) ?? 0) + is - share));
  return { share, error: Math.sqrt([...scores.values()].reduce((sum, s) => sum + s * s, 0)) / chains };
}

Deno.test("coolChains gives wells that chains do not leave the weight that is due to them", () => {
  const exact = 1 / (1 + Math.exp(new DoubleWell({ preset: "snf", dim: 1 }).exact(1).freeEnergyDifference));
  const assertShare = ({ share, error }: { share: number; error: number }) =>
    assert(Math.abs(share - exact) < 4 * error, `${share} ± ${error}, exact ${exact}`);
  assertShare(cooledShare([6, 3, 2, 1.4, 1]));
  // Chains that are quenched keep the weights of no temperature.
  assertThrows(() => assertShare(cooledShare([1])), Error, "exact");
});

Deno.test("alikeImages keeps energies, and shows each particle in each place and direction", () => {
  const system = new LennardJonesCluster({ centreOfMass: "pinned", particles: 4 });
  const start = system.startConfiguration();
  const x = normals(10 * system.dim, 2).map((v, i) => start[i % system.dim] + 0.05 * v);
  const images = alikeImages(x, { particles: 4, spatialDim: 3, count: 2000, seed: 5 });
  const known = [...system.energy(x)];
  for (const u of system.energy(images)) {
    assert(known.some((other) => Math.abs(u - other) < 1e-9 * (1 + Math.abs(u))));
  }
  // Directions are uniform: the mean of each coordinate is 0, and the mean squares of all are the same.
  const squares = new Float64Array(12);
  const means = new Float64Array(12);
  images.forEach((v, i) => (means[i % 12] += v / 2000, squares[i % 12] += v * v / 2000));
  const mean = squares.reduce((sum, s) => sum + s, 0) / 12;
  for (let i = 0; i < 12; i++) {
    assert(Math.abs(means[i]) < 4 * Math.sqrt(mean / 2000), `mean of coordinate ${i}`);
    // v² of a direction in space has a variance below twice its mean squared.
    assert(Math.abs(squares[i] - mean) < 4 * mean * Math.sqrt(2 / 2000), `square of coordinate ${i}`);
  }
});

Deno.test("expectedModes is the mean of modesOf over exact samples", () => {
  const [wells, right, n, repeats] = [5, 0.8, 40, 400];
  const random = new RandomStream(6);
  const counts = Array.from({ length: repeats }, () => {
    const x = Float64Array.from({ length: 2 * wells * n }, () => random.uniform() < right ? 1.7 : -1.7);
    return modesOf(x, wells);
  });
  const mean = counts.reduce((sum, c) => sum + c, 0) / repeats;
  const variance = counts.reduce((sum, c) => sum + (c - mean) ** 2, 0) / (repeats - 1);
  const expected = expectedModes(right, wells, n);
  assert(Math.abs(mean - expected.mean) < 4 * Math.sqrt(variance / repeats));
  assert(expected.error >= 0.9 * Math.sqrt(variance), "a bound on the scatter");
  assert(Math.abs(mean - expectedModes(0.7, wells, n).mean) > 4 * Math.sqrt(variance / repeats));
});

Deno.test("wholePartition adds basins, and its error scatters as independent repeats do", () => {
  // Two basins of populations 1 and 2; flow and frames disagree by normal work of variance 0.5.
  const once = (seed: number) => {
    const [n, m] = [600, 300];
    const z = normals(n + m, seed);
    const labels = (count: number) => Int32Array.from({ length: count }, (_, i) => i % 3 === 0 ? 0 : 1);
    const spread = Math.sqrt(0.5);
    const energies = basinFreeEnergies(
      { logWeights: z.subarray(0, n).map((v) => 2 + spread * v - 0.25), basins: labels(n) },
      {
        logWeights: z.subarray(n).map((v) => 2 + spread * v + 0.25),
        basins: labels(m),
        chains: Int32Array.from({ length: m }, (_, i) => i),
      },
      { names: ["left", "right"] },
    );
    return wholePartition(energies);
  };
  const results = Array.from({ length: 100 }, (_, k) => once(50 + k));
  const mean = results.reduce((sum, { value }) => sum + value! / 100, 0);
  const scatter = Math.sqrt(results.reduce((sum, { value }) => sum + (value! - mean) ** 2, 0) / 99);
  assert(Math.abs(mean - 2) < 4 * scatter / 10, `mean ${mean}`);
  const stated = results.reduce((sum, { standardError }) => sum + standardError! / 100, 0);
  // A standard deviation of 100 values is known to 7 %; the bootstrap of 200 replicates adds its part.
  assert(Math.abs(stated / scatter - 1) < 0.35, `stated ${stated}, seen ${scatter}`);
});
