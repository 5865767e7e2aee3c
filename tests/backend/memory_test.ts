import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { panelsToRows, readColumn, rowsToPanels, writeColumn } from "../../src/backend/panels.ts";
import {
  allocate,
  allocatedBytes,
  f32,
  f64,
  i32,
  instantiateKernels,
  kernelBuild,
  type Kernels,
  kernels,
  release,
  scope,
  u8,
  useKernels,
} from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";

await loadKernels();

Deno.test("allocate() gives zeroed, aligned bytes that overlap nothing, also where bytes were used before", () => {
  const before = allocatedBytes();
  const pieces: { address: number; bytes: number }[] = [];
  for (let round = 0; round < 3; round++) {
    for (const bytes of [1, 63, 64, 65, 1000, 0, 4096]) {
      const address = allocate(bytes);
      assertEquals(address % 64, 0);
      assert(u8(address, bytes).every((byte) => byte === 0), `${bytes} bytes are zero`);
      u8(address, bytes).fill(round + 1);
      pieces.push({ address, bytes });
    }
    // Every third piece goes back, so that the next round meets holes of many sizes.
    pieces.filter((_, k) => k % 3 === round).forEach(({ address }) => release(address));
    pieces.splice(0, Infinity, ...pieces.filter((_, k) => k % 3 !== round));
  }
  const sorted = pieces.sort((a, b) => a.address - b.address);
  sorted.slice(1).forEach(({ address }, k) => assert(address >= sorted[k].address + sorted[k].bytes));

  sorted.forEach(({ address }) => release(address));

  assertEquals(allocatedBytes(), before);
});

Deno.test("release() merges neighbours in any order, so that a larger piece fits where they were", () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2]]) {
    const pieces = [0, 1, 2].map(() => allocate(1 << 20));
    const after = allocate(1 << 20);

    order.forEach((k) => release(pieces[k]));
    const large = allocate(3 << 20);

    assert(large < after, "a new piece would lie behind all others");
    release(large);
    release(after);
  }
});

Deno.test("release() refuses an address that is not allocated", () => {
  const address = allocate(8);
  release(address);
  for (const wrong of [address, address + 64 * 1024 * 1024, 1]) {
    assertThrows(
      () => release(wrong),
      Error,
      `Cannot release memory: address must be one that is allocated, got ${wrong}`,
    );
  }
});

Deno.test("allocate() says how much was asked for when the memory cannot grow that far, and goes on working", () => {
  const before = allocatedBytes();

  const error = assertThrows(() => allocate(2 ** 32), RangeError);

  assert(
    /^Cannot allocate memory: the total must be at most 4 GiB, got \d+ MiB: use a smaller batch or network/.test(
      error.message,
    ),
    error.message,
  );
  assertEquals(allocatedBytes(), before);
  release(allocate(100));
});

Deno.test("scope() frees what was reserved in it, and scopes nest", () => {
  using outer = scope();
  const first = outer.f64(10);
  let inside: number;
  {
    using inner = scope();
    inside = inner.f32(3);
    assert(inside >= first + 80);
    assertEquals(inner.i32(1) % 64, 0);
  }
  assertEquals(outer.f64(1), inside);
});

Deno.test("scope() refuses more than it has", () => {
  using outer = scope();
  outer.f64(1 << 18);
  assertThrows(
    () => outer.f64(1 << 19),
    RangeError,
    "Cannot reserve scratch memory: a scope must fit into 4194304 bytes, got 6291456",
  );
});

Deno.test("views show the same bytes", () => {
  const address = allocate(16);
  f64(address, 1)[0] = 1;
  assertEquals([...i32(address, 2)], [0, 0x3ff00000]);
  f32(address + 8, 1)[0] = 2;
  assertEquals([...u8(address + 8, 4)], [0, 0, 0, 64]);
  release(address);
});

Deno.test("useKernels() refuses another ABI version and keeps the kernels in use", () => {
  const current = kernels;
  const other = { abiVersion: () => 99, heapBase: () => 0 } as unknown as Kernels;

  assertThrows(
    () => useKernels(other, "relaxed"),
    Error,
    'Cannot load the kernels: ABI version must be 4, got 99: run "deno task build:wasm"',
  );
  assertEquals(kernels, current);
});

Deno.test("instantiateKernels() takes bytes or a module, as runtimes without .wasm imports need", async () => {
  const bytes = await Deno.readFile(new URL("../../src/backend/kernels_baseline.wasm", import.meta.url));
  const imported = kernels;
  const address = allocate(4 * 5);
  try {
    for (const source of [bytes, await WebAssembly.compile(bytes)]) {
      await instantiateKernels(source, "baseline");

      assertNotEquals(kernels, imported);
      assertEquals(kernelBuild, "baseline");
      kernels.fillF32(5, 2.5, address);
      assertEquals([...f32(address, 5)], [2.5, 2.5, 2.5, 2.5, 2.5]);
      f32(address, 5).fill(0);
    }
  } finally {
    await loadKernels();
    release(address);
  }
  assertEquals(kernelBuild, "relaxed");
});

Deno.test("rowsToPanels() and panelsToRows() are inverse for every number of rows and features", () => {
  for (const [n, d] of [[1, 1], [31, 3], [32, 2], [33, 5], [700, 76], [5, 3001], [600, 9]]) {
    const panels = Math.ceil(n / 32);
    const rows = Float64Array.from({ length: n * d }, (_, i) => i + 1);
    const address = allocate(4 * 32 * panels * d);

    rowsToPanels(rows, d, panels, address, "repeat");
    const back = new Float64Array(n * d);
    panelsToRows(address, d, back);

    assertEquals(back, rows);
    const at = (row: number, j: number) =>
      f32(address, 32 * panels * d)[(Math.floor(row / 32) * d + j) * 32 + row % 32];
    for (let row = n; row < 32 * panels; row++) assertEquals(at(row, d - 1), n * d, "padding repeats the last row");
    rowsToPanels(rows, d, panels, address, "zero");
    for (let row = n; row < 32 * panels; row++) assertEquals(at(row, 0), 0, "padding is zero");
    release(address);
  }
});

Deno.test("writeColumn() clears the lanes beyond its values, readColumn() reads the first ones", () => {
  const address = allocate(8 * 64);
  f64(address, 64).fill(9);

  writeColumn(Float64Array.of(1, 2, 3), 32, address);

  assertEquals([...f64(address, 33)], [1, 2, 3, ...new Array(29).fill(0), 9]);
  const values = new Float64Array(2);
  readColumn(address, values);
  assertEquals([...values], [1, 2]);
  release(address);
});
