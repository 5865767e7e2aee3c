import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { RandomStream } from "../../src/random/random_stream.ts";
import { philox4x32 } from "../../src/random/philox.ts";

const N = 200_000;

/** Largest distance between the empirical distribution of sorted numbers and a cumulative distribution, times √n. */
function kolmogorov(values: Float64Array, cumulative: (x: number) => number): number {
  values.sort();
  let distance = 0;
  values.forEach((x, i) => {
    const p = cumulative(x);
    distance = Math.max(distance, p - i / values.length, (i + 1) / values.length - p);
  });
  return distance * Math.sqrt(values.length);
}

/** Φ by its series: exact to 1e-12 for |x| < 6. */
function normalCumulative(x: number): number {
  if (Math.abs(x) > 6) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17; k++) {
    term *= x * x / (2 * k + 1);
    sum += term;
  }
  return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/** √n·D exceeds 2.3 with probability 2 exp(−2·2.3²) = 5e-5. */
const KOLMOGOROV_LIMIT = 2.3;

Deno.test("RandomStream.uniform is uniform on [0, 1)", () => {
  const values = new RandomStream(11).fillUniforms(new Float64Array(N));
  assert(values.every((u) => u >= 0 && u < 1));
  const distance = kolmogorov(values, (x) => x);
  assert(distance < KOLMOGOROV_LIMIT, `√n·D = ${distance}`);
});

Deno.test("RandomStream.normal has the normal distribution", () => {
  const values = new RandomStream(12).fillNormals(new Float64Array(N));
  const distance = kolmogorov(values, normalCumulative);
  assert(distance < KOLMOGOROV_LIMIT, `√n·D = ${distance}`);
});

Deno.test("the Kolmogorov test rejects normals that are 3 % too wide and scaled sums of four uniforms", () => {
  const wide = new RandomStream(12).fillNormals(new Float64Array(N)).map((z) => 1.03 * z);
  assert(kolmogorov(wide, normalCumulative) > KOLMOGOROV_LIMIT);
  const uniforms = new RandomStream(13).fillUniforms(new Float64Array(4 * N));
  const sums = new Float64Array(N).map((_, i) =>
    Math.sqrt(3) * uniforms.subarray(4 * i, 4 * i + 4).reduce((a, b) => a + b, -2)
  );
  assert(kolmogorov(sums, normalCumulative) > KOLMOGOROV_LIMIT);
});

Deno.test("RandomStream.normal has the moments of the normal distribution and no correlation between neighbours", () => {
  const z = new RandomStream(14).fillNormals(new Float64Array(N));
  const mean = (f: (z: number, i: number) => number) => z.reduce((sum, value, i) => sum + f(value, i), 0) / N;
  // Variances of z, z², z³, z⁴ are 1, 2, 15, 96; five standard errors are exceeded once in 1.7 million.
  const within = (value: number, expected: number, variance: number) =>
    assert(Math.abs(value - expected) < 5 * Math.sqrt(variance / N), `${value} instead of ${expected}`);
  within(mean((x) => x), 0, 1);
  within(mean((x) => x * x), 1, 2);
  within(mean((x) => x ** 3), 0, 15);
  within(mean((x) => x ** 4), 3, 96);
  for (const lag of [1, 2, 3, 4, 76]) {
    within(mean((x, i) => x * z[(i + lag) % N]), 0, 1);
    within(mean((x, i) => (x * x - 1) * (z[(i + lag) % N] ** 2 - 1)), 0, 4);
  }
});

Deno.test("RandomStream.fillNormals does not depend on how the array is cut", () => {
  for (const start of [0, 1, 2, 3, 6]) {
    const whole = new RandomStream(3, 4, 5);
    whole.seek(start);
    const expected = whole.fillNormals(new Float64Array(300));
    const parts = new RandomStream(3, 4, 5);
    parts.seek(start);
    const actual = new Float64Array(300);
    for (let i = 0, n = 0; i < 300; i += n, n = (n + 1) % 140) parts.fillNormals(actual.subarray(i, i + n));
    assertEquals(actual, expected);
    assertEquals(parts.state, whole.state);
    const single = new RandomStream(3, 4, 5);
    single.seek(start);
    assertEquals(Float64Array.from({ length: 300 }, () => single.normal()), expected);
  }
});

/** A normal and a uniform after one another: means of u z² and of z, in their standard errors. */
function mixedMeans(draw: (k: number) => { readonly u: number; readonly z: number }): number[] {
  let [product, sum] = [0, 0];
  for (let k = 0; k < N; k++) {
    const { u, z } = draw(k);
    product += (u - 0.5) * (z * z - 1) / N;
    sum += (u - 0.5) * z / N;
  }
  // Variances 1/12 · 2 and 1/12.
  return [product / Math.sqrt(1 / 6 / N), sum / Math.sqrt(1 / 12 / N)].map(Math.abs);
}

Deno.test("RandomStream never makes two numbers of the same words, in whatever order kinds of draws come", () => {
  const orders: Record<string, (random: RandomStream) => { u: number; z: number }> = {
    "normal, uniform": (random) => ({ z: random.normal(), u: random.uniform() }),
    "uniform, normal": (random) => ({ u: random.uniform(), z: random.normal() }),
    "three normals, uniform": (random) => ({ z: random.fillNormals(new Float64Array(3))[2], u: random.uniform() }),
    "word, normal": (random) => ({ u: random.uint32() / 2 ** 32, z: random.normal() }),
    "integer, normals": (random) => ({ u: random.integer(1000) / 1000, z: random.fillNormals(new Float64Array(2))[0] }),
  };
  for (const [name, order] of Object.entries(orders)) {
    const random = new RandomStream(17, 3);
    const found = mixedMeans(() => order(random));
    assert(Math.max(...found) < 5, `${name}: ${found}`);
  }
  // What a stream that only counts words would do: the uniform is taken from the words of the normal.
  const [normals, words] = [new RandomStream(17, 3), new RandomStream(17, 3)];
  const [reused] = mixedMeans((k) => {
    normals.seek(4 * k);
    words.seek(4 * k);
    return { z: normals.normal(), u: words.uniform() };
  });
  assert(reused > 100, `${reused}`);
});

