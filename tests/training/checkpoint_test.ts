import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from "../../src/training/checkpoint.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/training/safetensors.ts";
import {
  assertSurvivesBeingStopped,
  assertSurvivesFailure,
  type FileWriter,
  inTemporaryDirectory,
  namesIn,
} from "../support/file_faults.ts";

const sample: Checkpoint = {
  kind: "dimer training",
  state: { step: 12, stage: "mixture", rate: 1e-3, nested: { b: [1, 2], a: null } },
  tensors: new Map([
    ["scale.0.weight", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["moment", { shape: [2], data: Float64Array.of(0.1, -0) }],
  ]),
};

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, Error)).message;
}

Deno.test("encodeCheckpoint() and decodeCheckpoint() keep kind, state and arrays", async () => {
  const read = await decodeCheckpoint(await encodeCheckpoint(sample));

  assertEquals({ ...read, tensors: new Map([...read.tensors].sort()) }, {
    ...sample,
    tensors: new Map([...sample.tensors].sort()),
  });
});

Deno.test("encodeCheckpoint() gives equal bytes for tensors in another order", async () => {
  const other = { ...sample, tensors: new Map([...sample.tensors].reverse()) };

  assertEquals(await encodeCheckpoint(other), await encodeCheckpoint(sample));
  assertNotEquals(await encodeCheckpoint({ ...sample, kind: "flow" }), await encodeCheckpoint(sample));
});

Deno.test("decodeCheckpoint() keeps the order of keys, so that what is written of a state is the same text", async () => {
  const { state } = await decodeCheckpoint(await encodeCheckpoint(sample));
  assertEquals(JSON.stringify(state), JSON.stringify(sample.state));
});

Deno.test("encodeCheckpoint() keeps the arrays of the moment it was called", async () => {
  const data = Float32Array.of(1, 2);

  const pending = encodeCheckpoint({ ...sample, tensors: new Map([["x", { shape: [2], data }]]) });
  data.fill(9);

  assertEquals((await decodeCheckpoint(await pending)).tensors.get("x")!.data, Float32Array.of(1, 2));
});

Deno.test("encodeCheckpoint() refuses a state that JSON would change", async () => {
  const message = await messageOf(encodeCheckpoint({ ...sample, state: { best: { loss: NaN } } }));
  assertEquals(message, "Cannot write JSON: value.state.best.loss must be a finite number or null, got NaN");
});

/** Whatever byte of a checkpoint is changed, and wherever it is cut, `decode` refuses it. */
async function assertFindsEveryChange(decode: (bytes: Uint8Array) => unknown): Promise<void> {
  const bytes = await encodeCheckpoint(sample);
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice();
    changed[i] ^= 1;
    await assertRejects(async () => await decode(changed), RangeError, "Cannot decode ");
    await assertRejects(async () => await decode(bytes.subarray(0, i)), RangeError, "Cannot decode ");
  }
}

Deno.test("decodeCheckpoint() finds every changed byte and every cut", async () => {
  await assertFindsEveryChange(decodeCheckpoint);
});

Deno.test("assertFindsEveryChange() rejects a reader that ignores the checksum", async () => {
  await assertRejects(() => assertFindsEveryChange(decodeSafetensors), Error, "Expected function to reject");
});

Deno.test("loadCheckpoint() has one sentence for every fault", async () => {
  const good = await encodeCheckpoint(sample);
  const { tensors, metadata } = decodeSafetensors(good);
  const withDocument = (document: string) =>
    encodeSafetensors(tensors, new Map(metadata).set("boltzflow.checkpoint", document));
  const damaged = good.slice();
  damaged[damaged.length - 1] ^= 0x80;
  const start = good.length - 40;

  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/c.safetensors`;
    const loading = async (bytes: Uint8Array, kind?: string) => {
      await Deno.writeFile(path, bytes);
      return (await messageOf(loadCheckpoint(path, kind))).replaceAll(path, "C");
    };

    assertEquals(
      await messageOf(loadCheckpoint(path)),
      `Cannot load checkpoint ${path}: ${path} must exist, got "No such file or directory"`,
    );
    assertEquals(
      await loading(good.subarray(0, good.length - 1)),
      "Cannot load checkpoint C: the file must hold 40 bytes of data, got 39: it is truncated",
    );
    assertEquals(
      await loading(good.subarray(0, start - 8)),
      `Cannot load checkpoint C: the file must hold a header of ${start - 8} bytes, got ${start - 16}: it is truncated`,
    );
    assertEquals(
      await loading(new TextEncoder().encode("<!DOCTYPE html><html></html>")),
      "Cannot load checkpoint C: the file must start with a length and a JSON header, got other content: it is foreign",
    );
    assertEquals(
      await loading(encodeSafetensors(tensors)),
      "Cannot load checkpoint C: the file must be a boltzflow checkpoint, got another safetensors file",
    );
    assertEquals(
      await loading(withDocument('{"version":2,"kind":"x","state":{}}')),
      "Cannot load checkpoint C: version must be 1, got 2: use the release of boltzflow that wrote it",
    );
    assertEquals(
      await loading(good, "flow"),
      'Cannot load checkpoint C: kind must be "flow", got "dimer training"',
    );
    assertEquals(
      (await loading(damaged)).replaceAll(/[0-9a-f]{12}/g, "…"),
      "Cannot load checkpoint C: SHA-256 must be ……, got ……: the file was changed or damaged, use another one",
    );
    assertEquals(
      await loading(withDocument("{")),
      "Cannot load checkpoint C: the state must be JSON, got text that does not parse",
    );
    assertEquals((await messageOf(loadCheckpoint(directory))).includes("must be a file"), true);
  });
});

Deno.test("saveCheckpoint() keeps the generation before, and loadCheckpoint() points to it", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/c.safetensors`;
    await saveCheckpoint(path, sample);
    await saveCheckpoint(path, { ...sample, state: { step: 13 } });

    assertEquals((await loadCheckpoint(path, "dimer training")).state, { step: 13 });
    assertEquals((await loadCheckpoint(`${path}.previous`)).state, sample.state);
    assertEquals(await namesIn(directory), ["c.safetensors", "c.safetensors.previous"]);

    await Deno.truncate(path, 5);
    assertEquals(
      await messageOf(loadCheckpoint(path)),
      `Cannot load checkpoint ${path}: the file must hold at least 10 bytes, got 5: it is truncated` +
        ` (the checkpoint before it is kept as ${path}.previous)`,
    );
  });
});

const save: FileWriter = async (path, content) => {
  await Deno.readTextFile(path);
  await saveCheckpoint(path, { kind: "law", state: {}, tensors: new Map([["c", tensorOf(content)]]) });
};
const tensorOf = (content: string) => ({ shape: [content.length], data: new TextEncoder().encode(content) });

/** Lets the laws of plain files judge a checkpoint: the text they look for is what the file decodes to. */
function judged(law: (write: FileWriter) => Promise<void>): Promise<void> {
  const readTextFile = Deno.readTextFile;
  Deno.readTextFile = async (path) => {
    const bytes = await Deno.readFile(path);
    if (bytes[8] !== 0x7b) return new TextDecoder().decode(bytes);
    return new TextDecoder().decode((await decodeCheckpoint(bytes)).tensors.get("c")!.data as Uint8Array);
  };
  return law(save).finally(() => Deno.readTextFile = readTextFile);
}

Deno.test("saveCheckpoint() survives being stopped and a full disk", async () => {
  await judged(assertSurvivesBeingStopped);
  await judged(assertSurvivesFailure);
});
