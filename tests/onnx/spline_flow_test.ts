/**
 * Exported neural splines: in onnxruntime in both precisions, and by our own kernels from the plan in the file.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Chain } from "../../src/flow/chain.ts";
import type { NeuralSpline } from "../../src/flow/neural_spline.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import type { Model, ModelNode } from "../../src/format/model.ts";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { splineFeatures } from "../../src/graph/spline_features.ts";
import { splineCoupling } from "../../src/graph/spline_operations.ts";
import { exportOnnx } from "../../src/onnx/export_graph.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import type { Precision } from "../../src/sampler/metadata.ts";
import { neuralSpline } from "../flow/bijector_examples.ts";
import { assertClose } from "../support/assert_close.ts";
import { exactWithTolerance } from "../support/float32_emulation.ts";
import { normals } from "../support/random_arrays.ts";
import { splineExample, splineKnots, splineSize, spreads } from "../support/spline_examples.ts";
import { exportBijector } from "./flow_example.ts";
import {
  agreesWithReference,
  densityInvertsSampler,
  logDetIsOfJacobian,
  type ModelUnderTest,
  runFlowModel,
} from "./laws.ts";
import { checkWithPython, hasOnnxChecker } from "./onnx_checker.ts";
import { runOnce } from "./runtime.ts";

await loadKernels();

const flows: Readonly<Record<string, () => NeuralSpline>> = {
  "2-D": () => neuralSpline({ dim: 2 }),
  "5-D, halves, eight bins, tanh": () =>
    neuralSpline({ dim: 5, channels: "halves", bins: 8, bound: 2, activation: "tanh" }),
};

function exported(bijector: NeuralSpline | Chain, precision: Precision): Record<"sampler" | "density", ModelUnderTest> {
  const { sampler, density } = exportBijector(bijector, precision);
  const { dim } = bijector;
  return {
    sampler: { bytes: sampler, role: "sampler", precision, dim },
    density: { bytes: density, role: "density", precision, dim },
  };
}

for (const [name, make] of Object.entries(flows)) {
  Deno.test(`a neural spline in ${name} exports in float64 to models that keep the laws of a flow`, async () => {
    const bijector = make();
    const batch = normals(12 * bijector.dim, 9, 1.5);
    const { sampler, density } = exported(bijector, "float64");

    for (const model of [sampler, density]) {
      // A few hundred roundings of numbers below 10, times slopes of up to 20 of f and of ln f′.
      await agreesWithReference(model, bijector, batch, { value: 1e-11, logDet: 1e-11 });
      // Differences as in export_flow_test.ts, times those slopes.
      await logDetIsOfJacobian(model, batch.subarray(0, 4 * bijector.dim), 1e-7);
    }
    await densityInvertsSampler(sampler, density, batch, 1e-10);
  });

  Deno.test(`a neural spline in ${name} in float32: onnxruntime and our kernels agree with float64`, async () => {
    const bijector = make();
    const n = 40;
    const z = normals(n * bijector.dim, 10, 1.5);
    const { sampler } = exported(bijector, "float32");
    const { x, logDet } = bijector.forward(input(new Graph(), "z", bijector.dim));
    const [value, volume] = exactWithTolerance([x, logDet], [z], n);
    const bare = Float64Array.from({ length: n }, (_, i) => standardNormal(z, bijector.dim, i));

    const single = await runFlowModel(sampler, z);
    assertClose(single.value, value.value, { absolute: value.tolerance }, "x by onnxruntime");
    assertClose(single.logDet, volume.value, { absolute: volume.tolerance }, "log-det by onnxruntime");
    for (const backend of ["kernels", "onnxruntime"] as const) {
      await using opened = await loadSampler(sampler.bytes, { backend });
      const { x, logProb } = await opened.map(z);
      assertEquals(opened.backend, backend);
      assertClose(x, value.value, { absolute: value.tolerance }, `x by ${backend}`);
      const logDets = logProb.map((p, i) => bare[i] - p);
      assertClose(logDets, volume.value, { absolute: volume.tolerance }, `log-det by ${backend}`);
    }
  });
}

/** ln of the standard normal density of row i. */
function standardNormal(z: Float64Array, dim: number, i: number): number {
  const square = z.subarray(i * dim, (i + 1) * dim).reduce((sum, v) => sum + v * v, 0);
  return -square / 2 - dim / 2 * Math.log(2 * Math.PI);
}

