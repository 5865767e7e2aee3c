import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { NotFiniteError } from "../../../src/autodiff/not_finite.ts";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import {
  networkData,
  type NetworkRecipe,
  networkSamples,
  networkStages,
  trainNetwork,
  unlessNotFinite,
} from "../../../src/experiment/reproduction/dimer_network.ts";
import { dimerNetworksExperiment, meanOverNetworks } from "../../../src/experiment/reproduction/dimer_networks.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import type { TrainingKeeper } from "../../../src/experiment/run_checkpoints.ts";
import { Flow } from "../../../src/flow/flow.ts";
import { Whitening } from "../../../src/flow/whitening.ts";
import { estimateFrom, noEstimate } from "../../../src/reweighting/estimate.ts";
import { ParticleDimer } from "../../../src/system/particle_dimer.ts";
import { restoreSnapshot, takeSnapshot } from "../../../src/training/snapshot.ts";

await loadKernels();

Deno.test("averages over networks: six rows with references, and tiny networks are not believed", async () => {
  const { rows, figures } = await dimerNetworksExperiment.run(await experimentContext({ seed: 1 }));

  assertEquals(
    rows.map(({ quantity }) => quantity),
    [0.5, 1, 2].flatMap((T) =>
      ["reweighting", "BAR"].map((name) => `ΔF(open − closed), T = ${T}, mean of 2 networks, ${name}`)
    ),
  );
  for (const row of rows) {
    assert(row.energyEvaluations > 1e5 && row.seconds > 0);
    assert(row.published !== null);
    assert(verdictOf(row).kind !== "agrees", row.quantity);
  }
  assertEquals(figures.map(({ name }) => name), [...dimerNetworksExperiment.figures]);
});

Deno.test("networkStages are the published ones: 1,960 and 3,800 steps, the last weights those of the row", () => {
  const share = { likelihood: { divisor: 1, batch: 1024 }, mixture: { divisor: 1, batch: 8000 } };
  const stages = networkStages({ share, last: { maximumLikelihood: 0.01, reactionCoordinate: 20 } });

  assertEquals(stages.map(({ steps }) => steps), [1960, 100, 100, 300, 300, 1000, 2000]);
  assertEquals(stages.map(({ weights }) => weights.maximumLikelihood), [1, 100, 100, 100, 100, 20, 0.01]);
  assertEquals(stages.map(({ weights }) => weights.reactionCoordinate), [0, 1, 1, 5, 10, 10, 20]);
  assertEquals(stages.slice(1).map(({ weights }) => weights.logWeightSpread), [0.1, 0.3, 1, 1, 1, 0]);
  assertEquals(stages.slice(1).map(({ softening }) => softening!.highEnergy), [1e4, 1e4, 1e4, 1e4, 2e3, 1e3]);
  const half = { likelihood: { divisor: 2, batch: 1024 }, mixture: { divisor: 1000, batch: 90 } };
  const fewer = networkStages({ share: half, last: { maximumLikelihood: 0.1, reactionCoordinate: 10 } });
  assertEquals(fewer.map(({ steps }) => steps), [980, 1, 1, 1, 1, 1, 2]);
});

Deno.test("meanOverNetworks takes Student's t of one less than the networks, and the doubts of each", () => {
  const three = [1, 2, 3].map((value) => estimateFrom(value, 0.1));

  const { value, standardError, interval95, reliable } = meanOverNetworks(three);
  assertEquals([value, reliable], [2, true]);
  assertAlmostEquals(standardError!, 1 / Math.sqrt(3), 1e-15);
  assertAlmostEquals(interval95![1] - 2, 4.302652730 / Math.sqrt(3), 1e-8);

  const doubted = [...three.slice(1), { ...three[0], reliable: false, reason: "few samples" }];
  assertEquals(
    meanOverNetworks(doubted).reason,
    "1 of 3 networks doubt their own estimate, the first because few samples",
  );
  const missing = meanOverNetworks([...three, noEstimate("nothing open")]);
  assertEquals([missing.value, missing.reliable], [2, false]);
  assertEquals(meanOverNetworks([three[0], noEstimate("nothing open")]).value, null);
});

Deno.test("unlessNotFinite turns numbers that are not finite into a failure, and nothing else", async () => {
  const broken = await unlessNotFinite(() => Promise.reject(new NotFiniteError("the loss must be finite, got NaN")));
  assertEquals(broken, { failure: "the loss must be finite, got NaN" });
  await assertRejects(() => unlessNotFinite(() => Promise.reject(new RangeError("other"))), RangeError, "other");
});

