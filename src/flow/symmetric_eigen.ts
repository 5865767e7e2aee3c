/**
 * Eigenvalues and eigenvectors of a symmetric matrix.
 *
 * @module
 */

/** Sweeps after which Jacobi's method has converged for any symmetric matrix of sizes met here. */
const MAXIMUM_SWEEPS = 60;

/**
 * Diagonalises a symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan, §8.5).
 *
 * @param matrix [d, d] row-major, symmetric
 * @param d size
 * @returns eigenvalues in descending order, and the eigenvectors as rows of `vectors` [d, d]; each vector's element of
 * largest magnitude is positive, so that the result is unique
 */
export function symmetricEigen(matrix: Float64Array, d: number): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice();
  const v = new Float64Array(d * d);
  for (let i = 0; i < d; i++) v[i * d + i] = 1;
  for (let sweep = 0; sweep < MAXIMUM_SWEEPS && offDiagonal(a, d) > 0; sweep++) {
    for (let p = 0; p < d - 1; p++) {
      for (let q = p + 1; q < d; q++) rotate(a, v, d, p, q);
    }
  }
  const order = Array.from({ length: d }, (_, i) => i).sort((i, j) => a[j * d + j] - a[i * d + i]);
  const vectors = new Float64Array(d * d);
  order.forEach((i, row) => vectors.set(oriented(v.subarray(i * d, (i + 1) * d)), row * d));
  return { values: Float64Array.from(order, (i) => a[i * d + i]), vectors };
}

/** Sum of squares off the diagonal, as zero once it no longer matters in float64. */
function offDiagonal(a: Float64Array, d: number): number {
  let off = 0;
  let diagonal = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      if (i === j) diagonal += a[i * d + j] * a[i * d + j];
      else off += a[i * d + j] * a[i * d + j];
    }
  }
  return off > 1e-30 * diagonal ? off : 0;
}

/** One rotation in the plane (p, q) that makes a[p, q] zero; rows of v collect the eigenvectors. */
function rotate(a: Float64Array, v: Float64Array, d: number, p: number, q: number): void {
  const apq = a[p * d + q];
  if (apq === 0) return;
  const theta = (a[q * d + q] - a[p * d + p]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < d; k++) {
    const [akp, akq] = [a[k * d + p], a[k * d + q]];
    a[k * d + p] = c * akp - s * akq;
    a[k * d + q] = s * akp + c * akq;
  }
  for (let k = 0; k < d; k++) {
    const [apk, aqk] = [a[p * d + k], a[q * d + k]];
    a[p * d + k] = c * apk - s * aqk;
    a[q * d + k] = s * apk + c * aqk;
    const [vpk, vqk] = [v[p * d + k], v[q * d + k]];
    v[p * d + k] = c * vpk - s * vqk;
    v[q * d + k] = s * vpk + c * vqk;
  }
}

function oriented(vector: Float64Array): Float64Array {
  let largest = 0;
  vector.forEach((x) => {
    if (Math.abs(x) > Math.abs(largest)) largest = x;
  });
  return largest < 0 ? vector.map((x) => -x) : vector;
}