/** A file of splines of one coordinate whose features are given, for either direction. */
function splineFile(direction: "forward" | "inverse", bins: number, precision: Precision): Uint8Array {
  const graph = new Graph();
  const [x, features] = [input(graph, "x", 1), input(graph, "features", splineFeatures(bins))];
  return exportOnnx({ ...splineCoupling(direction, x, features, { bins, bound: 2 }) }, { precision });
}

for (const precision of ["float32", "float64"] as const) {
  Deno.test(`no finite place and no finite features make NaN in an exported spline, and NaN stays (${precision})`, async () => {
    const bins = 4;
    const size = splineSize(bins, 2);
    const rounded = precision === "float32" ? Math.fround : (v: number) => v;
    const places: number[] = [], features: number[] = [];
    const add = (row: Float64Array) => {
      const { x, y } = splineKnots(size, row);
      for (const place of [...x, ...y, 0, -0, 1.9999998807907104, 2, -2, 3, 1e30, -1e30, 1e-30]) {
        places.push(rounded(place));
        features.push(...row);
      }
    };
    for (const spread of spreads) for (let seed = 0; seed < 8; seed++) add(splineExample(size, 1, 1, spread, seed));
    for (let seed = 0; seed < 8; seed++) add(splineExample(size, 1, 1, 1e30, seed));
    const width = splineFeatures(bins);
    for (const direction of ["forward", "inverse"] as const) {
      const file = splineFile(direction, bins, precision);
      const { values } = await runOnce(file, precision, { x: places, features }, places.length);
      for (const [name, numbers] of Object.entries(values)) {
        assert(numbers.every((v) => Number.isFinite(v)), `${name} of ${direction}`);
      }
      places.forEach((x, i) => {
        assert(Math.abs(x) < 2 ? Math.abs(values.value[i]) <= 2 : values.value[i] === x);
      });
      const row = Array.from({ length: width }, (_, k) => k / 10);
      const broken = await runOnce(file, precision, {
        x: [NaN, 0.5, 0.5],
        features: [...row, ...row, NaN, ...row.slice(1)],
      }, 3);
      for (const numbers of Object.values(broken.values)) {
        assertEquals([...numbers].map(Number.isNaN), [true, false, true]);
      }
    }
  });
}

/** A model with the last node that `which` finds changed. */
function rewrite(which: (node: ModelNode) => boolean, change: (node: ModelNode) => Partial<ModelNode>) {
  return (model: Model): Model => {
    const index = model.nodes.findLastIndex(which);
    assert(index >= 0);
    const node = model.nodes[index];
    return { ...model, nodes: model.nodes.with(index, { ...node, ...change(node) }) };
  };
}

const wrong: Readonly<Record<string, (model: Model) => Model>> = {
  "slopes without their constant": rewrite(({ operator }) => operator === "Exp", () => ({ operator: "Neg" })),
  "another bin": rewrite(({ operator }) => operator === "LessOrEqual", ({ inputs }) => ({
    inputs: inputs.toReversed(),
  })),
  "a root of something else": rewrite(({ operator }) => operator === "Sqrt", () => ({ operator: "Abs" })),
};

for (const [what, change] of Object.entries(wrong)) {
  Deno.test(`the laws refuse a neural spline with ${what}`, async () => {
    const bijector = flows["2-D"]();
    const { density } = exported(bijector, "float64");
    const broken = { ...density, bytes: encodeModel(change(decodeModel(density.bytes))) };

    await assertRejects(
      () => agreesWithReference(broken, bijector, normals(24, 9), { value: 1e-6, logDet: 1e-6 }),
      Error,
      "from the reference by",
    );
  });
}

Deno.test("the ONNX checker accepts the models of neural splines", { ignore: !hasOnnxChecker }, async () => {
  const bijector = new Chain([flows["5-D, halves, eight bins, tanh"](), new Scaling({ dim: 5 })]);
  const files = (["float32", "float64"] as const).flatMap((precision) =>
    Object.values(exported(bijector, precision)).map(({ bytes }) => bytes)
  );

  assertEquals(
    await checkWithPython(files),
    [1, 11].flatMap((code) => [
      ...[`z ${code} ['n', 5]`, `x ${code} ['n', 5]`, "logDet 11 ['n']"],
      ...[`x ${code} ['n', 5]`, `z ${code} ['n', 5]`, "logDet 11 ['n']"],
    ]),
  );
});
