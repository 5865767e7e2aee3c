/** Between row-major batches [n][f] and panels [⌈n/32⌉][f][32], and whole features from one panel to another. */
import { ROW } from "./simd";

/**
 * Rows of float64 → panels, rounded to float32. The lanes after the last row of the last panel hold copies of that row.
 * n = 0 writes nothing.
 */
export function rowsToPanelsF64(n: i32, f: i32, rows: usize, panels: usize): void {
  toPanels<f64>(n, f, rows, panels);
}

/** Rows of float32 → panels, as rowsToPanelsF64. */
export function rowsToPanelsF32(n: i32, f: i32, rows: usize, panels: usize): void {
  toPanels<f32>(n, f, rows, panels);
}

/** Panels → rows of float64; padding lanes are left out. */
export function panelsToRowsF64(n: i32, f: i32, panels: usize, rows: usize): void {
  fromPanels<f64>(n, f, panels, rows);
}

/** Panels → rows of float32; padding lanes are left out. */
export function panelsToRowsF32(n: i32, f: i32, panels: usize, rows: usize): void {
  fromPanels<f32>(n, f, panels, rows);
}

// @ts-ignore: decorator
@inline
/** Four neighbouring features of a row, as float32. */
function loadFour<T>(row: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(row);
  const low = f32x4.demote_f64x2_zero(v128.load(row)), high = f32x4.demote_f64x2_zero(v128.load(row, 16));
  return v128.shuffle<f32>(low, high, 0, 1, 4, 5);
}

// @ts-ignore: decorator
@inline
function storeFour<T>(row: usize, v: v128): void {
  if (sizeof<T>() == 4) {
    v128.store(row, v);
  } else {
    v128.store(row, f64x2.promote_low_f32x4(v));
    v128.store(row, f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1)), 16);
  }
}

