import { assertEquals, assertThrows } from "@std/assert";
import { MessageWriter, readFields } from "../../src/format/protobuf.ts";

/** Examples of https://protobuf.dev/programming-guides/encoding, and numbers at the ends of their ranges. */
const examples: readonly [name: string, write: (writer: MessageWriter) => void, bytes: readonly number[]][] = [
  ["150", (w) => w.integer(1, 150), [0x08, 0x96, 0x01]],
  ["0", (w) => w.integer(1, 0), [0x08, 0x00]],
  ["−2", (w) => w.integer(2, -2), [0x10, 0xfe, ...new Array(8).fill(0xff), 0x01]],
  ["2⁵³ − 1", (w) => w.integer(16, 2 ** 53 - 1), [0x80, 0x01, ...new Array(7).fill(0xff), 0x0f]],
  ["a text", (w) => w.string(2, "testing"), [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]],
  ["a text beyond ASCII", (w) => w.string(2, "β"), [0x12, 0x02, 0xce, 0xb2]],
  ["a number of 32 bits", (w) => w.float(3, -1.5), [0x1d, 0x00, 0x00, 0xc0, 0xbf]],
  ["no bytes", (w) => w.bytes(4, new Uint8Array()), [0x22, 0x00]],
  ["a message", (w) => w.message(3, (inner) => inner.integer(1, 150)), [0x1a, 0x03, 0x08, 0x96, 0x01]],
  [
    "a message in a message, between fields",
    (w) => w.integer(1, 1).message(2, (outer) => outer.message(3, (inner) => inner.integer(4, 5))).integer(6, 7),
    [0x08, 0x01, 0x12, 0x04, 0x1a, 0x02, 0x20, 0x05, 0x30, 0x07],
  ],
];

for (const [name, write, bytes] of examples) {
  Deno.test(`MessageWriter writes ${name} as protobuf prescribes`, () => {
    const writer = new MessageWriter();
    write(writer);
    assertEquals([...writer.finish()], bytes);
    assertEquals(writer.finish().length, 0);
  });
}

Deno.test("MessageWriter writes lengths of more than one byte, and what it writes can be read", () => {
  const writer = new MessageWriter();
  const long = Uint8Array.from({ length: 300 }, (_, i) => i);
  writer.message(7, (inner) => inner.bytes(1, long).integer(2, -5));
  const [{ value }] = [...readFields(writer.finish(), { left: 9 })];
  const [first, second] = [...readFields(value as Uint8Array, { left: 9 })];
  assertEquals([first.value, second.value], [long, -5]);
});

Deno.test("MessageWriter refuses integers that a number does not hold", () => {
  for (const value of [0.5, 2 ** 53, NaN, Infinity]) {
    const message = `Cannot write a model: integers must be whole numbers within ±2^53, got ${value}`;
    assertThrows(() => new MessageWriter().integer(1, value), RangeError, message);
  }
});
