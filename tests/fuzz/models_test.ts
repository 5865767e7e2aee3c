import { assert, assertEquals, assertRejects } from "@std/assert";
import { memory } from "../../src/backend/shared_memory.ts";
import { allocate, kernels, release, u8 } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { encodeBody, encodeModel, seal } from "../../src/format/encode_model.ts";
import type { Model, ModelAttribute, ModelNode, ModelTensor } from "../../src/format/model.ts";
import { operators } from "../../src/sampler/check_graph.ts";
import { loadDensity, loadSampler } from "../../src/sampler/load.ts";
import { planLimits } from "../../src/sampler/plan_limits.ts";
import type { Backend } from "../../src/sampler/session.ts";
import { bijectorExamples, particleFlow } from "../flow/bijector_examples.ts";
import { exportBijector, noise, randomRealNVP } from "../onnx/flow_example.ts";
import { withPlan } from "../sampler/plans.ts";
import { trials } from "../support/incidents.ts";
import { GuardedMemory } from "./guarded_memory.ts";
import { damage, Dice } from "./mutate.ts";
import { isPlan, otherPlan } from "./plan_mutations.ts";
import { assertReaderHolds } from "./reader_law.ts";

const small = exportBijector(randomRealNVP({ dim: 2, blocks: 1, hidden: [3] })).sampler;
const mixtures = particleFlow({ particles: 1, spatialDim: 2, head: { kind: "mixture", components: 2 } });
const looping = exportBijector(mixtures).sampler;
const task = /^Cannot (read|open|run) ONNX model$/;

Deno.test("every damaged model file is refused in a sentence of ours", async () => {
  const { loaded } = await assertReaderHolds({
    incident: "damaged model file",
    trials: trials(1000, 20_000),
    make: (trial) => damage(trial % 2 === 0 ? small : looping, trial),
    read: (bytes) => decodeModel(bytes),
    faultOf(result) {
      const again = encodeModel(result as Model);
      const isKnown = [small, looping].some((good) =>
        good.length === again.length && good.every((b, i) => b === again[i])
      );
      return isKnown ? undefined : "was read as something else";
    },
    task,
  });
  assert(loaded < trials(1000, 20_000) / 20, `${loaded} loaded`);
});

/** Opens a sampler and draws three samples, as anyone would with a file from elsewhere. */
async function draw(bytes: Uint8Array, backend: Backend): Promise<unknown> {
  await using sampler = await loadSampler(bytes, { backend });
  return { dim: sampler.metadata.dim, ...await sampler.sample(3, { seed: 1 }) };
}

/** Whatever a hostile model computes, its samples have the shape that it promised. */
function shapeFault(result: unknown): string | undefined {
  const { dim, x, logProb } = result as { dim: number; x: Float64Array; logProb: Float64Array };
  return x.length === 3 * dim && logProb.length === 3 ? undefined : "gave samples of another shape";
}

Deno.test("every damaged model file that was sealed again is run in its shape or refused in a sentence of ours", async () => {
  const bodies = [small, looping].map((bytes) => encodeBody(decodeModel(bytes)));
  await assertReaderHolds({
    incident: "damaged model file, sealed again",
    trials: trials(300, 10_000),
    make: (trial) => ({
      bytes: seal(damage(bodies[trial % 2], trial)),
      backend: trial % 4 < 2 ? "onnxruntime" as const : "kernels" as const,
    }),
    read: ({ bytes, backend }) => draw(bytes, backend),
    faultOf: shapeFault,
    task,
  });
});

const numbers = [0, 1, -1, 2, 3, 7, 255, 2 ** 31, -(2 ** 31), 2 ** 40, 2 ** 52];

function otherTensor(tensor: ModelTensor, dice: Dice): ModelTensor {
  const { name, dims, data } = tensor;
  if (data.length === 0) return tensor;
  if (dice.below(4) === 0) return { name, dims: [data.length], data };
  if (dice.below(4) === 0) return { name, dims: [...dims, 1], data };
  const changed = data.slice();
  const value = dice.pick([...numbers, 1e30, NaN, Infinity]);
  if (changed instanceof BigInt64Array) changed[dice.below(changed.length)] = BigInt(dice.pick(numbers));
  else changed[dice.below(changed.length)] = value;
  return { name, dims, data: changed };
}

function otherAttribute(attribute: ModelAttribute, dice: Dice): ModelAttribute {
  if (attribute.kind === "graph") {
    const nodes = attribute.value.nodes.slice();
    const at = dice.below(nodes.length);
    nodes[at] = otherNode(nodes[at], dice);
    return { kind: "graph", value: { ...attribute.value, nodes } };
  }
  return dice.pick<ModelAttribute>([
    { kind: "integer", value: dice.pick(numbers) },
    { kind: "integers", value: [dice.pick(numbers), dice.pick(numbers)] },
    { kind: "float", value: 1e30 },
    { kind: "text", value: "other" },
  ]);
}

function otherNode(node: ModelNode, dice: Dice): ModelNode {
  const { operator, inputs, attributes } = node;
  const names = Object.keys(attributes);
  const what = dice.below(5);
  if (what === 0) return { ...node, operator: dice.pick([...operators]) };
  if (what === 1) return { ...node, inputs: inputs.toReversed() };
  if (what === 2) return { ...node, inputs: inputs.slice(1) };
  if (what === 3 || names.length === 0) return { ...node, inputs: [...inputs, dice.pick(inputs) ?? ""] };
  const name = dice.pick(names);
  return { ...node, operator, attributes: { ...attributes, [name]: otherAttribute(attributes[name], dice) } };
}

