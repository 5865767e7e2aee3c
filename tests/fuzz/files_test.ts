import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeNpy, encodeNpy, type NpyArray } from "../../src/format/npy.ts";
import { decodeNpz, encodeNpz } from "../../src/format/npz.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../../src/training/checkpoint.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/training/safetensors.ts";
import { trials } from "../support/incidents.ts";
import { damage, mutations } from "./mutate.ts";
import { assertReaderHolds, errorFault } from "./reader_law.ts";

const checkpoint: Checkpoint = {
  kind: "dimer training",
  state: { step: 12, history: [{ step: 1, loss: 0.25 }, { step: 2, loss: 1e-3 }], nested: { b: [1, 2], a: null } },
  tensors: new Map([
    ["layer.0.weight", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["moment", { shape: [2], data: Float64Array.of(0.1, -0) }],
    ["generators", { shape: [2, 2], data: Int32Array.of(1, -2, 3, -4) }],
  ]),
};
const arrays: Record<string, NpyArray> = {
  x: { shape: [4, 3], data: Float64Array.from({ length: 12 }, (_, i) => i / 7) },
  logProb: { shape: [4], data: Float32Array.of(-1, -2, -3, -4) },
  count: { shape: [], data: BigInt64Array.of(7n) },
};

/** Values in a form that tells −0 from 0 and does not depend on the order of maps. */
function plain(value: unknown): unknown {
  return value instanceof Map ? [...value].sort(([a], [b]) => a < b ? -1 : 1) : value;
}

/** A damaged file that is read all the same means what it meant. */
function sameAs(expected: unknown): (result: unknown) => string | undefined {
  return (result) => {
    try {
      assertEquals(plain(result), plain(expected));
      return undefined;
    } catch {
      return "was read as something else";
    }
  };
}

Deno.test("every damaged checkpoint is refused in a sentence of ours", async () => {
  const good = await encodeCheckpoint(checkpoint);
  const { kind, state, tensors } = await decodeCheckpoint(good);
  await assertReaderHolds({
    incident: "damaged checkpoint",
    trials: trials(1500, 20_000),
    make: (trial) => damage(good, trial),
    read: async (bytes) => {
      const read = await decodeCheckpoint(bytes);
      return [read.kind, read.state, plain(read.tensors)];
    },
    faultOf: sameAs([kind, state, plain(tensors)]),
    task: /^Cannot decode a checkpoint$/,
  });
});

Deno.test("every damaged safetensors file is read within its bounds or refused in a sentence of ours", async () => {
  const good = encodeSafetensors(checkpoint.tensors, new Map([["note", "a text"]]));
  const { loaded } = await assertReaderHolds({
    incident: "damaged safetensors file",
    trials: trials(1500, 20_000),
    make: (trial) => damage(good, trial),
    read: decodeSafetensors,
    // Without a checksum a changed number is a number; what comes out must be writable again.
    faultOf: (result) => {
      const { tensors, metadata } = result as ReturnType<typeof decodeSafetensors>;
      return encodeSafetensors(tensors, metadata).length > 0 ? undefined : "cannot be written again";
    },
    task: /^Cannot decode safetensors$/,
  });
  assert(loaded > 0, "some damage must be to numbers only");
});

for (const compress of [false, true]) {
  const kind = compress ? "deflated" : "stored";
  Deno.test(`every damaged .npz file, ${kind}, is refused in a sentence of ours, or means what it meant`, async () => {
    const good = await encodeNpz(arrays, { compress });
    await assertReaderHolds({
      incident: `damaged .npz file, ${kind}`,
      trials: trials(1500, 20_000),
      make: (trial) => damage(good, trial),
      read: (bytes) => decodeNpz(bytes),
      faultOf: (result) => {
        // Names are outside the sums: in the list and beside the array they must agree, and are all that damage may reach.
        const read = [...result as Map<string, NpyArray>].map(([, array]) => array);
        return sameAs(["count", "logProb", "x"].map((name) => arrays[name]))(read);
      },
      task: /^Cannot decode NumPy arrays(, .*)?$/,
    });
  });
}

Deno.test("every damaged .npy file is read within its bounds or refused in a sentence of ours", async () => {
  const good = encodeNpy(arrays.x);
  await assertReaderHolds({
    incident: "damaged .npy file",
    trials: trials(1500, 20_000),
    make: (trial) => damage(good, trial),
    read: (bytes) => decodeNpy(bytes),
    faultOf: (result) => {
      const { shape, data } = result as NpyArray;
      return shape.reduce((a, b) => a * b, 1) === data.length ? undefined : "has a shape that its elements do not fill";
    },
    task: /^Cannot decode a NumPy array$/,
  });
});

Deno.test("assertReaderHolds() rejects careless readers", async () => {
  const good = encodeSafetensors(checkpoint.tensors);
  const careless = (bytes: Uint8Array) => {
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    return Object.keys(header).map((name) => {
      const [begin, end] = header[name].data_offsets;
      return new Float32Array(bytes.buffer, 8 + length + begin, (end - begin) / 4);
    });
  };
  const law = { incident: "", trials: 200, make: (trial: number) => damage(good, trial), task: /^Cannot read$/ };
  const wrapped = (bytes: Uint8Array) => {
    try {
      return careless(bytes);
    } catch (error) {
      throw new Error(`Cannot read: the file must be whole, got ${(error as Error).message}`);
    }
  };
  const silent = (bytes: Uint8Array) => decodeSafetensors(bytes.length === good.length ? bytes : good).tensors;
  const polluting = () => {
    (Object.prototype as Record<string, unknown>).polluted = 1;
  };

  const before = sameAs(decodeSafetensors(good).tensors);
  await assertRejects(() => assertReaderHolds({ ...law, read: careless }), Error, "begins otherwise: SyntaxError");
  await assertRejects(() => assertReaderHolds({ ...law, read: wrapped }), Error, " wrong");
  await assertRejects(
    () => assertReaderHolds({ ...law, read: silent, faultOf: before, task: /^Cannot decode safetensors$/ }),
    Error,
    "was read as something else",
  );
  try {
    await assertRejects(() => assertReaderHolds({ ...law, read: polluting }), Error, "changed a prototype");
  } finally {
    delete (Object.prototype as Record<string, unknown>).polluted;
  }
});

Deno.test("errorFault() tells our sentences from those of others, wrapped or not", () => {
  const task = /^Cannot read$/;
  const fault = (message: string) => errorFault(new Error(message), task);

  assertEquals(fault("Cannot read: the file must be whole, got 3 bytes"), undefined);
  assertEquals(fault('Cannot read: name must be plain, got "Unexpected token"'), undefined);
  for (
    const message of [
      "Unexpected token } in JSON",
      "Cannot read properties of undefined (reading 'shape')",
      "Cannot read: Invalid typed array length: -1",
      "Cannot read: Invalid typed array length: -1 must not be, got it: really",
      "Cannot read: the file must be whole (Unexpected end of JSON input), got less",
      "Cannot read: the file must be whole, got\nless",
      `Cannot read: the file must be whole, got ${"x".repeat(700)}`,
    ]
  ) assert(fault(message) !== undefined, message);
  assertEquals(errorFault("text", task), "threw string");
});

Deno.test("damage() repeats itself, changes files in every way, and seldom leaves them as they were", () => {
  const good = encodeNpy(arrays.x);
  const unchanged = Array.from({ length: 500 }, (_, trial) => damage(good, trial))
    .filter((bytes) => bytes.length === good.length && bytes.every((byte, i) => byte === good[i])).length;

  assertEquals(damage(good, 7), damage(good, 7));
  assert(unchanged < 50, `${unchanged} of 500 unchanged`);
  assertEquals(Object.keys(mutations).length >= 12, true);
});
