import { assertEquals, assertThrows } from "@std/assert";
import { inflateSync, zipSync } from "npm:fflate@0.8.3";
import { crc32, readZip, type ZipLimits } from "../../src/format/zip.ts";

const limits = { maximumEntries: 10, maximumBytes: 1000 };
const content = { "a.npy": Uint8Array.of(1, 2, 3), "b/c.npy": new Uint8Array(500).fill(7) };

function read(bytes: Uint8Array, within: ZipLimits = limits): Map<string, Uint8Array> {
  const refuse = (rest: string): never => {
    throw new RangeError(rest);
  };
  return readZip(bytes, within, (packed, size) => inflateSync(packed, { out: new Uint8Array(size + 1) }), refuse);
}

/** Message for a file in which bytes were changed: from the first place where `find` stands in the list at the end. */
function messageFor(change: (bytes: Uint8Array, list: number) => Uint8Array | void, files: object = content): string {
  const bytes = zipSync(files as typeof content);
  const list = new DataView(bytes.buffer).getUint32(bytes.length - 6, true);
  return assertThrows(() => read(change(bytes, list) ?? bytes), RangeError).message;
}

const put = (bytes: Uint8Array, at: number, ...values: number[]) => bytes.set(values, at);

Deno.test("readZip() reads stored and deflated entries, from a view too", () => {
  for (const level of [0, 6] as const) {
    const bytes = zipSync(content, { level });
    const buffer = new Uint8Array(bytes.length + 7).fill(80);
    buffer.set(bytes, 3);

    assertEquals(Object.fromEntries(read(buffer.subarray(3, 3 + bytes.length))), content);
  }
});

Deno.test("crc32() gives the check value of its standard", () => {
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

Deno.test("readZip() refuses whatever is not as it should be, in one sentence", () => {
  const one = Uint8Array.of(1);
  const start = 30 + "a.npy".length;
  const messages = [
    messageFor((bytes) => bytes.subarray(0, bytes.length - 1)),
    messageFor((bytes) => put(bytes, bytes.length - 22 + 10, 9)),
    messageFor((bytes) => put(bytes, bytes.length - 22 + 8, 3, 0, 3)),
    messageFor((bytes, list) => put(bytes, list + 8, 1)),
    messageFor((bytes, list) => put(bytes, list + 10, 12)),
    messageFor((bytes, list) => put(bytes, list + 24, 255, 255, 255, 255)),
    messageFor((bytes, list) => put(bytes, list + 24, 0, 0, 0, 127)),
    messageFor((bytes, list) => put(bytes, list + 46, 0xff)),
    messageFor((bytes, list) => put(bytes, list + 46, 0x5c)),
    messageFor((bytes, list) => put(bytes, list + 46 + 5 + 46, 0x2e, 0x2e), { "a.npy": one, "xx/b": one }),
    messageFor((bytes) => put(bytes, 30, 0x62)),
    messageFor((bytes) => put(bytes, start + 3, 0xff)),
    messageFor(() => {
      const bytes = zipSync(content, { level: 0 });
      bytes[start] ^= 4;
      return bytes;
    }),
    messageFor(() => undefined, { "big.npy": new Uint8Array(1001) }),
    messageFor((bytes, list) => put(bytes, list + 46 + 5 + 42, 0)),
    assertThrows(() => read(zipSync(content), { ...limits, maximumEntries: 1 }), RangeError).message,
  ];
  assertEquals(messages, [
    "the file must be a whole zip file, got other content",
    "the archive must be in one piece, got a part of it",
    "the list must hold 3 entries, got 2",
    '"a.npy" must not be encrypted, got an encrypted one',
    '"a.npy" must be stored or deflated, got method 12',
    '"a.npy" must be smaller than 4 GiB, got a larger one',
    '"a.npy" must unpack to at most 1032 times its size, got 2130706432',
    "names must be UTF-8, got other bytes",
    'names must be relative paths of plain text, got "\\\\.npy"',
    'names must be relative paths of plain text, got "../b"',
    '"a.npy" must have a header of its own, got another',
    '"a.npy" must be deflated data, got other bytes',
    'CRC-32 of "a.npy" must be 1438416925, got 1387604161: the file was changed or damaged, use another one',
    "it must hold at most 1000 bytes, got more",
    '"b/c.npy" must begin after byte 40, got 0',
    "it must hold at most 1 arrays, got more",
  ]);
});
