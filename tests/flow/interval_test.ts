/** Intervals: no mass outside, walls and what lies beyond them; and the exact map of the oscillator in a box. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Chain } from "../../src/flow/chain.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { Flow } from "../../src/flow/flow.ts";
import { HarmonicBoxMap } from "../../src/flow/harmonic_box_map.ts";
import { Interval } from "../../src/flow/interval.ts";
import { HarmonicOscillatorBox } from "../../src/system/harmonic_oscillator_box.ts";
import { assertClose } from "../support/assert_close.ts";
import { logDetFaults, mapFaults } from "../support/broken.ts";
import { apply, assertLogDetIsJacobian, assertRoundTrip } from "../support/laws.ts";
import { uniforms } from "../support/random_arrays.ts";
import { realNVP } from "./bijector_examples.ts";

await loadKernels();

const inside = (x: Float64Array, lower: number, upper: number) => x.every((v) => v >= lower && v <= upper);

Deno.test("Interval has no mass outside, whatever its ends and however far z lies", () => {
  // Ends that float32 cannot hold, intervals far from the origin and very narrow ones; z to where Φ is 0 and 1.
  for (
    const [lower, upper] of [[0, 4], [0.1, 0.3], [-0.3, -0.1], [1e6 + 0.3, 1e6 + 0.9], [-1e-20, 1e20], [1 / 3, 5 / 7]]
  ) {
    const flow = new Flow(new Interval({ bounds: [[lower, upper]] }));
    const z = Float64Array.from({ length: 60_001 }, (_, i) => -30 + i / 1000);
    const { x, logProb } = flow.decode(z);
    assert(inside(x, lower, upper), `[${lower}, ${upper}]`);
    assert(x.every((v, i) => i === 0 || v >= x[i - 1]), "monotone");
    assert(logProb.every(Number.isFinite));
    const density = flow.logProb(x);
    // The ends are rounded inwards by up to a unit in the last place each; z² up to 168 is rounded to 2⁻²⁴ a few times.
    const rounding = 2 * 2 ** -23 * Math.max(Math.abs(lower), Math.abs(upper)) / (upper - lower);
    density.forEach((l) => assertAlmostEquals(l, -Math.log(upper - lower), 2 * rounding + 168 * 2 ** -22));
  }
});

Deno.test("Interval gives what lies outside the density zero and a finite z, also under trainable bijectors", () => {
  const interval = new Interval({ bounds: [[-1, 2], null] });
  const outside = [-1.0000001, 2.0000002, -5, 1e30, -1e30, 3.4e38];
  for (const bijector of [interval, new Chain([realNVP({ dim: 2 }), interval])]) {
    const flow = new Flow(bijector);
    const x = Float64Array.from([...outside, -1, 2, 0.5].flatMap((v) => [v, 0.25]));
    const { z, logProb } = flow.encode(x);
    assertEquals(z.every(Number.isFinite), true);
    assertEquals([...logProb.subarray(0, outside.length)], outside.map(() => -Infinity));
    assert(logProb.subarray(outside.length).every(Number.isFinite), "walls belong to the interval");
    assertEquals([...flow.logProb(x).subarray(0, outside.length)], outside.map(() => -Infinity));
  }
  // A coordinate that is no number is not mended.
  assertEquals([...apply(interval, "inverse", Float64Array.of(NaN, 0)).value], [NaN, 0]);
});

Deno.test("Interval makes uniform numbers of normal ones", () => {
  const { x } = new Flow(new Interval({ bounds: [[2, 5]] })).sample(40_000, { seed: 3 });
  const counts = new Float64Array(30);
  x.forEach((v) => counts[Math.min(29, Math.floor((v - 2) * 10))]++);
  // χ² of 30 bins has mean 29 and deviation 7.6: four deviations.
  const chi = counts.reduce((sum, count) => sum + (count - 40_000 / 30) ** 2 / (40_000 / 30), 0);
  assert(chi < 29 + 4 * 7.6, `${chi}`);
});

Deno.test("HarmonicBoxMap obeys the laws of bijectors in the box, and they refuse broken ones", () => {
  const map = new HarmonicBoxMap({ k: 1.5, boxLength: 3, temperature: 0.7 });
  const points = uniforms(40, 1, 0.2, 2.8);
  assertRoundTrip(map, points);
  assertLogDetIsJacobian(map, points);
  for (const [name, spoil] of Object.entries(logDetFaults)) {
    assertThrows(() => assertLogDetIsJacobian(spoil(map), points), Error, "log-det", name);
  }
  for (const [name, spoil] of Object.entries(mapFaults)) {
    assertThrows(() => assertRoundTrip(spoil(map), points), Error, "", name);
  }
});

/** The map is the one that is printed, and its density that of the system: −U/T − log p is ln Z everywhere. */
function assertExactMap(make: (options: { k: number; boxLength: number; temperature: number }) => Bijector): void {
  for (const [k, temperature] of [[1, 1], [2, 1], [2, 0.5]]) {
    const system = new HarmonicOscillatorBox({ k, boxLength: 4 });
    const map = make({ k, boxLength: 4, temperature });
    // Φ⁻¹(½) = 0 and Φ⁻¹(0.975) = 1.959963984540054.
    const z = apply(map, "inverse", Float64Array.of(2, 3, 3.9, 3.4)).value;
    const stretch = Math.sqrt(2 * k / temperature);
    assertClose(z, [0, stretch, 1.959963984540054, -stretch / 2], { absolute: 1e-6 }, "the printed map"); // 4 in float32
    const x = uniforms(400, 5, 0.01, 3.99);
    const flow = new Flow(map);
    const { logPartition } = system.exact(temperature);
    flow.logProb(x).forEach((log, i) => {
      const [u] = system.energy(x.subarray(2 * i, 2 * i + 2));
      // z₂² up to 64/T · 2k, from coordinates and squares rounded to 2⁻²⁴.
      assertAlmostEquals(-u / temperature - log, logPartition, 64 * 2 * k / temperature * 2 ** -22, "ln Z");
    });
    const { x: drawn } = flow.sample(2000, { seed: 2 });
    assert(system.energy(drawn).every(Number.isFinite), "no mass outside");
  }
}

