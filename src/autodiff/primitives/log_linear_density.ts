/**
 * A density on the real line that is log-linear between nodes and decays exponentially beyond them, in float64.
 *
 * It is given by its unnormalised logarithms A at the nodes. Pieces are the tail on the left, the cells, and the tail
 * on the right; all masses are logarithms, so that neither a wall nor a far tail underflows. Derivatives by A are
 * arrays with an element for each node.
 *
 * @module
 */
import { logNormalCdf, normalQuantileOfLogs } from "../../backend/reference_normal_tails.ts";
import { HALF_LOG_TWO_PI } from "../../random/elementary.ts";
import { cellOf } from "../../graph/tilt.ts";

/** Logarithm of the mean of e^s over s from a to b: the larger + ln((1 − e^−|b − a|) / |b − a|). */
export function logMeanExp(a: number, b: number): number {
  const distance = Math.abs(b - a);
  if (distance === 0) return a;
  return Math.max(a, b) + Math.log(-Math.expm1(-distance) / distance);
}

/** Derivative of logMeanExp(a, a + δ) by its second argument, 1/(1 − e^−δ) − 1/δ; that by its first is the rest to 1. */
export function logMeanExpShare(delta: number): number {
  if (Math.abs(delta) >= 0.5) return -1 / Math.expm1(-delta) - 1 / delta;
  const s = delta * delta;
  // Bernoulli numbers: ½ + Σ B₂ₖ δ²ᵏ⁻¹ / (2k)!
  const series = 1 / 12 -
    s *
      (1 / 720 -
        s * (1 / 30240 - s * (1 / 1209600 - s * (1 / 47900160 - s * (691 / 1307674368000 - s / 74724249600)))));
  return 0.5 + delta * series;
}

function logSum(values: ArrayLike<number>, from: number, to: number, start = -Infinity): number {
  let largest = start;
  for (let i = from; i < to; i++) if (!(values[i] <= largest)) largest = values[i];
  if (largest === -Infinity) return largest;
  let sum = Math.exp(start - largest);
  for (let i = from; i < to; i++) sum += Math.exp(values[i] - largest);
  return largest + Math.log(sum);
}

/** Part of a piece: the logarithm of its mass, and the derivatives of that by A at the nodes left and right of it. */
interface Part {
  readonly logMass: number;
  readonly left: number;
  readonly right: number;
}

/** A log-linear density with exponential tails. */
export class LogLinearDensity {
  readonly #nodes: ArrayLike<number>;
  readonly #logs: Float64Array;
  readonly #rate: number;
  readonly #pieces: Part[];
  readonly #masses: Float64Array;
  readonly #logTotal: number;

