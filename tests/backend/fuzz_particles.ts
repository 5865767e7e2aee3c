/** Generators of the fuzz test: energies, Monte Carlo and relabelling of particles, in float64. */
import {
  type DimerCoefficients,
  type FluidCoefficients,
  isDimer,
  parameterBlock,
  type ParticleCoefficients,
} from "../../src/backend/particle_coefficients.ts";
import {
  assignmentReference,
  dimerEnergyReference,
  dimerGradientReference,
  fluidEnergyReference,
  fluidGradientReference,
  particleMetropolisReference,
} from "../../src/backend/particle_reference.ts";
import type { Draw, Generator, Generators } from "./fuzz_draw.ts";
import type { Bound, Reference } from "./kernel_harness.ts";

/** Unit roundoff of float64, and of the gradients that are computed in float32. */
const u = { double: 2 ** -53, single: 2 ** -24 } as const;

function dimerOf(draw: Draw, particles: number): DimerCoefficients {
  const [epsilon, sigma, tether] = [draw.float(0.5, 2), draw.float(0.7, 1.2), draw.float(0, 30)];
  const [c1, c2, c4, d0] = [draw.float(-3, 3), draw.float(-60, 0), draw.float(0, 60), draw.float(1, 2)];
  return { particles, epsilon, sigma, tether, c1, c2, c4, d0, halfBox: draw.float(1, 4), boxConstant: 100 };
}

function fluidOf(draw: Draw, particles: number): FluidCoefficients {
  const repulsion = draw.pick([0, 1, draw.float(0.5, 5)]);
  const attraction = repulsion === 0 ? 0 : draw.pick([0, draw.float(0.5, 5)]);
  return { particles, repulsion, attraction, sigma: draw.float(0.7, 1.2), halfBox: draw.float(1, 4), boxConstant: 50 };
}

/** A square lattice of unit spacing, shaken, around the middle. */
function place(draw: Draw, c: ParticleCoefficients, n: number, shake: number): Float64Array {
  const side = Math.ceil(Math.sqrt(c.particles));
  const noise = draw.floats(2 * n * c.particles, { from: -shake, to: shake, special: [] });
  return Float64Array.from(noise, (moved, i) => {
    const particle = Math.floor(i / 2) % c.particles;
    return (i % 2 === 0 ? particle % side : Math.floor(particle / side)) - (side - 1) / 2 + moved;
  });
}

/** What all terms of the energy or of each coordinate's derivative add up to if none cancels another. */
function magnitudes(c: ParticleCoefficients, x: ArrayLike<number>): { energy: number; gradient: Float64Array } {
  let energy = 0;
  const gradient = new Float64Array(2 * c.particles);
  const add = (k: number, size: number) => gradient[k] += Math.abs(size);
  for (let i = 0; i < c.particles; i++) {
    for (let j = isDimer(c) ? Math.max(2, i + 1) : i + 1; j < c.particles; j++) {
      const [dx, dy] = [x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]];
      const r2 = dx * dx + dy * dy;
      const t = (c.sigma ** 2 / r2) ** 3;
      const [repelling, attracting] = isDimer(c) ? [c.epsilon * t * t, 0] : [c.repulsion * t * t, c.attraction * t];
      energy += repelling + attracting;
      const slope = (12 * repelling + 6 * attracting) / r2;
      [2 * i, 2 * j].forEach((k) => (add(k, slope * dx), add(k + 1, slope * dy)));
    }
  }
  for (let k = 0; k < 2 * c.particles; k++) {
    const over = Math.max(Math.abs(x[k]) - c.halfBox, 0);
    energy += c.boxConstant * over * over;
    add(k, 2 * c.boxConstant * over);
  }
  if (!isDimer(c)) return { energy, gradient };
  const [dx, dy] = [x[0] - x[2], x[1] - x[3]];
  const d = Math.hypot(dx, dy), q = Math.abs(d - c.d0), reach = d + c.d0;
  // q is a difference of numbers of size d and d₀, so that its powers err by their derivatives times these.
  energy += Math.abs(c.c1) * reach - c.c2 * q * (q + reach) + c.c4 * q ** 3 * (q + reach);
  energy += c.tether * ((Math.abs(x[0]) + Math.abs(x[2])) ** 2 + x[1] ** 2 + x[3] ** 2);
  const slope = (Math.abs(c.c1) - 2 * c.c2 * reach + 4 * c.c4 * q * q * reach) / d;
  [dx, dy, dx, dy].forEach((side, k) => {
    add(k, slope * side);
    add(k, 2 * c.tether * (k % 2 === 0 ? Math.abs(x[0]) + Math.abs(x[2]) : x[k]));
  });
  return { energy, gradient };
}

/**
 * Forces between particles that are far apart underflow in float32: 2⁻¹⁴⁹ for each of 40, times 12 ε/σ² ≤ 50 and a distance
 * of up to 1.5e6.
 */
const lost = { double: 0, single: 3e9 * 2 ** -149 } as const;

