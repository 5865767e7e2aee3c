import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  besideTemperature,
  logTemperatures,
  temperatureLadder,
  temperatureRows,
} from "../../src/experiment/temperature_ladder.ts";
import { dimerSymmetries } from "../../src/system/dimer_symmetries.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { applySymmetry, symmetryGroup } from "../../src/system/symmetry.ts";

Deno.test("temperatureLadder() is geometric, with a temperature between each two rungs", () => {
  const ladder = temperatureLadder([0.5, 2], 9);
  assertEquals(ladder.length, 17);
  assertEquals([ladder[0].temperature, ladder[8].temperature, ladder[16].temperature], [0.5, 1, 2]);
  assertEquals(ladder.map(({ trained }) => trained), ladder.map((_, k) => k % 2 === 0));
  ladder.slice(1).forEach(({ temperature }, k) =>
    assertAlmostEquals(temperature / ladder[k].temperature, 4 ** (1 / 16), 1e-12)
  );
  assertEquals(temperatureLadder([1, 3], 2).map(({ temperature }) => temperature), [1, Math.sqrt(3), 3]);
});

Deno.test("logTemperatures() makes the coordinate uniform between ±√3 for temperatures uniform in ln T", () => {
  const temperatures = logTemperatures([0.5, 2]);
  assertAlmostEquals(temperatures.centre, 0, 1e-15);
  const ladder = temperatureLadder([0.5, 2], 9).map(({ temperature }) =>
    temperatureRows(Float64Array.of(7), 1, temperature, temperatures)[0]
  );
  // Rounded to float32, as the flow sees them.
  assertAlmostEquals(ladder[0], -Math.sqrt(3), 1e-6);
  assertAlmostEquals(ladder[16], Math.sqrt(3), 1e-6);
  assertAlmostEquals(ladder[4], -Math.sqrt(3) / 2, 1e-6);
});

Deno.test("temperatureRows() puts one coordinate before every configuration", () => {
  const rows = temperatureRows(Float64Array.of(1, 2, 3, 4), 2, Math.E, { centre: 0, spread: 2 });
  assertEquals([...rows], [0.5, 1, 2, 0.5, 3, 4]);
});

Deno.test("besideTemperature() leaves the temperature alone and moves the rest as before; symmetries stay a group", () => {
  const dimer = new ParticleDimer();
  const operations = dimerSymmetries(dimer);
  const extended = operations.map(besideTemperature);
  assertEquals(symmetryGroup(extended, dimer.dim + 1).length, operations.length + 1);
  const x = Float64Array.from({ length: dimer.dim }, (_, i) => i + 1);
  const row = Float64Array.of(-5, ...x);
  operations.forEach((operation, k) => {
    const [image, rowImage] = [new Float64Array(dimer.dim), new Float64Array(dimer.dim + 1)];
    applySymmetry(operation, x, image);
    applySymmetry(extended[k], row, rowImage);
    assertEquals([...rowImage], [-5, ...image]);
  });
  assert(operations.length === 3);
});

Deno.test("ladders refuse ranges and rungs that make none", () => {
  const message = (action: () => unknown) => assertThrows(action, RangeError).message;
  for (const range of [[2, 0.5], [0, 1], [1, 1], [1, Infinity], [NaN, 1]] as const) {
    const text = "Cannot make a temperature ladder: range must be two rising positive numbers, got " +
      `${range[0]} and ${range[1]}`;
    assertEquals(message(() => temperatureLadder(range, 3)), text);
    assertEquals(message(() => logTemperatures(range)), text);
  }
  for (const rungs of [1, 2.5]) {
    assertEquals(
      message(() => temperatureLadder([1, 2], rungs)),
      `Cannot make a temperature ladder: rungs must be a whole number ≥ 2, got ${rungs}`,
    );
  }
});
