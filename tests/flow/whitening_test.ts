import { assertAlmostEquals, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { symmetricEigen } from "../../src/flow/symmetric_eigen.ts";
import { Whitening } from "../../src/flow/whitening.ts";
import { assertClose } from "../support/assert_close.ts";
import { apply } from "../support/laws.ts";
import { normals } from "../support/random_arrays.ts";
import { correlatedData } from "./bijector_examples.ts";

const dim = 5;
const n = 400;
const data = correlatedData(n, dim);

/** Mean and covariance of rows. */
function moments(rows: Float64Array): { mean: number[]; covariance: number[] } {
  const count = rows.length / dim;
  const mean = Array.from({ length: dim }, (_, j) => rows.reduce((s, v, i) => i % dim === j ? s + v / count : s, 0));
  const covariance = Array.from({ length: dim * dim }, (_, k) => {
    const [a, b] = [Math.floor(k / dim), k % dim];
    let sum = 0;
    for (let i = 0; i < count; i++) sum += (rows[i * dim + a] - mean[a]) * (rows[i * dim + b] - mean[b]);
    return sum / (count - 1);
  });
  return { mean, covariance };
}

const unit = Array.from({ length: dim * dim }, (_, k) => k % (dim + 1) === 0 ? 1 : 0);

Deno.test("Whitening.fit() takes its data to mean 0 and covariance 1", () => {
  const { mean, covariance } = moments(apply(Whitening.fit(data, dim), "inverse", data).value);

  // Weights are float32: 2⁻²⁴ relative, times the size of the data over their width, about 10.
  assertClose(mean, new Array(dim).fill(0), { absolute: 2e-6 });
  assertClose(covariance, unit, { absolute: 2e-6 });
});

Deno.test("Whitening.fit() with groups whitens each group for itself, in the places of its coordinates", () => {
  const groups = [[4, 0], [1, 2, 3]];
  const { covariance } = moments(apply(Whitening.fit(data, dim, { groups }), "inverse", data).value);
  const groupOf = (j: number) => groups.findIndex((group) => group.includes(j));

  let between = 0;
  covariance.forEach((value, k) => {
    const [a, b] = [Math.floor(k / dim), k % dim];
    if (groupOf(a) === groupOf(b)) assertAlmostEquals(value, unit[k], 2e-6, `covariance ${a}, ${b}`);
    else between = Math.max(between, Math.abs(value));
  });
  // What is correlated between groups stays so: this is what tells it from whitening all at once.
  assertEquals(between > 0.1, true);
});

Deno.test("Whitening.fit(): the first coordinate of z is the direction of largest variance", () => {
  const stretched = normals(2 * 1000, 9).map((v, i) => (i % 2 === 0 ? 1 : 7) * v);
  const { value } = apply(Whitening.fit(stretched, 2), "forward", Float64Array.of(1, 0));
  const mean = apply(Whitening.fit(stretched, 2), "forward", Float64Array.of(0, 0)).value;

  // One standard deviation of z₀ is seven of the second coordinate; sampling errs by 1/√2000 = 2 %.
  assertClose(value[1] - mean[1], 7, { relative: 0.1 });
  assertClose(value[0] - mean[0], 0, { absolute: 0.5 });
});

Deno.test("Whitening: the log-determinant is the sum of the logarithms of the standard deviations", () => {
  const { covariance } = moments(data);
  const { values } = symmetricEigen(Float64Array.from(covariance), dim);
  const expected = values.reduce((sum, variance) => sum + 0.5 * Math.log(variance), 0);

  const whitening = Whitening.fit(data, dim);

  // Kept as two float32 numbers: 2⁻⁴⁸ relative.
  assertClose(apply(whitening, "forward", data).logDet, new Array(n).fill(expected), { absolute: 1e-12 });
  assertClose(apply(whitening, "inverse", data).logDet, new Array(n).fill(-expected), { absolute: 1e-12 });
});

Deno.test("Whitening.identity() is the identity", () => {
  const { value, logDet } = apply(Whitening.identity(dim), "forward", data);

  assertEquals(value, data);
  assertEquals([...logDet], new Array(n).fill(0));
});

Deno.test("Whitening has nothing that training changes", () => {
  assertEquals(Whitening.fit(data, dim).parameters().some((parameter) => parameter.trainable), false);
});

Deno.test("Whitening.fit() refuses too few rows, directions without variance and incomplete groups", () => {
  assertThrows(
    () => Whitening.fit(data.subarray(0, 5 * dim), dim),
    RangeError,
    "Cannot fit a whitening: data must hold more than 5 rows of 5, got 5 rows",
  );
  const flat = data.map((v, i) => i % dim === 2 ? 1 : v);
  assertThrows(
    () => Whitening.fit(flat, dim),
    RangeError,
    "Cannot fit a whitening: data must vary in every direction, got variance",
  );
  for (const groups of [[[0, 1], [3, 4]], [[0, 1, 2, 3, 4, 4]], [[0, 1, 2, 3, 5]]]) {
    assertThrows(
      () => Whitening.fit(data, dim, { groups }),
      RangeError,
      `Cannot fit a whitening: groups must hold each coordinate from 0 to 4 once, got [${groups.flat()}]`,
    );
  }
});

Deno.test("symmetricEigen(): A v = λ v, vectors orthonormal, values descending, for sizes 1 to 12", () => {
  for (const d of [1, 2, 3, 7, 12]) {
    const noise = normals(d * d, d);
    const matrix = noise.map((v, k) => v + noise[(k % d) * d + Math.floor(k / d)]);

    const { values, vectors } = symmetricEigen(matrix, d);

    for (let a = 0; a < d; a++) {
      const v = vectors.subarray(a * d, (a + 1) * d);
      const product = Array.from({ length: d }, (_, i) => v.reduce((s, x, j) => s + matrix[i * d + j] * x, 0));
      assertClose(product, v.map((x) => values[a] * x), { absolute: 1e-12 }, `d ${d}, vector ${a}`);
      for (let b = 0; b < d; b++) {
        const dot = v.reduce((s, x, j) => s + x * vectors[b * d + j], 0);
        assertClose(dot, a === b ? 1 : 0, { absolute: 1e-13 }, `d ${d}, vectors ${a} and ${b}`);
      }
    }
    assertEquals([...values], [...values].sort((x, y) => y - x));
  }
});

Deno.test("symmetricEigen(): known values, also degenerate ones", () => {
  const close = (matrix: number[], d: number, expected: number[]) =>
    assertClose(symmetricEigen(Float64Array.from(matrix), d).values, expected, { absolute: 1e-14 });
  close([2, 1, 1, 2], 2, [3, 1]);
  close([5, 0, 0, 0, 5, 0, 0, 0, 5], 3, [5, 5, 5]);
  close([0, 0, 0, 0], 2, [0, 0]);
  close([1, 1, 1, 1, 1, 1, 1, 1, 1], 3, [3, 0, 0]);
});

Deno.test("Whitening.fit() refuses data that float32 cannot tell apart, and says what to do", () => {
  const data = (centre: number) => correlatedData(100, 2).map((v) => centre + 0.01 * v);
  Whitening.fit(data(10), 2);
  const { message } = assertThrows(() => Whitening.fit(data(1e6), 2), RangeError);
  assertMatch(
    message,
    /^Cannot fit a whitening: data must vary by more than float32 tells apart, got component \d at \d+ deviations/,
  );
  assertMatch(message, /: subtract the mean of each coordinate, and add it to the samples$/);
});
