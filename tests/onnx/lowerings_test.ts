import { assert, assertEquals, assertRejects } from "@std/assert";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { mixtureDecode, mixtureEncode, mixtureLogProb } from "../../src/graph/conditional_operations.ts";
import { affineCoupling } from "../../src/graph/affine_coupling.ts";
import * as op from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { PrimitiveName } from "../../src/graph/attributes.ts";
import { mixtureFeatures } from "../../src/graph/mixture_features.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { splineCoupling } from "../../src/graph/spline_operations.ts";
import { splineFeatures } from "../../src/graph/spline_features.ts";
import { tiltedDecode, tiltedEncode, tiltedLogProb } from "../../src/graph/tilted_operations.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import { exportOnnx } from "../../src/onnx/export_graph.ts";
import type { ModelNode } from "../../src/format/model.ts";
import { exampleKnots, exampleTilt } from "../support/tilted_examples.ts";
import { checkWithPython, hasOnnxChecker } from "./onnx_checker.ts";
import { runOnce } from "./runtime.ts";

const width = 6;
const rows = 7;

/** How one primitive is tried: what is built from two batches, and where their numbers lie. */
interface Case {
  /** Values to export; both batches and columns where the primitive takes both. */
  build(a: Tensor, b: Tensor): Record<string, Tensor>;
  /** Largest |a|. Default 3. */
  readonly reach?: number;
  /** Whether a must be positive. */
  readonly positive?: boolean;
  /** How many times the errors of other primitives it may have. Default 1. */
  readonly slack?: number;
}

/** The same function on a batch and on a column. */
function both(f: (x: Tensor) => Tensor): Case["build"] {
  return (a) => ({ batch: f(a), column: f(op.column(a, 1)) });
}

function pairs(f: (a: Tensor, b: Tensor) => Tensor): Case["build"] {
  return (a, b) => ({
    batch: f(a, b),
    column: f(op.column(a, 1), op.column(b, 2)),
    beside: f(op.sum(op.column(a, 1)), op.column(b, 0)),
    scalar: f(op.mean(op.column(a, 0)), op.sum(op.column(b, 3))),
  });
}

function weights(name: string, shape: number[]): Parameter {
  const length = shape.reduce((product, size) => product * size, 1);
  return new Parameter(name, shape, Array.from({ length }, (_, i) => Math.sin(1.7 * i + 0.3)));
}

const coupling = (direction: "forward" | "inverse") => (a: Tensor, b: Tensor) => {
  const { value, logDet } = affineCoupling(direction, a, b, op.scaleShift(a, 0.3, -1));
  return { value, logDet };
};

/** Columns of both batches as features of a density, and its place or normal numbers. */
function densityInputs(a: Tensor, b: Tensor, features: number, dim: number): [Tensor, Tensor] {
  const both = op.concat(a, b);
  const all = op.concat(op.concat(both, op.scaleShift(both, -0.5, 0.25)), op.scaleShift(both, 0.25, -0.5));
  const indices = Array.from({ length: features }, (_, i) => (5 * i + 2) % 36);
  return [op.scaleShift(op.gather(all, indices), 0.5, 0), op.gather(b, Array.from({ length: dim }, (_, d) => 2 * d))];
}

// Conditional densities have tests of their own with bounds for each result: conditional_lowerings_test.ts.
function mixture(operation: typeof mixtureEncode): Case {
  const build = (a: Tensor, b: Tensor, spatialDim: number) =>
    operation(...densityInputs(a, b, mixtureFeatures({ spatialDim, components: 3 }), spatialDim), { components: 3 });
  return { build: (a, b) => ({ one: build(a, b, 1), two: build(a, b, 2), three: build(a, b, 3) }), slack: 100 };
}

function tilted(operation: typeof tiltedEncode): Case {
  const build = (a: Tensor, b: Tensor, spatialDim: 1 | 2 | 3, pairs: number) => {
    const tilt = exampleTilt({ spatialDim, basis: 3, neighbours: pairs });
    const knots = new Parameter(`knots${spatialDim}`, [2 * spatialDim, 129], exampleKnots(spatialDim), {
      trainable: false,
    });
    const neighbours = op.gather(a, Array.from({ length: pairs * spatialDim }, (_, i) => i % width));
    const scale = op.scaleShift(op.square(op.gather(a, [1])), 0.1, 0.5);
    return operation(...densityInputs(a, b, 3 ** spatialDim, spatialDim), {
      tilt,
      knots,
      scale,
      ...pairs > 0 && { neighbours },
    });
  };
  return {
    build: (a, b) => ({ one: build(a, b, 1, 0), two: build(a, b, 2, 3), three: build(a, b, 3, 1) }),
    slack: 100,
  };
}

