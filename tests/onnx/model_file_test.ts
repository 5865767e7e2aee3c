import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { decodeModel, sealedPart } from "../../src/format/decode_model.ts";
import { encodeModel, seal } from "../../src/format/encode_model.ts";
import type { Model, ModelGraph } from "../../src/format/model.ts";
import { MessageWriter } from "../../src/format/protobuf.ts";

/** The body of a loop: y = x while it goes on. */
const body: ModelGraph = {
  name: "body",
  inputs: [{ name: "step", type: "int64", dims: [] }, { name: "go", type: "bool", dims: [] }],
  outputs: [{ name: "go again", type: "bool", dims: [] }],
  values: [],
  initializers: [],
  nodes: [{ operator: "Identity", inputs: ["go"], outputs: ["go again"], attributes: {} }],
};

/** A model that uses every kind of tensor, attribute and dimension; negative and large integers among them. */
function example(): Model {
  return {
    name: "example",
    producerVersion: "1.2.3",
    metadata: { note: "Größe in σ · 10⁻³", empty: "", long: "x".repeat(300), __proto__x: "1" },
    inputs: [{ name: "x", type: "float32", dims: ["n", 3] }],
    outputs: [{ name: "y", type: "float64", dims: ["n"] }, { name: "k", type: "int64", dims: [] }],
    values: [{ name: "h", type: "float32", dims: ["n", 2] }],
    initializers: [
      { name: "w", dims: [2, 3], data: Float32Array.of(1, -0, NaN, Infinity, 1e-45, 3.5) },
      { name: "d", dims: [2], data: Float64Array.of(Math.PI, -Number.MIN_VALUE) },
      { name: "i", dims: [3], data: BigInt64Array.of(-1n, 0n, 2n ** 62n) },
      { name: "j", dims: [2], data: Int32Array.of(-1, 2 ** 30) },
      { name: "half", dims: [3], data: Uint16Array.of(0, 0x3c00, 0xffff) },
      { name: "scalar", dims: [], data: Float32Array.of(7) },
      { name: "none", dims: [0, 4], data: new Float32Array() },
    ],
    nodes: [
      {
        operator: "Gemm",
        inputs: ["x", "w", ""],
        outputs: ["h"],
        attributes: { transB: { kind: "integer", value: 1 }, alpha: { kind: "float", value: 0.5 } },
      },
      {
        operator: "Squeeze",
        inputs: ["h"],
        outputs: ["y", "k"],
        attributes: { axes: { kind: "integers", value: [-1, 0, 2 ** 40] }, axis: { kind: "integer", value: -2 } },
      },
      {
        operator: "Loop",
        inputs: ["i", ""],
        outputs: [],
        attributes: { body: { kind: "graph", value: body }, reduction: { kind: "text", value: "add" } },
      },
    ],
  };
}

function refusal(bytes: Uint8Array): string {
  return assertThrows(() => decodeModel(bytes), Error).message;
}

/** The bytes of a file whose digest entry is replaced by that of other contents. */
function withoutDigest(bytes: Uint8Array): Uint8Array {
  return sealedPart(bytes);
}

function replaceOnce(bytes: Uint8Array, from: string, to: string): Uint8Array<ArrayBuffer> {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  assert(text.includes(from) && from.length === to.length);
  return Uint8Array.from(text.replace(from, to), (character) => character.charCodeAt(0));
}

Deno.test("decodeModel() returns what encodeModel() was given", () => {
  assertEquals(decodeModel(encodeModel(example())), example());
});

Deno.test("encodeModel() gives the same bytes twice and after a round trip", () => {
  const bytes = encodeModel(example());

  assertEquals(encodeModel(example()), bytes);
  assertEquals(encodeModel(decodeModel(bytes)), bytes);
});

Deno.test("decodeModel() reads a view into a larger buffer", () => {
  const bytes = encodeModel(example());
  const buffer = new Uint8Array(bytes.length + 8).fill(255);
  buffer.set(bytes, 3);

  assertEquals(decodeModel(buffer.subarray(3, 3 + bytes.length)), example());
});

