/**
 * A mixture of sheared normal densities for one particle, whose parameters are features: its logarithm, and its map to
 * normal numbers and back.
 *
 * @module
 */
import type { Evaluation } from "../../graph/columns.ts";
import { mixtureScratchBytes, savedMixtureScore } from "../../graph/kernels/mixture.ts";
import { mixtureFeatures } from "../../graph/mixture_features.ts";
import { type MixtureCotangents, MixtureDensity } from "./mixture_density.ts";
import type { Primitive, VjpKernel } from "./primitive.ts";

type Name = "mixtureLogProb" | "mixtureEncode" | "mixtureDecode";

/** The mixture of each sample with the row that belongs to it, r or z. */
function samples({ inputs: [features, rows], attributes, n }: Evaluation<Name>) {
  const [f, d] = [mixtureFeatures(attributes), attributes.spatialDim];
  return Array.from({ length: n }, (_, i) => ({
    mixture: new MixtureDensity(attributes, features.subarray(i * f, (i + 1) * f)),
    row: rows.subarray(i * d, (i + 1) * d),
  }));
}

/** Rows of coordinates and log p side by side. */
function mapForward(at: Evaluation<Name>, direction: "encode" | "decode"): Float64Array {
  const d = at.attributes.spatialDim;
  const result = new Float64Array(at.n * (d + 1));
  samples(at).forEach(({ mixture, row }, i) => {
    result.set(direction === "encode" ? mixture.encode(row) : mixture.decode(row), i * (d + 1));
    result[i * (d + 1) + d] = mixture.logProb();
  });
  return result;
}

/** Differentiates each sample after `prepare` has placed its coordinates and said what to start from. */
function backward(
  at: Evaluation<Name>,
  prepare: (mixture: MixtureDensity, row: Float64Array, i: number) => MixtureCotangents,
): Float64Array[] {
  const { inputs: [features, rows], attributes: { spatialDim } } = at;
  const [dFeatures, dRows] = [new Float64Array(features.length), new Float64Array(rows.length)];
  const f = mixtureFeatures(at.attributes);
  samples(at).forEach(({ mixture, row }, i) => {
    const cotangents = prepare(mixture, row, i);
    dRows.set(mixture.backward(cotangents, dFeatures.subarray(i * f, (i + 1) * f)), i * spatialDim);
  });
  return [dFeatures, dRows];
}

function mapBackward(
  at: Evaluation<Name> & { readonly output: Float64Array },
  cotangent: Float64Array,
  direction: "encode" | "decode",
): Float64Array[] {
  const d = at.attributes.spatialDim;
  return backward(at, (mixture, row, i) => {
    const [from, to] = [i * (d + 1), i * (d + 1) + d];
    const output = at.output.subarray(from, to);
    if (direction === "encode") mixture.put(row, output);
    else mixture.put(output, row);
    return { map: { direction, cotangent: cotangent.subarray(from, to) }, logProb: cotangent[to] };
  });
}

function mapKernel<P extends "mixtureEncode" | "mixtureDecode">(name: P): VjpKernel<P> {
  return {
    saves: "both",
    vjp(at) {
      const { spatialDim, components } = at.attributes;
      const scratch = at.scratch(mixtureScratchBytes(components));
      const values = [at.input(0), at.input(1), at.output, at.cotangent];
      const results = [at.overwrite(0), at.overwrite(1)];
      at.emit(`${name}GradF32`, at.panels, spatialDim, components, ...values, ...results, scratch);
    },
  };
}

/** y = log p(r):  features̄ = ȳ ∂y/∂features, r̄ = ȳ ∂y/∂r */
export const mixtureLogProb: Primitive<"mixtureLogProb"> = {
  forward(at) {
    return Float64Array.from(samples(at), ({ mixture, row }) => {
      mixture.put(row);
      return mixture.logProb();
    });
  },
  vjp(at, cotangent) {
    return backward(at, (mixture, row, i) => {
      mixture.put(row);
      return { logProb: cotangent[i] };
    });
  },
  kernel: {
    // The derivative is computed with the value: only the cotangent is missing.
    saves: "nothing",
    vjp(at) {
      const { byFeatures, byPlace } = savedMixtureScore(at);
      [byFeatures, byPlace].forEach((score, i) => {
        if (!at.wants(i)) return;
        const { address, accumulate } = at.contribute(i);
        at.emit("scaleByColumnF32", at.panels, at.features(i), accumulate, at.cotangent, score, address);
      });
    },
  },
};

/** [z, log p(r)], z_d = Φ⁻¹(F(r_d | r_1 … r_{d−1})): the derivative of each F by the weights and places of components */
export const mixtureEncode: Primitive<"mixtureEncode"> = {
  forward: (at) => mapForward(at, "encode"),
  vjp: (at, cotangent) => mapBackward(at, cotangent, "encode"),
  kernel: mapKernel("mixtureEncode"),
};

/** [r, log p(r)], r the inverse of encode:  z̄ = J⁻ᵀ r̄, J = ∂z/∂r, and the others those of encode for −z̄ */
export const mixtureDecode: Primitive<"mixtureDecode"> = {
  forward: (at) => mapForward(at, "decode"),
  vjp: (at, cotangent) => mapBackward(at, cotangent, "decode"),
  kernel: mapKernel("mixtureDecode"),
};
