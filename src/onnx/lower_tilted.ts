/**
 * The energy-tilted density of one particle in ONNX operators; formulas as in
 * `../autodiff/primitives/tilted_density.ts`.
 *
 * Tensors are [… nodes …, n]. What depends on the knots alone is written as operators on constants, which runtimes
 * compute once when they open the model: the file holds the knots and little else.
 *
 * @module
 */
import { knotStride, type Tilt, TILT_KNOTS } from "../autodiff/primitives/tilt.ts";
import { Algebra, type Operand } from "./algebra.ts";
import { type AxisNodes, LogLinear } from "./lower_log_linear.ts";
import type { LoweringSite } from "./lowering.ts";

type TiltedName = "tiltedLogProb" | "tiltedEncode" | "tiltedDecode";

/** Positions and one-body energies at some knots of an axis, each [count, 1]. */
interface Lines {
  readonly positions: string;
  readonly energies: string;
}

/** What coordinates placed so far leave behind. */
interface Given {
  /** Coefficients of the polynomials in the other coordinates, [basis^rest, n]. */
  readonly coefficients: string;
  /** Scaled squared distances from each neighbour along the axes placed, [M, 1, n]; null for none. */
  readonly squares: string | null;
}

/** Lowers the levels of a density one after the other. */
class Tilted {
  readonly #algebra: Algebra;
  readonly #tilt: Tilt;
  readonly #knots: string;
  readonly #scale: string;
  /** Coordinates of the neighbours by axis, [M, 1, n]. */
  readonly #neighbours: readonly string[];
  readonly #tables: PairTables | null;
  #given: Given;
  #axis = 0;

  constructor({ builder, inputs, attributes: { tilt } }: LoweringSite<TiltedName>) {
    const algebra = new Algebra(builder, builder.precision);
    const [features, , scale, knots, neighbours] = inputs;
    this.#algebra = algebra;
    this.#tilt = tilt;
    this.#knots = knots;
    this.#scale = algebra.reshape(scale, [1, -1]);
    this.#given = { coefficients: algebra.transpose(features), squares: null };
    this.#tables = tilt.pairs.length === 0 ? null : new PairTables(algebra, tilt);
    const byAxis = tilt.pairs.length === 0
      ? null
      : algebra.reshape(algebra.transpose(neighbours), [tilt.pairs.length, tilt.spatialDim, -1]);
    this.#neighbours = byAxis === null
      ? []
      : Array.from({ length: tilt.spatialDim }, (_, axis) => algebra.slice(byAxis, 1, axis, axis + 1));
  }

