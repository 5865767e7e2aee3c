/**
 * The mixture of sheared normal densities that a row of features describes, in float64, one sample at a time.
 *
 * With u₁ = e^a₁(r₁ − m₁), u_d = e^a_d(r_d − m_d) + Σ_{e<d} s_de(r_e − m_e) for each component, and π = softmax(logits):
 *
 *     p(r) = Σⱼ πⱼ Π_d e^a_dj φ(u_dj),   z_d = Φ⁻¹(Σⱼ w_dj Φ(u_dj)),   w_dj ∝ πⱼ Π_{e<d} e^a_ej φ(u_ej)
 *
 * z is the Knothe–Rosenblatt map of r: normal numbers for r from p.
 *
 * @module
 */
import { LARGEST_LOG_SCALE, type MixtureAttributes } from "../../graph/mixture_features.ts";
import { normalCdf, normalQuantile } from "../../backend/reference_normal.ts";

const SQRT_TWO_PI = Math.sqrt(2 * Math.PI);
const MAXIMUM_ITERATIONS = 200;

/** Cotangents of the results that a derivative starts from. */
export interface MixtureCotangents {
  /** Of z (`encode`), of r (`decode`), or none. */
  readonly map?: { readonly direction: "encode" | "decode"; readonly cotangent: ArrayLike<number> };
  /** Of log p(r). */
  readonly logProb: number;
}

/** A mixture with the coordinates that have been placed in it. */
export class MixtureDensity {
  readonly #dim: number;
  readonly #count: number;
  readonly #features: Float64Array;
  readonly #r: Float64Array;
  readonly #z: Float64Array;
  /** e^a and u, [D][J]. */
  readonly #scale: Float64Array;
  readonly #u: Float64Array;
  /** ln of the weights before each coordinate and after the last, up to a constant, [D + 1][J]. */
  readonly #logWeights: Float64Array;

