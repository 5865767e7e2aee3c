/**
 * Model files that weigh and draw, as users of onnxruntime alone see them.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import type { Model } from "../../src/format/model.ts";
import { exportFlow, type FlowExportOptions } from "../../src/onnx/export_flow.ts";
import type { WritableSystem } from "../../src/onnx/lower_energy.ts";
import { loadDensity, loadSampler } from "../../src/sampler/load.ts";
import { parseMetadata, type Precision } from "../../src/sampler/metadata.ts";
import { standardNormalLogDensity } from "../../src/sampler/session.ts";
import { logWeightsOf, type WeighedSystem } from "../../src/sampler/system_energy.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { HarmonicOscillatorBox } from "../../src/system/harmonic_oscillator_box.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { ManyWell } from "../../src/system/many_well.ts";
import { MuellerBrown } from "../../src/system/mueller_brown.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { assertClose } from "../support/assert_close.ts";
import { particleFlow } from "../flow/bijector_examples.ts";
import { normals } from "../support/random_arrays.ts";
import { assertMeanIs } from "../support/statistics.ts";
import { description, randomRealNVP } from "./flow_example.ts";
import { checkWithPython, hasOnnxChecker } from "./onnx_checker.ts";
import { TestSession } from "./runtime.ts";
import { describe, ownSystem } from "./written_systems.ts";

await loadKernels();

const temperature = 0.8;
const precisions = ["float32", "float64"] as const;

/** One system of every kind. Fluids and dimers are small and wide, so that samples of a crude flow fall on both sides. */
const systems: Readonly<Record<string, WritableSystem>> = {
  "double well": new DoubleWell({ preset: "snf", dim: 3 }),
  "dimer": new ParticleDimer({ preset: "printed", solvent: 4 }),
  "liquid": new LennardJonesFluid({ particles: 4, density: 0.2 }),
  "potential of Müller and Brown": new MuellerBrown(),
  "oscillator in a box": new HarmonicOscillatorBox({ preset: "cs230-trained" }),
  "many wells": new ManyWell({ wells: 2 }),
  "energy of one's own": ownSystem,
};

/** Those that have labels, or walls without thickness. */
const bounded: readonly string[] = ["dimer", "liquid", "oscillator in a box"];

function exported(system: WritableSystem, options: FlowExportOptions = { system }) {
  const bijector = randomRealNVP({ dim: system.dim, blocks: 1, hidden: [8] });
  return exportFlow({ bijector, prior: new NormalPrior(system.dim) }, describe(system, temperature), options);
}

/** The log-weights of a model's x, computed with the package's own energies. */
function expectedWeights(
  system: WritableSystem,
  { x, z, logDet }: Record<string, Float64Array>,
  sign: 1 | -1,
): Float64Array {
  const logNormal = standardNormalLogDensity(z, system.dim);
  const logProb = logNormal.map((p, i) => p - sign * logDet[i]);
  return logWeightsOf(system as WeighedSystem, temperature, x, logProb);
}

/** 1e-13 of the energy's terms as for energies, and a hundred roundings of log-densities below 10³. */
function weightsAgree(actual: Float64Array, expected: Float64Array): void {
  assertClose(actual, expected, expected.map((w) => Number.isFinite(w) ? 1e-13 * (Math.abs(w) + 1000) : 0), "weights");
}

for (const [name, system] of Object.entries(systems)) {
  Deno.test(`models of the ${name} return −U/T − log q in both directions`, async () => {
    const count = 256;
    for (const precision of precisions) {
      const { sampler, density } = exported(system, { system, precision });
      const z = normals(count * system.dim, 4, 1.2);
      await using forward = await TestSession.open(sampler, precision);
      await using back = await TestSession.open(density, precision);
      const drawn = (await forward.run({ z }, count)).values;
      const told = (await back.run({ x: drawn.x }, count)).values;

      weightsAgree(drawn.logWeight, expectedWeights(system, { ...drawn, z }, 1));
      weightsAgree(told.logWeight, expectedWeights(system, { ...told, x: drawn.x }, -1));
      const inside = drawn.logWeight.filter((w) => w > -Infinity).length;
      assert(
        bounded.includes(name) ? inside > 0 && inside < count : inside === count,
        `${inside} of ${count} samples weigh something`,
      );
    }
  });
}

