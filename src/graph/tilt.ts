/**
 * The energy-tilted density of one particle: its sizes and tables, and what depends on one coordinate alone.
 *
 * @module
 */

/** Energies of a pair of particles at equally spaced squared distances. */
export interface TiltTable {
  /** Energies at r² = k · cutoffSquared / (length − 1), linear between; at least 2. */
  readonly values: Float32Array;
  /** Squared distance from which on the energy is 0. */
  readonly cutoffSquared: number;
}

/**
 * What an energy-tilted density is made of, apart from its inputs.
 *
 * Parameters do not depend on `fine` and `coarse`: a density trained on small grids may be sampled on large ones.
 */
export interface Tilt {
  /** Number of coordinates D of the particle. */
  readonly spatialDim: 1 | 2 | 3;
  /** Chebyshev polynomials along each axis. */
  readonly basis: number;
  /** Nodes along the axis whose density is formed: 9, 17, 33, 65 or 129. */
  readonly fine: number;
  /** Nodes along each axis that is integrated over: 9, 17, 33, 65 or 129. */
  readonly coarse: number;
  /** Beyond the outer knots the density decays by e^−tailRate over the length of the axis; 100 is usual. */
  readonly tailRate: number;
  /** Pair energies. */
  readonly tables: readonly TiltTable[];
  /** For each neighbour, which table. */
  readonly pairs: readonly number[];
}

/** Knots of an axis: its coordinate u from −1 to 1 is linear between them. */
export const TILT_KNOTS = 129;
const CELLS = TILT_KNOTS - 1;

/** Knots from one node to the next on a grid of `nodes` nodes. */
export function knotStride(nodes: number): number {
  return CELLS / (nodes - 1);
}

/** What depends on one coordinate alone, at one place; slopes are derivatives by the coordinate, 0 beyond the knots. */
export interface AxisPoint {
  /** The coordinate, moved to the nearer outer knot if it lies beyond. */
  readonly x: number;
  /** T₀(u(x)), T₁(u(x)), … */
  readonly basis: Float64Array;
  /** Their slopes. */
  readonly basisSlopes: Float64Array;
  /** One-body energy. */
  readonly energy: number;
  /** Its slope. */
  readonly energySlope: number;
  /** 1 between the outer knots, 0 beyond: the slope of x. */
  readonly slope: 0 | 1;
}

/** Index of the cell that holds x: 0 to cells − 1, the outer cells reaching to infinity. */
export function cellOf(nodes: ArrayLike<number>, x: number): number {
  let [low, high] = [0, nodes.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (nodes[middle] <= x) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Evaluates what depends on one coordinate.
 *
 * @param knots positions, increasing
 * @param energies one-body energies at the knots
 * @param x the coordinate
 * @param basis number of polynomials
 */
export function axisPoint(knots: Float64Array, energies: Float64Array, x: number, basis: number): AxisPoint {
  const clamped = Math.min(Math.max(x, knots[0]), knots[CELLS]);
  const k = cellOf(knots, clamped);
  const width = knots[k + 1] - knots[k];
  const t = (clamped - knots[k]) / width;
  const slope = x < knots[0] || x > knots[CELLS] ? 0 : 1;
  const values = new Float64Array(basis);
  const slopes = new Float64Array(basis);
  const u = (k + t - CELLS / 2) * 2 / CELLS;
  const uSlope = slope * 2 / (CELLS * width);
  for (let b = 0; b < basis; b++) {
    // T₀ = 1, T₁ = u, Tᵦ₊₁ = 2u Tᵦ − Tᵦ₋₁, and the derivative of that
    values[b] = b === 0 ? 1 : b === 1 ? u : 2 * u * values[b - 1] - values[b - 2];
    slopes[b] = b === 0 ? 0 : b === 1 ? uSlope : 2 * (uSlope * values[b - 1] + u * slopes[b - 1]) - slopes[b - 2];
  }
  const rise = energies[k + 1] - energies[k];
  const energy = energies[k] + rise * t;
  return { x: clamped, basis: values, basisSlopes: slopes, energy, energySlope: slope * rise / width, slope };
}

/**
 * Evaluates a pair energy.
 *
 * @param table energies over the squared distance
 * @param squared the squared distance
 * @returns the energy, and its derivative by the squared distance
 */
export function tableEnergy(table: TiltTable, squared: number): { readonly energy: number; readonly slope: number } {
  if (squared >= table.cutoffSquared) return { energy: 0, slope: 0 };
  const cells = table.values.length - 1;
  const t = squared * cells / table.cutoffSquared;
  const k = Math.min(Math.floor(t) || 0, cells - 1); // 0 for NaN
  const rise = table.values[k + 1] - table.values[k];
  return { energy: table.values[k] + rise * (t - k), slope: rise * cells / table.cutoffSquared };
}
