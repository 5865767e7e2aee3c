import { assert, assertThrows } from "@std/assert";
import { Graph, isBatch, type Shape, sizeOf, type Tensor } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { input } from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { PrimitiveName } from "../../src/graph/attributes.ts";
import { primitiveOf, primitives } from "../../src/autodiff/primitives.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { assertClose, FLOAT32_ROUNDING } from "../support/assert_close.ts";
import { normals, uniforms } from "../support/random_arrays.ts";
import { type PrimitiveSample, primitiveSamples, type RoundingBound } from "./primitive_samples.ts";

await loadKernels();

const names = (Object.keys(primitives) as PrimitiveName[]).filter((name) => primitiveOf(name).kernel !== undefined);
/** Less than a lane, a panel, more than a panel, less than a slice, more than a slice, three slices. */
const counts = [1, 31, 32, 33, 255, 257, 700];
const widths = [1, 3, 7, 33];

/** Values, cotangents and gradients of one primitive by kernels and in float64. */
interface Compared {
  readonly value: Float64Array;
  readonly gradients: readonly ArrayLike<number>[];
  readonly expected: { readonly value: Float64Array; readonly gradients: readonly Float64Array[] };
  readonly bounds: { readonly value: Float64Array; readonly gradients: readonly Float64Array[] };
}

/** A graph of one primitive: inputs that depend on samples are inputs, the others parameters. */
function build(
  sample: PrimitiveSample<PrimitiveName>,
  name: PrimitiveName,
  values: readonly Float64Array[],
  d: number,
) {
  const graph = new Graph();
  const parameters: (Parameter | null)[] = [];
  const tensors = sample.inputs(d).map((shape, k): Tensor => {
    const trainable = !(sample.constants ?? []).includes(k);
    const parameter = isBatch(shape) ? null : new Parameter(`p${k}`, shape as number[], values[k], { trainable });
    parameters.push(parameter);
    return parameter === null ? input(graph, `x${k}`, shape[1] as number) : graph.parameter(parameter);
  });
  return { parameters, output: graph.add(name, tensors, sample.attributes(d), sample.shape(d)) };
}

/** Runs a primitive both ways; `forget` gives the kernels a cotangent of 0 for one sample. */
function compare(name: PrimitiveName, n: number, d: number, { forget = -1 } = {}): Compared {
  const sample = primitiveSamples[name] as unknown as PrimitiveSample<PrimitiveName>;
  const shapes = sample.inputs(d);
  const values = sample.values?.(n, d) ??
    shapes.map((shape, k) => uniforms(sizeOf(shape, n), 31 * n + k, ...(sample.range ?? [])));
  const cotangent = normals(sizeOf(sample.shape(d), n), n + d);
  const { output, parameters } = build(sample, name, values, d);
  using run = new KernelRun([output], { n, gradient: true, inputGradients: true });

  const [value] = run.forward(values.filter((_, k) => parameters[k] === null));
  const perSample = cotangent.length / n;
  const byInputs = run.backward([cotangent.map((c, i) => Math.floor(i / perSample) === forget ? 0 : c)]);

  const gradients = parameters.map((parameter) =>
    parameter === null ? byInputs.shift()! : parameter.trainable ? run.gradientOf(parameter) : []
  );
  const at = { inputs: values, shapes, shape: sample.shape(d), attributes: sample.attributes(d), n };
  const expected = differentiate(name, at, cotangent);
  return { value, gradients, expected, bounds: bounds(sample.rounding!, name, at, cotangent, expected) };
}

type At = { inputs: readonly Float64Array[]; shapes: readonly Shape[]; shape: Shape; attributes: never; n: number };

function differentiate(name: PrimitiveName, at: unknown, cotangent: Float64Array) {
  const { forward, vjp } = primitiveOf(name);
  const value = forward(at as At);
  const gradients = vjp({ ...at as At, output: value }, cotangent);
  return { value, gradients: gradients.map((gradient) => gradient ?? new Float64Array(0)) };
}

