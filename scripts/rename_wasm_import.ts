/**
 * Renames the module that a WebAssembly binary imports from.
 *
 * AssemblyScript always imports its memory from "env". As an ES module a `.wasm` file must name a real module, so the
 * build rewrites that one string of the import section (WebAssembly core specification 2.0, §5.5.5).
 *
 * @module
 */

const importSection = 2;
const headerLength = 8; // magic and version

class Reader {
  constructor(readonly bytes: Uint8Array, public position = 0) {}

  byte(): number {
    return this.take(1)[0];
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    const start = this.position;
    this.position += length;
    if (this.position > this.bytes.length) {
      throw new Error(
        `Cannot read WebAssembly: the file must not end inside a section, got ${this.bytes.length} bytes`,
      );
    }
    return this.bytes.subarray(start, this.position);
  }
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push((value % 128) | (rest > 0 ? 0x80 : 0));
    value = rest;
  } while (value > 0);
  return bytes;
}

function named(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...leb128(bytes.length), ...bytes];
}

/** Moves past one import descriptor: function, table, memory or global. */
function skipDescriptor(reader: Reader): void {
  const limits = () => {
    const flags = reader.byte();
    reader.number();
    if (flags & 1) reader.number();
  };
  const kind = reader.byte();
  if (kind === 0) reader.number();
  else if (kind === 1) reader.byte(), limits();
  else if (kind === 2) limits();
  else if (kind === 3) reader.take(2);
  else throw new Error(`Cannot read WebAssembly: an import's kind must be 0 to 3, got ${kind}`);
}

function renameImports(section: Uint8Array, from: string, to: string): number[] {
  const reader = new Reader(section);
  const count = reader.number();
  const output = leb128(count);
  for (let i = 0; i < count; ++i) {
    const module = new TextDecoder().decode(reader.take(reader.number()));
    const start = reader.position;
    reader.take(reader.number());
    skipDescriptor(reader);
    output.push(...named(module === from ? to : module), ...section.subarray(start, reader.position));
  }
  return output;
}

/**
 * Renames an import module of a WebAssembly binary and leaves every other byte as it is.
 *
 * @param wasm Bytes of the module.
 * @param from Module name to replace.
 * @param to Its new name.
 * @returns New bytes.
 * @throws {Error} If the bytes are not a WebAssembly module.
 */
export function renameImportModule(wasm: Uint8Array, from: string, to: string): Uint8Array<ArrayBuffer> {
  const reader = new Reader(wasm);
  const header = reader.take(headerLength);
  if (String.fromCharCode(...header.subarray(0, 4)) !== "\0asm") {
    throw new Error(`Cannot read WebAssembly: the file must start with "\\0asm", got ${header.subarray(0, 4)}`);
  }
  const parts: Uint8Array[] = [header];
  while (reader.position < wasm.length) {
    const start = reader.position;
    const id = reader.byte();
    const content = reader.take(reader.number());
    if (id !== importSection) {
      parts.push(wasm.subarray(start, reader.position));
      continue;
    }
    const renamed = renameImports(content, from, to);
    parts.push(new Uint8Array([id, ...leb128(renamed.length), ...renamed]));
  }
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