  /**
   * Computes the masses.
   *
   * @param nodes increasing positions
   * @param logs A at the nodes, the unnormalised log-density
   * @param rate decay of the tails, per unit of length
   */
  constructor(nodes: ArrayLike<number>, logs: Float64Array, rate: number) {
    this.#nodes = nodes;
    this.#logs = logs;
    this.#rate = rate;
    const count = nodes.length;
    this.#pieces = Array.from({ length: count + 1 }, (_, piece) => {
      if (piece === 0) return { logMass: logs[0] - Math.log(rate), left: 0, right: 1 };
      if (piece === count) return { logMass: logs[count - 1] - Math.log(rate), left: 1, right: 0 };
      return this.#below(piece, nodes[piece]);
    });
    this.#masses = Float64Array.from(this.#pieces, (part) => part.logMass);
    this.#logTotal = logSum(this.#masses, 0, count + 1);
  }

  /** Which piece holds x: 0 for the left tail, k for the cell from node k − 1 to k, the number of nodes for the right. */
  #pieceOf(x: number): number {
    const { length } = this.#nodes;
    return x < this.#nodes[0] ? 0 : x > this.#nodes[length - 1] ? length : cellOf(this.#nodes, x) + 1;
  }

  /** Width, rise of A and position 0 to 1 of x in a cell. */
  #inCell(piece: number, x: number) {
    const width = this.#nodes[piece] - this.#nodes[piece - 1];
    const [a, b] = [this.#logs[piece - 1], this.#logs[piece]];
    return { width, a, b, t: (x - this.#nodes[piece - 1]) / width };
  }

  /** The part of a piece below x. */
  #below(piece: number, x: number): Part {
    const count = this.#nodes.length;
    if (piece === 0) {
      return { logMass: this.#logs[0] - this.#rate * (this.#nodes[0] - x) - Math.log(this.#rate), left: 0, right: 1 };
    }
    if (piece === count) {
      const inside = -Math.expm1(-this.#rate * (x - this.#nodes[count - 1]));
      return { logMass: this.#logs[count - 1] + Math.log(inside / this.#rate), left: 1, right: 0 };
    }
    const { width, a, b, t } = this.#inCell(piece, x);
    const share = logMeanExpShare((b - a) * t);
    const logMass = logMeanExp(a, a + (b - a) * t) + Math.log(width * t);
    return { logMass, left: 1 - share * t, right: share * t };
  }

  /** The part of a piece above x. */
  #above(piece: number, x: number): Part {
    const count = this.#nodes.length;
    if (piece === 0) {
      const inside = -Math.expm1(-this.#rate * (this.#nodes[0] - x));
      return { logMass: this.#logs[0] + Math.log(inside / this.#rate), left: 0, right: 1 };
    }
    if (piece === count) {
      const logMass = this.#logs[count - 1] - this.#rate * (x - this.#nodes[count - 1]) - Math.log(this.#rate);
      return { logMass, left: 1, right: 0 };
    }
    const { width, a, b, t } = this.#inCell(piece, x);
    const share = logMeanExpShare((b - a) * (1 - t));
    const logMass = logMeanExp(b - (b - a) * (1 - t), b) + Math.log(width * (1 - t));
    return { logMass, left: (1 - share) * (1 - t), right: 1 - (1 - share) * (1 - t) };
  }

  /** Adds the derivative of log Σ of parts, of which this is one. */
  #addShares(part: Part, piece: number, logSumOfParts: number, factor: number, to: Float64Array): void {
    const weight = factor * Math.exp(part.logMass - logSumOfParts);
    if (piece > 0) to[piece - 1] += weight * part.left;
    if (piece < this.#nodes.length) to[piece] += weight * part.right;
  }

  /** log p(x). */
  logDensity(x: number): number {
    const piece = this.#pieceOf(x);
    const count = this.#nodes.length;
    if (piece === 0) return this.#logs[0] - this.#rate * (this.#nodes[0] - x) - this.#logTotal;
    if (piece === count) return this.#logs[count - 1] - this.#rate * (x - this.#nodes[count - 1]) - this.#logTotal;
    const { a, b, t } = this.#inCell(piece, x);
    return a + (b - a) * t - this.#logTotal;
  }

  /** Derivatives of log p(x) by x and by A. */
  logDensityGradient(x: number): { readonly byX: number; readonly byLogs: Float64Array } {
    const piece = this.#pieceOf(x);
    const count = this.#nodes.length;
    const byLogs = new Float64Array(count);
    this.#pieces.forEach((part, k) => this.#addShares(part, k, this.#logTotal, -1, byLogs));
    if (piece === 0 || piece === count) {
      byLogs[piece === 0 ? 0 : count - 1] += 1;
      return { byX: piece === 0 ? this.#rate : -this.#rate, byLogs };
    }
    const { width, a, b, t } = this.#inCell(piece, x);
    byLogs[piece - 1] += 1 - t;
    byLogs[piece] += t;
    return { byX: (b - a) / width, byLogs };
  }

  /** z = Φ⁻¹(F(x)), from the smaller of the masses below and above x. */
  toNormal(x: number): number {
    const piece = this.#pieceOf(x);
    const lower = logSum(this.#masses, 0, piece, this.#below(piece, x).logMass);
    const upper = logSum(this.#masses, piece + 1, this.#masses.length, this.#above(piece, x).logMass);
    return normalQuantileOfLogs(lower - this.#logTotal, upper - this.#logTotal);
  }

  /** Derivatives of z = Φ⁻¹(F(x)) by x, p/φ(z), and by A. */
  toNormalGradient(x: number, z: number): { readonly byX: number; readonly byLogs: Float64Array } {
    const piece = this.#pieceOf(x);
    const isLower = z <= 0;
    const part = isLower ? this.#below(piece, x) : this.#above(piece, x);
    const [from, to] = isLower ? [0, piece] : [piece + 1, this.#masses.length];
    const logSide = logSum(this.#masses, from, to, part.logMass);
    // dz = ±(side mass / φ(z)) d log(side mass / total mass)
    const logNormal = -z * z / 2 - HALF_LOG_TWO_PI;
    const factor = (isLower ? 1 : -1) * Math.exp(logSide - this.#logTotal - logNormal);
    const byLogs = new Float64Array(this.#nodes.length);
    for (let k = from; k < to; k++) this.#addShares(this.#pieces[k], k, logSide, factor, byLogs);
    this.#addShares(part, piece, logSide, factor, byLogs);
    this.#pieces.forEach((whole, k) => this.#addShares(whole, k, this.#logTotal, -factor, byLogs));
    return { byX: Math.exp(this.logDensity(x) - logNormal), byLogs };
  }

  /** x with Φ⁻¹(F(x)) = z, in closed form. */
  fromNormal(z: number): number {
    if (Number.isNaN(z + this.#logTotal)) return NaN;
    const isLower = z <= 0;
    const last = this.#masses.length - 1;
    const target = logNormalCdf(isLower ? z : -z) + this.#logTotal;
    let below = -Infinity; // log of the mass of the pieces passed
    let step = 0;
    for (; step < last; step++) {
      const with_ = logSum([this.#masses[isLower ? step : last - step]], 0, 1, below);
      if (with_ >= target) break;
      below = with_;
    }
    const missing = target + Math.log(-Math.expm1(Math.min(below - target, 0)));
    return this.#placeIn(isLower ? step : last - step, missing, isLower);
  }

  /** The place in a piece that has a mass of e^logMass to its left (or right). */
  #placeIn(piece: number, logMass: number, fromLeft: boolean): number {
    const count = this.#nodes.length;
    if (piece === 0) return this.#inTail(0, -1, logMass, fromLeft);
    if (piece === count) return this.#inTail(count - 1, 1, logMass, !fromLeft);
    const { width, a, b } = this.#inCell(piece, 0);
    const [start, rise] = fromLeft ? [a, b - a] : [b, a - b];
    // t with (e^(rise t) − 1) / rise = s
    const logS = logMass - Math.log(width) - start;
    const y = rise * Math.exp(logS);
    let t = Math.exp(logS);
    if (Math.abs(y) > 1e-300) t = y > 1e300 ? (Math.log(rise) + logS) / rise : Math.log1p(Math.max(y, -1)) / rise;
    t = Math.min(Math.max(t, 0), 1);
    return fromLeft ? this.#nodes[piece - 1] + width * t : this.#nodes[piece] - width * t;
  }

  /** The place in a tail with a mass of e^logMass outside of it (or between the node and it). */
  #inTail(node: number, sign: 1 | -1, logMass: number, outside: boolean): number {
    const part = Math.exp(logMass + Math.log(this.#rate) - this.#logs[node]);
    const decay = outside ? logMass + Math.log(this.#rate) - this.#logs[node] : Math.log1p(-Math.min(part, 1));
    return this.#nodes[node] - sign * decay / this.#rate;
  }
}
