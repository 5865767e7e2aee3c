/** One temperature of a flow that serves many: a density of its own, the one that its definition says, and its samples. */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { AutoregressiveParticleFlow } from "../../src/flow/autoregressive_particle_flow.ts";
import { Flow } from "../../src/flow/flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { temperatureCoordinate, TemperatureSlice } from "../../src/flow/temperature_slice.ts";
import { assertClose } from "../support/assert_close.ts";
import { uniforms } from "../support/random_arrays.ts";
import { particleFlow } from "./bijector_examples.ts";

await loadKernels();

const temperatures = { centre: 0.1, spread: 0.4 };
const TEMPERATURES = [0.6, 1, 1.9];
/** One particle in the plane: the smallest flow in which coordinates depend on each other and on T. */
const flow = new Flow(
  particleFlow({ particles: 1, spatialDim: 2, head: { kind: "mixture", components: 3 }, temperatures }),
);

/** Midpoints of STEP × STEP squares, so far out that densities vanish. */
const [REACH, STEP] = [16, 1 / 8];
const SIDE = 2 * REACH / STEP;
const grid = Float64Array.from({ length: 2 * SIDE * SIDE }, (_, i) => {
  const cell = i >> 1;
  return ((i % 2 === 0 ? Math.floor(cell / SIDE) : cell % SIDE) + 0.5) * STEP - REACH;
});
const integrate = (logProb: Float64Array) => STEP * STEP * logProb.reduce((sum, log) => sum + Math.exp(log), 0);

/** ln p(c, x) of the flow itself, with the coordinate written by hand. */
function joint(temperature: number, x: Float64Array): Float64Array {
  const c = Math.fround((Math.log(temperature) - temperatures.centre) / temperatures.spread);
  const rows = Float64Array.from(
    { length: x.length / 2 * 3 },
    (_, i) => i % 3 === 0 ? c : x[2 * (i - i % 3) / 3 + i % 3 - 1],
  );
  return flow.logProb(rows);
}

Deno.test("TemperatureSlice is p(c, x) divided by its own integral over x: normalised at every temperature", () => {
  for (const temperature of TEMPERATURES) {
    const log = new TemperatureSlice(flow, temperature).logProb(grid);
    // Flow densities err by about 1e-6 in float32, and the grid resolves them to less.
    assertClose(integrate(log), 1, { absolute: 1e-5 }, "integral");
    const together = joint(temperature, grid);
    const evidence = Math.log(integrate(together));
    assertClose(log, together.map((value) => value - evidence), { absolute: 1e-5 }, `at T = ${temperature}`);
    assertThrows(() => assertClose(integrate(together), 1, { absolute: 1e-5 }), Error, "differs by", "p(c, x) itself");
  }
  const [cold, hot] = [0.6, 1.9].map((temperature) => new TemperatureSlice(flow, temperature).logProb(grid));
  assertThrows(() => assertClose(cold, hot, { absolute: 0.1 }), Error, "", "the temperature matters to this flow");
});

/** χ² of samples in squares of a size of 2 against a density on the grid; beyond ν + 5 √(2ν) once in 10⁴. */
function assertFollows(x: Float64Array, logProb: Float64Array): void {
  const cells = REACH;
  const cellOf = (a: number, b: number) => Math.floor((a + REACH) / 2) * cells + Math.floor((b + REACH) / 2);
  const [observed, expected] = [new Float64Array(cells * cells), new Float64Array(cells * cells)];
  const n = x.length / 2;
  for (let i = 0; i < n; i++) observed[cellOf(x[2 * i], x[2 * i + 1])]++;
  logProb.forEach((log, i) => expected[cellOf(grid[2 * i], grid[2 * i + 1])] += n * STEP * STEP * Math.exp(log));
  const kept = Array.from(expected.keys()).filter((k) => expected[k] >= 10);
  const chiSquare = kept.reduce((sum, k) => sum + (observed[k] - expected[k]) ** 2 / expected[k], 0);
  if (!(chiSquare < kept.length + 5 * Math.sqrt(2 * kept.length))) {
    throw new Error(`χ² of ${kept.length} cells is ${chiSquare}`);
  }
}

Deno.test("TemperatureSlice samples follow its density, and not that of another temperature", () => {
  for (const temperature of TEMPERATURES) {
    const slice = new TemperatureSlice(flow, temperature);
    const { x, z, logProb } = slice.sample(20_000, { seed: 3 });
    assertEquals([x.length, z.length], [40_000, 40_000]);
    assertFollows(x, slice.logProb(grid));
    const other = new TemperatureSlice(flow, temperature * 2).logProb(grid);
    assertThrows(() => assertFollows(x, other), Error, "χ²");
    // The way there and the way back through float32 networks.
    assertClose(logProb, slice.logProb(x), { absolute: 2e-4 }, "sample() and logProb()");
  }
});