Deno.test("the law notices weights at another temperature, of another energy, or with the log-determinant flipped", async () => {
  const system = systems["double well"] as DoubleWell;
  const { sampler } = exported(system);
  const z = normals(16 * system.dim, 4);
  await using session = await TestSession.open(sampler, "float32");
  const { values } = await session.run({ z }, 16);
  const right = { ...values, z };
  const wrong = [
    expectedWeights(system, right, 1).map((w, i) => w + 1e-9 * system.energy(values.x)[i]),
    expectedWeights(new DoubleWell({ ...system.parameters, dim: 3, c: -0.5 + 1e-9 }), right, 1),
    expectedWeights(system, right, -1),
  ];

  for (const weights of wrong) assertThrows(() => weightsAgree(values.logWeight, weights), Error, "weights");
});

Deno.test("weights in files are those of loadSampler(), which runs such files as any other", async () => {
  const system = systems.liquid;
  const plain = exported(system, {});
  for (const backend of ["kernels", "onnxruntime"] as const) {
    const { sampler, density } = exported(system);
    await using model = await loadSampler(sampler, { density, backend });
    await using bare = await loadSampler(plain.sampler, { backend });
    const { x, logProb } = await model.sample(50, { seed: 3 });
    const weights = await model.logWeights(x, logProb);

    assertEquals({ x, logProb }, await bare.sample(50, { seed: 3 }));
    await using session = await TestSession.open(density, "float32");
    const { logWeight } = (await session.run({ x }, 50)).values;
    // x and z are rounded to float32 a few times on their way there and back: 8 · |z| · 5 · 2⁻²⁴.
    assertClose(logWeight, weights, { absolute: 1e-5 });
  }
});

Deno.test("a sampler that draws itself returns normal z and what the plain one makes of them", async () => {
  const system = systems["double well"];
  for (const precision of precisions) {
    const [own, plain] = [true, false].map((drawsItself) => exported(system, { system, precision, drawsItself }));
    await using session = await TestSession.open(own.sampler, precision);
    await using mapping = await TestSession.open(plain.sampler, precision);
    const { values, dims } = await session.draw(20_000);
    const { x, logDet, logWeight } = (await mapping.run({ z: values.z }, 20_000)).values;

    assertEquals([dims.x, dims.z, dims.logDet, dims.logWeight], [[20_000, 3], [20_000, 3], [20_000], [20_000]]);
    assertEquals([values.x, values.logDet, values.logWeight], [x, logDet, logWeight]);
    [1, 2, 3, 4].forEach((k) => assertMeanIs(values.z.map((v) => v ** k), [0, 1, 0, 3][k - 1], `mean of z^${k}`));
    // Neighbours in a row and in a column know nothing of each other.
    [1, 3].forEach((lag) => assertMeanIs(values.z.subarray(lag).map((v, i) => v * values.z[i]), 0, `lag ${lag}`));
    assertEquals(plain.density, own.density);
  }
});

Deno.test("a sampler that draws itself draws other numbers in every call", async () => {
  const { sampler } = exported(ownSystem, { drawsItself: true });
  await using session = await TestSession.open(sampler, "float32");
  const [first, second] = [await session.draw(8), await session.draw(8)];

  assertEquals(new Set([...first.values.z, ...second.values.z]).size, 48);
});

Deno.test("loadSampler() draws for files that draw themselves from the package's own generator", async () => {
  const system = systems.liquid;
  const [own, plain] = [true, false].map((drawsItself) => exported(system, { system, drawsItself }));
  await using model = await loadSampler(own.sampler, { density: own.density });
  await using bare = await loadSampler(plain.sampler, { backend: "kernels" });

  assertEquals([model.backend, model.metadata.draws, model.metadata.logWeight], ["kernels", true, true]);
  assertEquals(await model.sample(20, { seed: 5 }), await bare.sample(20, { seed: 5 }));
  await assertRejects(
    () => loadSampler(own.sampler, { backend: "onnxruntime" }),
    Error,
    "Cannot open ONNX model: onnxruntime must be given z here, got a model that draws z itself: run it with the " +
      "kernels, or with onnxruntime alone",
  );
});

