import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { type PairDistribution, pairDistribution } from "../../src/experiment/pair_distribution.ts";
import { weightedMean } from "../../src/experiment/weighted_means.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { idealGas } from "../support/ideal_gas.ts";
import { assertMeanIs } from "../support/statistics.ts";

await loadKernels();

const particles = 3;
const side = 2;
/** To the diagonal of the square. */
const edges = Float64Array.from({ length: 21 }, (_, b) => b * side * Math.SQRT2 / 20);

/** Points at random in the square, and g of them as it would be for a square of another side. */
function ofRandomPoints(assumedSide = side): PairDistribution {
  const random = new RandomStream(3);
  const x = new Float64Array(20_000 * 2 * particles).map(() => side * random.uniform());
  return pairDistribution(x, { particles, edges, side: assumedSide });
}

/** Throws unless g is 1 in every bin within its errors, which for the last bins, of a few pairs, are large. */
function assertIdeal({ g, error }: PairDistribution): void {
  // Twenty bins: five errors for a false alarm in a hundred thousand.
  g.forEach((value, b) => {
    if (error[b] > 0.3 || error[b] === 0) return;
    if (!(Math.abs(value - 1) < 5 * error[b])) throw new Error(`g is ${value} ± ${error[b]} in bin ${b}`);
  });
}

Deno.test("pairDistribution is 1 for random points, and not if the box had another side", () => {
  const { g, error } = ofRandomPoints();
  assertIdeal({ r: edges, g, error });
  assert(error[10] < 0.02);
  assertThrows(() => assertIdeal(ofRandomPoints(1.03 * side)), Error, "in bin");
});

Deno.test("pairDistribution of an ideal gas between soft walls is 1 within their width", () => {
  const gas = new LennardJonesFluid({ particles: 4, repulsion: 0, attraction: 0 });
  const width = 2 * gas.halfBox + Math.sqrt(Math.PI / 200);
  const { g, error } = pairDistribution(idealGas(gas, 1, 20_000), {
    particles: 4,
    edges: Float64Array.from({ length: 11 }, (_, b) => b * width / 10),
    side: width,
  });
  // Walls of width w move a share of some (w/side)² of the pairs: 0.06² / 1.5².
  g.forEach((value, b) => assert(Math.abs(value - 1) < 5 * error[b] + 0.005, `${value} ± ${error[b]} in bin ${b}`));
});

Deno.test("pairDistribution: weights undo what was drawn too often, and have errors that chains share", () => {
  const random = new RandomStream(5);
  const n = 20_000;
  const x = new Float64Array(n * 2 * particles).map(() => side * random.uniform());
  // Thrown away with a probability that depends on the configuration, and weighed by its inverse.
  const kept = Array.from({ length: n }, (_, i) => 0.2 + 0.8 * x[i * 2 * particles] / side);
  const chosen = kept.flatMap((share, i) => random.uniform() < share ? [i] : []);
  const rows = Float64Array.from(chosen.flatMap((i) => [...x.subarray(2 * particles * i, 2 * particles * (i + 1))]));
  const logWeights = Float64Array.from(chosen, (i) => 2 - Math.log(kept[i]));
  assertIdeal(pairDistribution(rows, { particles, edges, side, logWeights }));

  // Each frame four times over in a chain of its own: the same g, and errors that know it.
  const four = Float64Array.from({ length: 4 * 600 }, (_, i) => x[i % 600]);
  const blocks = Int32Array.from({ length: 400 }, (_, i) => i % 100);
  const once = pairDistribution(x.subarray(0, 600), { particles, edges, side });
  const often = pairDistribution(four, { particles, edges, side, blocks });
  once.g.forEach((value, b) => assertAlmostEquals(often.g[b], value, 1e-12));
  once.error.forEach((value, b) => assertAlmostEquals(often.error[b], value, 1e-12));

  const none = pairDistribution(rows, { particles, edges, side, logWeights: logWeights.map(() => -Infinity) });
  assert(none.g.every(Number.isNaN));
});

Deno.test("weightedMean: values without weight may be anything, and errors have the right size", () => {
  const odd = weightedMean(Float64Array.of(1, NaN, 3, Infinity), {
    logWeights: Float64Array.of(0, -Infinity, 0, -Infinity),
  });
  assertEquals(odd.value, 2);
  assertEquals(
    weightedMean(Float64Array.of(1), { logWeights: Float64Array.of(-Infinity) }).reason,
    "every weight is zero",
  );
  assertEquals(weightedMean(Float64Array.of(1, 2), { blocks: Int32Array.of(4, 4) }).reliable, false);

  // Normal numbers of mean 1 under weights e^z: the mean of z is 1, and errors scatter as they say.
  const scaled = Float64Array.from({ length: 400 }, (_, seed) => {
    const z = new RandomStream(seed).fillNormals(new Float64Array(500));
    const { value, standardError } = weightedMean(z, { logWeights: z });
    return (value! - 1) / standardError!;
  });
  // A ratio of heavy-tailed sums: biased by 1/n, with errors some per cent too small.
  const spread = Math.sqrt(scaled.reduce((sum, v) => sum + v * v, 0) / scaled.length);
  assert(spread > 0.9 && spread < 1.3, `${spread}`);

  // Pairs of equal values: errors from blocks of two are those of half as many values.
  const halves = new RandomStream(9).fillNormals(new Float64Array(1000));
  const doubled = Float64Array.from({ length: 2000 }, (_, i) => halves[i >> 1]);
  const known = weightedMean(doubled, { blocks: Int32Array.from(doubled, (_, i) => i >> 1) });
  assertAlmostEquals(known.standardError!, weightedMean(halves).standardError!, 1e-12);
  assert(weightedMean(doubled).standardError! < 0.75 * known.standardError!);
  assertMeanIs(halves, 0);
});
