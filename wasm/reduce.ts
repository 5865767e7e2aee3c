/**
 * Sums over samples and over features, and the broadcasts that are their derivatives.
 *
 * A column is one float64 per sample, [32·panels], padding lanes included. A column gradient is read as float64 and
 * rounded to float32 once.
 */
import { columnQuad, ROW, storeColumnQuad, upperHalf } from "./simd";

/** Panels whose sum is formed before it is added to the total: bounds the rounding error of long batches. */
const PANEL_BLOCK: i32 = 8;

/** db[j] (+)= Σₚ Σₗ dy[p][j][l], in blocks of 8 panels. Also the derivative of broadcastRowF32. */
export function biasGradF32(panels: i32, n: i32, accumulate: i32, dy: usize, db: usize): void {
  const stride = <usize>n * ROW;
  for (let j = 0; j < n; ++j) {
    let total: f32 = accumulate ? load<f32>(db) : 0;
    let row = dy;
    for (let p = 0; p < panels; p += PANEL_BLOCK) {
      let a = f32x4.splat(0), b = f32x4.splat(0);
      for (const end = row + <usize>min(PANEL_BLOCK, panels - p) * stride; row < end; row += stride) {
        a = f32x4.add(a, f32x4.add(v128.load(row), v128.load(row, 16)));
        b = f32x4.add(b, f32x4.add(v128.load(row, 32), v128.load(row, 48)));
        a = f32x4.add(a, f32x4.add(v128.load(row, 64), v128.load(row, 80)));
        b = f32x4.add(b, f32x4.add(v128.load(row, 96), v128.load(row, 112)));
      }
      a = f32x4.add(a, b);
      a = f32x4.add(a, upperHalf(a));
      total += f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1);
    }
    store<f32>(db, total);
    dy += ROW, db += 4;
  }
}

/** y[p][j][l] = row[j]. */
export function broadcastRowF32(panels: i32, n: i32, row: usize, y: usize): void {
  for (; panels > 0; --panels) {
    for (let source = row, end = row + ((<usize>n) << 2); source < end; source += 4) {
      const value = v128.load32_splat(source);
      for (const stop = y + ROW; y < stop; y += 32) {
        v128.store(y, value), v128.store(y, value, 16);
      }
    }
  }
}

/** column[p·32 + l] = Σⱼ x[p][j][l], summed in float64 in feature order. */
export function sumFeaturesF32(panels: i32, f: i32, x: usize, column: usize): void {
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      let low = f64x2.splat(0), high = f64x2.splat(0);
      for (let row = x + lane, end = row + <usize>f * ROW; row < end; row += ROW) {
        const value = v128.load(row);
        low = f64x2.add(low, f64x2.promote_low_f32x4(value));
        high = f64x2.add(high, f64x2.promote_low_f32x4(upperHalf(value)));
      }
      v128.store(column, low), v128.store(column, high, 16);
      column += 32;
    }
    x += <usize>f * ROW;
  }
}

/** dx[p][j][l] (+)= dColumn[p·32 + l]. */
export function sumFeaturesGradF32(panels: i32, f: i32, accumulate: i32, dColumn: usize, dx: usize): void {
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      const value = columnQuad(dColumn);
      for (let row = dx + lane, end = row + <usize>f * ROW; row < end; row += ROW) {
        v128.store(row, accumulate ? f32x4.add(v128.load(row), value) : value);
      }
      dColumn += 32;
    }
    dx += <usize>f * ROW;
  }
}

/** y[p][j][l] (+)= column[p·32 + l]·x[p][j][l]. */
export function scaleByColumnF32(panels: i32, f: i32, accumulate: i32, column: usize, x: usize, y: usize): void {
  const size = <usize>f * ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      const value = columnQuad(column);
      for (let i = lane; i < size; i += ROW) {
        const product = f32x4.mul(value, v128.load(x + i));
        v128.store(y + i, accumulate ? f32x4.add(v128.load(y + i), product) : product);
      }
      column += 32;
    }
    x += size, y += size;
  }
}

/** column[p·32 + l] = x[p][index][l]. */
export function featureColumnF32(panels: i32, f: i32, index: i32, x: usize, column: usize): void {
  x += <usize>index * ROW;
  for (; panels > 0; --panels) {
    for (const end = x + ROW; x < end; x += 16) {
      storeColumnQuad(column, v128.load(x));
      column += 32;
    }
    x += <usize>(f - 1) * ROW;
  }
}

/** dx[p][index][l] (+)= dColumn[p·32 + l]; with accumulate = 0 the other features become 0. */
export function featureColumnGradF32(
  panels: i32, f: i32, index: i32, accumulate: i32, dColumn: usize, dx: usize,
): void {
  const stride = <usize>f * ROW;
  if (!accumulate) memory.fill(dx, 0, <usize>panels * stride);
  dx += <usize>index * ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      v128.store(dx + lane, f32x4.add(v128.load(dx + lane), columnQuad(dColumn)));
      dColumn += 32;
    }
    dx += stride;
  }
}
