/**
 * Counts the instructions of an exported WebAssembly function, with those of the functions it calls.
 *
 * Decodes the code section instruction by instruction (WebAssembly core specification 2.0, §5.4, with threads and relaxed
 * SIMD), so that bytes of constants are not mistaken for instructions.
 */

/** Prefix byte of SIMD instructions. */
export const simdPrefix = 0xfd;

/** Sub-opcodes of relaxed fused multiply-add: f32x4 madd, nmadd, f64x2 madd, nmadd. */
export const relaxedMultiplyAdds: readonly number[] = [0x105, 0x106, 0x107, 0x108];

/** Instructions by opcode; a prefixed one is numbered prefix·65536 + sub-opcode. */
export type OpcodeCounts = Map<number, number>;

class Reader {
  constructor(readonly bytes: Uint8Array, public at = 0) {}
  byte(): number {
    return this.bytes[this.at++];
  }
  /** LEB128, unsigned; signed ones are only skipped, where the sign does not matter. */
  leb(): number {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  skip(count: number): void {
    this.at += count;
  }
}

interface FunctionBody {
  readonly counts: OpcodeCounts;
  readonly calls: Set<number>;
}

/** Immediates of instructions without prefix: how many LEB128 numbers follow. */
function lebImmediates(opcode: number): number {
  if ([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x41, 0x42, 0xd0, 0xd2].includes(opcode)) return 1;
  if (opcode === 0x11) return 2;
  if (opcode >= 0x20 && opcode <= 0x26) return 1;
  if (opcode >= 0x28 && opcode <= 0x3e) return 2;
  return 0;
}

function skipSimd(reader: Reader, sub: number): void {
  if (sub <= 11 || (sub >= 84 && sub <= 93)) reader.leb(), reader.leb();
  if (sub === 12 || sub === 13) reader.skip(16);
  if ((sub >= 21 && sub <= 34) || (sub >= 84 && sub <= 91)) reader.skip(1);
}

function skipBulk(reader: Reader, sub: number): void {
  if (sub === 8 || sub === 10 || sub === 12 || sub === 14) reader.leb(), reader.leb();
  else if (sub >= 9) reader.leb();
}

function decode(reader: Reader, end: number): FunctionBody {
  const body: FunctionBody = { counts: new Map(), calls: new Set() };
  for (let groups = reader.leb(); groups > 0; --groups) reader.leb(), reader.leb();
  while (reader.at < end) {
    const opcode = reader.byte();
    let key = opcode;
    if (opcode === 0xfc || opcode === simdPrefix || opcode === 0xfe) {
      const sub = reader.leb();
      key = opcode * 65536 + sub;
      if (opcode === simdPrefix) skipSimd(reader, sub);
      else if (opcode === 0xfc) skipBulk(reader, sub);
      else if (sub === 3) reader.skip(1);
      else reader.leb(), reader.leb();
    } else if (opcode === 0x10) body.calls.add(reader.leb());
    else if (opcode === 0x0e) { for (let targets = reader.leb() + 1; targets > 0; --targets) reader.leb(); }
    else if (opcode === 0x1c) { for (let types = reader.leb(); types > 0; --types) reader.leb(); }
    else if (opcode === 0x43) reader.skip(4);
    else if (opcode === 0x44) reader.skip(8);
    else for (let numbers = lebImmediates(opcode); numbers > 0; --numbers) reader.leb();
    body.counts.set(key, (body.counts.get(key) ?? 0) + 1);
  }
  if (reader.at !== end) throw new Error(`Cannot decode WebAssembly: a function must end at ${end}, got ${reader.at}`);
  return body;
}

/** Exported function names with their index, and all bodies, of a module whose imports are not functions. */
function readModule(wasm: Uint8Array): { exported: Map<string, number>; bodies: FunctionBody[] } {
  const reader = new Reader(wasm, 8);
  const exported = new Map<string, number>();
  const bodies: FunctionBody[] = [];
  while (reader.at < wasm.length) {
    const id = reader.byte();
    const length = reader.leb();
    const end = reader.at + length;
    if (id === 7) {
      for (let count = reader.leb(); count > 0; --count) {
        const size = reader.leb();
        const name = new TextDecoder().decode(wasm.subarray(reader.at, reader.at + size));
        reader.skip(size);
        const kind = reader.byte();
        const index = reader.leb();
        if (kind === 0) exported.set(name, index);
      }
    } else if (id === 10) {
      for (let count = reader.leb(); count > 0; --count) {
        const size = reader.leb();
        bodies.push(decode(reader, reader.at + size));
      }
    }
    reader.at = end;
  }
  return { exported, bodies };
}

/**
 * Counts instructions of every exported function of a module, including the functions it calls.
 *
 * @param wasm Bytes of a module that imports no function.
 * @returns Counts by export name.
 */
export function exportedOpcodes(wasm: Uint8Array): Map<string, OpcodeCounts> {
  const { exported, bodies } = readModule(wasm);
  return new Map([...exported].map(([name, root]) => {
    const counts: OpcodeCounts = new Map();
    const reached = new Set([root]);
    for (const index of reached) {
      bodies[index].calls.forEach((callee) => reached.add(callee));
      bodies[index].counts.forEach((count, key) => counts.set(key, (counts.get(key) ?? 0) + count));
    }
    return [name, counts];
  }));
}

/** Counts SIMD instructions that compute: everything behind the SIMD prefix but constants, loads and stores. */
export function simdArithmetic(counts: OpcodeCounts): number {
  let sum = 0;
  for (const [key, count] of counts) {
    const sub = key - simdPrefix * 65536;
    if (sub > 12 && sub < 0x200 && !(sub >= 84 && sub <= 93)) sum += count;
  }
  return sum;
}