/** A model that is written correctly and means something else. */
function otherModel(model: Model, trial: number): Model {
  const dice = new Dice(trial);
  const { nodes, initializers, metadata, outputs } = model;
  const [node, tensor] = [dice.below(nodes.length), dice.below(initializers.length)];
  const key = dice.pick(Object.keys(metadata));
  const values = ["", "0", "-1", "1e400", "[]", "{}", '{"__proto__":1}', "3", "[[", "float64", "density"];
  switch (dice.below(6)) {
    case 0:
      return { ...model, metadata: { ...metadata, [key]: dice.pick(values) } };
    case 1:
    case 2:
      return { ...model, initializers: initializers.with(tensor, otherTensor(initializers[tensor], dice)) };
    case 3:
      return { ...model, outputs: outputs.map((value) => ({ ...value, dims: ["n", dice.pick(numbers)] })) };
    default:
      return { ...model, nodes: nodes.with(node, otherNode(nodes[node], dice)) };
  }
}

Deno.test("every model with a wrong part, sealed, is run in its shape or refused in a sentence of ours", async () => {
  const models = [small, looping].map((bytes) => decodeModel(bytes));
  const { loaded, refused } = await assertReaderHolds({
    incident: "hostile model",
    trials: trials(120, 10_000),
    make: (trial) => encodeModel(otherModel(models[trial % 2], trial)),
    read: (bytes) => draw(bytes, "onnxruntime"),
    faultOf: shapeFault,
    task,
  });
  assert(loaded > 0 && refused > 0, `${loaded} loaded, ${refused} refused`);
});

/** Flows whose plans hold every kind of step, one way or the other. */
const planned = [
  "RealNVP, even-odd, 2-D",
  "Chain of all kinds, 2-D",
  "Neural spline, even-odd, 2-D",
  "Particle flow, mixtures, two in 1-D",
  "Particle flow, tilted, two in 1-D",
  "Particle flow, tilted, three in 2-D",
].map((name) => exportBijector(bijectorExamples[name].make()));

/** Opens a file by kernels, whichever way it goes, and maps three points. */
async function map(bytes: Uint8Array, goes: "sampler" | "density"): Promise<unknown> {
  if (goes === "sampler") return await draw(bytes, "kernels");
  await using density = await loadDensity(bytes, { backend: "kernels" });
  const { dim } = density.metadata;
  const { z, logProb } = await density.latent(noise(3 * dim, 1));
  return { dim, x: z, logProb };
}

/** Files whose plan was changed in one to three places, or one weight, and the way that they go. */
function hostilePlan(trial: number): { bytes: Uint8Array; goes: "sampler" | "density" } {
  const dice = new Dice(trial);
  const goes = dice.pick(["sampler", "density"] as const);
  const file = dice.pick(planned)[goes];
  const changed = withPlan(file, (sound) => {
    let plan: unknown = sound;
    for (let left = dice.pick([1, 1, 2, 3]); left > 0 && isPlan(plan); left--) plan = otherPlan(plan, dice);
    return plan;
  });
  if (dice.below(4) > 0) return { bytes: changed, goes };
  const model = decodeModel(changed);
  const weights = model.initializers.flatMap(({ name }, i) => name.startsWith("/") ? [] : [i]);
  const at = dice.pick(weights);
  const initializers = model.initializers.with(at, otherTensor(model.initializers[at], dice));
  return { bytes: encodeModel({ ...model, initializers }), goes };
}

Deno.test("every model with a wrong plan, sealed, is run by kernels in its shape and memory, or refused in a sentence of ours", async () => {
  await loadKernels();
  using guards = new GuardedMemory();
  const sound = JSON.stringify(await map(planned[5].sampler, "sampler"));
  let most = 0;
  const { loaded, refused } = await assertReaderHolds({
    incident: "hostile plan",
    trials: trials(200, 10_000),
    make: hostilePlan,
    read: ({ bytes, goes }) => map(bytes, goes),
    faultOf: (result) => shapeFault(result),
    always() {
      most = Math.max(most, memory.buffer.byteLength);
      if (!guards.isIntact()) return "wrote beyond its memory";
      return most > 1.25 * planLimits.bytes ? `took ${most} bytes` : undefined;
    },
    task,
  });
  assert(Math.min(loaded, refused) > trials(200, 10_000) / 10, `${loaded} loaded, ${refused} refused`);
  assertEquals(JSON.stringify(await map(planned[5].sampler, "sampler")), sound);
});

Deno.test("the watch over memory sees a kernel that writes one number too many", async () => {
  await loadKernels();
  using guards = new GuardedMemory();
  const address = allocate(128);
  kernels.scaleShiftF32(32, 1, 1, address, address);
  assert(guards.isIntact());
  for (const guard of guards.addresses) {
    using others = new GuardedMemory();
    // the first numbers of a guard, as by whoever writes past the end of what lies before it
    kernels.scaleShiftF32(4, 1, 1, address, guard);
    assert(!guards.isIntact());
    assert(others.isIntact());
    u8(guard, 16).fill(0xa5);
  }
  release(address);
});

Deno.test("a sound model still runs after all these", async () => {
  assertEquals(shapeFault(await draw(looping, "onnxruntime")), undefined);
  assertEquals(shapeFault(await draw(looping, "kernels")), undefined);
});

Deno.test("assertReaderHolds() rejects a reader that hands sealed files to the runtime as they are", async () => {
  const { InferenceSession } = await import("npm:onnxruntime-web@1.30.0/wasm");
  const body = encodeBody(decodeModel(small));
  const careless = async (bytes: Uint8Array) => {
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
    await session.release();
  };
  await assertRejects(
    () =>
      assertReaderHolds({
        incident: "",
        trials: 30,
        make: (trial) => seal(damage(body, trial)),
        read: careless,
        task,
      }),
    Error,
    "begins otherwise",
  );
});