  /** The density of the next coordinate. */
  density(): LogLinear {
    const { spatialDim, fine, coarse } = this.#tilt;
    const rest = spatialDim - 1 - this.#axis;
    const lines = this.#lines(this.#axis, fine);
    const energies = this.#energies(lines, rest);
    const logs = this.#algebra.subtract(this.#polynomials(rest), this.#algebra.multiply(energies, this.#scale));
    const widths = this.#widths(lines.positions, fine);
    const rate = this.#algebra.divide(
      this.#tilt.tailRate,
      this.#algebra.subtract(this.#knot(this.#axis, TILT_KNOTS - 1), this.#knot(this.#axis, 0)),
    );
    const nodes: AxisNodes = {
      count: fine,
      positions: lines.positions,
      widths,
      rate,
      logRate: this.#algebra.log(rate),
    };
    if (rest === 0) return new LogLinear(this.#algebra, nodes, logs);
    const weighted = this.#algebra.add(logs, this.#logWeights(rest));
    const summed = this.#algebra.logSumExp(weighted, 1);
    this.#algebra.builder.atLeastWide(fine * coarse ** rest * Math.max(this.#tilt.pairs.length, 1));
    return new LogLinear(this.#algebra, nodes, this.#algebra.reshape(summed, [fine, -1]));
  }

  /** Places the next coordinate at x [1, n], or at the outer knot if it lies beyond. */
  place(x: string): void {
    const algebra = this.#algebra;
    const axis = this.#axis++;
    const rest = this.#tilt.spatialDim - this.#axis;
    if (rest === 0) return;
    const clamped = algebra.maximum(
      algebra.minimum(x, this.#knot(axis, TILT_KNOTS - 1)),
      this.#knot(axis, 0),
    );
    const { basis } = this.#tilt;
    const values = algebra.reshape(algebra.concat(this.#chebyshev(this.#warp(axis, clamped)), 0), [basis, 1, -1]);
    const coefficients = algebra.reshape(this.#given.coefficients, [basis, basis ** rest, -1]);
    const squares = this.#squares(axis, clamped);
    this.#given = {
      coefficients: algebra.sum(algebra.multiply(coefficients, values), 0, false),
      squares: this.#given.squares === null || squares === null ? squares : algebra.add(this.#given.squares, squares),
    };
  }

  /** φ at the nodes of the axes left, [fine, coarse^rest, n], or [fine, n]. */
  #polynomials(rest: number): string {
    const { basis, fine, coarse } = this.#tilt;
    const algebra = this.#algebra;
    let values = this.#given.coefficients;
    for (let k = rest; k > 0; k--) {
      values = algebra.product(this.#basisAt(coarse), algebra.reshape(values, [basis ** k, basis, -1]));
    }
    values = algebra.product(this.#basisAt(fine), algebra.reshape(values, [basis, -1]));
    return rest === 0 ? values : algebra.reshape(values, [fine, coarse ** rest, -1]);
  }

  /** E at the nodes of the axes left, up to what all of them have in common. */
  #energies(lines: Lines, rest: number): string {
    const { fine, coarse, pairs } = this.#tilt;
    const algebra = this.#algebra;
    const others = Array.from({ length: rest }, (_, k) => this.#lines(this.#axis + 1 + k, coarse));
    const oneBody = rest === 0 ? lines.energies : algebra.add(
      algebra.reshape(lines.energies, [fine, 1, 1]),
      this.#overCoarse(others.map((line) => line.energies)),
    );
    if (this.#tables === null) return oneBody;
    const place = (axis: number, { positions }: Lines) => this.#squares(axis, algebra.reshape(positions, [1, -1, 1]))!;
    const own = place(this.#axis, lines);
    const start = this.#given.squares === null ? own : algebra.add(own, this.#given.squares);
    if (rest === 0) return algebra.add(this.#tables.energy(start, [fine, -1]), oneBody);
    const squares = others.map((line, k) => place(this.#axis + 1 + k, line)).reduce((sum, more) =>
      algebra.reshape(
        algebra.add(
          algebra.reshape(sum, [pairs.length, coarse, 1, -1]),
          algebra.reshape(more, [pairs.length, 1, coarse, -1]),
        ),
        [pairs.length, coarse ** 2, -1],
      )
    );
    const all = algebra.add(
      algebra.reshape(start, [pairs.length, fine, 1, -1]),
      algebra.reshape(squares, [pairs.length, 1, coarse ** rest, -1]),
    );
    return algebra.add(this.#tables.energy(all, [fine, coarse ** rest, -1]), oneBody);
  }

  /** Sums of numbers at the coarse lines of one axis or two, [1, coarse^rest, 1]. */
  #overCoarse(rows: readonly string[]): string {
    const { coarse } = this.#tilt;
    const algebra = this.#algebra;
    const sums = rows.reduce((sum, more) =>
      algebra.add(algebra.reshape(sum, [coarse, 1]), algebra.reshape(more, [1, coarse]))
    );
    return algebra.reshape(sums, [1, coarse ** rows.length, 1]);
  }

  /** Logarithms of the trapezoid weights of the coarse nodes, [1, coarse^rest, 1]. */
  #logWeights(rest: number): string {
    const { coarse } = this.#tilt;
    const algebra = this.#algebra;
    return this.#overCoarse(Array.from({ length: rest }, (_, k) => {
      const { positions } = this.#lines(this.#axis + 1 + k, coarse);
      const before = algebra.concat([algebra.row(positions, 0), algebra.slice(positions, 0, 0, coarse - 1)], 0);
      const after = algebra.concat([algebra.slice(positions, 0, 1, coarse), algebra.row(positions, coarse - 1)], 0);
      return algebra.log(algebra.multiply(algebra.subtract(after, before), 0.5));
    }));
  }

  /** Scaled squared distances along an axis between places [1, k, 1] or [1, n] and the neighbours, [M, k, n]. */
  #squares(axis: number, places: string): string | null {
    if (this.#tables === null) return null;
    const squares = this.#algebra.square(this.#algebra.subtract(places, this.#neighbours[axis]));
    return this.#algebra.multiply(squares, this.#tables.cellsPerSquare);
  }

  /** u(x), from −1 to 1. */
  #warp(axis: number, x: string): string {
    const algebra = this.#algebra;
    const inner = algebra.slice(this.#positions(axis), 0, 1, TILT_KNOTS - 1);
    const passed = algebra.sum(algebra.toNumber(algebra.atMost(inner, x)), 0);
    const table = algebra.reshape(this.#positions(axis), [-1]);
    const index = algebra.toWhole(passed);
    const [left, right] = [index, algebra.add(index, algebra.whole([1], []))].map((k) =>
      algebra.reshape(algebra.lookUp(table, k), [1, -1])
    );
    const t = algebra.divide(algebra.subtract(x, left), algebra.subtract(right, left));
    const half = (TILT_KNOTS - 1) / 2;
    return algebra.multiply(algebra.add(algebra.add(passed, -half), t), 1 / half);
  }

  /** T₀(u), T₁(u), … as rows. */
  #chebyshev(u: string): string[] {
    const { add, subtract, multiply } = this.#algebra;
    const rows = [add(multiply(u, 0), 1), u];
    const twice = multiply(u, 2);
    while (rows.length < this.#tilt.basis) {
      rows.push(subtract(multiply(twice, rows.at(-1)!), rows.at(-2)!));
    }
    return rows.slice(0, this.#tilt.basis);
  }

  /** T_b(u) at equally spaced u, [count, basis]: the same on all axes of all particles. */
  #basisAt(count: number): string {
    const { basis } = this.#tilt;
    const values = Array.from({ length: count }, (_, i) => {
      const u = -1 + 2 * i / (count - 1);
      const row = [1, u];
      while (row.length < basis) row.push(2 * u * row.at(-1)! - row.at(-2)!);
      return row.slice(0, basis);
    });
    return this.#algebra.constant(values.flat(), [count, basis]);
  }

  #positions(axis: number): string {
    return this.#algebra.reshape(this.#algebra.row(this.#knots, axis), [TILT_KNOTS, 1]);
  }

  #knot(axis: number, k: number): string {
    return this.#algebra.row(this.#positions(axis), k);
  }

  #widths(positions: string, count: number): string {
    const algebra = this.#algebra;
    return algebra.subtract(algebra.slice(positions, 0, 1, count), algebra.slice(positions, 0, 0, count - 1));
  }

  #lines(axis: number, count: number): Lines {
    const [positions, energies] = [axis, this.#tilt.spatialDim + axis].map((row) =>
      this.#algebra.slice(this.#positions(row), 0, 0, TILT_KNOTS, knotStride(count))
    );
    return { positions, energies };
  }
}

/** The pair energies of all neighbours, from tables that lie one after the other. */
class PairTables {
  /** Cells of the table per square of the distance, [M, 1, 1], or a number if all neighbours have the same. */
  readonly cellsPerSquare: Operand;
  readonly #algebra: Algebra;
  readonly #pairs: number;
  readonly #cells: Operand;
  readonly #starts: string | null;
  /** Energy in cell k: intercept + slope · t, t the distance's square in cells; 0 from the last one on. */
  readonly #intercepts: string;
  readonly #slopes: string;

