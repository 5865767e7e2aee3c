/**
 * Particles in another order.
 *
 * @module
 */

/**
 * Puts particle order[k] of each configuration in place k.
 *
 * @param x [n, particles, 2]
 * @param order [n, particles]
 * @param particles particles of a configuration
 * @returns [n, particles, 2]
 */
export function reordered(x: Float64Array, order: Int32Array, particles: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let i = 0, frame = 0; i < order.length; i++) {
    if (i > 0 && i % particles === 0) frame += particles;
    const from = 2 * (frame + order[i]);
    out[2 * i] = x[from];
    out[2 * i + 1] = x[from + 1];
  }
  return out;
}

/**
 * Tells which configurations need no other order.
 *
 * @param x [n, particles, 2]
 * @param order [n, particles]
 * @param particles particles of a configuration
 * @returns 1 where every particle keeps its place and every coordinate is finite, else 0; [n]
 */
export function inOrder(x: Float64Array, order: Int32Array, particles: number): Uint8Array {
  const inside = new Uint8Array(order.length / particles).fill(1);
  for (let s = 0, i = 0; s < inside.length; s++) {
    let sum = 0;
    for (let k = 0; k < particles; k++, i++) {
      if (order[i] !== k) inside[s] = 0;
      sum += x[2 * i] + x[2 * i + 1];
    }
    if (!Number.isFinite(sum)) inside[s] = 0;
  }
  return inside;
}
