/**
 * float16: numbers of 16 bits, as weights are stored in small models.
 *
 * @module
 */

/**
 * Rounds numbers to float16, ties to even.
 *
 * @param values finite numbers up to 65504 in size
 * @returns the 16 bits of each
 * @throws {RangeError} if one is too large
 */
export function toHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, (value) => {
    const size = Math.abs(value);
    // Numbers below 2⁻¹⁴ have the spacing of those above it.
    const exponent = Math.max(size === 0 ? -14 : exponentOf(size), -14);
    const steps = roundToEven(size / 2 ** (exponent - 10));
    // One step more than the largest mantissa carries into the exponent by itself.
    const bits = steps + (exponent + 14) * 1024;
    if (!(bits < 0x7c00)) {
      throw new RangeError(`Cannot export flow: weights of float16 must be within ±65504, got ${value}`);
    }
    return bits | (value < 0 || Object.is(value, -0) ? 0x8000 : 0);
  });
}

/**
 * The numbers that float16 bits stand for.
 *
 * @param bits 16 bits of each, none infinite
 */
export function fromHalf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, (all) => {
    const [exponent, mantissa] = [(all >> 10) & 31, all & 1023];
    const size = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25);
    return all & 0x8000 ? -size : size;
  });
}

/** The exponent of a float32 that is a normal number, or less than that of any. */
function exponentOf(size: number): number {
  const bits = new Uint32Array(Float32Array.of(size).buffer)[0];
  return (bits >>> 23) - 127;
}

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
