import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import type { Bijector } from "../../src/flow/bijector.ts";
import { Chain, Inverse } from "../../src/flow/chain.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { NICE } from "../../src/flow/nice.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { Whitening } from "../../src/flow/whitening.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import { exportFlow, weightsChecksum } from "../../src/onnx/export_flow.ts";
import { parseMetadata } from "../../src/sampler/metadata.ts";
import type { Model, ModelNode } from "../../src/format/model.ts";
import type { Precision } from "../../src/sampler/metadata.ts";
import { packageVersion } from "../../src/sampler/version.ts";
import { description, exportBijector, noise, randomRealNVP } from "./flow_example.ts";
import {
  agreesWithReference,
  densityInvertsSampler,
  logAbsDeterminant,
  logDetIsOfJacobian,
  type ModelUnderTest,
  runFlowModel,
} from "./laws.ts";
import { checkWithPython, hasOnnxChecker } from "./onnx_checker.ts";

function whitening(dim: number, name = "whitening"): Whitening {
  const mixed = noise(40 * dim, 5).map((value, i, all) => value * (1 + i % dim) + 0.5 * all[i - i % dim]);
  return Whitening.fit(mixed, dim, { name });
}

function nice(dim: number): NICE {
  const flow = new NICE({ dim, blocks: 2, hidden: [7] });
  flow.parameters().forEach((parameter, i) => parameter.set(noise(parameter.length, i, 0.5)));
  return flow;
}

/** Bijectors of every kind, smooth, so that difference quotients mean something. */
const bijectors: Readonly<Record<string, () => Bijector>> = {
  "RealNVP": () => randomRealNVP({ dim: 6, blocks: 2, hidden: [8, 7] }),
  "RealNVP of odd dim, halves, silu": () =>
    randomRealNVP({ dim: 5, blocks: 1, hidden: [9], channels: "halves", shiftActivation: "silu" }),
  "NICE with scaling": () => new Chain([nice(5), new Scaling({ dim: 5, logScale: noise(5, 2) })]),
  "whitening": () => whitening(4),
  "inverse": () => new Inverse(randomRealNVP({ dim: 3, blocks: 1, hidden: [4] })),
  "chain": () =>
    new Chain([randomRealNVP({ dim: 4, blocks: 2, hidden: [6, 6] }), new Inverse(whitening(4, "first")), whitening(4)]),
};

function exported(bijector: Bijector, precision: Precision): { sampler: ModelUnderTest; density: ModelUnderTest } {
  const models = exportBijector(bijector, precision);
  const { dim } = bijector;
  return {
    sampler: { bytes: models.sampler, role: "sampler", precision, dim },
    density: { bytes: models.density, role: "density", precision, dim },
  };
}

for (const [name, make] of Object.entries(bijectors)) {
  Deno.test(`exportFlow() of ${name} gives models that keep the laws of a flow`, async () => {
    const bijector = make();
    const batch = noise(5 * bijector.dim, 9, 1.5);
    const { sampler, density } = exported(bijector, "float64");

    for (const model of [sampler, density]) {
      // A few hundred roundings of numbers below 10².
      await agreesWithReference(model, bijector, batch, { value: 1e-11, logDet: 1e-11 });
      // Differences: h² f‴/6 ≈ 1e-10 and rounding 1e-16 · 10/h ≈ 1e-10, times dim entries. A whitening keeps its
      // log-determinant in float64 and its matrix in float32: 16 entries off by 2⁻²⁵ and their condition.
      await logDetIsOfJacobian(model, batch, name === "whitening" || name === "chain" ? 5e-6 : 2e-8);
    }
    await densityInvertsSampler(sampler, density, batch, name === "whitening" || name === "chain" ? 1e-5 : 1e-10);
  });
}

Deno.test("exportFlow() in float32 keeps log-determinants of 100 nats to 1e-4", async () => {
  const bijector = randomRealNVP({ dim: 76, blocks: 8, hidden: [50, 50, 50] }, 1.5);
  const shrinking = bijector.parameters().filter(({ name }) => /\.s\.3\.bias$/.test(name));
  shrinking.forEach((bias) => bias.set(bias.values().map((value) => value - 0.25)));
  const z = noise(16 * 76, 3, 2);

  const exact = await runFlowModel(exported(bijector, "float64").sampler, z);
  const single = await runFlowModel(exported(bijector, "float32").sampler, z);

  const smallest = Math.min(...exact.logDet.map(Math.abs));
  assert(smallest > 100, `the test wants large log-determinants, got ${smallest}`);
  const error = Math.max(...exact.logDet.map((value, i) => Math.abs(value - single.logDet[i])));
  assert(error < 1e-4, `log-determinants err by ${error}`);
});

