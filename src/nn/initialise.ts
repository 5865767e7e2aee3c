/**
 * Initial weights of networks.
 *
 * @module
 */
import { RandomStream } from "../random/random_stream.ts";

/**
 * Draws a weight matrix uniformly from ±√(6 / (rows + columns)) (Glorot & Bengio 2010, eq. 16).
 *
 * The numbers depend on the seed and on the name alone, not on the order in which a flow makes its parameters.
 *
 * @param rows outputs of the layer
 * @param columns inputs of the layer
 * @param seed of the flow
 * @param name of the parameter
 * @returns rows × columns numbers
 */
export function glorotUniform(rows: number, columns: number, seed: number, name: string): Float64Array {
  const limit = Math.sqrt(6 / (rows + columns));
  const random = new RandomStream(seed, hashName(name));
  return Float64Array.from({ length: rows * columns }, () => limit * (2 * random.uniform() - 1));
}

/** FNV-1a hash of a name: 32 bits that tell the streams of parameters apart. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
