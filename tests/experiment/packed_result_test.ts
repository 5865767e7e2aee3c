import { assert, assertEquals, assertThrows } from "@std/assert";
import { packResult, unpackResult } from "../../src/experiment/packed_result.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/training/checkpoint.ts";

/** What comes back from a file. */
async function through(value: unknown): Promise<unknown> {
  return unpackResult(await decodeCheckpoint(await encodeCheckpoint({ kind: "k", ...packResult(value) })), "file");
}

Deno.test("packResult() and unpackResult() keep every number, NaN and -0 included, and the order of keys", async () => {
  const value = {
    z: { value: null, error: NaN, limits: [-Infinity, Infinity, -0, 0] },
    arrays: [Float64Array.of(1, NaN, -0), Int32Array.of(-3), new Float32Array(0), Uint8Array.of(7)],
    a: [{ text: "ä $", flag: true, deep: { x: Float64Array.of(2) } }],
    absent: undefined,
  };
  const found = await through(value) as typeof value;
  const { absent: _, ...rest } = value;
  assertEquals(found, rest as typeof value);
  assertEquals(Object.keys(found), ["z", "arrays", "a"]);
  assert(Object.is(found.z.limits[2], -0) && Object.is(found.arrays[0][2], -0), "-0 came back as 0");
  assertEquals(await through(3), 3);
  assertEquals(await through(-0), -0);
});

Deno.test("packResult() refuses what is not plain data, and names the place", () => {
  const refused = (value: unknown, message: string) => assertThrows(() => packResult(value), TypeError, message);
  refused({ a: [new Map()] }, "Cannot keep a result: value.a[0] must be plain data, got Map");
  refused({ f: () => {} }, "Cannot keep a result: value.f must be plain data, got function");
  refused({ b: { $tensor: 1 } }, "Cannot keep a result: keys of value.b must not begin with $, got $tensor");
});

Deno.test("unpackResult() refuses files that lack something", () => {
  const { state } = packResult({ x: Float64Array.of(1) });
  const message = "Cannot resume from file: the file must hold";
  assertThrows(() => unpackResult({ state, tensors: new Map() }, "file"), RangeError, `${message} the tensor value.x`);
  for (const number of ["constructor", "1"]) {
    const content = { state: { value: { $number: number } }, tensors: new Map() };
    assertThrows(() => unpackResult(content, "file"), RangeError, `${message} a number, not ${number}`);
  }
});
