/**
 * Reference of wasm/gemm.ts and of the sums over samples: the same functions in float64 TypeScript.
 *
 * Arguments are those of the kernels with arrays in place of addresses. Activations are panels [P][features][32].
 *
 * @module
 */
import { LANES } from "./dense_layout.ts";

/** Rows per tile of a packed weight matrix. */
const TILE = 5;

/** Position of w[j][i] in a packed matrix with k columns. */
function packedIndex(j: number, i: number, k: number): number {
  return (Math.floor(j / TILE) * k + i) * TILE + j % TILE;
}

/** Adds to a slot, or overwrites it when the sum is the first. */
function put(target: Float64Array, at: number, value: number, accumulate: number): void {
  target[at] = accumulate ? target[at] + value : value;
}

/** w [n][k] → packed [⌈n/5⌉][k][5]. */
export function packF32(n: number, k: number, w: Float64Array, packed: Float64Array): void {
  packed.fill(0, 0, Math.ceil(n / TILE) * TILE * k);
  for (let j = 0; j < n; ++j) {
    for (let i = 0; i < k; ++i) packed[packedIndex(j, i, k)] = w[j * k + i];
  }
}

/** w [n][k] → packed transpose [⌈k/5⌉][n][5]. */
export function packTransposeF32(n: number, k: number, w: Float64Array, packed: Float64Array): void {
  packed.fill(0, 0, Math.ceil(k / TILE) * TILE * n);
  for (let j = 0; j < n; ++j) {
    for (let i = 0; i < k; ++i) packed[packedIndex(i, j, n)] = w[j * k + i];
  }
}

/** y[p][j][l] = bias[j] + Σᵢ w[j][i]·x[p][i][l]. */
export function linearF32(
  panels: number,
  k: number,
  n: number,
  x: Float64Array,
  packed: Float64Array,
  bias: Float64Array,
  y: Float64Array,
): void {
  for (let p = 0; p < panels; ++p) {
    for (let j = 0; j < n; ++j) {
      for (let lane = 0; lane < LANES; ++lane) {
        let sum = bias[j];
        for (let i = 0; i < k; ++i) sum += packed[packedIndex(j, i, k)] * x[(p * k + i) * LANES + lane];
        y[(p * n + j) * LANES + lane] = sum;
      }
    }
  }
}

/** dx[p][i][l] (+)= Σⱼ w[j][i]·dy[p][j][l]. */
export function linearInputGradF32(
  panels: number,
  n: number,
  k: number,
  accumulate: number,
  dy: Float64Array,
  packedT: Float64Array,
  dx: Float64Array,
): void {
  for (let p = 0; p < panels; ++p) {
    for (let i = 0; i < k; ++i) {
      for (let lane = 0; lane < LANES; ++lane) {
        let sum = 0;
        for (let j = 0; j < n; ++j) sum += packedT[packedIndex(i, j, n)] * dy[(p * n + j) * LANES + lane];
        put(dx, (p * k + i) * LANES + lane, sum, accumulate);
      }
    }
  }
}

/** dw[j][i] (+)= Σₚ Σₗ dy[p][j][l]·x[p][i][l] for from ≤ i < to. */
export function linearWeightGradF32(
  panels: number,
  k: number,
  n: number,
  from: number,
  to: number,
  accumulate: number,
  x: Float64Array,
  dy: Float64Array,
  dw: Float64Array,
): void {
  for (let j = 0; j < n; ++j) {
    for (let i = from; i < to; ++i) {
      let sum = 0;
      for (let p = 0; p < panels; ++p) {
        for (let lane = 0; lane < LANES; ++lane) {
          sum += dy[(p * n + j) * LANES + lane] * x[(p * k + i) * LANES + lane];
        }
      }
      put(dw, j * k + i, sum, accumulate);
    }
  }
}

/** db[j] (+)= Σₚ Σₗ dy[p][j][l]. */
export function biasGradF32(panels: number, n: number, accumulate: number, dy: Float64Array, db: Float64Array): void {
  for (let j = 0; j < n; ++j) {
    let sum = 0;
    for (let p = 0; p < panels; ++p) {
      for (let lane = 0; lane < LANES; ++lane) sum += dy[(p * n + j) * LANES + lane];
    }
    put(db, j, sum, accumulate);
  }
}

/** y[p][j][l] = row[j]. */
export function broadcastRowF32(panels: number, n: number, row: Float64Array, y: Float64Array): void {
  for (let i = 0; i < panels * n * LANES; ++i) y[i] = row[Math.floor(i / LANES) % n];
}
