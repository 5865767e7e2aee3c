/**
 * Solves a small dense system by elimination with partial pivoting.
 *
 * @param matrix A, row-major, [k, k]; overwritten
 * @param right right-hand sides B, row-major, [k, columns]; overwritten by the solution X of A X = B
 * @param columns number of right-hand sides
 * @returns whether A is regular to rounding; otherwise `right` is of no use
 */
export function solveLinearSystem(matrix: Float64Array, right: Float64Array, columns: number): boolean {
  const size = Math.round(Math.sqrt(matrix.length));
  let scale = 0;
  for (const entry of matrix) scale = Math.max(scale, Math.abs(entry));
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(matrix[row * size + column]) > Math.abs(matrix[pivot * size + column])) pivot = row;
    }
    if (!(Math.abs(matrix[pivot * size + column]) > 1e-14 * scale)) return false;
    if (pivot !== column) {
      swapRows(matrix, size, pivot, column);
      swapRows(right, columns, pivot, column);
    }
    const inverse = 1 / matrix[column * size + column];
    for (let row = column + 1; row < size; row++) {
      const factor = matrix[row * size + column] * inverse;
      if (factor === 0) continue;
      for (let k = column; k < size; k++) matrix[row * size + k] -= factor * matrix[column * size + k];
      for (let k = 0; k < columns; k++) right[row * columns + k] -= factor * right[column * columns + k];
    }
  }
  substituteBack(matrix, right, size, columns);
  return true;
}

function substituteBack(matrix: Float64Array, right: Float64Array, size: number, columns: number): void {
  for (let row = size - 1; row >= 0; row--) {
    for (let k = 0; k < columns; k++) {
      let value = right[row * columns + k];
      for (let j = row + 1; j < size; j++) value -= matrix[row * size + j] * right[j * columns + k];
      right[row * columns + k] = value / matrix[row * size + row];
    }
  }
}

function swapRows(matrix: Float64Array, width: number, a: number, b: number): void {
  for (let k = 0; k < width; k++) {
    const kept = matrix[a * width + k];
    matrix[a * width + k] = matrix[b * width + k];
    matrix[b * width + k] = kept;
  }
}
