/**
 * A flow and a target whose losses have closed forms: x = e^k z, and U = Σ x² / 2σ².
 *
 * @module
 */
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { input } from "../../src/graph/operations.ts";
import { Flow } from "../../src/flow/flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import type { EnergyFunction } from "../../src/loss/energy.ts";

/** Number of coordinates. */
export const dim = 3;

/** The flow x = e^k z. */
export function scalingFlow(k: readonly number[]): Flow {
  return new Flow(new Scaling({ dim, logScale: k }));
}

/** U = Σⱼ xⱼ² / 2σⱼ². */
export function harmonic(sigma: readonly number[]): EnergyFunction {
  return {
    dim,
    energyAndGradient(x) {
      const energy = new Float64Array(x.length / dim);
      x.forEach((v, i) => energy[Math.floor(i / dim)] += v * v / (2 * sigma[i % dim] ** 2));
      return { energy, gradient: x.map((v, i) => v / sigma[i % dim] ** 2) };
    },
  };
}

/** Mean of xⱼ² over samples, for each coordinate. */
export function secondMoments(x: Float64Array): number[] {
  const moments = new Array<number>(dim).fill(0);
  x.forEach((v, i) => moments[i % dim] += v * v * dim / x.length);
  return moments;
}

/** Value of a loss on a batch and its gradient by k. */
export function valueAndGradientByK(
  flow: Flow,
  loss: (batch: Tensor) => Tensor,
  batch: Float64Array,
): { value: number; gradient: Float32Array } {
  const at = input(new Graph(), "batch", dim);
  using run = new KernelRun([loss(at)], { n: batch.length / dim, gradient: true });
  const [[value]] = run.forward([batch]);
  run.backward([Float64Array.of(1)]);
  return { value, gradient: run.gradientOf(flow.parameters()[0]) };
}
