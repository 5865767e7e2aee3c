/**
 * Plans of files that somebody changed and sealed again: each is refused in a sentence, before it costs anything, or runs
 * within the kernels' memory.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { memory } from "../../src/backend/shared_memory.ts";
import { allocatedBytes } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import type { ModelTensor } from "../../src/format/model.ts";
import type { PlanStep } from "../../src/sampler/encode_plan.ts";
import { planLimits } from "../../src/sampler/plan_limits.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import { bijectorExamples, realNVP } from "../flow/bijector_examples.ts";
import { exportBijector } from "../onnx/flow_example.ts";
import { type Plan, planOf, withPlan } from "./plans.ts";

await loadKernels();

const plain = exportBijector(realNVP({ dim: 2, blocks: 1, hidden: [3] })).sampler;
const tilted = exportBijector(bijectorExamples["Particle flow, tilted, two in 1-D"].make()).sampler;
const mixed = exportBijector(bijectorExamples["Particle flow, mixtures, two in 1-D"].make()).sampler;
const splines = exportBijector(bijectorExamples["Neural spline, even-odd, 2-D"].make()).sampler;

async function draw(file: Uint8Array) {
  await using sampler = await loadSampler(file, { backend: "kernels" });
  return await sampler.sample(3, { seed: 1 });
}

/** What is said of a file, without its beginning. */
async function refusal(file: Uint8Array): Promise<string> {
  const { message } = await assertRejects(() => draw(file), Error);
  return message.replace(/^Cannot (open|run) ONNX model: /, "");
}

/** What is said of a plan that has further steps, made from the number of the first of them. */
function refusalOfSteps(make: (first: number) => readonly unknown[], file = plain): Promise<string> {
  return refusal(withPlan(file, (plan) => ({ ...plan, steps: [...plan.steps, ...make(plan.steps.length)] })));
}

/** The plan with the first step of a kind replaced. */
function replacing(kind: string, change: (step: PlanStep) => unknown) {
  return (plan: Plan): unknown => {
    const at = plan.steps.findIndex(([name, operands]) =>
      name === kind && (kind !== "tiltedDecode" || operands.length > 4)
    );
    return { ...plan, steps: (plan.steps as readonly unknown[]).with(at, change(plan.steps[at])) };
  };
}

const impossible = (k: number, name: string, why: string) =>
  `step ${k} of the plan must be possible, got "${name}": ${why}`;

Deno.test("steps that no exporter writes are refused", async () => {
  const last = planOf(plain).steps.length;
  const one = (...step: unknown[]) => refusalOfSteps(() => [step]);
  const unknown = "no operation has this name";
  for (const name of ["external", "mean", "sum", "constructor", "__proto__", "LoadFile", ""]) {
    assertEquals(await one(name, [0]), impossible(last, name, unknown));
  }
  assertEquals(await one("tanh", [0, 0]), impossible(last, "tanh", "it must have 1 operands, got 2"));
  assertEquals(await one("add", [0]), impossible(last, "add", "it must have 2 operands, got 1"));
  const operand = (k: unknown) =>
    `operands in step ${last} of the plan must be earlier steps, got ${JSON.stringify(k)}`;
  for (const k of [last, -1, 0.5, 1e300, "0", null, [0], "length"]) assertEquals(await one("tanh", [k]), operand(k));
  assertEquals(await one("input", [], "y"), "the plan must have one input, got two");
  assertEquals(await one("parameter", [], 99), `step ${last} of the plan must name a parameter, got 99`);
  assertEquals(await one("parameter", [], 0.5), `step ${last} of the plan must name a parameter, got 0.5`);
  assertEquals(await one(7, [0]), `step ${last} of the plan must be a list of name and operands, got [7,[0]]`);
  assertEquals(
    await one("linear", [0, 0, 0]),
    impossible(last, "linear", "operand 1 must be a parameter, got another value"),
  );
  assertEquals(
    await one("broadcast", [0]),
    impossible(last, "broadcast", "operand 0 must be a parameter, got another value"),
  );
  for (const indices of [[0, 0], [2], [-1], [0.5], [1e9]]) {
    assertEquals(
      await one("gather", [0], { indices }),
      impossible(last, "gather", `Cannot gather features: indices must be distinct and from 0 to 1, got [${indices}]`),
    );
  }
  assertEquals(
    await one("gather", [0], { indices: "01" }),
    impossible(last, "gather", 'indices must be a list of numbers, got "01"'),
  );
  assertEquals(
    await one("gather", [0], { indices: [] }),
    `values of the plan must have 1 to ${planLimits.features} features, got 0`,
  );
  assertEquals(
    await one("column", [0], { index: 2 }),
    impossible(last, "column", "Cannot take a column: index must be from 0 to 1, got 2"),
  );
});

