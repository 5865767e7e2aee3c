/**
 * Reading zip archives as NumPy writes them, entry by entry and under limits.
 *
 * Our own reader, because the ones at hand check no CRC-32 (a flipped bit would be a wrong number), believe the sizes that a
 * file claims, and keep the last of two entries with one name.
 *
 * @module
 */

import { type Refusal, showJson } from "./parse_json.ts";

/** Limits under which an archive is read. */
export interface ZipLimits {
  /** Largest accepted number of entries. */
  readonly maximumEntries: number;
  /** Largest accepted size of all entries together, unpacked, in bytes. */
  readonly maximumBytes: number;
}

/** Unpacks raw deflate data into exactly as many bytes; throws whatever it likes. */
export type Inflate = (packed: Uint8Array, size: number) => Uint8Array;

/** An entry as the directory at the end of the archive describes it. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly packedSize: number;
  readonly size: number;
  readonly start: number;
}

const signatures = { end: 0x06054b50, entry: 0x02014b50, local: 0x04034b50 } as const;
const lengths = { end: 22, entry: 46, local: 30 } as const;

/** Deflate packs at most 1032 bytes into one. */
const bestRatio = 1032;

const longestName = 200;

/**
 * Unpacks an archive.
 *
 * Stored and deflated entries of less than 4 GiB are read, without encryption; entries must not overlap. Each is checked
 * against its size and CRC-32. Before an entry is unpacked, sizes are held against the limits and against what deflate can
 * do.
 *
 * Reference: PKWARE, APPNOTE.TXT 6.3, 4.3.
 *
 * @param bytes the whole file
 * @param limits how large the content may be
 * @param inflate unpacks deflated data
 * @param refuse throws the error
 * @returns contents by name, in the order of the directory
 */
export function readZip(
  bytes: Uint8Array,
  limits: ZipLimits,
  inflate: Inflate,
  refuse: Refusal,
): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(bytes, view, limits, refuse);
  checkApart(entries, view, refuse);
  return new Map(entries.map((entry) => [entry.name, unpack(bytes, view, entry, inflate, refuse)]));
}

/** Finds the last record of an archive, which ends with a comment that is none here, and reads the list before it. */
function readDirectory(bytes: Uint8Array, view: DataView, limits: ZipLimits, refuse: Refusal): Entry[] {
  const end = bytes.length - lengths.end;
  if (end < 0 || view.getUint32(end, true) !== signatures.end || view.getUint16(end + 20, true) !== 0) {
    return refuse("the file must be a whole zip file, got other content");
  }
  const [disk, firstDisk, here, count] = [4, 6, 8, 10].map((at) => view.getUint16(end + at, true));
  const [size, start] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  if (disk !== 0 || firstDisk !== 0 || here !== count) refuse("the archive must be in one piece, got a part of it");
  if (count > limits.maximumEntries) refuse(`it must hold at most ${limits.maximumEntries} arrays, got more`);
  if (start + size !== end) refuse(`the list of entries must end at byte ${end}, got ${start + size}`);
  const entries: Entry[] = [];
  let [at, unpacked] = [start, 0];
  for (let i = 0; i < count; i++) {
    if (at + lengths.entry > end) refuse(`the list must hold ${count} entries, got ${i}`);
    const entry = readEntry(bytes, view, at, end, refuse);
    if (entries.some(({ name }) => name === entry.name)) {
      refuse(`names must be unique, got ${JSON.stringify(entry.name)} twice`);
    }
    unpacked += entry.size;
    if (unpacked > limits.maximumBytes) refuse(`it must hold at most ${limits.maximumBytes} bytes, got more`);
    entries.push(entry);
    at += lengths.entry + [28, 30, 32].reduce((sum, field) => sum + view.getUint16(at + field, true), 0);
  }
  if (at !== end) refuse(`the list of entries must end at byte ${end}, got ${at}`);
  return entries;
}

