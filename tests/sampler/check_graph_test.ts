import { assertEquals, assertThrows } from "@std/assert";
import { checkGraph, operators } from "../../src/sampler/check_graph.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { parseMetadata } from "../../src/sampler/metadata.ts";
import type { Model, ModelNode } from "../../src/format/model.ts";
import { bijectorExamples, particleFlow } from "../flow/bijector_examples.ts";
import { exportBijector, randomRealNVP } from "../onnx/flow_example.ts";

const good = decodeModel(exportBijector(randomRealNVP({ dim: 2, blocks: 1, hidden: [3] })).sampler);
const mixtures = particleFlow({ particles: 1, spatialDim: 2, head: { kind: "mixture", components: 2 } });
const looping = decodeModel(exportBijector(mixtures).sampler);

function refusal(change: Partial<Model>, model = good): string {
  return assertThrows(() => checkGraph({ ...model, ...change }, parseMetadata(model.metadata)), Error).message;
}

/** The model with its first node of a kind replaced. */
function withNode(operator: string, change: (node: ModelNode) => Partial<ModelNode>, model = good): Partial<Model> {
  const at = model.nodes.findIndex((node) => node.operator === operator);
  return { nodes: model.nodes.with(at, { ...model.nodes[at], ...change(model.nodes[at]) }) };
}

Deno.test("checkGraph() knows the operators that the exporter emits and no others", async () => {
  const emitted = new Set(["Loop", "Identity"]);
  const calls = /\b(?:emit|apply|same)(?:<\w+>)?\(\s*"(\w+)"/g;
  const folder = new URL("../../src/onnx/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    const source = await Deno.readTextFile(new URL(name, folder));
    for (const [, operator] of source.matchAll(calls)) emitted.add(operator);
  }

  assertEquals([...operators].sort(), [...emitted].sort());
});

Deno.test("checkGraph() accepts what the exporter writes, loops too", () => {
  for (const { make } of Object.values(bijectorExamples)) {
    for (const bytes of Object.values(exportBijector(make()))) {
      const model = decodeModel(bytes);
      checkGraph(model, parseMetadata(model.metadata));
    }
  }
  assertEquals(looping.nodes.some(({ operator }) => operator === "Loop"), true);
});

Deno.test("checkGraph() names what a runtime must not see", () => {
  const [first, ...rest] = good.initializers.filter(({ name }) => !name.startsWith("/"));
  const broken = first.data.slice() as Float32Array;
  broken[1] = NaN;
  const constants = good.initializers.filter(({ name }) => name.startsWith("/"));
  assertEquals(
    [
      refusal(withNode("Tanh", () => ({ operator: "LoadFile" }))),
      refusal(withNode("Tanh", () => ({ inputs: ["from nowhere"] }))),
      refusal(withNode("Tanh", () => ({ outputs: [] }))),
      refusal(withNode("Tanh", ({ inputs }) => ({ outputs: [inputs[0]] }))).replace(/"\/\w+"/, '"/…"'),
      refusal({ inputs: [] }),
      refusal({ outputs: [{ name: "x", type: "float32", dims: ["n", 3] }, good.outputs[1]] }),
      refusal({ nodes: [] }),
      refusal({ initializers: [{ ...first, data: broken }, ...rest, ...constants] }).replace(/"[^"]+"/, '"…"'),
      refusal(withNode("Loop", ({ inputs }) => ({ inputs: ["", ...inputs.slice(1)] }), looping), looping),
      refusal(withNode("Loop", ({ outputs }) => ({ outputs: outputs.slice(1) }), looping), looping),
      refusal(withNode("Loop", () => ({ attributes: {} }), looping), looping),
    ],
    [
      'operators must be those of this package, got "LoadFile"',
      'every value must be made before it is used, got "from nowhere" in Tanh',
      "every node must make a value, got a Tanh without",
      'every value must be made once, got "/…" twice',
      "inputs must be z float32 [n, 2], got none",
      "outputs must be logDet float64 [n], x float32 [n, 2], got logDet float64 [n], x float32 [n, 3]",
      'every output must be made by a node, got "x" from nowhere',
      'weights "…" must be finite numbers, got another at 1: train the flow again',
      'steps of a Loop must be a constant from 0 to 1024, got ""',
      "a Loop must return the 4 states that it takes, got 3",
      "a Loop must have a body and nothing else, got other attributes",
    ].map((rest) => `Cannot open ONNX model: ${rest}`),
  );
});