Deno.test("a plan that is no plan, or returns something else, is refused", async () => {
  const broken = (change: (plan: Plan) => unknown) => refusal(withPlan(plain, change));
  assertEquals(await broken(() => []), 'metadata "plan" must be a JSON object, got another value');
  assertEquals(
    await broken(({ steps: _, ...plan }) => plan),
    "steps of the plan must be a list of at most 32768, got none",
  );
  assertEquals(
    await broken((plan) => ({ ...plan, steps: [] })),
    "operands in outputs of the plan must be earlier steps, got 37",
  );
  assertEquals(
    await broken((plan) => ({ ...plan, parameters: [1] })),
    "parameters of the plan must be names, got 1",
  );
  assertEquals(await broken((plan) => ({ ...plan, outputs: [0] })), "the plan must return [n, 2] and [n], got [n, 2]");
  assertEquals(
    await broken(({ outputs: [x, logDet], ...plan }) => ({ ...plan, outputs: [logDet, x] })),
    "the plan must return [n, 2] and [n], got [n] and [n, 2]",
  );
  const inputless = ({ parameters, ...plan }: Plan) => ({
    ...plan,
    parameters,
    steps: [["parameter", [], parameters.indexOf("realnvp.0.s.0.bias")], ["broadcast", [0]], ["gather", [1], {
      indices: [0, 1],
    }], ["sumFeatures", [2]]],
    outputs: [2, 3],
  });
  assertEquals(await broken(inputless), "the plan must have one input, got none");
});

/** A file with other tensors. */
function withTensors(file: Uint8Array, change: (tensor: ModelTensor) => ModelTensor): Uint8Array {
  const model = decodeModel(file);
  return encodeModel({ ...model, initializers: model.initializers.map(change) });
}

Deno.test("parameters of a plan are weights of the file that fit", async () => {
  const rule = "parameters of the plan must be weights of the file with one or two sizes, got ";
  const named = (name: string) =>
    refusal(withPlan(plain, (plan) => ({ ...plan, parameters: plan.parameters.with(0, name) })));
  for (const name of ["nobody", "", "__proto__", "constructor"]) {
    assertEquals(await named(name), rule + JSON.stringify(name));
  }
  // Constants of the graph may hold anything, NaN too.
  const constant = decodeModel(tilted).initializers.find(({ name, data }) =>
    name.startsWith("/") && data instanceof Float32Array
  )!;
  assertEquals(
    await refusal(withPlan(tilted, (plan) => ({ ...plan, parameters: plan.parameters.with(0, constant.name) }))),
    rule + JSON.stringify(constant.name),
  );
  const weight = "realnvp.0.s.0.weight";
  const shaped = (dims: readonly number[], length: number) =>
    refusal(
      withTensors(plain, (tensor) =>
        tensor.name === weight ? { name: weight, dims, data: new Float32Array(length) } : tensor),
    );
  assertEquals(await shaped([0, 1], 0), `${rule}"${weight}"`);
  assertEquals(await shaped([3, 1, 1], 3), `${rule}"${weight}"`);
  assertEquals(await shaped([], 1), `${rule}"${weight}"`);
  const layer = impossible(
    5,
    "linear",
    "Cannot apply a linear layer: x [n, k], weight [m, k] and bias [m] must match, got x [n, 1], ",
  );
  assertEquals((await shaped([1, 3], 3)).slice(0, layer.length), layer);
  assertEquals((await shaped([3], 3)).slice(0, layer.length), layer);
});

