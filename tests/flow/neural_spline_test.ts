import { assert, assertEquals, assertThrows } from "@std/assert";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { NeuralSpline, type NeuralSplineOptions } from "../../src/flow/neural_spline.ts";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { maximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { train } from "../../src/training/train.ts";
import { assertClose } from "../support/assert_close.ts";
import { logDetFaults } from "../support/broken.ts";
import { apply, assertIntegratesToOne } from "../support/laws.ts";
import { normals } from "../support/random_arrays.ts";
import { mean as average } from "../support/statistics.ts";
import { neuralSpline } from "./bijector_examples.ts";

await loadKernels();

Deno.test("NeuralSpline starts as the identity", () => {
  const points = normals(40, 3, 4);
  for (const direction of ["forward", "inverse"] as const) {
    const { value, logDet } = apply(new NeuralSpline({ dim: 5, hidden: [7] }), direction, points);
    assertClose(value, points, { absolute: 1e-13 });
    assertClose(logDet, logDet.map(() => 0), { absolute: 1e-13 });
  }
});

/**
 * The trapezoid rule on a grid of step h = 0.05 errs by h²/12 times the jumps of derivatives on the lines of knots, about 1
 * in all: 2e-4.
 */
const KINKS = 2e-4;

Deno.test("the density of a NeuralSpline integrates to one, as far as a plain grid shows, and a spoilt one does not", () => {
  const options = { dim: 2, blocks: 1, bins: 5, bound: 2.5 };
  assertIntegratesToOne(neuralSpline(options), KINKS);
  const doubled = logDetFaults["log-det doubled"](neuralSpline(options));
  assertThrows(() => assertIntegratesToOne(doubled, KINKS), Error, "integral of the density");
});

Deno.test("coordinates at the bound, far outside, at 1e30 and at 0 stay finite, with finite derivatives", () => {
  const flow = neuralSpline({ dim: 3, bound: 3 });
  const places = [0, 1.5, 3, -3, 3.0000002384185791, -2.9999997615814209, 100, 1e30, -1e30];
  const points = Float64Array.from(places.flatMap((a) => places.flatMap((b) => places.flatMap((c) => [a, b, c]))));
  const n = points.length / 3;
  for (const direction of ["forward", "inverse"] as const) {
    const from = input(new Graph(), "from", 3);
    const outputs = Object.values(direction === "forward" ? flow.forward(from) : flow.inverse(from));
    using run = new KernelRun(outputs, { n, gradient: true, inputGradients: true });
    const results = [...run.forward([points]), ...run.backward([new Float64Array(3 * n).fill(1), new Float64Array(n)])];
    const [value] = results;

    for (const numbers of results) assert(numbers.every((v) => Number.isFinite(v)), direction);
    points.forEach((x, i) => assert(Math.abs(x) < 3 ? Math.abs(value[i]) <= 3 : value[i] === Math.fround(x)));
  }
});

/** Two modes along x₀, each a piece of a parabola in x₁. */
function twoModes(n: number, seed: number): Float64Array {
  const random = new RandomStream(seed, 5);
  const points = normals(2 * n, seed);
  for (let i = 0; i < 2 * n; i += 2) {
    points[i] = (random.uniform() < 0.5 ? -2 : 2) + 0.3 * points[i];
    points[i + 1] = 0.4 * points[i + 1] + points[i] * points[i] / 4 - 1;
  }
  return points;
}

/** ln 2 of the modes, whose overlap is 1e-10, and those of the two normal densities of widths 0.3 and 0.4. */
const entropy = Math.LN2 + Math.log(0.3 * 0.4) + 1 + Math.log(2 * Math.PI);

Deno.test("one block of splines learns two bent modes to within 0.05 nats of their entropy", async () => {
  const flow = new Flow(new NeuralSpline({ dim: 2, blocks: 1, hidden: [16], bins: 8, bound: 4 }));
  const fresh = twoModes(20_000, 7);
  const excess = () => -average(flow.logProb(fresh)) - entropy;
  const start = excess();

  await train({
    parameters: flow.parameters(),
    stages: [{ name: "fit", steps: 400, batch: 512, learningRate: { shape: "cosine", initial: 0.02 } }],
    objective: (graph, { batch }) => {
      const loss = maximumLikelihoodLoss(flow, input(graph, "x", 2));
      return { loss, metrics: {}, batch: (step) => [twoModes(batch, 1000 + step)] };
    },
  });

  assert(start > 2, `${start} at the start`);
  // The mean of 20 000 log-densities of variance 1 has standard error 0.007; what eight bins cannot bend costs 0.02.
  assertClose(excess(), 0, { absolute: 4 * 0.007 + 0.022 });
});

Deno.test("the same seed gives the same networks, another seed and another name others", () => {
  const numbers = (options: Partial<NeuralSplineOptions>) =>
    new NeuralSpline({ dim: 4, hidden: [5], blocks: 1, ...options }).parameters().flatMap((p) => [...p.values()]);

  assertEquals(numbers({ seed: 3 }), numbers({ seed: 3 }));
  for (const other of [{ seed: 4 }, { seed: 3, name: "a" }]) {
    assert(numbers({ seed: 3 }).some((v, i) => v !== numbers(other)[i]));
  }
});

Deno.test("NeuralSpline refuses impossible sizes and limits", () => {
  const messages: [NeuralSplineOptions, string][] = [
    [{ dim: 1 }, "Cannot make a neural spline: dim must be a whole number ≥ 2, got 1"],
    [{ dim: 2, blocks: 0 }, "Cannot make a neural spline: blocks must be a whole number ≥ 1, got 0"],
    [{ dim: 2, bins: 1 }, "Cannot make a neural spline: bins must be a whole number ≥ 2, got 1"],
    [{ dim: 2, bound: Infinity }, "Cannot make a neural spline: bound must be from 0.000001 to 1000000, got Infinity"],
    [
      { dim: 2, bins: 4, minimumHeight: 0.25 },
      "Cannot make a neural spline: minimumHeight must be from 0.000001 to below 1/4, got 0.25",
    ],
    [{ dim: 2, minimumSlope: 0 }, "Cannot make a neural spline: minimumSlope must be from 0.000001 to below 1, got 0"],
  ];
  messages.forEach(([options, message]) => assertThrows(() => new NeuralSpline(options), RangeError, message));
});