Deno.test("RandomStream goes on from its state between draws of two kinds", () => {
  const kinds = [
    (random: RandomStream) => random.normal(),
    (random: RandomStream) => random.uniform(),
    (random: RandomStream) => random.uint32(),
  ];
  for (const first of kinds) {
    for (const second of kinds) {
      const random = new RandomStream(5);
      first(random);
      const copy = RandomStream.fromState(JSON.parse(JSON.stringify(random.state)));
      assertEquals([second(copy), first(copy)], [second(random), first(random)]);
    }
  }
});

Deno.test("RandomStream is a function of its position, beyond 2^34 words too", () => {
  for (const position of [0, 1, 5, 2 ** 31 + 2, 2 ** 34 + 8, 2 ** 52 + 4]) {
    const a = new RandomStream(9, 1);
    a.seek(position);
    const first = [a.uint32(), a.uniform(), a.normal(), a.uint32()];
    const b = RandomStream.fromState({ seed: 9, stream: 1, substream: 0, position });
    assertEquals([b.uint32(), b.uniform(), b.normal(), b.uint32()], first);
    const block = Math.floor(position / 4);
    const words = new Uint32Array(4);
    philox4x32(block % 2 ** 32, Math.floor(block / 2 ** 32), 1, 0, 9, 0, words);
    a.seek(position);
    assertEquals(a.uint32(), words[position % 4]);
  }
});

Deno.test("RandomStream goes on from its state after a trip through JSON", () => {
  const random = new RandomStream(2 ** 53 - 1, 2 ** 32 - 1, 7);
  random.fillNormals(new Float64Array(11));
  const copy = RandomStream.fromState(JSON.parse(JSON.stringify(random.state)));
  assertEquals(copy.fillNormals(new Float64Array(9)), random.fillNormals(new Float64Array(9)));
});

Deno.test("RandomStream gives other numbers for another seed, stream or substream", () => {
  const draw = (...ids: [number, number?, number?]) => new RandomStream(...ids).uint32();
  const draws = [draw(1), draw(2), draw(1, 1), draw(1, 0, 1), draw(1 + 2 ** 32)];
  assertEquals(new Set(draws).size, draws.length);
});

Deno.test("RandomStream.integer is even over ranges that do not divide 2^32", () => {
  const random = new RandomStream(21);
  const n = 3 * 2 ** 30; // taking the remainder of a word would hit the lowest quarter of 2³² twice as often
  let low = 0;
  for (let k = 0; k < N; k++) low += random.integer(n) < 2 ** 30 ? 1 : 0;
  const error = Math.sqrt(N * (1 / 3) * (2 / 3));
  assert(Math.abs(low - N / 3) < 5 * error);
  const words = new RandomStream(21);
  let biased = 0;
  for (let k = 0; k < N; k++) biased += words.uint32() % n < 2 ** 30 ? 1 : 0;
  assert(Math.abs(biased - N / 3) > 5 * error, "the test must reject a plain remainder");
  assertEquals(random.integer(1), 0);
});

Deno.test("RandomStream.permutation gives every order of four equally often", () => {
  const random = new RandomStream(22);
  const counts = new Map<string, number>();
  const draws = 24_000;
  for (let k = 0; k < draws; k++) {
    const key = random.permutation(4).join("");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assertEquals(counts.size, 24);
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - draws / 24) ** 2 / (draws / 24), 0);
  assert(chiSquare < 62, `χ² with 23 degrees of freedom is ${chiSquare}`); // exceeded once in 50,000
  assertEquals(random.permutation(0).length, 0);
});

Deno.test("RandomStream refuses what it cannot count", () => {
  const rule = "must be a whole number from 0 to";
  assertThrows(() => new RandomStream(-1), RangeError, `Cannot make a random stream: seed ${rule} 2^53 - 1, got -1`);
  assertThrows(() => new RandomStream(1.5), RangeError, "got 1.5");
  assertThrows(() => new RandomStream(1, 2 ** 32), RangeError, `stream ${rule} 4294967295, got 4294967296`);
  assertThrows(() => new RandomStream(1, 0, NaN), RangeError, `substream ${rule} 4294967295, got NaN`);
  assertThrows(() => new RandomStream(1).seek(-4), RangeError, `position ${rule} 2^53 - 1, got -4`);
  assertThrows(
    () => new RandomStream(1).integer(0),
    RangeError,
    "n must be a whole number from 1 to 4294967296, got 0",
  );
  assertThrows(() => new RandomStream(1).permutation(-1), RangeError, "n must be a whole number");
});

Deno.test("RandomStream.normal returns the same bits everywhere", () => {
  const values = new RandomStream(2026).fillNormals(new Float64Array(4));
  assertEquals([...values], GOLDEN);
  assertNotEquals([...values], [...new RandomStream(2027).fillNormals(new Float64Array(4))]);
});

const GOLDEN = [-0.32850546204858927, 1.0913195255574162, 0.6041689553249693, -1.319520338381982];
