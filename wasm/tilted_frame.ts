/**
 * What the kernels of the energy-tilted density keep in their scratch memory, and how they find it.
 *
 * `sizes` is a list of int32: D, m, fine, coarse, M, and for each neighbour the offset in bytes of its table in
 * `constants`. `constants` are float32: tail rate and three zeros; T_b at the fine nodes, [m'][fine], and at the coarse
 * ones, [m'][coarse], with m' = m rounded up to a multiple of 4 and zeros in the rows beyond m; then the tables, each
 * cutoff², cells/cutoff², cells, 0 and for each cell the energy in its middle and its rise, and (0, 0).
 * src/autodiff/primitives/tilted_layout.ts writes both lists, and knows how much scratch memory the frame needs.
 */
import { ROW } from "./simd";

/** Knots of an axis. */
export const KNOTS: i32 = 129;

/** Addresses and sizes; buffers hold four float32 (one sample per lane) for each element unless said otherwise. */
@unmanaged
export class Frame {
  dim: i32;
  basis: i32;
  /** m', the rows of the tables of polynomials. */
  rows: i32;
  fine: i32;
  coarse: i32;
  neighbours: i32;
  /** Offsets of the neighbours' tables. */
  tables: usize;
  constants: usize;
  knots: usize;
  /** T_b at the nodes, single float32. */
  fineBasis: usize;
  coarseBasis: usize;
  /** Nodes of the axes, single float32: see `axis`. */
  axes: usize;
  axisBytes: usize;
  /** Coefficients: of the sample [m^D], and with the first axes fixed [m^(D−1)], [m^(D−2)]. */
  coefficients: usize;
  coefficients1: usize;
  coefficients2: usize;
  /** Coefficients along a row of nodes [m²], and along a line of them [m]. */
  ofRow: usize;
  ofLine: usize;
  /** T_b of the fixed coordinates, [D][m]. */
  fixedBasis: usize;
  /** One-body energy of the fixed coordinates. */
  fixedEnergy: usize;
  /** Squared distances from the neighbours along the fixed axes, [M], and along those of the current line, [M]. */
  fixedSquares: usize;
  lineSquares: usize;
  /** Squared distances along the last axis at its nodes, [M][nodes], and the least of each four, single float32. */
  squares: usize;
  least: usize;
  /** How many nodes `squares` is for; 0 if not for this sample. */
  squaresFor: i32;
  /** 0, or NaN for a sample with NaN in it. */
  startEnergy: usize;
  /** ℓ or its exponential at the nodes of a row, [max(fine, coarse^(D−1))]. */
  row: usize;
  /** A, [fine]; their exponentials; the derivatives of the total mass or of what is wanted by A. */
  logs: usize;
  exps: usize;
  weights: usize;
  /** Sums of the rows' exponentials, [fine]. */
  sums: usize;
  /** Moments of the rows, [m^(D−1)][fine]; of a line, [m]; and of the levels, [m^D], [m^(D−1)], [m^(D−2)]. */
  moments: usize;
  line: usize;
  level0: usize;
  level1: usize;
  level2: usize;
  /** The scale of the four samples, and their coordinates, [D]. */
  scale: usize;
  place: usize;
  /** For each axis the lanes' cells (int32) and positions in them; the cells of the knots (int32) and positions there. */
  cells: usize;
  parts: usize;
  /** The largest A, and the total mass relative to its exponential. */
  most: usize;
  total: usize;
  /** Logarithms of the masses of the pieces of an axis, and of those below and above each, [fine + 1]. */
  pieces: usize;
  below: usize;
  above: usize;
  /** The lanes' pieces (int32); the parts of them below and above a coordinate; the masses below and above it. */
  piece: usize;
  parted: usize;
  sides: usize;
  /** Derivatives: 1 where a coordinate is between the outer knots, [D]; cotangents of the coordinates, [D]. */
  inside: usize;
  placeBar: usize;
  /** Cotangent of the scale; Σ of the weights on A so far. */
  scaleBar: usize;
  weightSum: usize;
  /** Derivatives of a side's mass by A, [fine]. */
  shares: usize;
  /** Neighbours' coordinates and their cotangents, rows of a panel; the latter may be the null address. */
  coordinates: usize;
  coordinatesBar: usize;
}

// @ts-ignore: decorator
@inline
/** Fine nodes of an axis, single float32: positions [fine], energies [fine], coarse positions, energies, weights. */
export function axis(f: Frame, d: i32): usize {
  return f.axes + <usize>d * f.axisBytes;
}

// @ts-ignore: decorator
@inline
export function coarseAxis(f: Frame, d: i32): usize {
  return axis(f, d) + <usize>(8 * f.fine);
}

/** base^exponent. */
export function power(base: i32, exponent: i32): i32 {
  let product = 1;
  for (; exponent > 0; --exponent) product *= base;
  return product;
}