/** Splines of up to six coordinates, some of them outside of the bound, as slices and as whole batches. */
function spline(direction: "forward" | "inverse"): Case {
  const build = (a: Tensor, b: Tensor, d: number, bins: number) => {
    const [features, place] = densityInputs(a, b, d * splineFeatures(bins), Math.min(d, 3));
    const wide = d > 3 ? op.concat(place, op.scaleShift(place, 0.4, 0.1)) : place;
    return splineCoupling(direction, wide, features, { bins, bound: 1.5 });
  };
  const named = (name: string, { value, logDet }: ReturnType<typeof splineCoupling>) => ({
    [name]: value,
    [`${name}LogDet`]: logDet,
  });
  return {
    build: (a, b) => ({
      ...named("one", build(a, b, 1, 2)),
      ...named("two", build(a, b, 2, 5)),
      ...named("six", build(a, b, 6, 2)),
    }),
    slack: 100,
  };
}

const cases: { readonly [P in PrimitiveName]: Case } = {
  input: { build: (a, b) => ({ same: a, again: a, other: b }) },
  parameter: { build: (a) => ({ row: op.broadcast(a.graph, weights("p", [4])) }) },
  external: { build: (a) => ({ column: op.external(energy, [a], ["n"]) }) },
  linear: {
    build: (a) => ({
      square: op.linear(a, weights("w", [6, 6]), weights("v", [6])),
      wide: dense(a, 9),
      one: dense(a, 1),
    }),
  },
  broadcast: {
    build: (a) => ({
      alone: op.broadcast(a.graph, weights("r", [6])),
      sum: op.add(a, op.broadcast(a.graph, weights("q", [6]))),
    }),
  },
  tanh: { build: both(op.tanh), reach: 20 },
  exp: { build: both(op.exp), reach: 80 },
  log: { build: both(op.log), reach: 1e6, positive: true },
  relu: { build: both(op.relu) },
  sigmoid: { build: both(op.sigmoid), reach: 80 },
  silu: { build: both(op.silu), reach: 80 },
  softplus: { build: both(op.softplus), reach: 80 },
  square: { build: both(op.square), reach: 1e6 },
  negate: { build: both(op.negate) },
  sqrt: { build: both(op.sqrt), reach: 1e6, positive: true },
  sin: { build: both(op.sin), reach: 30 },
  cos: { build: both(op.cos), reach: 30 },
  normalCdf: { build: (a, b) => ({ near: op.normalCdf(a), far: op.normalCdf(op.scaleShift(b, 0.1, -4)) }), reach: 12 },
  probit: {
    build: (a) => ({
      low: op.probit(op.exp(op.scaleShift(op.square(a), -0.1, -0.1))),
      both: op.probit(op.scaleShift(op.sigmoid(a), 0.998, 0.001)),
    }),
    reach: 20,
    // Relative to 1: at p = ½ the result is 0, whose error is that of p. At p = 0.999 that of p, 2⁻²⁴, makes 6e-6 of z.
    slack: 8,
  },
  power: {
    build: (a) => ({ cube: op.power(op.column(a, 0), 3), root: op.power(op.column(a, 1), -0.5) }),
    positive: true,
  },
  scaleShift: { build: both((x) => op.scaleShift(x, -1.3, 0.7)) },
  add: { build: pairs(op.add) },
  subtract: { build: pairs(op.subtract) },
  multiply: { build: pairs(op.multiply) },
  divide: { build: pairs(op.divide) },
  gather: { build: (a) => ({ some: op.gather(a, [4, 0, 3]), odd: op.gather(a, [1, 3, 5]), one: op.gather(a, [2]) }) },
  concat: { build: (a, b) => ({ two: op.concat(a, b), three: op.concat(op.gather(a, [5]), op.concat(b, a)) }) },
  affineForward: { build: coupling("forward") },
  affineInverse: { build: coupling("inverse") },
  sumFeatures: { build: (a, b) => ({ many: op.sumFeatures(op.concat(a, b)), few: op.sumFeatures(op.gather(a, [2])) }) },
  column: { build: (a) => ({ first: op.column(a, 0), last: op.column(a, width - 1) }) },
  constantColumn: { build: (a) => ({ half: op.constantColumn(a.graph, 0.1), zero: op.constantColumn(a.graph, -0) }) },
  mixtureLogProb: mixture(mixtureLogProb),
  mixtureEncode: mixture(mixtureEncode),
  mixtureDecode: mixture(mixtureDecode),
  tiltedLogProb: tilted(tiltedLogProb),
  tiltedEncode: tilted(tiltedEncode),
  tiltedDecode: tilted(tiltedDecode),
  splineForward: spline("forward"),
  splineInverse: spline("inverse"),
  mean: { build: (a) => ({ mean: op.mean(op.column(a, 0)) }) },
  sum: { build: (a) => ({ sum: op.sum(op.column(a, 0)) }) },
};

