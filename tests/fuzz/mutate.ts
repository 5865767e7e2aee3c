/**
 * Damage to files: what disks, downloads and people with bad intentions do to bytes.
 *
 * @module
 */

/** Whole numbers below a bound, from a seed: xorshift32, so that a trial can be repeated from its number. */
export class Dice {
  #state: number;

  /** @param seed number of the trial */
  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  }

  /** A whole number from 0 to n − 1. */
  below(n: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor((x >>> 0) / 2 ** 32 * n);
  }

  /** One of a list. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

type Mutation = (bytes: Uint8Array, dice: Dice) => Uint8Array;

const joined = (...parts: Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const range = (bytes: Uint8Array, dice: Dice, longest = 64): [number, number] => {
  const start = dice.below(bytes.length + 1);
  return [start, Math.min(bytes.length, start + 1 + dice.below(longest))];
};

/** Numbers that are too large, too small or on the edge, in little-endian bytes and as varints. */
const extremes: readonly number[][] = [
  [0, 0, 0, 0],
  [255, 255, 255, 255],
  [255, 255, 255, 127],
  [0, 0, 0, 128],
  [255, 255, 255, 255, 255, 255, 255, 255],
  [0, 0, 0, 0, 0, 0, 32, 0],
  [255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
  [128, 128, 128, 128, 16],
  [1, 0],
];

/** Words that mean something to one format or another. */
const words: readonly string[] = [
  '"__proto__":',
  '"constructor"',
  "1e999",
  "-0",
  "NaN",
  "null",
  "99999999999999999999",
  "[".repeat(100),
  '{"a":'.repeat(60),
  '"a":1,"a":2,',
  "../../",
  "\\u0000",
  "\u0000",
  "\ud83d",
  "'shape': (",
  "PK\u0003\u0004",
];

const text = new TextEncoder();

/** Kinds of damage by name. */
export const mutations: Readonly<Record<string, Mutation>> = {
  flipBit(bytes, dice) {
    const changed = bytes.slice();
    if (bytes.length > 0) changed[dice.below(bytes.length)] ^= 1 << dice.below(8);
    return changed;
  },
  changeByte(bytes, dice) {
    const changed = bytes.slice();
    if (bytes.length > 0) changed[dice.below(bytes.length)] = dice.below(256);
    return changed;
  },
  /** The first bytes hold lengths and versions in most formats. */
  changeHead(bytes, dice) {
    const changed = bytes.slice();
    if (bytes.length > 0) changed[dice.below(Math.min(64, bytes.length))] = dice.below(256);
    return changed;
  },
  changeTail(bytes, dice) {
    const changed = bytes.slice();
    if (bytes.length > 0) changed[bytes.length - 1 - dice.below(Math.min(64, bytes.length))] = dice.below(256);
    return changed;
  },
  truncate: (bytes, dice) => bytes.slice(0, dice.below(bytes.length + 1)),
  cutHead: (bytes, dice) => bytes.slice(dice.below(bytes.length + 1)),
  insertNoise(bytes, dice) {
    const noise = Uint8Array.from({ length: 1 + dice.below(16) }, () => dice.below(256));
    const at = dice.below(bytes.length + 1);
    return joined(bytes.subarray(0, at), noise, bytes.subarray(at));
  },
  insertWord(bytes, dice) {
    const at = dice.below(bytes.length + 1);
    return joined(bytes.subarray(0, at), text.encode(dice.pick(words)), bytes.subarray(at));
  },
  duplicate(bytes, dice) {
    const [start, end] = range(bytes, dice);
    return joined(bytes.subarray(0, end), bytes.subarray(start, end), bytes.subarray(end));
  },
  remove(bytes, dice) {
    const [start, end] = range(bytes, dice);
    return joined(bytes.subarray(0, start), bytes.subarray(end));
  },
  zero(bytes, dice) {
    const changed = bytes.slice();
    const [start, end] = range(bytes, dice, 512);
    return changed.fill(0, start, end);
  },
  swap(bytes, dice) {
    const changed = bytes.slice();
    const [start, end] = range(bytes, dice);
    const other = dice.below(bytes.length - (end - start) + 1);
    changed.copyWithin(start, other, other + end - start);
    return changed;
  },
  overwriteNumber(bytes, dice) {
    const changed = bytes.slice();
    const number = dice.pick(extremes);
    const at = dice.below(Math.max(1, bytes.length - number.length + 1));
    changed.set(number.slice(0, changed.length - at), at);
    return changed;
  },
  /** A digit of a decimal number, of which JSON and NumPy headers are full. */
  changeDigit(bytes, dice) {
    const digits = [...bytes.keys()].filter((i) => bytes[i] >= 0x30 && bytes[i] <= 0x39);
    if (digits.length === 0) return bytes.slice();
    const at = dice.pick(digits);
    const number = text.encode(dice.pick(["0", "9", "-1", "1e9", "4294967296", "9007199254740993", "0.5"]));
    return joined(bytes.subarray(0, at), number, bytes.subarray(at + 1));
  },
};

const kinds = Object.values(mutations);

/**
 * Damages a file, once to four times.
 *
 * @param bytes the file
 * @param trial number of the trial; the same number gives the same damage
 */
export function damage(bytes: Uint8Array, trial: number): Uint8Array<ArrayBuffer> {
  const dice = new Dice(trial);
  let changed = bytes;
  for (let left = dice.pick([1, 1, 1, 2, 4]); left > 0; left--) changed = dice.pick(kinds)(changed, dice);
  return changed.slice();
}
