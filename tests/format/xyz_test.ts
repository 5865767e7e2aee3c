import { assertEquals, assertThrows } from "@std/assert";
import { encodeXyz, type XyzLayout } from "../../src/format/xyz.ts";

const plane: XyzLayout = { species: ["D", "D", "Ar"], spatialDim: 2 };

Deno.test("encodeXyz() writes frames with box and numbers", () => {
  const x = Float64Array.of(0.1, -2, 3, 4, 5e-7, 6, 7, 8, 9, 10, 11, 1 / 3);

  const frames = [
    ...encodeXyz(x, { ...plane, box: [6, 6], perFrame: { energy: [1.5, -2], d: Float32Array.of(1, 2) } }),
  ];

  const fixed = 'Lattice="6 0 0 0 6 0 0 0 1" Origin="-3 -3 -0.5" Properties=species:S:1:pos:R:3 pbc="F F F"';
  assertEquals(frames, [
    `3\n${fixed} energy=1.5 d=1\nD 0.1 -2 0\nD 3 4 0\nAr 5e-7 6 0\n`,
    `3\n${fixed} energy=-2 d=2\nD 7 8 0\nD 9 10 0\nAr 11 0.3333333333333333 0\n`,
  ]);
});

Deno.test("encodeXyz() keeps every coordinate to the last bit and counts frames in 1, 2 and 3 D", () => {
  const x = Float64Array.from({ length: 36 }, (_, i) => Math.sin(i * 1e3) * 10 ** (i - 18));
  for (const spatialDim of [1, 2, 3] as const) {
    const frames = [...encodeXyz(x, { species: ["A", "B"], spatialDim, periodic: true })];
    const lines = frames.flatMap((frame) => frame.trim().split("\n").slice(2));
    const read = lines.flatMap((line) => line.split(" ").slice(1, 1 + spatialDim).map(Number));

    assertEquals(frames.length, 18 / spatialDim);
    assertEquals(Float64Array.from(read), x);
    assertEquals(frames[0].includes('pbc="T T T"'), true);
    assertEquals(lines.every((line) => line.split(" ").length === 4), true);
  }
  assertEquals([...encodeXyz(new Float64Array(0), plane)], []);
});

Deno.test("encodeXyz() refuses what a reader would misread", () => {
  const message = (x: ArrayLike<number>, layout: XyzLayout) =>
    assertThrows(() => [...encodeXyz(x, layout)], RangeError).message;
  const one = new Float64Array(6);

  assertEquals(
    [
      message(new Float64Array(7), plane),
      message(one, { ...plane, species: [] }),
      message(one, { ...plane, species: ["D", "D", "A r"] }),
      message(one, { ...plane, perFrame: { energy: [1, 2] } }),
      message(one, { ...plane, perFrame: { "the energy": [1] } }),
      message(one, { ...plane, perFrame: { energy: [Infinity] } }),
      message(Float64Array.of(0, 0, NaN, 0, 0, 0), plane),
    ],
    [
      "Cannot write XYZ: x must hold whole configurations of 3 particles in 2 D, got 7 numbers",
      "Cannot write XYZ: x must hold whole configurations of 0 particles in 2 D, got 6 numbers",
      'Cannot write XYZ: species must be words of letters, digits and "_", got "A r"',
      "Cannot write XYZ: energy must have one number for each of 1 frames, got 2",
      'Cannot write XYZ: names per frame must be words of letters, digits and "_", got "the energy"',
      "Cannot write XYZ: energy must be finite, got Infinity in frame 0",
      "Cannot write XYZ: x must be finite, got NaN in frame 0",
    ],
  );
});
