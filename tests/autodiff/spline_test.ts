import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { column, input } from "../../src/graph/operations.ts";
import { splineFeatures } from "../../src/graph/spline_features.ts";
import { splineCoupling } from "../../src/graph/spline_operations.ts";
import { RationalQuadratic } from "../../src/autodiff/primitives/rational_quadratic.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { assertClose } from "../support/assert_close.ts";
import { vjpFaults, withBrokenVjp } from "../support/broken.ts";
import { uniforms } from "../support/random_arrays.ts";
import {
  sizes,
  splineEvaluation,
  splineExample,
  splineKnots,
  splinePlaces,
  splineSize,
  spreads,
} from "../support/spline_examples.ts";
import { assertVjpIsDerivative } from "../support/vjp_law.ts";

const names = ["splineForward", "splineInverse"] as const;

type Evaluate = RationalQuadratic["evaluate"];
/** Makes an evaluation of the spline of some features. */
type Make = (...args: ConstructorParameters<typeof RationalQuadratic>) => Evaluate;
const right: Make = (...args) => {
  const spline = new RationalQuadratic(...args);
  return (direction, at) => spline.evaluate(direction, at);
};

/** Splines of each size and spread. */
function* examples(count = 20) {
  for (const size of sizes) {
    const width = splineFeatures(size.bins);
    for (const spread of spreads) {
      const all = splineExample(size, count, 1, spread, 11);
      for (let i = 0; i < count; i++) {
        const features = all.slice(i * width, (i + 1) * width);
        yield { size, features, knots: splineKnots(size, features), what: `${size.bins} bins, ${spread}, ${i}` };
      }
    }
  }
}

/** Values at knots are knots, slopes there those of the features, and 1 at both ends. */
function assertMeetsKnots(make: Make): void {
  for (const { size, features, knots, what } of examples()) {
    const spline = make(size, features);
    const inner = features.subarray(2 * size.bins);
    knots.x.forEach((x, k) => {
      const c = k === 0 || k === size.bins ? 0 : inner[k - 1];
      const slope = 1e-3 + (1 - 1e-3) * Math.log1p(Math.exp(c + Math.log(Math.E - 1)));
      const { value, logSlope } = spline("forward", x);
      assertClose(value, knots.y[k], { absolute: 1e-11 }, what);
      // The knots of the test are rounded apart from those of the spline, by 2e-15, and ln f′ changes by up to 2s/(δw) = 3e8
      // per unit where a steep bin begins flat.
      assertClose(logSlope, Math.log(slope), { absolute: 1e-6 }, what);
    });
  }
}

/** The integral of f′ over each bin, by Simpson's rule in ever finer pieces next to steep ends, is the bin's height. */
function assertSlopeIsDerivative(make: Make): void {
  for (const size of sizes) {
    const features = splineExample(size, 10, 1, 0.5, 12);
    const spline = make(size, features.subarray(0, splineFeatures(size.bins)));
    const knots = splineKnots(size, features);
    for (let k = 0; k < size.bins; k++) {
      const [from, to] = [knots.x[k], knots.x[k + 1]];
      const steps = 400;
      let sum = 0;
      for (let i = 0; i <= steps; i++) {
        const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
        sum += weight * Math.exp(spline("forward", from + (to - from) * i / steps).logSlope);
      }
      assertClose(sum * (to - from) / (3 * steps), knots.y[k + 1] - knots.y[k], { absolute: 1e-8 }, `bin ${k}`);
    }
  }
}

/**
 * Either way and back, also where slopes are 1e-6 or 1e6: x errs by 1e-14 and y by f′ of that, and the logarithm of the
 * slope by as much as it changes within that error.
 */
function assertRoundTrips(make: Make): void {
  for (const { size, features, knots, what } of examples()) {
    const spline = make(size, features);
    const places = [...knots.x, ...knots.x.map((x, k) => (x + knots.x[Math.max(k - 1, 0)]) / 2)];
    for (const [there, back] of [["forward", "inverse"], ["inverse", "forward"]] as const) {
      for (const at of [...places, ...uniforms(20, 5, -1.5 * size.bound, 1.5 * size.bound)]) {
        const { value, logSlope } = spline(there, at);
        const again = spline(back, value);
        const reach = 1e-14 * (10 + Math.exp(again.logSlope));
        assertClose(again.value, at, { absolute: reach }, `${there} at ${at}, ${what}`);
        const changes = [-reach, reach].map((step) => Math.abs(spline(there, at + step).logSlope - logSlope));
        const allowed = 1e-13 + Math.max(...changes);
        assertClose(again.logSlope, -logSlope, { absolute: allowed }, `slope ${there} at ${at}, ${what}`);
      }
    }
  }
}

