/** Dense layers: y = W x + b and its derivatives, on panels [P][feature][32 samples]. */
import { horizontalSum, loadRest, madd, ROW } from "./simd";

/** Output rows per register tile. */
const TILE: i32 = 5;

/**
 * Packs w [n][k] for linearF32: packed [⌈n/5⌉][k][5], the rows of the last tile filled up with zeros.
 * `packed` holds ⌈n/5⌉·5·k floats.
 */
export function packF32(n: i32, k: i32, w: usize, packed: usize): void {
  const stride = (<usize>k) << 2;
  for (let j = 0; j < n; j += TILE) {
    packTile(min(TILE, n - j), k, stride, w, packed);
    packed += <usize>k * 20;
    w += <usize>TILE * stride;
  }
}

/** Packs up to 5 rows of k columns; transposes 5 × 4 numbers at a time where there are 5 rows. */
function packTile(rows: i32, k: i32, stride: usize, w: usize, packed: usize): void {
  const end = w + stride;
  if (rows == TILE) {
    for (const fours = w + ((<usize>(k & ~3)) << 2); w < fours; w += 16, packed += 80) {
      const r0 = v128.load(w), r1 = v128.load(w + stride), r2 = v128.load(w + 2 * stride);
      const r3 = v128.load(w + 3 * stride), r4 = v128.load(w + 4 * stride);
      const ab = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), abUpper = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const cd = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5), cdUpper = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      const c1 = v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), c2 = v128.shuffle<f32>(abUpper, cdUpper, 0, 1, 4, 5);
      const c3 = v128.shuffle<f32>(abUpper, cdUpper, 2, 3, 6, 7);
      v128.store(packed, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
      v128.store(packed, v128.shuffle<f32>(r4, c1, 0, 4, 5, 6), 16);
      v128.store(packed, v128.shuffle<f32>(v128.shuffle<f32>(c1, r4, 3, 5, 3, 5), c2, 0, 1, 4, 5), 32);
      v128.store(packed, v128.shuffle<f32>(v128.shuffle<f32>(c2, r4, 2, 3, 6, 6), c3, 0, 1, 2, 4), 48);
      v128.store(packed, v128.shuffle<f32>(c3, r4, 1, 2, 3, 7), 64);
    }
  }
  for (; w < end; w += 4) {
    for (let r = 0; r < TILE; ++r) {
      store<f32>(packed, r < rows ? load<f32>(w + <usize>r * stride) : 0);
      packed += 4;
    }
  }
}

/**
 * Packs the transpose of w [n][k] for linearInputGradF32: packed [⌈k/5⌉][n][5], the last tile filled up with zeros.
 * `packed` holds ⌈k/5⌉·5·n floats.
 */
export function packTransposeF32(n: i32, k: i32, w: usize, packed: usize): void {
  const stride = (<usize>k) << 2;
  for (let i = 0; i < k; i += TILE) {
    const columns = min(TILE, k - i);
    for (let j = 0; j < n; ++j) {
      const source = w + <usize>j * stride + ((<usize>i) << 2);
      if (columns == TILE) {
        v128.store(packed, v128.load(source));
        store<f32>(packed, load<f32>(source, 16), 16);
      } else {
        for (let r = 0; r < TILE; ++r) {
          store<f32>(packed + ((<usize>r) << 2), r < columns ? load<f32>(source + ((<usize>r) << 2)) : 0);
        }
      }
      packed += 20;
    }
  }
}

/** y[p][j][l] = bias[j] + Σᵢ w[j][i]·x[p][i][l]; any panels ≥ 0, k ≥ 1, n ≥ 1; y must not overlap x. */
export function linearF32(panels: i32, k: i32, n: i32, x: usize, packed: usize, bias: usize, y: usize): void {
  multiplyPanels(panels, k, n, START_BIAS, x, packed, bias, y);
}

/** dx[p][i][l] (+)= Σⱼ w[j][i]·dy[p][j][l], w given by packTransposeF32; dx must not overlap dy. */
export function linearInputGradF32(
  panels: i32, n: i32, k: i32, accumulate: i32, dy: usize, packedT: usize, dx: usize,
): void {
  multiplyPanels(panels, n, k, accumulate ? START_TARGET : START_ZERO, dy, packedT, 0, dx);
}

const START_ZERO: i32 = 0;
const START_BIAS: i32 = 1;
const START_TARGET: i32 = 2;

// @ts-ignore: decorator
@inline
function startRow(start: i32, row: i32, rows: i32, bias: usize, y: usize, half: usize): v128 {
  if (row >= rows || start == START_ZERO) return f32x4.splat(0);
  if (start == START_BIAS) return v128.load32_splat(bias + ((<usize>row) << 2));
  return v128.load(y + <usize>row * ROW + half);
}

