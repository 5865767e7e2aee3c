/**
 * ln Z of DW4 by quadrature: four particles in the plane, of which two are convolved with the other two's field.
 *
 * @module
 */
import { DoubleWellCluster } from "../mod.ts";

/** How finely to integrate. */
export interface QuadratureGrid {
  /** Points along each direction of the plane, a power of two. */
  readonly points: number;
  /** Their distance. */
  readonly spacing: number;
  /** Steps of the distance of the first two particles. */
  readonly step: number;
}

/** What DW4 is at one temperature. */
export interface PairStatistics {
  /** ln Z over mean-free positions. */
  readonly logPartition: number;
  /** Probability that two given particles are closer than d₀. */
  readonly closeProbability: number;
}

/**
 * Integrates exp(−U/T) over mean-free positions of four particles:
 *
 *     Z = ¼ ∫ 2πr w(r) C(r) dr,  C(r) = ∫∫ f(a) f(b) w(|a − b|) da db,  f(a) = w(|a − r/2|) w(|a + r/2|),  w = exp(−u/T)
 *
 * C is a convolution, done by Fourier transforms on a periodic grid wide enough that no image is seen; ¼ is the volume of
 * mean-free positions against positions relative to one particle, 1/√4 in each direction.
 *
 * @param preset which energy
 * @param temperature T in units of T₀
 * @param grid how finely
 * @returns ln Z and what part of it is close
 */
export function integrateDoubleWellCluster(
  preset: "koehler2020" | "eacf-fab",
  temperature: number,
  grid: QuadratureGrid,
): PairStatistics {
  const pair = new DoubleWellCluster({ preset, particles: 2, spatialDim: 1 });
  const { b, c, d0 } = pair.parameters;
  // The one coordinate of two particles on a line is their distance over √2.
  const u = (d: Float64Array) => pair.energy(d.map((v) => v / Math.SQRT2));
  const [lowest] = u(Float64Array.of(d0 + Math.sqrt(-b / (2 * c))));
  const weight: Weight = (d) => u(d).map((energy) => Math.exp((lowest - energy) / temperature));
  const field = new Convolution(weight, grid);
  const part = (from: number, to: number) => {
    const steps = 2 * Math.ceil((to - from) / (2 * grid.step));
    const h = (to - from) / steps;
    let sum = 0;
    for (let i = 0; i <= steps; i++) {
      const r = from + i * h;
      const simpson = h / 3 * (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2);
      const [w] = weight(Float64Array.of(r));
      if (w > 1e-20) sum += simpson * 2 * Math.PI * r * w * field.at(r);
    }
    return sum;
  };
  const [close, far] = [part(0, d0), part(d0, 2.2 * d0)];
  return {
    logPartition: Math.log((close + far) / 4) - 6 * lowest / temperature,
    closeProbability: close / (close + far),
  };
}

/** w of many distances. */
type Weight = (d: Float64Array) => Float64Array;

/** C(r) for many r. */
class Convolution {
  readonly #grid: QuadratureGrid;
  readonly #weight: Weight;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  /** The transform of w, real as w is even. */
  readonly #kernel: Float64Array;

  constructor(weight: Weight, grid: QuadratureGrid) {
    const { points } = grid;
    this.#grid = grid;
    this.#weight = weight;
    this.#cos = Float64Array.from({ length: points }, (_, k) => Math.cos(2 * Math.PI * k / points));
    this.#sin = Float64Array.from({ length: points }, (_, k) => -Math.sin(2 * Math.PI * k / points));
    this.#kernel = this.#transform(this.#around(0)).real;
  }

  /** ∫∫ f f w = Σ |f̂|² ŵ, by Parseval. */
  at(r: number): number {
    const { points, spacing } = this.#grid;
    const other = this.#around(-r / 2);
    const { real, imaginary } = this.#transform(this.#around(r / 2).map((w, k) => w * other[k]));
    let sum = 0;
    for (let k = 0; k < real.length; k++) sum += (real[k] * real[k] + imaginary[k] * imaginary[k]) * this.#kernel[k];
    return sum * spacing ** 4 / points ** 2;
  }

  /** w of the distance from (x, 0), on the grid. */
  #around(x: number): Float64Array {
    const { points, spacing } = this.#grid;
    const at = (i: number) => spacing * (i < points / 2 ? i : i - points);
    const distances = new Float64Array(points * points);
    for (let k = 0; k < distances.length; k++) {
      distances[k] = Math.hypot(at(Math.floor(k / points)) - x, at(k % points));
    }
    return this.#weight(distances);
  }

  #transform(real: Float64Array): { real: Float64Array; imaginary: Float64Array } {
    const { points } = this.#grid;
    const imaginary = new Float64Array(points * points);
    for (let k = 0; k < points; k++) this.#line(real, imaginary, k * points, 1);
    for (let k = 0; k < points; k++) this.#line(real, imaginary, k, points);
    return { real, imaginary };
  }

  /** The discrete Fourier transform of one line, in place, radix 2. */
  #line(re: Float64Array, im: Float64Array, offset: number, stride: number): void {
    const { points: n } = this.#grid;
    for (let i = 1, j = 0; i < n; i++) {
      let bit = n >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i >= j) continue;
      const [a, b] = [offset + i * stride, offset + j * stride];
      [re[a], re[b], im[a], im[b]] = [re[b], re[a], im[b], im[a]];
    }
    for (let half = 1; half < n; half *= 2) {
      const turn = n / (2 * half);
      for (let i = 0; i < n; i += 2 * half) {
        for (let k = 0; k < half; k++) {
          const a = offset + (i + k) * stride;
          const b = a + half * stride;
          const [c, s] = [this.#cos[k * turn], this.#sin[k * turn]];
          const x = re[b] * c - im[b] * s;
          const y = re[b] * s + im[b] * c;
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  }
}
