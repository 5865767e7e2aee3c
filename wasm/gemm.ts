/** Dense layers: y = W x + b and its derivatives, on panels [P][feature][32 samples]. */
import { horizontalSum, LANES, madd, ROW } from "./simd";

/** Output rows per register tile. */
const TILE: i32 = 5;

/**
 * Packs w [n][k] for linearF32: packed [⌈n/5⌉][k][5], the rows of the last tile filled up with zeros.
 * `packed` holds ⌈n/5⌉·5·k floats.
 */
export function packF32(n: i32, k: i32, w: usize, packed: usize): void {
  const stride = (<usize>k) << 2;
  for (let j = 0; j < n; j += TILE) {
    const rows = min(TILE, n - j);
    const end = w + stride;
    for (let column = w; column < end; column += 4) {
      for (let r = 0; r < TILE; ++r) {
        store<f32>(packed, r < rows ? load<f32>(column + <usize>r * stride) : 0);
        packed += 4;
      }
    }
    w += <usize>TILE * stride;
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