Deno.test("particle flows, whose models hold loops, weigh and draw as well", async () => {
  const system = new LennardJonesFluid({ particles: 4, density: 0.2 });
  const bijector = particleFlow({ particles: 4, spatialDim: 2, head: { kind: "mixture", components: 2 } });
  const flow = { bijector, prior: new NormalPrior(8) };
  const { sampler } = exportFlow(flow, describe(system, temperature), { system, drawsItself: true });
  await using session = await TestSession.open(sampler, "float32");
  const { values } = await session.draw(40);

  weightsAgree(values.logWeight, expectedWeights(system, values, 1));
});

Deno.test("what the metadata say of a model is what its graph does, or it is refused in a sentence", async () => {
  const weighs = exported(ownSystem).sampler;
  const draws = exported(ownSystem, { drawsItself: true }).sampler;
  const plain = exported(ownSystem, {});
  const altered = (bytes: Uint8Array, change: (model: Model) => Partial<Model>) => {
    const model = decodeModel(bytes);
    return encodeModel({ ...model, ...change(model) });
  };
  const saying = (bytes: Uint8Array, entries: Record<string, string>) =>
    altered(bytes, ({ metadata }) => ({ metadata: { ...metadata, ...entries } }));
  const silent = (bytes: Uint8Array) =>
    altered(bytes, ({ metadata: { logWeight: _, draws: __, ...metadata } }) => ({ metadata }));
  const twice = (model: Model) => {
    const node = model.nodes.find(({ operator }) => operator === "RandomNormalLike")!;
    return { nodes: [...model.nodes, { ...node, outputs: ["/again"] }] };
  };
  const refusal = async (call: Promise<unknown>) => (await assertRejects(() => call, Error)).message;
  const outputs = "outputs must be logDet float64 [n], x float32 [n, 3]";

  assertEquals(
    [
      await refusal(loadSampler(saying(plain.sampler, { logWeight: "true" }))),
      await refusal(loadSampler(silent(weighs))),
      await refusal(loadSampler(silent(draws))),
      await refusal(loadSampler(saying(plain.sampler, { draws: "true" }))),
      await refusal(loadDensity(saying(plain.density, { draws: "true" }))),
      await refusal(loadSampler(altered(draws, twice))),
      await refusal(loadSampler(altered(draws, ({ nodes }) => ({
        nodes: nodes.map((node) => node.operator === "RandomNormalLike" ? { ...node, operator: "Identity" } : node),
      })))),
      await refusal(loadSampler(altered(plain.sampler, ({ nodes }) => ({
        nodes: [...nodes, { operator: "RandomNormalLike", inputs: ["z"], outputs: ["/noise"], attributes: {} }],
      })))),
    ],
    [
      `${outputs.replace("x ", "logWeight float64 [n], x ")}, got logDet float64 [n], x float32 [n, 3]`,
      `${outputs}, got logDet float64 [n], logWeight float64 [n], x float32 [n, 3]`,
      "inputs must be z float32 [n, 3], got n int64 [1]",
      "inputs must be n int64 [1], got z float32 [n, 3]",
      "only a sampler must draw, got a density that says so",
      "the graph must draw random numbers once, got 2 RandomNormalLike",
      "the graph must draw random numbers once, got 0 RandomNormalLike",
      "the graph must draw random numbers nowhere, got 1 RandomNormalLike",
    ].map((rest) => `Cannot open ONNX model: ${rest}`),
  );
  assertEquals(
    await refusal(loadSampler(saying(weighs, { logWeight: "yes" }))),
    'Cannot read ONNX model: metadata "logWeight" must be "true" or left out, got "yes"',
  );
});

