import { exampleEvaluation, exampleTilt } from "../support/tilted_examples.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import type { Tilt } from "../../src/autodiff/primitives/tilt.ts";
import { tiltedLayout } from "../../src/autodiff/primitives/tilted_layout.ts";
import { assertClose } from "../support/assert_close.ts";
import { builds, unitRoundoff } from "./kernel_harness.ts";

/** Every dimension, unequal grids, one polynomial and more than a block of them, with and without neighbours. */
const tilts: readonly Tilt[] = [[9, 9, 1], [17, 9, 4], [9, 17, 3], [33, 17, 7]].flatMap(([fine, coarse, basis]) =>
  ([1, 2, 3] as const).filter((dim) => dim < 3 || fine < 33).flatMap((spatialDim) =>
    [0, 3].map((neighbours) => exampleTilt({ spatialDim, fine, coarse, basis, neighbours }))
  )
);

/** Rows [n, d] as panels; lanes beyond n repeat the last row. */
function panelsOf(rows: Float64Array, n: number, d: number): Float32Array {
  const panels = Math.ceil(n / 32);
  return Float32Array.from({ length: panels * d * 32 }, (_, i) => {
    const sample = 32 * Math.floor(i / (32 * d)) + i % 32;
    return rows[Math.min(sample, n - 1) * d + Math.floor(i / 32) % d];
  });
}

function rowsOf(panels: Float32Array, n: number, d: number): Float64Array {
  return Float64Array.from({ length: n * d }, (_, i) => {
    const sample = Math.floor(i / d);
    return panels[(Math.floor(sample / 32) * d + i % d) * 32 + sample % 32];
  });
}

/**
 * ℓ is a sum of 49 products of size 0.4 and of energies up to 10, and A, log p sums of such: with roundings that do not
 * all point the same way 64 half units of numbers up to 4; the score is a difference of means of numbers up to 1.
 */
const TOLERANCE = { absolute: 64 * unitRoundoff, relative: 4 * unitRoundoff };

Deno.test("tiltedLogProbF32: value and score agree with float64, and scratch memory suffices", () => {
  for (const tilt of tilts) {
    const n = 33;
    const features = tilt.basis ** tilt.spatialDim;
    const at = exampleEvaluation("tiltedLogProb", tilt, n, 2);
    const { sizes, constants, scratchBytes } = tiltedLayout(tilt);
    const inputs = at.inputs.map((input, k) =>
      k === 3 ? Float32Array.from(input) : panelsOf(input, n, input.length / n)
    );
    const value = primitives.tiltedLogProb.forward(at);
    const [gradient] = primitives.tiltedLogProb.vjp({ ...at, output: value }, new Float64Array(n).fill(1));
    for (const build of builds) {
      for (const wantsScore of [true, false]) {
        const column = new Float64Array(64);
        const score = new Float32Array(64 * features);
        const scratch = new Float32Array(scratchBytes / 4).fill(NaN);
        const [c, r, scale, knots, neighbours = 0] = inputs;
        const operands = [2, Int32Array.from(sizes), constants, c, r, scale, knots, neighbours, scratch];
        build.run("tiltedLogProbF32", [...operands, column, wantsScore ? score : 0]);

        const what = `${build.name}, D ${tilt.spatialDim}, fine ${tilt.fine}, basis ${tilt.basis}`;
        assertClose(column.subarray(0, n), value, TOLERANCE, `log p, ${what}`);
        if (wantsScore) assertClose(rowsOf(score, n, features), gradient!, TOLERANCE, `score, ${what}`);
      }
    }
  }
});