// @ts-ignore: decorator
@inline
function storeRow(row: i32, rows: i32, y: usize, left: v128, right: v128): void {
  if (row < rows) {
    v128.store(y + <usize>row * ROW, left);
    v128.store(y + <usize>row * ROW, right, 16);
  }
}

/** The 5 × 8 register tile: 5 outputs of 8 samples, 4 inputs per turn. */
function multiplyTile(k: i32, rows: i32, start: i32, x: usize, w: usize, bias: usize, y: usize): void {
  let a0 = startRow(start, 0, rows, bias, y, 0), b0 = startRow(start, 0, rows, bias, y, 16);
  let a1 = startRow(start, 1, rows, bias, y, 0), b1 = startRow(start, 1, rows, bias, y, 16);
  let a2 = startRow(start, 2, rows, bias, y, 0), b2 = startRow(start, 2, rows, bias, y, 16);
  let a3 = startRow(start, 3, rows, bias, y, 0), b3 = startRow(start, 3, rows, bias, y, 16);
  let a4 = startRow(start, 4, rows, bias, y, 0), b4 = startRow(start, 4, rows, bias, y, 16);
  let left: v128, right: v128, quad: v128, one: v128;
  const quadsEnd = w + <usize>(k & ~3) * 20;
  const end = w + <usize>k * 20;
  while (w < quadsEnd) {
    left = v128.load(x), right = v128.load(x, 16), quad = v128.load(w);
    one = v128.shuffle<f32>(quad, quad, 0, 0, 0, 0), a0 = madd(one, left, a0), b0 = madd(one, right, b0);
    one = v128.shuffle<f32>(quad, quad, 1, 1, 1, 1), a1 = madd(one, left, a1), b1 = madd(one, right, b1);
    one = v128.shuffle<f32>(quad, quad, 2, 2, 2, 2), a2 = madd(one, left, a2), b2 = madd(one, right, b2);
    one = v128.shuffle<f32>(quad, quad, 3, 3, 3, 3), a3 = madd(one, left, a3), b3 = madd(one, right, b3);
    quad = v128.load(w, 16);
    one = v128.shuffle<f32>(quad, quad, 0, 0, 0, 0), a4 = madd(one, left, a4), b4 = madd(one, right, b4);
    left = v128.load(x, 128), right = v128.load(x, 144);
    one = v128.shuffle<f32>(quad, quad, 1, 1, 1, 1), a0 = madd(one, left, a0), b0 = madd(one, right, b0);
    one = v128.shuffle<f32>(quad, quad, 2, 2, 2, 2), a1 = madd(one, left, a1), b1 = madd(one, right, b1);
    one = v128.shuffle<f32>(quad, quad, 3, 3, 3, 3), a2 = madd(one, left, a2), b2 = madd(one, right, b2);
    quad = v128.load(w, 32);
    one = v128.shuffle<f32>(quad, quad, 0, 0, 0, 0), a3 = madd(one, left, a3), b3 = madd(one, right, b3);
    one = v128.shuffle<f32>(quad, quad, 1, 1, 1, 1), a4 = madd(one, left, a4), b4 = madd(one, right, b4);
    left = v128.load(x, 256), right = v128.load(x, 272);
    one = v128.shuffle<f32>(quad, quad, 2, 2, 2, 2), a0 = madd(one, left, a0), b0 = madd(one, right, b0);
    one = v128.shuffle<f32>(quad, quad, 3, 3, 3, 3), a1 = madd(one, left, a1), b1 = madd(one, right, b1);
    quad = v128.load(w, 48);
    one = v128.shuffle<f32>(quad, quad, 0, 0, 0, 0), a2 = madd(one, left, a2), b2 = madd(one, right, b2);
    one = v128.shuffle<f32>(quad, quad, 1, 1, 1, 1), a3 = madd(one, left, a3), b3 = madd(one, right, b3);
    one = v128.shuffle<f32>(quad, quad, 2, 2, 2, 2), a4 = madd(one, left, a4), b4 = madd(one, right, b4);
    left = v128.load(x, 384), right = v128.load(x, 400);
    one = v128.shuffle<f32>(quad, quad, 3, 3, 3, 3), a0 = madd(one, left, a0), b0 = madd(one, right, b0);
    quad = v128.load(w, 64);
    one = v128.shuffle<f32>(quad, quad, 0, 0, 0, 0), a1 = madd(one, left, a1), b1 = madd(one, right, b1);
    one = v128.shuffle<f32>(quad, quad, 1, 1, 1, 1), a2 = madd(one, left, a2), b2 = madd(one, right, b2);
    one = v128.shuffle<f32>(quad, quad, 2, 2, 2, 2), a3 = madd(one, left, a3), b3 = madd(one, right, b3);
    one = v128.shuffle<f32>(quad, quad, 3, 3, 3, 3), a4 = madd(one, left, a4), b4 = madd(one, right, b4);
    x += 4 * ROW, w += 80;
  }
  while (w < end) {
    left = v128.load(x), right = v128.load(x, 16), quad = v128.load(w);
    one = v128.shuffle<f32>(quad, quad, 0, 0, 0, 0), a0 = madd(one, left, a0), b0 = madd(one, right, b0);
    one = v128.shuffle<f32>(quad, quad, 1, 1, 1, 1), a1 = madd(one, left, a1), b1 = madd(one, right, b1);
    one = v128.shuffle<f32>(quad, quad, 2, 2, 2, 2), a2 = madd(one, left, a2), b2 = madd(one, right, b2);
    one = v128.shuffle<f32>(quad, quad, 3, 3, 3, 3), a3 = madd(one, left, a3), b3 = madd(one, right, b3);
    one = v128.load32_splat(w, 16), a4 = madd(one, left, a4), b4 = madd(one, right, b4);
    x += ROW, w += 20;
  }
  storeRow(0, rows, y, a0, b0);
  storeRow(1, rows, y, a1, b1);
  storeRow(2, rows, y, a2, b2);
  storeRow(3, rows, y, a3, b3);
  storeRow(4, rows, y, a4, b4);
}

