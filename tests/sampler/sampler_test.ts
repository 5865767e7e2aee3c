import { assert, assertEquals, assertRejects } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { loadDensity, loadSampler } from "../../src/sampler/load.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import { exportFlow } from "../../src/onnx/export_flow.ts";
import { description, exportBijector, noise, randomRealNVP } from "../onnx/flow_example.ts";

const dim = 6;
const flow = randomRealNVP({ dim, blocks: 2, hidden: [8, 8] });
const single = exportBijector(flow, "float32");
const double = exportBijector(flow, "float64");

async function refusal(call: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(call, Error)).message;
}

/** x and log q(x) of the prior's own samples, in float64. */
function reference(n: number, seed: number): { x: Float64Array; logProb: Float64Array } {
  const z = new NormalPrior(dim).sample(n, seed);
  const graph = new Graph();
  const { x, logDet } = flow.forward(input(graph, "z", dim));
  const [value, volume] = evaluateReference([x, logDet], [z], n);
  const logProb = volume.map((v, row) => {
    const squares = z.subarray(row * dim, (row + 1) * dim).reduce((sum, c) => sum + c * c, 0);
    return -0.5 * squares - 0.5 * dim * Math.log(2 * Math.PI) - v;
  });
  return { x: value, logProb };
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  assertEquals(a.length, b.length);
  return a.reduce((most, value, i) => Math.max(most, Number.isNaN(value) ? Infinity : Math.abs(value - b[i])), 0);
}

Deno.test("loadSampler() draws the samples that the flow itself draws from the same seed", async () => {
  const n = 70;
  const expected = reference(n, 11);
  await using exact = await loadSampler(double.sampler);
  await using rounded = await loadSampler(single.sampler);

  const { x, logProb } = await exact.sample(n, { seed: 11 });
  const coarse = await rounded.sample(n, { seed: 11 });

  assert(largestDifference(x, expected.x) < 1e-12);
  assert(largestDifference(logProb, expected.logProb) < 1e-12);
  // 2 blocks of 3 layers of 8: some tens of float32 roundings of numbers below 10.
  assert(largestDifference(coarse.x, expected.x) < 2e-5);
  assert(largestDifference(coarse.logProb, expected.logProb) < 2e-5);
});

Deno.test("loadSampler() agrees with the flow run by our own kernels", async () => {
  await loadKernels();
  const wide = new Flow(randomRealNVP({ dim: 12, blocks: 3, hidden: [33, 20] }));
  const { sampler, density } = exportFlow(wide, description);
  await using model = await loadSampler(sampler, { density });

  const own = wide.sample(300, { seed: 2 });
  const theirs = await model.sample(300, { seed: 2 });
  const back = await model.logProb(own.x);

  // Both run the networks in float32: some tens of roundings of numbers below 10 each.
  assert(largestDifference(theirs.x, own.x) < 5e-5);
  assert(largestDifference(theirs.logProb, own.logProb) < 5e-5);
  assert(largestDifference(back, own.logProb) < 2e-4); // once more through the rounded inverse
});

Deno.test("ModelSampler.sample() gives sample i whatever the chunk and the first sample", async () => {
  await using small = await loadSampler(double.sampler, { chunk: 7 });
  await using large = await loadSampler(double.sampler);

  const whole = await large.sample(40, { seed: 3 });
  const pieces = await small.sample(40, { seed: 3 });
  const tail = await small.sample(10, { seed: 3, first: 30 });

  assert(largestDifference(pieces.x, whole.x) < 1e-13);
  assert(largestDifference(pieces.logProb, whole.logProb) < 1e-12);
  assert(largestDifference(tail.x, whole.x.slice(30 * dim)) < 1e-13);
  assert(largestDifference((await large.sample(40, { seed: 4 })).x, whole.x) > 0.1);
});

Deno.test("ModelSampler.sample() gives the same numbers twice, and also when two calls overlap", async () => {
  await using sampler = await loadSampler(single.sampler, { chunk: 16 });

  const [a, b] = await Promise.all([sampler.sample(50, { seed: 5 }), sampler.sample(50, { seed: 5 })]);

  assertEquals(a, b);
  assertEquals(await sampler.sample(0, { seed: 5 }), { x: new Float64Array(), logProb: new Float64Array() });
});

Deno.test("ModelSampler.chunks() yields batches of the chunk's size", async () => {
  await using sampler = await loadSampler(single.sampler, { chunk: 20 });
  const sizes: number[] = [];

  for await (const { x, logProb } of sampler.chunks(50, { seed: 5 })) {
    sizes.push(logProb.length);
    assertEquals(x.length, dim * logProb.length);
  }

  assertEquals(sizes, [20, 20, 10]);
});

Deno.test("logProb() of a sampler's own samples is the density that came with them", async () => {
  await using sampler = await loadSampler(double.sampler, { density: double.density, chunk: 32 });
  const { x, logProb } = await sampler.sample(50, { seed: 8 });

  const again = await sampler.logProb(x);

  assert(largestDifference(again, logProb) < 1e-11);
  const foreign = await sampler.logProb(noise(4 * dim, 2));
  assert(foreign.length === 4 && foreign.every(Number.isFinite));
});

