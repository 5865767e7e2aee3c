import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodeNpy, encodeNpy, type NpyArray } from "../../src/format/npy.ts";
import { decodeNpz, encodeNpz } from "../../src/format/npz.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";

const every: { [name: string]: NpyArray } = {
  f8: { shape: [2, 2], data: Float64Array.of(1 / 3, -0, Infinity, 5e-324) },
  f4: { shape: [3], data: Float32Array.of(1e-45, -1, Math.fround(0.1)) },
  i8: { shape: [1], data: BigInt64Array.of(-(2n ** 63n)) },
  u8: { shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
  i4: { shape: [], data: Int32Array.of(-5) },
  u4: { shape: [1, 1, 1], data: Uint32Array.of(2 ** 32 - 1) },
  i2: { shape: [1], data: Int16Array.of(-300) },
  u2: { shape: [1], data: Uint16Array.of(60000) },
  i1: { shape: [3], data: Int8Array.of(-1, 0, 1) },
  u1: { shape: [0, 4], data: new Uint8Array(0) },
  "7": { shape: [1], data: Uint8Array.of(7) },
};

/** Runs a little program in Debian's Python; undefined where that has no NumPy. */
async function runPython(program: string, ...args: string[]): Promise<string | undefined> {
  const run = async (code: string) => {
    try {
      return await new Deno.Command("/usr/bin/python3", { args: ["-c", code, ...args], stderr: "inherit" }).output();
    } catch {
      return undefined;
    }
  };
  const probe = await run("import importlib.util, sys; sys.exit(importlib.util.find_spec('numpy') is None)");
  if (!probe?.success) return undefined;
  return new TextDecoder().decode((await run(program))!.stdout);
}

Deno.test("encodeNpy() and decodeNpy() keep every element type bit by bit", () => {
  for (const array of Object.values(every)) {
    const bytes = encodeNpy(array);
    assertEquals(bytes.length % 64 === array.data.byteLength % 64, true);
    assertEquals(decodeNpy(bytes), array);
    assertEquals(Object.is(decodeNpy(bytes).data[1], array.data[1]), true);
  }
});

Deno.test("encodeNpy() writes the bytes that NumPy writes", () => {
  // numpy.save of numpy.array([[1, 2]], dtype="<i2"), NumPy 1.24
  const header = "\x93NUMPY\x01\x00\x76\x00{'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }".padEnd(127) +
    "\n";
  const expected = Uint8Array.from([...header].map((c) => c.charCodeAt(0)).concat([1, 0, 2, 0]));

  assertEquals(encodeNpy({ shape: [1, 2], data: Int16Array.of(1, 2) }), expected);
});

Deno.test("decodeNpy() refuses what it does not read, in one sentence", () => {
  const good = encodeNpy({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
  const text = Array.from(good, (code) => String.fromCharCode(code)).join("");
  const changed = (from: string, to: string) =>
    Uint8Array.from([...text.replace(from, to)].map((c) => c.charCodeAt(0)));
  const message = (bytes: Uint8Array) => assertThrows(() => decodeNpy(bytes), RangeError).message;

  assertEquals(
    [
      message(new TextEncoder().encode("not an array at all")),
      message(new Uint8Array(0)),
      message(good.subarray(0, 40)),
      message(good.subarray(0, good.length - 1)),
      message(changed("<f4", ">f4")),
      message(changed("False, 'shape': (2, 2), }", "True, 'shape': (2, 2), } ")),
      message(changed("'shape'", "'shade'")),
      message(changed("\x01\x00", "\x09\x00")),
      message(changed("(2, 2)", "(3, 2)")),
    ],
    [
      "the file must start as NumPy files do, got other content",
      "the file must start as NumPy files do, got other content",
      "the file must hold a header of 118 bytes, got 30",
      "data must take 16 bytes, got 15",
      "dtype must be one of <f8, <f4, <i8, <u8, <i4, <u4, <i2, <u2, |i1, |u1, got >f4",
      "order must be C (row-major), got Fortran",
      "header must name descr, fortran_order and shape, got {'descr': '<f4', 'fortran_order': False, 'shade': (2, 2), }",
      "format version must be 1, 2 or 3, got 9",
      "data must take 24 bytes, got 16",
    ].map((rest) => `Cannot decode a NumPy array: ${rest}`),
  );
});

Deno.test("encodeNpz() and decodeNpz() keep names and arrays; bytes depend on nothing else", async () => {
  const stored = await encodeNpz(every);
  const backward = await encodeNpz(Object.fromEntries(Object.entries(every).reverse()));
  const packed = await encodeNpz(every, { compress: true });

  assertEquals(stored, backward);
  for (const bytes of [stored, packed]) {
    assertEquals(new Map([...await decodeNpz(bytes)].sort()), new Map(Object.entries(every).sort()));
  }
  assertEquals(packed.length < stored.length, true);
});

Deno.test("encodeNpz() writes the same bytes in another time zone and at another time", async () => {
  const module = new URL("../../src/format/npz.ts", import.meta.url).href;
  const code = `import { encodeNpz } from ${JSON.stringify(module)};
    const bytes = await encodeNpz({ x: { shape: [1], data: Float64Array.of(1) } });
    console.log(bytes.join());`;
  const outputs = await Promise.all(["Asia/Tokyo", "America/Lima"].map(async (TZ) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", code], env: { TZ } }).output();
    return new TextDecoder().decode(stdout);
  }));

  assertEquals(outputs[0].length > 100, true);
  assertEquals(outputs[0], outputs[1]);
});

Deno.test("decodeNpz() keeps to its limits and refuses foreign and cut files", async () => {
  const bytes = await encodeNpz(every, { compress: true });
  const message = async (...args: Parameters<typeof decodeNpz>) =>
    (await assertRejects(() => decodeNpz(...args), RangeError)).message;

  assertEquals(
    await message(bytes, { maximumArrays: 2 }),
    "Cannot decode NumPy arrays: it must hold at most 2 arrays, got more",
  );
  assertEquals(
    await message(bytes, { maximumBytes: 1000 }),
    "Cannot decode NumPy arrays: it must hold at most 1000 bytes, got more",
  );
  for (const length of [0, 1, 100, bytes.length - 1]) {
    assertEquals(
      (await message(bytes.subarray(0, length))).startsWith(
        "Cannot decode NumPy arrays: the file must be a whole zip file",
      ),
      true,
    );
  }
});

Deno.test("encodeNpz() refuses names that are no plain file names", async () => {
  for (const name of ["", "../x", "a/b", "a b", ".x", "ä"]) {
    const error = await assertRejects(() => encodeNpz({ [name]: every.f8 }), RangeError);
    assertEquals(
      error.message,
      `Cannot encode NumPy arrays: name must be letters, digits, "_", "-" and ".", got ${JSON.stringify(name)}`,
    );
  }
  const error = await assertRejects(() => encodeNpz({ x: { shape: [3], data: Int8Array.of(1) } }), RangeError);
  assertEquals(error.message, "Cannot encode a NumPy array: shape must describe 1 elements, got [3]");
  const list = { shape: [1], data: [1] } as unknown as NpyArray;
  const kind = await assertRejects(() => encodeNpz({ x: list }), TypeError);
  assertEquals(kind.message, "Cannot encode a NumPy array: data must be a typed array that NumPy knows, got Array");
});

Deno.test("NumPy reads our .npz and we read both kinds of NumPy's", async () => {
  await inTemporaryDirectory(async (directory) => {
    const { i4: _scalar, ...arrays } = every;
    await Deno.writeFile(`${directory}/ours.npz`, await encodeNpz(arrays, { compress: true }));
    const program = `import sys, numpy as np
d = sys.argv[1]
ours = dict(np.load(d + "/ours.npz"))
np.savez(d + "/stored.npz", **ours)
np.savez_compressed(d + "/packed.npz", scalar=np.int32(3), **ours)
print(ours["f8"].dtype, ours["f8"].tolist(), ours["u8"].tolist(), ours["u1"].shape, sorted(ours))`;

    const printed = await runPython(program, directory);

    if (printed === undefined) {
      assertEquals(Deno.env.get("CI") === "true", false, "python3-numpy must be installed for CI");
      console.log("skipped: NumPy is not installed: apt install python3-numpy");
      return;
    }
    assertEquals(
      printed,
      "float64 [[0.3333333333333333, -0.0], [inf, 5e-324]] [18446744073709551615] (0, 4) " +
        "['7', 'f4', 'f8', 'i1', 'i2', 'i8', 'u1', 'u2', 'u4', 'u8']\n",
    );
    const stored = await decodeNpz(await Deno.readFile(`${directory}/stored.npz`));
    const packed = await decodeNpz(await Deno.readFile(`${directory}/packed.npz`));
    assertEquals(new Map([...stored].sort()), new Map(Object.entries(arrays).sort()));
    assertEquals(packed.get("scalar"), { shape: [], data: Int32Array.of(3) });
  });
});
