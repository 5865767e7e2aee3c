import { assertEquals, assertThrows } from "@std/assert";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import * as op from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { exportOnnx } from "../../src/onnx/export_graph.ts";

function batch(graph = new Graph(), name = "a"): Tensor {
  return op.input(graph, name, 3);
}

function refusal(call: () => unknown): string {
  return assertThrows(call, Error).message;
}

Deno.test("exportOnnx() writes what the outputs need, and every parameter, constant and computation once", () => {
  const a = batch();
  const row = new Parameter("row", [3], [1, 2, 3]);
  const unused = new Parameter("unused", [3]);
  op.add(a, op.broadcast(a.graph, unused));
  const once = op.add(op.scaleShift(a, 2, 2), op.broadcast(a.graph, row));
  const twice = op.multiply(op.scaleShift(once, 2, 1), op.broadcast(a.graph, row));

  const { nodes, initializers, inputs, outputs, name } = decodeModel(exportOnnx({ once, twice }, { name: "twofold" }));

  assertEquals(name, "twofold");
  assertEquals(initializers.filter(({ name }) => !name.startsWith("/")), [
    { name: "row", dims: [3], data: Float32Array.of(1, 2, 3) },
  ]);
  assertEquals(initializers.map(({ data }) => [...data].join()), ["2", "1,2,3", "1", "1"]);
  assertEquals(nodes.map(({ operator }) => operator), [
    ...["Mul", "Add", "Shape", "Concat", "Expand", "Add"],
    ...["Mul", "Add", "Mul", "Identity", "Identity"],
  ]);
  assertEquals(inputs, [{ name: "a", type: "float32", dims: ["n", 3] }]);
  assertEquals(outputs.map(({ name }) => name), ["once", "twice"]);
});

Deno.test("exportOnnx() in float64 holds the float32 weights exactly", () => {
  const a = batch();
  const third = new Parameter("third", [3], [1 / 3, -0, 1e-45]);
  const y = op.broadcast(a.graph, third);

  const [weights] = decodeModel(exportOnnx({ y }, { precision: "float64" })).initializers;

  assertEquals(weights.data, Float64Array.of(Math.fround(1 / 3), -0, 2 ** -149));
});

Deno.test("exportOnnx() keeps the metadata it is given", () => {
  const a = batch();

  const { metadata } = decodeModel(exportOnnx({ y: op.exp(a) }, { metadata: { note: "α", other: "" } }));

  assertEquals(metadata, { note: "α", other: "" });
});

Deno.test("exportOnnx() names what it cannot translate", () => {
  const a = batch();
  const energy = {
    name: "ParticleDimer energy",
    forward: (_: readonly Float64Array[], n: number) => ({ value: new Float64Array(n), saved: null }),
    vjp: () => [null],
  };
  const column = op.external(energy, [a], ["n"]);

  assertEquals(
    refusal(() => exportOnnx({ column })),
    'Cannot export graph: every operation must be a primitive, got the external operation "ParticleDimer energy"',
  );
  assertEquals(
    refusal(() => exportOnnx({})),
    "Cannot export graph: outputs must name at least one tensor, got none",
  );
  assertEquals(
    refusal(() => exportOnnx({ a: op.exp(a), b: op.exp(batch()) })),
    "Cannot export graph: outputs must belong to one graph, got tensors of several",
  );
  assertEquals(
    refusal(() => exportOnnx({ a: op.exp(a) })),
    'Cannot export graph: names must be unique, got "a" twice',
  );
  assertEquals(
    refusal(() => exportOnnx({ "/y": op.exp(a) })),
    'Cannot export graph: names must not be empty or start with "/", got "/y"',
  );
  assertEquals(
    refusal(() => exportOnnx({ y: op.constantColumn(new Graph(), 1) })),
    "Cannot export graph: graph must have an input, got none",
  );
});