  constructor(algebra: Algebra, { tables, pairs }: Tilt) {
    this.#algebra = algebra;
    this.#pairs = pairs.length;
    const used = [...new Set(pairs)].map((index) => tables[index]);
    const cells = used.map(({ values }) => values.length - 1);
    const starts = cells.map((_, i) => cells.slice(0, i).reduce((sum, count) => sum + count + 1, 0));
    const lines = used.map(({ values }) => linesOf(values));
    const length = starts.at(-1)! + cells.at(-1)! + 1;
    this.#slopes = algebra.constant(lines.flatMap(({ slopes }) => slopes), [length]);
    this.#intercepts = algebra.constant(lines.flatMap(({ intercepts }) => intercepts), [length]);
    const scales = used.map(({ cutoffSquared }, i) => cells[i] / cutoffSquared);
    const perPair = (values: readonly number[]) => pairs.map((index) => values[used.indexOf(tables[index])]);
    const alike = used.length === 1;
    this.cellsPerSquare = alike ? scales[0] : algebra.constant(perPair(scales), [pairs.length, 1, 1]);
    this.#cells = alike ? cells[0] : algebra.constant(perPair(cells), [pairs.length, 1]);
    this.#starts = alike ? null : algebra.whole(perPair(starts), [pairs.length, 1]);
  }

