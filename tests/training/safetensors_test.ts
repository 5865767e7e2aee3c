import { assertEquals, assertThrows } from "@std/assert";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/training/safetensors.ts";
import { findDuplicateKey } from "../../src/format/parse_json.ts";
import { ITEM_BYTES } from "../../src/training/safetensors_header.ts";

const every: [string, StoredTensor][] = [
  ["f64", { shape: [2, 2], data: Float64Array.of(1 / 3, -0, Infinity, 5e-324) }],
  ["f32", { shape: [3], data: Float32Array.of(1e-45, -1, Math.fround(0.1)) }],
  ["i64", { shape: [1], data: BigInt64Array.of(-(2n ** 63n)) }],
  ["u64", { shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) }],
  ["i32", { shape: [], data: Int32Array.of(-5) }],
  ["u32", { shape: [1, 1], data: Uint32Array.of(2 ** 32 - 1) }],
  ["i16", { shape: [1], data: Int16Array.of(-300) }],
  ["u16", { shape: [1], data: Uint16Array.of(60000) }],
  ["i8", { shape: [3], data: Int8Array.of(-1, 0, 1) }],
  ["u8", { shape: [1], data: Uint8Array.of(255) }],
  ["empty", { shape: [0, 7], data: new Float32Array(0) }],
  ["7", { shape: [1], data: Uint8Array.of(7) }],
  ['odd "name" – ü', { shape: [1], data: Uint8Array.of(8) }],
];

/** A file with any header text and any data, right or wrong. */
function file(header: string, data = new Uint8Array(0), length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const entry = (dtype: string, shape: number[], begin: number, end: number) =>
  `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`;

Deno.test("encodeSafetensors() and decodeSafetensors() keep every element type bit by bit", () => {
  const { tensors, metadata } = decodeSafetensors(encodeSafetensors(new Map(every), new Map([["k", "ü\n"]])));

  assertEquals(new Map([...tensors].sort()), new Map(every.slice().sort()));
  assertEquals(Object.is(tensors.get("f64")!.data[1], -0), true);
  assertEquals([...metadata], [["k", "ü\n"]]);
  assertEquals(every.length >= Object.keys(ITEM_BYTES).length, true);
});

Deno.test("encodeSafetensors() writes the bytes of the format, aligned, whatever the order of its input", () => {
  const forward = encodeSafetensors(new Map(every), new Map([["a", "1"], ["b", "2"]]));
  const backward = encodeSafetensors(new Map(every.slice().reverse()), new Map([["b", "2"], ["a", "1"]]));
  const small = encodeSafetensors(new Map([["b", every[8][1]], ["a", every[4][1]]]));

  assertEquals(forward, backward);
  const header =
    '{"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[3],"data_offsets":[4,7]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  assertEquals(small, file(padded, Uint8Array.of(251, 255, 255, 255, 255, 0, 1)));
});

Deno.test("decodeSafetensors() reads a view into a larger and a shared buffer and returns copies", () => {
  const bytes = encodeSafetensors(new Map([["x", { shape: [2], data: Float64Array.of(1, 2) }]]));
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3);
  shared.set(bytes);

  const { tensors } = decodeSafetensors(shared);
  shared.fill(0);

  assertEquals(tensors.get("x")!.data, Float64Array.of(1, 2));
});

Deno.test("encodeSafetensors() reads shared memory and views with an offset", () => {
  const shared = new Float32Array(new SharedArrayBuffer(16), 4, 2);
  shared.set([3, 4]);

  const { tensors } = decodeSafetensors(encodeSafetensors(new Map([["x", { shape: [2], data: shared }]])));

  assertEquals(tensors.get("x")!.data, Float32Array.of(3, 4));
});

