/**
 * Exported particle flows: large graphs with loops, of conditional densities that must stay exact far out.
 *
 * @module
 */
import "../../src/backend/loaded.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { input } from "../../src/graph/operations.ts";
import type { AutoregressiveParticleFlow } from "../../src/flow/autoregressive_particle_flow.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import type { Model, ModelNode } from "../../src/format/model.ts";
import type { Precision } from "../../src/sampler/metadata.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import { particleFlow } from "../flow/bijector_examples.ts";
import { normals } from "../support/random_arrays.ts";
import { exportBijector } from "./flow_example.ts";
import {
  agreesWithReference,
  densityInvertsSampler,
  logDetIsOfJacobian,
  type ModelUnderTest,
  runFlowModel,
} from "./laws.ts";
import { checkWithPython, hasOnnxChecker } from "./onnx_checker.ts";

const mixture = { kind: "mixture", components: 4 } as const;

/** Energy-tilted heads of particles that repel each other, in a trap. */
function tilted(spatialDim: 1 | 2 | 3) {
  const interactions = {
    spatialDim,
    pairTerm: (i: number, j: number) => (i + j) % 3 === 0 ? wide : narrow,
    oneBodyEnergy: (_particle: number, _axis: number, x: number) => 0.3 * x * x,
  };
  return { kind: "tilted", interactions, basis: 4, grid: { fine: 17, coarse: 9 } } as const;
}
const wide = { cutoff: 2.5, energy: (r: number) => 2 * (1 - r / 2.5) ** 2 };
const narrow = { cutoff: 1.5, energy: (r: number) => 0.3 / r ** 2 - 0.3 / 1.5 ** 2 };

/** Flows of every kind. */
const flows: Readonly<Record<string, () => AutoregressiveParticleFlow>> = {
  "mixtures, 1-D": () => particleFlow({ particles: 3, spatialDim: 1, head: mixture }),
  "mixtures, 2-D": () => particleFlow({ particles: 3, spatialDim: 2, head: mixture }),
  "mixtures, 3-D, a temperature": () =>
    particleFlow({ particles: 2, spatialDim: 3, head: mixture, temperatures: { centre: 0.1, spread: 0.4 } }),
  "tilted, 1-D": () => particleFlow({ particles: 3, spatialDim: 1, head: tilted(1) }),
  "tilted, 2-D, a temperature": () =>
    particleFlow({ particles: 4, spatialDim: 2, head: tilted(2), temperatures: { centre: 0.1, spread: 0.4 } }),
  "tilted, 3-D": () => particleFlow({ particles: 3, spatialDim: 3, head: tilted(3) }),
};

function exported(bijector: Bijector, precision: Precision): { sampler: ModelUnderTest; density: ModelUnderTest } {
  const { sampler, density } = exportBijector(bijector, precision);
  const { dim } = bijector;
  return {
    sampler: { bytes: sampler, role: "sampler", precision, dim },
    density: { bytes: density, role: "density", precision, dim },
  };
}

/** Normal numbers with one coordinate in each row moved to ±6; a temperature, which comes first, stays. */
function latent(bijector: AutoregressiveParticleFlow, rows: number): Float64Array {
  const first = bijector.options.temperatures === undefined ? 0 : 1;
  const z = normals(rows * bijector.dim, 5);
  for (let row = 0; row < rows; row++) {
    z[row * bijector.dim + first + row % (bijector.dim - first)] = row % 2 === 0 ? 6 : -6;
  }
  return z;
}

