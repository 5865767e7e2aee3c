/**
 * The energy-tilted density of one particle in float64: the oracle of its kernels.
 *
 * ℓ(r) = φ(r) − s E(r) is the unnormalised log-density, with φ(r) = Σ c_ab… T_a(u(r₁)) T_b(u(r₂)) …, the energy E of one
 * body along each axis and of pairs with neighbours, and the scale s. Level d of the density is that of coordinate d given
 * those before: log-linear between fine nodes, with A_i = log Σ w exp ℓ over the coarse nodes of the axes after d.
 *
 * @module
 */
import { LogLinearDensity } from "./log_linear_density.ts";
import { type AxisPoint, axisPoint, knotStride, tableEnergy, type Tilt, TILT_KNOTS } from "../../graph/tilt.ts";

/** Nodes of one axis. */
interface AxisNodes {
  readonly fine: readonly AxisPoint[];
  readonly coarse: readonly AxisPoint[];
  /** Logarithms of the trapezoid weights of the coarse nodes. */
  readonly logWeights: Float64Array;
  readonly knots: Float64Array;
  readonly energies: Float64Array;
}

/** What all samples share: the nodes. */
export class TiltedGrid {
  /** By axis. */
  readonly axes: readonly AxisNodes[];

  /**
   * Evaluates what depends on one coordinate at all nodes.
   *
   * @param tilt sizes and tables
   * @param knots [2 D, 129]: positions of the knots of each axis, then one-body energies there
   */
  constructor(readonly tilt: Tilt, knots: Float64Array) {
    const { spatialDim, basis, fine, coarse } = tilt;
    const row = (index: number) => knots.subarray(index * TILT_KNOTS, (index + 1) * TILT_KNOTS);
    this.axes = Array.from({ length: spatialDim }, (_, axis) => {
      const [positions, energies] = [row(axis), row(spatialDim + axis)];
      const points = (count: number) =>
        Array.from(
          { length: count },
          (_, i) => axisPoint(positions, energies, positions[i * knotStride(count)], basis),
        );
      const nodes = points(coarse);
      const logWeights = Float64Array.from(nodes, (_, i) => {
        const [before, after] = [nodes[Math.max(i - 1, 0)], nodes[Math.min(i + 1, coarse - 1)]];
        return Math.log((after.x - before.x) / 2);
      });
      return { fine: points(fine), coarse: nodes, logWeights, knots: positions, energies };
    });
  }

  /** What depends on coordinate `axis` alone, anywhere. */
  point(axis: number, x: number): AxisPoint {
    const { knots, energies } = this.axes[axis];
    return axisPoint(knots, energies, x, this.tilt.basis);
  }
}

/** Inputs of one sample, or their cotangents. */
export interface TiltedInputs {
  /** Coefficients, [basis^D], last axis fastest. */
  readonly features: Float64Array;
  /** [1] */
  readonly scale: Float64Array;
  /** Coordinates, [M · D], neighbour by neighbour. */
  readonly neighbours: Float64Array;
}

/** One level of the density of one sample. */
export interface Level {
  /** Which coordinate. */
  readonly axis: number;
  /** Density of the coordinate given those before. */
  readonly density: LogLinearDensity;
  /** A at the fine nodes. */
  readonly logs: Float64Array;
  /** For each fine node, ℓ plus the logarithm of the weight at the nodes over which it integrates. */
  readonly rows: readonly Float64Array[];
  /** The places of the coordinates before. */
  readonly fixed: readonly AxisPoint[];
}

/** On the way to a node: what the axes passed leave to the others. */
interface Partial {
  /** Coefficients of the polynomial in the remaining coordinates. */
  readonly coefficients: Float64Array;
  /** Places along the axes passed. */
  readonly points: readonly AxisPoint[];
  /** One-body energies of the axes passed. */
  readonly energy: number;
  /** Squared distance from each neighbour along the axes passed. */
  readonly squared: Float64Array;
}

/** The density of one sample. */
export class TiltedDensity {
  readonly #grid: TiltedGrid;
  readonly #inputs: TiltedInputs;

  /**
   * @param grid nodes
   * @param inputs of the sample
   */
  constructor(grid: TiltedGrid, inputs: TiltedInputs) {
    this.#grid = grid;
    this.#inputs = inputs;
  }

  /** The density of the next coordinate, given the places of those before. */
  level(fixed: readonly AxisPoint[]): Level {
    const axis = fixed.length;
    const { spatialDim, coarse, tailRate } = this.#grid.tilt;
    const { fine, knots } = this.#grid.axes[axis];
    const start = this.#along(fixed);
    const rows = fine.map((point) => {
      const row = new Float64Array(coarse ** (spatialDim - axis - 1));
      this.#fill(this.#step(start, point), 0, row);
      return row;
    });
    const logs = Float64Array.from(rows, logSumExp);
    const rate = tailRate / (knots[TILT_KNOTS - 1] - knots[0]);
    return {
      axis,
      density: new LogLinearDensity(fine.map((point) => point.x), logs, rate),
      logs,
      rows,
      fixed: [...fixed],
    };
  }

