/** Multiplier and key increment of Philox 2×32 (Salmon et al. 2011, table 2). */
const MULTIPLIER_HIGH = 0xd256;
const MULTIPLIER_LOW = 0xd193;
const MULTIPLIER = 0xd256d193 | 0;
const KEY_INCREMENT = 0x9e3779b9 | 0;

/**
 * Draws random numbers as a function of (seed, stream, counter), with Philox 2×32 of ten rounds.
 *
 * Equal seed and stream give equal numbers; different streams of one seed are independent, so that bootstrap replicate
 * r is stream r whatever was drawn before it. Each stream holds 2³³ words.
 *
 * Reference: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011.
 */
export class CounterRandom {
  readonly #key: number;
  readonly #stream: number;
  #counter = 0;
  #spare = 0;
  #hasSpare = false;

  /**
   * Starts a stream at its first number.
   *
   * @param seed any integer from 0 to 2⁵³ − 1 (folded to 32 bits)
   * @param stream which of the seed's 2³² streams
   * @throws {RangeError} if `seed` or `stream` is not such an integer
   */
  constructor(seed: number, stream = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Cannot start a random stream: seed must be an integer from 0 to 2^53 - 1, got ${seed}`);
    }
    if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32) {
      throw new RangeError(`Cannot start a random stream: stream must be an integer from 0 to 2^32 - 1, got ${stream}`);
    }
    this.#key = (seed | 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b);
    this.#stream = stream | 0;
  }

  /**
   * Draws 32 random bits.
   *
   * @returns an integer from 0 to 2³² − 1
   */
  uint32(): number {
    if (this.#hasSpare) {
      this.#hasSpare = false;
      return this.#spare;
    }
    let left = this.#counter;
    let right = this.#stream;
    let key = this.#key;
    for (let round = 0; round < 10; round++) {
      const low = left & 0xffff;
      const high = left >>> 16;
      const lowLow = Math.imul(MULTIPLIER_LOW, low);
      const highLow = Math.imul(MULTIPLIER_HIGH, low);
      const lowHigh = Math.imul(MULTIPLIER_LOW, high);
      const carry = ((lowLow >>> 16) + (highLow & 0xffff) + (lowHigh & 0xffff)) >>> 16;
      const upper = (Math.imul(MULTIPLIER_HIGH, high) + (highLow >>> 16) + (lowHigh >>> 16) + carry) | 0;
      const lower = Math.imul(MULTIPLIER, left);
      left = upper ^ key ^ right;
      right = lower;
      key = (key + KEY_INCREMENT) | 0;
    }
    this.#counter = (this.#counter + 1) | 0;
    this.#spare = right >>> 0;
    this.#hasSpare = true;
    return left >>> 0;
  }

  /**
   * Draws a number uniform on (0, 1); neither end occurs.
   *
   * @returns one of the 2³² midpoints (k + ½) / 2³²
   */
  uniform(): number {
    return (this.uint32() + 0.5) / 2 ** 32;
  }

  /**
   * Draws an index.
   *
   * By scaling 32 bits: the odds of two indices differ by at most count/2³² of themselves (2e-4 for a million).
   *
   * @param count how many indices there are, up to 2³¹
   * @returns an integer from 0 to count − 1
   */
  below(count: number): number {
    return Math.floor(this.uint32() / 2 ** 32 * count);
  }
}
