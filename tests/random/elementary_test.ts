import { assert, assertEquals } from "@std/assert";
import { circlePoint, expm1Of, expOf, log1pOf, logOf, powerOf, tanhOf } from "../../src/random/elementary.ts";
import { cosOf, sinOf } from "../../src/random/elementary_sine.ts";
import { RandomStream } from "../../src/random/random_stream.ts";

/** Math.log is within an ulp of the truth in every engine; logOf claims 4e-16: their quotient stays within both. */
const LOG_TOLERANCE = 4e-16 + 2.3e-16;

Deno.test("logOf equals the logarithm over all exponents", () => {
  const random = new RandomStream(1);
  let worst = 0;
  for (let k = 0; k < 200_000; k++) {
    const x = (1 + random.uniform()) * 2 ** (random.integer(2045) - 1022);
    worst = Math.max(worst, Math.abs(logOf(x) / Math.log(x) - 1));
  }
  assert(worst < LOG_TOLERANCE, `relative error ${worst}`);
});

Deno.test("logOf keeps its relative error beside 1 and is exact at 1 and powers of two", () => {
  for (let k = 0; k < 60; k++) {
    for (const x of [1 + 2 ** -k, 1 - 2 ** -k / 2]) {
      const truth = Math.log(x);
      assert(Math.abs(logOf(x) - truth) <= LOG_TOLERANCE * Math.abs(truth), `ln ${x}`);
    }
  }
  assertEquals(logOf(1), 0);
  assertEquals(logOf(2), Math.LN2);
  assertEquals(logOf(2 ** -52), -52 * Math.LN2);
});

Deno.test("circlePoint equals cosine and sine", () => {
  const random = new RandomStream(2);
  const point = new Float64Array(2);
  let worst = 0;
  for (let k = 0; k < 100_000; k++) {
    const turn = random.uniform();
    circlePoint(turn, point);
    // 2π·turn is rounded by up to 4.4e-16 before the library sees it.
    const angle = 2 * Math.PI * turn;
    worst = Math.max(worst, Math.abs(point[0] - Math.cos(angle)), Math.abs(point[1] - Math.sin(angle)));
  }
  assert(worst < 4e-16 + 4.4e-16 + 1.2e-16 + 2.5e-16, `absolute error ${worst}`);
});

Deno.test("circlePoint is exact at quarter turns", () => {
  const point = new Float64Array(2);
  const quarters = [[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]];
  quarters.forEach(([x, y], k) => {
    circlePoint(k / 4, point);
    assertEquals([point[0] + 0, point[1] + 0], [x, y]);
  });
});

/** Functions with V8's own and a bound: ours as documented, V8's within an ulp, 2.3e-16. */
const relative: {
  name: string;
  f(x: number): number;
  truth(x: number): number;
  bound: number;
  at(t: number): number;
}[] = [
  { name: "exp", f: expOf, truth: Math.exp, bound: 3.5e-16 + 2.3e-16, at: (t) => 1417 * t - 708 },
  { name: "exp near 0", f: expOf, truth: Math.exp, bound: 3.5e-16 + 2.3e-16, at: (t) => 2 * t - 1 },
  { name: "e^x − 1", f: expm1Of, truth: Math.expm1, bound: 7e-16 + 2.3e-16, at: (t) => 80 * t - 40 },
  { name: "e^x − 1 near 0", f: expm1Of, truth: Math.expm1, bound: 7e-16 + 2.3e-16, at: (t) => (2 * t - 1) ** 9 },
  { name: "ln (1 + x)", f: log1pOf, truth: Math.log1p, bound: 8e-16 + 2.3e-16, at: (t) => 2 ** (100 * t - 50) - 1 },
  { name: "ln (1 + x) near 0", f: log1pOf, truth: Math.log1p, bound: 8e-16 + 2.3e-16, at: (t) => (2 * t - 1) ** 9 / 2 },
  { name: "tanh", f: tanhOf, truth: Math.tanh, bound: 2e-15 + 2.3e-16, at: (t) => 50 * t - 25 },
  { name: "tanh near 0", f: tanhOf, truth: Math.tanh, bound: 2e-15 + 2.3e-16, at: (t) => (2 * t - 1) ** 9 },
  ...[-12, -6, -3.5, -1, -0.5, 0.5, 1, 1.5, 2, 3, 12, 64].map((y) => ({
    name: `x^${y}`,
    f: (x: number) => powerOf(x, y),
    truth: (x: number) => x ** y,
    bound: Math.abs(y) * 2 ** -52 + 2.3e-16,
    at: (t: number) => 2 ** (20 * t - 10),
  })),
];

