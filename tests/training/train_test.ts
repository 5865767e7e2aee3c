import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Graph } from "../../src/graph/graph.ts";
import { external, input, mean, square, sumFeatures } from "../../src/graph/operations.ts";
import type { ExternalOperation } from "../../src/graph/attributes.ts";
import type { Executor } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { allocatedBytes } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Chain } from "../../src/flow/chain.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { maximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/training/snapshot.ts";
import {
  type Objective,
  type Stage,
  train,
  type TrainingPosition,
  type TrainOptions,
} from "../../src/training/train.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { mean as average } from "../support/statistics.ts";

await loadKernels();

/** A correlated normal distribution: x₀ = a z₀, x₁ = b z₀ + c z₁. */
const [a, b, c] = [2, -1.5, 0.5];

function data(n: number, seed: number): Float64Array {
  const z = normals(2 * n, seed);
  return z.map((v, i) => i % 2 === 0 ? a * v : b * z[i - 1] + c * v);
}

/** Its entropy, the smallest negative log-likelihood there is: 1 + ln 2π + ln |a c|. */
const entropy = 1 + Math.log(2 * Math.PI) + Math.log(a * c);

/** A flow that can become exactly that distribution. */
function makeFlow(): Flow {
  return new Flow(new Chain([new RealNVP({ dim: 2, blocks: 1, hidden: [] }), new Scaling({ dim: 2 })]));
}

/** A flow with enough parameters for several slices and threads to matter. */
function makeNetwork(): Flow {
  return new Flow(new RealNVP({ dim: 2, blocks: 2, hidden: [9, 7], seed: 1 }));
}

const stages: readonly Stage[] = [
  { name: "rough", steps: 15, batch: 300, learningRate: { shape: "constant", initial: 0.02 } },
  {
    name: "fine",
    steps: 20,
    batch: 700,
    learningRate: { shape: "cosine", initial: 0.01, warmup: 3 },
    adam: { maximumNorm: 2 },
  },
];

/** Maximum likelihood on fresh data, drawn as a function of stage and step. */
function likelihood(flow: Flow): TrainOptions["objective"] {
  return (graph: Graph, stage: Stage, index: number): Objective => {
    const x = input(graph, "x", 2);
    const loss = maximumLikelihoodLoss(flow, x);
    const width = mean(sumFeatures(square(x)));
    return { loss, metrics: { width }, batch: (step) => [data(stage.batch, 1000 * index + step)] };
  };
}

function trainNetwork(flow: Flow, options: Partial<TrainOptions> = {}) {
  return train({ parameters: flow.parameters(), stages, objective: likelihood(flow), reportEvery: 5, ...options });
}

function numbersOf(flow: Flow): Float32Array[] {
  return flow.parameters().map((parameter) => parameter.values());
}

Deno.test("train() takes a flow that can be the target to within its sampling error of it", async () => {
  const flow = makeFlow();
  const fresh = data(20_000, 77);
  const excess = () => -average(flow.logProb(fresh)) - entropy;
  const start = excess();

  const { complete } = await train({
    parameters: flow.parameters(),
    stages: [{ name: "fit", steps: 400, batch: 500, learningRate: { shape: "cosine", initial: 0.05 } }],
    objective: likelihood(flow),
  });

  assert(complete);
  assert(start > 0.5, `${start} at the start`);
  // The mean of 20 000 log-densities of variance 1 has standard error 0.007; the fit itself errs by 8 parameters/2n.
  assertClose(excess(), 0, { absolute: 4 * 0.007 + 0.002 });
});

Deno.test("train() gives the same parameters, byte for byte, twice and for 1, 2 and 3 threads", async () => {
  const run = async (pool?: Executor) => {
    const flow = makeNetwork();
    await trainNetwork(flow, { ...pool && { pool } });
    return numbersOf(flow);
  };
  const expected = await run();
  assertEquals(await run(), expected);
  for (const threads of [1, 2, 3]) {
    using pool = await ThreadPool.open(threads);
    assertEquals(await run(pool), expected, `${threads} threads`);
  }
});

/** A validation loss that is lowest at the first report, so that a resumed run has to remember it. */
const validator = (flow: Flow) => () => average(flow.logProb(data(100, 5)));