Deno.test("HarmonicBoxMap is the exact map of the oscillator in a box", () => {
  assertExactMap((options) => new HarmonicBoxMap(options));
  const wrong: Record<string, (options: { k: number; boxLength: number; temperature: number }) => Bijector> = {
    "a half in front of the spring": ({ k, ...rest }) => new HarmonicBoxMap({ k: k / 2, ...rest }),
    "another box": (options) => new HarmonicBoxMap({ ...options, boxLength: 4.01 }),
    "temperature forgotten": ({ k, boxLength }) => new HarmonicBoxMap({ k, boxLength }),
    "no walls": ({ k }) => new HarmonicBoxMap({ k, boxLength: 40 }),
  };
  for (const [name, make] of Object.entries(wrong)) assertThrows(() => assertExactMap(make), Error, "", name);
});

Deno.test("Interval and HarmonicBoxMap say what is wrong", () => {
  const interval = (...bounds: ([number, number] | null)[]) => () => new Interval({ bounds });
  const what = "Cannot make an interval: bounds must";
  assertThrows(interval(null, null), RangeError, `${what} hold one or more pairs, got none in 2`);
  for (const bad of [[1, 1], [2, 1], [0, Infinity], [NaN, 1], [1, 1 + 1e-9]] as [number, number][]) {
    assertThrows(interval(bad), RangeError, `${what} be finite pairs, the lower end first, got [${bad.join(", ")}]`);
  }
  assertThrows(
    () => new HarmonicBoxMap({ k: 0, boxLength: 4 }),
    RangeError,
    "Cannot make a HarmonicBoxMap: k must be a positive number, got 0",
  );
});