function multiplyPanels(
  panels: i32, k: i32, n: i32, start: i32, x: usize, packed: usize, bias: usize, y: usize,
): void {
  for (let p = 0; p < panels; ++p) {
    let w = packed;
    for (let j = 0; j < n; j += TILE) {
      for (let lane: usize = 0; lane < ROW; lane += 32) {
        multiplyTile(k, n - j, start, x + lane, w, bias + ((<usize>j) << 2), y + <usize>j * ROW + lane);
      }
      w += <usize>k * 20;
    }
    x += <usize>k * ROW;
    y += <usize>n * ROW;
  }
}

/** Panels summed in registers before the sum is added to dw: 256 samples of two 200-wide layers stay in the L2 cache. */
const PANEL_BLOCK: i32 = 8;
/** Inputs whose panels stay in the L1 cache while all outputs pass by. */
const INPUT_BLOCK: i32 = 24;

/**
 * dw[j][i] (+)= Σₚ Σₗ dy[p][j][l]·x[p][i][l] for the inputs from ≤ i < to; either all of them, or three or more. The order
 * of the sum depends on the number of panels alone: within a block of 8 panels four partial sums over every fourth sample,
 * then block after block.
 */
export function linearWeightGradF32(
  panels: i32, k: i32, n: i32, from: i32, to: i32, accumulate: i32, x: usize, dy: usize, dw: usize,
): void {
  if (panels <= 0 && !accumulate) clearColumns(k, n, from, to, dw);
  for (let p = 0; p < panels; p += PANEL_BLOCK) {
    const block = min(PANEL_BLOCK, panels - p);
    if (k < 3 || n < 3) dotNarrow(block, k, n, from, to, accumulate, x, dy, dw);
    else dotBlocked(block, k, n, from, to, accumulate, x, dy, dw);
    x += <usize>(PANEL_BLOCK * k) * ROW;
    dy += <usize>(PANEL_BLOCK * n) * ROW;
    accumulate = 1;
  }
}

function clearColumns(k: i32, n: i32, from: i32, to: i32, dw: usize): void {
  for (let j = 0; j < n; ++j) {
    memory.fill(dw + ((<usize>(j * k + from)) << 2), 0, (<usize>(to - from)) << 2);
  }
}

function dotBlocked(
  panels: i32, k: i32, n: i32, from: i32, to: i32, accumulate: i32, x: usize, dy: usize, dw: usize,
): void {
  for (let first = from; first < to; first += INPUT_BLOCK) {
    const last = min(to, first + INPUT_BLOCK);
    for (let j = 0; j < n; j += 3) {
      // the last tile of a row or column is moved back to lie inside; what it repeats is not stored again
      const row = min(j, n - 3);
      for (let i = first; i < last; i += 3) {
        const column = min(i, to - 3);
        dotTile(
          panels, <usize>k * ROW, <usize>n * ROW, x + <usize>column * ROW, dy + <usize>row * ROW,
          accumulate, j - row, i - column, <usize>k << 2, dw + ((<usize>row * <usize>k + <usize>column) << 2),
        );
      }
    }
  }
}