Deno.test("the density of a model in two dimensions integrates to one", async () => {
  const plane = exportBijector(randomRealNVP({ dim: 2, blocks: 2, hidden: [8] }), "float32");
  await using density = await loadDensity(plane.density, { chunk: 4096 });
  const cells = 400;
  const reach = 25;
  const step = 2 * reach / cells;
  const grid = Float64Array.from({ length: 2 * cells * cells }, (_, k) => {
    const cell = k >> 1;
    return -reach + step * (0.5 + (k % 2 === 0 ? cell % cells : Math.floor(cell / cells)));
  });

  const total = (await density.logProb(grid)).reduce((sum, p) => sum + Math.exp(p) * step * step, 0);

  // The midpoint rule is exact to rounding for a smooth density that vanishes at the edge of the grid.
  assert(Math.abs(total - 1) < 1e-4, `integral ${total}`);
});

Deno.test("DensityModel.latent() returns the z that the sampler started from", async () => {
  await using sampler = await loadSampler(double.sampler);
  await using density = await loadDensity(double.density);
  const { x } = await sampler.sample(20, { seed: 6 });

  const { z } = await density.latent(x);

  assert(largestDifference(z, new NormalPrior(dim).sample(20, 6)) < 1e-11);
});

Deno.test("metadata of the file are at hand", async () => {
  await using sampler = await loadSampler(single.sampler);

  const { system, temperature, parameters, dim: coordinates } = sampler.metadata;

  assertEquals([system, temperature, parameters, coordinates], [
    description.system,
    description.temperature,
    description.parameters,
    dim,
  ]);
});

Deno.test("loadSampler() refuses renamed, mixed, foreign and cut files", async () => {
  const other = exportBijector(randomRealNVP({ dim, blocks: 1, hidden: [4] }));
  const uniform = decodeModel(single.sampler);
  const prior = encodeModel({ ...uniform, metadata: { ...uniform.metadata, prior: "uniform" } });

  assertEquals(
    await refusal(() => loadSampler(single.density)),
    "Cannot open ONNX model: file must be a sampler, got a density: use sampler.onnx of the same run",
  );
  assertEquals(
    await refusal(() => loadDensity(single.sampler)),
    "Cannot open ONNX model: file must be a density, got a sampler: use density.onnx of the same run",
  );
  const mixed = await refusal(() => loadSampler(single.sampler, { density: other.density }));
  const checksum = (bytes: Uint8Array) => decodeModel(bytes).metadata.weights.slice(0, 8);
  assertEquals(
    mixed,
    "Cannot open ONNX model: sampler and density must have the same weights, got " +
      `${checksum(single.sampler)} and ${checksum(other.density)}: use the files of one export`,
  );
  assertEquals(
    await refusal(() => loadSampler(single.sampler.slice(0, 1000))),
    "Cannot read ONNX model: file must be complete, got 1000 bytes that break off: fetch it again",
  );
  assertEquals(
    await refusal(() => loadSampler(prior)),
    'Cannot open ONNX model: prior must be "normal", got "uniform"',
  );
});

Deno.test("ModelSampler and DensityModel refuse impossible numbers and use after close", async () => {
  const sampler = await loadSampler(single.sampler);
  const density = await loadDensity(single.density);

  assertEquals(
    await refusal(() => sampler.sample(-1, { seed: 1 })),
    "Cannot draw samples: n must be a whole number from 0 to 2^53 - 1, got -1",
  );
  assertEquals(
    await refusal(() => sampler.sample(1, { seed: 0.5 })),
    "Cannot draw samples: seed must be a whole number from 0 to 2^53 - 1, got 0.5",
  );
  assertEquals(
    await refusal(() => sampler.sample(1, { seed: 1, first: NaN })),
    "Cannot draw samples: first must be a whole number from 0 to 2^53 - 1, got NaN",
  );
  assertEquals(
    await refusal(() => density.logProb(new Float64Array(7))),
    "Cannot compute log-densities: x must have a multiple of 6 numbers, got 7",
  );
  assertEquals(
    await refusal(() => sampler.logProb(new Float64Array(6))),
    "Cannot compute log-densities: sampler must be loaded with its density, got none: pass density.onnx as options.density",
  );
  assertEquals(
    await refusal(() => loadSampler(single.sampler, { chunk: 0 })),
    "Cannot open ONNX model: chunk must be a whole number ≥ 1, got 0",
  );
  await sampler.close();
  await sampler.close();
  await density.close();
  assertEquals(
    await refusal(() => sampler.sample(1, { seed: 1 })),
    "Cannot run ONNX model: session must be open, got a closed one: load the model again",
  );
});

Deno.test("loadSampler() leaves the program's Worker class alone: threads still start", async () => {
  const { Worker } = globalThis;
  const bijector = new RealNVP({ dim: 2, blocks: 1, hidden: [4] });
  const { sampler } = exportFlow(new Flow(bijector), description);

  await using model = await loadSampler(sampler);
  await model.sample(1, { seed: 1 });

  assertEquals(globalThis.Worker, Worker);
});