Deno.test("a spline meets its knots with the slopes of its features", () => assertMeetsKnots(right));

Deno.test("the slope of a spline integrates to the height of each bin", () => assertSlopeIsDerivative(right));

Deno.test("a spline and its inverse undo each other, also at knots and where it is steep or flat", () =>
  assertRoundTrips(right));

Deno.test("the laws of splines reject spoilt values, slopes and inverses", () => {
  const spoil = (change: Partial<Record<"value" | "logSlope", number>>, only?: string): Make => (...args) => {
    const good = right(...args);
    return (direction, at) => {
      const { value, logSlope } = good(direction, at);
      if (only !== undefined && only !== direction) return { value, logSlope };
      return { value: value + (change.value ?? 0), logSlope: logSlope + (change.logSlope ?? 0) };
    };
  };

  assertThrows(() => assertMeetsKnots(spoil({ value: 1e-9 })), Error, "differs by");
  assertThrows(() => assertMeetsKnots(spoil({ logSlope: 1e-5 })), Error, "differs by");
  assertThrows(() => assertSlopeIsDerivative(spoil({ logSlope: 1e-6 })), Error, "differs by");
  assertThrows(() => assertRoundTrips(spoil({ value: 1e-9 }, "inverse")), Error, "differs by");
  assertThrows(() => assertRoundTrips(spoil({ logSlope: 1e-5 }, "forward")), Error, "differs by");
});

Deno.test("splines rise: where bins are steep, flat and narrow, and across knots", () => {
  for (const { size, features, what } of examples(4)) {
    const spline = right(size, features);
    for (const direction of ["forward", "inverse"] as const) {
      let last = -Infinity;
      for (let i = -1100; i <= 1100; i++) {
        const { value } = spline(direction, size.bound * i / 1000);
        assert(value > last, `${direction} at ${i}, ${what}`);
        last = value;
      }
    }
  }
});

Deno.test("features of 0 are the identity", () => {
  for (const size of sizes) {
    const spline = right(size, new Float64Array(splineFeatures(size.bins)));
    for (const at of uniforms(50, 3, -1.2 * size.bound, 1.2 * size.bound)) {
      for (const direction of ["forward", "inverse"] as const) {
        const { value, logSlope } = spline(direction, at);
        assertClose([value, logSlope], [at, 0], { absolute: 1e-14 * size.bound });
      }
    }
  }
});

Deno.test("at the bound and outside a spline is the identity, to every bit, and its slope continues into it", () => {
  for (const { size, features, what } of examples(4)) {
    const spline = right(size, features);
    for (const direction of ["forward", "inverse"] as const) {
      for (const at of [size.bound, 1.0001 * size.bound, 1e30, Infinity].flatMap((v) => [v, -v])) {
        assertEquals(spline(direction, at), { value: at, logSlope: 0 });
      }
      for (const side of [-1, 1]) {
        const { value, logSlope } = spline(direction, side * size.bound * (1 - 1e-14));
        assertClose(value, side * size.bound, { absolute: 1e-10 }, what);
        assertClose(logSlope, 0, { absolute: 1e-6 }, what);
      }
    }
  }
});

Deno.test("no finite place and no finite features make NaN, and values stay in the box", () => {
  const size = splineSize(4, 2);
  const extremes = [0, -0, 1, -5, 100, -100, 1e30, -1e30, 1e300, -1e300, 5e-324];
  const places = [0, -0, 5e-324, 1e-300, 1, 2, 1.9999999999999998, -2, 2.5, 1e30, -1e300];
  const choose = uniforms(11 * 400, 4, 0, extremes.length - 1e-3).map(Math.floor);
  for (let i = 0; i < 400; i++) {
    const features = choose.subarray(11 * i, 11 * (i + 1)).map((k) => extremes[k]);
    const spline = new RationalQuadratic(size, features);
    const knots = splineKnots(size, features);
    for (const direction of ["forward", "inverse"] as const) {
      for (const at of [...places, ...knots.x, ...knots.y]) {
        const { value, logSlope } = spline.evaluate(direction, at);
        assert(Number.isFinite(value) && Number.isFinite(logSlope), `${direction} of ${features} at ${at}`);
        assert(Math.abs(at) < 2 ? Math.abs(value) <= 2 : value === at);
        const byFeatures = new Float64Array(11);
        const byPlace = spline.backward(direction, at, [1, 1], byFeatures);
        assert([byPlace, ...byFeatures].every(Number.isFinite), `derivative of ${direction} of ${features} at ${at}`);
      }
    }
  }
});

