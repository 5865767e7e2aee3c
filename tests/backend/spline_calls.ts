import { type SplineAttributes, splineFeatures } from "../../src/graph/spline_features.ts";
import { splineSize } from "../support/spline_examples.ts";
import { type Argument, random } from "./kernel_harness.ts";

/** What every kernel of splines is given before its results, and scratch memory full of NaN. */
export function splineArguments(
  panels: number,
  dim: number,
  { bins, bound, minimumWidth, minimumHeight, minimumSlope }: SplineAttributes,
  inputs: readonly Float32Array[],
): [given: Argument[], scratch: Float32Array] {
  const settings = [panels, dim, bins, bound, minimumWidth, minimumHeight, minimumSlope];
  return [[...settings, ...inputs], new Float32Array(8 * bins + 68).fill(NaN)];
}

/** A call of each kernel of splines on random numbers; the last argument is scratch memory. */
export function splineCalls(panels: number, dim: number, bins: number): [kernel: string, args: Argument[]][] {
  const rows = (features: number, seed: number) => random(panels * features * 32, seed);
  const width = dim * splineFeatures(bins);
  const [given, scratch] = splineArguments(panels, dim, splineSize(bins, 0.9), [rows(dim, 1), rows(width, 2)]);
  return ["splineForward", "splineInverse"].flatMap((name): [string, Argument[]][] => [
    [`${name}F32`, [...given, rows(2 * dim, 3), scratch]],
    [`${name}GradF32`, [...given, rows(2 * dim, 4), rows(dim, 5), rows(width, 6), scratch]],
  ]);
}
