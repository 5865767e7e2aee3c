import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { dimerSymmetries } from "../../src/system/dimer_symmetries.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { applySymmetry, composeSymmetries, type SymmetryOperation } from "../../src/system/symmetry.ts";
import { assertClose } from "../support/assert_close.ts";
import { scattered, shakenStarts } from "../support/dimer_configurations.ts";

await loadKernels();

const dimers = {
  "noe2019": new ParticleDimer(),
  "noe2019-class": new ParticleDimer({ preset: "noe2019-class" }),
  "printed": new ParticleDimer({ preset: "printed" }),
  "without solvent": new ParticleDimer({ solvent: 0 }),
  "nine discs": new ParticleDimer({ solvent: 9, slope: 5 }),
};

function images(operation: SymmetryOperation, x: Float64Array, dim: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += dim) {
    applySymmetry(operation, x.subarray(at, at + dim), out.subarray(at, at + dim));
  }
  return out;
}

/**
 * What makes a map of places and signs a symmetry of a dimer: energies stay within the rounding of 702 pair terms,
 * and configurations of the reference domain stay in it, and it is no identity.
 */
function assertSymmetry(dimer: ParticleDimer, operation: SymmetryOperation): void {
  assertEquals(operation.from.toSorted((a, b) => a - b), Array.from({ length: dimer.dim }, (_, i) => i));
  const x = dimer.canonicalize(Float64Array.of(...shakenStarts(dimer, 40, 0.1), ...scattered(dimer, 40)));
  const image = images(operation, x, dimer.dim);
  assertClose(dimer.energy(image), dimer.energy(x), { relative: 1e-12 }, "energies of images");
  assertClose(dimer.distance(image), dimer.distance(x), { relative: 1e-14 }, "distances of images");
  assert(dimer.inDomain(image).every((inside) => inside === 1), "images must lie in the reference domain");
  assert(image.some((value, i) => Math.abs(value - x[i]) > 0.01), "a symmetry must move something");
}

/** The ways in which a mirror can be wrong. */
const faults: Readonly<Record<string, (right: SymmetryOperation) => SymmetryOperation>> = {
  "labels of the dimer kept": ({ from, signs }) => ({ from: [0, 1, 2, 3, ...from.slice(4)], signs }),
  "labels of the solvent kept": ({ from, signs }) => ({ from: from.map((v, i) => i < 4 ? v : i), signs }),
  "signs left out": ({ from, signs }) => ({ from, signs: signs.map(() => 1) }),
  "one sign wrong": ({ from, signs }) => ({ from, signs: signs.map((s, i) => i === 7 ? -s : s) }),
  "two labels exchanged": ({ from, signs }) => ({ from: exchange(from, 2, 3), signs }),
  "coordinates of one particle exchanged": ({ from, signs }) => ({
    from: from.with(8, from[9]).with(9, from[8]),
    signs,
  }),
  "identity": ({ from, signs }) => ({ from: from.map((_, i) => i), signs: signs.map(() => 1) }),
};

function exchange(from: readonly number[], a: number, b: number): number[] {
  const particle = (k: number) => from.slice(2 * k, 2 * k + 2);
  const out = [...from];
  out.splice(2 * a, 2, ...particle(b));
  out.splice(2 * b, 2, ...particle(a));
  return out;
}

for (const [name, dimer] of Object.entries(dimers)) {
  Deno.test(`dimerSymmetries keep energies and the reference domain: ${name}`, () => {
    const symmetries = dimerSymmetries(dimer);
    assertEquals(symmetries.length, 3);
    for (const operation of symmetries) assertSymmetry(dimer, operation);
  });
}

Deno.test("dimerSymmetries are y → −y, x → −x with the dimer's labels exchanged, and both", () => {
  const dimer = dimers["noe2019"];
  const x = dimer.canonicalize(shakenStarts(dimer, 1, 0.1));
  const signs = [[1, -1], [-1, 1], [-1, -1]];
  dimerSymmetries(dimer).forEach((operation, k) => {
    const image = images(operation, x, dimer.dim);
    const [sx, sy] = signs[k];
    const order = sx < 0 ? [1, 0] : [0, 1];
    assertEquals(Array.from(image.subarray(0, 4)), order.flatMap((p) => [sx * x[2 * p], sy * x[2 * p + 1]]));
    const points = (at: Float64Array, a: number, b: number) =>
      Array.from({ length: dimer.particles }, (_, p) => `${a * at[2 * p]} ${b * at[2 * p + 1]}`).sort();
    assertEquals(points(image, 1, 1), points(x, sx, sy), "the same discs, mirrored");
  });
});

Deno.test("dimerSymmetries and the identity form a group: each is its own inverse, two make the third", () => {
  const dimer = dimers["noe2019"];
  const symmetries = dimerSymmetries(dimer);
  const identity: SymmetryOperation = {
    from: Array.from({ length: dimer.dim }, (_, i) => i),
    signs: new Array<number>(dimer.dim).fill(1),
  };
  const key = (operation: SymmetryOperation) => JSON.stringify([operation.from, operation.signs]);
  const group = [identity, ...symmetries].map(key);
  assertEquals(new Set(group).size, 4);
  const products = symmetries.map((a) => symmetries.map((b) => group.indexOf(key(composeSymmetries(a, b)))));
  assertEquals(products, [[0, 3, 2], [3, 0, 1], [2, 1, 0]]);
});

Deno.test("composeSymmetries does what applying one after the other does, in the order of its arguments", () => {
  const x = Float64Array.of(1, 2, 3);
  const turn: SymmetryOperation = { from: [1, 2, 0], signs: [1, 1, 1] };
  const swap: SymmetryOperation = { from: [1, 0, 2], signs: [-1, 1, 1] };
  assertEquals(images(composeSymmetries(turn, swap), x, 3), images(turn, images(swap, x, 3), 3));
  assertEquals(images(composeSymmetries(turn, swap), x, 3), Float64Array.of(1, 3, -2));
});

for (const [name, spoil] of Object.entries(faults)) {
  Deno.test(`the law of symmetries rejects a mirror with ${name}`, () => {
    const dimer = dimers["noe2019"];
    const [, flipX] = dimerSymmetries(dimer);
    assertThrows(() => assertSymmetry(dimer, spoil(flipX)), Error);
  });
}

Deno.test("dimerSymmetries leaves out mirrors that a user's sites do not have", () => {
  const make = (sites: number[]) => new ParticleDimer({ solvent: 2, sites: Float64Array.from(sites) });
  const onlyY = make([2, 1, 2, -1]);
  const [flipY, ...others] = dimerSymmetries(onlyY);
  assertEquals(others, []);
  assertEquals(flipY.from, [0, 1, 2, 3, 6, 7, 4, 5]);
  assertSymmetry(onlyY, flipY);
  assertEquals(dimerSymmetries(make([2, 1, -2, 1])).map(({ signs }) => signs.slice(0, 2)), [[-1, 1]]);
  assertEquals(dimerSymmetries(make([2, 1, -2, 1.5])), []);
  assertEquals(dimerSymmetries(make([2, 0, -2, 0])).length, 3);
});