Deno.test("sizes of conditional densities and splines must be those of their operands", async () => {
  const last = (file: Uint8Array, kind: string) =>
    planOf(file).steps.findIndex(([name, operands]) =>
      name === kind && (kind !== "tiltedDecode" || operands.length > 4)
    );
  const changed = async (file: Uint8Array, kind: string, attributes: object) => {
    const said = await refusal(
      withPlan(file, replacing(kind, ([name, operands, old]) => [name, operands, { ...old as object, ...attributes }])),
    );
    const start = impossible(last(file, kind), kind, "");
    assertEquals(said.slice(0, start.length), start);
    return said.slice(start.length);
  };
  const decode = "Cannot decode by a tilted density: ";
  const tilts: [object, string][] = [
    [{ basis: 2 ** 20 }, `${decode}features must be [n, 1048576], got [n, 3]`],
    [{ basis: -1 }, `${decode}basis must be a whole number ≥ 1, got -1`],
    [{ basis: "3" }, 'basis must be a number, got "3"'],
    [{ fine: 2 ** 20 + 1 }, `${decode}fine must be 9, 17, 33, 65 or 129, got 1048577`],
    [{ coarse: 8 }, `${decode}coarse must be 9, 17, 33, 65 or 129, got 8`],
    [{ spatialDim: 4 }, `${decode}spatialDim must be 1, 2 or 3, got 4`],
    [{ spatialDim: { toString: 1 } }, 'spatialDim must be a number, got {"toString":1}'],
    [{ tailRate: 0 }, `${decode}tailRate must be a positive number, got 0`],
    [{ tables: [1] }, "tables of a tilt must be tables of the plan, got 1"],
    [{ tables: [-1] }, "tables of a tilt must be tables of the plan, got -1"],
    [{ pairs: [1] }, `${decode}pairs must be indices of tables, got 1`],
    [{ pairs: [0.5] }, `${decode}pairs must be indices of tables, got 0.5`],
    [{ pairs: [0, 0] }, `${decode}neighbours must be [n, 2], got [n, 1]`],
    [{ pairs: [] }, `${decode}neighbours must be given if and only if there are pairs, got 0 pairs`],
    [{ pairs: { length: 1 } }, 'pairs must be a list of numbers, got {"length":1}'],
  ];
  for (const [attributes, why] of tilts) assertEquals(await changed(tilted, "tiltedDecode", attributes), why);
  const components = await changed(mixed, "mixtureDecode", { components: 1e9 });
  assertEquals(
    components,
    "Cannot decode by a mixture: features must be [n, 3000000000] for 1000000000 components in 1 dimensions, got [n, 9]",
  );
  assertEquals(
    await changed(splines, "splineForward", { bins: 2 ** 40 }),
    "Cannot apply a spline: minimumWidth must be from 0.000001 to below 1/1099511627776, got 0.001",
  );
  assertEquals(
    (await changed(splines, "splineForward", { bins: 5 })).slice(0, 40),
    "Cannot apply a spline: features must be ",
  );
});

/** Numbers as tables of a plan have them. */
function table(cutoffSquared: unknown, ...values: number[]): unknown[] {
  return [cutoffSquared, btoa(String.fromCharCode(...new Uint8Array(Float32Array.from(values).buffer)))];
}

Deno.test("tables of pair energies must be finite numbers, and enough of them", async () => {
  const tabled = (entry: unknown) => refusal(withPlan(tilted, (plan) => ({ ...plan, tables: [entry] })));
  const rule = "tables of the plan must be pairs of a number and float32 in base64, got ";
  for (const entry of [7, [], [1, "%%%%"], [1, "AAA"], [1, "AAA="], ["1", "AAAAAA=="], table(null, 1, 2)]) {
    assertEquals(await tabled(entry), rule + JSON.stringify(entry));
  }
  const at = planOf(tilted).steps.findLastIndex(([name]) => name === "tiltedDecode");
  const why = async (entry: unknown) =>
    (await tabled(entry)).replace(impossible(at, "tiltedDecode", "Cannot decode by a tilted density: "), "");
  assertEquals(await why(table(1, 1)), "table 0 must have at least 2 values, got 1");
  assertEquals(await why(table(1, 1, NaN)), "table 0 must hold finite numbers, got NaN");
  assertEquals(await why(table(1, 1, -Infinity)), "table 0 must hold finite numbers, got -Infinity");
  assertEquals(await why(table(-1, 1, 2)), "cutoffSquared of table 0 must be a positive number, got -1");
});

/** Steps that double the width of step 0 so many times. */
const doubling = (first: number, times: number) =>
  Array.from({ length: times }, (_, k) => ["concat", k === 0 ? [0, 0] : [first + k - 1, first + k - 1]]);

