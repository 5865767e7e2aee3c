import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { allocatedBytes } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Chain } from "../../src/flow/chain.ts";
import { Flow } from "../../src/flow/flow.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { assertClose } from "../support/assert_close.ts";
import { exactWithTolerance } from "../support/float32_emulation.ts";
import { normals } from "../support/random_arrays.ts";
import { assertMeanIs } from "../support/statistics.ts";
import { correlatedData, realNVP, whitening } from "./bijector_examples.ts";

await loadKernels();

const dim = 3;
const example = () => new Flow(new Chain([realNVP({ dim }), whitening(dim)]));

Deno.test("sample i is the same bytes for any number of samples, first sample, chunk and number of threads", async () => {
  const flow = example();
  const seed = 5;
  const all = flow.sample(4500, { seed });

  const assertPart = (first: number, n: number, part: ReturnType<Flow["sample"]>) => {
    assertEquals(part.x, all.x.slice(first * dim, (first + n) * dim));
    assertEquals(part.z, all.z.slice(first * dim, (first + n) * dim));
    assertEquals(part.logProb, all.logProb.slice(first, first + n));
  };
  for (const n of [1, 31, 33, 191, 192, 256, 257, 1000, 2048, 2049]) assertPart(0, n, flow.sample(n, { seed }));
  for (const [first, n] of [[1, 1], [17, 33], [255, 2], [2047, 300], [4499, 1]]) {
    assertPart(first, n, flow.sample(n, { seed, first }));
  }
  for (const threads of [1, 2, 3]) {
    using pool = await ThreadPool.open(threads);
    assertPart(0, 4500, flow.sample(4500, { seed, pool }));
    assertPart(0, 100, flow.sample(100, { seed, pool }));
    flow.release();
  }
  assertNotEquals(flow.sample(1, { seed: 6 }).x, all.x.slice(0, dim));
});

Deno.test("decode() and encode() of any number of rows are those of single rows, on any number of threads", async () => {
  const flow = example();
  const z = normals(2100 * dim, 1);
  using pool = await ThreadPool.open(2);
  for (const n of [1, 255, 256, 257, 2100]) {
    const part = z.slice(0, n * dim);
    const decoded = flow.decode(part);
    assertEquals(flow.decode(part, { pool }), decoded);
    assertEquals(flow.encode(decoded.x, { pool }), flow.encode(decoded.x));
    const last = flow.decode(part.slice((n - 1) * dim));
    assertEquals(last.x, decoded.x.slice((n - 1) * dim));
    assertEquals(last.logProb[0], decoded.logProb[n - 1]);
  }
});

Deno.test("logProb() of a sample is the log-density that came with it, but for rounding of the way there and back", () => {
  const flow = example();
  const { x, z, logProb } = flow.sample(600, { seed: 2 });
  const exact = (direction: "sample" | "density", from: Float64Array) => {
    const at = input(new Graph(), "from", dim);
    const output = direction === "sample" ? flow.pushForward(at).logProb : flow.logProbOf(at);
    return exactWithTolerance([output], [from], 600)[0];
  };
  const [there, back] = [exact("sample", z), exact("density", x)];

  assertClose(logProb, there.value, { absolute: there.tolerance }, "sample");
  assertClose(flow.logProb(x), back.value, { absolute: back.tolerance }, "density");
  assertClose(flow.logProb(x), logProb, { absolute: there.tolerance + back.tolerance }, "both");
  assert(there.tolerance + back.tolerance < 1e-3, "the comparison is not empty");
});

Deno.test("the density that kernels compute integrates to one", () => {
  const flow = new Flow(realNVP({ dim: 2 }));
  const [points, reach] = [301, 14];
  const step = 2 * reach / (points - 1);
  const grid = new Float64Array(2 * points * points);
  for (let i = 0; i < points * points; i++) {
    grid.set([Math.floor(i / points) * step - reach, (i % points) * step - reach], 2 * i);
  }

  const integral = flow.logProb(grid).reduce((sum, logProb) => sum + Math.exp(logProb) * step * step, 0);

  // Each density errs by about 1e-6 relative in float32.
  assertClose(integral, 1, { absolute: 1e-5 });
});

