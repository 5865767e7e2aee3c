import { assert, assertEquals } from "@std/assert";
import { circlePoint, logOf } from "../../src/random/elementary.ts";
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

Deno.test("elementary functions return the same bits everywhere", () => {
  // Bits written down once: additions and multiplications round alike on every machine.
  const point = new Float64Array(2);
  circlePoint(0.1234567890123, point);
  assertEquals([logOf(0.3), logOf(1e-9), point[0], point[1]], GOLDEN);
});

const GOLDEN = [-1.203972804325936, -20.72326583694641, 0.7139297394465394, 0.7002173427827938];
