/**
 * The extended XYZ format: configurations as text, for OVITO, ASE and other viewers of particles.
 *
 * @module
 */

/** What the coordinates are. */
export interface XyzLayout {
  /** One letter or element symbol for every particle. */
  readonly species: readonly string[];
  /** Coordinates per particle in `x`: 1, 2 or 3; missing ones are written as 0. */
  readonly spatialDim: 1 | 2 | 3;
  /** Edge lengths of the box, if there is one; missing ones are written as 1. The origin of the box is −edge/2. */
  readonly box?: readonly number[];
  /** Whether the box repeats itself; default false. */
  readonly periodic?: boolean;
  /** Numbers that belong to each frame, [n] each, by name: for example energies. */
  readonly perFrame?: { readonly [name: string]: ArrayLike<number> };
}

/**
 * Writes configurations frame by frame in extended XYZ format.
 *
 * Numbers are written so that reading them gives the same float64 again. The result is a sequence of pieces of text, one
 * for each frame, so that any number of frames can go to a file without ever being one string.
 *
 * Reference: the extended XYZ specification, https://github.com/libAtoms/extxyz.
 *
 * @param x configurations, [n, particles · spatialDim], row-major
 * @param layout species, dimension, box and numbers per frame
 * @returns one text per frame, each ending in a newline
 * @throws {RangeError} if sizes do not match, names or species hold blanks, or a number is not finite
 *
 * @example Two particles in the plane
 * ```ts
 * import { encodeXyz } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const frames = encodeXyz(Float64Array.of(0, 1, 2, 0.5), { species: ["D", "D"], spatialDim: 2 });
 *
 * assertEquals([...frames], ['2\nProperties=species:S:1:pos:R:3 pbc="F F F"\nD 0 1 0\nD 2 0.5 0\n']);
 * ```
 */
export function encodeXyz(x: ArrayLike<number>, layout: XyzLayout): Iterable<string> {
  const { species, spatialDim, perFrame = {} } = layout;
  const dim = species.length * spatialDim;
  if (species.length === 0 || x.length % dim !== 0) {
    throw new RangeError(
      `Cannot write XYZ: x must hold whole configurations of ${species.length} particles in ${spatialDim} D, got ${x.length} numbers`,
    );
  }
  const n = x.length / dim;
  for (const symbol of species) checkWord("species", symbol);
  for (const [name, values] of Object.entries(perFrame)) {
    checkWord("names per frame", name);
    if (values.length !== n) {
      throw new RangeError(
        `Cannot write XYZ: ${name} must have one number for each of ${n} frames, got ${values.length}`,
      );
    }
  }
  return frames(x, n, layout);
}

function* frames(x: ArrayLike<number>, n: number, layout: XyzLayout): Generator<string> {
  const { species, spatialDim, perFrame = {} } = layout;
  const fixed = `${describeBox(layout)}Properties=species:S:1:pos:R:3 pbc="${
    Array(3).fill(layout.periodic ? "T" : "F").join(" ")
  }"`;
  const padding = " 0".repeat(3 - spatialDim);
  let position = 0;
  for (let frame = 0; frame < n; frame++) {
    const numbers = Object.entries(perFrame).map(([name, values]) => ` ${name}=${finite(values[frame], name, frame)}`);
    const lines = [`${species.length}`, fixed + numbers.join("")];
    for (const symbol of species) {
      let line = symbol;
      for (let axis = 0; axis < spatialDim; axis++) line += ` ${finite(x[position++], "x", frame)}`;
      lines.push(line + padding);
    }
    yield lines.join("\n") + "\n";
  }
}

function describeBox({ box }: XyzLayout): string {
  if (box === undefined) return "";
  const edges = [0, 1, 2].map((axis) => finite(box[axis] ?? 1, "box", 0));
  const origin = edges.map((edge) => -edge / 2);
  return `Lattice="${edges[0]} 0 0 0 ${edges[1]} 0 0 0 ${edges[2]}" Origin="${origin.join(" ")}" `;
}

function finite(value: number, name: string, frame: number): number {
  if (Number.isFinite(value)) return value;
  throw new RangeError(`Cannot write XYZ: ${name} must be finite, got ${value} in frame ${frame}`);
}

function checkWord(what: string, word: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(word)) return;
  throw new RangeError(
    `Cannot write XYZ: ${what} must be words of letters, digits and "_", got ${JSON.stringify(word)}`,
  );
}
