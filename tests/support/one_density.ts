/**
 * One energy-tilted density evaluated at many places, in float64 and by kernels.
 *
 * @module
 */
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { input } from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { type Tilt, TILT_KNOTS } from "../../src/graph/tilt.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { tiltedDecode, tiltedEncode, tiltedLogProb } from "../../src/graph/tilted_operations.ts";
import { exampleEvaluation } from "./tilted_examples.ts";

/** The same density for many places: inputs of one sample, repeated. */
export interface OneDensity {
  readonly tilt: Tilt;
  readonly features: Float64Array;
  readonly scale: number;
  readonly knots: Float64Array;
  readonly neighbours: Float64Array;
}

/** The density of the first sample of the examples. */
export function exampleDensity(tilt: Tilt, seed = 5): OneDensity {
  const { inputs: [features, , scale, knots, neighbours = new Float64Array(0)] } = exampleEvaluation(
    "tiltedLogProb",
    tilt,
    1,
    seed,
  );
  return { tilt, features, scale: scale[0], knots, neighbours };
}

const repeated = (row: Float64Array, n: number) =>
  Float64Array.from({ length: n * row.length }, (_, i) => row[i % row.length]);

/** One density at n places. */
export function evaluation(name: keyof typeof operations, density: OneDensity, place: Float64Array) {
  const { tilt, features, scale, knots, neighbours } = density;
  const n = place.length / tilt.spatialDim;
  const at = exampleEvaluation(name, tilt, 1);
  const inputs = [repeated(features, n), place, new Float64Array(n).fill(scale), knots, repeated(neighbours, n)];
  return { ...at, inputs: inputs.slice(0, at.inputs.length), n };
}

/** A primitive of one density at n places, in float64. */
export function reference(name: keyof typeof operations, density: OneDensity, place: Float64Array): Float64Array {
  return primitives[name].forward(evaluation(name, density, place) as never);
}

const operations = { tiltedLogProb, tiltedEncode, tiltedDecode };

/** The same by kernels. */
export function kernels(name: keyof typeof operations, density: OneDensity, place: Float64Array): Float64Array {
  const { tilt, features, scale, knots, neighbours } = density;
  const n = place.length / tilt.spatialDim;
  const graph = new Graph();
  const batches = [features, new Float64Array(tilt.spatialDim), [scale], neighbours].map((row, k) =>
    row.length === 0 ? null : input(graph, `${k}`, row.length)
  );
  const [c, r, s, q] = batches as Tensor[];
  const knotParameter = new Parameter("knots", [2 * tilt.spatialDim, TILT_KNOTS], knots, { trainable: false });
  const output = operations[name](c, r, { scale: s, knots: knotParameter, tilt, ...q !== null && { neighbours: q } });
  using run = new KernelRun([output], { n });
  const values = [repeated(features, n), place, new Float64Array(n).fill(scale), repeated(neighbours, n)];
  return run.forward(values.filter((value) => value.length > 0))[0];
}
