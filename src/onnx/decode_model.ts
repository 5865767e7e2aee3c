import { digestEntry, digestKey, formatKey, formatVersion } from "./encode_model.ts";
import { irVersion, type Model, opsetVersion, producerName } from "./model.ts";
import { readFields, readText } from "./protobuf.ts";
import { readGraph } from "./read_graph.ts";

/** Largest file that is looked at: far above any flow, far below what protobuf allows. */
const maximumBytes = 2 ** 30;

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
 * {@linkcode encodeModel} put last.
 *
 * @param bytes the whole file, at most 1 GiB
 * @returns the model; its metadata without the encoder's own entries
 * @throws {Error} if the file is foreign, incomplete, changed, or from the future
 */
export function decodeModel(bytes: Uint8Array): Model {
  if (bytes.length === 0 || bytes.length > maximumBytes) refuse(`hold 1 to ${maximumBytes} bytes`, `${bytes.length}`);
  const envelope = openEnvelope(bytes);
  if (envelope.producer !== producerName) {
    refuse(`be written by ${producerName}`, `one written by "${envelope.producer}"`);
  }
  checkFormat(envelope, bytes);
  checkDigest(bytes);
  const metadata = envelope.metadata.filter(([key]) => key !== formatKey && key !== digestKey);
  try {
    const graph = readGraph(envelope.graph);
    return { ...graph, producerVersion: envelope.producerVersion, metadata: Object.fromEntries(metadata) };
  } catch (error) {
    refuse("hold a graph of this package", (error as Error).message);
  }
}

function refuse(rule: string, got: string): never {
  throw new Error(`Cannot read ONNX model: file must ${rule}, got ${got}`);
}

/** Says that a file of ours breaks off: by far the likeliest damage is an interrupted download. */
function refuseIncomplete(bytes: Uint8Array): never {
  refuse("be complete", `${bytes.length} bytes that break off: fetch it again`);
}

function openEnvelope(bytes: Uint8Array): Envelope {
  const envelope: Envelope = {
    irVersion: 0,
    producer: "",
    producerVersion: "",
    opset: 0,
    graph: new Uint8Array(),
    metadata: [],
  };
  try {
    for (const field of readFields(bytes)) {
      if (field.kind === "integer" && field.number === 1) envelope.irVersion = field.value;
      if (field.kind === "bytes") readEnvelopeField(envelope, field.number, field.value);
    }
  } catch {
    if (envelope.producer === producerName) refuseIncomplete(bytes);
    refuse("be an ONNX model", `${bytes.length} bytes that are none`);
  }
  if (envelope.irVersion === 0) refuse("be an ONNX model", `${bytes.length} bytes that are none`);
  return envelope;
}

function readEnvelopeField(envelope: Envelope, number: number, value: Uint8Array): void {
  if (number === 2) envelope.producer = readText(value);
  else if (number === 3) envelope.producerVersion = readText(value);
  else if (number === 7) envelope.graph = value;
  else if (number === 8) {
    for (const field of readFields(value)) {
      if (field.number === 2 && field.kind === "integer") envelope.opset = field.value;
    }
  } else if (number === 14) {
    const entry = ["", ""] as [string, string];
    for (const field of readFields(value)) {
      if (field.kind === "bytes" && field.number <= 2) entry[field.number - 1] = readText(field.value);
    }
    envelope.metadata.push(entry);
  }
}

function checkFormat(envelope: Envelope, bytes: Uint8Array): void {
  const format = envelope.metadata.find(([key]) => key === formatKey)?.[1];
  if (format === undefined) refuseIncomplete(bytes);
  if (format !== String(formatVersion)) {
    refuse(`have format ${formatVersion}`, `format ${format}: update boltzflow or export the model again`);
  }
  if (envelope.irVersion !== irVersion || envelope.opset !== opsetVersion) {
    refuse(
      `have IR ${irVersion} and opset ${opsetVersion}`,
      `IR ${envelope.irVersion} and opset ${envelope.opset}: export the model again`,
    );
  }
}

function checkDigest(bytes: Uint8Array): void {
  const length = digestEntry(new Uint8Array()).length;
  const body = bytes.subarray(0, bytes.length - length);
  const found = bytes.subarray(bytes.length - length);
  const expected = digestEntry(body);
  if (expected.every((byte, i) => byte === found[i])) return;

  const sealed = expected.subarray(0, length - 64).every((byte, i) => byte === found[i]);
  if (!sealed) refuseIncomplete(bytes);
  refuse("be unchanged since its export", "other bytes than its digest says: fetch it again or export the model again");
}
