import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { glorotUniform } from "../../src/nn/initialise.ts";
import { type Activation, Mlp } from "../../src/nn/mlp.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertMeanIs } from "../support/statistics.ts";

const sizes = { name: "net", inputs: 2, hidden: [2], outputs: 1, seed: 1 };

function apply(mlp: Mlp, x: number[]): number[] {
  const at = input(new Graph(), "x", 2);
  return [...evaluateReference([mlp.apply(at)], [Float64Array.from(x)], x.length / 2)[0]];
}

Deno.test("Mlp: layers are affine with the activation between them and none at the end", () => {
  const functions: Record<Activation, (x: number) => number> = {
    tanh: Math.tanh,
    relu: (x) => Math.max(x, 0),
    silu: (x) => x / (1 + Math.exp(-x)),
  };
  for (const [activation, f] of Object.entries(functions) as [Activation, (x: number) => number][]) {
    const mlp = new Mlp({ ...sizes, activation });
    const [weight0, bias0, weight1, bias1] = mlp.parameters();
    weight0.set([1, 2, -3, 4]);
    bias0.set([0.5, -0.5]);
    weight1.set([10, 100]);
    bias1.set([-7]);

    const expected = ([x, y]: number[]) => 10 * f(x + 2 * y + 0.5) + 100 * f(-3 * x + 4 * y - 0.5) - 7;
    assertClose(apply(mlp, [0.25, -0.5, 1, 2]), [expected([0.25, -0.5]), expected([1, 2])], { relative: 1e-14 });
  }
});

Deno.test("Mlp: without biases a network of tanh is odd and has weights alone; with trained ones it is not", () => {
  const mlp = new Mlp({ ...sizes, hidden: [5, 4], biases: false });
  assertEquals(mlp.parameters().map(({ name }) => name), ["net.0.weight", "net.1.weight", "net.2.weight"]);
  // In kernels to the last bit; the float64 tanh rounds differently on either side.
  assertClose(apply(mlp, [0.25, -0.5]), apply(mlp, [-0.25, 0.5]).map((y) => -y), { absolute: 1e-14 });
  const trained = new Mlp({ ...sizes, hidden: [5, 4] });
  trained.parameters()[1].set([1, 2, 3, 4, 5]);
  assert(Math.abs(apply(trained, [0.25, -0.5])[0] + apply(trained, [-0.25, 0.5])[0]) > 0.1);
});

Deno.test("Mlp: names and shapes of parameters, first layer first", () => {
  const parameters = new Mlp({ ...sizes, hidden: [5, 4] }).parameters();

  assertEquals(parameters.map(({ name, shape }) => [name, ...shape]), [
    ["net.0.weight", 5, 2],
    ["net.0.bias", 5],
    ["net.1.weight", 4, 5],
    ["net.1.bias", 4],
    ["net.2.weight", 1, 4],
    ["net.2.bias", 1],
  ]);
});

Deno.test("Mlp: a last layer of zeros makes the constant 0, the other layers start as usual", () => {
  const mlp = new Mlp({ ...sizes, lastLayer: "zero" });

  assertEquals(apply(mlp, [1, 2, -3, 4]), [0, 0]);
  assert(mlp.parameters()[0].values().every((w) => w !== 0));
  assertNotEquals(apply(new Mlp(sizes), [1, 2]), [0]);
});

Deno.test("Mlp refuses sizes that are not whole numbers ≥ 1", () => {
  assertThrows(
    () => new Mlp({ ...sizes, hidden: [2.5] }),
    RangeError,
    "Cannot make the network net: hidden[0] must be a whole number ≥ 1, got 2.5",
  );
});

Deno.test("glorotUniform() fills ±√(6 / (rows + columns)) evenly", () => {
  const [rows, columns] = [80, 120];
  const limit = Math.sqrt(6 / 200);
  const weights = glorotUniform(rows, columns, 1, "w");

  assert(weights.every((w) => Math.abs(w) <= limit));
  assert(Math.max(...weights) > 0.99 * limit && Math.min(...weights) < -0.99 * limit);
  assertMeanIs(weights, 0, "mean");
  assertMeanIs(weights.map((w) => w * w), limit * limit / 3, "variance");
});

Deno.test("glorotUniform() depends on the seed and the name alone", () => {
  assertEquals(glorotUniform(2, 3, 1, "a"), glorotUniform(2, 3, 1, "a"));
  assertNotEquals(glorotUniform(2, 3, 1, "a"), glorotUniform(2, 3, 1, "b"));
  assertNotEquals(glorotUniform(2, 3, 1, "a"), glorotUniform(2, 3, 2, "a"));
});
