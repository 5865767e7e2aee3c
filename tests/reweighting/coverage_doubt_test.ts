import { assert, assertEquals } from "@std/assert";
import { bennettAcceptanceRatio } from "../../src/reweighting/bar.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { coverageDoubt, disagreementDoubt } from "../../src/reweighting/coverage_doubt.ts";
import { densityIntegral, normalisationDoubt } from "../../src/reweighting/density_integral.ts";
import { manyChains, messageOf, normals } from "./statistics.ts";

const task = "test";
const even = normals(2000, new CounterRandom(1)).map((z) => 0.5 * z);

Deno.test("coverageDoubt() is silent where frames lie within the reach of the samples, and names what is missing", () => {
  const frames = normals(500, new CounterRandom(2)).map((z) => 0.5 * z + 0.25);
  assertEquals(coverageDoubt(task, even, { logWeights: frames }, 0.02, ""), null);
  assertEquals(
    coverageDoubt(task, even, undefined, 0.02, ""),
    "coverage of states is unchecked: no frames were scored",
  );
  assertEquals(
    coverageDoubt(task, even, { logWeights: new Float64Array(0) }, 0.02, " of basin open"),
    "coverage of states is unchecked: no frames of basin open were scored",
  );
  const missed = frames.map((value, i) => i % 20 === 0 ? (i % 40 ? 30 : Infinity) : value);
  assertEquals(
    coverageDoubt(task, even, { logWeights: missed }, 0.02, ""),
    "the flow misses 5.0 % of the frames: their weights are above those of all its samples",
  );
  // A missing share below the error does no harm.
  assertEquals(coverageDoubt(task, even, { logWeights: missed }, 0.1, ""), null);
});

Deno.test("coverageDoubt() wants frames enough for the error, and counts chains, not frames, where these are correlated", () => {
  const few = normals(40, new CounterRandom(3)).map((z) => 0.5 * z);
  assertEquals(
    coverageDoubt(task, even, { logWeights: few }, 0.02, ""),
    "coverage of states is checked too coarsely: so few frames may overlook 7.5 % of them",
  );
  // Frames of 20 chains that hardly move: as good as 20 frames.
  const { values, labels } = manyChains(20, 50, 0.999, new CounterRandom(4));
  const stuck = values.map((z) => 0.3 * z);
  assertEquals(coverageDoubt(task, even, { logWeights: stuck }, 0.02, ""), null);
  const doubt = coverageDoubt(task, even, { logWeights: stuck, chains: labels }, 0.02, "")!;
  assert(/^coverage of states is checked too coarsely/.test(doubt), doubt);
  // Chains that keep to one of two basins, and are independent within it, are not stuck if the basins are told.
  const basins = Int32Array.from(labels, (label) => label % 2);
  const free = normals(1000, new CounterRandom(5)).map((z, i) => 0.3 * z + basins[i]);
  assert(coverageDoubt(task, even, { logWeights: free, chains: labels }, 0.02, "") !== null);
  assertEquals(coverageDoubt(task, even, { logWeights: free, chains: labels, basins }, 0.02, ""), null);
});

Deno.test("coverageDoubt() refuses frames that do not fit", () => {
  assertEquals(
    messageOf(() => coverageDoubt(task, even, { logWeights: Float64Array.of(0, NaN) }, 1, "")),
    "Cannot test: frames.logWeights must be above -Infinity and not NaN, got NaN at index 1",
  );
  assertEquals(
    messageOf(() => coverageDoubt(task, even, { logWeights: Float64Array.of(0, 0), chains: [1] }, 0.1, "")),
    "Cannot test: frames.chains must have one entry for each of the 2 frames.logWeights, got 1",
  );
});

Deno.test("disagreementDoubt() sees flow samples that give another free energy than they do with frames", () => {
  // ln w is N(0, ½²) under the flow, so N(¼, ½²) under the target, and ln Z = ⅛.
  const frames = normals(2000, new CounterRandom(6)).map((z) => 0.5 * z + 0.25);
  assertEquals(disagreementDoubt(even, 2000, { logWeights: frames }, 0.012, ""), null);
  const heavy = even.map((value) => value > 0.7 ? -Infinity : value);
  const doubt = disagreementDoubt(heavy, 2000, { logWeights: frames }, 0.01, " of basin open")!;
  assert(/^frames of basin open contradict it by|forward and reverse work contradict/.test(doubt), doubt);
});

Deno.test("bennettAcceptanceRatio() sees work whose two distributions contradict each other, and no constant error", () => {
  const draw = (random: CounterRandom, lie: number, constant: number) => {
    const forward = normals(2000, random).map((z) => 0.7 * z + 0.245);
    const reverse = normals(2000, random).map((z) => (0.7 + lie) * z + 0.245);
    return bennettAcceptanceRatio(forward.map((w) => w + constant), reverse.map((w) => w - constant), {
      replicates: 60,
    });
  };
  let [seen, alarms] = [0, 0];
  for (let seed = 0; seed < 40; seed++) {
    if (draw(new CounterRandom(7, seed), 0.5, 0).reason?.startsWith("forward and reverse work contradict")) seen++;
    if (!draw(new CounterRandom(7, seed), 0, 0.3).reliable) alarms++;
  }
  assertEquals([seen, alarms], [40, 0]);
});

Deno.test("densityIntegral() covers 0 for a density of one or two states, and the logarithm of a wrong factor", () => {
  const logNormal = (x: number, center: number, width: number) =>
    -(((x - center) / width) ** 2) / 2 - Math.log(width * Math.sqrt(2 * Math.PI));
  const densities = {
    one: { draw: (z: number) => 3 * z, at: (x: number) => logNormal(x, 0, 3) },
    two: {
      draw: (z: number, i: number) => i % 2 ? 5 + z : -5 + 0.5 * z,
      at: (x: number) => Math.log(0.5 * Math.exp(logNormal(x, 5, 1)) + 0.5 * Math.exp(logNormal(x, -5, 0.5))),
    },
  };
  for (const { draw, at } of Object.values(densities)) {
    for (const factor of [0, Math.log(3), -0.5]) {
      let covered = 0;
      for (let seed = 0; seed < 20; seed++) {
        const x = normals(2000, new CounterRandom(9, seed)).map(draw);
        const logProb = (of: Float64Array) => of.map((v) => at(v) + factor);
        const { value, standardError } = densityIntegral({ x, logProb: logProb(x) }, logProb);
        if (Math.abs(value! - factor) <= 4 * standardError!) covered++;
        assertEquals(normalisationDoubt({ x, logProb: logProb(x) }, logProb) === null, factor === 0);
      }
      assertEquals(covered, 20);
    }
  }
});

Deno.test("densityIntegral() says where it cannot tell, and refuses what does not fit", () => {
  const flat = (x: Float64Array) => new Float64Array(x.length);
  const x = normals(100, new CounterRandom(10));
  assertEquals(
    densityIntegral({ x: normals(2500, new CounterRandom(11)), logProb: new Float64Array(100) }, flat).reason,
    "densities of more than 20 dimensions are too sparse",
  );
  assertEquals(
    densityIntegral({ x: new Float64Array(100), logProb: new Float64Array(100) }, flat).reason,
    "the samples do not span their space",
  );
  assertEquals(
    messageOf(() => densityIntegral({ x, logProb: new Float64Array(30) }, flat)),
    "Cannot integrate a density: x must have one entry for each of the 30 logProb, got 100",
  );
  assertEquals(
    messageOf(() => densityIntegral({ x, logProb: new Float64Array(100).fill(NaN) }, flat)),
    "Cannot integrate a density: logProb must be finite, got NaN at index 0",
  );
});
