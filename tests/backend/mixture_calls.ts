import { mixtureFeatures } from "../../src/graph/mixture_features.ts";
import { type Argument, random } from "./kernel_harness.ts";

/** A call of each kernel of mixtures, on random numbers; the last argument is scratch memory, full of NaN. */
export function mixtureCalls(panels: number, dim: number, count: number): [kernel: string, args: Argument[]][] {
  const width = mixtureFeatures({ spatialDim: dim, components: count });
  const rows = (features: number, seed: number) => random(panels * features * 32, seed);
  const features = rows(width, 1), place = rows(dim, 2), out = rows(dim + 1, 3), cotangent = rows(dim + 1, 4);
  const sizes = [panels, dim, count];
  const scratch = () => new Float32Array(64 * count + 16).fill(NaN);
  const column = () => new Float64Array(32 * panels);
  return [
    ["mixtureLogProbF32", [...sizes, features, place, column(), 0, 0, scratch()]],
    ["mixtureLogProbF32", [...sizes, features, place, column(), rows(width, 5), rows(dim, 6), scratch()]],
    ["mixtureEncodeF32", [...sizes, features, place, rows(dim + 1, 7), scratch()]],
    ["mixtureDecodeF32", [...sizes, features, place, rows(dim + 1, 8), scratch()]],
    ["mixtureEncodeGradF32", [...sizes, features, place, out, cotangent, rows(width, 9), rows(dim, 10), scratch()]],
    ["mixtureDecodeGradF32", [...sizes, features, place, out, cotangent, rows(width, 11), rows(dim, 12), scratch()]],
  ];
}
