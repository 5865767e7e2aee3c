/**
 * Log-linear densities on the real line in ONNX operators; formulas as in
 * `../autodiff/primitives/log_linear_density.ts`.
 *
 * Pieces are numbered as there: 0 is the left tail, k the cell from node k − 1 to k, the number of nodes the right tail.
 * A tail is a piece like any other whose slope is the decay: what lies between its node and x is the mass of a cell.
 *
 * @module
 */
import { logOf } from "../random/elementary.ts";
import type { Algebra } from "./algebra.ts";
import type { LogMasses } from "./lower_normal.ts";

/** The axis of a density; everything here is a constant of the model. */
export interface AxisNodes {
  /** Number of nodes. */
  readonly count: number;
  /** Their positions, [count, 1]. */
  readonly positions: string;
  /** Widths of the cells, [count − 1, 1]. */
  readonly widths: string;
  /** Decay of the tails. */
  readonly rate: number;
}

/** A piece of the density in each sample: [1, n] all. */
interface Piece {
  readonly isFirst: string;
  readonly isLast: string;
  /** The nodes on either side; in a tail both are its node. */
  readonly left: string;
  readonly right: string;
  /** A at the nodes. */
  readonly atLeft: string;
  readonly atRight: string;
  /** Slope of A. */
  readonly slope: string;
}

/** A density for each sample. */
export class LogLinear {
  readonly #algebra: Algebra;
  readonly #nodes: AxisNodes;
  /** A at the nodes less the largest, [count, n]. */
  readonly #logs: string;
  /** Masses of the pieces, [count + 1, n]. */
  readonly #masses: string;
  readonly #total: string;

