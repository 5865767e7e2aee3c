import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { input } from "../../src/graph/operations.ts";
import { type MixtureAttributes, mixtureFeatures } from "../../src/graph/mixture_features.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { assertClose } from "../support/assert_close.ts";
import {
  lastOf,
  mixtureEvaluation,
  type MixtureName,
  sizes,
  styles,
  withoutLast,
} from "../support/mixture_examples.ts";
import {
  conditioning,
  exactly,
  exampleWithin,
  type Inputs,
  type Results,
  tolerances,
} from "../support/mixture_rounding.ts";
import { normals } from "../support/random_arrays.ts";

const names = ["mixtureLogProb", "mixtureEncode", "mixtureDecode"] as const;
const SAMPLES = 70;

function byKernels(name: MixtureName, size: MixtureAttributes, inputs: Inputs, cotangent: Float64Array): Results {
  const graph = new Graph();
  const { shape, n } = mixtureEvaluation(name, size, ...inputs);
  const tensors = [input(graph, "features", mixtureFeatures(size)), input(graph, "rows", size.spatialDim)];
  using run = new KernelRun([graph.add(name, tensors, size, shape)], { n, inputGradients: true });
  const [value] = run.forward(inputs);
  const [byFeatures, byRows] = run.backward([cotangent]);
  return [value, byFeatures, byRows];
}

/** What both builds are compared with. */
const both = new Map<string, ReturnType<typeof conditioning>>();

for (const deterministic of [false, true]) {
  const build = await loadKernels({ deterministic });
  const use = () => loadKernels({ deterministic });

  for (const name of names) {
    Deno.test(`${name}: kernels agree with float64 as far as rounding allows, gentle and extreme (${build})`, async () => {
      await use();
      for (const size of sizes) {
        for (const style of styles) {
          for (const reach of [3, 8]) {
            const inputs = exampleWithin(name, size, SAMPLES, style, reach, 3);
            const width = name === "mixtureLogProb" ? 1 : size.spatialDim + 1;
            const cotangent = normals(SAMPLES * width, 5);
            const what = JSON.stringify({ ...size, ...style, reach });
            const condition = both.get(name + what) ?? conditioning(name, size, inputs, cotangent, SAMPLES);
            both.set(name + what, condition);
            const allowed = tolerances(condition, SAMPLES, cotangent, reach);
            const got = byKernels(name, size, inputs, cotangent);
            got.forEach((result, k) => assertClose(result, condition.right[k], allowed[k], `${what}, result ${k}`));

            if (style !== styles[0] || reach > 3) continue;
            const spoilt = got.map((result) => Float64Array.from(result, (v) => v * 1.001));
            spoilt.forEach((result, k) =>
              assertThrows(() => assertClose(result, condition.right[k], allowed[k]), Error, "differs by", what)
            );
          }
        }
      }
    });

    Deno.test(`${name}: a sample does not depend on its neighbours, and NaN stays in its sample (${build})`, async () => {
      await use();
      const size = { spatialDim: 2, components: 5 };
      const [features, rows] = exampleWithin(name, size, SAMPLES, styles[1], 6, 3);
      const cotangent = normals(SAMPLES * (name === "mixtureLogProb" ? 1 : 3), 5);
      const right = byKernels(name, size, [features, rows], cotangent);
      const width = mixtureFeatures(size);
      for (const feature of [0, 6, 12, 16, 21, 26, width - 1]) {
        const broken = byKernels(name, size, [features.with(34 * width + feature, NaN), rows], cotangent);
        broken.forEach((result, k) => {
          const perSample = result.length / SAMPLES;
          for (let i = 0; i < result.length; i++) {
            if (Math.floor(i / perSample) !== 34) {
              assertEquals(result[i], right[k][i], `feature ${feature}, result ${k}`);
            }
          }
          const last = k === 0 ? 35 * perSample - 1 : 34 * perSample;
          assertEquals(result[last], NaN, `feature ${feature}, result ${k}`);
        });
      }
    });
  }

  Deno.test(`mixtureDecode: NaN in z, a mean or a logit gives NaN in the coordinates that depend on it (${build})`, async () => {
    await use();
    for (const components of [1, 4]) {
      const size = { spatialDim: 1, components };
      const [features, z] = exampleWithin("mixtureDecode", size, SAMPLES, styles[1], 3, 3);
      const cotangent = new Float64Array(2 * SAMPLES);
      const decode = (f: Float64Array, x: Float64Array) => byKernels("mixtureDecode", size, [f, x], cotangent)[0];

      assertEquals(decode(features, z.with(0, NaN))[0], NaN);
      assertEquals(decode(features.with(components, NaN), z)[0], NaN);
      assertEquals(decode(features.with(2 * components, NaN), z)[0], NaN);
      assertEquals(decode(features.with(0, NaN), z)[0], NaN);
      assert(!Number.isNaN(decode(features, z)[0]));
    }
  });

  Deno.test(`encode of decode returns z up to ±8 as far as the rounding of r allows (${build})`, async () => {
    await use();
    for (const size of sizes) {
      const dim = size.spatialDim;
      for (const style of styles) {
        const [features, z] = exampleWithin("mixtureDecode", size, SAMPLES, style, 8, 3);
        const zero = new Float64Array(SAMPLES * (dim + 1));
        const decoded = Float64Array.from(byKernels("mixtureDecode", size, [features, z], zero)[0]);
        const r = withoutLast(decoded, dim);
        const condition = conditioning("mixtureEncode", size, [features, r], zero, SAMPLES);
        const allowed = tolerances(condition, SAMPLES, zero, 8)[0];
        const [encoded] = byKernels("mixtureEncode", size, [features, r], zero);
        const what = JSON.stringify({ ...size, ...style });
        const rows = Float64Array.from(encoded);
        assertClose(withoutLast(rows, dim), z, withoutLast(allowed, dim), what);
        assertClose(lastOf(rows, dim), lastOf(decoded, dim), lastOf(allowed, dim), `log p, ${what}`);
        assertThrows(() => assertClose(withoutLast(rows, dim), z.with(0, z[0] + 1), withoutLast(allowed, dim)), Error);
      }
    }
  });

  Deno.test(`far out log p is a parabola, then −∞; z is ∓∞ beyond 13 widths (${build})`, async () => {
    await use();
    const size = { spatialDim: 1, components: 2 };
    const places = [20, -20, 1e4, 1e18, 1e20, -1e30, Infinity];
    const features = Float64Array.from(places.flatMap(() => [0, 0, -1, 1, 0, 0]));
    const inputs: Inputs = [features, Float64Array.from(places)];
    const [exact] = exactly("mixtureLogProb", size, inputs, new Float64Array(places.length));
    const [logProb] = byKernels("mixtureLogProb", size, inputs, new Float64Array(places.length));
    const [encoded] = byKernels("mixtureEncode", size, inputs, new Float64Array(2 * places.length));

    assertClose(Array.from(logProb).slice(0, 4), Array.from(exact).slice(0, 4), { relative: 1e-6 });
    assertEquals(Array.from(logProb).slice(4), [-Infinity, -Infinity, -Infinity]);
    assertEquals([encoded[0], encoded[2], encoded[4]], [Infinity, -Infinity, Infinity]);
  });
}
