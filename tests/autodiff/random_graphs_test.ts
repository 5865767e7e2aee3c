import { assert, assertEquals, assertThrows } from "@std/assert";
import { sizeOf } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { type Executor, serialPool } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { allocatedBytes } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { assertClose } from "../support/assert_close.ts";
import { float32Tolerance, runTraced } from "../support/float32_emulation.ts";
import { normals } from "../support/random_arrays.ts";
import { type RandomGraph, randomGraph } from "./random_graph.ts";

await loadKernels();

/** Below, at and above a panel and a slice, several slices, and slices larger than the smallest. */
const counts = [1, 5, 32, 33, 129, 300, 700, 2100];

/** Everything a run computes: outputs, gradients by inputs, gradients by parameters. */
interface Result {
  readonly outputs: readonly ArrayLike<number>[];
  readonly byInputs: readonly ArrayLike<number>[];
  readonly byParameters: readonly ArrayLike<number>[];
}

/** Exact arrays, and the error that float32 may make in each. */
interface Expected {
  readonly exact: readonly Float64Array[];
  readonly tolerances: readonly number[];
}

/** Inputs and cotangents of a graph for n samples. */
function data({ outputs, widths }: RandomGraph, n: number) {
  return {
    inputs: widths.map((d, k) => normals(n * d, 11 + k)),
    cotangents: outputs.map(({ shape }, k) => normals(sizeOf(shape, n), 101 + k)),
  };
}

function trainable({ graph }: RandomGraph) {
  return graph.parameters().filter((parameter) => parameter.trainable);
}

function runKernels(random: RandomGraph, n: number, pool: Executor, times = 1): Result[] {
  const { inputs, cotangents } = data(random, n);
  using run = new KernelRun(random.outputs, { n, gradient: true, inputGradients: true, pool });
  return Array.from({ length: times }, () => {
    const outputs = run.forward(inputs);
    const byInputs = run.backward(cotangents);
    return { outputs, byInputs, byParameters: trainable(random).map((parameter) => run.gradientOf(parameter)) };
  });
}

function reference(random: RandomGraph, n: number): Record<keyof Result, Expected> {
  const { inputs, cotangents } = data(random, n);
  const seeds = new Map<number, Float64Array>();
  random.outputs.forEach(({ id }, k) => {
    const before = seeds.get(id);
    seeds.set(id, before === undefined ? cotangents[k] : before.map((c, i) => c + cotangents[k][i]));
  });
  const ids = {
    outputs: random.outputs.map(({ id }) => id),
    byInputs: random.graph.inputs().map(({ id }) => id),
    byParameters: trainable(random).map((parameter) => random.graph.parameter(parameter).id),
  };
  const [exact, emulated] = (["float64", "float32"] as const).map((precision) => {
    const { values, cotangents, absoluteSums } = runTraced(random.graph, inputs, n, seeds, precision);
    const cotangentOf = (id: number) => cotangents.get(id) ?? new Float64Array(values[id].length);
    return { value: (id: number) => values[id], cotangentOf, absoluteSums };
  });
  const compare = (key: keyof Result, of: "value" | "cotangentOf") => ({
    exact: ids[key].map((id) => exact[of](id)),
    tolerances: ids[key].map((id) =>
      float32Tolerance(exact[of](id), emulated[of](id), key === "byParameters" ? exact.absoluteSums.get(id) : undefined)
    ),
  });
  return {
    outputs: compare("outputs", "value"),
    byInputs: compare("byInputs", "cotangentOf"),
    byParameters: compare("byParameters", "cotangentOf"),
  };
}

function assertAgree(actual: Result, expected: Record<keyof Result, Expected>, what: string): void {
  for (const key of ["outputs", "byInputs", "byParameters"] as const) {
    const { exact, tolerances } = expected[key];
    assertEquals(actual[key].length, exact.length);
    exact.forEach((values, k) =>
      assertClose(actual[key][k], values, { absolute: tolerances[k] }, `${what}, ${key} ${k}`)
    );
  }
}

/** Compares bits: −0 and 0 differ. */
function assertSameBytes(a: Result, b: Result, what: string): void {
  for (const key of ["outputs", "byInputs", "byParameters"] as const) {
    a[key].forEach((values, k) => {
      for (let i = 0; i < values.length; i++) {
        assert(Object.is(values[i], b[key][k][i]), `${what}: ${key} ${k}, element ${i}: ${values[i]}, ${b[key][k][i]}`);
      }
    });
  }
}

Deno.test("KernelRun: 128 random graphs give the values and gradients of the float64 reference", () => {
  for (let seed = 0; seed < 128; seed++) {
    const n = counts[seed % counts.length];
    const random = randomGraph(seed);

    const [actual] = runKernels(random, n, serialPool);

    assertAgree(actual, reference(random, n), `seed ${seed}, n ${n}`);
  }
});

Deno.test("KernelRun: values are the same bytes whether gradients are prepared or not", () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = randomGraph(seed);
    const n = counts[seed % counts.length];
    using run = new KernelRun(random.outputs, { n });

    const outputs = run.forward(data(random, n).inputs);

    const [withGradients] = runKernels(random, n, serialPool);
    assertSameBytes({ outputs, byInputs: [], byParameters: [] }, withGradients, `seed ${seed}`);
  }
});

Deno.test("KernelRun: repeated runs and pools of 1, 2 and 3 threads give the same bytes", async () => {
  using one = await ThreadPool.open(1);
  using two = await ThreadPool.open(2);
  using three = await ThreadPool.open(3);
  for (let seed = 0; seed < 15; seed++) {
    const random = randomGraph(seed);
    const n = [300, 700, 2100][seed % 3];
    const [first, second] = runKernels(random, n, serialPool, 2);

    assertSameBytes(second, first, `seed ${seed}, second run`);
    for (const pool of [one, two, three]) {
      for (const again of runKernels(random, n, pool, 2)) {
        assertSameBytes(again, first, `seed ${seed}, ${pool.threads} threads`);
      }
    }
  }
});

Deno.test("KernelRun: disposing gives back all memory of values, gradients, threads and lists", async () => {
  using two = await ThreadPool.open(2);
  for (let seed = 0; seed < 20; seed++) {
    const random = randomGraph(seed);
    runKernels(random, 300, serialPool); // packed weights are made once and stay
    const before = allocatedBytes();

    runKernels(random, 300, serialPool);
    runKernels(random, 300, two);

    assertEquals(allocatedBytes(), before, `seed ${seed}`);
  }
});

Deno.test("the comparison of random graphs rejects an error of one part in a hundred in one element of any array", () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = randomGraph(seed);
    const expected = reference(random, 33);
    const right = {
      outputs: expected.outputs.exact,
      byInputs: expected.byInputs.exact,
      byParameters: expected.byParameters.exact,
    };
    for (const key of ["outputs", "byInputs", "byParameters"] as const) {
      expected[key].exact.forEach((values, k) => {
        const largest = Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        if (largest === 0) return; // an input that nothing depends on
        const spoilt = Float64Array.from(values, (v, i) => i === values.length - 1 ? v + 0.01 * largest : v);
        const wrong = { ...right, [key]: right[key].with(k, spoilt) };

        assertThrows(() => assertAgree(wrong, expected, "spoilt"), Error, "differs by", `seed ${seed}, ${key} ${k}`);
      });
    }
  }
});