/** Around 40 roundings in the largest term, whose twelfth power takes half of them, and one for each addition. */
const roundingsOf = (c: ParticleCoefficients, additions: number) => 40 + additions * c.particles;

function energyOf(c: ParticleCoefficients, x: Float64Array): number {
  return isDimer(c) ? dimerEnergyReference(c, x) : fluidEnergyReference(c, x);
}

function gradientOf(c: ParticleCoefficients, x: Float64Array): Float64Array {
  return isDimer(c) ? dimerGradientReference(c, x) : fluidGradientReference(c, x);
}

/**
 * Energies alone or with gradients; where these are computed in float32, coordinates are float32 and particles never so
 * close that energies overflow.
 */
function energies(
  coefficients: typeof dimerOf | typeof fluidOf,
  least: number,
  derivative: boolean,
  precision: keyof typeof u = "double",
): Generator {
  return (draw) => {
    const [n, particles] = [draw.size(4, 0, 9), draw.size(4, least, 40)];
    const c = coefficients(draw, particles);
    const dim = 2 * particles;
    const shaken = place(draw, c, n, draw.pick(precision === "single" ? [0.05, 0.3] : [0.05, 0.3, 3]));
    const x = precision === "single" ? shaken.map(Math.fround) : shaken;
    if (x.length > 0 && draw.flag()) x[draw.integer(0, x.length - 1)] = draw.pick([NaN, 0, -0, 5e-324, 1e6]);
    const rows = Array.from({ length: n }, (_, s) => x.slice(s * dim, (s + 1) * dim));
    const reference: Reference = (...args) => {
      (args[4] as Float64Array).set(rows.map((row) => energyOf(c, row)));
      if (derivative) rows.forEach((row, s) => (args[5] as Float64Array).set(gradientOf(c, row), s * dim));
    };
    const sizes = rows.map((row) => magnitudes(c, row));
    const bound: Bound = (_, i, a) =>
      a === 4
        ? u[precision] * roundingsOf(c, particles) * sizes[i].energy + lost[precision]
        : u[precision] * roundingsOf(c, 1) * sizes[Math.floor(i / dim)].gradient[i % dim] + lost[precision];
    const outputs = [new Float64Array(n).fill(7), ...derivative ? [new Float64Array(n * dim).fill(7)] : []];
    const scratch = new Float64Array((derivative ? 12 : 4) * particles);
    const args = [n, particles, parameterBlock(c), x, ...outputs, scratch];
    return { args, bound, reference, scratch: args.length - 1 };
  };
}

/** Every number is the same, bit by bit. */
const exact: Bound = () => 0;

/** The chains of a pair side by side, which the kernels want, from random generators. */
function chains(draw: Draw, c: ParticleCoefficients, pairs: number) {
  const x = place(draw, c, 2 * pairs, 0.2);
  const size = 2 * c.particles;
  const positions = Float64Array.from({ length: 2 * pairs * size }, (_, i) => {
    const pair = Math.floor(i / (2 * size));
    return x[(2 * pair + i % 2) * size + Math.floor(i / 2) % size];
  });
  if (positions.length > 0 && draw.integer(0, 3) === 0) positions[draw.integer(0, positions.length - 1)] = NaN;
  const rows = [[0.5, 2], [0.05, 0.5], [0, 50], [1, 2]];
  const tables = Float64Array.from({ length: 8 * pairs }, (_, i) => {
    const [low, high] = rows[Math.floor(i % 8 / 2)];
    return draw.float(low, high);
  });
  return {
    tables,
    positions,
    generators: Int32Array.from(new Int32Array(draw.bits(16 * pairs).buffer)),
    accepted: Float64Array.from({ length: 2 * pairs }, () => draw.integer(0, 9)),
  };
}

/** The distance of each dimer [2·pairs]. */
function distances(positions: Float64Array, particles: number, pairs: number): number[] {
  return Array.from({ length: 2 * pairs }, (_, chain) => {
    const at = (k: number) => positions[4 * particles * (chain >> 1) + 2 * k + (chain & 1)];
    const [dx, dy] = [at(0) - at(2), at(1) - at(3)];
    return Math.sqrt(dx * dx + dy * dy);
  });
}

/** Advances the chains in the last arguments; records distances where there is room for them. */
function walk(c: ParticleCoefficients, pairs: number, sweeps: number, every: number): Reference {
  return (...args) => {
    const [tables, positions, words, accepted, records] = args.slice(isDimer(c) ? 5 : 4) as Float64Array[];
    const generators = new BigUint64Array((words as unknown as Int32Array).buffer);
    const part = every || sweeps;
    for (let done = 0; done < sweeps; done += part) {
      const now = Math.min(part, sweeps - done);
      particleMetropolisReference(c, { pairs, tables, positions, generators, accepted }, now);
      if (every > 0 && now === every) {
        records.set(distances(positions, c.particles, pairs), done / every * 2 * pairs);
      }
    }
  };
}