function readEntry(bytes: Uint8Array, view: DataView, at: number, end: number, refuse: Refusal): Entry {
  if (view.getUint32(at, true) !== signatures.entry) refuse("the list must hold entries only, got something else");
  const nameLength = view.getUint16(at + 28, true);
  if (at + lengths.entry + nameLength > end) refuse("names must end within the list, got one that breaks off");
  const name = readName(bytes.subarray(at + lengths.entry, at + lengths.entry + nameLength), refuse);
  const about = JSON.stringify(name);
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  if ((flags & 1) !== 0) refuse(`${about} must not be encrypted, got an encrypted one`);
  if (method !== 0 && method !== 8) refuse(`${about} must be stored or deflated, got method ${method}`);
  const [checksum, packedSize, size, start] = [16, 20, 24, 42].map((field) => view.getUint32(at + field, true));
  if ([packedSize, size, start].includes(0xffffffff)) refuse(`${about} must be smaller than 4 GiB, got a larger one`);
  if (method === 0 && packedSize !== size) refuse(`${about} must take ${size} bytes, got ${packedSize}`);
  if (size > bestRatio * packedSize) refuse(`${about} must unpack to at most ${bestRatio} times its size, got ${size}`);
  return { name, method, checksum, packedSize, size, start };
}

/** A name that no reader can take for a way out of a directory. */
function readName(bytes: Uint8Array, refuse: Refusal): string {
  let name = "";
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch {
    refuse("names must be UTF-8, got other bytes");
  }
  // deno-lint-ignore no-control-regex
  const isPlain = /^[^\u0000-\u001f\u007f-\u009f\\:]+$/.test(name) && name.length <= longestName &&
    name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  return isPlain ? name : refuse(`names must be relative paths of plain text, got ${showJson(name.slice(0, 40))}`);
}

/** Entries that share bytes make bombs of small files. */
function checkApart(entries: readonly Entry[], view: DataView, refuse: Refusal): void {
  let end = 0;
  for (const entry of entries.toSorted((a, b) => a.start - b.start)) {
    const about = JSON.stringify(entry.name);
    if (entry.start < end) refuse(`${about} must begin after byte ${end}, got ${entry.start}`);
    if (entry.start + lengths.local > view.byteLength) refuse(`${about} must lie within the file, got ${entry.start}`);
    end = dataStart(view, entry) + entry.packedSize;
    if (end > view.byteLength) refuse(`${about} must end within the file, got ${end} of ${view.byteLength} bytes`);
  }
}

function dataStart(view: DataView, { start }: Entry): number {
  return start + lengths.local + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
}

function unpack(bytes: Uint8Array, view: DataView, entry: Entry, inflate: Inflate, refuse: Refusal): Uint8Array {
  const { name, start, method, size, packedSize, checksum } = entry;
  const about = JSON.stringify(name);
  const local = start + lengths.local;
  const localName = bytes.subarray(local, local + view.getUint16(start + 26, true));
  const isSame = view.getUint32(start, true) === signatures.local && view.getUint16(start + 8, true) === method &&
    equal(localName, new TextEncoder().encode(name));
  if (!isSame) refuse(`${about} must have a header of its own, got another`);
  const from = dataStart(view, entry);
  const packed = bytes.subarray(from, from + packedSize);
  const content = method === 0 ? packed : inflateWhole(packed, size, inflate, about, refuse);
  const sum = crc32(content);
  if (sum !== checksum) {
    refuse(`CRC-32 of ${about} must be ${checksum}, got ${sum}: the file was changed or damaged, use another one`);
  }
  return content;
}

function inflateWhole(packed: Uint8Array, size: number, inflate: Inflate, about: string, refuse: Refusal): Uint8Array {
  let content: Uint8Array;
  try {
    content = inflate(packed, size);
  } catch {
    return refuse(`${about} must be deflated data, got other bytes`);
  }
  return content.length === size ? content : refuse(`${about} must unpack to ${size} bytes, got ${content.length}`);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

let table: Uint32Array | undefined;

/**
 * The checksum of zip files: the remainder of a division by x³² + x²⁶ + … + 1 over GF(2), bits reversed.
 *
 * Reference: ISO 3309.
 */
export function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  });
  let rest = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) rest = table[(rest ^ bytes[i]) & 255] ^ (rest >>> 8);
  return ~rest >>> 0;
}