Deno.test("a plan that would take all memory or never end is refused before it begins", async () => {
  const before = [memory.buffer.byteLength, allocatedBytes()];
  const wide = planLimits.features;
  assertEquals(
    await refusalOfSteps((first) => doubling(first, 30)),
    `values of the plan must have 1 to ${wide} features, got ${2 * wide}`,
  );
  const long = planOf(plain).steps.length;
  assertEquals(
    await refusalOfSteps((
      first,
    ) => [...doubling(first, 19), ...Array.from({ length: 100 }, (_, k) => ["tanh", [first + 18 + k]])]),
    `the plan must need at most ${planLimits.work} multiplications for a sample, got more at step ${
      long + 32
    }: choose backend "onnxruntime"`,
  );
  assertEquals(
    await refusalOfSteps(() => new Array(2 ** 15).fill(["tanh", [0]])),
    `steps of the plan must be a list of at most 32768, got ${long + 2 ** 15}`,
  );
  const repeated = withPlan(tilted, (plan) => ({
    ...replacing(
      "tiltedDecode",
      ([name, operands, old]) => [name, operands, { ...old as object, tables: new Array(2 ** 14).fill(0) }],
    )(plan) as Plan,
  }));
  assert((await refusal(repeated)).endsWith("tables of tilts must hold at most 16777216 numbers, got more"));
  assert(memory.buffer.byteLength === before[0], "memory has grown");
  assert(allocatedBytes() - before[1] < 2 ** 20, "memory is kept");
});

Deno.test("values that live at once are bounded when they are first computed, and nothing of them is kept", async () => {
  // 40 values of 2^15 features, added up in reverse order: for 256 samples, 1280 MiB.
  const file = withPlan(plain, (plan) => {
    const first = plan.steps.length;
    const widest = first + 14;
    const values = Array.from({ length: 40 }, (_, k) => ["scaleShift", [widest], { scale: k, shift: 1 }]);
    const sums = values.map((_, k) => ["add", [widest + 40 - k, k === 0 ? widest : widest + 40 + k]]);
    const all = [...plan.steps, ...doubling(first, 15), ...values, ...sums];
    const steps = [...all, ["gather", [all.length - 1], { indices: [0, 1] }]];
    return { ...plan, steps, outputs: [all.length, plan.outputs[1]] };
  });
  await using sampler = await loadSampler(file, { backend: "kernels" });
  const [bytes, used] = [memory.buffer.byteLength, allocatedBytes()];

  const { message } = await assertRejects(() => sampler.sample(256, { seed: 1 }), Error);

  assert(
    /^Cannot run ONNX model: the plan must need at most 1024 MiB for its values, got \d+: choose backend "onnxruntime"$/
      .test(message),
    message,
  );
  assertEquals(memory.buffer.byteLength, bytes);
  assert(allocatedBytes() - used < 2 ** 16, "more than packed weights is kept");
});

Deno.test("knots in disorder and energies of all sizes give samples of the right shape", async () => {
  const spoiled: ((values: Float32Array) => Float32Array)[] = [
    (values) => values.toReversed(),
    (values) => values.fill(0),
    (values) => values.map((_, i) => i % 2 === 0 ? 3e38 : -3e38),
    (values) => values.map((_, i) => (i * 7919) % 258),
  ];
  for (const spoil of spoiled) {
    const file = withTensors(
      tilted,
      (tensor) =>
        tensor.name.endsWith(".knots") ? { ...tensor, data: spoil(tensor.data.slice() as Float32Array) } : tensor,
    );
    const { x, logProb } = await draw(file);
    assertEquals([x.length, logProb.length], [6, 3]);
  }
  for (const entry of [table(1e-300, 1, 2), table(1e300, 1, 2), table(6.25, ...new Array(5).fill(3e38))]) {
    const { x } = await draw(withPlan(tilted, (plan) => ({ ...plan, tables: [entry] })));
    assertEquals(x.length, 6);
  }
});

Deno.test("closing gives back what running has reserved, and refuses to be run again", async () => {
  const used = allocatedBytes();
  for (let k = 0; k < 20; k++) await draw(plain);
  // Weights are freed with the garbage, of which there are 20 times 16 of 64 bytes each, packed and not.
  assert(allocatedBytes() - used <= 20 * 16 * 3 * 64, `${allocatedBytes() - used}`);
});
