import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { NormalPrior } from "../../src/flow/prior.ts";
import { exportFlow } from "../../src/onnx/export_flow.ts";
import { fromHalf, toHalf } from "../../src/format/half.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import { particleFlow } from "../flow/bijector_examples.ts";
import { normals } from "../support/random_arrays.ts";
import { description } from "../onnx/flow_example.ts";
import { agreesWithReference, densityInvertsSampler, type ModelUnderTest } from "../onnx/laws.ts";
import { checkWithPython, hasOnnxChecker } from "../onnx/onnx_checker.ts";

/** All finite numbers of float16. */
const allBits = Uint16Array.from({ length: 2 * 0x7c00 }, (_, i) => i < 0x7c00 ? i : 0x8000 + i - 0x7c00);

Deno.test("toHalf() gives every number of float16 its own bits, and those between them the nearer ones", () => {
  const all = fromHalf(allBits);
  assertEquals(toHalf(all), allBits);

  for (let i = 0; i < 0x7bff; i++) {
    const [low, high] = [all[i], all[i + 1]];
    const middle = (low + high) / 2;
    const even = i % 2 === 0 ? i : i + 1;
    const near = (high - low) / 64;
    const bits = toHalf(Float32Array.of(middle - near, middle, middle + near, -middle));
    if (bits.join() !== `${i},${even},${i + 1},${0x8000 + even}`) throw new Error(`${middle} became ${bits}`);
  }
});

Deno.test("fromHalf() knows the numbers that the standard names", () => {
  const bits = Uint16Array.of(0x3c00, 0x3555, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000);

  assertEquals(fromHalf(bits), Float32Array.of(1, 0.333251953125, -2, 65504, 2 ** -14, 2 ** -24, -0));
});

Deno.test("toHalf() refuses numbers that float16 does not hold", () => {
  assertThrows(
    () => toHalf(Float32Array.of(1, -65520)),
    RangeError,
    "Cannot export flow: weights of float16 must be within ±65504, got -65520",
  );
});

const make = () => particleFlow({ particles: 3, spatialDim: 2, hidden: [32, 32], head: { kind: "mixture" } });

Deno.test("a flow with weights of float16 is exact for the rounded weights, in a file of little more than half", async () => {
  const [bijector, rounded] = [make(), make()];
  for (const parameter of rounded.parameters()) {
    if (parameter.trainable) parameter.set(fromHalf(toHalf(parameter.values())));
  }
  const flow = { bijector, prior: new NormalPrior(bijector.dim) };
  const files = exportFlow(flow, description, { precision: "float64", storage: "float16" });
  const model = (role: "sampler" | "density"): ModelUnderTest => {
    return { bytes: files[role], role, precision: "float64", dim: bijector.dim };
  };
  const z = normals(20 * bijector.dim, 3);

  await agreesWithReference(model("sampler"), rounded, z, { value: 1e-9, logDet: 1e-9 });
  await densityInvertsSampler(model("sampler"), model("density"), z, 1e-8);
  await assertRejects(
    () => agreesWithReference(model("sampler"), bijector, z, { value: 1e-9, logDet: 1e-9 }),
    Error,
    "differ",
  );
  const [half, single] = (["float16", "float32"] as const).map((storage) => exportFlow(flow, description, { storage }));
  const numbers = bijector.parameters().reduce((sum, { trainable, length }) => sum + (trainable ? length : 0), 0);
  assert(single.density.length - half.density.length > 1.9 * numbers);
});

Deno.test("models with weights of float16 and float32 are not of one flow", async () => {
  const bijector = make();
  const flow = { bijector, prior: new NormalPrior(bijector.dim) };
  const { sampler } = exportFlow(flow, description, { storage: "float16" });
  const { density } = exportFlow(flow, description);

  await assertRejects(() => loadSampler(sampler, { density }), Error, "sampler and density must have the same weights");
});

Deno.test("the ONNX checker accepts weights of float16", { ignore: !hasOnnxChecker }, async () => {
  const bijector = make();
  const flow = { bijector, prior: new NormalPrior(bijector.dim) };
  const { sampler, density } = exportFlow(flow, description, { storage: "float16" });

  assertEquals((await checkWithPython([sampler, density])).length, 6);
});
