import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { checkGradient } from "../../src/autodiff/check_gradient.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { valueAndGradient } from "../../src/autodiff/gradient.ts";
import * as op from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { ExternalOperation } from "../../src/graph/attributes.ts";
import { allocatedBytes } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { assertClose } from "../support/assert_close.ts";

await loadKernels();

/** The double well x⁴ − 6 x² + x + y²/2. */
function doubleWell(at: Tensor): Tensor {
  const [x, y] = [op.column(at, 0), op.column(at, 1)];
  return op.add(op.subtract(op.power(x, 4), op.multiply(op.square(x), 6)), op.add(x, op.multiply(op.square(y), 0.5)));
}

Deno.test("valueAndGradient() of a column gives each sample its own value and gradient, for changing n", () => {
  const f = valueAndGradient(doubleWell, 2);
  for (const n of [1, 3, 70, 3]) {
    // Coordinates that float32 holds exactly, so that the input carries no rounding of its own.
    const at = Float64Array.from({ length: 2 * n }, (_, i) => (i % 9 - 4) / 4);

    const { value, gradient, parameters } = f(at);

    const points = Array.from({ length: n }, (_, i) => [at[2 * i], at[2 * i + 1]]);
    // Values are float64 all through; gradients pass through one float32 number.
    assertClose(value, points.map(([x, y]) => x ** 4 - 6 * x * x + x + y * y / 2), { absolute: 1e-14 });
    assertClose(gradient, points.flatMap(([x, y]) => [4 * x ** 3 - 12 * x + 1, y]), { relative: 2 ** -24 });
    assertEquals(parameters.size, 0);
  }
});

Deno.test("valueAndGradient() of a scalar has one value, and gradients by trainable parameters", () => {
  const weight = new Parameter("w", [1, 2], [2, -1]);
  const bias = new Parameter("b", [1], [0.5], { trainable: false });
  const f = valueAndGradient((x) => op.mean(op.sumFeatures(op.square(op.linear(x, weight, bias)))), 2);

  const { value, gradient, parameters } = f(Float64Array.of(1, 1, 0, 2));

  // Residuals 1.5 and −1.5; mean of squares 2.25; derivative by w: mean of 2 r x.
  assertEquals([...value], [2.25]);
  assertEquals([...gradient], [3, -1.5, -3, 1.5]);
  assertEquals([...parameters].map(([p, g]) => [p.name, ...g]), [["w", 1.5, -1.5]]);
});

Deno.test("valueAndGradient() frees the memory of one number of samples before it takes that of another", () => {
  const f = valueAndGradient(doubleWell, 2);
  f(new Float64Array(2 * 300));
  const before = allocatedBytes();

  for (let k = 0; k < 5; k++) [299, 300].forEach((n) => f(new Float64Array(2 * n)));

  assertEquals(allocatedBytes(), before);
});

Deno.test("valueAndGradient() refuses a function that returns a batch, and rows that are not whole", () => {
  assertThrows(
    () => valueAndGradient((x) => op.tanh(x), 2),
    TypeError,
    "Cannot differentiate f: it must return a column or a scalar, got [n, 2]",
  );
  const f = valueAndGradient(doubleWell, 2);
  for (const length of [0, 3]) {
    assertThrows(
      () => f(new Float64Array(length)),
      RangeError,
      `Cannot read a batch: x must hold a whole number ≥ 1 of rows of 2, got length ${length}`,
    );
  }
});

/** x ↦ Σ x³ over a row, with a derivative that is wrong by a factor. */
function cubes(factor: number): ExternalOperation {
  return {
    name: "cubes",
    forward: ([x], n) => ({
      value: Float64Array.from({ length: n }, (_, i) => x[2 * i] ** 3 + x[2 * i + 1] ** 3),
      saved: null,
    }),
    vjp: ([...c], [x]) => [x.map((v, i) => factor * 3 * v * v * c[Math.floor(i / 2)])],
  };
}

Deno.test("checkGradient() is small for right derivatives and large for wrong ones", () => {
  const x = Float64Array.of(0.3, -1.2, 0.7, 2);
  const error = (factor: number) => checkGradient((at) => op.external(cubes(factor), [at], ["n"]), x, 2);

  assertLess(checkGradient(doubleWell, x, 2), 1e-7);
  assertLess(error(1), 1e-7);
  assertGreater(error(1.001), 5e-4);
  assertGreater(error(-1), 0.5);
  assertGreater(error(0), 0.5);
});

Deno.test("checkGradient() is not a number where a derivative is not, wherever that is", () => {
  for (const wrong of [0, 1, 3]) {
    const operation: ExternalOperation = {
      ...cubes(1),
      vjp: (c, inputs, saved, n) => cubes(1).vjp(c, inputs, saved, n).map((g) => g!.with(wrong, NaN)),
    };
    const error = checkGradient((at) => op.external(operation, [at], ["n"]), Float64Array.of(1, 2, 3, 4), 2);
    assert(Number.isNaN(error), `element ${wrong}`);
  }
});