Deno.test("the laws refuse models with a wrong sign, a transposed weight or a missing coupling", async () => {
  const bijector = randomRealNVP({ dim: 6, blocks: 2, hidden: [8, 8] });
  const batch = noise(4 * 6, 9, 1.5);
  const { sampler, density } = exported(bijector, "float64");
  const tolerance = { value: 1e-2, logDet: 1e-2 };
  const flipped = rewrite(sampler, flipLogDet);
  const transposed = rewrite(sampler, transposeOneWeight);
  const shortened = rewrite(sampler, dropOneExp);

  await assertRejects(() => agreesWithReference(flipped, bijector, batch, tolerance), Error, "log-determinants differ");
  await assertRejects(() => logDetIsOfJacobian(flipped, batch, 1e-2), Error, "logDet differs");
  await assertRejects(() => agreesWithReference(transposed, bijector, batch, tolerance), Error, "values differ");
  await assertRejects(() => densityInvertsSampler(transposed, density, batch, 1e-2), Error, "round trip");
  await assertRejects(() => agreesWithReference(shortened, bijector, batch, tolerance), Error, "values differ");
  await assertRejects(() => logDetIsOfJacobian(shortened, batch, 1e-2), Error, "logDet differs");
});

function rewrite(model: ModelUnderTest, change: (model: Model) => Model): ModelUnderTest {
  return { ...model, bytes: encodeModel(change(decodeModel(model.bytes))) };
}

function replaceNode(model: Model, which: (node: ModelNode) => boolean, change: Partial<ModelNode>): Model {
  const index = model.nodes.findIndex(which);
  assert(index >= 0);
  return { ...model, nodes: model.nodes.with(index, { ...model.nodes[index], ...change }) };
}

const flipLogDet = (model: Model) => replaceNode(model, (node) => node.outputs[0] === "logDet", { operator: "Neg" });
const dropOneExp = (model: Model) => replaceNode(model, (node) => node.operator === "Exp", { operator: "Neg" });

function transposeOneWeight(model: Model): Model {
  const square = (name: string) =>
    model.initializers.some(({ name: other, dims }) => other === name && dims.length === 2 && dims[0] === dims[1]);
  const isSquare = (node: ModelNode) => node.operator === "Gemm" && square(node.inputs[1]);
  return replaceNode(model, isSquare, { attributes: { transB: { kind: "integer", value: 0 } } });
}

Deno.test("logAbsDeterminant() agrees with closed forms", () => {
  const rotated = [[0, 2, 0], [0, 0, -3], [5, 0, 0]];
  const general = [[1, 2, 3], [4, 5, 6], [7, 8, 10]];

  assertEquals(logAbsDeterminant(rotated), Math.log(2) + Math.log(3) + Math.log(5));
  assert(Math.abs(logAbsDeterminant(general) - Math.log(3)) < 1e-14);
});

Deno.test("the ONNX checker accepts the models of a flow and sees n × dim", { ignore: !hasOnnxChecker }, async () => {
  const bijector = bijectors.chain();
  const files = (["float32", "float64"] as const).flatMap((precision) => {
    const { sampler, density } = exported(bijector, precision);
    return [sampler.bytes, density.bytes];
  });

  const seen = await checkWithPython(files);

  assertEquals(seen, [
    ...["z 1 ['n', 4]", "x 1 ['n', 4]", "logDet 11 ['n']", "x 1 ['n', 4]", "z 1 ['n', 4]", "logDet 11 ['n']"],
    ...["z 11 ['n', 4]", "x 11 ['n', 4]", "logDet 11 ['n']", "x 11 ['n', 4]", "z 11 ['n', 4]", "logDet 11 ['n']"],
  ]);
});

Deno.test("exportFlow() gives the same bytes twice, and others for other weights", () => {
  const [first, again] = [1, 2].map(() => exported(bijectors.RealNVP(), "float32"));
  const changed = bijectors.RealNVP();
  changed.parameters()[3].set(noise(changed.parameters()[3].length, 77));

  assertEquals(again.sampler.bytes, first.sampler.bytes);
  assertEquals(again.density.bytes, first.density.bytes);
  assertNotEquals(exported(changed, "float32").sampler.bytes, first.sampler.bytes);
});

Deno.test("exportFlow() ties all models of a flow by one checksum of the weights", () => {
  const bijector = bijectors.chain();
  const models = (["float32", "float64"] as const).flatMap((precision) => Object.values(exported(bijector, precision)));

  const checksums = models.map(({ bytes }) => parseMetadata(decodeModel(bytes).metadata).weights);

  assertEquals(checksums, models.map(() => weightsChecksum(bijector.parameters())));
  const [parameter] = bijector.parameters();
  parameter.set(parameter.values().map((value, i) => i === 0 ? value + 1e-6 : value));
  assertNotEquals(weightsChecksum(bijector.parameters()), checksums[0]);
});

