/**
 * The energy-tilted density of one particle in ONNX operators; formulas as in
 * `../autodiff/primitives/tilted_density.ts`.
 *
 * Tensors are [… nodes …, n]. What depends on the knots alone is computed here, in float64.
 *
 * @module
 */
import { knotStride, type Tilt, TILT_KNOTS } from "../graph/tilt.ts";
import type { Attributes } from "../graph/attributes.ts";
import { logOf } from "../random/elementary.ts";
import { Algebra, type Operand } from "./algebra.ts";
import { type AxisNodes, LogLinear } from "./lower_log_linear.ts";
import { type LogMasses, normalMasses, normalQuantiles } from "./lower_normal.ts";
import type { LoweringSite } from "./lowering.ts";

type TiltedName = "tiltedLogProb" | "tiltedEncode" | "tiltedDecode";

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
  /** The knots in the model. */
  readonly #knots: string;
  /** Positions of the knots of each axis, then one-body energies. */
  readonly #rows: readonly Float32Array[];
  readonly #scale: string;
  /** Coordinates of the neighbours by axis, [M, 1, n]. */
  readonly #neighbours: readonly string[];
  readonly #tables: PairTables | null;
  #given: Given;
  #axis = 0;

  constructor(algebra: Algebra, { inputs, sources, attributes: { tilt } }: LoweringSite<TiltedName>) {
    const [features, , scale, knots, neighbours] = inputs;
    this.#algebra = algebra;
    this.#tilt = tilt;
    this.#knots = knots;
    const { parameter } = sources[3].attributes as Attributes["parameter"];
    const values = parameter.values();
    this.#rows = Array.from(
      { length: 2 * tilt.spatialDim },
      (_, row) => values.slice(row * TILT_KNOTS, (row + 1) * TILT_KNOTS),
    );
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
    const { spatialDim, fine } = this.#tilt;
    const rest = spatialDim - 1 - this.#axis;
    const logs = this.#algebra.subtract(
      this.#polynomials(rest),
      this.#algebra.multiply(this.#energies(rest), this.#scale),
    );
    const knots = this.#rows[this.#axis];
    const positions = this.#positions(this.#axis, fine);
    const [starts, ends] = [0, 1].map((first) => this.#algebra.slice(positions, 0, first, fine - 1 + first));
    const nodes: AxisNodes = {
      count: fine,
      positions,
      widths: this.#algebra.subtract(ends, starts),
      rate: this.#tilt.tailRate / (knots[TILT_KNOTS - 1] - knots[0]),
    };
    if (rest === 0) return new LogLinear(this.#algebra, nodes, logs);
    const weighted = this.#algebra.add(logs, this.#logWeights(rest));
    const summed = this.#algebra.logSumExp(weighted, 1);
    return new LogLinear(this.#algebra, nodes, this.#algebra.reshape(summed, [fine, -1]));
  }

  /** Places the next coordinate at x [1, n], or at the outer knot if it lies beyond. */
  place(x: string): void {
    const algebra = this.#algebra;
    const axis = this.#axis++;
    const rest = this.#tilt.spatialDim - this.#axis;
    if (rest === 0) return;
    const knots = this.#rows[axis];
    const clamped = algebra.maximum(algebra.minimum(x, knots[TILT_KNOTS - 1]), knots[0]);
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
      const perSample = coarse ** (rest - k);
      values = algebra.product(this.#basisAt(coarse), algebra.reshape(values, [basis ** k, basis, -1], perSample));
    }
    values = algebra.product(this.#basisAt(fine), algebra.reshape(values, [basis, -1], coarse ** rest));
    return rest === 0 ? values : algebra.reshape(values, [fine, coarse ** rest, -1]);
  }

  /** E at the nodes of the axes left, up to what all of them have in common. */
  #energies(rest: number): string {
    const { fine, coarse, pairs } = this.#tilt;
    const algebra = this.#algebra;
    const axes = Array.from({ length: rest + 1 }, (_, k) => ({ axis: this.#axis + k, count: k === 0 ? fine : coarse }));
    const [along, ...aside] = axes.map(({ axis, count }) => this.#lines(this.#tilt.spatialDim + axis, count));
    const oneBody = rest === 0
      ? algebra.constant(along, [fine, 1])
      : algebra.add(algebra.constant(along, [fine, 1, 1]), algebra.constant(outerSums(aside), [1, coarse ** rest, 1]));
    if (this.#tables === null) return oneBody;
    const [own, ...others] = axes.map(({ axis, count }) =>
      this.#squares(axis, algebra.reshape(this.#positions(axis, count), [1, count, 1]))!
    );
    const start = this.#given.squares === null ? own : algebra.add(own, this.#given.squares);
    if (rest === 0) return algebra.add(this.#tables.energy(start, [fine, -1]), oneBody);
    const square = (value: string, dims: readonly number[]) => algebra.reshape(value, [pairs.length, ...dims, -1]);
    const across = others.reduce((sum, more) =>
      square(algebra.add(square(sum, [coarse, 1]), square(more, [1, coarse])), [coarse ** 2])
    );
    const all = algebra.add(square(start, [fine, 1]), square(across, [1, coarse ** rest]));
    return algebra.add(this.#tables.energy(all, [fine, coarse ** rest, -1]), oneBody);
  }

  /** Logarithms of the trapezoid weights of the coarse nodes, [1, coarse^rest, 1]. */
  #logWeights(rest: number): string {
    const { coarse } = this.#tilt;
    const rows = Array.from({ length: rest }, (_, k) => {
      const places = this.#lines(this.#axis + 1 + k, coarse);
      return places.map((_, i) => logOf((places[Math.min(i + 1, coarse - 1)] - places[Math.max(i - 1, 0)]) / 2));
    });
    return this.#algebra.constant(outerSums(rows), [1, coarse ** rest, 1]);
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
    const positions = this.#positions(axis, TILT_KNOTS);
    const inner = algebra.slice(positions, 0, 1, TILT_KNOTS - 1);
    const passed = algebra.sum(algebra.toNumber(algebra.atMost(inner, x)), 0);
    const table = algebra.reshape(positions, [TILT_KNOTS]);
    const index = algebra.toWhole(passed);
    const [left, right] = [index, algebra.add(index, algebra.whole([1], []))].map((k) => algebra.at(table, k));
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

  /** Positions of so many of the knots in the model, [count, 1]. */
  #positions(axis: number, count: number): string {
    const row = this.#algebra.row(this.#knots, axis);
    const some = count === TILT_KNOTS ? row : this.#algebra.slice(row, 1, 0, TILT_KNOTS, knotStride(count));
    return this.#algebra.reshape(some, [count, 1]);
  }

  /** A row of the knots at the nodes of a grid. */
  #lines(row: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.#rows[row][i * knotStride(count)]);
  }
}

/** Sums of one number of each row, the last row fastest. */
function outerSums(rows: readonly (readonly number[])[]): number[] {
  return rows.reduce<readonly number[]>((sums, row) => sums.flatMap((sum) => row.map((v) => sum + v)), [0]).slice();
}

/** The pair energies of all neighbours, from tables that lie one after the other. */
class PairTables {
  /** Cells of the table per square of the distance, [M, 1, 1], or a number if all neighbours have the same. */
  readonly cellsPerSquare: Operand;
  readonly #algebra: Algebra;
  readonly #pairs: number;
  readonly #cells: Operand;
  readonly #starts: string | null;
  /** Energy in cell k: value + slope · (t − k), t the distance's square in cells; 0 from the last one on. */
  readonly #values: string;
  readonly #slopes: string;

  constructor(algebra: Algebra, { tables, pairs }: Tilt) {
    this.#algebra = algebra;
    this.#pairs = pairs.length;
    const used = [...new Set(pairs)].map((index) => tables[index]);
    const cells = used.map(({ values }) => values.length - 1);
    const starts = cells.map((_, i) => cells.slice(0, i).reduce((sum, count) => sum + count + 1, 0));
    const values = used.flatMap((table) => [...table.values]);
    this.#values = algebra.constant(values, [values.length]);
    const [next, here] = [1, 0].map((first) => algebra.slice(this.#values, 0, first, values.length - 1 + first));
    // What leads from the end of a table to the next one is multiplied by 0, and so is the end of the last.
    this.#slopes = algebra.concat([algebra.subtract(next, here), algebra.constant([0], [1])], 0);
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
    const nodes = dims.reduce((product, size) => product * Math.abs(size), 1);
    const t = algebra.minimum(algebra.reshape(squares, [this.#pairs, -1], nodes), this.#cells);
    // Other runtimes make NaN a large negative number: it must not become an index.
    const cell = algebra.maximum(algebra.toWhole(t), algebra.whole([0], []));
    const index = this.#starts === null ? cell : algebra.add(cell, this.#starts);
    const [value, slope] = [this.#values, this.#slopes].map((table) =>
      algebra.lookUp(table, index, this.#pairs * nodes)
    );
    const part = algebra.reshape(algebra.subtract(t, algebra.toNumber(cell)), [-1], this.#pairs * nodes);
    const energies = algebra.add(value, algebra.multiply(slope, part));
    return algebra.reshape(algebra.sum(algebra.reshape(energies, [this.#pairs, -1], nodes), 0), dims);
  }
}

/** log p(r) as a column. */
export function lowerTiltedLogProb(site: LoweringSite<"tiltedLogProb">): string {
  const algebra = new Algebra(site.builder, site.builder.precision);
  const logs: string[] = [];
  alongAxes(algebra, site, (density, x) => {
    logs.push(density.logProb(x));
    return x;
  });
  return algebra.toColumn(sumOf(algebra, logs));
}

/** z and log p(r). */
export function lowerTiltedEncode(site: LoweringSite<"tiltedEncode">): string {
  const algebra = new Algebra(site.builder, site.builder.precision);
  const masses: (LogMasses & { readonly logProb: string })[] = [];
  alongAxes(algebra, site, (density, x) => {
    masses.push(density.masses(x));
    return x;
  });
  return algebra.batch([normalQuantiles(algebra, masses), sumOf(algebra, masses.map(({ logProb }) => logProb))]);
}

/** r and log p(r). */
export function lowerTiltedDecode(site: LoweringSite<"tiltedDecode">): string {
  const algebra = new Algebra(site.builder, site.builder.precision);
  const found: { readonly x: string; readonly logProb: string }[] = [];
  const masses = normalMasses(algebra, algebra.transpose(site.inputs[1]));
  alongAxes(algebra, site, (density, z, axis) => {
    found.push(density.fromNormal(z, algebra.row(masses, axis)));
    return found.at(-1)!.x;
  });
  return algebra.batch([...found.map(({ x }) => x), sumOf(algebra, found.map(({ logProb }) => logProb))]);
}

/** Goes from axis to axis: each row of r or z is seen with its density, and gives the place of the particle there. */
function alongAxes(
  algebra: Algebra,
  site: LoweringSite<TiltedName>,
  step: (density: LogLinear, row: string, axis: number) => string,
): void {
  const tilted = new Tilted(algebra, site);
  const given = algebra.transpose(site.inputs[1]);
  for (let axis = 0; axis < site.attributes.tilt.spatialDim; axis++) {
    tilted.place(step(tilted.density(), algebra.row(given, axis), axis));
  }
}

function sumOf(algebra: Algebra, rows: readonly string[]): string {
  return rows.reduce((sum, row) => algebra.add(sum, row));
}
