/**
 * The two halves of the coordinates that couplings move in turn.
 *
 * @module
 */

/**
 * Which coordinates form the first channel. "even-odd": 0, 2, 4, … (the x coordinates of particles in the plane whose
 * coordinates are interleaved); "halves": the first half. Of an odd number of coordinates the first channel has one more.
 */
export type ChannelSplit = "even-odd" | "halves";

/** The coordinates of two channels, and the way back. */
export interface Channels {
  /** Coordinates of the first channel, ascending. */
  readonly first: readonly number[];
  /** Coordinates of the second channel, ascending. */
  readonly second: readonly number[];
  /** Position in [first, second] of each coordinate. */
  readonly merge: readonly number[];
}

/** Splits dim coordinates into two channels. */
export function splitChannels(dim: number, split: ChannelSplit): Channels {
  const all = Array.from({ length: dim }, (_, i) => i);
  const inFirst = (i: number) => split === "even-odd" ? i % 2 === 0 : i < Math.ceil(dim / 2);
  const first = all.filter(inFirst);
  const second = all.filter((i) => !inFirst(i));
  const order = [...first, ...second];
  return { first, second, merge: all.map((i) => order.indexOf(i)) };
}
