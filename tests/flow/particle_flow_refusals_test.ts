/** What an autoregressive particle flow is not made of: each refused at once, in a sentence that says what to do. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import {
  AutoregressiveParticleFlow,
  type AutoregressiveParticleFlowOptions,
} from "../../src/flow/autoregressive_particle_flow.ts";
import { Flow } from "../../src/flow/flow.ts";
import { powerPairTerm } from "../../src/system/pair_terms.ts";
import { normals } from "../support/random_arrays.ts";

await loadKernels();

const interactions = {
  spatialDim: 2 as const,
  pairTerm: () => powerPairTerm(4, 4),
  oneBodyEnergy: (_particle: number, _axis: number, x: number) => x * x,
};
const tilted = { kind: "tilted", interactions, basis: 3, grid: { fine: 17, coarse: 9 } } as const;
const options: AutoregressiveParticleFlowOptions = { particles: 2, spatialDim: 2, hidden: [5], head: tilted };
const data = normals(4 * 100, 1).map((v, i) => 0.3 * v + i % 4);

/** Both ways to a flow must say the same. */
function assertRefuses(wrong: object, kind: typeof RangeError | typeof TypeError, expected: string): void {
  const all = { ...options, ...wrong } as AutoregressiveParticleFlowOptions;
  for (const make of [() => new AutoregressiveParticleFlow(all), () => AutoregressiveParticleFlow.fit(data, all)]) {
    assertEquals(assertThrows(make, kind).message, `Cannot make a particle flow: ${expected}`);
  }
}

Deno.test("a particle flow refuses sizes, temperatures and heads that no flow can be made of", () => {
  AutoregressiveParticleFlow.fit(data, options);
  assertRefuses({ hidden: [8, 0] }, RangeError, "hidden[1] must be a whole number ≥ 1, got 0");
  assertRefuses(
    { temperature: 1, temperatures: { centre: 0, spread: 1 } },
    TypeError,
    "temperature must be left out where temperatures are given",
  );
  for (const spread of [0, -1, NaN, Infinity]) {
    assertRefuses(
      { temperatures: { centre: 0, spread } },
      RangeError,
      `temperatures.spread must be a positive number, got ${spread}: give temperature for a flow of one temperature`,
    );
  }
  assertRefuses(
    { temperatures: { centre: NaN, spread: 1 } },
    RangeError,
    "temperatures.centre must be a finite number, got NaN",
  );
  assertRefuses({ head: { kind: "gauss" } }, RangeError, "head.kind must be tilted or mixture, got gauss");
  assertRefuses({ head: undefined }, RangeError, "head.kind must be tilted or mixture, got undefined");
  assertRefuses(
    { head: { kind: "tilted" } },
    TypeError,
    "head.interactions.pairTerm must be a function for a tilted head, got undefined",
  );
  assertRefuses(
    { head: { ...tilted, interactions: { ...interactions, oneBodyEnergy: 3 } } },
    TypeError,
    "head.interactions.oneBodyEnergy must be a function for a tilted head, got number",
  );
  assertRefuses(
    { head: { ...tilted, neighbours: [[]] } },
    RangeError,
    "head.neighbours must hold a list for each of 2 particles, got 1",
  );
  for (const [term, text] of [[undefined, "undefined"], [7, "7"], [{ cutoff: 1 }, "one with cutoff"]] as const) {
    const returning = { ...interactions, pairTerm: () => term };
    const [i, j] = [1, 0];
    assertRefuses(
      { head: { ...tilted, interactions: returning } },
      TypeError,
      `pairTerm(${i}, ${j}) must return an object with cutoff and energy, or null, got ${text}`,
    );
  }
});

Deno.test("energies of a user that are not numbers do not enter a flow, whether everywhere or where the data are", () => {
  const head = (oneBodyEnergy: (particle: number, axis: number, x: number) => number) => ({
    ...options,
    head: { ...tilted, interactions: { ...interactions, oneBodyEnergy } },
  });
  const expected =
    /^Cannot tilt the density of particles\.1: oneBodyEnergy must be a number above −∞, got (NaN|-Infinity)/;
  const at = (x: number, particle: number, value: number) => particle === 1 && x > 2.5 ? value : x * x;
  for (const value of [NaN, -Infinity]) {
    const wrong = head((particle, _, x) => at(x, particle, value));
    // The knots of a flow that is not fitted reach from −1 to 1, where the energy is a number.
    new AutoregressiveParticleFlow(wrong);
    const { message } = assertThrows(() => AutoregressiveParticleFlow.fit(data, wrong), RangeError);
    assert(expected.test(message), message);
  }
  // +∞, a hard wall, is a number: nobody is there.
  const walled = new Flow(AutoregressiveParticleFlow.fit(data, head((particle, _, x) => at(x, particle, Infinity))));
  assert(walled.sample(1000, { seed: 1 }).logProb.every(Number.isFinite));
});

Deno.test("fit() refuses data that are not finite, or that float32 cannot tell apart", () => {
  for (const head of [tilted, { kind: "mixture", components: 2 } as const]) {
    const fit = (values: Float64Array) => AutoregressiveParticleFlow.fit(values, { ...options, head });
    for (const bad of [NaN, Infinity]) {
      const { message } = assertThrows(() => fit(data.with(6, bad).with(40, bad)), RangeError);
      assertEquals(
        message,
        "Cannot fit a particle flow: data must be finite, got 2 of 100 rows that are not, the first with index 1",
      );
    }
    assert(new Flow(fit(data.map((v) => 1e4 + v))).logProb(data.map((v) => 1e4 + v)).every(Number.isFinite));
    const { message } = assertThrows(() => fit(data.map((v) => 1e6 + 0.01 * v)), RangeError);
    assert(
      /^Cannot fit a frame: data must vary by more than float32 tells apart, got a deviation of 0\.00\d+ around 1000000 in /
        .test(message),
      message,
    );
    assert(
      message.endsWith("coordinate 0: subtract the mean from this coordinate, and add it to the samples"),
      message,
    );
  }
});

Deno.test("a tilted flow far above T₀ knows energies up to 100 k_BT, and its density there is a number", () => {
  // Two particles on top of each other: the cap is all that their density knows.
  const overlap = (temperature: number) => {
    const flow = new Flow(AutoregressiveParticleFlow.fit(data, { ...options, temperature }));
    const [apart, together] = flow.logProb(Float64Array.of(0, 1, 2, 3, 0, 1, 1e-3, 1));
    return apart - together;
  };
  for (const temperature of [1, 10, 100]) {
    const cost = overlap(temperature);
    // A cap of 200 k_BT₀ would cost 2 k_BT at T = 100, less than what the correction and the place may.
    assert(cost > 80 && cost < 300, `T = ${temperature}: ${cost} k_BT`);
  }
});
