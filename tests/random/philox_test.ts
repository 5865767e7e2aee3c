import { assertEquals, assertNotEquals } from "@std/assert";
import { philox4x32 } from "../../src/random/philox.ts";

/** Vectors of the authors' library Random123 (kat_vectors, philox4x32 10): counter, key, result. */
const vectors: readonly [string, string, string][] = [
  ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
];

const parse = (text: string) => text.split(" ").map((digits) => parseInt(digits, 16));

/** The generator written with big integers: slow, and nothing to get wrong in halves of words. */
function plainPhilox(counter: readonly number[], key: readonly number[], rounds = 10): number[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  for (let round = 0; round < rounds; round++) {
    const p0 = c0 * 0xd2511f53n;
    const p1 = c2 * 0xcd9e8d57n;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

function words(counter: readonly number[], key: readonly number[]): number[] {
  const out = new Uint32Array(4);
  philox4x32(counter[0], counter[1], counter[2], counter[3], key[0], key[1], out);
  return [...out];
}

Deno.test("philox4x32 gives the published vectors", () => {
  for (const [counter, key, result] of vectors) assertEquals(words(parse(counter), parse(key)), parse(result));
});

Deno.test("philox4x32 equals a big-integer version on corner cases and on its own output", () => {
  const corners = [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffff0000, 0xffffffff];
  let state = [1, 2, 3, 4];
  for (let k = 0; k < 2000; k++) {
    const key = [state[1], state[2]];
    const counter = k < 512 ? [corners[k & 7], state[0], corners[(k >> 3) & 7], corners[(k >> 6) & 7]] : state;
    assertEquals(words(counter, key), plainPhilox(counter, key));
    state = words(counter, key);
  }
});

Deno.test("philox4x32 vectors reject a generator with one round too few", () => {
  for (const [counter, key, result] of vectors) {
    assertEquals(plainPhilox(parse(counter), parse(key)), parse(result));
    assertNotEquals(plainPhilox(parse(counter), parse(key), 9), parse(result));
  }
});

Deno.test("philox4x32 writes where it is told to", () => {
  const out = new Uint32Array(12).fill(7);
  philox4x32(0, 0, 0, 0, 0, 0, out, 4);
  assertEquals([...out], [7, 7, 7, 7, ...parse(vectors[0][2]), 7, 7, 7, 7]);
});
