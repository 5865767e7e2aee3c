import { assert, assertEquals } from "@std/assert";
import { findPath, type LatentPath, type PathModel } from "../../examples/browser/source/latent_path.ts";
import { RunningStatistics, type Summary } from "../../examples/browser/source/running_statistics.ts";
import { freeEnergyProfile, RandomStream } from "../../mod.ts";

const edges = Float64Array.of(0.5, 1, 1.5, 2, 2.5);

/**
 * Draws half of n samples closed and half open, with lognormal weights whose means are e^truth : 1 and of which some are
 * zero, so that F_open − F_closed = truth.
 */
function weighted(n: number, truth: number, seed: number): { d: Float64Array; logWeights: Float64Array } {
  const random = new RandomStream(seed, 1);
  const d = new Float64Array(n);
  const logWeights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const isOpen = random.uniform() < 0.5;
    d[i] = (isOpen ? 1.5 : 0.5) + random.uniform();
    const outside = random.uniform() < 0.2;
    logWeights[i] = outside ? -Infinity : 100 + 0.7 * random.normal() + (isOpen ? 0 : truth);
  }
  return { d, logWeights };
}

function summaryOf({ d, logWeights }: ReturnType<typeof weighted>, pieces = [d.length]): Summary {
  const statistics = new RunningStatistics(edges);
  let at = 0;
  for (const size of pieces) {
    statistics.add(d.subarray(at, at + size), logWeights.subarray(at, at + size));
    at += size;
  }
  return statistics.summary();
}

Deno.test("RunningStatistics gives the profile that the package gives for all samples at once", () => {
  const samples = weighted(20_000, 2, 1);
  const { profile, effective, n, outside, open, closed } = summaryOf(samples);
  const expected = freeEnergyProfile(samples.d, samples.logWeights, { edges });
  const kept = samples.logWeights.filter((w) => w > -Infinity).map((w) => Math.exp(w - 100));
  const [sum, squares] = [kept.reduce((a, w) => a + w), kept.reduce((a, w) => a + w * w, 0)];
  assertEquals(n, 20_000);
  assertEquals(outside, (n - kept.length) / n);
  // Sums of 2·10⁴ positive terms: n u relative at the very most, u = 2⁻⁵³.
  assert(Math.abs(effective - sum * sum / squares) < 1e-9 * effective);
  assert(Math.abs(open.weight + closed.weight - 1) < 1e-12);
  expected.freeEnergy.forEach((value, bin) => {
    assert(Math.abs(profile!.freeEnergy[bin]! - value!) < 1e-9);
    // Two bootstraps of one error: 64 blocks give it to 1/√126, 200 replicates to 1/√400 each; four of these together.
    const ratio = profile!.standardError[bin]! / expected.standardError[bin]!;
    assert(Math.abs(ratio - 1) < 4 * Math.hypot(1 / Math.sqrt(126), Math.SQRT2 / 20), `bin ${bin}: ${ratio}`);
  });
});

Deno.test("RunningStatistics does not depend on how samples come in batches", () => {
  const samples = weighted(1000, 1, 2);
  assertEquals(summaryOf(samples, [1, 7, 500, 492]), summaryOf(samples));
});

Deno.test("RunningStatistics has 95 % intervals that cover the truth, and those of unweighted samples do not", () => {
  const truth = 2;
  const trials = 200;
  let covered = 0;
  let coveredUnweighted = 0;
  const covers = ({ difference: { interval95 } }: Summary) =>
    interval95 !== null && interval95[0] <= truth && truth <= interval95[1] ? 1 : 0;
  for (let trial = 0; trial < trials; trial++) {
    const samples = weighted(2000, truth, 10 + trial);
    covered += covers(summaryOf(samples));
    coveredUnweighted += covers(summaryOf({ d: samples.d, logWeights: new Float64Array(2000) }));
  }
  // Binomial: 190 ± 3.1 for a correct interval; four deviations.
  assert(covered >= 178 && covered < 200, `${covered}`);
  assertEquals(coveredUnweighted, 0);
});

Deno.test("RunningStatistics gives no numbers that it does not have, and doubts what few samples carry", () => {
  const empty = new RunningStatistics(edges).summary();
  assertEquals([empty.n, empty.effective, empty.profile, empty.difference.value], [0, 0, null, null]);
  const closedOnly = summaryOf({ d: new Float64Array(100).fill(1.2), logWeights: new Float64Array(100) });
  assertEquals(closedOnly.difference.reason, "no open configuration has any weight yet");
  assertEquals(closedOnly.closed.weight, 1);
  const few = summaryOf(weighted(60, 0, 3));
  assertEquals(few.difference.reason, "the closed state has fewer than 50 effective samples");
});

/** A dimer alone: latent number 0 opens the bond, within a thousandth of it. */
const thinBarrier: PathModel = {
  dim: 4,
  map(z) {
    const x = new Float64Array(z.length);
    for (let i = 0; i < z.length; i += 4) {
      const half = 0.75 + 0.25 * Math.tanh(1000 * z[i]);
      x.set([-half, z[i + 1], half, z[i + 1]], i);
    }
    return Promise.resolve({ x, logWeights: new Float64Array(z.length / 4) });
  },
  energy: (x) => Float64Array.from({ length: x.length / 4 }, (_, i) => -((x[4 * i] + 0.75) ** 2)),
  distance: (x) => Float64Array.from({ length: x.length / 4 }, (_, i) => x[4 * i + 2] - x[4 * i]),
};

/** Largest of the steps between configurations over their mean. */
function unevenness({ x, d }: Pick<LatentPath, "x" | "d">): number {
  const steps = Array.from({ length: d.length - 1 }, (_, k) => {
    const [a, b] = [x.subarray(4 * k, 4 * k + 4), x.subarray(4 * k + 4, 4 * k + 8)];
    return Math.hypot(...a.map((value, i) => b[i] - value));
  });
  return Math.max(...steps) * steps.length / steps.reduce((a, b) => a + b);
}

Deno.test("findPath walks from closed to open in even steps, also where even latent steps would jump", async () => {
  const path = (await findPath(thinBarrier, 1, () => Promise.resolve()))!;
  const { t, d } = path;
  assert(d[0] < 1.5 && d[d.length - 1] >= 1.5);
  assertEquals([t[0], t[t.length - 1]], [0, 1]);
  assert(t.every((value, k) => k === 0 || value > t[k - 1]));
  assert(t.length > 60 && t.length <= 81);
  // Stations lie at most one mean step apart, and the nearest one is taken: at most two steps.
  assert(unevenness(path) <= 2.1, `${unevenness(path)}`);
  const z = Float64Array.from(t, (_, k) => k / (t.length - 1) - 0.5).reduce<number[]>(
    (z, at) => [...z, at, 0, 0, 0],
    [],
  );
  const { x } = await thinBarrier.map(Float64Array.from(z));
  assert(unevenness({ x, d: thinBarrier.distance(x) }) > 10);
});

Deno.test("findPath belongs to its seed, and finds none where the model draws one state only", async () => {
  const pause = () => Promise.resolve();
  assertEquals(await findPath(thinBarrier, 5, pause), await findPath(thinBarrier, 5, pause));
  const closed: PathModel = { ...thinBarrier, distance: (x) => thinBarrier.distance(x).map((d) => Math.min(1, d)) };
  assertEquals(await findPath(closed, 1, pause), null);
});
