import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { column, input } from "../../src/graph/operations.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import {
  reactionCoordinateLoss,
  reactionCoordinateOperation,
  type ReactionCoordinateOptions,
} from "../../src/loss/reaction_coordinate.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals, uniforms } from "../support/random_arrays.ts";
import { assertVjpIsDerivative } from "../support/vjp_law.ts";

const bounds = [0.5, 2.5] as const;
const forms = ["flat", "entropy"] as const;

function value(r: Float64Array, options: ReactionCoordinateOptions): number {
  return reactionCoordinateOperation(options).forward([r], r.length).value[0];
}

/** The published formula, written down one centre and one sample at a time. */
function published(r: readonly number[], [low, high]: readonly [number, number], form: "flat" | "entropy"): number {
  const centres = Array.from({ length: 11 }, (_, k) => low + (high - low) * k / 10);
  const deviation = (high - low) / 11;
  const kernel = (x: number, centre: number) => Math.exp(-((x - centre) ** 2) / (2 * deviation ** 2)) + 1e-6;
  const density = centres.map((centre) => {
    const shares = r.map((x) => kernel(x, centre) / centres.map((other) => kernel(x, other)).reduce((a, b) => a + b));
    return shares.reduce((a, b) => a + b) / r.length;
  });
  const terms = density.map((p) => form === "flat" ? -Math.log(p) : p * Math.log(p));
  return terms.reduce((a, b) => a + b);
}

Deno.test("the reaction-coordinate loss is the published formula, in both forms and for several bounds", () => {
  for (const form of forms) {
    for (const range of [bounds, [-3, 1], [0, 100]] as const) {
      const r = normals(57, 1).map((v) => (range[0] + range[1]) / 2 + 0.4 * (range[1] - range[0]) * v);

      assertClose(value(r, { bounds: range, form }), published([...r], range, form), { relative: 1e-13 });
    }
  }
});

Deno.test("the default form is flat", () => {
  const r = uniforms(20, 1, ...bounds);
  assertEquals(value(r, { bounds }), value(r, { bounds, form: "flat" }));
});

Deno.test("the minimum of the flat form is 11 ln 11 = 26.377, that of the entropy form −ln 11, at a flat density", () => {
  // Kernels of samples far out of bounds are all the floor, 1e-6: their rows are flat.
  const flat = Float64Array.of(1e3, -1e3);
  assertClose(value(flat, { bounds }), 11 * Math.log(11), { relative: 1e-14 });
  assertClose(value(flat, { bounds }), 26.377, { absolute: 5e-4 });
  assertClose(value(flat, { bounds, form: "entropy" }), -Math.log(11), { relative: 1e-14 });
  for (let seed = 0; seed < 20; seed++) {
    const r = normals(30, seed, 0.5).map((v) => v + 1.5);
    assert(value(r, { bounds }) > 11 * Math.log(11) + 1e-3);
    assert(value(r, { bounds, form: "entropy" }) > -Math.log(11) + 1e-4);
  }
});

Deno.test("samples in one place cost more than samples spread over the range", () => {
  const spread = Float64Array.from({ length: 110 }, (_, i) => bounds[0] + 2 * (i + 0.5) / 110);
  for (const form of forms) {
    assert(value(new Float64Array(110).fill(0.6), { bounds, form }) > value(spread, { bounds, form }));
  }
  // Evenly spread samples are nearly flat: the last centres lie at the bounds and get less.
  assertClose(value(spread, { bounds }), 11 * Math.log(11), { absolute: 0.5 });
});

Deno.test("the vjp is the derivative of the value in both forms, inside and outside the bounds", () => {
  for (const form of forms) {
    for (const n of [1, 2, 9]) {
      const operation = reactionCoordinateOperation({ bounds, form });
      const r = uniforms(n, 3 + n, 0.1, 2.9);
      assertVjpIsDerivative(primitives.external, {
        inputs: [r],
        shapes: [["n"]],
        shape: [],
        attributes: { operation },
        n,
      });
    }
  }
});

Deno.test("descending the gradient spreads samples that all start on one side", () => {
  const operation = reactionCoordinateOperation({ bounds });
  let r = uniforms(60, 5, 0.6, 1.0);
  const start = value(r, { bounds });
  for (let step = 0; step < 400; step++) {
    const { saved } = operation.forward([r], 60);
    const [gradient] = operation.vjp(Float64Array.of(1), [r], saved, 60);
    r = r.map((v, i) => v - 0.02 * Math.max(-1, Math.min(1, gradient![i])));
  }

  assert(start > 60, "the start is bad");
  assertClose(value(r, { bounds }), 11 * Math.log(11), { absolute: 0.5 });
});

Deno.test("reactionCoordinateLoss() of a column of a graph", () => {
  const x = input(new Graph(), "x", 2);
  const loss = reactionCoordinateLoss(column(x, 1), reactionCoordinateOperation({ bounds }));
  const rows = uniforms(40, 6, ...bounds);

  const [actual] = evaluateReference([loss], [rows], 20);

  assertEquals(actual[0], value(rows.filter((_, i) => i % 2 === 1), { bounds }));
});

Deno.test("reactionCoordinateOperation() refuses bounds that do not increase", () => {
  for (const wrong of [[1, 1], [2, 1], [NaN, 1], [0, Infinity]] as const) {
    assertThrows(
      () => reactionCoordinateOperation({ bounds: wrong }),
      RangeError,
      `Cannot make a reaction-coordinate loss: bounds must be two increasing numbers, got [${wrong.join(", ")}]`,
    );
  }
});

Deno.test("reaction coordinates that are no numbers are refused, for a kernel is zero at them and the loss finite", () => {
  const operation = reactionCoordinateOperation({ bounds: [0, 1] });
  for (const bad of [NaN, Infinity, -Infinity]) {
    const { message } = assertThrows(() => operation.forward([Float64Array.of(0.5, bad, 0.2, bad)], 4), NotFiniteError);
    assertEquals(
      message,
      "the coordinates of the reaction-coordinate loss must be finite, got 2 of 4 that are not, the first with index 1: " +
        "lower the learning rate, clip gradients or weigh this loss less",
    );
  }
  // 1e30 is a number: its kernels are zero, and so is its gradient.
  const r = Float64Array.of(0.5, 1e30);
  const { value, saved } = operation.forward([r], 2);
  const [gradient] = operation.vjp(Float64Array.of(1), [r], saved, 2);
  assertEquals([Number.isFinite(value[0]), gradient![1]], [true, 0]);
});
