import { type Blocks, degreesOfFreedom, groupIntoBlocks, singleSamples, varianceOfBlockSums } from "./blocks.ts";
import { estimateFrom, type FreeEnergyEstimate, noEstimate } from "./estimate.ts";
import { integerLabels, requireFinite, requireSameLength, requireSamples } from "./input_checks.ts";
import { chainDoubt, errorDoubt, firstDoubt } from "./reliability.ts";

/** The quadrature, and which samples belong together. */
export interface IntegrationOptions {
  /** Nodes s in (0, 1) of a Gauss-Legendre rule, rising, [nodes]. */
  readonly nodes: Float64Array;
  /** Weights of the nodes, of sum 1, [nodes]. */
  readonly weights: Float64Array;
  /** Block (chain) of each sample, [n]; a block must not span nodes. Default: samples are independent. */
  readonly blocks?: ArrayLike<number>;
}

/** Standard errors beyond which a coefficient is no noise. */
const SIGNIFICANT = 4;
/** An error of the quadrature, in k_BT, that nobody minds. */
const HARMLESS = 1e-3;

/**
 * Integrates the mean derivative of a reduced potential along a path: thermodynamic integration.
 *
 *     F(1) − F(0) = ∫₀¹ ⟨∂u/∂s⟩ₛ ds ≈ Σₖ wₖ ⟨∂u/∂s⟩ₖ
 *
 * Choose s such that the mean is a smooth function on [0, 1], ends included: for particles that repel by λ r⁻¹² in D
 * dimensions λ = s^(12/D). The error is that of the means, from whole blocks. What n nodes leave out is judged by the
 * two highest Legendre coefficients of the integrand that they can see, c: if coefficients fall geometrically from the
 * largest one, A, the first one that the rule gets wrong, of degree 2n, is about c²/A.
 *
 * Unreliable when this is above the error of the result (and above 0.001) while c is above four of its own errors, when a
 * node has fewer than four blocks, or when the error is beyond 1 k_BT.
 *
 * Units: k_BT. Reference: Kirkwood, J. Chem. Phys. 3, 300 (1935).
 *
 * @param derivatives ∂u/∂s of each sample, [n]
 * @param at node of each sample, 0 … nodes − 1, [n]; other numbers (windows that are no nodes) are left out
 * @param options nodes, weights, blocks
 * @returns F(1) − F(0) with its error
 * @throws {RangeError} if lists differ in length, a label is no integer, or a derivative at a node is not finite
 *
 * @example ∂u/∂s = 2s without noise
 * ```ts
 * import { thermodynamicIntegration } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const nodes = Float64Array.of(0.5 - Math.sqrt(1 / 12), 0.5 + Math.sqrt(1 / 12));
 * const derivatives = Float64Array.of(2 * nodes[0], 2 * nodes[0], 2 * nodes[1], 2 * nodes[1]);
 * const { value } = thermodynamicIntegration(derivatives, [0, 0, 1, 1], { nodes, weights: Float64Array.of(0.5, 0.5) });
 *
 * assert.ok(Math.abs(value! - 1) < 1e-12);
 * ```
 */