function bounds(
  rounding: RoundingBound,
  name: PrimitiveName,
  at: { inputs: readonly Float64Array[]; shapes: readonly Shape[]; n: number },
  cotangent: Float64Array,
  expected: Compared["expected"],
): Compared["bounds"] {
  if ("forwardTerms" in rounding) {
    const d = at.shapes[0].at(-1) as number;
    const sums = differentiate(name, { ...at, inputs: at.inputs.map((x) => x.map(Math.abs)) }, cotangent.map(Math.abs));
    const scale = (terms: number) => (sum: number) => 1.01 * FLOAT32_ROUNDING * terms * Math.abs(sum);
    return {
      value: sums.value.map(scale(rounding.forwardTerms(d))),
      gradients: sums.gradients.map((g) => g.map(scale(rounding.vjpTerms(at.n, d)))),
    };
  }
  const { forward, vjp } = rounding;
  // Of primitives that change the shape the cotangent has another length; their derivative is exact.
  const bound = (
    { relative, absolute = 0, ofLargest = 0 }: typeof vjp,
    values: Float64Array,
    factors?: Float64Array,
  ) => {
    const width = values.length / at.n;
    return values.map((v, i) => {
      const sample = values.subarray(i - i % width, ofLargest === 0 ? i - i % width : i - i % width + width);
      const largest = sample.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const sum = relative * Math.abs(v) + absolute * Math.abs(factors?.[i] ?? 1) + ofLargest * largest;
      return FLOAT32_ROUNDING * sum;
    });
  };
  return {
    value: bound(forward, expected.value),
    gradients: expected.gradients.map((g) => bound(vjp, g, g.length === cotangent.length ? cotangent : undefined)),
  };
}

for (const name of names) {
  Deno.test(`${name}: kernels agree with float64 in value and derivative for every number of samples and features`, () => {
    for (const n of counts) {
      for (const d of n === 700 ? [1, 7] : widths) {
        const { value, gradients, expected, bounds } = compare(name, n, d);

        assertClose(value, expected.value, bounds.value, `value, n ${n}, d ${d}`);
        expected.gradients.forEach((gradient, k) =>
          assertClose(gradients[k], gradient, bounds.gradients[k], `gradient of input ${k}, n ${n}, d ${d}`)
        );
      }
    }
  });
}

Deno.test("the comparison of kernels with float64 rejects an error of one in ten thousand in one sample", () => {
  for (const name of names) {
    const { value, gradients, expected, bounds } = compare(name, 257, 7);
    const spoil = (x: ArrayLike<number>) => {
      const largest = Array.from(x).reduce((best, v, i) => Math.abs(v) > Math.abs(x[best]) ? i : best, 0);
      return Float64Array.from(x, (v, i) => i === largest ? v * (1 + 1e-4) : v);
    };

    assertThrows(() => assertClose(spoil(value), expected.value, bounds.value), Error, "differs by", name);
    gradients.forEach((gradient, k) => {
      if (gradient.length === 0 || gradient.length % 257 !== 0) return; // a constant, or a sum: see the next test
      const check = () => assertClose(spoil(gradient), expected.gradients[k], bounds.gradients[k]);
      assertThrows(check, Error, "differs by", `${name}, input ${k}`);
    });
  }
});

Deno.test("the comparison of kernels with float64 rejects a sum over samples that forgets one", () => {
  for (const [name, parameters] of [["linear", [1, 2]], ["broadcast", [0]]] as const) {
    const { gradients, expected, bounds } = compare(name, 257, 7, { forget: 256 });

    for (const k of parameters) {
      const check = () => assertClose(gradients[k], expected.gradients[k], bounds.gradients[k]);
      assertThrows(check, Error, "differs by", `${name}, input ${k}`);
    }
  }
});

Deno.test("every primitive with a batch result has kernels", () => {
  const given = ["input", "parameter"];
  for (const [name, sample] of Object.entries(primitiveSamples)) {
    const needsKernels = isBatch(sample.shape(3)) && !given.includes(name);
    assert(!needsKernels || names.includes(name as PrimitiveName), name);
  }
});

Deno.test("the build without fused multiply-add agrees with float64 as well", async () => {
  await loadKernels({ deterministic: true });
  try {
    for (const name of names) {
      const { value, gradients, expected, bounds } = compare(name, 257, 7);

      assertClose(value, expected.value, bounds.value, `${name}, value`);
      gradients.forEach((g, k) => assertClose(g, expected.gradients[k], bounds.gradients[k], `${name}, input ${k}`));
    }
  } finally {
    await loadKernels();
  }
});
