import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { affineCoupling } from "../../src/graph/affine_coupling.ts";
import * as op from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { ExternalOperation } from "../../src/graph/attributes.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { allocatedBytes } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";

await loadKernels();

/** Bytes that a run of a graph takes, packed weights left out. */
function bytesOf(outputs: readonly Tensor[], options: { n: number; gradient?: boolean }): number {
  new KernelRun(outputs, options)[Symbol.dispose]();
  const before = allocatedBytes();
  using _run = new KernelRun(outputs, options);
  return allocatedBytes() - before;
}

/** A chain of the given length of tanh layers of width 32. */
function deepNetwork(graph: Graph, layers: number): Tensor {
  let x = op.input(graph, "x", 32);
  for (let k = 0; k < layers; k++) {
    x = op.tanh(op.linear(x, new Parameter(`w${k}`, [32, 32]), new Parameter(`b${k}`, [32])));
  }
  return op.sumFeatures(x);
}

Deno.test("a forward run of any depth needs the memory of two layers: buffers are used again", () => {
  const shallow = bytesOf([deepNetwork(new Graph(), 3)], { n: 256 });
  const deep = bytesOf([deepNetwork(new Graph(), 30)], { n: 256 });

  assertEquals(deep, shallow);
});

Deno.test("a chain of operations that work in place shares one buffer", () => {
  const chain = (length: number) => {
    let x = op.square(op.input(new Graph(), "x", 64));
    for (let k = 0; k < length; k++) x = op.scaleShift(op.tanh(op.negate(x)), 0.5, 0.25);
    return op.sumFeatures(x);
  };

  // The input and one more [32, 64] of float32, and the column of float64.
  for (const length of [1, 20]) assertEquals(bytesOf([chain(length)], { n: 32 }), 2 * 4 * 32 * 64 + 8 * 32);
});

Deno.test("a run that prepares gradients keeps one value for each layer, and cotangents until 8 MiB of them", () => {
  const bytes = (layers: number, n: number) => bytesOf([deepNetwork(new Graph(), layers)], { n, gradient: true });
  // One more layer: its output [n, 32] in float32, and the gradients of 32 · 32 + 32 numbers.
  const layer = (n: number) => 4 * 32 * n + 4 * (32 * 32 + 32);

  assertEquals(bytes(11, 32) - bytes(10, 32), layer(32) + 4 * 32 * 32);
  // 16 layers of 4096 samples have 8 MiB of cotangents.
  assertEquals(bytes(18, 4096) - bytes(17, 4096), layer(4096));
});

Deno.test("forward() sees new numbers of a parameter", () => {
  const graph = new Graph();
  const weight = new Parameter("w", [1, 1], [2]);
  const y = op.linear(op.input(graph, "x", 1), weight, new Parameter("b", [1], [1]));
  using run = new KernelRun([y], { n: 2, gradient: true, inputGradients: true });
  const x = Float64Array.of(3, 4);
  assertEquals([...run.forward([x])[0]], [7, 9]);

  weight.set([-1]);

  assertEquals([...run.forward([x])[0]], [-2, -3]);
  assertEquals([...run.backward([Float64Array.of(1, 10)])[0]], [-1, -10]);
  assertEquals([...run.gradientOf(weight)], [43]);
});

Deno.test("backward() reads the inputs of the last forward run, and gradients do not add up over steps", () => {
  const graph = new Graph();
  const weight = new Parameter("w", [2]);
  const y = op.sumFeatures(op.multiply(op.input(graph, "x", 2), op.broadcast(graph, weight)));
  using run = new KernelRun([y], { n: 3, gradient: true });

  for (const x of [[1, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60]]) {
    run.forward([Float64Array.from(x)]);
    for (let repeat = 0; repeat < 2; repeat++) {
      run.backward([Float64Array.of(1, 1, 1)]);
      assertEquals([...run.gradientOf(weight)], [x[0] + x[2] + x[4], x[1] + x[3] + x[5]]);
    }
  }
});

