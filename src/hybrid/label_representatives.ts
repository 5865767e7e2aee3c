/**
 * Configurations of labelled particles in their reference domain, and the way back to their own labels.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { ParticleSystem } from "../system/particle_system.ts";
import { reordered } from "../system/relabelling.ts";
import type { System } from "../system/system.ts";

/** A system whose particles may be alike. */
export type LabelledSystem = System | ParticleSystem;

/** Configurations with the labels of the reference domain. */
export interface Representatives {
  /** In the reference domain [n, dim]. */
  readonly x: Float64Array;
  /**
   * Gives configurations of the reference domain the labels that the walkers have.
   *
   * @param x in the reference domain [n, dim]
   * @returns with the walkers' labels [n, dim]
   */
  withLabels(x: Float64Array): Float64Array;
}

/**
 * Maps walkers into the reference domain Ω and remembers by which labels.
 *
 * The space of labelled configurations is Ω × (labellings), and exp(−βU) is the same for every labelling. A move within
 * Ω that is exact there is therefore exact for labelled walkers if each keeps its labelling. That matters for moves which
 * visit particles in the order of their labels: they are exact for labelled configurations, but a walker that was
 * relabelled in between would be visited in an order that depends on where it is.
 *
 * For systems that only know `canonicalize`, labels are not given back: such walkers must move in ways that treat all
 * labels alike.
 *
 * @param system what labels mean
 * @param x walkers [n, dim]
 * @param pool threads
 * @returns the walkers in Ω, and the way back
 */
export function representatives(system: LabelledSystem, x: Float64Array, pool: Executor): Representatives {
  if (!("canonicalOrder" in system)) {
    return { x: system.canonicalize?.(x, { pool }) ?? x, withLabels: (to) => to };
  }
  const { particles } = system;
  const order = system.canonicalOrder(x, { pool });
  // order[label] = particle; the inverse permutation leads back.
  const inverse = new Int32Array(order.length);
  for (let i = 0; i < order.length; i++) inverse[i - i % particles + order[i]] = i % particles;
  return { x: reordered(x, order, particles), withLabels: (to) => reordered(to, inverse, particles) };
}