Deno.test("an affine flow samples the normal distribution that it is", () => {
  const n = 20_000;
  const scale = [0.5, 2, 1.5];
  const flow = new Flow(new Scaling({ dim, logScale: scale.map(Math.log) }));

  const { x, logProb } = flow.sample(n, { seed: 3 });

  for (let j = 0; j < dim; j++) {
    const component = x.filter((_, i) => i % dim === j);
    assertMeanIs(component, 0, `mean of coordinate ${j}`);
    assertMeanIs(component.map((v) => v * v), scale[j] ** 2, `second moment of coordinate ${j}`);
    const product = component.map((v, i) => v * x[i * dim + (j + 1) % dim]);
    assertMeanIs(product, 0, `covariance of coordinates ${j} and ${(j + 1) % dim}`);
  }
  const closedForm = (i: number) =>
    scale.reduce((sum, s, j) => sum - 0.5 * (x[i * dim + j] / s) ** 2 - Math.log(s * Math.sqrt(2 * Math.PI)), 0);
  // Rounding of k, z and x to float32: 2⁻²⁴ · |z|² and 2⁻²⁴ · Σ |k|.
  assertClose(logProb, logProb.map((_, i) => closedForm(i)), { absolute: 1e-5 });
});

Deno.test("samples of a flow that is not affine have the density that it states", () => {
  const flow = new Flow(realNVP({ dim: 2 }));
  const { x, logProb } = flow.sample(20_000, { seed: 4 });
  const centre = flow.decode(Float64Array.of(0, 0)).x;
  const width = 0.3; // well inside the density, so that weights are bounded

  // The mean of p / p_X over samples of p_X is the integral of p, for any normalised p.
  const weights = logProb.map((log, i) => {
    const square = (x[2 * i] - centre[0]) ** 2 + (x[2 * i + 1] - centre[1]) ** 2;
    return Math.exp(-0.5 * square / width ** 2 - Math.log(2 * Math.PI * width ** 2) - log);
  });

  assertMeanIs(weights, 1, "mean weight");
  // Densities that are wrong by a constant factor would show.
  assertThrows(() => assertMeanIs(weights.map((w) => 1.1 * w), 1), Error, "expected 1");
});

Deno.test("new parameters count at once, also where memory is prepared", () => {
  const scaling = new Scaling({ dim: 1 });
  const flow = new Flow(scaling);
  assertEquals([...flow.decode(Float64Array.of(3)).x], [3]);

  scaling.parameters()[0].set([Math.LN2]);

  assertClose(flow.decode(Float64Array.of(3)).x, [6], { relative: 1e-6 });
  assertClose(flow.encode(Float64Array.of(6)).z, [3], { relative: 1e-6 });
});

Deno.test("a row that is not a number spoils no other row", () => {
  const flow = example();
  const x = correlatedData(50, dim);
  const right = flow.logProb(x);

  const wrong = flow.logProb(x.with(7 * dim, NaN));

  wrong.forEach((value, i) => assertEquals(value, i === 7 ? NaN : right[i], `row ${i}`));
});

Deno.test("release() frees prepared memory, and the flow stays usable", () => {
  const flow = example();
  const expected = flow.sample(10, { seed: 1 });
  flow.logProb(expected.x); // packed weights of both directions are made once and belong to the parameters
  flow.release();
  const before = allocatedBytes();
  flow.sample(10, { seed: 1 });
  flow.logProb(flow.sample(3000, { seed: 1 }).x);
  assert(allocatedBytes() > before);

  flow.release();

  assertEquals(allocatedBytes(), before);
  assertEquals(flow.sample(10, { seed: 1, pool: serialPool }), expected);
});

Deno.test("a flow refuses a prior of another dimension, impossible n and rows that are not whole", () => {
  const flow = new Flow(new Scaling({ dim: 2 }));
  assertThrows(
    () => new Flow(new Scaling({ dim: 2 }), new NormalPrior(3)),
    RangeError,
    "Cannot make a flow: prior and bijector must have one dim, got 3 and 2",
  );
  for (const n of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => flow.sample(n, { seed: 1 }),
      RangeError,
      `Cannot sample from the flow: n must be a whole number ≥ 1, got ${n}`,
    );
  }
  assertThrows(
    () => flow.logProb(Float64Array.of(1, 2, 3)),
    RangeError,
    "Cannot read a batch: x must hold a whole number ≥ 1 of rows of 2, got length 3",
  );
});
