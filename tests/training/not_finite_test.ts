/** Numbers that are none end training at once and are named; where some may be skipped they are counted, not averaged. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Graph } from "../../src/graph/graph.ts";
import { NotFiniteError, rowsNotFinite } from "../../src/autodiff/not_finite.ts";
import { external, input, mean } from "../../src/graph/operations.ts";
import type { ExternalOperation } from "../../src/graph/attributes.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
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
import { normals, randomiseParameters } from "../support/random_arrays.ts";

await loadKernels();

const BATCH = 40;
const stages: readonly Stage[] = [
  { name: "first", steps: 10, batch: BATCH, learningRate: { shape: "constant", initial: 0.01 } },
  { name: "second", steps: 12, batch: BATCH, learningRate: { shape: "constant", initial: 0.005 } },
];

function makeFlow(): Flow {
  const flow = new Flow(new RealNVP({ dim: 2, blocks: 1, hidden: [5] }));
  randomiseParameters(flow.parameters(), 1, 0.3);
  return flow;
}

/** Maximum likelihood; at some steps of the whole training the batch is spoilt. */
function likelihood(flow: Flow, spoilt: readonly number[] = [], by = NaN): TrainOptions["objective"] {
  return (graph: Graph, stage: Stage, index: number): Objective => ({
    loss: maximumLikelihoodLoss(flow, input(graph, "x", 2)),
    metrics: {},
    batch(step) {
      const whole = index * stages[0].steps + step;
      const x = normals(2 * stage.batch, 100 + whole);
      return [spoilt.includes(whole) ? x.with(5, by).with(30, by) : x];
    },
  });
}

function run(flow: Flow, options: Partial<TrainOptions> = {}) {
  return train({ parameters: flow.parameters(), stages, objective: likelihood(flow), reportEvery: 4, ...options });
}

const HELP = "lower the learning rate, clip gradients or soften the energy";

/** Training must fail with this sentence and leave parameters as they were before the step. */
async function assertStops(flow: Flow, expected: string, options: Partial<TrainOptions> = {}): Promise<void> {
  let before = takeSnapshot(flow.parameters());
  const { message } = await assertRejects(
    () => run(flow, { ...options, onStep: () => before = takeSnapshot(flow.parameters()) }),
    NotFiniteError,
  );
  assertEquals(message, expected);
  assertEquals(takeSnapshot(flow.parameters()), before, "no step was made with it");
}

Deno.test("rowsNotFinite() counts rows, not numbers, and says which is the first", () => {
  assertEquals(rowsNotFinite([1, 2, NaN, Infinity, 5, 6, 7, -Infinity], 2), { count: 2, first: 1 });
  assertEquals(rowsNotFinite([1, 2, 3], 1), { count: 0, first: -1 });
});

Deno.test("NaN and Inf in data are named with stage, step, input and the number of rows", async () => {
  for (const bad of [NaN, Infinity]) {
    const flow = makeFlow();
    await assertStops(
      flow,
      `Cannot go on training at step 4 of stage "second": the loss must be finite, got ${bad}: 2 of 40 rows of input x are ` +
        "not finite, the first with index 2: give data that are finite",
      { objective: likelihood(flow, [13], bad) },
    );
  }
});

Deno.test("NaN in a parameter, and overflow in a layer, are named with the parameter and the number of samples", async () => {
  const broken = makeFlow();
  const weight = broken.parameters().find(({ name }) => name === "realnvp.0.t.0.weight")!;
  weight.set(weight.values().with(0, NaN).with(2, -Infinity));
  await assertStops(
    broken,
    'Cannot go on training at step 1 of stage "first": the loss must be finite, got NaN: 2 of 5 numbers of ' +
      `realnvp.0.t.0.weight are not finite: ${HELP}`,
  );
  // 3e38 is a number of float32, but not the sum of five of them: samples whose hidden layer is in one direction overflow.
  const large = makeFlow();
  const last = large.parameters().find(({ name }) => name === "realnvp.0.t.1.weight")!;
  last.set(last.values().fill(3e38));
  const { message } = await assertRejects(() => run(large), NotFiniteError);
  assert(
    /the first is the result of linear of realnvp\.0\.t\.1\.weight and realnvp\.0\.t\.1\.bias for \d+ of 40 samples, the first with index \d+: lower/
      .test(message),
    message,
  );
});