for (const name of names) {
  Deno.test(`${name}: the vjp is the derivative for every size`, () => {
    for (const size of sizes) {
      // Bins wide enough for differences of 1e-5.
      const wide = { ...size, bound: 5 };
      const features = splineExample(wide, 4, 2, 0.3, 8);
      const at = splineEvaluation(name, wide, 2, splinePlaces(name, wide, features), features);

      assertVjpIsDerivative(primitives[name] as never, at as never);
      for (const [fault, spoil] of Object.entries(vjpFaults)) {
        const broken = withBrokenVjp(primitives[name] as never, spoil);
        assertThrows(() => assertVjpIsDerivative(broken, at as never), Error, "difference quotient", fault);
      }
    }
  });

  Deno.test(`${name}: a slope feature above 1000 counts as 1000 and has no derivative`, () => {
    const size = splineSize(3);
    const features = Float64Array.of(0.3, -0.2, 0.1, 0.5, 0, -0.4, 2000, 1);
    const at = splineEvaluation(name, size, 1, Float64Array.of(0.1), features);
    const output = primitives[name].forward(at as never);

    const capped = splineEvaluation(name, size, 1, Float64Array.of(0.1), features.with(6, 1000));
    assertEquals(output, primitives[name].forward(capped as never));
    const [, cotangent] = primitives[name].vjp({ ...at, output } as never, Float64Array.of(1, 1)) as Float64Array[];
    assertEquals(cotangent[6], 0);
    assert(cotangent[7] !== 0);
  });

  Deno.test(`${name}: NaN in gives NaN out, in that coordinate alone`, () => {
    const size = splineSize(2);
    const features = splineExample(size, 3, 2, 0.5);
    const places = uniforms(6, 9, -2.5, 2.5);
    const run = (x: Float64Array, f: Float64Array) =>
      primitives[name].forward(splineEvaluation(name, size, 2, x, f) as never);
    const good = run(places, features);
    // Sample 1, coordinate 1: every feature of two bins matters everywhere.
    const broken = [
      run(places.with(3, NaN), features),
      ...Array.from({ length: 5 }, (_, k) => run(places, features.with(15 + k, NaN))),
    ];
    for (const result of broken) {
      result.forEach((v, i) => assertEquals(v, i === 5 || i === 7 ? NaN : good[i], `element ${i}`));
    }
  });
}

Deno.test("the operation returns the sum of the logarithms of slopes and checks its operands", () => {
  const graph = new Graph();
  const [x, features] = [input(graph, "x", 2), input(graph, "features", 16)];
  const { value, logDet } = splineCoupling("forward", x, features, { bins: 3 });
  const apply = (...args: Partial<Parameters<typeof splineCoupling>>) => () =>
    splineCoupling(args[0] ?? "forward", args[1] ?? x, args[2] ?? features, { bins: 3, ...args[3] });

  assertEquals([value.shape, logDet.shape], [["n", 2], ["n"]]);
  const refusals: [() => unknown, string][] = [
    [
      apply("forward", x, x),
      "Cannot apply a spline: features must be [n, 16] for 3 bins of 2 coordinates, got [n, 2]",
    ],
    [apply("forward", x, features, { bins: 1 }), "Cannot apply a spline: bins must be a whole number ≥ 2, got 1"],
    [
      apply("forward", x, features, { bins: 3, bound: 0 }),
      "Cannot apply a spline: bound must be from 0.000001 to 1000000, got 0",
    ],
    [
      apply("inverse", x, features, { bins: 3, minimumWidth: 0.5 }),
      "Cannot apply a spline: minimumWidth must be from 0.000001 to below 1/3, got 0.5",
    ],
    [
      apply("inverse", x, features, { bins: 3, minimumHeight: NaN }),
      "Cannot apply a spline: minimumHeight must be from 0.000001 to below 1/3, got NaN",
    ],
    [
      apply("inverse", x, features, { bins: 3, minimumSlope: 1 }),
      "Cannot apply a spline: minimumSlope must be from 0.000001 to below 1, got 1",
    ],
  ];
  refusals.forEach(([action, message]) => assertThrows(action, RangeError, message));
  assertThrows(apply("forward", column(x, 0)), TypeError, "Cannot apply a spline: x must be a batch [n, d], got [n]");
});
