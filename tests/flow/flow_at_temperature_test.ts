/** A flow at another temperature, and everything that takes the standard normal for granted. */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { auditFlow } from "../../src/flow/audit_flow.ts";
import { Flow } from "../../src/flow/flow.ts";
import { flowAtTemperature } from "../../src/flow/flow_at_temperature.ts";
import { NormalPrior, type Prior } from "../../src/flow/prior.ts";
import { TemperatureSlice } from "../../src/flow/temperature_slice.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { nice, particleFlow, realNVP } from "./bijector_examples.ts";

await loadKernels();

/** log p_X in float64, as the flow enters it into graphs. */
function logProbOf(flow: Flow, x: Float64Array): Float64Array {
  const [log] = evaluateReference([flow.logProbOf(input(new Graph(), "x", flow.dim))], [x], x.length / flow.dim);
  return log;
}

/** −|z|²/2τ − (dim/2) ln 2πτ + log |det ∂z/∂x|, from the map alone. */
function byHand(flow: Flow, tau: number, x: Float64Array): Float64Array {
  const { z, logDet } = flow.bijector.inverse(input(new Graph(), "x", flow.dim));
  const [points, logs] = evaluateReference([z, logDet], [x], x.length / flow.dim);
  return logs.map((log, i) => {
    const row = points.subarray(i * flow.dim, (i + 1) * flow.dim);
    const square = row.reduce((sum, v) => sum + v * v, 0);
    return log - square / (2 * tau) - flow.dim / 2 * Math.log(2 * Math.PI * tau);
  });
}

Deno.test("flowAtTemperature(): the prior is wider, the map the same, and parameters are shared", () => {
  const flow = new Flow(realNVP({ dim: 3 }));
  const x = normals(30, 4);
  for (const tau of [0.25, 3]) {
    const hot = flowAtTemperature(flow, tau);
    assertClose(logProbOf(hot, x), byHand(flow, tau, x), { absolute: 1e-12 });
    assertClose(hot.sample(4, { seed: 2 }).z, flow.sample(4, { seed: 2 }).z.map((z) => z * Math.sqrt(tau)), {
      relative: 1e-15,
    });
    assertStrictEquals(hot.parameters()[0], flow.parameters()[0]);
  }
  assertEquals((flowAtTemperature(flowAtTemperature(flow, 2), 4).prior as NormalPrior).variance, 8, "τ multiply");
  assertEquals(logProbOf(flowAtTemperature(flow, 1), x), logProbOf(flow, x), "τ = 1 is the flow, to the last bit");
  assert(logProbOf(flow, x).some((log, i) => Math.abs(log - byHand(flow, 3, x)[i]) > 0.1), "τ does matter");
});

Deno.test("a volume-preserving flow at τ has the density p^(1/τ), normalised: the ratio is a constant", () => {
  const flow = new Flow(nice({ dim: 2 }));
  const x = normals(40, 5);
  const ratio = logProbOf(flowAtTemperature(flow, 4), x).map((log, i) => log - logProbOf(flow, x)[i] / 4);
  assertClose(ratio, new Float64Array(20).fill(ratio[0]), { absolute: 1e-12 });
  const other = new Flow(realNVP({ dim: 2 }));
  const uneven = logProbOf(flowAtTemperature(other, 4), x).map((log, i) => log - logProbOf(other, x)[i] / 4);
  assert(Math.max(...uneven) - Math.min(...uneven) > 0.01, "a flow that changes volumes has no such density");
});

Deno.test("a bijector's own density is for variance 1 only: at other temperatures the way goes through z", () => {
  const bijector = particleFlow({ particles: 2, spatialDim: 1, head: { kind: "mixture", components: 3 } });
  const flow = new Flow(bijector);
  const x = normals(12, 6, 0.5);
  const tolerance = { absolute: 1e-9 };
  assertClose(logProbOf(flow, x), byHand(flow, 1, x), tolerance);
  assertClose(logProbOf(flowAtTemperature(flow, 2), x), byHand(flow, 2, x), tolerance);
  // What Flow did before priors had a variance.
  const shortcut = evaluateReference([bijector.normalLogProb(input(new Graph(), "x", 2))], [x], 6)[0];
  assertThrows(() => assertClose(shortcut, byHand(flow, 2, x), tolerance), Error, "differs by");
});

Deno.test("auditFlow() integrates over the whole of a wide prior", async () => {
  const { checks, passed } = await auditFlow(flowAtTemperature(new Flow(realNVP({ dim: 2 })), 9));
  assert(passed);
  assertEquals(checks.find(({ name }) => name === "integral")?.verdict, "passed");
});

Deno.test("temperatures are refused where they mean nothing", () => {
  const flow = new Flow(realNVP({ dim: 2 }));
  const { message } = assertThrows(() => flowAtTemperature(flow, 0), RangeError);
  assertEquals(
    message,
    "Cannot change the temperature of a flow: temperature must be positive and finite, got 0",
  );
  const plain: Prior = {
    dim: 2,
    logProb: (z) => new NormalPrior(2).logProb(z),
    sample: (n) => new Float64Array(2 * n),
  };
  const refusal = assertThrows(() => flowAtTemperature(new Flow(flow.bijector, plain), 2), TypeError);
  assertEquals(
    refusal.message,
    "Cannot change the temperature of a flow: its prior must be a NormalPrior, got Object",
  );

  const temperatures = { centre: 0, spread: 1 };
  const many = new Flow(
    particleFlow({ particles: 1, spatialDim: 1, head: { kind: "mixture", components: 2 }, temperatures }),
  );
  assertEquals(new TemperatureSlice(many, 2).dim, 1);
  const slice = assertThrows(() => new TemperatureSlice(flowAtTemperature(many, 2), 2), TypeError);
  assertEquals(
    slice.message,
    "Cannot fix a temperature: the flow must have a normal prior of variance 1, got another one: the flow knows its " +
      "temperatures by itself",
  );
});
