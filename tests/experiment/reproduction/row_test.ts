import { assert, assertEquals } from "@std/assert";
import type { Estimate } from "../../../src/reweighting/estimate.ts";
import { exactly, type ReproducedRow, verdictOf, verdictText } from "../../../src/experiment/reproduction/row.ts";

function found(value: number, standardError: number, reason: string | null = null): Estimate {
  const half = 1.96 * standardError;
  return { value, standardError, interval95: [value - half, value + half], reliable: reason === null, reason };
}

const half = (standardError: number) => ({ value: 0.5, standardError, method: "symmetry" });
const text = (row: Partial<ReproducedRow> & Pick<ReproducedRow, "ours">) =>
  verdictText({ reference: null, published: null, ...row });

Deno.test("verdictOf measures the difference in standard errors of both", () => {
  assertEquals(text({ ours: found(0.8, 0.03), reference: half(0.04) }), "differs by 6.0 standard errors");
  assertEquals(text({ ours: found(0.6, 0.03), reference: half(0.04) }), "agrees (2.0 standard errors)");
  assertEquals(text({ ours: found(0.4, 0.03), reference: half(0.04) }), "agrees (2.0 standard errors)");
  // What rounds to 3.0 agrees, what rounds to 3.1 does not.
  assertEquals(verdictOf({ ours: found(0.8051, 0.1), reference: half(0) }).kind, "differs");
  assertEquals(verdictOf({ ours: found(0.8049, 0.1), reference: half(0) }).kind, "agrees");
});

Deno.test("verdictOf never lets an unreliable estimate agree", () => {
  const ours = found(0.5, 0.1, "the weights are heavy");
  assertEquals(verdictOf({ ours, reference: half(0) }).kind, "unreliable");
  assertEquals(text({ ours, reference: half(0) }), "unreliable: the weights are heavy (off by 0.0 standard errors)");
  assertEquals(text({ ours }), "stated, unreliable: the weights are heavy");
  assertEquals(text({ ours, goal: [0, 1] }), "unreliable: the weights are heavy; the goal is 0 to 1");
});

Deno.test("verdictOf compares exact numbers to nine digits", () => {
  assertEquals(text({ ours: exactly(0.5 + 1e-10), reference: half(0) }), "agrees to nine digits");
  assertEquals(text({ ours: exactly(0.5 + 1e-8), reference: half(0) }), "differs, and both are exact");
  assertEquals(text({ ours: exactly(0.5), reference: half(0.1) }), "agrees (0.0 standard errors)");
});

Deno.test("verdictOf holds goals against their bounds", () => {
  assertEquals(text({ ours: exactly(0.9), goal: [0.9, Infinity] }), "reached: at least 0.9");
  assertEquals(text({ ours: exactly(0.89), goal: [0.9, Infinity] }), "missed: at least 0.9");
  assertEquals(text({ ours: exactly(2e-3), goal: [-Infinity, 1e-3] }), "missed: at most 0.001");
  assertEquals(text({ ours: exactly(7) }), "stated");
  // All of the 95 % interval counts: half-width 1.96 × 0.05.
  assertEquals(text({ ours: found(0.7, 0.05), goal: [0, 0.8] }), "reached: 0 to 0.8");
  assertEquals(text({ ours: found(0.75, 0.05), goal: [0, 0.8] }), "undecided: 0 to 0.8");
  assertEquals(text({ ours: found(0.95, 0.05), goal: [0, 0.8] }), "missed: 0 to 0.8");
});

Deno.test("verdictOf states what has a floor, whose neighbourhood proves nothing, and finds what is below", () => {
  assertEquals(text({ ours: found(-8.1, 0.1), floor: -8.18258 }), "stated; none can be below −8.18258");
  assertEquals(text({ ours: found(-8.4, 0.1), floor: -8.18258 }), "stated; none can be below −8.18258");
  assertEquals(
    text({ ours: found(-9.18258, 0.1), floor: -8.18258 }),
    "below its floor −8.18258 by 10.0 standard errors",
  );
});

Deno.test("published numbers are held against ours and against the reference", () => {
  const published = { value: "0.58–0.77", source: "two runs", range: [0.58, 0.77] as const };
  const words = (row: Partial<ReproducedRow> & Pick<ReproducedRow, "ours">) => text({ published, ...row });
  assertEquals(words({ ours: found(0.7, 0.01) }), "stated; published value agrees with ours");
  assertEquals(words({ ours: found(0.8, 0.011) }), "stated; published value agrees with ours");
  assertEquals(words({ ours: found(0.8, 0.009) }), "stated; published value differs from ours");
  assertEquals(words({ ours: exactly(0.57) }), "stated; published value differs from ours");
  // A doubtful estimate of ours confirms nothing.
  assertEquals(words({ ours: found(0.7, 0.01, "few samples") }), "stated, unreliable: few samples");
  const reference = { value: 0.5, standardError: 0.01, method: "umbrella sampling" };
  const doubtful = words({ ours: found(0.7, 0.1, "few samples"), reference });
  assert(doubtful.endsWith("; published value differs from the reference"), doubtful);
  assert(words({ ours: found(0.5, 0.02), reference }).endsWith("; published value differs from both"));
  assert(
    words({ ours: found(0.55, 0.02), reference })
      .endsWith("; published value agrees with ours and differs from the reference"),
  );
  const near = { ...reference, standardError: 0.03 };
  assert(words({ ours: found(0.6, 0.1), reference: near }).endsWith("; published value agrees with both"));
  const { range: _, ...unread } = published;
  assertEquals(text({ ours: found(0.8, 0.01), published: unread }), "stated");
});

Deno.test("verdictText says what is missing", () => {
  const nothing = { value: null, standardError: null, interval95: null, reliable: false, reason: "no sample is there" };
  assertEquals(text({ ours: nothing, reference: half(0) }), "no estimate: no sample is there");
  const published = { value: "0.4", source: "a figure", notReproducible: "the seed is lost" };
  assertEquals(
    text({ ours: exactly(0.5), reference: half(0), published }),
    "agrees to nine digits; published value not reproducible, because the seed is lost",
  );
});