/** Trains until `steps` steps are done in all, and returns what a checkpoint would hold. */
async function interrupt(
  steps: number,
): Promise<{ position: TrainingPosition; parameters: Map<string, Float32Array> }> {
  const flow = makeNetwork();
  const controller = new AbortController();
  let done = 0;
  const { complete, position } = await trainNetwork(flow, {
    signal: controller.signal,
    validate: validator(flow),
    onStep: () => ++done === steps && controller.abort(),
  });
  assert(!complete);
  assertEquals(done, steps);
  // A checkpoint is bytes: nothing may be shared with the run that goes on.
  return structuredClone({ position, parameters: takeSnapshot(flow.parameters()) });
}

Deno.test("train() resumed after an abort ends with the bytes of an uninterrupted run", async () => {
  const whole = makeNetwork();
  const uninterrupted = await trainNetwork(whole, { validate: validator(whole) });
  for (const steps of [1, 10, 15, 16, 33]) {
    const { position, parameters } = await interrupt(steps);
    const flow = makeNetwork();
    flow.parameters().forEach((parameter) => parameter.set(new Float32Array(parameter.length).fill(9)));
    restoreSnapshot(flow.parameters(), parameters);

    const { complete, position: end } = await trainNetwork(flow, { resume: position, validate: validator(flow) });

    assert(complete);
    assertEquals(numbersOf(flow), numbersOf(whole), `interrupted after ${steps} steps`);
    const marks = (at: TrainingPosition) => at.history.map(({ stage, step, validation }) => [stage, step, validation]);
    assertEquals(marks(end), marks(uninterrupted.position));
    assertEquals([end.bestValidation, end.best], [uninterrupted.position.bestValidation, uninterrupted.position.best]);
  }
});

Deno.test("train(): every checkpoint can be resumed from", async () => {
  const flow = makeNetwork();
  const kept: { position: TrainingPosition; parameters: Map<string, Float32Array> }[] = [];
  await trainNetwork(flow, {
    checkpointEveryMs: 0,
    onCheckpoint: (position) => {
      kept.push(structuredClone({ position, parameters: takeSnapshot(flow.parameters()) }));
    },
  });
  assert(kept.length > 2, `${kept.length} checkpoints`);
  assertEquals(kept.at(-1)!.position.stage, 2);

  for (const { position, parameters } of [kept[0], kept[Math.floor(kept.length / 2)], kept.at(-1)!]) {
    const again = makeNetwork();
    restoreSnapshot(again.parameters(), parameters);
    await trainNetwork(again, { resume: position });
    assertEquals(numbersOf(again), numbersOf(flow));
  }
});

Deno.test("train() resumed with the parameters of another step does not end with the same bytes", async () => {
  const [early, late] = [await interrupt(10), await interrupt(11)];
  const flow = makeNetwork();
  restoreSnapshot(flow.parameters(), early.parameters);

  await trainNetwork(flow, { resume: late.position });

  const whole = makeNetwork();
  await trainNetwork(whole);
  assert(numbersOf(flow).some((values, k) => values.some((v, i) => v !== whole.parameters()[k].values()[i])));
});

Deno.test("train() keeps the parameters of the lowest validation loss apart from the last ones", async () => {
  const flow = makeNetwork();
  const seen: Map<string, Float32Array>[] = [];
  const validations = [3, 1, 2, 1, 5, 4, 3];

  const { position } = await trainNetwork(flow, {
    validate: () => {
      seen.push(takeSnapshot(flow.parameters()));
      return validations[seen.length - 1];
    },
  });

  assertEquals(position.history.map((entry) => entry.validation), validations);
  assertEquals(position.bestValidation, 1);
  assertEquals(position.best, seen[1]);
  assertEquals(takeSnapshot(flow.parameters()), seen[6]);
});

Deno.test("train(): lines of history are means since the line before, and name stage and step", async () => {
  const flow = makeNetwork();
  const losses: number[] = [];

  const { position } = await trainNetwork(flow, {
    reportEvery: 10,
    onStep: ({ stage, index, step, loss }) => {
      assertEquals([stages[index], step], [stage, 1 + losses.length - (index === 0 ? 0 : 15)]);
      losses.push(loss);
    },
  });

  const lines = position.history;
  assertEquals(lines.map(({ stage, step }) => [stage, step]), [["rough", 10], ["rough", 15], ["fine", 25], [
    "fine",
    35,
  ]]);
  [[0, 10], [10, 15], [15, 25], [25, 35]].forEach(([from, to], k) =>
    assertClose(lines[k].losses.loss, average(losses.slice(from, to)), { relative: 1e-14 })
  );
  assertEquals(lines.every(({ validation }) => validation === null), true);
  // The metric is the mean of |x|², whose expectation is a² + b² + c² = 6.5.
  assertClose(lines[3].losses.width, 6.5, { relative: 0.1 });
});

