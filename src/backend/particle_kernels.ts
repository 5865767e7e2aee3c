/**
 * Typed wrappers of the kernels for particles: energies, gradients and relabelling.
 *
 * Arrays live in JavaScript; a call copies what it needs into scratch memory, in pieces, and spreads the pieces over the
 * threads of a pool. Results do not depend on the pieces: every configuration is computed alone.
 *
 * @module
 */
import { callsFor, eachBatch } from "./batches.ts";
import { BLOCK_LENGTH, isDimer, parameterBlock, type ParticleCoefficients } from "./particle_coefficients.ts";
import { type Executor, serialPool } from "./executor.ts";
import { f64, i32, scope } from "./wasm.ts";

/**
 * Computes U of configurations.
 *
 * @param c the energy's numbers
 * @param x [n, 2·particles]; the length is not checked
 * @param pool threads to spread the work over
 * @returns U [n]
 */
export function particleEnergy(c: ParticleCoefficients, x: Float64Array, pool: Executor = serialPool): Float64Array {
  const { particles } = c;
  const kernel = isDimer(c) ? "particleDimerEnergyF64" : "particleFluidEnergyF64";
  const dim = 2 * particles;
  const energy = new Float64Array(x.length / dim);
  eachBatch(energy.length, { row: 8 * dim + 8, call: 32 * particles }, pool, (start, end, rows) => {
    using s = scope();
    const count = end - start;
    const [parameters, at, out] = [s.f64(BLOCK_LENGTH), s.f64(count * dim), s.f64(count)];
    f64(parameters, BLOCK_LENGTH).set(parameterBlock(c));
    f64(at, count * dim).set(x.subarray(start * dim, end * dim));
    pool.run(callsFor(count, rows, (first, n) => ({
      kernel,
      args: [n, particles, parameters, at + 8 * first * dim, out + 8 * first, s.f64(4 * particles)],
    })));
    energy.set(f64(out, count), start);
  });
  return energy;
}

/** Numbers in which energies and gradients are computed; they are returned as float64 in any case. */
export type GradientPrecision = "float64" | "float32";

/**
 * Computes U and ∂U/∂x of configurations.
 *
 * @param c the energy's numbers
 * @param x [n, 2·particles]; the length is not checked
 * @param pool threads to spread the work over
 * @param precision in which coordinates are read and everything is computed
 * @returns U [n] and the gradient [n, 2·particles]
 * @throws {RangeError} if the precision has another name
 */
export function particleGradient(
  c: ParticleCoefficients,
  x: Float64Array,
  pool: Executor = serialPool,
  precision: GradientPrecision = "float64",
): { energy: Float64Array; gradient: Float64Array } {
  if (precision !== "float64" && precision !== "float32") {
    throw new RangeError(`Cannot compute gradients: precision must be float64 or float32, got ${precision}`);
  }
  const { particles } = c;
  const kernel = `particle${isDimer(c) ? "Dimer" : "Fluid"}Gradient${precision === "float32" ? "Single" : ""}F64`;
  const dim = 2 * particles;
  const energy = new Float64Array(x.length / dim);
  const gradient = new Float64Array(energy.length * dim);
  const cells = 12 * particles;
  eachBatch(energy.length, { row: 16 * dim + 8, call: 8 * cells }, pool, (start, end, rows) => {
    using s = scope();
    const count = end - start;
    const [parameters, at, value, slope] = [s.f64(BLOCK_LENGTH), s.f64(count * dim), s.f64(count), s.f64(count * dim)];
    f64(parameters, BLOCK_LENGTH).set(parameterBlock(c));
    f64(at, count * dim).set(x.subarray(start * dim, end * dim));
    pool.run(callsFor(count, rows, (first, n) => {
      const offset = 8 * first * dim;
      const args = [n, particles, parameters, at + offset, value + 8 * first, slope + offset, s.f64(cells)];
      return { kernel, args };
    }));
    energy.set(f64(value, count), start);
    gradient.set(f64(slope, count * dim), start * dim);
  });
  return { energy, gradient };
}

/**
 * Finds the labels that bring frames of a dimer into the reference domain: the dimer ordered by x, the solvent assigned to
 * the reference sites with the least sum of squared distances. Labels that cannot be improved are kept; a frame with a
 * coordinate that is not a number keeps its solvent labels.
 *
 * @param reference [solvent, 2] sites
 * @param x [n, 2 + solvent, 2]; the length is not checked
 * @param pool threads to spread the work over
 * @returns [n, 2 + solvent]: which particle of the frame gets each label
 */
export function canonicalOrder(reference: Float64Array, x: Float64Array, pool: Executor = serialPool): Int32Array {
  return orders("canonicalOrderF64", reference, 2 + reference.length / 2, x, pool);
}

/**
 * Finds the labels that assign all particles of frames to reference sites with the least sum of squared distances. Labels
 * that cannot be improved are kept, and so are those of a frame with a coordinate that is not a number.
 *
 * @param reference [particles, 2] sites
 * @param x [n, particles, 2]; the length is not checked
 * @param pool threads to spread the work over
 * @returns [n, particles]: which particle of the frame gets each label
 */
export function assignmentOrder(reference: Float64Array, x: Float64Array, pool: Executor = serialPool): Int32Array {
  return orders("assignmentOrderF64", reference, reference.length / 2, x, pool);
}

function orders(
  kernel: string,
  reference: Float64Array,
  particles: number,
  x: Float64Array,
  pool: Executor,
): Int32Array {
  const assigned = reference.length / 2;
  const dim = 2 * particles;
  const n = x.length / dim;
  const order = new Int32Array(n * particles);
  const workspace = (assigned + 8) * (assigned + 1);
  eachBatch(n, { row: 8 * dim + 4 * particles, call: 8 * workspace }, pool, (start, end, rows) => {
    using s = scope();
    const count = end - start;
    const [sites, at, out] = [s.f64(2 * assigned), s.f64(count * dim), s.i32(count * particles)];
    f64(sites, 2 * assigned).set(reference);
    f64(at, count * dim).set(x.subarray(start * dim, end * dim));
    pool.run(callsFor(count, rows, (first, n) => {
      const args = [n, particles, sites, at + 8 * first * dim, out + 4 * first * particles, s.f64(workspace)];
      return { kernel, args };
    }));
    order.set(i32(out, count * particles), start * particles);
  });
  return order;
}
