/**
 * Seeded random numbers that are the same everywhere: uniforms, normals, integers, permutations.
 *
 * @module
 */
import { circlePoint, logOf } from "./elementary.ts";
import { philox4x32 } from "./philox.ts";

/** What a {@link RandomStream} needs to go on; plain JSON. */
export interface RandomStreamState {
  /** Seed of the stream. */
  readonly seed: number;
  /** Number of the stream. */
  readonly stream: number;
  /** Number of the substream. */
  readonly substream: number;
  /** Words drawn so far. */
  readonly position: number;
  /** What has been drawn of the block of four words that the position lies within; absent at its start. */
  readonly open?: "words" | "normals";
}

/** What a block of four words serves: a normal is made of all of them, everything else of one or two. */
type BlockUse = NonNullable<RandomStreamState["open"]>;

const TWO_32 = 2 ** 32;
/** 2⁻⁵². */
const STEP = 2 ** -52;

/** Blocks that `fillNormals` makes at once. */
const BATCH = 64;
const batch = new Uint32Array(4 * BATCH);
const point = new Float64Array(2);

/** Turns four words into two normals by the transform of Box and Muller. */
function normalPair(words: Uint32Array, at: number, out: Float64Array | Float32Array, to: number): void {
  // Midpoints of 2⁵² cells: neither 0 nor 1, so the largest normal is 8.57.
  const u = ((words[at + 1] >>> 12) * TWO_32 + words[at] + 0.5) * STEP;
  const turn = ((words[at + 3] >>> 12) * TWO_32 + words[at + 2]) * STEP;
  const radius = Math.sqrt(-2 * logOf(u));
  circlePoint(turn, point);
  out[to] = radius * point[0];
  out[to + 1] = radius * point[1];
}

function word(value: number, name: string): number {
  if (!Number.isInteger(value) || value < 0 || value >= TWO_32) {
    throw new RangeError(
      `Cannot make a random stream: ${name} must be a whole number from 0 to 4294967295, got ${value}`,
    );
  }
  return value;
}

function safeInteger(value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(
      `Cannot make a random stream: ${name} must be a whole number from 0 to 2^53 - 1, got ${value}`,
    );
  }
  return value;
}

/**
 * A sequence of random numbers that is a pure function of (seed, stream, substream) and a position.
 *
 * Words come from Philox4x32-10 with the seed as key and (position, stream, substream) as counter: streams never overlap,
 * any position can be reached at once, and no engine's mathematics library has a say in the bits. A position counts
 * 32-bit words; a uniform or a normal takes two. Two normals are made of four words together, so a draw of another kind
 * between them begins the next four.
 *
 * @example
 * ```ts
 * import { RandomStream } from "@boltzflow/boltzflow";
 * const random = new RandomStream(7, 1);
 * const z = random.fillNormals(new Float64Array(4));
 * const again = new RandomStream(7, 1);
 * again.seek(4);
 * if (again.normal() !== z[2]) throw new Error("a stream is a function of its position");
 * ```
 */
export class RandomStream {
  readonly #seed: number;
  readonly #stream: number;
  readonly #substream: number;
  readonly #keyLow: number;
  readonly #keyHigh: number;
  readonly #block = new Uint32Array(4);
  #position = 0;
  /** What the block at the position has served so far; undefined at its start, and where the stream was sent by `seek`. */
  #open: BlockUse | undefined;
  /** Number of the block that #block holds. */
  #held = -1;
  /** Number of the block whose two normals #pair holds. */
  #paired = -1;
  readonly #pair = new Float64Array(2);

  /**
   * Makes a stream at position 0.
   *
   * @param seed whole number from 0 to 2⁵³ − 1
   * @param stream whole number from 0 to 2³² − 1: what the numbers are for
   * @param substream whole number from 0 to 2³² − 1: which of several alike, such as a chain
   * @throws {RangeError} if one of them is out of range
   */
  constructor(seed: number, stream = 0, substream = 0) {
    this.#seed = safeInteger(seed, "seed");
    this.#stream = word(stream, "stream");
    this.#substream = word(substream, "substream");
    this.#keyLow = seed % TWO_32;
    this.#keyHigh = Math.floor(seed / TWO_32);
  }

  /**
   * Makes the stream that a state describes.
   *
   * @param state what `state` returned
   * @returns a stream that goes on where that one was
   * @throws {RangeError} if a field is out of range
   */
  static fromState(state: RandomStreamState): RandomStream {
    const random = new RandomStream(state.seed, state.stream, state.substream);
    random.seek(state.position);
    random.#open = state.open;
    return random;
  }

  /** Everything needed to go on from here. */
  get state(): RandomStreamState {
    const open = this.#isWithinBlock() ? this.#open : undefined;
    return {
      seed: this.#seed,
      stream: this.#stream,
      substream: this.#substream,
      position: this.#position,
      ...open && { open },
    };
  }