  /**
   * @param attributes size
   * @param features the row of a sample
   */
  constructor(attributes: MixtureAttributes, features: Float64Array) {
    const { spatialDim: dim, components: count } = attributes;
    this.#dim = dim;
    this.#count = count;
    this.#features = features;
    this.#r = new Float64Array(dim);
    this.#z = new Float64Array(dim);
    this.#scale = Float64Array.from({ length: dim * count }, (_, i) => {
      return Math.exp(Math.min(features[(1 + dim) * count + i], LARGEST_LOG_SCALE));
    });
    this.#u = new Float64Array(dim * count);
    this.#logWeights = new Float64Array((dim + 1) * count);
    this.#logWeights.set(features.subarray(0, count));
  }

  #mean(d: number, j: number): number {
    return this.#features[(1 + d) * this.#count + j];
  }

  /** Where the shears of coordinate d by coordinate e < d begin. */
  #shearStart(d: number, e: number): number {
    return (1 + 2 * this.#dim + d * (d - 1) / 2 + e) * this.#count;
  }

  /** Σ_{e<d} s_de(r_e − m_e) of component j. */
  #offset(d: number, j: number): number {
    let sum = 0;
    for (let e = 0; e < d; e++) sum += this.#features[this.#shearStart(d, e) + j] * (this.#r[e] - this.#mean(e, j));
    return sum;
  }

  /** The weights before coordinate d, which sum to 1. */
  #weights(d: number): Float64Array {
    const logs = this.#logWeights.subarray(d * this.#count, (d + 1) * this.#count);
    const total = logSumExp(logs);
    return logs.map((log) => Math.exp(log - total));
  }

  /** Σⱼ wⱼΦ(uⱼ), Σⱼ wⱼΦ(−uⱼ) and Σⱼ wⱼ e^a φ(uⱼ) at a place x of coordinate d. */
  #masses(d: number, x: number, weights: Float64Array): { lower: number; upper: number; density: number } {
    let [lower, upper, density] = [0, 0, 0];
    for (let j = 0; j < this.#count; j++) {
      const scale = this.#scale[d * this.#count + j];
      const u = scale * (x - this.#mean(d, j)) + this.#offset(d, j);
      lower += weights[j] * normalCdf(u);
      upper += weights[j] * normalCdf(-u);
      density += weights[j] * scale * normalDensity(u);
    }
    return { lower, upper, density };
  }

  #place(d: number, x: number): void {
    this.#r[d] = x;
    for (let j = 0; j < this.#count; j++) {
      const i = d * this.#count + j;
      const u = this.#scale[i] * (x - this.#mean(d, j)) + this.#offset(d, j);
      this.#u[i] = u;
      const logScale = Math.min(this.#features[(1 + this.#dim) * this.#count + i], LARGEST_LOG_SCALE);
      this.#logWeights[i + this.#count] = this.#logWeights[i] + logScale - u * u / 2;
    }
  }

  /** Places all coordinates and returns z. */
  encode(r: ArrayLike<number>): Float64Array {
    for (let d = 0; d < this.#dim; d++) {
      const { lower, upper } = this.#masses(d, r[d], this.#weights(d));
      this.#z[d] = normalQuantile(lower, upper);
      this.#place(d, r[d]);
    }
    return this.#z.slice();
  }

  /** Places the coordinates whose normal numbers are z, and returns them. */
  decode(z: ArrayLike<number>): Float64Array {
    for (let d = 0; d < this.#dim; d++) {
      this.#z[d] = z[d];
      this.#place(d, this.#solve(d, z[d]));
    }
    return this.#r.slice();
  }

  /** Places coordinates; only a derivative of the map needs their normal numbers z. */
  put(r: ArrayLike<number>, z?: ArrayLike<number>): void {
    if (z !== undefined) this.#z.set(z);
    for (let d = 0; d < this.#dim; d++) this.#place(d, r[d]);
  }

  /**
   * The x with Φ⁻¹(F(x)) = z: Newton's method, for one component exact in one step, inside a bracket that begins with
   * the least and the greatest of the components' own solutions and is halved where a step would leave it.
   */
  #solve(d: number, z: number): number {
    const weights = this.#weights(d);
    let [low, high, x] = [Infinity, -Infinity, 0];
    for (let j = 0; j < this.#count; j++) {
      const own = this.#mean(d, j) + (z - this.#offset(d, j)) / this.#scale[d * this.#count + j];
      low = Math.min(low, own);
      high = Math.max(high, own);
      x += weights[j] * own;
    }
    if (low === high) return low;
    for (let iteration = 0; iteration < MAXIMUM_ITERATIONS; iteration++) {
      const { lower, upper, density } = this.#masses(d, x, weights);
      const reached = normalQuantile(lower, upper);
      if (reached > z) high = x;
      else low = x;
      const step = (z - reached) * normalDensity(reached) / density;
      if (Number.isNaN(x)) return x;
      if (Math.abs(z - reached) < 1e-9) return x + step;
      x = x + step > low && x + step < high ? x + step : low + (high - low) / 2;
    }
    return x;
  }

  /** log p of the coordinates that have been placed. */
  logProb(): number {
    const { length } = this.#logWeights;
    const total = logSumExp(this.#logWeights.subarray(length - this.#count));
    return total - logSumExp(this.#logWeights.subarray(0, this.#count)) - this.#dim * Math.log(SQRT_TWO_PI);
  }

  /**
   * Propagates cotangents back to the features (added to `features`) and to the coordinates, which it returns: those of
   * r, or for `decode` those of z.
   *
   * u̅ⱼ = −uⱼΩⱼ + z̅·wⱼφ(uⱼ)/φ(z), where Ω are the cotangents of ln w from the coordinates after this one and from log p;
   * z̅·wⱼ(Φ(uⱼ) − F)/φ(z) goes to those from this one. For `decode` z̅ is what makes the cotangent of r vanish, and its
   * negative is the result.
   */
  backward({ map, logProb }: MixtureCotangents, features: Float64Array): Float64Array {
    const count = this.#count;
    const logWeights = this.#weights(this.#dim).map((w) => logProb * w);
    this.#weights(0).forEach((w, j) => features[j] += logWeights[j] - logProb * w);
    const result = new Float64Array(this.#dim);
    const r = new Float64Array(this.#dim);
    if (map?.direction === "decode") r.set(map.cotangent);
    for (let d = this.#dim - 1; d >= 0; d--) {
      const weights = this.#weights(d);
      const du = logWeights.map((w, j) => -w * this.#u[d * count + j]);
      let dz = 0;
      if (map?.direction === "encode") dz = map.cotangent[d];
      if (map?.direction === "decode") {
        const { density } = this.#masses(d, this.#r[d], weights);
        const all = du.reduce((sum, c, j) => sum + c * this.#scale[d * count + j], r[d]);
        result[d] = all * normalDensity(this.#z[d]) / density;
        dz = -result[d];
      }
      const before = this.#coordinateBackward(d, dz, weights, du);
      this.#spread(d, du, logWeights, features, r);
      before.forEach((c, j) => {
        logWeights[j] += c;
        features[j] += c;
      });
    }
    return map?.direction === "decode" ? result : r;
  }

  /** Adds z̅·wⱼφ(uⱼ)/φ(z) to u̅ and returns the cotangents of the logarithms of the weights. */
  #coordinateBackward(d: number, dz: number, weights: Float64Array, du: Float64Array): Float64Array {
    const result = new Float64Array(this.#count);
    if (dz === 0) return result;
    const { lower, upper } = this.#masses(d, this.#r[d], weights);
    const slope = dz / normalDensity(this.#z[d]);
    for (let j = 0; j < this.#count; j++) {
      const u = this.#u[d * this.#count + j];
      du[j] += dz * weights[j] * Math.exp((this.#z[d] - u) * (this.#z[d] + u) / 2);
      const excess = lower < upper ? normalCdf(u) - lower : upper - normalCdf(-u);
      result[j] = slope * weights[j] * excess;
    }
    return result;
  }

  /** From the cotangents of u_d and of the log-weights after coordinate d to those of features and coordinates. */
  #spread(d: number, du: Float64Array, logWeights: Float64Array, features: Float64Array, r: Float64Array): void {
    const count = this.#count;
    for (let j = 0; j < count; j++) {
      const byPlace = du[j] * this.#scale[d * count + j];
      const logScale = (1 + this.#dim + d) * count + j;
      if (!(this.#features[logScale] > LARGEST_LOG_SCALE)) {
        features[logScale] += logWeights[j] + byPlace * (this.#r[d] - this.#mean(d, j));
      }
      features[(1 + d) * count + j] -= byPlace;
      r[d] += byPlace;
      for (let e = 0; e < d; e++) {
        const shear = this.#shearStart(d, e) + j;
        features[shear] += du[j] * (this.#r[e] - this.#mean(e, j));
        features[(1 + e) * count + j] -= du[j] * this.#features[shear];
        r[e] += du[j] * this.#features[shear];
      }
    }
  }
}

function normalDensity(u: number): number {
  return Math.exp(-u * u / 2) / SQRT_TWO_PI;
}

function logSumExp(logs: Float64Array): number {
  const largest = logs.reduce((most, log) => Math.max(most, log), -Infinity);
  return largest === -Infinity
    ? largest
    : largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
}
