/** How far an energy and its gradient may be off when everything about particles is rounded to float32. */
import { type DimerCoefficients, isDimer, type ParticleCoefficients } from "../../src/backend/particle_coefficients.ts";

const u = 2 ** -24;
/** (1 + a)ⁿ − 1: the relative error of a power, and of n roundings of one number. */
const grown = (a: number, n: number) => Math.expm1(n * Math.log1p(a));
/** Σ of two relative errors of factors. */
const together = (a: number, b: number) => a + b + a * b;

/** Bounds of |error|. */
export interface ErrorBounds {
  /** Of U. */
  readonly energy: number;
  /** Of each derivative [2·particles]. */
  readonly gradient: Float64Array;
}

interface Terms {
  energy: number;
  energySize: number;
  readonly gradient: Float64Array;
  readonly gradientSize: Float64Array;
}

/** A term of one derivative with its size and the error of its size. */
function addSlope(terms: Terms, k: number, size: number, error: number): void {
  terms.gradient[k] += error;
  terms.gradientSize[k] += Math.abs(size) + error;
}

function addEnergy(terms: Terms, size: number, error: number): void {
  terms.energy += error;
  terms.energySize += Math.abs(size) + error;
}

/** Error of a difference of two rounded numbers. */
const differenceError = (a: number, b: number) => u * (Math.abs(a) + Math.abs(b) + Math.abs(a - b));

function addPair(terms: Terms, c: ParticleCoefficients, x: ArrayLike<number>, i: number, j: number): void {
  const [dx, dy] = [x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]].map(Math.abs);
  const [ex, ey] = [differenceError(x[2 * i], x[2 * j]), differenceError(x[2 * i + 1], x[2 * j + 1])];
  const r2 = dx * dx + dy * dy;
  const [scale, attraction] = isDimer(c) ? [c.epsilon, 0] : [c.repulsion, c.repulsion && c.attraction / c.repulsion];
  const q = c.sigma ** 2 / r2;
  const t = q ** 3;
  // r² errs by its differences and three roundings, q by two more and that of σ².
  const ofSquare = together(((dx + ex) ** 2 + (dy + ey) ** 2) / r2 - 1, grown(u, 3));
  const ofQuotient = ofSquare < 1 ? together(ofSquare / (1 - ofSquare), grown(u, 3)) : Infinity;
  const ofT = together(grown(ofQuotient, 3), grown(u, 2));
  // t (t − B/A): B/A, the product and the difference are rounded, and then scaled.
  const energyError = (b: number, roundings: number) =>
    t * t * together(grown(ofT, 2), grown(u, roundings)) + b * t * together(ofT, grown(u, roundings + 1));
  addEnergy(terms, scale * (t * t + attraction * t), scale * energyError(attraction, 4));
  const slope = 12 * scale / c.sigma ** 2 * q * (t * t + attraction / 2 * t);
  const slopeError = 12 * scale / c.sigma ** 2 * q *
      together(ofQuotient, grown(u, 7)) * (t * t + attraction / 2 * t + energyError(attraction / 2, 4)) +
    12 * scale / c.sigma ** 2 * q * energyError(attraction / 2, 4);
  [[2 * i, dx, ex], [2 * j, dx, ex], [2 * i + 1, dy, ey], [2 * j + 1, dy, ey]].forEach(([k, d, e]) => {
    addSlope(terms, k, slope * d, (slope + slopeError) * (d + e) * (1 + u) - slope * d);
  });
}

function addWall(terms: Terms, c: ParticleCoefficients, x: ArrayLike<number>, k: number): void {
  const over = Math.max(Math.abs(x[k]) - c.halfBox, 0);
  const error = differenceError(x[k], c.halfBox);
  // Well inside, both are exactly zero.
  if (Math.abs(x[k]) + error < c.halfBox) return;
  addEnergy(terms, c.boxConstant * over ** 2, c.boxConstant * ((over + error) ** 2 * (1 + grown(u, 3)) - over ** 2));
  addSlope(terms, k, 2 * c.boxConstant * over, 2 * c.boxConstant * ((over + error) * (1 + grown(u, 3)) - over));
}

/** Bond and tethers. */
function addBond(terms: Terms, c: DimerCoefficients, x: ArrayLike<number>): void {
  const [dx, dy] = [x[0] - x[2], x[1] - x[3]].map(Math.abs);
  const [ex, ey] = [differenceError(x[0], x[2]), differenceError(x[1], x[3])];
  const d = Math.hypot(dx, dy), q = Math.abs(d - c.d0);
  const distanceError = (Math.hypot(dx + ex, dy + ey) - d) + grown(u, 4) * d;
  const e = distanceError + u * (c.d0 + q);
  const power = (n: number) => (q + e) ** n - q ** n;
  const [a1, a2, a4] = [Math.abs(c.c1), Math.abs(c.c2), Math.abs(c.c4)];
  const bond = a1 * q + a2 * q ** 2 + a4 * q ** 4;
  const bondError = a1 * power(1) + a2 * power(2) + a4 * power(4);
  addEnergy(terms, bond, bondError + grown(u, 8) * (bond + bondError));
  const sums = [[x[0], x[2]], [x[1], 0], [x[3], 0]].map((
    [a, b],
  ) => [Math.abs(a + b), u * 2 * (Math.abs(a) + Math.abs(b))]);
  for (const [s, error] of sums) {
    addEnergy(terms, c.tether * s * s, c.tether * ((s + error) ** 2 * (1 + grown(u, 5)) - s * s));
  }
  const slope = (a1 + 2 * a2 * q + 4 * a4 * q ** 3) / d;
  const slopeError = (2 * a2 * power(1) + 4 * a4 * power(3)) / (d - distanceError) +
    together(grown(u, 9), distanceError / (d - distanceError)) * slope;
  [[0, dx, ex], [2, dx, ex], [1, dy, ey], [3, dy, ey]].forEach(([k, side, error]) => {
    addSlope(terms, k, slope * side, (slope + slopeError) * (side + error) * (1 + u) - slope * side);
    const [s, sumError] = sums[k % 2 === 0 ? 0 : k === 1 ? 1 : 2];
    addSlope(terms, k, 2 * c.tether * s, 2 * c.tether * ((s + sumError) * (1 + grown(u, 3)) - s));
  });
}

/**
 * Derives bounds of the error of float32 kernels, rounding by rounding: coordinates, then each operation.
 *
 * @param c the energy's numbers
 * @param x one configuration
 * @returns bounds; infinite where particles are so close that nothing is left of their distance
 */
export function singleBounds(c: ParticleCoefficients, x: ArrayLike<number>): ErrorBounds {
  const n = 2 * c.particles;
  const terms = { energy: 0, energySize: 0, gradient: new Float64Array(n), gradientSize: new Float64Array(n) };
  for (let i = 0; i < c.particles; i++) {
    for (let j = isDimer(c) ? Math.max(2, i + 1) : i + 1; j < c.particles; j++) addPair(terms, c, x, i, j);
  }
  for (let k = 0; k < n; k++) addWall(terms, c, x, k);
  if (isDimer(c)) addBond(terms, c, x);
  // A particle's pairs are added two by two, then to those of the others; a dozen terms more are not pairs.
  const additions = grown(u, 1.5 * c.particles + 12);
  return {
    energy: terms.energy + additions * terms.energySize,
    gradient: terms.gradient.map((error, k) => error + additions * terms.gradientSize[k]),
  };
}
