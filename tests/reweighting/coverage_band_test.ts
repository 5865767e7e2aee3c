/**
 * Error bars that are neither too narrow nor too wide: 200 experiments in closed form, cheap enough for every run of the
 * tests. Many systems and estimators, with fewer repeats and a limit below only, are in coverage_one_state_test.ts and
 * coverage_many_states_test.ts.
 */
import { assert } from "@std/assert";
import { bennettAcceptanceRatio } from "../../src/reweighting/bar.ts";
import { basinFreeEnergies } from "../../src/reweighting/basin_free_energies.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { logPartitionFunction } from "../../src/reweighting/exponential_averaging.ts";
import { freeEnergyDifferenceByReweighting } from "../../src/reweighting/reweighted_difference.ts";
import type { Interval } from "./coverage_table.ts";
import { DOUBLE_WELL, doubleWell, mixture, WELL_DIFFERENCE, WELLS } from "./exact_systems.ts";
import { normals } from "./statistics.ts";

const REPEATS = 200;
/** Of intervals that are exactly right 1.3 % of counts lie outside, by chance; seeds are fixed. */
const BAND = [183, 197] as const;
/** The default: with half as many, errors are themselves uncertain enough to lose one interval in a hundred. */
const replicates = 200;

/** Estimates with what they are to hold. */
type Answers = Readonly<Record<string, readonly [estimate: Interval, truth: number]>>;

/** Of 200 experiments, how many intervals hold the truth when all are made this many times as wide, for each estimator. */
function counts(run: (random: CounterRandom) => Answers, factors: readonly number[]): ReadonlyMap<string, number[]> {
  const held = new Map<string, number[]>();
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    for (const [name, [{ value, interval95 }, truth]] of Object.entries(run(new CounterRandom(20261123, repeat)))) {
      assert(value !== null && interval95 !== null, name);
      const [below, above] = [value - interval95[0], interval95[1] - value];
      const inside = factors.map((by) => value - by * below <= truth && truth <= value + by * above ? 1 : 0);
      const before = held.get(name) ?? factors.map(() => 0);
      held.set(name, before.map((count, k) => count + inside[k]));
    }
  }
  return held;
}

/**
 * Throws unless every estimator holds the truth 183 to 197 times in 200, and neither with two thirds of its widths (81 in
 * 100 expected) nor with one and a half times them (99.7 in 100).
 */
function assertInBand(run: (random: CounterRandom) => Answers): void {
  const inside = (count: number) => BAND[0] <= count && count <= BAND[1];
  for (const [name, [right, narrow, wide]] of counts(run, [1, 2 / 3, 1.5])) {
    assert(inside(right), `${name} holds the truth ${right} times in ${REPEATS}`);
    assert(narrow < BAND[0], `${name} holds it ${narrow} times with two thirds of the width`);
    assert(wide > BAND[1], `${name} holds it ${wide} times with one and a half times the width`);
  }
}

Deno.test("200 intervals of the acceptance ratio and of reweighting in 2 D hold the truth 183 to 197 times", () => {
  // Target: exp(−x²/2 − y²/(2·0.8²)); flow: a normal density 1.25 times as wide in both.
  const widths = [1, 0.8];
  const stretch = 1.25;
  const logZ = Math.log(2 * Math.PI * widths[0] * widths[1]);
  const logWeights = (random: CounterRandom, n: number, factor: number) => {
    const z = normals(2 * n, random);
    // ln w = −|s|²/2 + |s|²/(2·1.25²) + ln(2π · 1.25² · widths), s in units of the widths.
    return Float64Array.from({ length: n }, (_, i) => {
      const square = factor ** 2 * (z[2 * i] ** 2 + z[2 * i + 1] ** 2);
      return square / 2 * (1 / stretch ** 2 - 1) + logZ + 2 * Math.log(stretch);
    });
  };
  assertInBand((random) => {
    const [flow, data] = [logWeights(random, 400, stretch), logWeights(random, 400, 1)];
    return {
      "bennettAcceptanceRatio()": [bennettAcceptanceRatio(flow.map((log) => -log), data, { replicates }), -logZ],
      "logPartitionFunction()": [logPartitionFunction(flow, { replicates, frames: { logWeights: data } }), logZ],
    };
  });
});

Deno.test("200 intervals of ΔF of the double well hold the truth 183 to 197 times, by both estimators", () => {
  const flow = mixture([
    { share: 0.5, center: -1.7, width: 0.3 },
    { share: 0.5, center: 1.6, width: 0.35 },
  ]);
  const collect = (x: Float64Array) => ({
    logWeights: x.map((v) => -doubleWell(v) - flow.logDensity(v)),
    basins: Int32Array.from(x, (v) => v < 0 ? 0 : 1),
  });
  const names = ["left", "right"];
  assertInBand((random) => {
    const samples = collect(new Float64Array(600).map(() => flow.draw(random)));
    // Independent frames, as many of either well: each is a chain.
    const drawn = new Float64Array(600).map((_, i) => WELLS[i % 2].draw(random));
    const frames = { ...collect(drawn), chains: Int32Array.from(drawn.keys()) };
    const { logWeights, basins } = samples;
    const options = { names, replicates, frames };
    return {
      "basinFreeEnergies()": [
        basinFreeEnergies(samples, frames, { names, replicates }).difference(0, 1),
        WELL_DIFFERENCE,
      ],
      "freeEnergyDifferenceByReweighting()": [
        freeEnergyDifferenceByReweighting(logWeights, basins, options),
        WELL_DIFFERENCE,
      ],
      "ln Z": [logPartitionFunction(logWeights, { replicates, frames }), DOUBLE_WELL.logZ],
    };
  });
});
