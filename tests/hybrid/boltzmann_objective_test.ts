/** The objective: what each term alone learns, several temperatures in one batch, and what cannot be trained. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { Graph } from "../../src/graph/graph.ts";
import { column } from "../../src/graph/operations.ts";
import { Flow } from "../../src/flow/flow.ts";
import { flowAtTemperature } from "../../src/flow/flow_at_temperature.ts";
import { NormalPrior, type Prior } from "../../src/flow/prior.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import {
  boltzmannObjective,
  type BoltzmannObjectiveOptions,
  type BoltzmannStage,
} from "../../src/hybrid/boltzmann_objective.ts";
import { linLogCut } from "../../src/loss/energy.ts";
import { reactionCoordinateOperation } from "../../src/loss/reaction_coordinate.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { train } from "../../src/training/train.ts";
import { assertClose } from "../support/assert_close.ts";
import { harmonic } from "../loss/affine_flow.ts";
import { realNVP } from "../flow/bijector_examples.ts";

await loadKernels();

const dim = 3;
const beta = 0.5;
const sigma = [0.5, 1, 2];
const system = harmonic(sigma);
/** ln of the widths of the Boltzmann density at τ = 1. */
const exactK = sigma.map((s) => Math.log(s / Math.sqrt(beta)));
const scaling = (k: readonly number[]) => new Flow(new Scaling({ dim, logScale: k }));
/** Samples of the Boltzmann density at τ = 1. */
const target = scaling(exactK);
const data = (n: number, _stage: number, step: number) => target.sample(n, { seed: 77, first: n * step }).x;

const none = { maximumLikelihood: 0, energy: 0, reactionCoordinate: 0 };
const stageOf = (weights: Partial<BoltzmannStage["weights"]>, more: Partial<BoltzmannStage> = {}): BoltzmannStage => ({
  ...{ name: "stage", steps: 200, batch: 256, learningRate: { shape: "cosine", initial: 0.05 } },
  ...more,
  weights: { ...none, ...weights },
});

/** Loss and metrics of a step. */
function valuesOf(
  options: Omit<BoltzmannObjectiveOptions, "seed">,
  stage: BoltzmannStage,
  step = 0,
  pool?: ThreadPool,
) {
  const objective = boltzmannObjective({ seed: 5, ...options })(new Graph(), stage, 0);
  const names = Object.keys(objective.metrics);
  const outputs = [objective.loss, ...names.map((name) => objective.metrics[name])];
  const inputs = objective.batch(step);
  using run = new KernelRun(outputs, { n: objective.samples!, ...pool && { pool } });
  const [[loss], ...metrics] = run.forward(inputs);
  return { loss, metrics: Object.fromEntries(names.map((name, i) => [name, metrics[i][0]])), inputs };
}

const ways: [string, BoltzmannStage, readonly number[] | undefined, number][] = [
  ["maximum likelihood", stageOf({ maximumLikelihood: 1 }), undefined, 0.03],
  ["the energy", stageOf({ energy: 1 }), undefined, 0.03],
  ["the energy at three temperatures", stageOf({ energy: 1 }), [0.5, 1, 2], 0.03],
  ["the spread of log-weights", stageOf({ logWeightSpread: 1 }), undefined, 0.02],
  ["the spread at three temperatures", stageOf({ logWeightSpread: 1 }), [0.5, 1, 2], 0.02],
  // Forces are weak where the density is wide: that takes more steps.
  ["the forces", stageOf({ forceMatching: 1 }, { steps: 400 }), undefined, 0.02],
];

for (const [name, stage, temperatures, tolerance] of ways) {
  Deno.test(`${name} alone finds the widths of a harmonic energy`, async () => {
    const flow = scaling([0, 0, 0]);
    const objective = boltzmannObjective({ flow, system, beta, data, seed: 1, ...temperatures && { temperatures } });
    await train({ parameters: flow.parameters(), stages: [stage], objective });
    // Four standard errors of ln width by 50 batches of 256, the last steps that the optimiser averages over: 4/√(2 · 256 · 50).
    // Forces and spreads have no noise at the target.
    assertClose(flow.parameters()[0].values(), exactK, { absolute: tolerance });
    assert(exactK.every((k, j) => j === 1 || Math.abs(k) > tolerance), "which are not those of the start");
  });
}