function dense(x: Tensor, outputs: number): Tensor {
  return op.linear(x, weights(`w${outputs}`, [outputs, width]), weights(`b${outputs}`, [outputs]));
}

const energy = {
  name: "ParticleDimer energy",
  forward: (_: readonly Float64Array[], n: number) => ({ value: new Float64Array(n), saved: null }),
  vjp: () => [null],
};

const names = (Object.keys(cases) as PrimitiveName[]).filter((name) => name !== "external");

/** Numbers of both signs that a float32 holds exactly, some of them at ±reach, 0 and tiny. */
function batch(seed: number, { reach = 3, positive = false }: Case): Float64Array {
  return Float64Array.from({ length: rows * width }, (_, i) => {
    const turn = Math.sin(12.9898 * (i + 1) + seed);
    const value = i % 11 === 3 ? Math.sign(turn) * reach : i % 13 === 5 ? 1e-7 * turn : reach * turn ** 3;
    return Math.fround(positive ? Math.abs(value) : value);
  });
}

function traced(name: PrimitiveName): { outputs: Record<string, Tensor>; inputs: Float64Array[] } {
  const graph = new Graph();
  const outputs = cases[name].build(op.input(graph, "a", width), op.input(graph, "b", width));
  assert(graph.nodes.some((node) => node.primitive === name), `the case of ${name} does not use it`);
  return { outputs, inputs: [batch(1, cases[name]), batch(2, { build: cases[name].build })] };
}

/** Largest |got − expected| relative to `scale(expected)`, NaN if a number is missing. */
function worst(got: Float64Array, expected: Float64Array, floor: number): number {
  assertEquals(got.length, expected.length);
  return got.reduce((most, value, i) => {
    const error = Object.is(value, expected[i])
      ? 0
      : Math.abs(value - expected[i]) / Math.max(Math.abs(expected[i]), floor);
    return Math.max(most, error);
  }, 0);
}

/**
 * Numbers below which errors are absolute: a sum of terms of either sign has the error of its largest term; a product or
 * function of one number has none but the smallest normal number.
 */
const cancelling: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>(
  ["linear", "scaleShift", "add", "subtract", "affineForward", "affineInverse", "sumFeatures", "mean", "sum"],
);
function floorOf(name: PrimitiveName, inputs: readonly Float64Array[]): number {
  const largest = Math.max(...inputs.flatMap((x) => Array.from(x, Math.abs)));
  if (cases[name].slack !== undefined) return 1;
  return cancelling.has(name) || name === "broadcast" ? largest : 2 ** -126;
}

// At most 12 roundings in a row, half a unit each; in float32 up to 8 units for the runtime's exp at ±80.
const tolerances = { float64: 12 * 2 ** -53, float32: 8 * 2 ** -23 };

