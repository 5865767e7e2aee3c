import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { dimerSymmetries } from "../../src/system/dimer_symmetries.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import {
  applySymmetry,
  requireSymmetries,
  symmetryGroup,
  symmetryImages,
  type SymmetryOperation,
} from "../../src/system/symmetry.ts";
import { shakenStarts } from "../support/dimer_configurations.ts";

await loadKernels();

const turn: SymmetryOperation = { from: [1, 0], signs: [-1, 1] };
const half: SymmetryOperation = { from: [0, 1], signs: [-1, -1] };
const back: SymmetryOperation = { from: [1, 0], signs: [1, -1] };
const mirror: SymmetryOperation = { from: [0, 1], signs: [-1, 1] };

Deno.test("symmetryImages are those of applySymmetry, row by row", () => {
  const operation: SymmetryOperation = { from: [2, 0, 1], signs: [1, -1, -1] };
  const x = Float64Array.of(1, 2, 3, 4, 5, 6);
  const expected = new Float64Array(6);
  for (const at of [0, 3]) applySymmetry(operation, x.subarray(at, at + 3), expected.subarray(at, at + 3));
  assertEquals(symmetryImages(operation, x), expected);
  assertEquals(expected, Float64Array.of(3, -1, -2, 6, -4, -5));
});

Deno.test("symmetryGroup puts the identity before the operations, also where there are none", () => {
  const identity = { from: [0, 1], signs: [1, 1] };
  assertEquals(symmetryGroup([turn, half, back], 2), [identity, turn, half, back]);
  assertEquals(symmetryGroup([], 2), [identity]);
  const dimer = new ParticleDimer();
  assertEquals(symmetryGroup(dimerSymmetries(dimer), dimer.dim).length, 4);
});

Deno.test("symmetryGroup names the product that a list lacks", () => {
  const error = assertThrows(() => symmetryGroup([turn, half], 2), RangeError);
  assertEquals(
    error.message,
    "Cannot form a symmetry group: the product of any two operations must be one of them or the identity, got none for " +
      "operation 0 after operation 1: add composeSymmetries(operations[0], operations[1]), which is from [1, 0], " +
      "signs [1, -1]",
  );
  // A quarter turn and a mirror: eight operations in all.
  assertStringIncludes(assertThrows(() => symmetryGroup([turn, half, back, mirror], 2), Error).message, "operation 3");
  assertThrows(() => symmetryGroup([turn], 2), RangeError, "signs [-1, -1]");
});

Deno.test("symmetryGroup refuses what is no map of the coordinates onto themselves, and what comes twice", () => {
  const refuse = (operations: SymmetryOperation[], rest: string) => {
    const { message } = assertThrows(() => symmetryGroup(operations, 2), RangeError);
    assertEquals(message, `Cannot form a symmetry group: ${rest}`);
  };
  refuse([mirror, { from: [0, 0], signs: [1, 1] }], "from of operation 1 must hold each of 0 to 1 once, got [0, 0]");
  refuse([{ from: [0, 2], signs: [1, 1] }], "from of operation 0 must hold each of 0 to 1 once, got [0, 2]");
  refuse([{ from: [0, 1, 2], signs: [1, 1, 1] }], "from of operation 0 must hold each of 0 to 1 once, got [0, 1, 2]");
  refuse([{ from: [0, 1], signs: [1, 2] }], "signs of operation 0 must be 2 numbers 1 or -1, got [1, 2]");
  refuse([{ from: [0, 1], signs: [-1] }], "signs of operation 0 must be 2 numbers 1 or -1, got [-1]");
  const differ = "operations must differ from the identity and from each other, got operation";
  refuse([mirror, mirror], `${differ} 1 equal to operation 0`);
  refuse([{ from: [0, 1], signs: [1, 1] }], `${differ} 0 equal to the identity`);
});

Deno.test("requireSymmetries accepts the dimer's mirrors and refuses what changes energies or leaves the domain", () => {
  const dimer = new ParticleDimer();
  const x = dimer.canonicalize(shakenStarts(dimer, 20, 0.1));
  const [flipY, flipX, both] = dimerSymmetries(dimer);
  requireSymmetries(dimer, [flipY, flipX, both], x);

  const oneSign = { ...flipX, signs: flipX.signs.map((sign, i) => i === 7 ? -sign : sign) };
  assertThrows(
    () => requireSymmetries(dimer, [flipY, oneSign], x),
    RangeError,
    "Cannot use operation 1 as a symmetry: it must keep the energy, got ",
  );
  // The energy stays where labels are kept, but x₀ ≤ x₁ does not.
  const labelsKept = { from: [0, 1, 2, 3, ...flipX.from.slice(4)], signs: flipX.signs };
  assertThrows(
    () => requireSymmetries(dimer, [labelsKept], x),
    RangeError,
    "Cannot use operation 0 as a symmetry: it must keep the reference domain, got configuration ",
  );
  const tilted = { dim: 2, energy: (y: Float64Array) => Float64Array.of(y[0] + y[1] ** 2) };
  requireSymmetries(tilted, [{ from: [0, 1], signs: [1, -1] }], Float64Array.of(1, 2));
  assertThrows(() => requireSymmetries(tilted, [mirror], Float64Array.of(1, 2)), RangeError, "got 3 for the image");
  assertThrows(() => requireSymmetries(tilted, [mirror], Float64Array.of(NaN, 2)), RangeError, "got NaN");
});