export function thermodynamicIntegration(
  derivatives: Float64Array,
  at: ArrayLike<number>,
  options: IntegrationOptions,
): FreeEnergyEstimate {
  const task = "integrate along a path";
  const { nodes, weights } = options;
  requireSamples(task, derivatives.length, "derivatives");
  requireSameLength(task, "at", at.length, "derivatives", derivatives.length);
  requireSamples(task, nodes.length, "nodes");
  requireSameLength(task, "weights", weights.length, "nodes", nodes.length);
  if (options.blocks) requireSameLength(task, "blocks", options.blocks.length, "derivatives", derivatives.length);
  const labels = integerLabels(task, "at", at);
  const kept = Int32Array.from(labels.keys()).filter((i) => labels[i] >= 0 && labels[i] < nodes.length);
  const values = Float64Array.from(kept, (i) => derivatives[i]);
  requireFinite(task, values, "derivatives at nodes");
  const nodeOf = Int32Array.from(kept, (i) => labels[i]);
  const empty = nodes.findIndex((_, k) => !nodeOf.includes(k));
  if (empty >= 0) return noEstimate(`node ${empty} has no samples`);
  const blocks = options.blocks
    ? groupIntoBlocks(task, Int32Array.from(kept, (i) => options.blocks![i]), nodeOf)
    : singleSamples(kept.length, nodeOf);
  const means = new NodeMeans(values, nodeOf, blocks, nodes.length);
  const { value, standardError, freedom } = means.combine(weights);
  const reason = firstDoubt([
    options.blocks ? chainDoubt(fewestBlocks(blocks), "one node's") : null,
    errorDoubt(standardError),
    resolutionDoubt(means, nodes, weights, standardError),
  ]);
  return estimateFrom(value, standardError, { degreesOfFreedom: freedom, reason });
}

function fewestBlocks(blocks: Blocks): number {
  return blocks.strata.reduce((fewest, members) => Math.min(fewest, members.length), Infinity);
}

/** Means at the nodes, and errors of their linear combinations. */
class NodeMeans {
  readonly #means: Float64Array;
  /** Σ (value − mean)/count of each block: what it adds to its node's mean. */
  readonly #scores: Float64Array;
  readonly #nodeOfBlock: Int32Array;
  readonly #blocks: Blocks;

  constructor(values: Float64Array, nodeOf: Int32Array, blocks: Blocks, count: number) {
    const sizes = new Float64Array(count);
    const means = new Float64Array(count);
    nodeOf.forEach((node) => sizes[node]++);
    values.forEach((value, i) => means[nodeOf[i]] += value / sizes[nodeOf[i]]);
    this.#means = means;
    this.#blocks = blocks;
    this.#scores = new Float64Array(blocks.count);
    this.#nodeOfBlock = new Int32Array(blocks.count);
    values.forEach((value, i) => {
      const node = nodeOf[i];
      this.#scores[blocks.blockOf[i]] += (value - means[node]) / sizes[node];
      this.#nodeOfBlock[blocks.blockOf[i]] = node;
    });
  }

  /** Σ factor · mean over the nodes. */
  combine(factors: Float64Array): { value: number; standardError: number; freedom: number } {
    const scores = this.#scores.map((score, block) => factors[this.#nodeOfBlock[block]] * score);
    const { variance, spread } = varianceOfBlockSums(this.#blocks, scores);
    const value = this.#means.reduce((sum, mean, k) => sum + factors[k] * mean, 0);
    return { value, standardError: Math.sqrt(variance), freedom: degreesOfFreedom(variance, spread) };
  }
}

/** Doubts nodes too few for the integrand: its highest visible Legendre coefficients must have died away. */
function resolutionDoubt(
  means: NodeMeans,
  nodes: Float64Array,
  weights: Float64Array,
  standardError: number,
): string | null {
  const coefficients = Array.from(nodes, (_, degree) => ({
    degree,
    ...means.combine(weights.map((w, k) => (2 * degree + 1) * w * legendre(degree, 2 * nodes[k] - 1))),
  }));
  const largest = coefficients.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const allowed = Math.max(HARMLESS, standardError);
  const alive = coefficients.slice(1).slice(-2).find((c) =>
    Math.abs(c.value) > SIGNIFICANT * c.standardError && c.value ** 2 > allowed * largest
  );
  if (alive === undefined) return null;
  return `${nodes.length} nodes do not resolve the integrand: its Legendre coefficient of degree ${alive.degree} is ${
    alive.value.toPrecision(2)
  }, of at most ${largest.toPrecision(2)}`;
}

/** The Legendre polynomial of a degree ≥ 0. */
function legendre(degree: number, t: number): number {
  if (degree === 0) return 1;
  let [before, value] = [1, t];
  for (let j = 2; j <= degree; j++) [before, value] = [value, ((2 * j - 1) * t * value - (j - 1) * before) / j];
  return value;
}
