import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { oscillatorFlow, oscillatorSettings } from "../../../src/experiment/reproduction/oscillator_flow.ts";
import { studentRealNVP } from "../../../src/experiment/reproduction/student_flow.ts";
import { Flow } from "../../../src/flow/flow.ts";
import { RealNVP } from "../../../src/flow/real_nvp.ts";
import type { Parameter } from "../../../src/graph/parameter.ts";
import { HarmonicOscillatorBox } from "../../../src/system/harmonic_oscillator_box.ts";
import { normals } from "../../support/random_arrays.ts";

await loadKernels();

const hidden = [16, 16];
const z = normals(400, 1);

/** ln R of z → x at most. */
function largestLogDet(flow: Flow): number {
  const { logProb } = flow.decode(z);
  const prior = (i: number) => -(z[2 * i] ** 2 + z[2 * i + 1] ** 2) / 2 - Math.log(2 * Math.PI);
  return logProb.reduce((most, log, i) => Math.max(most, Math.abs(prior(i) - log)), 0);
}

function enlarge(parameters: readonly Parameter[]): void {
  for (const parameter of parameters) parameter.set(Float64Array.from(parameter.values(), (v) => 10 * v + 1));
}

Deno.test("studentRealNVP scales by less than e in each of six couplings, whatever its weights", () => {
  const map = studentRealNVP({ hidden, seed: 2 });
  enlarge(map.parameters());
  const assertBounded = (flow: Flow) => assert(largestLogDet(flow) < 6.01, "ln R is beyond six couplings");
  assertBounded(new Flow(map));
  assert(largestLogDet(new Flow(map)) > 1, "and it does scale");
  const plain = new RealNVP({ dim: 2, blocks: 3, hidden, scaleActivation: "relu", shiftActivation: "relu", seed: 2 });
  // Weights of S that end in no tanh, a tenth as large: numbers stay finite.
  for (const parameter of plain.parameters()) parameter.set(new Float64Array(parameter.length).fill(0.3));
  assertThrows(() => assertBounded(new Flow(plain)), Error, "beyond six couplings");
});

Deno.test("studentRealNVP starts as PyTorch does: uniform in ±1/√inputs, biases too", () => {
  const parameters = studentRealNVP({ hidden, seed: 2 }).parameters();
  assertEquals(parameters.length, 6 * 2 * 2 * 3);
  parameters.forEach((parameter, k) => {
    // Layers of two coordinates and of 16 units, a weight and a bias each.
    const bound = 1 / Math.sqrt(k % 6 < 2 ? 2 : 16);
    const largest = parameter.values().reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    assert(largest > 0 && largest <= bound, parameter.name);
    // The largest of 16 uniform numbers is below half of the bound once in 65 536 times.
    if (parameter.length >= 16) assert(largest > bound / 2, parameter.name);
  });
});

Deno.test("studentRealNVP moves the first coordinate first and the second one last, as the students' masks do", () => {
  const map = studentRealNVP({ hidden, seed: 2 });
  const parameters = map.parameters();
  const perCoupling = parameters.length / 6;
  const keepOnly = (coupling: number) =>
    parameters.forEach((parameter, k) => {
      const fresh = Math.floor(k / perCoupling) === coupling ? 0.3 : 0;
      parameter.set(new Float64Array(parameter.length).fill(fresh));
    });
  for (const [coupling, kept] of [[0, 1], [5, 0]]) {
    keepOnly(coupling);
    const flow = new Flow(map);
    const { x } = flow.decode(z);
    for (let i = 0; i < 10; i++) {
      assertEquals(x[2 * i + kept], Math.fround(z[2 * i + kept]));
      assertNotEquals(x[2 * i + 1 - kept], Math.fround(z[2 * i + 1 - kept]));
    }
    // There and back in float32, whose roundings exp(−S) multiplies by e at most.
    flow.encode(x).z.forEach((back, i) => assertAlmostEquals(back, z[i], 1e-5));
    flow.release();
  }
});

Deno.test("oscillatorFlow has the students' network: it scales by less than e⁶", async () => {
  const system = new HarmonicOscillatorBox({ preset: "cs230-trained" });
  const recipe = { name: "none", walls: false, training: "none" } as const;
  const { flow } = await oscillatorFlow(await experimentContext(), oscillatorSettings.smoke, system, recipe);
  const names = flow.parameters().map(({ name }) => name);
  assert(names.every((name) => name.startsWith("student")), names[0]);
  enlarge(flow.parameters());
  assert(largestLogDet(flow) < 6.01);
});