/** Lays out the frame and evaluates the nodes of all axes. */
export function prepare(sizes: usize, constants: usize, knots: usize, scratch: usize): Frame {
  const f = changetype<Frame>(scratch);
  const dim = load<i32>(sizes), m = load<i32>(sizes, 4), fine = load<i32>(sizes, 8), coarse = load<i32>(sizes, 12);
  const neighbours = load<i32>(sizes, 16), rows = (m + 3) & ~3, most = max(fine, coarse);
  f.dim = dim, f.basis = m, f.rows = rows, f.fine = fine, f.coarse = coarse, f.neighbours = neighbours;
  f.tables = sizes + 20, f.constants = constants, f.knots = knots;
  f.fineBasis = constants + 16;
  f.coarseBasis = f.fineBasis + <usize>(4 * rows * fine);
  const inner = power(m, dim - 1);
  let at = scratch + 320;
  f.axes = at;
  f.axisBytes = <usize>((8 * fine + 12 * coarse + 15) & ~15);
  at += <usize>dim * f.axisBytes;
  f.coefficients = at, at += <usize>(power(m, dim)) << 4;
  f.coefficients1 = at, at += <usize>(power(m, dim - 1)) << 4;
  f.coefficients2 = at, at += <usize>m << 4;
  f.ofRow = at, at += <usize>(m * m) << 4;
  f.ofLine = at, at += <usize>m << 4;
  f.fixedBasis = at, at += <usize>(dim * m) << 4;
  f.fixedEnergy = at, at += 16;
  f.startEnergy = at, at += 16;
  f.fixedSquares = at, at += <usize>neighbours << 4;
  f.lineSquares = at, at += <usize>neighbours << 4;
  f.squares = at, at += <usize>(neighbours * most) << 4;
  f.least = at, at += <usize>((neighbours * most + 3) & ~3) << 2;
  f.row = at, at += <usize>(max(fine, power(coarse, dim - 1))) << 4;
  f.logs = at, at += <usize>fine << 4;
  f.exps = at, at += <usize>fine << 4;
  f.weights = at, at += <usize>fine << 4;
  f.sums = at, at += <usize>fine << 4;
  f.moments = at, at += <usize>(inner * fine) << 4;
  f.line = at, at += <usize>max(m, 2) << 4;
  f.level0 = at, at += <usize>(m * inner) << 4;
  f.level1 = at, at += <usize>inner << 4;
  f.level2 = at, at += <usize>m << 4;
  f.scale = at, at += 16;
  f.place = at, at += <usize>dim << 4;
  f.cells = at, at += <usize>dim << 5;
  f.parts = at, at += <usize>dim << 5;
  f.most = at, at += 16;
  f.total = at, at += 16;
  f.pieces = at, at += <usize>(fine + 1) << 4;
  f.below = at, at += <usize>(fine + 1) << 4;
  f.above = at, at += <usize>(fine + 1) << 4;
  f.piece = at, at += 16;
  f.parted = at, at += 32;
  f.sides = at, at += 32;
  f.inside = at, at += <usize>dim << 4;
  f.placeBar = at, at += <usize>dim << 4;
  f.scaleBar = at, at += 16;
  f.weightSum = at, at += 16;
  f.shares = at, at += <usize>fine << 4;
  for (let d = 0; d < dim; ++d) prepareAxis(f, d);
  return f;
}

function prepareAxis(f: Frame, d: i32): void {
  const positions = f.knots + <usize>(4 * KNOTS * d), energies = f.knots + <usize>(4 * KNOTS * (f.dim + d));
  let to = axis(f, d);
  for (let grid = 0; grid < 2; ++grid) {
    const count = grid ? f.coarse : f.fine, step = <usize>(4 * ((KNOTS - 1) / (count - 1)));
    for (let i: usize = 0; i < <usize>count; ++i, to += 4) {
      store<f32>(to, load<f32>(positions + i * step));
      store<f32>(to + <usize>(4 * count), load<f32>(energies + i * step));
    }
    to += <usize>(4 * count);
  }
  const nodes = coarseAxis(f, d), last = f.coarse - 1;
  for (let i = 0; i <= last; ++i, to += 4) {
    const before = load<f32>(nodes + <usize>(4 * max(i - 1, 0))), after = load<f32>(nodes + <usize>(4 * min(i + 1, last)));
    store<f32>(to, <f32>0.5 * (after - before));
  }
}

// @ts-ignore: decorator
@inline
/** All bits, a NaN, where v is NaN. */
function doubt(v: v128): v128 {
  return f32x4.ne(v, v);
}

/**
 * Makes four samples the current ones. All addresses are of rows of a panel, at the samples' lanes. What is NaN anywhere
 * makes the energy NaN: the sums over neighbours need not look for it then.
 */
export function loadSamples(f: Frame, features: usize, place: usize, scale: usize, neighbours: usize): void {
  let sum = doubt(v128.load(scale));
  for (let k = 0, count = power(f.basis, f.dim); k < count; ++k) {
    const c = v128.load(features + <usize>k * ROW);
    v128.store(f.coefficients + (<usize>k << 4), c);
    sum = v128.or(sum, doubt(c));
  }
  for (let d = 0; d < f.dim; ++d) sum = v128.or(sum, doubt(v128.load(place + <usize>d * ROW)));
  v128.store(f.scale, v128.load(scale));
  f.coordinates = neighbours;
  f.squaresFor = 0;
  for (let k = 0; k < f.neighbours * f.dim; ++k) {
    sum = v128.or(sum, doubt(v128.load(neighbours + <usize>k * ROW)));
  }
  v128.store(f.startEnergy, sum);
  unfix(f);
}

/** Forgets which coordinates have been fixed. */
export function unfix(f: Frame): void {
  v128.store(f.fixedEnergy, v128.load(f.startEnergy));
  for (let n = 0; n < f.neighbours; ++n) v128.store(f.fixedSquares + (<usize>n << 4), f32x4.splat(0));
}
