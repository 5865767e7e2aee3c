/** Fractional bits of the cube roots of the first 64 primes (FIPS 180-4, §4.2.2), from the first digest on. */
let roundConstants: Uint32Array | undefined;

/** Fractional bits of the square roots of the first 8 primes (FIPS 180-4, §5.3.3), from the first digest on. */
let initialState: Uint32Array | undefined;

/**
 * Computes the SHA-256 digest of bytes, without waiting and in every runtime.
 *
 * The Web Crypto digest is asynchronous and absent from pages served over plain http; the checks of a model file need
 * neither secrecy nor speed, only the same short name for the same bytes everywhere.
 *
 * Reference: FIPS 180-4, §6.2.
 *
 * @param bytes the message, any length below 2⁵³/8
 * @returns 64 lower-case hexadecimal digits
 */
export function sha256(bytes: Uint8Array): string {
  const state = Uint32Array.from(initialState ??= fractionalBits(8, Math.sqrt));
  const schedule = new Uint32Array(64);
  const whole = bytes.length - bytes.length % 64;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += 64) compress(state, schedule, view, at);

  const tail = paddedTail(bytes, whole);
  for (let at = 0; at < tail.byteLength; at += 64) compress(state, schedule, tail, at);

  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

/** The last incomplete block, a single 1 bit, zeros, and the length in bits: 64 or 128 bytes. */
function paddedTail(bytes: Uint8Array, start: number): DataView {
  const rest = bytes.length - start;
  const tail = new Uint8Array(rest < 56 ? 64 : 128);
  tail.set(bytes.subarray(start));
  tail[rest] = 0x80;
  const view = new DataView(tail.buffer);
  view.setUint32(tail.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(tail.length - 4, (bytes.length * 8) % 2 ** 32);
  return view;
}

function compress(state: Uint32Array, w: Uint32Array, block: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = block.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const early = w[i - 15], late = w[i - 2];
    const s0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const s1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }

  const constants = roundConstants ??= fractionalBits(64, Math.cbrt);
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i]) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => state[i] += word);
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/**
 * First 32 fractional bits of a root of each of the first primes.
 *
 * The standard's constants fit float64 with room to spare: 32 bits after the point and at most 5 before it, of 53.
 */
function fractionalBits(count: number, root: (x: number) => number): Uint32Array {
  const bits = new Uint32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate++) {
    let prime = true;
    for (let d = 2; d * d <= candidate; d++) prime &&= candidate % d !== 0;
    if (prime) bits[found++] = Math.floor((root(candidate) % 1) * 2 ** 32);
  }
  return bits;
}
