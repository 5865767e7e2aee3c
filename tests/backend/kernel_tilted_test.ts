import { exampleEvaluation, exampleTilt } from "../support/tilted_examples.ts";
import type { Evaluation } from "../../src/graph/columns.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import type { Tilt } from "../../src/graph/tilt.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { builds } from "./kernel_harness.ts";
import { gradientTolerance, MAP_TOLERANCE, operands, panelsOf, TOLERANCE } from "./tilted_calls.ts";

/** Every dimension, unequal grids, one polynomial and more than a block of them, with and without neighbours. */
const tilts: readonly Tilt[] = [[9, 9, 1], [17, 9, 4], [9, 17, 3], [33, 17, 7]].flatMap(([fine, coarse, basis]) =>
  ([1, 2, 3] as const).filter((dim) => dim < 3 || fine < 33).flatMap((spatialDim) =>
    [0, 3].map((neighbours) => exampleTilt({ spatialDim, fine, coarse, basis, neighbours }))
  )
);

function rowsOf(panels: Float32Array, n: number, d: number): Float64Array {
  return Float64Array.from({ length: n * d }, (_, i) => {
    const sample = Math.floor(i / d);
    return panels[(Math.floor(sample / 32) * d + i % d) * 32 + sample % 32];
  });
}

const nameOf = ({ spatialDim, fine, coarse, basis, pairs }: Tilt) =>
  `D ${spatialDim}, fine ${fine}, coarse ${coarse}, basis ${basis}, neighbours ${pairs.length}`;

Deno.test("tiltedLogProbF32: value and score agree with float64, and scratch memory suffices", () => {
  for (const tilt of tilts) {
    const n = 33;
    const features = tilt.basis ** tilt.spatialDim;
    const at = exampleEvaluation("tiltedLogProb", tilt, n, 2);
    const value = primitives.tiltedLogProb.forward(at);
    const [gradient] = primitives.tiltedLogProb.vjp({ ...at, output: value }, new Float64Array(n).fill(1));
    for (const build of builds) {
      for (const wantsScore of [true, false]) {
        const column = new Float64Array(64);
        const score = new Float32Array(64 * features);
        build.run("tiltedLogProbF32", [...operands(at), column, wantsScore ? score : 0]);

        assertClose(column.subarray(0, n), value, TOLERANCE, `log p, ${build.name}, ${nameOf(tilt)}`);
        if (!wantsScore) continue;
        assertClose(rowsOf(score, n, features), gradient!, TOLERANCE, `score, ${build.name}, ${nameOf(tilt)}`);
      }
    }
  }
});

for (const name of ["tiltedEncode", "tiltedDecode"] as const) {
  Deno.test(`${name}F32: coordinates and log p agree with float64, and scratch memory suffices`, () => {
    for (const tilt of tilts) {
      const n = tilt.spatialDim === 3 ? 33 : 65;
      const at = exampleEvaluation(name, tilt, n, 2);
      const value = primitives[name].forward(at as Evaluation<never>);
      for (const build of builds) {
        const out = new Float32Array(Math.ceil(n / 32) * 32 * (tilt.spatialDim + 1));
        build.run(`${name}F32`, [...operands(at), out]);

        const what = `${build.name}, ${nameOf(tilt)}`;
        assertClose(rowsOf(out, n, tilt.spatialDim + 1), value, MAP_TOLERANCE, what);
      }
    }
  });
}

for (const name of ["tiltedLogProb", "tiltedEncode", "tiltedDecode"] as const) {
  Deno.test(`${name}GradF32: all cotangents agree with float64, and those with a null address are left out`, () => {
    for (const tilt of tilts.filter(({ fine, basis }) => fine < 33 && basis > 1)) {
      const n = 33;
      const at = exampleEvaluation(name, tilt, n, 2) as Evaluation<never>;
      const output = primitives[name].forward(at).map(Math.fround);
      const cotangent = normals(output.length, 7);
      const expected = primitives[name].vjp({ ...at, output }, cotangent).filter((gradient) => gradient !== null);
      const panels = (rows: Float64Array) => panelsOf(rows, n, tilt.spatialDim + 1);
      const given = name === "tiltedLogProb"
        ? [Float64Array.of(...cotangent, ...new Float64Array(31))]
        : [panels(output), panels(cotangent)];
      for (const build of builds) {
        for (const left of [-1, 0, 1, 2, 3]) {
          const results = expected.map((g, k) => k === left ? 0 : new Float32Array(64 * g.length / n).fill(NaN));
          build.run(`${name}GradF32`, [...operands(at), ...given, ...results, ...expected.length === 3 ? [0] : []]);

          results.forEach((result, k) => {
            if (result === 0) return;
            const width = expected[k].length / n;
            const tolerance = gradientTolerance(expected[k], width);
            const what = `input ${k} of ${expected.length}, ${build.name}, ${nameOf(tilt)}`;
            assertClose(rowsOf(result as Float32Array, n, width), expected[k], tolerance, what);
          });
        }
      }
    }
  });
}