/** The 3 × 3 register tile: dot products of 3 rows of dy and 3 rows of x over all samples of a block. */
function dotTile(
  panels: i32, strideX: usize, strideY: usize, x: usize, dy: usize,
  accumulate: i32, skipRows: i32, skipColumns: i32, strideW: usize, dw: usize,
): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s02 = f32x4.splat(0);
  let s10 = f32x4.splat(0), s11 = f32x4.splat(0), s12 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s22 = f32x4.splat(0);
  let x0: v128, x1: v128, x2: v128, y: v128;
  strideX -= ROW, strideY -= ROW;
  for (; panels > 0; --panels) {
    for (const half = x + ROW; x < half; x += 64, dy += 64) {
      x0 = v128.load(x), x1 = v128.load(x, 128), x2 = v128.load(x, 256);
      y = v128.load(dy), s00 = madd(y, x0, s00), s01 = madd(y, x1, s01), s02 = madd(y, x2, s02);
      y = v128.load(dy, 128), s10 = madd(y, x0, s10), s11 = madd(y, x1, s11), s12 = madd(y, x2, s12);
      y = v128.load(dy, 256), s20 = madd(y, x0, s20), s21 = madd(y, x1, s21), s22 = madd(y, x2, s22);
      x0 = v128.load(x, 16), x1 = v128.load(x, 144), x2 = v128.load(x, 272);
      y = v128.load(dy, 16), s00 = madd(y, x0, s00), s01 = madd(y, x1, s01), s02 = madd(y, x2, s02);
      y = v128.load(dy, 144), s10 = madd(y, x0, s10), s11 = madd(y, x1, s11), s12 = madd(y, x2, s12);
      y = v128.load(dy, 272), s20 = madd(y, x0, s20), s21 = madd(y, x1, s21), s22 = madd(y, x2, s22);
      x0 = v128.load(x, 32), x1 = v128.load(x, 160), x2 = v128.load(x, 288);
      y = v128.load(dy, 32), s00 = madd(y, x0, s00), s01 = madd(y, x1, s01), s02 = madd(y, x2, s02);
      y = v128.load(dy, 160), s10 = madd(y, x0, s10), s11 = madd(y, x1, s11), s12 = madd(y, x2, s12);
      y = v128.load(dy, 288), s20 = madd(y, x0, s20), s21 = madd(y, x1, s21), s22 = madd(y, x2, s22);
      x0 = v128.load(x, 48), x1 = v128.load(x, 176), x2 = v128.load(x, 304);
      y = v128.load(dy, 48), s00 = madd(y, x0, s00), s01 = madd(y, x1, s01), s02 = madd(y, x2, s02);
      y = v128.load(dy, 176), s10 = madd(y, x0, s10), s11 = madd(y, x1, s11), s12 = madd(y, x2, s12);
      y = v128.load(dy, 304), s20 = madd(y, x0, s20), s21 = madd(y, x1, s21), s22 = madd(y, x2, s22);
    }
    x += strideX, dy += strideY;
  }
  if (skipRows == 0) storeSums(dw, accumulate, skipColumns, s00, s01, s02);
  if (skipRows < 2) storeSums(dw + strideW, accumulate, skipColumns, s10, s11, s12);
  storeSums(dw + 2 * strideW, accumulate, skipColumns, s20, s21, s22);
}

// @ts-ignore: decorator
@inline
/** Stores the horizontal sums (v₀ + v₂) + (v₁ + v₃) of three vectors, or adds them, leaving out the first `skip`. */
function storeSums(dw: usize, accumulate: i32, skip: i32, a: v128, b: v128, c: v128): void {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cc = f32x4.add(v128.shuffle<f32>(c, c, 0, 0, 1, 1), v128.shuffle<f32>(c, c, 2, 2, 3, 3));
  let sums = f32x4.add(v128.shuffle<f32>(ab, cc, 0, 1, 4, 5), v128.shuffle<f32>(ab, cc, 2, 3, 6, 7));
  if (accumulate) sums = f32x4.add(loadRest(dw, 3), sums);
  if (skip == 0) v128.store_lane<f32>(dw, sums, 0);
  if (skip < 2) v128.store_lane<f32>(dw, sums, 1, 4);
  v128.store_lane<f32>(dw, sums, 2, 8);
}

/** Layers with fewer than 3 inputs or outputs: one dot product at a time. */
function dotNarrow(
  panels: i32, k: i32, n: i32, from: i32, to: i32, accumulate: i32, x: usize, dy: usize, dw: usize,
): void {
  for (let j = 0; j < n; ++j) {
    for (let i = from; i < to; ++i) {
      let sum = f32x4.splat(0);
      let a = dy + <usize>j * ROW, b = x + <usize>i * ROW;
      for (let p = 0; p < panels; ++p) {
        for (let lane: usize = 0; lane < ROW; lane += 16) {
          sum = madd(v128.load(a + lane), v128.load(b + lane), sum);
        }
        a += <usize>n * ROW, b += <usize>k * ROW;
      }
      const target = dw + ((<usize>(j * k + i)) << 2);
      store<f32>(target, horizontalSum(sum) + (accumulate ? load<f32>(target) : 0));
    }
  }
}