function worstRelativeError({ f, truth, at }: typeof relative[number], seed: number): number {
  const random = new RandomStream(seed);
  let worst = 0;
  for (let k = 0; k < 50_000; k++) {
    const x = at(random.uniform());
    const [y, expected] = [f(x), truth(x)];
    if (y !== expected) worst = Math.max(worst, Math.abs(y / expected - 1));
    assert(!Number.isNaN(y), `at ${x}`);
  }
  return worst;
}

Deno.test("exponentials, logarithms, tanh and powers keep their relative errors", () => {
  relative.forEach((example, k) => {
    const worst = worstRelativeError(example, 10 + k);
    assert(worst <= example.bound, `${example.name}: relative error ${worst}`);
    // The bound is no matter of course: a relative error of 2⁻⁴⁵ would be seen.
    const broken = { ...example, f: (x: number) => example.f(x) * (1 + 2 ** -45) };
    assert(worstRelativeError(broken, 10 + k) > example.bound, example.name);
  });
});

Deno.test("powerOf with other exponents loses no more than the logarithm's error times the exponent", () => {
  const random = new RandomStream(50);
  for (let k = 0; k < 50_000; k++) {
    const [x, y] = [2 ** (40 * random.uniform() - 20), 40 * random.uniform() - 20];
    const expected = x ** y;
    const bound = (2 + 4 * Math.abs(y * Math.log(x))) * 2 ** -53 + 2.3e-16;
    assert(Math.abs(powerOf(x, y) / expected - 1) <= bound, `${x}^${y}`);
  }
});

Deno.test("sinOf and cosOf keep their absolute errors, near 0, far out and for the largest numbers", () => {
  const random = new RandomStream(51);
  const sizes = [1, 20, 1e4, 1e6, 1.0001e6, 1e9, 1e16, 1e100, 1.7e308];
  for (const size of sizes) {
    let worst = 0;
    for (let k = 0; k < 3000; k++) {
      const x = size * (2 * random.uniform() - 1);
      worst = Math.max(worst, Math.abs(sinOf(x) - Math.sin(x)), Math.abs(cosOf(x) - Math.cos(x)));
    }
    assert(worst <= 4e-16 + 2.3e-16, `below ${size}: ${worst}`);
  }
});

Deno.test("elementary functions do what the language's own do at 0, ±∞, NaN and the ends of the range", () => {
  const places = [0, -0, 1, -1, 2, -2, 0.5, -8, Infinity, -Infinity, NaN, 5e-324, -5e-324, 1e-320, 1e308, 710, -746];
  const same = (name: string, y: number, expected: number, bound = 3e-15) =>
    assert(Object.is(y, expected) || Math.abs(y / expected - 1) < bound, `${name}: ${y}, not ${expected}`);
  const pairs = [[expOf, Math.exp], [expm1Of, Math.expm1], [logOf, Math.log], [log1pOf, Math.log1p], [
    tanhOf,
    Math.tanh,
  ]];
  for (const x of places) {
    for (const [f, truth] of [...pairs, [sinOf, Math.sin], [cosOf, Math.cos]]) {
      same(`${truth.name}(${x})`, f(x), truth(x));
    }
    for (const y of [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 1.5, 65, 66, -65, Infinity, -Infinity, NaN, -64, 64]) {
      same(`${x}^${y}`, powerOf(x, y), x ** y, 3e-13); // |y ln x| is below 710 where x^y is finite
    }
  }
});

Deno.test("elementary functions return the same bits everywhere", () => {
  // Bits written down once: additions and multiplications round alike on every machine.
  const point = new Float64Array(2);
  circlePoint(0.1234567890123, point);
  assertEquals([logOf(0.3), logOf(1e-9), point[0], point[1]], GOLDEN);
  const others = [expOf(-3.7), expm1Of(0.01), log1pOf(-0.3), tanhOf(0.7), powerOf(1.1, 12), powerOf(0.37, -1 / 6)];
  assertEquals([...others, sinOf(2.5), cosOf(1e22)], MORE_GOLDEN);
});

const GOLDEN = [-1.203972804325936, -20.72326583694641, 0.7139297394465394, 0.7002173427827938];
const MORE_GOLDEN = [
  0.024723526470339388,
  0.010050167084168058,
  -0.3566749439387324,
  0.6043677771171635,
  3.1384283767210026,
  1.1802292652901496,
  0.5984721441039564,
  0.523214785395139,
];