/** Throws unless a file computes what the case's graph computes. */
async function requireAgreement(
  name: PrimitiveName,
  file: Uint8Array,
  precision: "float32" | "float64",
): Promise<void> {
  const { outputs, inputs } = traced(name);
  const expected = evaluateReference(Object.values(outputs), inputs, rows);
  const floor = floorOf(name, inputs);

  const { values, types } = await runOnce(file, precision, { a: inputs[0], b: inputs[1] }, rows);

  Object.entries(outputs).forEach(([label, { shape }], i) => {
    // Columns are float64 in every model, and the inputs are exact in float32.
    const type = shape.length === 2 ? precision : "float64";
    const isDensity = cases[name].slack !== undefined;
    const tolerance = (cases[name].slack ?? 1) * tolerances[isDensity ? precision : type];
    const error = worst(values[label], expected[i], floor);
    assert(error <= tolerance, `${precision} ${label}: relative error ${error}`);
    assertEquals(types[label], type);
  });
}

for (const name of names) {
  Deno.test(`the lowering of ${name} agrees with the primitive in float64 and float32`, async () => {
    const { outputs } = traced(name);

    await requireAgreement(name, exportOnnx(outputs, { precision: "float64" }), "float64");
    await requireAgreement(name, exportOnnx(outputs, { precision: "float32" }), "float32");
  });
}

/** Wrong lowerings: what is changed in the nodes of a right one. */
const broken: readonly [PrimitiveName, string, (node: ModelNode) => Partial<ModelNode>][] = [
  ["linear", "Gemm", () => ({ attributes: { transB: { kind: "integer", value: 0 } } })],
  ["subtract", "Sub", ({ inputs }) => ({ inputs: inputs.toReversed() })],
  ["affineInverse", "Neg", () => ({ operator: "Identity" })],
  ["affineForward", "Exp", () => ({ operator: "Softplus" })],
  ["concat", "Concat", ({ inputs }) => ({ inputs: inputs.toReversed() })],
  ["softplus", "Softplus", () => ({ operator: "Relu" })],
  ["sigmoid", "Reciprocal", ({ inputs }) => ({ operator: "Neg", inputs })],
  ["normalCdf", "Less", ({ inputs }) => ({ inputs: inputs.toReversed() })],
  ["probit", "Less", ({ inputs }) => ({ inputs: inputs.toReversed() })],
  ["mean", "ReduceMean", () => ({ operator: "ReduceSum" })],
];

for (const [name, operator, change] of broken) {
  Deno.test(`the test of the lowering of ${name} refuses a wrong ${operator}`, async () => {
    const model = decodeModel(exportOnnx(traced(name).outputs));
    const index = model.nodes.findIndex((node) => node.operator === operator);
    const nodes = model.nodes.with(index, { ...model.nodes[index], ...change(model.nodes[index]) });

    await assertRejects(
      () => requireAgreement(name, encodeModel({ ...model, nodes }), "float32"),
      Error,
      "relative error",
    );
  });
}

Deno.test("the test of the lowering of sumFeatures refuses a sum in float32", async () => {
  const model = decodeModel(exportOnnx(traced("sumFeatures").outputs));
  const [cast, sum] = model.nodes.filter(({ operator }) => operator === "Cast" || operator === "ReduceSum");
  const late = new Map([
    [cast, { ...sum, inputs: [cast.inputs[0], sum.inputs[1]], outputs: cast.outputs }],
    [sum, { ...cast, inputs: cast.outputs, outputs: sum.outputs }],
  ]);
  const nodes = model.nodes.map((node) => late.get(node) ?? node);

  await assertRejects(
    () => requireAgreement("sumFeatures", encodeModel({ ...model, nodes }), "float32"),
    Error,
    "relative error",
  );
});

Deno.test(
  "every lowering passes the ONNX checker with the shapes and types of the graph",
  { ignore: !hasOnnxChecker },
  async () => {
    const files: Uint8Array[] = [];
    const expected: string[] = [];
    for (const name of names) {
      for (const precision of ["float32", "float64"] as const) {
        const { outputs } = traced(name);
        files.push(exportOnnx(outputs, { precision }));
        const code = precision === "float32" ? 1 : 11;
        expected.push(`a ${code} ['n', ${width}]`, `b ${code} ['n', ${width}]`);
        for (const [label, { shape }] of Object.entries(outputs)) {
          const sizes = shape.map((size) => size === "n" ? "'n'" : size).join(", ");
          expected.push(`${label} ${shape.length === 2 ? code : 11} [${sizes}]`);
        }
      }
    }

    assertEquals(await checkWithPython(files), expected);
  },
);