Deno.test("importance-weighted likelihood on samples of the flow itself finds them too; unweighted, nothing moves", async () => {
  for (const importanceWeighted of [true, false]) {
    const flow = scaling([0.5, 0.5, 0.5]);
    const own = (n: number, _stage: number, step: number) => flow.sample(n, { seed: 3, first: n * step }).x;
    const stage = stageOf({ maximumLikelihood: 1 }, { importanceWeighted, batch: 1024 });
    await train({
      parameters: flow.parameters(),
      stages: [stage],
      objective: boltzmannObjective({ flow, system, beta, data: own, seed: 1 }),
    });
    const found = flow.parameters()[0].values();
    const off = exactK.map((k, j) => Math.abs(found[j] - k));
    // Four standard errors as above, of batches of 1024.
    assertEquals(off.every((distance) => distance < 0.0125), importanceWeighted, `${found}, ${exactK}`);
  }
});

Deno.test("exact at all temperatures: J_KL is the mean of −ln Z_τ, the spread nothing", () => {
  const temperatures = [0.25, 1, 3];
  const { metrics, loss } = valuesOf(
    { flow: target, system, beta, temperatures },
    stageOf({ energy: 2, logWeightSpread: 3 }, { batch: 300 }),
  );
  const logZ = (tau: number) => sigma.reduce((sum, s) => sum + 0.5 * Math.log(2 * Math.PI * s * s * tau / beta), 0);
  // u errs by 2⁻²³ of 10 or so.
  assertClose(metrics.energy, -temperatures.reduce((sum, tau) => sum + logZ(tau) / 3, 0), { absolute: 1e-5 });
  assertClose(metrics.logWeightSpread, 0, { absolute: 1e-5 });
  assertClose(loss, 2 * metrics.energy + 3 * metrics.logWeightSpread, { absolute: 1e-12 });
  assert(Math.abs(logZ(3) - logZ(0.25)) > 3, "one temperature would give another number");
});

Deno.test("samples have the temperatures in turn, as many of each; the losses are averages over flows at each τ", () => {
  const flow = new Flow(realNVP({ dim: 2 }));
  const well = new DoubleWell({ dim: 2 });
  const temperatures = [0.5, 1, 2, 4];
  const reactionCoordinate = { of: (x: Parameters<typeof column>[0]) => column(x, 0), bounds: [-2.5, 2.5] } as const;
  const softening = { highEnergy: 5, maxEnergy: 1e10 };
  const stage = stageOf({ energy: 1, reactionCoordinate: 1, logWeightSpread: 1 }, { batch: 402, softening });
  const { metrics, inputs: [z] } = valuesOf(
    { flow, system: well, beta: 0.8, temperatures, reactionCoordinate },
    stage,
    7,
  );

  assertEquals(z.length / 2, 400, "batch = 4 ⌊402/4⌋");
  const plain = new NormalPrior(2).sample(400, 5 + 1009, 7 * 400);
  assertClose(z, plain.map((v, i) => v * Math.sqrt(temperatures[(i >> 1) % 4])), { relative: 1e-15 });

  const operation = reactionCoordinateOperation(reactionCoordinate);
  const expected = temperatures.map((tau, k) => {
    const own = z.filter((_, i) => (i >> 1) % 4 === k);
    const { x, logProb } = flowAtTemperature(flow, tau).decode(own);
    // The temperature is in u before it is softened (trap 9).
    const work = well.energy(x).map((u, i) => linLogCut(0.8 * u / tau, softening).value + logProb[i]);
    const centre = work.reduce((a, b) => a + b) / 100;
    const late = well.energy(x).map((u, i) => linLogCut(0.8 * u, softening).value / tau + logProb[i]);
    return {
      energy: centre,
      late: late.reduce((a, b) => a + b) / 100,
      logWeightSpread: work.reduce((sum, w) => sum + Math.abs(w - centre), 0) / 100,
      reactionCoordinate: operation.forward([x.filter((_, i) => i % 2 === 0)], 100).value[0],
    };
  });
  const average = (name: keyof typeof expected[0]) => expected.reduce((sum, one) => sum + one[name] / 4, 0);
  for (const name of ["energy", "logWeightSpread", "reactionCoordinate"] as const) {
    // The same float32 steps on the same points: only sums and the prior's constants are rounded in another order.
    assertAlmostEquals(metrics[name], average(name), 1e-5, name);
  }
  assert(Math.abs(average("late") - average("energy")) > 0.1, "softening before the temperature is another loss");
  const mixed = operation.forward([flow.decode(z).x.filter((_, i) => i % 2 === 0)], 400).value[0];
  assert(Math.abs(mixed - average("reactionCoordinate")) > 0.1, "and so is J_RC of the mixture");
});