for (const [name, make] of Object.entries(flows)) {
  Deno.test(`a particle flow of ${name} exports in float64 to models that keep the laws of a flow`, async () => {
    const bijector = make();
    const { sampler, density } = exported(bijector, "float64");
    const z = latent(bijector, 24);
    const { value: x } = await runFlowModel(sampler, z);

    // Roundings of a few hundred operations, times slopes dx/dz up to some hundreds where z is 6.
    await agreesWithReference(sampler, bijector, z, { value: 1e-9, logDet: 1e-9 });
    await agreesWithReference(density, bijector, x, { value: 1e-9, logDet: 1e-9 });
    await densityInvertsSampler(sampler, density, z, 1e-8);
    // Differences across a kink of a tilted density err by the step times the jump of the slope.
    const inside = normals(3 * bijector.dim, 8, 0.5);
    await logDetIsOfJacobian(sampler, inside, name.startsWith("tilted") ? 1e-4 : 1e-6);
  });

  Deno.test(`a particle flow of ${name} exports in float32 to models that agree with float64 and kernels`, async () => {
    const bijector = make();
    const { sampler, density } = exported(bijector, "float32");
    const z = latent(bijector, 24);
    const kernels = runKernels(bijector, z);

    const single = await runFlowModel(sampler, z);
    const double = await runFlowModel(exported(bijector, "float64").sampler, z);

    // Some hundred roundings of 2⁻²⁴ times slopes dx/dz; log p changes little where x may move. Without tails that are
    // exact relatively, x would err by 2⁻²⁴ √(2π) e¹⁸ dx/dz at z = 6: by several units.
    closeTo(single.value, double.value, 4e-4, "x and float64");
    closeTo(single.logDet, double.logDet, 1e-4, "log-determinants and float64");
    closeTo(single.value, kernels.x, 4e-4, "x and kernels");
    closeTo(single.logDet, kernels.logDet, 1e-4, "log-determinants and kernels");
    await densityInvertsSampler(sampler, density, z, 1e-4);
  });
}

function runKernels(bijector: Bijector, z: Float64Array): { x: Float64Array; logDet: Float64Array } {
  const { x, logDet } = bijector.forward(input(new Graph(), "z", bijector.dim));
  using run = new KernelRun([x, logDet], { n: z.length / bijector.dim });
  const [values, logDets] = run.forward([z]);
  return { x: values.slice(), logDet: logDets.slice() };
}

function closeTo(got: Float64Array, expected: Float64Array, tolerance: number, what: string): void {
  const error = got.reduce((most, v, i) => Math.max(most, Number.isNaN(v) ? Infinity : Math.abs(v - expected[i])), 0);
  assert(error <= tolerance, `${what} differ by ${error}`);
}

Deno.test("densities stay finite and exact far outside of the data", async () => {
  for (const make of [flows["mixtures, 2-D"], flows["tilted, 3-D"]]) {
    const bijector = make();
    const x = normals(8 * bijector.dim, 6, 40);
    const reference = exported(bijector, "float64").density;
    const exact = await runFlowModel(reference, x);

    // The reference of mixtures has no logarithms of masses: there z is infinite beyond 38.
    if (make === flows["tilted, 3-D"]) {
      await agreesWithReference(reference, bijector, x, { value: 1e-8, logDet: 1e-7 });
    }
    const single = await runFlowModel(exported(bijector, "float32").density, x);

    assert(exact.logDet.every(Number.isFinite) && Math.max(...exact.value.map(Math.abs)) > 30);
    const relative = (values: Float64Array, to: Float64Array) => values.map((v, i) => v / Math.max(1, Math.abs(to[i])));
    closeTo(relative(single.value, exact.value), relative(exact.value, exact.value), 1e-4, "far z");
  }
});

Deno.test("samples of a model do not depend on those beside them", async () => {
  for (const name of ["mixtures, 2-D", "tilted, 2-D, a temperature"]) {
    const bijector = flows[name]();
    const { sampler, density } = exportBijector(bijector);
    await using all = await loadSampler(sampler, { density });
    await using one = await loadSampler(sampler, { density, chunk: 1 });
    const { x, logProb } = await all.sample(40, { seed: 3 });
    const again = await one.sample(40, { seed: 3 });

    // The runtime multiplies matrices of one row in another order: a rounding or two apart, no more.
    closeTo(x, again.x, 2e-5, name);
    closeTo(logProb, await one.logProb(x), 1e-3, name);
    closeTo(logProb, again.logProb, 1e-3, name);
  }
});

