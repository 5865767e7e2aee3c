import { assertThrows } from "@std/assert";
import { packedLength, panelLength } from "../../src/backend/dense_layout.ts";
import { type Argument, builds, random, runAtMemoryEnd } from "./kernel_harness.ts";
import { mixtureCalls } from "./mixture_calls.ts";
import { splineCalls } from "./spline_calls.ts";
import { tiltedCalls } from "./tilted_calls.ts";

const index = Int32Array.of(2, 0, 2);
const adamSettings = Float64Array.of(0.1, 0.9, 0.999, 1e-8, 0.1, 0.001, 1);

/** Calls with tails in every direction: sizes that are no multiples of a tile, a vector or a panel. */
const calls: [kernel: string, args: Argument[]][] = [
  ["packF32", [6, 7, random(42, 1), new Float32Array(packedLength(6, 7))]],
  ["packTransposeF32", [6, 7, random(42, 1), new Float32Array(packedLength(7, 6))]],
  ["linearF32", [2, 7, 6, random(448, 1), random(packedLength(6, 7), 2), random(6, 3), new Float32Array(384)]],
  ["linearInputGradF32", [2, 6, 7, 0, random(384, 1), random(packedLength(7, 6), 2), new Float32Array(448)]],
  ["linearInputGradF32", [2, 6, 7, 1, random(384, 1), random(packedLength(7, 6), 2), new Float32Array(448)]],
  ["linearWeightGradF32", [9, 4, 5, 0, 4, 1, random(1152, 1), random(1440, 2), random(20, 3)]],
  ["linearWeightGradF32", [9, 7, 5, 3, 7, 1, random(2016, 1), random(1440, 2), random(35, 3)]],
  ["linearWeightGradF32", [9, 2, 5, 0, 2, 1, random(576, 1), random(1440, 2), random(10, 3)]],
  ["biasGradF32", [9, 3, 1, random(864, 1), random(3, 2)]],
  ["broadcastRowF32", [2, 3, random(3, 1), new Float32Array(192)]],
  ["tanhF32", [7, random(7, 1), new Float32Array(7)]],
  ["sinF32", [7, random(7, 1, 1e4, 1e30), new Float32Array(7)]],
  ["multiplyGradF32", [7, 1, random(7, 1), random(7, 2), random(7, 3)]],
  ["divideGradDenominatorF32", [7, 1, random(7, 1), random(7, 2), random(7, 3), random(7, 4)]],
  ["scaleShiftF32", [7, 2, 1, random(7, 1), new Float32Array(7)]],
  ["accumulateF32", [7, 2, random(7, 1), random(7, 2)]],
  ["copyF32", [7, 2, random(7, 1), random(7, 2)]],
  ["fillF32", [7, 2, random(7, 1)]],
  ["fillF64", [7, 2, new Float64Array(7)]],
  ["normalCdfF32", [7, random(7, 1), new Float32Array(7)]],
  ["normalQuantileF32", [7, random(7, 1, 0, 1), random(7, 2, 0, 1), new Float32Array(7)]],
  ["normalCdfGradF32", [7, 1, random(7, 1), random(7, 2), random(7, 3)]],
  ["probitGradF32", [7, 1, random(7, 1), random(7, 2), random(7, 3)]],
  ...mixtureCalls(2, 2, 3),
  ...mixtureCalls(1, 3, 1),
  ...splineCalls(2, 3, 5),
  ...splineCalls(1, 1, 2),
  ...tiltedCalls(1, 1),
  ...tiltedCalls(2, 3),
  ...tiltedCalls(3, 0),
  ["scaleByColumnF32", [2, 3, 1, new Float64Array(64), random(192, 1), random(192, 2)]],
  ["affineForwardF32", [1, 3, random(96, 1), random(96, 2), random(96, 3), random(96, 4), new Float64Array(32)]],
  ["sumFeaturesF32", [2, 3, random(192, 1), new Float64Array(64)]],
  ["sumFeaturesGradF32", [2, 3, 1, new Float64Array(64), random(192, 1)]],
  ["featureColumnF32", [2, 3, 2, random(192, 1), new Float64Array(64)]],
  ["featureColumnGradF32", [2, 3, 2, 0, new Float64Array(64), random(192, 1)]],
  ["rowsToPanelsF32", [33, 7, random(231, 1), new Float32Array(panelLength(33, 7))]],
  ["rowsToPanelsF64", [33, 7, new Float64Array(231), new Float32Array(panelLength(33, 7))]],
  ["panelsToRowsF32", [33, 7, random(panelLength(33, 7), 1), new Float32Array(231)]],
  ["panelsToRowsF64", [33, 7, random(panelLength(33, 7), 1), new Float64Array(231)]],
  ["gatherFeaturesF32", [2, 3, 3, index, random(192, 1), new Float32Array(192)]],
  ["scatterFeaturesF32", [2, 3, 3, 1, index, random(192, 1), random(192, 2)]],
  ["insertFeaturesF32", [2, 2, 3, 1, random(128, 1), random(192, 2)]],
  ["extractFeaturesF32", [2, 2, 3, 1, 1, random(192, 1), random(128, 2)]],
  ["adamF32", [7, adamSettings, random(7, 1), random(7, 2), random(7, 3), random(7, 4, 0, 1)]],
  ["sumSquaresF32", [7, random(7, 1), new Float64Array(1)]],
];

for (const build of builds) {
  Deno.test(`kernels with tails stay inside memory wherever a buffer ends it (${build.name})`, () => {
    for (const [kernel, args] of calls) {
      args.forEach((arg, at) => {
        if (typeof arg !== "number") runAtMemoryEnd(build, kernel, args, at);
      });
    }
  });
}

Deno.test("runAtMemoryEnd traps at one element too many", () => {
  for (const at of [1, 2]) {
    const args = [8, random(7, 1), new Float32Array(7)];
    assertThrows(() => runAtMemoryEnd(builds[0], "tanhF32", args, at), WebAssembly.RuntimeError, "out of bounds");
  }
});
