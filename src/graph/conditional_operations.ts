/**
 * Mixtures of sheared normal densities as operations of a graph: densities of one particle whose parameters are
 * computed, for instance by a network from the particles before it.
 *
 * The features of a sample are, for each of J components, one logit, D means m, D log-scales a and D(D − 1)/2 shears
 * s₂₁, s₃₁, s₃₂; a quantity of all components, then the next. With π = softmax(logits) and
 * u_d = e^a_d (r_d − m_d) + Σ_{e<d} s_de (r_e − m_e) the density is p(r) = Σⱼ πⱼ Π_d e^a_dj φ(u_dj). Log-scales above 6
 * count as 6. Coordinate by coordinate r becomes normal numbers z (Knothe and Rosenblatt), a bijection of ℝ^D whose
 * log-determinant is log p(r) + |z|²/2 + D/2 · ln 2π.
 *
 * @module
 */
import type { Tensor } from "./graph.ts";
import { type MixtureAttributes, mixtureFeatures } from "./mixture_features.ts";
import { requireBatch, shapeText } from "./shapes.ts";

/** Checks the operands of a mixture and returns its size. */
function attributesOf(what: string, features: Tensor, name: string, place: Tensor, components: number) {
  const given = requireBatch(what, "features", features);
  const spatialDim = requireBatch(what, name, place);
  if (spatialDim < 1 || spatialDim > 3) {
    throw new RangeError(`Cannot ${what}: ${name} must have 1 to 3 features, got ${shapeText(place.shape)}`);
  }
  if (!Number.isInteger(components) || components < 1) {
    throw new RangeError(`Cannot ${what}: components must be a whole number ≥ 1, got ${components}`);
  }
  const attributes: MixtureAttributes = { spatialDim, components };
  const expected = mixtureFeatures(attributes);
  if (given !== expected) {
    throw new RangeError(
      `Cannot ${what}: features must be [n, ${expected}] for ${components} components in ${spatialDim} dimensions, got ` +
        shapeText(features.shape),
    );
  }
  return attributes;
}

/**
 * Takes the logarithm of a mixture density, log p(r).
 *
 * Where a derivative will be asked for it comes with the value and is cheap.
 *
 * @param features what describes the mixture, [n, J (1 + 2 D + D (D − 1)/2)]
 * @param r coordinates, [n, D], D from 1 to 3
 * @param options `components`: J
 * @returns [n]; −∞ where p underflows every number of the build (float32: beyond 1e19 widths of every component)
 * @throws {TypeError} if an operand is not a batch
 * @throws {RangeError} if sizes do not match
 *
 * @example Two components of width 1 at ±1: at 0 the density is φ(1)
 * ```ts
 * import { Graph, input, KernelRun, mixtureLogProb } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const graph = new Graph();
 * const logProb = mixtureLogProb(input(graph, "features", 6), input(graph, "r", 1), { components: 2 });
 * using run = new KernelRun([logProb], { n: 1 });
 * const [[value]] = run.forward([Float64Array.of(0, 0, -1, 1, 0, 0), Float64Array.of(0)]);
 *
 * assertAlmostEquals(value, -0.5 - Math.log(2 * Math.PI) / 2, 1e-6);
 * ```
 */
export function mixtureLogProb(features: Tensor, r: Tensor, options: { readonly components: number }): Tensor {
  const attributes = attributesOf("take the density of a mixture", features, "r", r, options.components);
  return features.graph.add("mixtureLogProb", [features, r], attributes, ["n"]);
}

/**
 * Maps coordinates to normal numbers by a mixture density, z_d = Φ⁻¹(F(r_d | r_1 … r_{d−1})).
 *
 * In float32, z is ∓∞ where the smaller mass falls below 2e-38, 12.9 widths beyond every component.
 *
 * @param features what describes the mixture, [n, J (1 + 2 D + D (D − 1)/2)]
 * @param r coordinates, [n, D], D from 1 to 3
 * @param options `components`: J
 * @returns [n, D + 1]: z, and as the last feature log p(r)
 * @throws {TypeError} if an operand is not a batch
 * @throws {RangeError} if sizes do not match
 */
export function mixtureEncode(features: Tensor, r: Tensor, options: { readonly components: number }): Tensor {
  const attributes = attributesOf("encode by a mixture", features, "r", r, options.components);
  return features.graph.add("mixtureEncode", [features, r], attributes, ["n", attributes.spatialDim + 1]);
}

/**
 * Maps normal numbers to coordinates by a mixture density: the inverse of {@link mixtureEncode}.
 *
 * In float32 for |z| < 12.9; log p is that of the coordinates as they are returned, rounded.
 *
 * @param features what describes the mixture, [n, J (1 + 2 D + D (D − 1)/2)]
 * @param z normal numbers, [n, D], D from 1 to 3
 * @param options `components`: J
 * @returns [n, D + 1]: r, and as the last feature log p(r)
 * @throws {TypeError} if an operand is not a batch
 * @throws {RangeError} if sizes do not match
 *
 * @example One component is an affine map: z = 2 (r − 1)
 * ```ts
 * import { Graph, input, KernelRun, mixtureDecode } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const graph = new Graph();
 * const decoded = mixtureDecode(input(graph, "features", 3), input(graph, "z", 1), { components: 1 });
 * using run = new KernelRun([decoded], { n: 1 });
 * const [[r, logProb]] = run.forward([Float64Array.of(0, 1, Math.log(2)), Float64Array.of(0.5)]);
 *
 * assertAlmostEquals(r, 1.25, 1e-6);
 * assertAlmostEquals(logProb, Math.log(2) - 0.125 - Math.log(2 * Math.PI) / 2, 1e-6);
 * ```
 */
export function mixtureDecode(features: Tensor, z: Tensor, options: { readonly components: number }): Tensor {
  const attributes = attributesOf("decode by a mixture", features, "z", z, options.components);
  return features.graph.add("mixtureDecode", [features, z], attributes, ["n", attributes.spatialDim + 1]);
}
