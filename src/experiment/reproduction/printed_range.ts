/**
 * What printed digits leave open.
 *
 * @module
 */

/**
 * The range of numbers as they were printed: from the least to the largest, with half a unit of the last digit on either
 * side.
 *
 * @param printed one or more decimal numbers, with a minus sign of either kind
 * @returns [least, most]
 * @throws {RangeError} if there is none, or one is no decimal number
 */
export function printedRange(...printed: readonly string[]): readonly [least: number, most: number] {
  const ends = printed.map((text) => {
    const plain = text.replace("−", "-");
    const decimals = /^-?\d+(?:\.(\d+))?$/.exec(plain);
    if (decimals === null) {
      throw new RangeError(`Cannot read a printed number: printed must be decimal numbers, got "${text}"`);
    }
    const half = Number(`5e-${(decimals[1]?.length ?? 0) + 1}`);
    return [Number(plain) - half, Number(plain) + half].map(withoutNoise);
  });
  if (ends.length === 0) throw new RangeError("Cannot read a printed number: printed must hold one or more, got none");
  return [Math.min(...ends.map(([low]) => low)), Math.max(...ends.map(([, high]) => high))];
}

/** Without the last bits of a sum, which would be printed. */
function withoutNoise(value: number): number {
  return Number(value.toPrecision(12));
}
