import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { samplingEfficiency } from "../../src/reweighting/effective_sample_size.ts";
import { forwardDiagnostics } from "../../src/reweighting/forward_diagnostics.ts";
import { coverage, isHonest, manyChains, messageOf, normals } from "./statistics.ts";

/** Target e^(−x²/2) (ln Z = ½ ln 2π) and a flow N(0, s²), s = 1.3. */
const S = 1.3;
const LOG_Z = 0.5 * Math.log(2 * Math.PI);
const logWeight = (x: number) => -x * x / 2 + x * x / (2 * S * S) + 0.5 * Math.log(2 * Math.PI) + Math.log(S);
const DIVERGENCE = Math.log(S) + 1 / (2 * S * S) - 0.5;
/** E_p[w]/Z = E_p[p/q] = s² / √(2 s² − 1). */
const EFFICIENCY = Math.sqrt(2 * S * S - 1) / (S * S);

Deno.test("forwardDiagnostics() covers the exact divergence and efficiency, with chains too", () => {
  const independent = (random: CounterRandom) =>
    forwardDiagnostics(normals(400, random).map(logWeight), { logPartition: LOG_Z, replicates: 40 });
  const fromChains = (whole: boolean) => (random: CounterRandom) => {
    const { values, labels } = manyChains(12, 60, 0.8, random);
    const options = { logPartition: LOG_Z, replicates: 40 };
    return forwardDiagnostics(values.map(logWeight), whole ? { ...options, chains: labels } : options).klDivergence;
  };

  assert(isHonest(coverage(200, DIVERGENCE, (random) => independent(random).klDivergence)));
  assert(isHonest(coverage(200, EFFICIENCY, (random) => independent(random).samplingEfficiency)));
  assert(isHonest(coverage(200, DIVERGENCE, fromChains(true))));
  assert(!isHonest(coverage(150, DIVERGENCE, fromChains(false))));
  assert(
    !isHonest(coverage(100, DIVERGENCE, (random) => {
      // The twin with the other divergence, KL(q ‖ p).
      const { klDivergence } = independent(random);
      return { ...klDivergence, value: S * S / 2 - 0.5 - Math.log(S) + klDivergence.value! - DIVERGENCE };
    })),
  );
});

Deno.test("forwardDiagnostics() agrees with the efficiency of samples of the flow", () => {
  const fromFlow = samplingEfficiency(normals(200_000, new CounterRandom(1)).map((z) => logWeight(S * z)));
  const { samplingEfficiency: fromData } = forwardDiagnostics(
    normals(50_000, new CounterRandom(2)).map(logWeight),
    { logPartition: LOG_Z },
  );

  assertAlmostEquals(fromFlow, EFFICIENCY, 0.004);
  assertAlmostEquals(fromData.value!, EFFICIENCY, 4 * fromData.standardError!);
});

Deno.test("forwardDiagnostics() sees a mode that the flow misses, which flow samples cannot", () => {
  // Target: two equal Gaussians 12 apart; flow: the left one, with a thousandth of its mass spread wide.
  const logTarget = (x: number) => Math.log(Math.exp(-((x + 6) ** 2) / 2) + Math.exp(-((x - 6) ** 2) / 2));
  const logFlow = (x: number) => {
    const narrow = 0.999 * Math.exp(-((x + 6) ** 2) / 2) / Math.sqrt(2 * Math.PI);
    return Math.log(narrow + 0.001 * Math.exp(-x * x / 200) / Math.sqrt(200 * Math.PI));
  };
  const weigh = (x: number) => logTarget(x) - logFlow(x);
  const z = normals(2000, new CounterRandom(4));

  const { samplingEfficiency: seen } = forwardDiagnostics(z.map((x, i) => weigh(x + (i % 2 ? 6 : -6))), {
    logPartition: Math.log(2 * Math.sqrt(2 * Math.PI)),
  });

  assert(samplingEfficiency(z.map((x) => weigh(x - 6))) > 0.9);
  assert(seen.value! < 0.001);
});

Deno.test("forwardDiagnostics() widens both errors by that of ln Z and doubts heavy tails and few chains", () => {
  const weights = normals(400, new CounterRandom(5)).map(logWeight);
  const exact = forwardDiagnostics(weights, { logPartition: LOG_Z });
  const rough = forwardDiagnostics(weights, { logPartition: LOG_Z, logPartitionError: 0.3 });
  assertAlmostEquals(rough.klDivergence.standardError!, Math.hypot(exact.klDivergence.standardError!, 0.3), 1e-12);
  assert(exact.samplingEfficiency.reliable && rough.samplingEfficiency.interval95![0] > 0);

  const heavy = forwardDiagnostics(normals(400, new CounterRandom(5)).map((z) => 3 * z), { logPartition: 0 });
  assert(heavy.paretoK > 0.5);
  assert(heavy.samplingEfficiency.reason!.endsWith("this is an upper bound"));
  const few = forwardDiagnostics(weights, { logPartition: LOG_Z, chains: weights.map((_, i) => i % 2) });
  assertEquals(few.klDivergence.reason, "only 2 chains, fewer than 4");
});

Deno.test("forwardDiagnostics() refuses what is not finite", () => {
  const task = "Cannot measure the coverage of a target";
  assertEquals(
    messageOf(() => forwardDiagnostics(Float64Array.of(0, Infinity), { logPartition: 0 })),
    `${task}: dataLogWeights must be finite, got Infinity at index 1`,
  );
  assertEquals(
    messageOf(() => forwardDiagnostics(Float64Array.of(0), { logPartition: NaN })),
    `${task}: logPartition must be finite, got NaN`,
  );
});
