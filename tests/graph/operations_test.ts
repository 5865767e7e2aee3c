import { assertEquals, assertThrows } from "@std/assert";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { affineCoupling } from "../../src/graph/affine_coupling.ts";
import * as op from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { assertClose } from "../support/assert_close.ts";

function batch(d: number, graph = new Graph()): Tensor {
  return op.input(graph, "x", d);
}

/** The value of f for the rows of a batch. */
function valueOf(f: (x: Tensor) => Tensor, rows: number[], d: number): number[] {
  return [...evaluateReference([f(batch(d))], [Float64Array.from(rows)], rows.length / d)[0]];
}

Deno.test("arithmetic with numbers: add, subtract, multiply and divide", () => {
  assertEquals(valueOf((x) => op.add(x, 2), [1, -3], 1), [3, -1]);
  assertEquals(valueOf((x) => op.subtract(x, 2), [1, -3], 1), [-1, -5]);
  assertEquals(valueOf((x) => op.multiply(x, 2), [1, -3], 1), [2, -6]);
  assertEquals(valueOf((x) => op.divide(x, 2), [1, -3], 1), [0.5, -1.5]);
});

Deno.test("a scalar beside a column, in either order", () => {
  const f = (combine: (column: Tensor, scalar: Tensor) => Tensor) => (x: Tensor) => {
    const column = op.column(x, 0);
    return combine(column, op.mean(column));
  };
  assertEquals(valueOf(f((c, s) => op.subtract(c, s)), [1, 3], 1), [-1, 1]);
  assertEquals(valueOf(f((c, s) => op.divide(s, c)), [1, 4], 1), [2.5, 0.625]);
});

Deno.test("power() takes columns and scalars", () => {
  assertEquals(valueOf((x) => op.power(op.column(x, 0), 3), [2, -1], 1), [8, -1]);
  assertThrows(
    () => op.power(batch(3), 2),
    TypeError,
    "Cannot take a power: x must be a column or scalar, got [n, 3]: use square or column",
  );
});

Deno.test("affineCoupling() in one direction undoes the other, with opposite log-determinants", () => {
  const graph = new Graph();
  const [x, s, t] = [batch(2, graph), batch(2, graph), batch(2, graph)];
  const forward = affineCoupling("forward", x, s, t);
  const back = affineCoupling("inverse", forward.value, s, t);

  const [y, logDet, again, logDetBack] = evaluateReference(
    [forward.value, forward.logDet, back.value, back.logDet],
    [Float64Array.of(1, 2), Float64Array.of(0, Math.LN2), Float64Array.of(10, 20)],
    1,
  );

  assertClose(y, [11, 24], { relative: 1e-15 });
  assertClose(again, [1, 2], { relative: 1e-14 });
  assertClose(logDet, [Math.LN2], { relative: 1e-15 });
  assertClose(logDetBack, [-Math.LN2], { relative: 1e-15 });
});

Deno.test("operations say which shapes do not fit", () => {
  const graph = new Graph();
  const [x, y] = [batch(2, graph), batch(3, graph)];
  const column = op.column(x, 0);
  const messages: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      () => op.add(x, y),
      TypeError,
      "Cannot add: shapes must be equal, or a scalar beside a column, got [n, 2] and [n, 3]",
    ],
    [
      () => op.multiply(x, op.mean(column)),
      TypeError,
      "Cannot multiply: shapes must be equal, or a scalar beside a column, got [n, 2] and []",
    ],
    [
      () => op.gather(x, [0, 2]),
      RangeError,
      "Cannot gather features: indices must be distinct and from 0 to 1, got [0,2]",
    ],
    [
      () => op.gather(x, [1, 1]),
      RangeError,
      "Cannot gather features: indices must be distinct and from 0 to 1, got [1,1]",
    ],
    [() => op.column(x, 2), RangeError, "Cannot take a column: index must be from 0 to 1, got 2"],
    [() => op.column(column, 0), TypeError, "Cannot take a column: x must be a batch [n, d], got [n]"],
    [() => op.concat(x, column), TypeError, "Cannot concatenate: b must be a batch [n, d], got [n]"],
    [() => op.sumFeatures(column), TypeError, "Cannot sum over features: x must be a batch [n, d], got [n]"],
    [() => op.mean(x), TypeError, "Cannot take the mean: x must be a column [n], got [n, 2]"],
    [() => op.sum(x), TypeError, "Cannot sum over samples: x must be a column [n], got [n, 2]"],
    [
      () => op.linear(x, new Parameter("w", [4, 3]), new Parameter("b", [4])),
      RangeError,
      "Cannot apply a linear layer: x [n, k], weight [m, k] and bias [m] must match, got x [n, 2], weight [4, 3] and bias [4]",
    ],
    [
      () => op.broadcast(graph, new Parameter("w", [4, 3])),
      RangeError,
      "Cannot broadcast w: its shape must be [d], got [4, 3]",
    ],
    [
      () => affineCoupling("forward", x, y, x),
      RangeError,
      "Cannot apply an affine coupling: s must be [n, 2], got [n, 3]",
    ],
  ];
  messages.forEach(([action, kind, message]) => assertThrows(action, kind, message));
});

Deno.test("operations refuse tensors of two graphs", () => {
  assertThrows(
    () => op.add(batch(2), batch(2)),
    Error,
    "Cannot apply add: all inputs must belong to one graph, got two",
  );
});

Deno.test("external() refuses a batch as result, and no inputs", () => {
  const operation = { name: "f", forward: () => ({ value: new Float64Array(0), saved: 0 }), vjp: () => [] };
  assertThrows(
    () => op.external(operation, [batch(2)], ["n", 2]),
    TypeError,
    "Cannot apply f: it must have inputs and return a column or scalar, got 1 inputs and shape [n, 2]",
  );
});

Deno.test("a parameter is one node of a graph however often it is used", () => {
  const graph = new Graph();
  const row = new Parameter("row", [2]);
  const bias = new Parameter("bias", [2]);

  op.linear(op.broadcast(graph, row), new Parameter("w", [2, 2]), bias);
  op.broadcast(graph, bias);
  op.broadcast(graph, row);

  assertEquals(graph.parameters().map((parameter) => parameter.name), ["row", "w", "bias"]);
  assertEquals(graph.nodes.filter((node) => node.primitive === "parameter").length, 3);
});

Deno.test("Parameter checks shapes and lengths, and hands out copies", () => {
  const parameter = new Parameter("p", [2, 2], [1, 2, 3, 4]);
  parameter.values()[0] = 99;
  assertEquals([...parameter.values()], [1, 2, 3, 4]);
  assertEquals([parameter.length, parameter.trainable], [4, true]);
  assertEquals([...new Parameter("zero", [3]).values()], [0, 0, 0]);
  assertThrows(
    () => parameter.set([1]),
    RangeError,
    "Cannot set parameter p: values must have length 4, got 1",
  );
  for (const shape of [[], [0], [1.5], [1, 2, 3]]) {
    assertThrows(
      () => new Parameter("p", shape),
      RangeError,
      `Cannot make parameter p: shape must be one or two whole numbers ≥ 1, got [${shape}]`,
    );
  }
});