const metropolis: Generators = {
  dimerMetropolisF64: (draw) => {
    const c = dimerOf(draw, draw.size(4, 2, 20));
    const [pairs, sweeps, every] = [draw.integer(0, 3), draw.integer(0, 9), draw.integer(0, 3)];
    const { tables, positions, generators, accepted } = chains(draw, c, pairs);
    const records = new Float64Array(every > 0 ? 2 * pairs * Math.floor(sweeps / every) : 0);
    const buffers = [parameterBlock(c), tables, positions, generators, accepted, records];
    const args = [pairs, c.particles, sweeps, every, ...buffers];
    return { args, bound: exact, reference: walk(c, pairs, sweeps, every) };
  },
  fluidMetropolisF64: (draw) => {
    const c = fluidOf(draw, draw.size(4, 1, 20));
    const [pairs, sweeps] = [draw.integer(0, 3), draw.integer(0, 9)];
    const { tables, positions, generators, accepted } = chains(draw, c, pairs);
    const args = [pairs, c.particles, sweeps, parameterBlock(c), tables, positions, generators, accepted];
    return { args, bound: exact, reference: walk(c, pairs, sweeps, 0) };
  },
};

/** Sites and particles by the Hungarian method; labels stay where a coordinate is not a number or infinite. */
function bestLabels(sites: Float64Array, x: Float64Array, first: number): number[] {
  const m = sites.length / 2;
  const cost = Array.from({ length: m }, (_, k) =>
    Array.from({ length: m }, (_, j) => {
      const at = 2 * (first + j);
      return (sites[2 * k] - x[at]) ** 2 + (sites[2 * k + 1] - x[at + 1]) ** 2;
    }));
  const usable = cost.flat().every(Number.isFinite);
  return usable ? assignmentReference(cost).map((j) => first + j) : cost.map((_, k) => first + k);
}

function orders(bonded: boolean): Generator {
  return (draw) => {
    const [n, m] = [draw.integer(0, 5), draw.size(2, 1, 14)];
    const first = bonded ? 2 : 0;
    const particles = m + first;
    const sites = Float64Array.from(draw.floats(2 * m, { from: -3, to: 3, special: [] }));
    const order = draw.permutation(m);
    const width = draw.pick([0.01, 0.5, 3]);
    const noise = draw.floats(2 * n * particles, { from: -width, to: width, special: [] });
    // From frames that are in order to frames without any.
    const x = Float64Array.from(noise, (moved, i) => {
      const k = Math.floor(i / 2) % particles - first;
      return moved + (k < 0 ? 0 : sites[2 * (width === 0.5 ? order[k] : k) + i % 2]);
    });
    if (x.length > 0 && draw.flag()) x[draw.integer(0, x.length - 1)] = draw.pick([NaN, Infinity, 0]);
    const reference: Reference = (...args) => {
      for (let s = 0; s < n; s++) {
        const frame = x.subarray(2 * s * particles, 2 * (s + 1) * particles);
        const ends = bonded ? (frame[0] > frame[2] ? [1, 0] : [0, 1]) : [];
        (args[4] as Int32Array).set([...ends, ...bestLabels(sites, frame, first)], s * particles);
      }
    };
    const scratch = new Float64Array((m + 8) * (m + 1));
    const args = [n, particles, sites, x, new Int32Array(n * particles).fill(-1), scratch];
    return { args, bound: exact, reference, scratch: 5 };
  };
}

/** Twelve chains a ← a·scale + shift, two roundings at a time, and eleven additions. */
const peak: Generator = (draw) => {
  const iterations = draw.integer(0, 20);
  const out = draw.floats(8, { from: -0.9, to: 0.9, special: [] });
  const chain = (scale: number, shift: number) => {
    let a = shift;
    for (let i = 0; i < iterations; i++) a = a * scale + shift;
    return 12 * a;
  };
  const given = out.slice();
  const reference: Reference = (_, buffer) => {
    for (let k = 0; k < 4; k++) (buffer as Float64Array)[k] = chain(given[k], given[k + 4]);
  };
  const bound: Bound = (_, k) =>
    (2 * iterations + 4) * 2 ** -24 * chain(Math.abs(given[k % 4]), Math.abs(given[k % 4 + 4]));
  return { args: [iterations, out], bound, reference };
};

/** Generators for the kernels of particles and for the yardstick of the benches. */
export const particles: Generators = {
  particleDimerEnergyF64: energies(dimerOf, 2, false),
  particleDimerGradientF64: energies(dimerOf, 2, true),
  particleFluidEnergyF64: energies(fluidOf, 1, false),
  particleFluidGradientF64: energies(fluidOf, 1, true),
  particleDimerGradientSingleF64: energies(dimerOf, 2, true, "single"),
  particleFluidGradientSingleF64: energies(fluidOf, 1, true, "single"),
  ...metropolis,
  canonicalOrderF64: orders(true),
  assignmentOrderF64: orders(false),
  fmaPeakF32: peak,
};