const context = await experimentContext({ seed: 4 });
const few = { train: 2, validate: 2, evaluate: 2 };
const data = await networkData(context, { chains: few, frames: { train: 200, validate: 2, evaluate: 2 } }, [1]);
const tiny: NetworkRecipe = {
  layers: "(RN)1",
  hidden: [4],
  last: { maximumLikelihood: 0.1, reactionCoordinate: 10 },
  share: { likelihood: { divisor: 200, batch: 16 }, mixture: { divisor: 100, batch: 20 } },
};
const valuesOf = (flow: Flow) => flow.parameters().map((parameter) => Array.from(parameter.values()));

Deno.test("a network whose training was interrupted ends as one that was not, and counts each energy once", async () => {
  const whole = await trainNetwork(context, "network", tiny, data, 5);
  // 38 steps of the mixture with two samples at each of nine temperatures.
  assertEquals(whole.energyEvaluations, 38 * 18);

  let kept: { snapshot: ReturnType<typeof takeSnapshot>; position: Parameters<TrainingKeeper["save"]>[1] } | undefined;
  const keeper: TrainingKeeper = {
    load(parameters) {
      if (kept === undefined) return Promise.resolve(null);
      restoreSnapshot(parameters, kept.snapshot);
      return Promise.resolve(kept.position);
    },
    save(parameters, position) {
      kept = { snapshot: takeSnapshot(parameters), position };
      return Promise.resolve();
    },
  };
  const controller = new AbortController();
  let told = 0;
  const stopping = {
    ...context,
    training: () => keeper,
    signal: controller.signal,
    onProgress: () => ++told === 20 && controller.abort("enough"),
  };
  const reason = await trainNetwork(stopping, "network", tiny, data, 5).then(() => null, (reason) => reason);
  assertEquals(reason, "enough");
  // Ten steps of likelihood, then one, one, three and three: the twentieth is the second of the fifth mixture.
  assertEquals([kept!.position.stage, kept!.position.step], [5, 2]);

  const resumed = await trainNetwork({ ...context, training: () => keeper }, "network", tiny, data, 5);
  assertEquals(valuesOf(resumed.flow), valuesOf(whole.flow));
  const other = await trainNetwork(context, "network", tiny, data, 6);
  assert(valuesOf(other.flow).some((values, k) => values.some((value, i) => value !== valuesOf(whole.flow)[k][i])));
});

Deno.test("networkSamples weighs with the energy and the prior of their temperature: forgotten ones are told apart", async () => {
  const system = new ParticleDimer();
  const flow = new Flow(Whitening.fit(data.temperatures[0].train!.x, system.dim));
  const options = { temperature: 2, samples: 200, first: 7, seed: 3 };

  const { logWeights, outside } = await networkSamples(context, flow, options);

  // By hand: z of variance 2, u = U/2, log q = −|z|²/4 − 38 ln 4π − log det.
  const z = flow.prior.sample(200, 3, 7).map((value) => Math.SQRT2 * value);
  const { x, logProb } = flow.decode(z);
  const inside = system.inDomain(x);
  const energies = system.energy(x);
  assert(inside.some((is) => is === 1) && inside.some((is) => is === 0));
  assertEquals(outside, inside.filter((is) => is === 0).length);
  const told = { prior: 0, energy: 0 };
  for (const [i, weight] of logWeights.entries()) {
    if (!inside[i]) {
      assertEquals(weight, -Infinity);
      continue;
    }
    const square = z.subarray(76 * i, 76 * (i + 1)).reduce((sum, v) => sum + v * v, 0);
    const expected = -energies[i] / 2 - (logProb[i] + square / 4 - 38 * Math.LN2);
    // Positions are float32, 2⁻²² for those near 3: energies as steep as r⁻¹² change by 12 · 2⁻²² / r, 1e-5 of themselves.
    const tolerance = 1e-4 + 1e-5 * Math.abs(energies[i]);
    assertAlmostEquals(weight, expected, tolerance);
    // The published newer code forgets T where it weighs z; another slip would be U for U/T.
    const forgotten = { prior: -energies[i] / 2 - logProb[i], energy: expected - energies[i] / 2 };
    if (Math.abs(forgotten.prior - expected) > tolerance) told.prior++;
    if (Math.abs(forgotten.energy - expected) > tolerance) told.energy++;
  }
  assert(told.prior > 0 && told.energy > 0);
});
