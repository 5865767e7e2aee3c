import { digestEntry, digestKey, encodeBody, formatKey, formatVersion } from "./encode_model.ts";
import { showJson, showText } from "./parse_json.ts";
import { irVersion, type Model, opsetVersion, producerName } from "./model.ts";
import { type FieldBudget, readFields, readText, WireFault } from "./protobuf.ts";
import { readGraph } from "./read_graph.ts";
import { sha256 } from "./sha256.ts";

/** Largest file that is looked at: far above any flow, far below what protobuf allows. */
const maximumBytes = 2 ** 30;

/** Bytes of the entry that seals a file. */
const sealBytes = digestEntry("0".repeat(64)).length;

/** Most fields of all messages together; the largest models of ours have some hundred thousand. */
const maximumFields = 2 ** 22;

/** Most entries of metadata, the encoder's own included. */
const maximumEntries = 256;

/** What stands at the top of a model file, before the graph is looked into. */
interface Envelope {
  irVersion: number;
  producer: string;
  producerVersion: string;
  opset: number;
  graph: Uint8Array;
  metadata: [string, string][];
}

/**
 * Decodes an `.onnx` file that this package wrote.
 *
 * Reads nothing else on purpose: a file is refused if another program wrote or changed it, if it is cut off, or if a
 * newer version of this package wrote it with conventions unknown here. The bytes are checked against the digest that
 * {@linkcode encodeModel} put last, and must be those that it would write for what was read: a file that means one thing
 * here and another to a runtime (fields that stand twice, fields unknown here) is none of ours, sealed or not.
 *
 * @param bytes the whole file, at most 1 GiB
 * @param digest SHA-256 of {@link sealedPart}, hexadecimal, where the caller has a faster way to it than TypeScript
 * @returns the model; its metadata without the encoder's own entries
 * @throws {Error} if the file is foreign, incomplete, changed, or from the future
 */
export function decodeModel(bytes: Uint8Array, digest?: string): Model {
  if (bytes.length === 0 || bytes.length > maximumBytes) refuse(`hold 1 to ${maximumBytes} bytes`, `${bytes.length}`);
  const budget = { left: maximumFields };
  const envelope = openEnvelope(bytes, budget);
  if (envelope.producer !== producerName) {
    refuse(`be written by ${producerName}`, `one written by ${showJson(envelope.producer.slice(0, 40))}`);
  }
  checkFormat(envelope, bytes);
  checkDigest(bytes, digest ?? sha256(sealedPart(bytes)));
  const model = readModel(envelope, budget);
  if (!isSame(encodeBody(model), sealedPart(bytes))) {
    refuse("be as boltzflow writes it", "the same content in another form: export the model again");
  }
  return model;
}

/** What the digest at the end of a file is taken of: all bytes before it. */
export function sealedPart(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, Math.max(0, bytes.length - sealBytes));
}

/** Whether bytes are the same; a loop, because a function called for each of 12 million takes longer than reading them. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function readModel({ graph, producerVersion, metadata }: Envelope, budget: FieldBudget): Model {
  const entries = metadata.filter(([key]) => key !== formatKey && key !== digestKey);
  try {
    return { ...readGraph(graph, budget), producerVersion, metadata: Object.fromEntries(entries) };
  } catch (error) {
    if (!(error instanceof WireFault)) throw error;
    refuse("hold a graph of this package", error.message);
  }
}

function refuse(rule: string, got: string): never {
  throw new Error(`Cannot read ONNX model: file must ${rule}, got ${got}`);
}

/** Says that a file of ours breaks off: by far the likeliest damage is an interrupted download. */
function refuseIncomplete(bytes: Uint8Array): never {
  refuse("be complete", `${bytes.length} bytes that break off: fetch it again`);
}

function openEnvelope(bytes: Uint8Array, budget: FieldBudget): Envelope {
  const envelope: Envelope = {
    irVersion: 0,
    producer: "",
    producerVersion: "",
    opset: 0,
    graph: new Uint8Array(),
    metadata: [],
  };
  try {
    for (const field of readFields(bytes, budget)) {
      if (field.kind === "integer" && field.number === 1) envelope.irVersion = field.value;
      if (field.kind === "bytes") readEnvelopeField(envelope, field.number, field.value, budget);
    }
  } catch (error) {
    if (!(error instanceof WireFault)) throw error;
    if (envelope.producer === producerName) refuseIncomplete(bytes);
    refuse("be an ONNX model", `${bytes.length} bytes that are none`);
  }
  if (envelope.irVersion === 0) refuse("be an ONNX model", `${bytes.length} bytes that are none`);
  return envelope;
}

function readEnvelopeField(envelope: Envelope, number: number, value: Uint8Array, budget: FieldBudget): void {
  if (number === 2) envelope.producer = readText(value);
  else if (number === 3) envelope.producerVersion = readText(value);
  else if (number === 7) envelope.graph = value;
  else if (number === 8) {
    for (const field of readFields(value, budget)) {
      if (field.number === 2 && field.kind === "integer") envelope.opset = field.value;
    }
  } else if (number === 14) {
    if (envelope.metadata.length === maximumEntries) throw new WireFault("more metadata than any model has");
    const entry = ["", ""] as [string, string];
    for (const field of readFields(value, budget)) {
      if (field.kind === "bytes" && field.number <= 2) entry[field.number - 1] = readText(field.value);
    }
    envelope.metadata.push(entry);
  }
}

function checkFormat(envelope: Envelope, bytes: Uint8Array): void {
  const format = envelope.metadata.find(([key]) => key === formatKey)?.[1];
  if (format === undefined) refuseIncomplete(bytes);
  if (format !== String(formatVersion)) {
    refuse(
      `have format ${formatVersion}`,
      `format ${showText(format, 40)}: update boltzflow or export the model again`,
    );
  }
  if (envelope.irVersion !== irVersion || envelope.opset !== opsetVersion) {
    refuse(
      `have IR ${irVersion} and opset ${opsetVersion}`,
      `IR ${envelope.irVersion} and opset ${envelope.opset}: export the model again`,
    );
  }
}

function checkDigest(bytes: Uint8Array, digest: string): void {
  const found = bytes.subarray(sealedPart(bytes).length);
  const expected = digestEntry(digest);
  if (expected.every((byte, i) => byte === found[i])) return;

  const sealed = expected.subarray(0, sealBytes - 64).every((byte, i) => byte === found[i]);
  if (!sealed) refuseIncomplete(bytes);
  refuse("be unchanged since its export", "other bytes than its digest says: fetch it again or export the model again");
}
