import type { Evaluation } from "../../src/graph/columns.ts";
import { tiltedLayout } from "../../src/graph/tilted_layout.ts";
import { exampleEvaluation, exampleTilt, type TiltedName } from "../support/tilted_examples.ts";
import { type Argument, random, unitRoundoff } from "./kernel_harness.ts";

/** Rows [n, d] as panels; lanes beyond n repeat the last row. */
export function panelsOf(rows: Float64Array, n: number, d: number): Float32Array {
  const panels = Math.ceil(n / 32);
  return Float32Array.from({ length: panels * d * 32 }, (_, i) => {
    const sample = 32 * Math.floor(i / (32 * d)) + i % 32;
    return rows[Math.min(sample, n - 1) * d + Math.floor(i / 32) % d];
  });
}

/** What every kernel is given before its outputs: counts, tables, inputs as panels, scratch memory full of NaN. */
export function operands(at: Evaluation<TiltedName>): Argument[] {
  const { sizes, constants, scratchBytes } = tiltedLayout(at.attributes.tilt);
  const panels = at.inputs.map((input, k) =>
    k === 3 ? Float32Array.from(input) : panelsOf(input, at.n, input.length / at.n)
  );
  const [features, place, scale, knots, neighbours = 0] = panels;
  const scratch = new Float32Array(scratchBytes / 4).fill(NaN);
  const inputs = [features, place, scale, knots, neighbours, scratch];
  return [Math.ceil(at.n / 32), Int32Array.from(sizes), constants, ...inputs];
}

/** A call of each kernel of tilted densities. */
export function tiltedCalls(spatialDim: 1 | 2 | 3, neighbours: number): [kernel: string, args: Argument[]][] {
  const tilt = exampleTilt({ spatialDim, basis: 3, fine: 9, coarse: 9, neighbours });
  const n = 32;
  const rows = (features: number, seed: number) => random(n * features, seed);
  const all =
    () => [rows(3 ** spatialDim, 1), rows(spatialDim, 2), rows(1, 3), neighbours && rows(spatialDim * neighbours, 4)];
  const given = (name: TiltedName) => operands(exampleEvaluation(name, tilt, n));
  const column = () => new Float64Array(n);
  const [out, cotangent] = [rows(spatialDim + 1, 5), rows(spatialDim + 1, 6)];
  return [
    ["tiltedLogProbF32", [...given("tiltedLogProb"), column(), 0]],
    ["tiltedLogProbF32", [...given("tiltedLogProb"), column(), rows(3 ** spatialDim, 7)]],
    ["tiltedEncodeF32", [...given("tiltedEncode"), rows(spatialDim + 1, 8)]],
    ["tiltedDecodeF32", [...given("tiltedDecode"), rows(spatialDim + 1, 9)]],
    ["tiltedLogProbGradF32", [...given("tiltedLogProb"), column(), ...all()]],
    ["tiltedEncodeGradF32", [...given("tiltedEncode"), out, cotangent, ...all()]],
    ["tiltedDecodeGradF32", [...given("tiltedDecode"), out, cotangent, ...all()]],
  ];
}

/**
 * ℓ is a sum of 49 products of size 0.4 and of energies up to 10, and A, log p sums of such: with roundings that do not
 * all point the same way 64 half units of numbers up to 4; the score is a difference of means of numbers up to 1.
 */
export const TOLERANCE = { absolute: 64 * unitRoundoff, relative: 4 * unitRoundoff };

/** The slope of log p is up to 100 where it falls fastest, and an error of r is one of log p; see below for r itself. */
export const MAP_TOLERANCE = { absolute: 1000 * unitRoundoff, relative: 4 * unitRoundoff };

/** For cotangents [n, width]: what tests/autodiff/primitive_samples.ts derives, by the largest of each sample. */
export function gradientTolerance(expected: Float64Array, width: number): Float64Array {
  return expected.map((_, i) => {
    const sample = expected.subarray(i - i % width, i - i % width + width);
    return unitRoundoff * sample.reduce((most, g) => Math.max(most, 300 * Math.abs(g)), 2000);
  });
}