  /** The sum over neighbours at squares of distances in cells, [M, … nodes …, n] → `dims`. */
  energy(squares: string, dims: readonly number[]): string {
    const algebra = this.#algebra;
    const t = algebra.reshape(squares, [this.#pairs, -1]);
    // Other runtimes make NaN a large negative number: it must not become an index.
    const cell = algebra.maximum(algebra.toWhole(algebra.minimum(t, this.#cells)), algebra.whole([0], []));
    const index = this.#starts === null ? cell : algebra.add(cell, this.#starts);
    const [intercept, slope] = [this.#intercepts, this.#slopes].map((table) => algebra.lookUp(table, index));
    const energies = algebra.add(intercept, algebra.multiply(slope, algebra.reshape(t, [-1])));
    return algebra.reshape(algebra.sum(algebra.reshape(energies, [this.#pairs, -1]), 0), dims);
  }
}

/** The lines through neighbouring values, and 0 as the last one. */
function linesOf(values: Float32Array): { intercepts: number[]; slopes: number[] } {
  const slopes = Array.from(values, (value, k) => k === values.length - 1 ? 0 : values[k + 1] - value);
  const intercepts = slopes.map((slope, k) => k === values.length - 1 ? 0 : values[k] - k * slope);
  return { intercepts, slopes };
}

/** log p(r) as a column. */
export function lowerTiltedLogProb(site: LoweringSite<"tiltedLogProb">): string {
  const { algebra, logProb } = lowerAlong(site, (density, x) => ({ x, own: [], logProb: density.logProb(x) }));
  return algebra.toColumn(logProb);
}

/** z and log p(r). */
export function lowerTiltedEncode(site: LoweringSite<"tiltedEncode">): string {
  const { algebra, rows, logProb } = lowerAlong(site, (density, x) => {
    const { z, logProb } = density.toNormal(x);
    return { x, own: [z], logProb };
  });
  return algebra.batch([...rows, logProb]);
}

/** r and log p(r). */
export function lowerTiltedDecode(site: LoweringSite<"tiltedDecode">): string {
  const { algebra, rows, logProb } = lowerAlong(site, (density, z) => {
    const { x, logProb } = density.fromNormal(z);
    return { x, own: [x], logProb };
  });
  return algebra.batch([...rows, logProb]);
}

/** Goes from axis to axis: each row of r or z is seen with its density, and gives a place, results and a log-density. */
function lowerAlong(
  site: LoweringSite<TiltedName>,
  step: (density: LogLinear, row: string) => { x: string; own: string[]; logProb: string },
): { algebra: Algebra; rows: string[]; logProb: string } {
  const algebra = new Algebra(site.builder, site.builder.precision);
  const tilted = new Tilted(site);
  const given = algebra.transpose(site.inputs[1]);
  const rows: string[] = [];
  const logs: string[] = [];
  for (let axis = 0; axis < site.attributes.tilt.spatialDim; axis++) {
    const { x, own, logProb } = step(tilted.density(), algebra.row(given, axis));
    tilted.place(x);
    rows.push(...own);
    logs.push(logProb);
  }
  return { algebra, rows, logProb: logs.reduce((sum, log) => algebra.add(sum, log)) };
}