Deno.test("exportFlow() writes everything about the flow into the metadata, and no time", () => {
  const bijector = bijectors.RealNVP();
  const particles = { species: ["D", "D", "S"], spatialDim: 2, box: [6, 6] } as const;
  const flow = { bijector, prior: new NormalPrior(6) };
  const { density } = exportFlow(flow, { ...description, particles }, { precision: "float64" });
  const { metadata, producerVersion } = decodeModel(density);

  assertEquals(parseMetadata(metadata), {
    ...description,
    particles: { species: ["D", "D", "S"], spatialDim: 2, box: [6, 6] },
    role: "density",
    precision: "float64",
    dim: 6,
    prior: "normal",
    weights: weightsChecksum(bijector.parameters()),
    packageVersion,
  });
  assertEquals(producerVersion, packageVersion);
  assertEquals(metadata.parameters, '{"epsilon":1,"slope":-0.5,"boxStrength":200}');
});

Deno.test("packageVersion is the version in deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));

  assertEquals(packageVersion, config.version);
});

Deno.test("exportFlow() refuses what it cannot keep", () => {
  const flow = { bijector: bijectors.RealNVP(), prior: new NormalPrior(6) };
  const uniform = { dim: 6, logProb: flow.prior.logProb, sample: flow.prior.sample };
  const refusal = (call: () => unknown) => assertThrows(call, Error).message;

  assertEquals(
    refusal(() => exportFlow(flow, { ...description, temperature: NaN })),
    "Cannot export flow: temperature must be finite, got NaN",
  );
  assertEquals(
    refusal(() => exportFlow(flow, { ...description, parameters: { a: 1, b: -Infinity } })),
    "Cannot export flow: b must be finite, got -Infinity",
  );
  assertEquals(
    refusal(() => exportFlow(flow, { ...description, particles: { species: ["A", "B"], spatialDim: 2 } })),
    "Cannot export flow: particles must have dim = 6 coordinates, got 2 in 2 D",
  );
  assertEquals(
    refusal(() => exportFlow({ ...flow, prior: uniform }, description)),
    "Cannot export flow: prior must be a NormalPrior, got Object",
  );
  assertEquals(
    refusal(() => exportFlow({ ...flow, prior: new NormalPrior(6, { variance: 2 }) }, description)),
    "Cannot export flow: prior must have variance 1, got 2: export a flow whose bijector is a Chain of a Scaling with " +
      "logScale ½ ln variance and this one",
  );
  const twins = new Chain([
    randomRealNVP({ dim: 4, blocks: 1, hidden: [3] }),
    randomRealNVP({ dim: 4, blocks: 1, hidden: [3] }),
  ]);
  assertEquals(
    refusal(() => exportFlow({ bijector: twins, prior: new NormalPrior(4) }, description)),
    'Cannot export graph: names must be unique, got "realnvp.0.s.0.weight" twice',
  );
});

Deno.test("parseMetadata() says which entry is wrong", () => {
  const good = decodeModel(exported(bijectors.whitening(), "float32").sampler.bytes).metadata;
  const refusal = (entries: Record<string, string>) => assertThrows(() => parseMetadata(entries), Error).message;
  const { system: _, ...anonymous } = good;

  assertEquals(
    refusal(anonymous),
    'Cannot read ONNX model: metadata must have "system", got none: export it with exportFlow',
  );
  assertEquals(
    refusal({ ...good, dim: "2.5" }),
    'Cannot read ONNX model: metadata "dim" must be a whole number from 1 to 1048576, got "2.5"',
  );
  assertEquals(
    refusal({ ...good, temperature: " " }),
    'Cannot read ONNX model: metadata "temperature" must be a finite number, got " "',
  );
  assertEquals(
    refusal({ ...good, role: "both" }),
    'Cannot read ONNX model: metadata "role" must be "sampler" or "density", got "both"',
  );
  assertEquals(
    refusal({ ...good, parameters: '{"a":"1"}' }),
    `Cannot read ONNX model: metadata "parameters" must be a JSON table of numbers, got "{"a":"1"}"`,
  );
  for (const wrong of ["3", "{}", '{"species":["A"],"spatialDim":2}', '{"species":["A"],"spatialDim":4}', '["A"]']) {
    assertEquals(
      refusal({ ...good, particles: wrong }),
      `Cannot read ONNX model: metadata "particles" must be null or a layout of 4 coordinates, got "${wrong}"`,
    );
  }
  assertEquals(
    refusal({ ...good, units: "none" }),
    'Cannot read ONNX model: metadata "units" must be JSON, got text that does not parse',
  );
  assertEquals(
    refusal({ ...good, units: "[]" }),
    'Cannot read ONNX model: metadata "units" must be a JSON table of strings, got "[]"',
  );
  assertEquals(
    refusal({ ...good, parameters: '{"a":1e999}' }),
    'Cannot read ONNX model: metadata "parameters" must hold numbers within float64, got one beyond ±1.8e308',
  );
  assertEquals(
    refusal({ ...good, dim: "0x10" }),
    'Cannot read ONNX model: metadata "dim" must be a whole number from 1 to 1048576, got "0x10"',
  );
});