const one = Uint8Array.of(1);
const refused: [string, Uint8Array, string][] = [
  ["an empty file", new Uint8Array(0), "the file must hold at least 10 bytes, got 0: it is truncated"],
  [
    "a text file",
    new TextEncoder().encode("Dear reader, this is a letter."),
    "the file must start with a length and a JSON header, got other content: it is foreign",
  ],
  ["a huge header", file("{}", one, 1n << 40n), "header must have at most 16777216 bytes, got 1099511627776"],
  ["a cut header", file("{}", one, 50n), "the file must hold a header of 50 bytes, got 3: it is truncated"],
  ["a header that is not JSON", file("{,}"), "header must be JSON, got text that does not parse"],
  [
    "a header that is not UTF-8",
    Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d),
    "header must be UTF-8, got other bytes",
  ],
  [
    "data that are missing",
    file(`{"x":${entry("U8", [2], 0, 2)}}`, one),
    "the file must hold 2 bytes of data, got 1: it is truncated",
  ],
  [
    "data that are left over",
    file(`{"x":${entry("U8", [0], 0, 0)}}`, one),
    "the file must end after 0 bytes of data, got 1 bytes more",
  ],
  ["a gap", file(`{"x":${entry("U8", [1], 1, 2)}}`, Uint8Array.of(1, 2)), 'tensor "x" must begin at byte 0, got 1'],
  [
    "an overlap",
    file(`{"x":${entry("U8", [2], 0, 2)},"y":${entry("U8", [2], 1, 3)}}`, Uint8Array.of(1, 2, 3)),
    'tensor "y" must begin at byte 2, got 1',
  ],
  [
    "an array twice",
    file(`{"x":${entry("U8", [1], 0, 1)},"\\u0078":${entry("U8", [1], 0, 1)}}`, one),
    'header must name everything once, got "x" twice',
  ],
  [
    "an unknown type",
    file(`{"x":${entry("BF16", [1], 0, 2)}}`, Uint8Array.of(1, 2)),
    'dtype of tensor "x" must be one of F64, I64, U64, F32, I32, U32, I16, U16, I8, U8, got "BF16"',
  ],
  [
    "a type that every object has",
    file(`{"x":${entry("toString", [1], 0, 1)}}`, one),
    'dtype of tensor "x" must be one of F64, I64, U64, F32, I32, U32, I16, U16, I8, U8, got "toString"',
  ],
  ["a wrong size", file(`{"x":${entry("F32", [1], 0, 1)}}`, one), 'tensor "x" must take 4 bytes, got 1'],
  [
    "a negative size",
    file(`{"x":${entry("U8", [-1], 0, 1)}}`, one),
    'shape of tensor "x" must hold integers ≥ 0, got [-1]',
  ],
  [
    "an overflowing shape",
    file(`{"x":${entry("U8", [2 ** 40, 2 ** 40], 0, 1)}}`, one),
    'shape of tensor "x" must describe fewer than 2^53 elements, got [1099511627776,1099511627776]',
  ],
  [
    "offsets the wrong way round",
    file(`{"x":${entry("U8", [1], 1, 0)}}`, one),
    'data_offsets of tensor "x" must be two integers 0 ≤ begin ≤ end, got [1,0]',
  ],
  ["an empty name", file(`{"":${entry("U8", [1], 0, 1)}}`, one), "tensor name must have 1 to 512 characters, got 0"],
  [
    "a name that poisons",
    file(`{"__proto__":${entry("U8", [1], 0, 1)}}`, one),
    'header must not hold reserved keys, got "__proto__"',
  ],
  [
    "a control character",
    file(`{"a\\u0000":${entry("U8", [1], 0, 1)}}`, one),
    'tensor name must hold no control characters, got "a\\u0000"',
  ],
  [
    "a missing field",
    file('{"x":{"dtype":"U8","shape":[1]}}', one),
    'tensor "x" must have data_offsets, dtype and shape, got dtype, shape',
  ],
  ["a field that is no object", file('{"x":1}'), 'tensor "x" must have data_offsets, dtype and shape, got number'],
  ["metadata that are no text", file('{"__metadata__":{"n":1}}'), '__metadata__ must hold strings, got number at "n"'],
];

for (const [what, bytes, message] of refused) {
  Deno.test(`decodeSafetensors() refuses ${what}`, () => {
    const error = assertThrows(() => decodeSafetensors(bytes), RangeError);
    assertEquals(error.message, `Cannot decode safetensors: ${message}`);
  });
}

Deno.test("decodeSafetensors() refuses every file cut short and every file with a byte more", () => {
  const bytes = encodeSafetensors(new Map(every), new Map([["k", "v"]]));
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeSafetensors(bytes.subarray(0, length)), RangeError);
  }
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  assertThrows(() => decodeSafetensors(longer), RangeError);
});

Deno.test("decodeSafetensors() keeps to its limits", () => {
  const bytes = encodeSafetensors(new Map(every));

  const tooMany = assertThrows(() => decodeSafetensors(bytes, { maximumTensors: 3 }), RangeError);
  const tooLong = assertThrows(() => decodeSafetensors(bytes, { maximumHeaderBytes: 16, task: "peek" }), RangeError);

  assertEquals(tooMany.message, "Cannot decode safetensors: the file must hold at most 3 tensors, got 13");
  assertEquals(tooLong.message.startsWith("Cannot peek: header must have at most 16 bytes, got "), true);
});

Deno.test("encodeSafetensors() refuses names, shapes and data that it could not read back", () => {
  const data = Uint8Array.of(1);
  const encode = (name: string, tensor: unknown) => () => encodeSafetensors(new Map([[name, tensor as StoredTensor]]));

  const messages = [
    assertThrows(encode("__metadata__", { shape: [1], data }), RangeError).message,
    assertThrows(encode("\ud800", { shape: [1], data }), RangeError).message,
    assertThrows(encode("x", { shape: [2], data }), RangeError).message,
    assertThrows(encode("x", { shape: [0.5], data }), RangeError).message,
    assertThrows(encode("x", { shape: [1], data: [1] }), TypeError).message,
  ];

  assertEquals(messages, [
    'Cannot encode safetensors: tensor name must not be reserved, got "__metadata__"',
    'Cannot encode safetensors: tensor name must be well-formed Unicode, got "\\ud800"',
    'Cannot encode safetensors: data of tensor "x" must match its shape [2] (2), got 1',
    'Cannot encode safetensors: shape of tensor "x" must hold integers ≥ 0, got [0.5]',
    'Cannot encode safetensors: data of tensor "x" must be a typed array, got Array',
  ]);
});

Deno.test("findDuplicateKey() looks into nested objects and not into strings", () => {
  assertEquals(findDuplicateKey('{"a":{"b":1,"c":[{"b":2},{"b":3}]},"b":"\\"a\\":{\\"b\\":"}'), undefined);
  assertEquals(findDuplicateKey('{"a":{"b":1,"c":{},"b" : 2}}'), "b");
  assertEquals(findDuplicateKey('{"a\\\\":1,"a\\u005c":2}'), "a\\");
});