Deno.test("files that weigh and draw are refused like others when renamed or cut off", async () => {
  const { sampler, density } = exported(ownSystem, { system: ownSystem, drawsItself: true });
  const refusal = async (call: Promise<unknown>) => (await assertRejects(() => call, Error)).message;

  assertEquals(
    await refusal(loadSampler(density)),
    "Cannot open ONNX model: file must be a sampler, got a density: use sampler.onnx of the same run",
  );
  assertEquals(
    await refusal(loadDensity(sampler)),
    "Cannot open ONNX model: file must be a density, got a sampler: use density.onnx of the same run",
  );
  for (const length of [0, 1, 100, sampler.length - 1]) {
    const sentence = await refusal(loadSampler(sampler.slice(0, length)));
    assert(/^Cannot read ONNX model: [^\n]+ must [^\n]+, got [^\n]+$/.test(sentence), sentence);
  }
});

Deno.test("metadata hold everything that was known of system, flow and training", () => {
  const system = new ParticleDimer({ preset: "noe2019-class", solvent: 4, sigma: 1.05 });
  const { sampler, density } = exported(system);
  for (const [role, bytes] of Object.entries({ sampler, density })) {
    const { weights, packageVersion, ...metadata } = parseMetadata(decodeModel(bytes).metadata);

    assert(/^[0-9a-f]{64}$/.test(weights) && /^\d+\.\d+\.\d+$/.test(packageVersion));
    assertEquals<unknown>(metadata, {
      ...describe(system, temperature),
      ...{ parameters: { ...system.parameters }, preset: "noe2019-class", temperature, seed: 7 },
      ...{ role, precision: "float32", dim: 12, prior: "normal", logWeight: true },
    });
  }
});

Deno.test("exportFlow() refuses systems that are not the ones described, and energies that it does not know", () => {
  const well = new DoubleWell({ dim: 3 });
  const flow = { bijector: randomRealNVP({ dim: 3, blocks: 1, hidden: [4] }), prior: new NormalPrior(3) };
  const refusal = (system: WritableSystem, change = {}) =>
    assertThrows(() => exportFlow(flow, { ...describe(well, 1), ...change }, { system }), Error).message;
  const crowd = new ParticleDimer({ solvent: 441 });
  const crowded = { bijector: { dim: crowd.dim } as never, prior: new NormalPrior(crowd.dim) };

  assertEquals(
    [
      refusal(new DoubleWell({ dim: 2 })),
      refusal(new DoubleWell({ dim: 3, c: 2 })),
      refusal(new DoubleWell({ dim: 3, preset: "snf" })),
      refusal(well, { parameters: { ...well.parameters, extra: 1 } }),
      refusal(well, { temperature: -1 }),
      refusal({ name: "mine", dim: 3, energy: (x: Float64Array) => x } as never),
      assertThrows(() => exportFlow(crowded, describe(crowd, 1), { system: crowd }), Error).message,
    ],
    [
      "system must have dim = 3, got 2",
      "c of the system must be 1 as described, got 2",
      'preset of the system must be "noe2019" as described, got "snf"',
      "extra of the system must be 1 as described, got undefined",
      "temperature must be positive, got -1",
      'system must be one whose energy models can hold, got "mine": write it with systemFromEnergy',
      "system must have at most 400 labels, got 441",
    ].map((rest) => `Cannot export flow: ${rest}`),
  );
  exportFlow(flow, description, { system: ownSystem });
});

Deno.test("the ONNX checker accepts models that weigh and draw", { ignore: !hasOnnxChecker }, async () => {
  const variants = Object.values(systems).flatMap((system) =>
    precisions.flatMap((precision: Precision) => {
      const [mapping, drawing] = [false, true].map((drawsItself) =>
        exported(system, { system, precision, drawsItself, storage: "float16" })
      );
      return [mapping.sampler, mapping.density, drawing.sampler];
    })
  );
  const particles = particleFlow({ particles: 4, spatialDim: 2, head: { kind: "mixture", components: 2 } });
  const flow = { bijector: particles, prior: new NormalPrior(8) };
  const options = { system: systems.liquid, drawsItself: true };
  const { sampler } = exportFlow(flow, describe(systems.liquid, 1), options);

  const seen = await checkWithPython([sampler, ...variants]);

  const drawn = ["n 7 [1]", "x 1 ['n', 8]", "logDet 11 ['n']", "z 1 ['n', 8]", "logWeight 11 ['n']"];
  assertEquals(seen.slice(0, 5), drawn);
  assertEquals(seen.length, 5 + 2 * Object.keys(systems).length * (4 + 4 + 5));
});