  /** Words drawn so far. */
  get position(): number {
    return this.#position;
  }

  #isWithinBlock(): boolean {
    return this.#position % 4 !== 0;
  }

  /** Leaves a block that serves something else: its words must not be used twice. */
  #serve(use: BlockUse): void {
    if (this.#open !== use && this.#open !== undefined && this.#isWithinBlock()) {
      this.#position += 4 - this.#position % 4;
    }
    this.#open = use;
  }

  /**
   * Goes to a position, forwards or back. What is drawn next may be of any kind.
   *
   * @param position words from the start of the stream, 0 ≤ position < 2⁵³
   * @throws {RangeError} if it is out of range
   */
  seek(position: number): void {
    this.#position = safeInteger(position, "position");
    this.#open = undefined;
  }

  #load(block: number): void {
    if (block === this.#held) return;
    this.#held = block;
    this.#generate(block, this.#block, 0);
  }

  #generate(block: number, out: Uint32Array, at: number): void {
    const high = Math.floor(block / TWO_32);
    // `| 0` takes the lower 32 bits, whatever the size.
    philox4x32(block | 0, high, this.#stream, this.#substream, this.#keyLow, this.#keyHigh, out, at);
  }

  /** Draws 32 random bits as a whole number from 0 to 2³² − 1. */
  uint32(): number {
    this.#serve("words");
    const position = this.#position++;
    this.#load(Math.floor(position / 4));
    return this.#block[position & 3];
  }

  /** Position rounded up to a pair of words, which is then taken. */
  #takePair(use: BlockUse): number {
    this.#serve(use);
    const position = this.#position + (this.#position & 1);
    this.#position = position + 2;
    return position;
  }

  /** Draws a number from [0, 1), a multiple of 2⁻⁵². */
  uniform(): number {
    const position = this.#takePair("words");
    this.#load(Math.floor(position / 4));
    const half = position & 2;
    return ((this.#block[half + 1] >>> 12) * TWO_32 + this.#block[half]) * STEP;
  }

  /** Fills #pair with the two normals of a block. */
  #loadNormals(block: number): void {
    if (block === this.#paired) return;
    this.#paired = block;
    this.#load(block);
    normalPair(this.#block, 0, this.#pair, 0);
  }

  /** Draws from the normal distribution of mean 0 and variance 1. */
  normal(): number {
    const position = this.#takePair("normals");
    this.#loadNormals(Math.floor(position / 4));
    return this.#pair[(position & 2) >> 1];
  }

  /**
   * Fills an array with normals of mean 0 and variance 1: the same numbers as that many calls of `normal`.
   *
   * @param out any length
   * @returns out
   */
  fillNormals<T extends Float64Array | Float32Array>(out: T): T {
    let i = 0;
    if (i < out.length) out[i++] = this.normal(); // from here on the position is even
    if (i < out.length && (this.#position & 2) !== 0) out[i++] = this.normal();
    // First all words of a batch, then all normals: each loop alone keeps the processor busier than both in one.
    while (out.length - i >= 2) {
      const blocks = Math.min(BATCH, (out.length - i) >> 1);
      const first = this.#position / 4;
      for (let k = 0; k < blocks; k++) this.#generate(first + k, batch, 4 * k);
      for (let k = 0; k < blocks; k++) normalPair(batch, 4 * k, out, i + 2 * k);
      this.#position += 4 * blocks;
      i += 2 * blocks;
    }
    if (i < out.length) out[i] = this.normal();
    return out;
  }

  /**
   * Fills an array with uniforms from [0, 1): the same numbers as that many calls of `uniform`, rounded to its type.
   *
   * @param out any length
   * @returns out
   */
  fillUniforms<T extends Float64Array | Float32Array>(out: T): T {
    for (let i = 0; i < out.length; i++) out[i] = this.uniform();
    return out;
  }

  /**
   * Draws a whole number from 0 to n − 1, each exactly as likely as the others.
   *
   * Words in the incomplete last run of n are drawn again.
   *
   * @param n 1 ≤ n ≤ 2³²
   * @returns the number
   * @throws {RangeError} if n is out of range
   */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO_32) {
      throw new RangeError(`Cannot draw an integer: n must be a whole number from 1 to 4294967296, got ${n}`);
    }
    const limit = TWO_32 - TWO_32 % n;
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % n;
    }
  }

  /**
   * Draws an order of 0 … n − 1, every order exactly as likely (Fisher and Yates).
   *
   * @param n 0 ≤ n ≤ 2³¹ − 1
   * @returns the numbers 0 … n − 1 in random order
   * @throws {RangeError} if n is out of range
   */
  permutation(n: number): Int32Array {
    if (!Number.isInteger(n) || n < 0 || n >= 2 ** 31) {
      throw new RangeError(`Cannot draw a permutation: n must be a whole number from 0 to 2147483647, got ${n}`);
    }
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }
}
