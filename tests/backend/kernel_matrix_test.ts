import { assertEquals } from "@std/assert";
import { packedLength } from "../../src/backend/dense_layout.ts";
import { sumBound } from "./error_bounds.ts";
import { type Bound, builds, compare, random } from "./kernel_harness.ts";

const narrow = [1, 2, 3, 4, 5, 6, 7, 8, 9];
/** Panels, inputs, outputs: every narrow pair once, wide layers and tails at several numbers of panels. */
const shapes: [panels: number, k: number, n: number][] = [
  ...narrow.flatMap((k) => narrow.map((n): [number, number, number] => [1 + (k + n) % 3, k, n])),
  ...[[38, 200], [200, 38], [40, 76], [76, 40], [200, 200], [1, 200], [200, 1], [3, 76], [76, 2]]
    .flatMap(([k, n]) => [1, 9].map((panels): [number, number, number] => [panels, k, n])),
  ...[2, 3, 8].map((panels): [number, number, number] => [panels, 25, 26]),
  [0, 4, 4],
];

/** Packs w with the kernel itself, so that a wrong packing shows up in both of its tests. */
function packed(build: typeof builds[number], n: number, k: number, w: Float32Array, kernel: string): Float32Array {
  const target = new Float32Array(kernel === "packF32" ? packedLength(n, k) : packedLength(k, n)).fill(7);
  build.run(kernel, [n, k, w, target]);
  return target;
}

for (const build of builds) {
  Deno.test(`packF32 and packTransposeF32 place every weight and fill tiles with zeros (${build.name})`, () => {
    for (const [, k, n] of shapes) {
      const w = random(n * k, k);
      compare(build, "packF32", [n, k, w, new Float32Array(packedLength(n, k)).fill(7)], () => 0);
      compare(build, "packTransposeF32", [n, k, w, new Float32Array(packedLength(k, n)).fill(7)], () => 0);
    }
  });

  Deno.test(`linearF32 agrees with float64 (${build.name})`, () => {
    for (const [panels, k, n] of shapes) {
      const weights = packed(build, n, k, random(n * k, 1), "packF32");
      const y = new Float32Array(panels * n * 32);
      const args = [panels, k, n, random(panels * k * 32, 2), weights, random(n, 3), y];
      compare(build, "linearF32", args, sumBound("linearF32", args, 2 * k + 1));
    }
  });

  Deno.test(`linearInputGradF32 agrees with float64, overwriting and accumulating (${build.name})`, () => {
    for (const [panels, k, n] of shapes) {
      const weights = packed(build, n, k, random(n * k, 1), "packTransposeF32");
      for (const accumulate of [0, 1]) {
        const args = [panels, n, k, accumulate, random(panels * n * 32, 2), weights, random(panels * k * 32, 3)];
        compare(build, "linearInputGradF32", args, sumBound("linearInputGradF32", args, 2 * n + 1));
      }
    }
  });

  Deno.test(`linearWeightGradF32 agrees with float64, overwriting and accumulating (${build.name})`, () => {
    for (const [panels, k, n] of shapes) {
      const ranges = [[0, k], ...k < 7 ? [] : [[0, 3], [3, k], [k - 3, k], [1, k - 1]]];
      for (const [from, to] of ranges) {
        for (const accumulate of [0, 1]) {
          const sizes = [panels, k, n, from, to, accumulate];
          const args = [...sizes, random(panels * k * 32, 1), random(panels * n * 32, 2), random(n * k, 3)];
          // per block of 8 panels: 64 products added one after the other, two levels across lanes, one to the total
          const roundings = 2 * 64 + 2 + Math.ceil(panels / 8) + 1;
          compare(build, "linearWeightGradF32", args, sumBound("linearWeightGradF32", args, roundings));
        }
      }
    }
  });

  Deno.test(`biasGradF32 and broadcastRowF32 agree with float64 (${build.name})`, () => {
    for (const panels of [0, 1, 2, 3, 8, 9, 17]) {
      for (const n of [1, 2, 5, 38]) {
        for (const accumulate of [0, 1]) {
          const args = [panels, n, accumulate, random(panels * n * 32, 1), random(n, 2)];
          // per block of 8 panels: 1 + 16 additions in a lane, three more across lanes, one to the total
          compare(build, "biasGradF32", args, sumBound("biasGradF32", args, 20 + Math.ceil(panels / 8) + 1));
        }
        compare(build, "broadcastRowF32", [panels, n, random(n, 3), new Float32Array(panels * n * 32)], () => 0);
      }
    }
  });

  Deno.test(`matrix kernels pass NaN and infinity on to the samples and rows they belong to (${build.name})`, () => {
    const [panels, k, n] = [2, 7, 6];
    const x = random(panels * k * 32, 1);
    x[3 * 32 + 5] = NaN, x[(k + 6) * 32 + 31] = Infinity;
    const w = random(n * k, 2);
    const dy = random(panels * n * 32, 3);
    dy[4 * 32 + 9] = -Infinity, dy[(n + 5) * 32] = NaN;
    const generous: Bound = () => 1e-4;
    const forward = packed(build, n, k, w, "packF32"), transposed = packed(build, n, k, w, "packTransposeF32");
    compare(build, "linearF32", [panels, k, n, x, forward, random(n, 4), new Float32Array(panels * n * 32)], generous);
    const dx = new Float32Array(panels * k * 32);
    compare(build, "linearInputGradF32", [panels, n, k, 0, dy, transposed, dx], generous);
    compare(build, "linearWeightGradF32", [panels, k, n, 0, k, 0, x, dy, new Float32Array(n * k)], generous);
    compare(build, "biasGradF32", [panels, n, 0, dy, new Float32Array(n)], generous);
  });
}

Deno.test("the order of the weight gradient's sum does not depend on where a tile lies", () => {
  // a layer cut out of a wider one gets the same bits: tiles moved back from the edge must not change the sum
  for (const build of builds) {
    const [panels, k, n] = [9, 8, 7];
    const x = random(panels * k * 32, 1), dy = random(panels * n * 32, 2);
    const cut = (source: Float32Array, from: number, to: number) =>
      Float32Array.from({ length: panels * to * 32 }, (_, i) => {
        const row = Math.floor(i / 32);
        return source[(Math.floor(row / to) * from + row % to) * 32 + i % 32];
      });
    const whole = new Float32Array(n * k), part = new Float32Array(5 * 4);
    build.run("linearWeightGradF32", [panels, k, n, 0, k, 0, x, dy, whole]);
    build.run("linearWeightGradF32", [panels, 4, 5, 0, 4, 0, cut(x, k, 4), cut(dy, n, 5), part]);
    part.forEach((value, at) => {
      const other = whole[Math.floor(at / 4) * k + at % 4];
      if (!Object.is(value, other)) {
        throw new Error(`${build.name}: element ${at} is ${value} alone, ${other} in the whole`);
      }
    });
    const pieces = new Float32Array(n * k);
    for (const [from, to] of [[0, 3], [3, 8]]) {
      build.run("linearWeightGradF32", [panels, k, n, from, to, 0, x, dy, pieces]);
    }
    assertEquals(pieces, whole);
  }
});
