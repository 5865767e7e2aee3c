/** Mean-free coordinates: orthonormal, without a centre, there and back. */
import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { MeanFreeAxes } from "../../src/system/centre_of_mass.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";

type Axes = Pick<MeanFreeAxes, "particles" | "spatialDim" | "positions" | "coordinates">;

const squares = (x: Float64Array) => x.reduce((sum, v) => sum + v * v, 0);

/** Positions have no mean, lengths stay, and there and back is the identity. A few roundings of numbers of size 1. */
function assertMeanFree(axes: Axes): void {
  const { particles, spatialDim } = axes;
  const q = normals(3 * (particles - 1) * spatialDim, particles);
  const positions = axes.positions(q);
  for (let s = 0; s < 3; s++) {
    for (let c = 0; c < spatialDim; c++) {
      let centre = 0;
      for (let i = 0; i < particles; i++) centre += positions[(s * particles + i) * spatialDim + c];
      assertAlmostEquals(centre, 0, 1e-13, "centre");
    }
  }
  assertAlmostEquals(squares(positions), squares(q), 1e-11, "length");
  assertClose(axes.coordinates(positions), q, { absolute: 1e-13 }, "there and back");
  // A common shift is not seen.
  assertClose(axes.coordinates(positions.map((v, i) => v + i % spatialDim)), q, { absolute: 1e-12 }, "shift");
}

Deno.test("MeanFreeAxes are orthonormal and leave the centre out", () => {
  for (const [particles, spatialDim] of [[2, 1], [3, 1], [4, 2], [13, 3], [55, 3]]) {
    assertMeanFree(new MeanFreeAxes(particles, spatialDim));
  }
});

Deno.test("the law of mean-free axes refuses differences to a particle, scaled axes and a centre that is kept", () => {
  const right = new MeanFreeAxes(4, 2);
  const spoilt = (change: Partial<Axes>): Axes => ({
    particles: 4,
    spatialDim: 2,
    positions: (q) => right.positions(q),
    coordinates: (r) => right.coordinates(r),
    ...change,
  });
  const faults: Record<string, Partial<Axes>> = {
    "differences to the last particle": {
      positions: (q) => Float64Array.from([0, 1, 2].flatMap((s) => [...q.subarray(6 * s, 6 * s + 6), 0, 0])),
      coordinates: (r) => r.filter((_, i) => i % 8 < 6).map((v, i) => v - r[8 * Math.floor(i / 6) + 6 + i % 2]),
    },
    "axes of another length": {
      positions: (q) => right.positions(q.map((v) => 1.01 * v)),
      coordinates: (r) => right.coordinates(r).map((v) => v / 1.01),
    },
    "a centre that moves": { positions: (q) => right.positions(q).map((v) => v + 1e-3) },
  };
  for (const [name, fault] of Object.entries(faults)) {
    assertThrows(() => assertMeanFree(spoilt(fault)), Error, "", name);
  }
});

Deno.test("MeanFreeAxes of two particles are their distance over √2", () => {
  const axes = new MeanFreeAxes(2, 1);
  assert(Math.abs(axes.coordinates(Float64Array.of(3, 1))[0] - Math.SQRT2) < 1e-15);
});
