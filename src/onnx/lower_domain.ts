/**
 * Reference domains of particles in ONNX operators.
 *
 * A labelling is the meant one if no exchange of labels brings particles closer to their sites, in the sum of squares. An
 * exchange is a cycle of the graph whose edge k → j costs |x_k − s_j|² − |x_k − s_k|², and gains if the cycle's cost is
 * negative. Such a cycle is there if and only if the passes of Bellman and Ford (R. Bellman, Q. Appl. Math. 16, 87, 1958)
 * do not come to rest. Most labellings that are not meant have a cycle of two, which is looked for first; passes then end
 * as soon as all samples rest, after one or two where all are inside.
 *
 * @module
 */
import { isDimer } from "../backend/particle_coefficients.ts";
import type { LennardJonesFluid } from "../system/lennard_jones_fluid.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { Algebra } from "./algebra.ts";
import { isParticleSystem, type WritableSystem } from "./lower_energy.ts";
import { batchSize } from "./model_builder.ts";

/** Gain, relative to the largest cost, below which labels are left alone: 2⁻⁴⁶, as in the kernels. */
const TOLERANCE = 2 ** -46;

/** Costs from here on are not compared, as in the kernels. */
const FILLER = 1e300;

/**
 * Emits whether configurations lie in the reference domain.
 *
 * @param algebra of float64
 * @param system whose domain it is
 * @param x [n, dim] of float64
 * @returns truths as a row [1, n]; null where all configurations lie inside
 */
export function lowerDomain(algebra: Algebra, system: WritableSystem, x: string): string | null {
  if (!isParticleSystem(system)) return null;
  const { less, both } = algebra;
  const coordinates = algebra.transpose(x);
  const finite = less(algebra.absolute(algebra.sum(coordinates, 0)), Infinity);
  const assigned = system.sites.length === 0 ? finite : both(finite, hasOwnSites(algebra, system, coordinates, finite));
  if (!isDimer(system.coefficients)) return assigned;
  return both(assigned, algebra.atMost(algebra.row(coordinates, 0), algebra.row(coordinates, 2)));
}

/** Whether no exchange of labels among the particles that have sites, the last ones, gains anything. */
function hasOwnSites(
  algebra: Algebra,
  { sites, dim }: ParticleDimer | LennardJonesFluid,
  coordinates: string,
  finite: string,
): string {
  const { less, both, not, add, multiply } = algebra;
  const m = sites.length / 2;
  const { largest, edges } = exchanges(algebra, sites, algebra.slice(coordinates, 0, dim - sites.length, dim));
  const comparable = both(finite, less(largest, FILLER));
  const tolerance = multiply(largest, TOLERANCE);
  const swaps = algebra.smallest(add(edges, algebra.permute(edges, [1, 0, 2])), 0, 1);
  const gains = less(algebra.reshape(swaps, [1, -1]), multiply(tolerance, -m));
  const open = both(comparable, not(gains));
  const moving = relax(algebra, algebra.where(open, edges, 0), { open, tolerance, m });
  return both(not(both(comparable, gains)), less(moving, 0.5));
}

/** The costs |x_k − s_j|² − |x_k − s_k|² as [k, j, n], and the largest |x_k − s_j|² as a row. */
function exchanges(algebra: Algebra, sites: Float64Array, assigned: string): { largest: string; edges: string } {
  const { add, subtract, square } = algebra;
  const m = sites.length / 2;
  const lines = [0, 1].map((axis) => ({
    particles: algebra.reshape(algebra.slice(assigned, 0, axis, 2 * m, 2), [m, 1, -1]),
    sites: Array.from({ length: m }, (_, k) => sites[2 * k + axis]),
  }));
  const squares = (dims: readonly number[]) => {
    const [x, y] = lines.map((line) => square(subtract(line.particles, algebra.constant(line.sites, dims))));
    return add(x, y);
  };
  const costs = algebra.builder.declare(squares([1, m, 1]), "float64", [m, m, batchSize]);
  return {
    largest: algebra.reshape(algebra.largest(costs, 0, 1), [1, -1]),
    edges: subtract(costs, squares([m, 1, 1])),
  };
}

/** Passes of Bellman and Ford; 1 for samples that still move after as many as there are particles, else 0: a row. */
function relax(
  algebra: Algebra,
  edges: string,
  { open, tolerance, m }: { readonly open: string; readonly tolerance: string; readonly m: number },
): string {
  const { add, less } = algebra;
  const [type, dims] = ["float64", [m, batchSize]] as const;
  const reached = (candidates: string) => algebra.reshape(algebra.smallest(candidates, 0), [m, -1]);
  const initial = [{ value: reached(edges), type, dims }, { value: algebra.toNumber(open), type }];
  const [, moving] = algebra.builder.loop(m, initial, (_step, [potentials]) => {
    const next = reached(add(algebra.reshape(potentials, [m, 1, -1]), edges));
    const moved = algebra.largest(algebra.toNumber(less(add(next, tolerance), potentials)), 0);
    return { again: less(0.5, algebra.reshape(algebra.largest(moved, 1), [])), states: [next, moved] };
  });
  return moving;
}