  /** What is left after places along the first axes. */
  #along(points: readonly AxisPoint[]): Partial {
    const squared = new Float64Array(this.#grid.tilt.pairs.length);
    const start: Partial = { coefficients: this.#inputs.features, points: [], energy: 0, squared };
    return points.reduce((partial, point) => this.#step(partial, point), start);
  }

  /** One axis further. */
  #step({ coefficients, points, energy, squared }: Partial, point: AxisPoint): Partial {
    const { spatialDim: dim, basis } = this.#grid.tilt;
    const rest = new Float64Array(coefficients.length / basis);
    coefficients.forEach((c, k) => rest[k % rest.length] += c * point.basis[Math.floor(k / rest.length)]);
    const { neighbours } = this.#inputs;
    return {
      coefficients: rest,
      points: [...points, point],
      energy: energy + point.energy,
      squared: squared.map((s, n) => s + (point.x - neighbours[n * dim + points.length]) ** 2),
    };
  }

  /** Writes ℓ plus the logarithms of the weights of the nodes beyond a place. */
  #fill(at: Partial, logWeight: number, row: Float64Array): void {
    if (row.length === 1) {
      row[0] = at.coefficients[0] - this.#inputs.scale[0] * this.#energy(at) + logWeight;
      return;
    }
    const { coarse, logWeights } = this.#grid.axes[at.points.length];
    const size = row.length / coarse.length;
    coarse.forEach((point, j) => {
      this.#fill(this.#step(at, point), logWeight + logWeights[j], row.subarray(j * size, (j + 1) * size));
    });
  }

  #energy({ energy, squared }: Partial): number {
    const { tables, pairs } = this.#grid.tilt;
    return pairs.reduce((sum, table, n) => sum + tableEnergy(tables[table], squared[n]).energy, energy);
  }

  /**
   * Adds the derivatives of Σ weights · A of a level.
   *
   * @param level the level
   * @param weights one for each fine node
   * @param to cotangents of the inputs
   * @param coordinates cotangents of the coordinates; those before the level's are added to
   */
  addGradient(level: Level, weights: Float64Array, to: TiltedInputs, coordinates: Float64Array): void {
    const { basis, spatialDim: dim } = this.#grid.tilt;
    const [scale] = this.#inputs.scale;
    let partial = this.#along(level.fixed);
    let bar = new Float64Array(partial.coefficients.length);
    const neighbours = new Float64Array(this.#inputs.neighbours.length);
    this.#grid.axes[level.axis].fine.forEach((point, i) => {
      const nodeWeights = level.rows[i].map((log) => weights[i] * Math.exp(log - level.logs[i]));
      this.#addNodes(this.#step(partial, point), point, nodeWeights, bar, { ...to, neighbours });
    });
    neighbours.forEach((v, k) => {
      to.neighbours[k] += v;
      if (k % dim < level.axis) coordinates[k % dim] -= v * level.fixed[k % dim].slope;
    });
    const total = weights.reduce((sum, w) => sum + w, 0);
    for (let axis = level.axis - 1; axis >= 0; axis--) {
      partial = this.#along(level.fixed.slice(0, axis));
      const { basis: values, basisSlopes, energySlope } = level.fixed[axis];
      const size = bar.length;
      const before = new Float64Array(size * basis);
      for (let k = 0; k < before.length; k++) {
        const [a, rest] = [Math.floor(k / size), k % size];
        before[k] = values[a] * bar[rest];
        coordinates[axis] += basisSlopes[a] * partial.coefficients[k] * bar[rest];
      }
      coordinates[axis] -= scale * energySlope * total;
      bar = before;
    }
    bar.forEach((v, k) => to.features[k] += v);
  }

  /** Adds the derivatives of Σ weights · ℓ over the nodes beyond a place; `bar` is of the coefficients before it. */
  #addNodes(at: Partial, point: AxisPoint, weights: Float64Array, bar: Float64Array, to: TiltedInputs): void {
    const own = new Float64Array(at.coefficients.length);
    if (weights.length === 1) {
      own[0] = weights[0];
      if (weights[0] !== 0) this.#addLeaf(at, weights[0], to);
    } else {
      const { coarse } = this.#grid.axes[at.points.length];
      const size = weights.length / coarse.length;
      coarse.forEach((next, j) => {
        this.#addNodes(this.#step(at, next), next, weights.subarray(j * size, (j + 1) * size), own, to);
      });
    }
    bar.forEach((_, k) => bar[k] += point.basis[Math.floor(k / own.length)] * own[k % own.length]);
  }

  #addLeaf(at: Partial, weight: number, to: TiltedInputs): void {
    const { scale, neighbours } = this.#inputs;
    const { tables, pairs } = this.#grid.tilt;
    to.scale[0] -= weight * this.#energy(at);
    pairs.forEach((table, n) => {
      const { slope } = tableEnergy(tables[table], at.squared[n]);
      at.points.forEach(({ x }, axis) => {
        const k = n * at.points.length + axis;
        to.neighbours[k] += scale[0] * weight * slope * 2 * (x - neighbours[k]);
      });
    });
  }
}

function logSumExp(values: Float64Array): number {
  const largest = values.reduce((most, v) => Math.max(most, v), -Infinity);
  return largest + Math.log(values.reduce((sum, v) => sum + Math.exp(v - largest), 0));
}
