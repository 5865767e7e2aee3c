/**
 * Plans as they are written and read: nothing is lost between.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Graph } from "../../src/graph/graph.ts";
import { external, gather, input } from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { tiltedLogProb } from "../../src/graph/tilted_operations.ts";
import { decodePlan } from "../../src/sampler/decode_plan.ts";
import { encodePlan, planEntry } from "../../src/sampler/encode_plan.ts";
import { bijectorExamples } from "../flow/bijector_examples.ts";
import { directions } from "./file_laws.ts";

await loadKernels();

Deno.test("a plan that is read and written again is the same, for every bijector and both ways", () => {
  for (const { make } of Object.values(bijectorExamples)) {
    const bijector = make();
    const parameters = new Map(bijector.parameters().map((parameter) => [parameter.name, parameter]));
    for (const goes of Object.values(directions)) {
      const { value, logDet } = goes(bijector, input(new Graph(), "from", bijector.dim));
      const text = encodePlan([value, logDet]);

      const { outputs, dim } = decodePlan(text, bijector.dim, (name) => parameters.get(name)!);

      assertEquals(encodePlan(outputs), text);
      assertEquals(dim, bijector.dim);
    }
  }
});

Deno.test("encodePlan() leaves out what outputs do not need, and refuses what is written in TypeScript", () => {
  const graph = new Graph();
  const x = input(graph, "x", 2);
  gather(x, [0]);
  const y = gather(x, [1]);
  const spring = { name: "spring", forward: () => ({ value: new Float64Array(), saved: null }), vjp: () => [null] };

  assertEquals(JSON.parse(encodePlan([y])).steps, [["input", [], "x"], ["gather", [0], { indices: [1] }]]);
  assertEquals(
    assertThrows(() => encodePlan([external(spring, [x], ["n"])]), TypeError).message,
    "Cannot record a plan: every operation must be a primitive, got an external operation",
  );
});

Deno.test("planEntry() writes equal tables once, and no plan that files could not hold", () => {
  const graph = new Graph();
  const z = input(graph, "z", 2);
  const [coefficients, scale] = [gather(z, [0]), gather(z, [1])];
  const knots = new Parameter("knots", [2, 129], new Float64Array(258).map((_, i) => i % 129), { trainable: false });
  const density = (values: Float32Array) => {
    const tilt = {
      spatialDim: 1,
      basis: 1,
      fine: 9,
      coarse: 9,
      tailRate: 100,
      pairs: [0],
      tables: [{ cutoffSquared: 1, values }],
    } as const;
    return tiltedLogProb(coefficients, scale, { scale, knots, neighbours: scale, tilt });
  };
  const pair = [density(Float32Array.of(1, 2, 0)), density(Float32Array.of(1, 2, 0))];
  const other = density(Float32Array.of(1, 3, 0));
  const tablesOf = (entry: Readonly<Record<string, string>>) => JSON.parse(entry.plan).tables.length;

  assertEquals(tablesOf(planEntry(pair)), 1);
  assertEquals(tablesOf(planEntry([...pair, other])), 2);
  // 3 · 2^19 numbers in base64 are 2^23 characters, the most that an entry holds; something else is in the plan too.
  const large = [1, 2, 3].map((k) => density(new Float32Array(2 ** 19).fill(k)));
  assertEquals(tablesOf(planEntry(large.slice(1))), 2);
  assertEquals(planEntry(large), {});
});