Deno.test("an input that no output needs has gradient 0, and one that is an output itself has its cotangent", () => {
  const graph = new Graph();
  const [used, unused] = [op.input(graph, "used", 2), op.input(graph, "unused", 3)];
  using run = new KernelRun([used, op.sumFeatures(op.square(used))], { n: 2, inputGradients: true });
  const x = Float64Array.of(1, 2, 3, 4);

  const [itself, squares] = run.forward([x, new Float64Array(6)]);
  const gradients = run.backward([Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 10)]);

  assertEquals([...itself], [...x]);
  assertEquals([...squares], [5, 25]);
  assertEquals([...gradients[0]], [3, 5, 61, 81]);
  assertEquals([...gradients[1]], [0, 0, 0, 0, 0, 0]);
  assertEquals(unused.shape, ["n", 3]);
});

Deno.test("the cotangents of an output that is listed twice add up; null stands for none", () => {
  const graph = new Graph();
  const y = op.square(op.input(graph, "x", 1));
  using run = new KernelRun([y, y], { n: 1, inputGradients: true });
  run.forward([Float64Array.of(3)]);

  assertEquals([...run.backward([Float64Array.of(1), Float64Array.of(10)])[0]], [66]);
  assertEquals([...run.backward([null, Float64Array.of(1)])[0]], [6]);
  assertEquals([...run.backward([null, null])[0]], [0]);
});

Deno.test("parameters that are not trainable have no gradient and take no memory for it", () => {
  const graph = new Graph();
  const fixed = new Parameter("fixed", [1000, 1], undefined, { trainable: false });
  const bias = new Parameter("bias", [1000], undefined, { trainable: false });
  const row = new Parameter("row", [1000]);
  const y = op.add(op.linear(op.input(graph, "x", 1), fixed, bias), op.broadcast(graph, row));
  using run = new KernelRun([op.sumFeatures(y)], { n: 1, gradient: true });

  assertEquals([...run.gradients.offsets.keys()], [row]);
  assertThrows(
    () => run.gradientOf(fixed),
    RangeError,
    "Cannot read a gradient: fixed must be a trainable parameter of the graph",
  );
});

Deno.test("a parameter may be an output itself", () => {
  const graph = new Graph();
  const parameter = new Parameter("p", [2], [3, 4]);
  const y = op.sumFeatures(op.multiply(op.input(graph, "x", 2), op.broadcast(graph, parameter)));
  using run = new KernelRun([y, graph.parameter(parameter)], { n: 1, gradient: true });

  assertEquals(run.forward([Float64Array.of(1, 10)]).map((value) => [...value]), [[43], [3, 4]]);
  run.backward([Float64Array.of(1), Float64Array.of(100, 200)]);
  assertEquals([...run.gradientOf(parameter)], [101, 210]);
});

/** Σₖ pₖ · mean of the column: reads a parameter in the head. */
const parameterTimesMean: ExternalOperation = {
  name: "parameter times mean",
  forward([p, column], n) {
    const mean = column.reduce((a, b) => a + b, 0) / n;
    return { value: Float64Array.of(p.reduce((sum, v) => sum + v * mean, 0)), saved: mean };
  },
  vjp([c], [p, column], saved, n) {
    const total = p.reduce((a, b) => a + b, 0);
    return [p.map(() => c * (saved as number)), column.map(() => c * total / n)];
  },
};

Deno.test("a parameter that the head reads gets its gradient, alone and beside one from the kernels", () => {
  for (const alsoInKernels of [false, true]) {
    const graph = new Graph();
    const parameter = new Parameter("p", [2], [3, 4]);
    const x = op.input(graph, "x", 2);
    const column = op.sumFeatures(alsoInKernels ? op.multiply(x, op.broadcast(graph, parameter)) : x);
    const y = op.external(parameterTimesMean, [graph.parameter(parameter), column], []);
    using run = new KernelRun([y], { n: 2, gradient: true });

    for (let step = 0; step < 2; step++) {
      const [value] = run.forward([Float64Array.of(1, 2, 3, 4)]);
      run.backward([Float64Array.of(1)]);

      // Columns: x₁ + x₂ = 3, 7, mean 5; or 3 x₁ + 4 x₂ = 11, 25, mean 18 with mean x = (2, 3).
      assertEquals([...value], [alsoInKernels ? 7 * 18 : 7 * 5]);
      assertEquals([...run.gradientOf(parameter)], alsoInKernels ? [18 + 7 * 2, 18 + 7 * 3] : [5, 5]);
    }
  }
});