Deno.test("small models map golden points as they did when they were first exported", async () => {
  const golden = {
    "mixtures, 2-D": {
      x: [-0.63171197016987, -1.11353038641789, 4.56723939089783, 2.45749635953599, 0.32128105874133, 13.261909476736],
      logDet: 2.56388239736675,
    },
    "tilted, 1-D": { x: [-0.12935395935820, -1.85479417141217, 2.54975373901710], logDet: 0.94337699206704 },
  };
  for (const [name, { x, logDet }] of Object.entries(golden)) {
    const bijector = flows[name]();
    const z = Float64Array.from({ length: bijector.dim }, (_, i) => [0.5, -1, 2][i % 3]);
    const got = await runFlowModel(exported(bijector, "float64").sampler, z);
    closeTo(got.value, Float64Array.from(x), 1e-9, name);
    closeTo(got.logDet, Float64Array.of(logDet), 1e-9, name);
  }
});

Deno.test("the ONNX checker accepts the models of particle flows", { ignore: !hasOnnxChecker }, async () => {
  const files = Object.values(flows).flatMap((make) => {
    const { sampler, density } = exportBijector(make());
    return [sampler, density];
  });

  assertEquals((await checkWithPython(files)).length, 3 * files.length);
});

/** Changes the nodes that `which` chooses. */
function rewrite(which: (node: ModelNode) => boolean, change: (node: ModelNode) => Partial<ModelNode>) {
  return (model: Model): Model => {
    assert(model.nodes.some(which), "nothing to break");
    return { ...model, nodes: model.nodes.map((node) => which(node) ? { ...node, ...change(node) } : node) };
  };
}

/** The loop stops after one step: its condition is turned round. */
const oneStep = rewrite(({ operator }) => operator === "Loop", ({ attributes: { body } }) => {
  assert(body.kind === "graph");
  const { nodes } = body.value;
  const last = nodes.findLastIndex(({ operator }) => operator === "Less");
  const turned = nodes.with(last, { ...nodes[last], inputs: nodes[last].inputs.toReversed() });
  return { attributes: { body: { kind: "graph", value: { ...body.value, nodes: turned } } } };
});

/** Masses are summed from the left only. */
const oneSided = rewrite(({ operator }) => operator === "CumSum", ({ attributes }) => ({
  attributes: { ...attributes, reverse: { kind: "integer", value: 0 } },
}));

/** Slopes of energies are looked up in the table of values. */
function valuesForSlopes(model: Model): Model {
  const tables = model.initializers.filter(({ dims, data }) => dims.length === 1 && data instanceof Float64Array);
  const { name } = tables.find(({ dims }) => dims[0] > 200)!;
  const places = new Set(model.nodes.filter(({ inputs }) => inputs[0] === name).map(({ inputs }) => inputs[1]));
  return rewrite(
    ({ operator, inputs }) => operator === "GatherElements" && places.has(inputs[1]),
    ({ inputs }) => ({ inputs: [name, inputs[1]] }),
  )(model);
}

for (
  const [name, what, change] of [
    ["mixtures, 2-D", "a loop that ends after a step", oneStep],
    ["tilted, 1-D", "masses from one side only", oneSided],
    ["tilted, 3-D", "values for slopes", valuesForSlopes],
  ] as const
) {
  Deno.test(`the laws refuse particle flows of ${name} with ${what}`, async () => {
    const bijector = flows[name]();
    const { sampler } = exported(bijector, "float64");
    const wrong = { ...sampler, bytes: encodeModel(change(decodeModel(sampler.bytes))) };

    await assertRejects(
      () => agreesWithReference(wrong, bijector, latent(bijector, 24), { value: 1e-3, logDet: 1e-3 }),
      Error,
      "differ from the reference",
    );
  });
}