/** Transposes 4 samples × 4 features at a time; the features left over one by one. */
// @ts-ignore: decorator
@inline
function toPanels<T>(n: i32, f: i32, rows: usize, panels: usize): void {
  const stride = <usize>f * sizeof<T>();
  const fours = f & ~3;
  for (let first = 0; first < n; first += 32) {
    for (let lane = 0; lane < 32; lane += 4) {
      let a = rows + <usize>min(first + lane, n - 1) * stride, b = rows + <usize>min(first + lane + 1, n - 1) * stride;
      let c = rows + <usize>min(first + lane + 2, n - 1) * stride, d = rows + <usize>min(first + lane + 3, n - 1) * stride;
      let target = panels + ((<usize>lane) << 2);
      for (let i = 0; i < fours; i += 4) {
        const ra = loadFour<T>(a), rb = loadFour<T>(b), rc = loadFour<T>(c), rd = loadFour<T>(d);
        const ab = v128.shuffle<f32>(ra, rb, 0, 4, 1, 5), cd = v128.shuffle<f32>(rc, rd, 0, 4, 1, 5);
        const abUpper = v128.shuffle<f32>(ra, rb, 2, 6, 3, 7), cdUpper = v128.shuffle<f32>(rc, rd, 2, 6, 3, 7);
        v128.store(target, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
        v128.store(target, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 128);
        v128.store(target, v128.shuffle<f32>(abUpper, cdUpper, 0, 1, 4, 5), 256);
        v128.store(target, v128.shuffle<f32>(abUpper, cdUpper, 2, 3, 6, 7), 384);
        a += 4 * sizeof<T>(), b += 4 * sizeof<T>(), c += 4 * sizeof<T>(), d += 4 * sizeof<T>(), target += 4 * ROW;
      }
      for (let i = fours; i < f; ++i) {
        store<f32>(target, <f32>load<T>(a)), store<f32>(target, <f32>load<T>(b), 4);
        store<f32>(target, <f32>load<T>(c), 8), store<f32>(target, <f32>load<T>(d), 12);
        a += sizeof<T>(), b += sizeof<T>(), c += sizeof<T>(), d += sizeof<T>(), target += ROW;
      }
    }
    panels += <usize>f * ROW;
  }
}

// @ts-ignore: decorator
@inline
function fromPanels<T>(n: i32, f: i32, panels: usize, rows: usize): void {
  const stride = <usize>f * sizeof<T>();
  const fours = f & ~3;
  for (let sample = 0; sample < n; sample += 4) {
    let source = panels + <usize>(sample >> 5) * <usize>f * ROW + ((<usize>(sample & 31)) << 2);
    let row = rows + <usize>sample * stride;
    const whole = sample + 4 <= n;
    for (let i = whole ? 0 : fours; i < fours; i += 4) {
      const f0 = v128.load(source), f1 = v128.load(source, 128), f2 = v128.load(source, 256), f3 = v128.load(source, 384);
      const ab = v128.shuffle<f32>(f0, f1, 0, 4, 1, 5), abUpper = v128.shuffle<f32>(f0, f1, 2, 6, 3, 7);
      const cd = v128.shuffle<f32>(f2, f3, 0, 4, 1, 5), cdUpper = v128.shuffle<f32>(f2, f3, 2, 6, 3, 7);
      storeFour<T>(row, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
      storeFour<T>(row + stride, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
      storeFour<T>(row + 2 * stride, v128.shuffle<f32>(abUpper, cdUpper, 0, 1, 4, 5));
      storeFour<T>(row + 3 * stride, v128.shuffle<f32>(abUpper, cdUpper, 2, 3, 6, 7));
      row += 4 * sizeof<T>(), source += 4 * ROW;
    }
    for (let i = whole ? fours : 0; i < f; ++i) {
      for (let r = 0; r < min(4, n - sample); ++r) {
        store<T>(row + <usize>r * stride, <T>load<f32>(source + ((<usize>r) << 2)));
      }
      row += sizeof<T>(), source += ROW;
    }
  }
}

// @ts-ignore: decorator
@inline
function copyRow(from: usize, to: usize): void {
  for (const end = from + ROW; from < end; from += 32, to += 32) {
    v128.store(to, v128.load(from)), v128.store(to, v128.load(from, 16), 16);
  }
}

// @ts-ignore: decorator
@inline
function addRow(from: usize, to: usize): void {
  for (const end = from + ROW; from < end; from += 32, to += 32) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    v128.store(to, f32x4.add(v128.load(to, 16), v128.load(from, 16)), 16);
  }
}

/** y[p][j] = x[p][index[j]] for j < fOut; index is a list of int32 in 0 … fIn − 1, repeats allowed. */
export function gatherFeaturesF32(panels: i32, fIn: i32, fOut: i32, index: usize, x: usize, y: usize): void {
  for (; panels > 0; --panels) {
    for (let j = 0; j < fOut; ++j) {
      copyRow(x + <usize>load<i32>(index + ((<usize>j) << 2)) * ROW, y);
      y += ROW;
    }
    x += <usize>fIn * ROW;
  }
}

/** dx[p][index[j]] += dy[p][j] in the order of j, the derivative of gatherFeaturesF32; accumulate = 0 clears dx first. */
export function scatterFeaturesF32(
  panels: i32, fIn: i32, fOut: i32, accumulate: i32, index: usize, dy: usize, dx: usize,
): void {
  const size = <usize>fIn * ROW;
  for (; panels > 0; --panels) {
    if (!accumulate) memory.fill(dx, 0, size);
    for (let j = 0; j < fOut; ++j) {
      addRow(dy, dx + <usize>load<i32>(index + ((<usize>j) << 2)) * ROW);
      dy += ROW;
    }
    dx += size;
  }
}

/** y[p][offset + i] = x[p][i] for i < fSource; the other features of y stay. Two calls concatenate. */
export function insertFeaturesF32(panels: i32, fSource: i32, fTarget: i32, offset: i32, x: usize, y: usize): void {
  y += <usize>offset * ROW;
  for (; panels > 0; --panels) {
    for (let i = 0; i < fSource; ++i, x += ROW) copyRow(x, y + <usize>i * ROW);
    y += <usize>fTarget * ROW;
  }
}

/** x[p][i] (+)= y[p][offset + i] for i < fSource: a slice, and the derivative of insertFeaturesF32. */
export function extractFeaturesF32(
  panels: i32, fSource: i32, fTarget: i32, offset: i32, accumulate: i32, y: usize, x: usize,
): void {
  y += <usize>offset * ROW;
  for (; panels > 0; --panels) {
    for (let i = 0; i < fSource; ++i, x += ROW) {
      if (accumulate) addRow(y + <usize>i * ROW, x);
      else copyRow(y + <usize>i * ROW, x);
    }
    y += <usize>fTarget * ROW;
  }
}