Deno.test("one temperature of 1 is what no temperatures are, and threads change nothing", async () => {
  const flow = new Flow(realNVP({ dim: 2 }));
  const well = new DoubleWell({ dim: 2 });
  const options = { flow, system: well, beta: 1, data: (n: number) => new NormalPrior(2).sample(n, 3) };
  const stage = stageOf({ maximumLikelihood: 1, energy: 1, logWeightSpread: 1, forceMatching: 1 }, { batch: 3000 });
  const alone = valuesOf(options, stage);
  const one = valuesOf({ ...options, temperatures: [1] }, stage);
  assertEquals(one.inputs, alone.inputs);
  assertClose(Object.values(one.metrics), Object.values(alone.metrics), { relative: 1e-13 });
  using pool = await ThreadPool.open(2);
  const several = { ...options, temperatures: [0.5, 1, 2] };
  assertEquals(valuesOf(several, stage, 0, pool).metrics, valuesOf(several, stage).metrics);
});

Deno.test("J_ML and J_F are at τ = 1, whatever the temperatures of samples", () => {
  const options = { flow: scaling([0.2, 0.1, 0.4]), system, beta, data };
  const stage = stageOf({ maximumLikelihood: 1, forceMatching: 1, energy: 1 }, { batch: 300 });
  const { maximumLikelihood, forceMatching, energy } = valuesOf(options, stage).metrics;
  const many = valuesOf({ ...options, temperatures: [0.5, 2, 3] }, stage).metrics;
  assertEquals([many.maximumLikelihood, many.forceMatching], [maximumLikelihood, forceMatching]);
  assert(many.energy !== energy);
});

Deno.test("objectives that cannot be made are refused", async () => {
  const flow = scaling([0, 0, 0]);
  const refusal = (options: Partial<BoltzmannObjectiveOptions>, stage: BoltzmannStage) =>
    assertThrows(() => valuesOf({ flow, system, beta, ...options }, stage), Error).message;
  assertEquals(
    refusal({}, stageOf({ forceMatching: 1 })),
    'Cannot train stage "stage": data must be given for force matching, got undefined',
  );
  assertEquals(
    refusal({}, stageOf({ maximumLikelihood: 1 }, { importanceWeighted: true })),
    'Cannot train stage "stage": data must be given for maximum likelihood, got undefined',
  );
  assertEquals(
    refusal({}, stageOf({ reactionCoordinate: 1 })),
    'Cannot train stage "stage": reactionCoordinate must be given for its loss, got undefined',
  );
  assertEquals(refusal({}, stageOf({})), 'Cannot train stage "stage": one of its weights must not be 0, got 0 for all');
  for (const temperatures of [[], [1, 0], [Infinity]]) {
    assertEquals(
      refusal({ temperatures }, stageOf({ energy: 1 })),
      "Cannot train at several temperatures: temperatures must be positive and finite, got " +
        `[${temperatures.join(", ")}]`,
    );
  }
  assertEquals(
    refusal({ temperatures: [1, 2, 3] }, stageOf({ energy: 1 }, { batch: 2 })),
    'Cannot train stage "stage": batch must hold a sample of each temperature, so 3, got 2',
  );
  const prior: Prior = { dim, logProb: (z) => column(z, 0), sample: (n) => new Float64Array(n * dim) };
  assertEquals(
    refusal({ flow: new Flow(flow.bijector, prior), temperatures: [1, 2] }, stageOf({ energy: 1 })),
    "Cannot train at several temperatures: the flow's prior must be a NormalPrior, got Object",
  );
  const wall = {
    dim,
    energyAndGradient: (x: Float64Array) => ({ energy: new Float64Array(x.length / dim), gradient: x.map(() => NaN) }),
  };
  await assertRejects(
    () =>
      train({
        parameters: flow.parameters(),
        stages: [stageOf({ forceMatching: 1 }, { batch: 8 })],
        objective: boltzmannObjective({ flow, system: wall, beta, data, seed: 1 }),
      }),
    Error,
    'Cannot go on training at step 1 of stage "stage": the forces must be finite, got 8 of 8 that are not, the first with ' +
      "index 0: match forces at data of moderate energy",
  );
});
