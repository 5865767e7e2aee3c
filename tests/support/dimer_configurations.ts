/** Configurations of the particle dimer for tests: near equilibrium, far from it, and with corner cases. */
import { RandomStream } from "../../src/random/random_stream.ts";
import type { ParticleDimer } from "../../src/system/particle_dimer.ts";

/** n starts, closed and open in turn, with every coordinate moved by a normal number times `width`. */
export function shakenStarts(dimer: ParticleDimer, n: number, width: number, seed = 1): Float64Array {
  const random = new RandomStream(seed, 99);
  const x = new Float64Array(n * dimer.dim);
  for (let s = 0; s < n; s++) x.set(dimer.initialConfiguration(s % 2 === 0 ? 1 : 2), s * dimer.dim);
  return x.map((value) => value + width * random.normal());
}

/** n configurations of independent uniform positions in a box twice as wide as the walls. */
export function scattered(dimer: ParticleDimer, n: number, seed = 2): Float64Array {
  const random = new RandomStream(seed, 98);
  const width = 4 * dimer.parameters.halfBox;
  return new Float64Array(n * dimer.dim).map(() => width * (random.uniform() - 0.5));
}

/** One row of a batch. */
export function row(x: Float64Array, dim: number, s: number): Float64Array {
  return x.subarray(s * dim, (s + 1) * dim);
}