Deno.test("scales and shifts of a coupling may be used elsewhere, and may be one tensor", () => {
  const graph = new Graph();
  const [x, s] = [op.input(graph, "x", 1), op.input(graph, "s", 1)];
  const { value, logDet } = affineCoupling("forward", x, s, s);
  const y = op.add(op.add(op.sumFeatures(value), logDet), op.sumFeatures(op.square(s)));
  using run = new KernelRun([y, s], { n: 1, inputGradients: true });

  run.forward([Float64Array.of(3), Float64Array.of(0.5)]);
  const gradients = run.backward([Float64Array.of(1), Float64Array.of(100)]);

  // y = x eˢ + s + s + s², and s itself with cotangent 100.
  const scale = Math.exp(0.5);
  assertClose(gradients[0], [scale], { relative: 1e-6 });
  assertClose(gradients[1], [3 * scale + 2 + 1 + 100], { relative: 1e-6 });
});

Deno.test("gradients have the same bits for any number of threads, any batch and weights that are used twice", async () => {
  for (const [n, width] of [[1, 7], [65, 7], [1000, 60], [2500, 40]]) {
    const graph = new Graph();
    const shared = [new Parameter("w", [width, width], normals(width * width, 3, 0.1)), new Parameter("b", [width])];
    const first = new Parameter("first", [width, 3], normals(3 * width, 4));
    let h = op.linear(op.input(graph, "x", 3), first, shared[1]);
    for (let k = 0; k < 4; k++) h = op.tanh(op.linear(h, shared[0], shared[1]));
    const loss = op.mean(op.sumFeatures(op.add(h, op.broadcast(graph, shared[1]))));
    const results: Float32Array[][] = [];
    for (const threads of [0, 2, 3]) {
      using pool = threads === 0 ? null : await ThreadPool.open(threads);
      using run = new KernelRun([loss], { n, gradient: true, pool: pool ?? serialPool });
      for (let step = 0; step < 2; step++) {
        run.forward([normals(3 * n, 5)]);
        run.backward([Float64Array.of(1)]);
      }
      results.push([first, ...shared].map((parameter) => run.gradientOf(parameter)));
    }

    for (const other of results.slice(1)) assertEquals(other, results[0], `n ${n}, width ${width}`);
  }
});

Deno.test("the gradient of a batch whose backward pass has many stages is the mean of those of its parts", () => {
  const [width, layers, n] = [200, 8, 4096];
  const graph = new Graph();
  const parameters: Parameter[] = [];
  let h = op.input(graph, "x", width);
  for (let k = 0; k < layers; k++) {
    const weight = new Parameter(`w${k}`, [width, width], normals(width * width, k, 0.07));
    const bias = new Parameter(`b${k}`, [width]);
    parameters.push(weight, bias);
    h = op.add(op.tanh(op.linear(h, weight, bias)), h); // cotangents pass every cut
  }
  const loss = op.mean(op.sumFeatures(op.square(h)));
  const x = normals(n * width, 9, 0.5);
  const gradients = (samples: Float64Array) => {
    using run = new KernelRun([loss], { n: samples.length / width, gradient: true });
    run.forward([samples]);
    run.backward([Float64Array.of(1)]);
    return parameters.map((parameter) => Float64Array.from(run.gradientOf(parameter)));
  };

  const whole = gradients(x);
  const parts = Array.from({ length: 8 }, (_, k) => gradients(x.slice(k * x.length / 8, (k + 1) * x.length / 8)));

  whole.forEach((gradient, p) => {
    const mean = gradient.map((_, i) => parts.reduce((sum, part) => sum + part[p][i], 0) / 8);
    const size = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0) / gradient.length);
    // Sums of 4096 products in float32 whose terms are about 64 times as large as the sum: 64 · √4096 · 2⁻²⁴ of it.
    assertClose(gradient, mean, { absolute: 64 * 64 * 2 ** -24 * size }, parameters[p].name);
  });
});

Deno.test("a mean over many samples is exact to float64 rounding", () => {
  const graph = new Graph();
  const y = op.mean(op.column(op.input(graph, "x", 1), 0));
  const x = normals(5000, 1);
  using run = new KernelRun([y], { n: 5000 });

  assertClose(run.forward([x])[0], x.reduce((a, b) => a + b, 0) / 5000, { absolute: 1e-12 });
});