Deno.test("gradients that are not finite are named with the parameters that have them", async () => {
  const flow = makeFlow();
  const poison: ExternalOperation = {
    name: "poison",
    forward: ([x]) => ({ value: Float64Array.of(x[0]), saved: null }),
    vjp: (_, [x]) => [x.map((_, i) => i === 7 ? Infinity : 0)],
  };
  const { message } = await assertRejects(
    () =>
      run(flow, {
        objective: (graph, stage) => ({
          loss: external(poison, [flow.logProbOf(input(graph, "x", 2))], []),
          metrics: {},
          batch: () => [normals(2 * stage.batch, 1)],
        }),
      }),
    NotFiniteError,
  );
  assert(
    /^Cannot go on training at step 1 of stage "first": the gradient must be finite: \d+ of \d+ of realnvp\.\S+ and some of \d+ further parameters are not: lower/
      .test(message),
    message,
  );
});

Deno.test("a metric that is not finite does not enter a mean: it ends training and is named", async () => {
  const flow = makeFlow();
  const strange: ExternalOperation = {
    name: "strange",
    forward: ([x]) => ({ value: Float64Array.of(x[0] > 1e9 ? 1 : NaN), saved: null }),
    vjp: () => [null],
  };
  await assertStops(
    flow,
    'Cannot go on training at step 1 of stage "first": the odd must be finite, got NaN: the first is the result of ' +
      `strange: ${HELP}`,
    {
      objective(graph, stage, index) {
        const objective = likelihood(flow)(graph, stage, index);
        const x = graph.inputs()[0];
        const odd = external(strange, [mean(flow.logProbOf({ graph, id: x.id, shape: x.shape }))], []);
        return { ...objective, metrics: { odd } };
      },
    },
  );
});

Deno.test("a validation loss that is not finite ends training: it would never be the lowest, and nobody would know", async () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    let calls = 0;
    const { message } = await assertRejects(
      () => run(makeFlow(), { validate: () => ++calls === 4 ? bad : 1 }),
      NotFiniteError,
    );
    assertEquals(
      message,
      `Cannot choose the best parameters after step 4 of stage "second": the validation loss must be finite, got ${bad}`,
    );
  }
});

Deno.test("what batches and operations refuse as not finite is told with stage and step", async () => {
  const flow = makeFlow();
  await assertStops(flow, 'Cannot go on training at step 3 of stage "first": the well is dry', {
    objective(graph, stage, index) {
      const objective = likelihood(flow)(graph, stage, index);
      const batch = (step: number) => {
        if (step === 2) throw new NotFiniteError("the well is dry");
        return objective.batch(step);
      };
      return { ...objective, batch };
    },
  });
});

const SPOILT = [1, 2, 13, 19];

Deno.test("steps that may be skipped change nothing, are counted, and enter no mean; one more ends training", async () => {
  const flow = makeFlow();
  const losses: number[] = [];
  const { complete, skipped, position } = await run(flow, {
    objective: likelihood(flow, SPOILT),
    skipNotFinite: 4,
    onStep: ({ loss }) => losses.push(loss),
  });

  assertEquals([complete, skipped], [true, 4]);
  assertEquals(losses.flatMap((loss, step) => Number.isNaN(loss) ? [step] : []), SPOILT);
  const lines = position.history;
  assertEquals(lines.map(({ step, skipped }) => [step, skipped]), [
    [4, 2],
    [8, undefined],
    [10, undefined],
    [14, 1],
    [18, undefined],
    [22, 1],
  ]);
  // Means over the steps that were made.
  assertClose(lines[0].losses.loss, (losses[0] + losses[3]) / 2, { relative: 1e-14 });
  assertClose(lines[3].losses.loss, (losses[10] + losses[11] + losses[12]) / 3, { relative: 1e-14 });

  // The same parameters as if the optimiser had never seen those steps: gradients of a loss that is not spoilt.
  const other = makeFlow();
  await assertStops(
    other,
    'Cannot go on training at step 10 of stage "second", after 3 steps were skipped: the loss must be finite, got NaN: 2 ' +
      "of 40 rows of input x are not finite, the first with index 2: give data that are finite",
    { objective: likelihood(other, SPOILT), skipNotFinite: 3 },
  );
});

Deno.test("a line of history of nothing but skipped steps has no loss, rather than NaN", async () => {
  const flow = makeFlow();
  const { position } = await run(flow, { objective: likelihood(flow, [4, 5, 6, 7]), skipNotFinite: 9 });

  assertEquals(position.history[1], { stage: "first", step: 8, losses: {}, validation: null, skipped: 4 });
});