  /**
   * Computes the masses.
   *
   * @param algebra where operators go
   * @param nodes the axis
   * @param logs unnormalised logarithms of the density at the nodes, [count, n]
   */
  constructor(algebra: Algebra, nodes: AxisNodes, logs: string) {
    const { multiply, divide, subtract, exp } = algebra;
    this.#algebra = algebra;
    this.#nodes = nodes;
    const last = nodes.count - 1;
    this.#logs = subtract(logs, algebra.largest(logs, 0));
    const low = algebra.slice(this.#logs, 0, 0, last);
    const high = algebra.slice(this.#logs, 0, 1, last + 1);
    const top = multiply(exp(algebra.maximum(low, high)), nodes.widths);
    const cells = multiply(top, meanDecay(algebra, algebra.absolute(subtract(high, low))));
    const ends = [0, last].map((node) => divide(exp(algebra.row(this.#logs, node)), nodes.rate));
    this.#masses = algebra.concat([ends[0], cells, ends[1]], 0);
    this.#total = algebra.sum(this.#masses, 0);
  }

  /** Logarithms of the masses below and above x, and log p(x); x [1, n]. */
  masses(x: string): LogMasses & { readonly logProb: string } {
    const { add, subtract, multiply, where, log } = this.#algebra;
    const passed = this.#algebra.toNumber(this.#algebra.atMost(this.#nodes.positions, x));
    const number = this.#algebra.sum(passed, 0);
    const piece = this.#piece(this.#algebra.toWhole(number));
    const logTotal = log(this.#total);
    const [fromLeft, toRight] = [subtract(x, piece.left), subtract(piece.right, x)];
    const at = add(piece.atLeft, multiply(piece.slope, fromLeft));
    const outside = subtract(at, logOf(this.#nodes.rate));
    const side = (isOpen: string, width: string, node: string) => {
      const decay = meanDecay(this.#algebra, this.#algebra.absolute(multiply(piece.slope, width)));
      return where(isOpen, outside, add(log(multiply(width, decay)), this.#algebra.maximum(node, at)));
    };
    const below = side(piece.isFirst, fromLeft, piece.atLeft);
    const above = side(piece.isLast, toRight, piece.atRight);
    const index = this.#algebra.constant(range(this.#nodes.count + 1), [this.#nodes.count + 1, 1]);
    const logMasses = log(this.#masses);
    const lower = this.#sumWith(logMasses, this.#algebra.less(index, number), below);
    const upper = this.#sumWith(logMasses, this.#algebra.less(number, index), above);
    return {
      lower: subtract(lower, logTotal),
      upper: subtract(upper, logTotal),
      logProb: subtract(at, logTotal),
    };
  }

  /** log p(x) alone. */
  logProb(x: string): string {
    const { add, subtract, multiply } = this.#algebra;
    const passed = this.#algebra.toNumber(this.#algebra.atMost(this.#nodes.positions, x));
    const piece = this.#piece(this.#algebra.toWhole(this.#algebra.sum(passed, 0)));
    const at = add(piece.atLeft, multiply(piece.slope, subtract(x, piece.left)));
    return subtract(at, this.#algebra.log(this.#total));
  }

  /** x with Φ⁻¹(F(x)) = z, from the side whose mass `part` = Φ(−|z|) is the smaller, and log p(x). */
  fromNormal(z: string, part: string): { x: string; logProb: string } {
    const { add, subtract, multiply, divide, where, less, log } = this.#algebra;
    const target = multiply(part, this.#total);
    const isLower = this.#algebra.atMost(z, 0);
    const before = where(isLower, this.#cumulated(false), this.#cumulated(true));
    const isPassed = this.#algebra.toNumber(less(add(before, this.#masses), target));
    const steps = this.#algebra.minimum(this.#algebra.sum(isPassed, 0), this.#nodes.count);
    const number = this.#algebra.toWhole(where(isLower, steps, subtract(this.#nodes.count, steps)));
    const smallest = this.#algebra.type === "float32" ? 2 ** -126 : 2 ** -1022;
    const missing = this.#algebra.maximum(subtract(target, this.#algebra.pick(before, number)), smallest);
    const piece = this.#piece(number);
    const start = where(isLower, piece.atLeft, piece.atRight);
    const slope = where(isLower, piece.slope, this.#algebra.negate(piece.slope));
    const width = subtract(piece.right, piece.left);
    const isTail = this.#algebra.either(piece.isFirst, piece.isLast);
    const distance = this.#algebra.maximum(this.#distance(missing, start, slope), 0);
    const inside = where(isTail, distance, this.#algebra.minimum(distance, width));
    const isOutside = this.#algebra.either(
      this.#algebra.both(isLower, piece.isFirst),
      this.#algebra.both(this.#algebra.not(isLower), piece.isLast),
    );
    const decay = divide(
      subtract(start, add(log(missing), logOf(this.#nodes.rate))),
      this.#nodes.rate,
    );
    const way = where(isOutside, this.#algebra.negate(decay), inside);
    const x = where(isLower, add(piece.left, way), subtract(piece.right, way));
    const at = add(piece.atLeft, multiply(piece.slope, subtract(x, piece.left)));
    return { x, logProb: subtract(at, log(this.#total)) };
  }

  /** The piece of a number from 0 to count. */
  #piece(number: string): Piece {
    const { subtract, divide, where } = this.#algebra;
    const { count, positions, rate } = this.#nodes;
    const rightIndex = this.#algebra.minimum(number, this.#algebra.whole([count - 1], []));
    const leftIndex = this.#algebra.maximum(
      subtract(number, this.#algebra.whole([1], [])),
      this.#algebra.whole([0], []),
    );
    const table = this.#algebra.reshape(positions, [count]);
    const [left, right] = [leftIndex, rightIndex].map((index) => this.#algebra.at(table, index));
    const [atLeft, atRight] = [leftIndex, rightIndex].map((index) => this.#algebra.pick(this.#logs, index));
    const isFirst = less32(this.#algebra, number, 1);
    const isLast = this.#algebra.not(less32(this.#algebra, number, count));
    const slope = where(
      isFirst,
      rate,
      where(isLast, -rate, divide(subtract(atRight, atLeft), subtract(right, left))),
    );
    return { isFirst, isLast, left, right, atLeft, atRight, slope };
  }

  /** Mass of the pieces before each, or after each. */
  #cumulated(reverse: boolean): string {
    return this.#algebra.builder.emit("CumSum", [this.#masses, this.#algebra.builder.constant("int64", [0], [])], {
      exclusive: { kind: "integer", value: 1 },
      reverse: { kind: "integer", value: reverse ? 1 : 0 },
    });
  }

  /** log of the masses that are chosen, and one more. */
  #sumWith(logMasses: string, chosen: string, own: string): string {
    const masked = this.#algebra.where(chosen, logMasses, -Infinity);
    return this.#algebra.logSumExp(this.#algebra.concat([masked, own], 0), 0);
  }

  /** w with mass = e^start (e^(slope w) − 1)/slope. */
  #distance(mass: string, start: string, slope: string): string {
    const { add, subtract, multiply, divide, where, less, exp, log } = this.#algebra;
    const [most, smallest, large] = this.#algebra.type === "float32" ? [80, 1e-12, 15] : [700, 1e-100, 36];
    const safe = where(less(this.#algebra.absolute(slope), smallest), smallest, slope);
    const product = multiply(safe, multiply(mass, exp(this.#algebra.minimum(this.#algebra.negate(start), most))));
    // ln(1 + y) is ln y where y is large, and y may be too large for its element type.
    const logProduct = subtract(add(log(mass), log(this.#algebra.absolute(safe))), start);
    const isLarge = this.#algebra.both(less(0, safe), less(large, logProduct));
    const rest = this.#algebra.type === "float32" ? -1 + 2 ** -24 : -1 + 2 ** -53;
    return divide(where(isLarge, logProduct, this.#algebra.log1p(this.#algebra.maximum(product, rest))), safe);
  }
}

/** (1 − e^−d)/d for d ≥ 0: with τ = tanh(d/2), 2τ/((1 + τ) d), which is exact near 0. */
function meanDecay(algebra: Algebra, distance: string): string {
  const { multiply, divide } = algebra;
  const d = algebra.maximum(distance, 1e-20);
  const t = algebra.tanh(multiply(d, 0.5));
  return divide(multiply(t, 2), multiply(algebra.add(t, 1), d));
}

function less32(algebra: Algebra, value: string, limit: number): string {
  return algebra.less(value, algebra.whole([limit], []));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