Deno.test("TemperatureSlice gives the same sample i for any number of samples, first sample and number of threads", async () => {
  const slice = new TemperatureSlice(flow, 1.2);
  const all = slice.sample(600, { seed: 7 });
  const part = slice.sample(33, { seed: 7, first: 17 });
  assertEquals(part.x, all.x.slice(34, 100));
  assertEquals(part.logProb, all.logProb.slice(17, 50));
  using pool = await ThreadPool.open(2);
  assertEquals(slice.sample(600, { seed: 7, pool }), all);
  assertEquals(slice.logProb(all.x, { pool }), slice.logProb(all.x));
  flow.release();
  assertNotEquals(slice.sample(1, { seed: 8 }).x, all.x.slice(0, 2));
});

/** One particle on a line in a well of its own, with a network that says nothing: the tilt alone decides. */
const well = (x: number) => 4 * (x * x - 1) ** 2 + x;
const silent = AutoregressiveParticleFlow.fit(
  uniforms(4000, 1, -2, 2).map((v, i) => i % 2 === 0 ? v / 2 : v),
  {
    particles: 1,
    spatialDim: 1,
    head: {
      kind: "tilted",
      interactions: { spatialDim: 1, pairTerm: () => null, oneBodyEnergy: (_, __, x) => well(x) },
      grid: { fine: 129, coarse: 9 },
    },
    temperatures,
  },
);
silent.parameters().filter(({ trainable }) => trainable).forEach((p) => p.set(new Float64Array(p.length)));

/** Largest |ln p − ln of the Boltzmann density at T| on a line, each normalised there. */
function distanceToBoltzmann(slice: TemperatureSlice, temperature: number): number {
  const line = Float64Array.from({ length: 801 }, (_, i) => i / 200 - 2);
  const log = slice.logProb(line);
  const boltzmann = line.map((x) => -well(x) / temperature);
  const partition = Math.log(boltzmann.reduce((sum, value) => sum + Math.exp(value), 0) / 200);
  return log.reduce((most, value, i) => {
    // Where the density is e^−12 of its mean, cells of the grid are coarse.
    const expected = boltzmann[i] - partition;
    return expected < -12 ? most : Math.max(most, Math.abs(value - expected));
  }, 0);
}

Deno.test("TemperatureSlice of a tilted flow that has learnt nothing is the Boltzmann density at its temperature", () => {
  for (const temperature of TEMPERATURES) {
    const slice = new TemperatureSlice(new Flow(silent), temperature);
    // Linear between 129 knots: (2.1 · 2/128)² · |U″| / 8T with |U″| up to 200 at the ends.
    const bound = 0.0011 * 200 / 8 / temperature;
    assert(distanceToBoltzmann(slice, temperature) < bound, `T = ${temperature}`);
    assert(distanceToBoltzmann(slice, temperature * 1.2) > 2 * bound, "another temperature is told apart");
  }
});

Deno.test("TemperatureSlice and temperatureCoordinate refuse what has no temperature", () => {
  const message = (action: () => unknown, kind: typeof TypeError | typeof RangeError) =>
    assertThrows(action, kind).message;
  const plain = new Flow(new Scaling({ dim: 2 }));
  const one = new Flow(new AutoregressiveParticleFlow({ particles: 1, spatialDim: 1, head: { kind: "mixture" } }));
  for (const other of [plain, one]) {
    assertEquals(
      message(() => new TemperatureSlice(other, 1), TypeError),
      "Cannot fix a temperature: flow must be an AutoregressiveParticleFlow made with temperatures, got another one",
    );
  }
  for (const bad of [0, -1, NaN, Infinity]) {
    const text = `Cannot fix a temperature: temperature must be a positive number, got ${bad}`;
    assertEquals(message(() => new TemperatureSlice(flow, bad), RangeError), text);
    assertEquals(message(() => temperatureCoordinate(bad, temperatures), RangeError), text);
  }
  assertEquals(
    message(() => new TemperatureSlice(flow, 1).sample(0, { seed: 1 }), RangeError),
    "Cannot sample from the flow: n must be a whole number ≥ 1, got 0",
  );
  assertEquals(
    message(() => new TemperatureSlice(flow, 1).logProb(new Float64Array(3)), RangeError),
    "Cannot read a batch: x must hold a whole number ≥ 1 of rows of 2, got length 3",
  );
  assertEquals(temperatureCoordinate(Math.E, { centre: 0, spread: 2 }), 0.5);
});
