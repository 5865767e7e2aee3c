/**
 * The tables of an energy-tilted density as its kernels read them; wasm/tilted_frame.ts describes them.
 *
 * @module
 */
import { knotStride, type Tilt, TILT_KNOTS, type TiltTable } from "./tilt.ts";

/** What the kernels want beside the inputs. */
export interface TiltedLayout {
  /** Counts and offsets. */
  readonly sizes: readonly number[];
  /** Polynomials at the nodes, and pair energies. */
  readonly constants: Float32Array;
  /** Scratch memory in bytes. */
  readonly scratchBytes: number;
}

/** T_b at the nodes of a grid, [rows][nodes], zero in the rows from `basis` on. */
function polynomials(basis: number, rows: number, nodes: number): number[] {
  const values = new Array<number>(rows * nodes).fill(0);
  for (let i = 0; i < nodes; i++) {
    const u = 2 * i * knotStride(nodes) / (TILT_KNOTS - 1) - 1;
    for (let b = 0; b < basis; b++) {
      const before = (k: number) => values[(b - k) * nodes + i];
      values[b * nodes + i] = b === 0 ? 1 : b === 1 ? u : 2 * u * before(1) - before(2);
    }
  }
  return values;
}

/** cutoff², cells/cutoff², cells, 0; then the middle energy and the rise of each cell, and zeros. */
function cellsOf({ values, cutoffSquared }: TiltTable): number[] {
  const cells = values.length - 1;
  const numbers = [cutoffSquared, cells / cutoffSquared, cells, 0];
  for (let k = 0; k < cells; k++) numbers.push((values[k] + values[k + 1]) / 2, values[k + 1] - values[k]);
  return [...numbers, 0, 0];
}

const layouts = new WeakMap<Tilt, TiltedLayout>();

/** The tables of a tilt: the same object for the same tilt. */
export function tiltedLayout(tilt: Tilt): TiltedLayout {
  let layout = layouts.get(tilt);
  if (layout === undefined) layouts.set(tilt, layout = makeLayout(tilt));
  return layout;
}

function makeLayout(tilt: Tilt): TiltedLayout {
  const { spatialDim, basis, fine, coarse, tailRate, tables, pairs } = tilt;
  const rows = 4 * Math.ceil(basis / 4);
  const numbers = [tailRate, 0, 0, 0, ...polynomials(basis, rows, fine), ...polynomials(basis, rows, coarse)];
  const offsets = tables.map((table) => {
    const offset = 4 * numbers.length;
    for (const number of cellsOf(table)) numbers.push(number);
    return offset;
  });
  return {
    sizes: [spatialDim, basis, fine, coarse, pairs.length, ...pairs.map((table) => offsets[table])],
    constants: Float32Array.from(numbers),
    scratchBytes: scratchBytes(tilt),
  };
}

/** Bytes of a frame: those of `prepare`, rounded up. */
function scratchBytes({ spatialDim: dim, basis: m, fine, coarse, pairs }: Tilt): number {
  const inner = m ** (dim - 1);
  const most = Math.max(fine, coarse);
  const axes = dim * (8 * fine + 12 * coarse + 16);
  const vectors = [
    ...[2 * m * inner, 2 * inner, 2 * m, m * m, m, dim * m, m + 2], // coefficients, moments of levels
    ...[pairs.length * (2 + most), Math.max(fine, coarse ** (dim - 1)), 4 * fine, inner * fine],
    ...[21, 7 * dim, 3 * (fine + 1), fine],
  ];
  return 320 + axes + 4 * pairs.length * most + 16 * vectors.reduce((sum, count) => sum + count, 0) + 64;
}