Deno.test("encodeModel() refuses elements that do not fill a tensor and metadata under its own keys", () => {
  const short = { ...example(), initializers: [{ name: "w", dims: [2, 3], data: new Float32Array(5) }] };
  const taken = { ...example(), metadata: { "boltzflow.digest": "0" } };

  assertEquals(
    assertThrows(() => encodeModel(short), RangeError).message,
    'Cannot encode ONNX model: elements of "w" must fill [2, 3], got 5',
  );
  assertEquals(
    assertThrows(() => encodeModel(taken), RangeError).message,
    'Cannot encode ONNX model: metadata must leave "boltzflow.digest" to the encoder, got "0"',
  );
});

Deno.test("decodeModel() refuses every prefix of a file with one sentence", () => {
  const bytes = encodeModel(example());
  const nameEnd = 13; // 08 08 12 09 b o l t z f l o w: from here on the file is known to be ours

  for (let length = 1; length < bytes.length; length++) {
    const message = refusal(bytes.subarray(0, length));

    if (length >= nameEnd) {
      assertEquals(
        message,
        `Cannot read ONNX model: file must be complete, got ${length} bytes that break off: fetch it again`,
      );
    } else assertStringIncludes(message, "Cannot read ONNX model: file must be ");
  }
});

Deno.test("decodeModel() refuses a file in which any one byte was changed", () => {
  const bytes = encodeModel({ ...example(), metadata: {} });

  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice();
    changed[i] ^= 1 << (i % 8);

    assertStringIncludes(refusal(changed), "Cannot read ONNX model: file must ");
  }
  assertEquals(
    refusal(replaceOnce(bytes, "example", "exampla")),
    "Cannot read ONNX model: file must be unchanged since its export, got other bytes than its digest says: " +
      "fetch it again or export the model again",
  );
});

Deno.test("decodeModel() names what a foreign file is", () => {
  const foreign = new MessageWriter().integer(1, 8).string(2, "pytorch").string(3, "2.4").finish();
  const page = new TextEncoder().encode("<!doctype html><title>404</title>");
  const anonymous = new MessageWriter().string(2, "boltzflow").finish();

  assertEquals(
    refusal(foreign),
    'Cannot read ONNX model: file must be written by boltzflow, got one written by "pytorch"',
  );
  assertEquals(refusal(page), "Cannot read ONNX model: file must be an ONNX model, got 33 bytes that are none");
  assertEquals(refusal(anonymous), "Cannot read ONNX model: file must be an ONNX model, got 11 bytes that are none");
  assertEquals(refusal(new Uint8Array()), "Cannot read ONNX model: file must hold 1 to 1073741824 bytes, got 0");
});

Deno.test("decodeModel() refuses future formats and other ONNX versions although their digest is right", () => {
  const bytes = encodeModel(example());
  const future = seal(withoutDigest(replaceOnce(bytes, "boltzflow.format\x12\x012", "boltzflow.format\x12\x013")));
  const opset = seal(withoutDigest(replaceOnce(bytes, "\x42\x04\x0a\x00\x10\x11", "\x42\x04\x0a\x00\x10\x12")));
  const representation = seal(Uint8Array.of(8, 9, ...withoutDigest(bytes).subarray(2)));

  assertEquals(
    refusal(future),
    "Cannot read ONNX model: file must have format 2, got format 3: update boltzflow or export the model again",
  );
  assertEquals(
    refusal(opset),
    "Cannot read ONNX model: file must have IR 8 and opset 17, got IR 8 and opset 18: export the model again",
  );
  assertEquals(
    refusal(representation),
    "Cannot read ONNX model: file must have IR 8 and opset 17, got IR 9 and opset 17: export the model again",
  );
});

Deno.test("decodeModel() refuses a sealed graph with sizes that its bytes do not fill", () => {
  const bytes = encodeModel({
    ...example(),
    initializers: [{ name: "w", dims: [3], data: Float32Array.of(1, 2, 3) }],
  });
  const swollen = seal(withoutDigest(replaceOnce(bytes, "\x08\x03\x10\x01\x42\x01w", "\x08\x7f\x10\x01\x42\x01w")));

  assertEquals(
    refusal(swollen),
    'Cannot read ONNX model: file must hold a graph of this package, got 12 bytes for the float32 [127] "w"',
  );
});
