/**
 * Models that every runtime samples, and what they must give.
 *
 * @module
 */
import { fromHalf } from "../../src/format/half.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { FlowModels } from "../../src/onnx/export_flow.ts";
import { decodePlan } from "../../src/sampler/decode_plan.ts";
import { planKey } from "../../src/sampler/encode_plan.ts";
import { bijectorExamples } from "../flow/bijector_examples.ts";
import { exportBijector } from "../onnx/flow_example.ts";
import { exactWithTolerance } from "../support/float32_emulation.ts";

/** How many samples are drawn of each. More than a panel of 32 would cost seconds of float64 in TypeScript. */
export const samples = 12;

/** Their seed. */
export const seed = 20_260;

/** The model that the examples ship. */
export const dimer = "dimer";

const shipped = (name: string) => Deno.readFile(new URL(`../../examples/models/${name}.onnx`, import.meta.url));

/** A small model of each kind of flow. */
export const smallOfEachKind: readonly string[] = [
  "RealNVP, even-odd, 5-D",
  "Neural spline, even-odd, 2-D",
  "Particle flow, mixtures, two in 1-D",
  "Particle flow, tilted, two in 1-D",
].map((name) => `bijector_${Object.keys(bijectorExamples).indexOf(name)}`);

/** The shipped model, and a small random one of every bijector of the package, as "bijector_0" and so on. */
export async function goldenModels(): Promise<Record<string, FlowModels>> {
  const made = Object.values(bijectorExamples).map(({ make }, i) => [`bijector_${i}`, exportBijector(make())]);
  return {
    [dimer]: { sampler: await shipped(dimer), density: await shipped(`${dimer}_density`) },
    ...Object.fromEntries(made),
  };
}

/** Numbers in float64, and how far a run in float32 may be from each. */
export interface Bounded {
  /** The exact numbers. */
  readonly value: Float64Array;
  /** The error that is allowed, one for each number. */
  readonly tolerance: Float64Array;
}

/** What the two models of a flow must give. */
export interface Expected {
  /** x, [n, dim]. */
  readonly x: Bounded;
  /** log q(x), [n], by the sampler. */
  readonly logProb: Bounded;
  /** log q(x), [n], by the density model from x. */
  readonly again: Bounded;
}

/** Runs a model in float64, in TypeScript, by the plan in its file; one tolerance for each output, see `float32Tolerance`. */
function runExactly(file: Uint8Array, batch: Float64Array) {
  const model = decodeModel(file);
  const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const { outputs } = decodePlan(model.metadata[planKey], Number(model.metadata.dim), (name) => {
    const { dims, data } = tensors.get(name)!;
    return new Parameter(name, dims, data instanceof Uint16Array ? fromHalf(data) : data as Float32Array, {
      trainable: false,
    });
  });
  const [mapped, logDet] = exactWithTolerance(outputs, [batch], samples);
  return { mapped, logDet };
}

/** Computes the samples of a flow and their densities in float64, from its files. */
export function expectedSamples({ sampler, density }: FlowModels): Expected {
  const dim = Number(decodeModel(sampler).metadata.dim);
  const z = new NormalPrior(dim).sample(samples, seed).map(Math.fround);
  const rowSums = (values: Float64Array, f: (value: number) => number) =>
    Float64Array.from(
      { length: samples },
      (_, i) => values.subarray(i * dim, (i + 1) * dim).reduce((sum, v) => sum + f(v), 0),
    );
  const logNormal = (z: Float64Array) => rowSums(z, (c) => -0.5 * (c * c + Math.log(2 * Math.PI)));
  const forward = runExactly(sampler, z);
  const back = runExactly(density, forward.mapped.value);
  const priors = [logNormal(z), logNormal(back.mapped.value)];
  // Added up in float64, in whatever order.
  const adding = priors[0].map((p) => dim * 2 ** -52 * Math.abs(p));
  return {
    x: {
      value: forward.mapped.value,
      tolerance: new Float64Array(samples * dim).fill(forward.mapped.tolerance),
    },
    logProb: {
      value: priors[0].map((p, i) => p - forward.logDet.value[i]),
      tolerance: adding.map((error) => error + forward.logDet.tolerance),
    },
    again: {
      value: priors[1].map((p, i) => p + back.logDet.value[i]),
      // ln N(z; 0, 1) errs by Σ |zᵢ| times the error of z.
      tolerance: rowSums(back.mapped.value, (c) => Math.abs(c) * back.mapped.tolerance)
        .map((error, i) => error + back.logDet.tolerance + adding[i]),
    },
  };
}
