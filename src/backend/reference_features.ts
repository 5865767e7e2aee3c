/**
 * Reference of wasm/coupling.ts, of the columns of wasm/reduce.ts and of the feature moves of wasm/layout.ts, in float64
 * TypeScript with arrays in place of addresses; 0 stands for a column that is left out.
 *
 * @module
 */
import { LANES } from "./dense_layout.ts";

/** Calls `visit(i, c)` for every element i of panels [P][f][32] and its place c in a column [32·P]. */
function eachElement(panels: number, f: number, visit: (i: number, c: number) => void): void {
  for (let i = 0; i < panels * f * LANES; ++i) visit(i, Math.floor(i / (f * LANES)) * LANES + i % LANES);
}

function clear(column: Float64Array | 0, panels: number): void {
  if (column) column.fill(0, 0, panels * LANES);
}

/** y = x·eˢ + t, logDet = Σ s. */
export function affineForwardF32(
  panels: number,
  f: number,
  x: Float64Array,
  s: Float64Array,
  t: Float64Array,
  y: Float64Array,
  logDet: Float64Array | 0,
): void {
  clear(logDet, panels);
  eachElement(panels, f, (i, c) => {
    y[i] = x[i] * Math.exp(s[i]) + t[i];
    if (logDet) logDet[c] += s[i];
  });
}

/** x = (y − t)·e⁻ˢ, logDet = −Σ s. */
export function affineInverseF32(
  panels: number,
  f: number,
  y: Float64Array,
  s: Float64Array,
  t: Float64Array,
  x: Float64Array,
  logDet: Float64Array | 0,
): void {
  clear(logDet, panels);
  eachElement(panels, f, (i, c) => {
    x[i] = (y[i] - t[i]) * Math.exp(-s[i]);
    if (logDet) logDet[c] -= s[i];
  });
}

/** dx (+)= dy·eˢ, ds = dy·x·eˢ + dLogDet, dt = dy. */
export function affineForwardGradF32(
  panels: number,
  f: number,
  accumulate: number,
  x: Float64Array,
  s: Float64Array,
  dy: Float64Array,
  dLogDet: Float64Array | 0,
  dx: Float64Array,
  ds: Float64Array,
  dt: Float64Array,
): void {
  eachElement(panels, f, (i, c) => {
    const slope = dy[i] * Math.exp(s[i]);
    dx[i] = (accumulate ? dx[i] : 0) + slope;
    ds[i] = slope * x[i] + (dLogDet ? dLogDet[c] : 0);
    dt[i] = dy[i];
  });
}

/** dy (+)= dx·e⁻ˢ, ds = −dx·x − dLogDet, dt = −dx·e⁻ˢ; x is the output. */
export function affineInverseGradF32(
  panels: number,
  f: number,
  accumulate: number,
  x: Float64Array,
  s: Float64Array,
  dx: Float64Array,
  dLogDet: Float64Array | 0,
  dy: Float64Array,
  ds: Float64Array,
  dt: Float64Array,
): void {
  eachElement(panels, f, (i, c) => {
    const slope = dx[i] * Math.exp(-s[i]);
    dy[i] = (accumulate ? dy[i] : 0) + slope;
    ds[i] = -dx[i] * x[i] - (dLogDet ? dLogDet[c] : 0);
    dt[i] = -slope;
  });
}

/** column = Σⱼ x[·][j][·]. */
export function sumFeaturesF32(panels: number, f: number, x: Float64Array, column: Float64Array): void {
  clear(column, panels);
  eachElement(panels, f, (i, c) => column[c] += x[i]);
}

/** dx[·][j][·] (+)= dColumn. */
export function sumFeaturesGradF32(
  panels: number,
  f: number,
  accumulate: number,
  dColumn: Float64Array,
  dx: Float64Array,
): void {
  eachElement(panels, f, (i, c) => dx[i] = (accumulate ? dx[i] : 0) + dColumn[c]);
}

/** y[·][j][·] (+)= column·x[·][j][·]. */
export function scaleByColumnF32(
  panels: number,
  f: number,
  accumulate: number,
  column: Float64Array,
  x: Float64Array,
  y: Float64Array,
): void {
  eachElement(panels, f, (i, c) => y[i] = (accumulate ? y[i] : 0) + column[c] * x[i]);
}

/** column = x[·][index][·]. */
export function featureColumnF32(
  panels: number,
  f: number,
  index: number,
  x: Float64Array,
  column: Float64Array,
): void {
  eachElement(panels, f, (i, c) => {
    if (Math.floor(i / LANES) % f === index) column[c] = x[i];
  });
}

/** dx[·][index][·] (+)= dColumn; with accumulate = 0 the other features become 0. */
export function featureColumnGradF32(
  panels: number,
  f: number,
  index: number,
  accumulate: number,
  dColumn: Float64Array,
  dx: Float64Array,
): void {
  eachElement(panels, f, (i, c) => {
    const value = Math.floor(i / LANES) % f === index ? dColumn[c] : 0;
    dx[i] = (accumulate ? dx[i] : 0) + value;
  });
}

/** y[p][j] = x[p][index[j]]. */
export function gatherFeaturesF32(
  panels: number,
  fIn: number,
  fOut: number,
  index: Int32Array,
  x: Float64Array,
  y: Float64Array,
): void {
  for (let i = 0; i < panels * fOut * LANES; ++i) {
    const p = Math.floor(i / (fOut * LANES));
    y[i] = x[(p * fIn + index[Math.floor(i / LANES) % fOut]) * LANES + i % LANES];
  }
}

/** dx[p][index[j]] += dy[p][j]; accumulate = 0 clears dx first. */
export function scatterFeaturesF32(
  panels: number,
  fIn: number,
  fOut: number,
  accumulate: number,
  index: Int32Array,
  dy: Float64Array,
  dx: Float64Array,
): void {
  if (!accumulate) dx.fill(0, 0, panels * fIn * LANES);
  for (let i = 0; i < panels * fOut * LANES; ++i) {
    const p = Math.floor(i / (fOut * LANES));
    dx[(p * fIn + index[Math.floor(i / LANES) % fOut]) * LANES + i % LANES] += dy[i];
  }
}

/** y[p][offset + i] = x[p][i] for i < fSource. */
export function insertFeaturesF32(
  panels: number,
  fSource: number,
  fTarget: number,
  offset: number,
  x: Float64Array,
  y: Float64Array,
): void {
  for (let p = 0; p < panels; ++p) {
    const part = x.subarray(p * fSource * LANES, (p + 1) * fSource * LANES);
    y.set(part, (p * fTarget + offset) * LANES);
  }
}

/** x[p][i] (+)= y[p][offset + i] for i < fSource. */
export function extractFeaturesF32(
  panels: number,
  fSource: number,
  fTarget: number,
  offset: number,
  accumulate: number,
  y: Float64Array,
  x: Float64Array,
): void {
  eachElement(panels, fSource, (i) => {
    const p = Math.floor(i / (fSource * LANES));
    x[i] = (accumulate ? x[i] : 0) + y[i + (p * (fTarget - fSource) + offset) * LANES];
  });
}