Deno.test("train() stops at a loss that is not a number, and names the step and the stage", async () => {
  const flow = makeNetwork();
  let before: Float32Array[] = [];
  await trainNetwork(flow); // packed copies of weights are made once and belong to the parameters
  const bytes = allocatedBytes();
  await assertRejects(
    () =>
      trainNetwork(flow, {
        objective: (graph, stage, index) => {
          const objective = likelihood(flow)(graph, stage, index);
          return {
            ...objective,
            batch: (step) => {
              before = numbersOf(flow);
              return index === 1 && step === 4 ? [data(stage.batch, 1).fill(NaN, 7, 8)] : objective.batch(step);
            },
          };
        },
      }),
    Error,
    'Cannot go on training at step 5 of stage "fine": the loss must be finite, got NaN: 1 of 700 rows of input x are not ' +
      "finite, the first with index 3: give data that are finite",
  );
  assertEquals(numbersOf(flow), before, "no step was made with it");
  assertEquals(allocatedBytes(), bytes, "plans and moments are freed");
});

Deno.test("train() stops at a gradient that is not finite, before it makes the step", async () => {
  const flow = makeNetwork();
  const before = numbersOf(flow);
  const poison: ExternalOperation = {
    name: "poison",
    forward: ([x]) => ({ value: Float64Array.of(x[0]), saved: null }),
    vjp: (_, [x]) => [x.map(() => Infinity)],
  };
  await assertRejects(
    () =>
      trainNetwork(flow, {
        objective: (graph, stage) => ({
          loss: external(poison, [flow.logProbOf(input(graph, "x", 2))], []),
          metrics: {},
          batch: () => [data(stage.batch, 1)],
        }),
      }),
    Error,
    'Cannot go on training at step 1 of stage "rough": the gradient must be finite: ',
  );
  assertEquals(numbersOf(flow), before);
});

Deno.test("train() lets timers run between steps", async () => {
  const flow = makeNetwork();
  let [ticks, ticksAtEnd] = [0, -1];
  const timer = setInterval(() => ticks++, 1);
  const wait = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  };

  await trainNetwork(flow, { onStep: () => wait(12) }).then(() => ticksAtEnd = ticks);

  clearInterval(timer);
  assert(ticksAtEnd >= 2, `${ticksAtEnd} ticks in 35 steps of 12 ms`);
});

Deno.test("train() changes trainable parameters that the loss depends on, and no others", async () => {
  const scaling = new Scaling({ dim: 2 });
  const bystander = new Scaling({ dim: 2, name: "bystander" });
  const flow = new Flow(scaling);

  await train({
    parameters: [...scaling.parameters(), ...bystander.parameters()],
    stages: [stages[0]],
    objective: likelihood(flow),
  });

  assert(scaling.parameters()[0].values().every((v) => v !== 0));
  assertEquals([...bystander.parameters()[0].values()], [0, 0]);
});

Deno.test("train() refuses stages without steps, losses without parameters, and positions of other stages", async () => {
  const flow = makeNetwork();
  for (const steps of [0, 1.5, NaN]) {
    await assertRejects(
      () => trainNetwork(flow, { stages: [{ ...stages[0], steps }] }),
      RangeError,
      `Cannot train stage "rough": steps must be a whole number ≥ 1, got ${steps}`,
    );
  }
  await assertRejects(
    () => trainNetwork(flow, { parameters: new Scaling({ dim: 2 }).parameters() }),
    RangeError,
    'Cannot train stage "rough": its loss must depend on a trainable parameter, got none of those given',
  );
  const { position } = await interrupt(10);
  for (const [stage, step] of [[0, 16], [2, 1], [3, 0]]) {
    await assertRejects(
      () => trainNetwork(flow, { resume: { ...position, stage, step } }),
      RangeError,
      `Cannot resume training: the position must lie in the 2 stages given, got step ${step} of stage ${stage}: resume ` +
        "with the stages of the interrupted run",
    );
  }
});

Deno.test("train() refuses a loss or metric that is not a scalar", async () => {
  const flow = makeNetwork();
  for (const name of ["loss", "width"]) {
    await assertRejects(
      () =>
        trainNetwork(flow, {
          objective: (graph, stage, index) => {
            const { loss, metrics, batch } = likelihood(flow)(graph, stage, index);
            const column = sumFeatures(input(graph, "y", 2));
            return name === "loss" ? { loss: column, metrics, batch } : { loss, metrics: { width: column }, batch };
          },
        }),
      TypeError,
      `Cannot train stage "rough": ${name} must be a scalar, got shape [n]`,
    );
  }
});