Deno.test("KernelRun says what is wrong with its inputs", () => {
  const graph = new Graph();
  const y = op.square(op.input(graph, "x", 2));
  const messages: [() => unknown, string][] = [
    [() => new KernelRun([y], { n: 0 }), "Cannot run a graph: n must be a whole number ≥ 1, got 0"],
    [() => new KernelRun([y], { n: 1.5 }), "Cannot run a graph: n must be a whole number ≥ 1, got 1.5"],
    [() => new KernelRun([], { n: 1 }), "Cannot run a graph: outputs must be one or more tensors of one graph"],
    [
      () => new KernelRun([y, op.square(op.input(new Graph(), "x", 2))], { n: 1 }),
      "Cannot run a graph: outputs must be one or more tensors of one graph",
    ],
  ];
  messages.forEach(([action, message]) => assertThrows(action, RangeError, message));
  using run = new KernelRun([y], { n: 2, gradient: true });
  const x = Float64Array.of(1, 2, 3, 4);
  assertThrows(
    () => run.backward([x]),
    Error,
    "Cannot differentiate a graph: it must be made with gradients and run first, got one not run",
  );
  assertThrows(() => run.forward([]), RangeError, "Cannot run a graph: inputs must be 1, got 0");
  assertThrows(
    () => run.forward([Float64Array.of(1)]),
    RangeError,
    "Cannot run a graph: node 0 must have 4 numbers, got 1",
  );
  run.forward([x]);
  assertThrows(() => run.backward([]), RangeError, "Cannot differentiate a graph: cotangents must be 1, got 0");
  assertThrows(
    () => run.backward([Float64Array.of(1)]),
    RangeError,
    "Cannot differentiate a graph: cotangent 0 must have 4 numbers, got 1",
  );
});

Deno.test("KernelRun refuses to run after it was disposed of, and to differentiate without gradients", () => {
  const y = op.square(op.input(new Graph(), "x", 1));
  const x = Float64Array.of(1);
  using plain = new KernelRun([y], { n: 1 });
  plain.forward([x]);
  assertThrows(
    () => plain.backward([x]),
    Error,
    "Cannot differentiate a graph: it must be made with gradients and run first, got one made without gradients",
  );
  const run = new KernelRun([y], { n: 1, gradient: true });
  run.forward([x]);
  run[Symbol.dispose]();
  run[Symbol.dispose]();
  assertThrows(() => run.forward([x]), Error, "Cannot run a graph: it must not be disposed of, got one that is");
  assertThrows(
    () => run.backward([x]),
    Error,
    "Cannot differentiate a graph: it must be made with gradients and run first, got one disposed of",
  );
});

Deno.test("an external operation that returns the wrong number of numbers is refused by name", () => {
  const wrongValue: ExternalOperation = {
    ...parameterTimesMean,
    name: "my energy",
    forward: () => ({ value: new Float64Array(3), saved: null }),
  };
  const wrongGradient: ExternalOperation = {
    name: "my energy",
    forward: (_, n) => ({ value: new Float64Array(n), saved: null }),
    vjp: () => [new Float64Array(1)],
  };
  const run = (operation: ExternalOperation) => {
    const y = op.external(operation, [op.input(new Graph(), "x", 2)], ["n"]);
    using run = new KernelRun([y], { n: 2, inputGradients: true });
    run.forward([new Float64Array(4)]);
    run.backward([new Float64Array(2)]);
  };

  assertThrows(() => run(wrongValue), RangeError, "Cannot apply my energy: its value must have 2 numbers, got 3");
  assertThrows(
    () => run(wrongGradient),
    RangeError,
    "Cannot differentiate my energy: the cotangent of input 0 must have 4 numbers, got 1",
  );
});

Deno.test("a value that is not a number comes out as such, and does not spread to other samples", () => {
  const graph = new Graph();
  const y = op.linear(
    op.tanh(op.input(graph, "x", 2)),
    new Parameter("w", [2, 2], [1, 1, 1, 1]),
    new Parameter("b", [2]),
  );
  const x = normals(2 * 70, 5);
  x[2 * 40] = NaN;
  using run = new KernelRun([y], { n: 70 });

  const [value] = run.forward([x]);

  value.forEach((v, i) => assertEquals(Number.isNaN(v), Math.floor(i / 2) === 40, `element ${i}`));
  assert(value.length === 140);
});