Deno.test("a resumed run has skipped as many steps as an uninterrupted one, wherever it was interrupted", async () => {
  const whole = makeFlow();
  const expected = await run(whole, { objective: likelihood(whole, SPOILT), skipNotFinite: 4 });
  for (const stopAfter of [1, 2, 3, 4, 10, 14, 15, 20]) {
    const flow = makeFlow();
    const stop = new AbortController();
    let done = 0;
    const part = await run(flow, {
      objective: likelihood(flow, SPOILT),
      skipNotFinite: 4,
      signal: stop.signal,
      onStep: () => ++done === stopAfter && stop.abort(),
    });
    assertEquals(part.skipped, SPOILT.filter((step) => step < stopAfter).length);
    const saved: { position: TrainingPosition; parameters: Map<string, Float32Array> } = structuredClone({
      position: part.position,
      parameters: takeSnapshot(flow.parameters()),
    });
    const other = makeFlow();
    restoreSnapshot(other.parameters(), saved.parameters);
    const end = await run(other, {
      objective: likelihood(other, SPOILT),
      skipNotFinite: 4,
      resume: saved.position,
    });
    assertEquals([end.skipped, end.position.history], [expected.skipped, expected.position.history], `${stopAfter}`);
    assertEquals(takeSnapshot(other.parameters()), takeSnapshot(whole.parameters()));
  }
});

Deno.test("best parameters of a stage that cannot be compared are validated again, and lose or win by that", async () => {
  // Validation losses by stage and step; `rough` is what the best of the first stage has by the measure of the second.
  const choose = async (rough: number, comparable?: () => boolean) => {
    const flow = makeFlow();
    let index = 0;
    const seen: { at: Map<string, Float32Array>; value: number }[] = [];
    const values = [[3, 1, 2], [rough, 7, 6, 8]];
    let calls = 0;
    const { position } = await run(flow, {
      objective(graph, stage, at) {
        [index, calls] = [at, comparable === undefined && at === 1 ? 1 : 0];
        return likelihood(flow)(graph, stage, at);
      },
      validate() {
        const value = values[index][calls++];
        seen.push({ at: takeSnapshot(flow.parameters()), value });
        return value;
      },
      ...comparable && { comparable },
    });
    return { position, bestOf: (value: number) => seen.find((entry) => entry.value === value)!.at, seen };
  };
  const blind = await choose(9);
  assertEquals(blind.position.bestValidation, 1, "1 by another measure than 6, and yet it counts as lower");

  const won = await choose(5, () => false);
  assertEquals(won.position.bestValidation, 5);
  assertEquals(won.position.best, won.bestOf(1), "the parameters of the first stage, validated again");
  assertEquals(won.bestOf(5), won.bestOf(1));

  const lost = await choose(9, () => false);
  assertEquals(lost.position.bestValidation, 6);
  assertEquals(lost.position.best, lost.bestOf(6));
  assertEquals(lost.position.history.map(({ validation }) => validation), [3, 1, 2, 7, 6, 8]);
});

Deno.test("validating the best again changes no parameter, also where the run is interrupted between the stages", async () => {
  const trainTo = async (end: number, resume?: TrainingPosition, from?: Map<string, Float32Array>) => {
    const flow = makeFlow();
    if (from) restoreSnapshot(flow.parameters(), from);
    const x = normals(200, 9);
    const stop = new AbortController();
    let done = resume === undefined ? 0 : 10;
    const { position } = await run(flow, {
      validate: () => -flow.logProb(x).reduce((sum, log) => sum + log, 0) / 100,
      comparable: () => false,
      signal: stop.signal,
      onStep: () => ++done === end && stop.abort(),
      ...resume && { resume },
    });
    return structuredClone({ position, parameters: takeSnapshot(flow.parameters()) });
  };
  const whole = await trainTo(22);
  const plain = makeFlow();
  await run(plain);
  assertEquals(whole.parameters, takeSnapshot(plain.parameters()));
  const part = await trainTo(10);
  const end = await trainTo(22, part.position, part.parameters);
  assertEquals([end.position.best, end.position.bestValidation], [whole.position.best, whole.position.bestValidation]);
});

Deno.test("train() refuses numbers of reports and skipped steps that are not whole", async () => {
  for (
    const [options, expected] of [
      [{ reportEvery: 0 }, "reportEvery must be a whole number ≥ 1, got 0"],
      [{ reportEvery: NaN }, "reportEvery must be a whole number ≥ 1, got NaN"],
      [{ skipNotFinite: -1 }, "skipNotFinite must be a whole number ≥ 0, got -1"],
      [{ skipNotFinite: Infinity }, "skipNotFinite must be a whole number ≥ 0, got Infinity"],
    ] as const
  ) {
    await assertRejects(() => run(makeFlow(), options), RangeError, `Cannot train: ${expected}`);
  }
});
