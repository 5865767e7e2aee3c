/**
 * What must hold for clusters, and integrals over few coordinates that know nothing of their axes.
 *
 * @module
 */
import type { PairCluster } from "../../src/system/pair_cluster.ts";
import { assertClose } from "./assert_close.ts";
import { normals } from "./random_arrays.ts";

/** Configurations around the start, different in every coordinate. */
export function nearStart(system: PairCluster, n: number, spread: number, seed = 5): Float64Array {
  const start = system.startConfiguration();
  return normals(n * system.dim, seed).map((v, i) => start[i % system.dim] + spread * v);
}

/** Changes of positions [n, particles, spatialDim]. */
export type Move = (r: Float64Array) => Float64Array;

/** Rotations by an angle in the plane of the first two axes. */
export function rotation(spatialDim: number, angle: number): Move {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (r) =>
    r.map((v, i) => {
      const axis = i % spatialDim;
      if (axis === 0) return cos * v - sin * r[i + 1];
      return axis === 1 ? sin * r[i - 1] + cos * v : v;
    });
}

/** Another order of particles in each configuration. */
export function relabelling(spatialDim: number, order: readonly number[]): Move {
  const size = order.length * spatialDim;
  return (r) =>
    r.map((_, i) => r[i - i % size + order[Math.floor(i % size / spatialDim)] * spatialDim + i % spatialDim]);
}

/** Mirror images in the first axis. */
export function reflection(spatialDim: number): Move {
  return (r) => r.map((v, i) => i % spatialDim === 0 ? -v : v);
}

/** Energies do not change, and gradients go along. */
export function assertClusterInvariant(system: PairCluster, x: Float64Array, move: Move, relative: number): void {
  const carry = (v: Float64Array) => system.coordinates(move(system.positions(v)));
  const [before, after] = [system.energyAndGradient(x), system.energyAndGradient(carry(x))];
  const scale = Math.max(...before.energy.map(Math.abs), ...before.gradient.map(Math.abs));
  assertClose(after.energy, before.energy, { absolute: relative * scale }, "energy of the image");
  assertClose(after.gradient, carry(before.gradient), { absolute: relative * scale }, "gradient at the image");
}

/** ln ∫ exp(−U/T) over a plain grid of all coordinates, of a system with one or two. */
export function logIntegral(
  energy: (x: Float64Array) => Float64Array,
  dim: number,
  half: number,
  steps: number,
): number {
  const axis = Float64Array.from({ length: steps + 1 }, (_, i) => half * (2 * i / steps - 1));
  let sum = 0;
  if (dim === 1) sum = energy(axis).reduce((total, u) => total + Math.exp(-u), 0);
  else {
    for (const first of axis) {
      const row = Float64Array.from(axis, (second) => second);
      const x = new Float64Array(2 * row.length).map((_, i) => i % 2 === 0 ? first : row[(i - 1) / 2]);
      sum += energy(x).reduce((total, u) => total + Math.exp(-u), 0);
    }
  }
  return Math.log(sum) + dim * Math.log(2 * half / steps);
}
