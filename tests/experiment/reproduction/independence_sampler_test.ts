import { assert, assertAlmostEquals } from "@std/assert";
import { independenceSampler } from "../../../src/experiment/reproduction/independence_sampler.ts";
import { RandomStream } from "../../../src/random/random_stream.ts";

/** Acceptance and autocorrelation time from the matrix of moves: τ = ½ + Σ_t ⟨f, Pᵗ f⟩ / ⟨f, f⟩, summed until nothing is left. */
function byMatrix(pi: number[], q: number[], f: number[]) {
  const n = pi.length;
  const ratio = (i: number, j: number) => Math.min(1, pi[j] * q[i] / (pi[i] * q[j]));
  const move = pi.map((_, i) => pi.map((_, j) => i === j ? 0 : q[j] * ratio(i, j)));
  const acceptance = pi.reduce((sum, p, i) => sum + p * (move[i].reduce((a, b) => a + b, 0) + q[i]), 0);
  for (let i = 0; i < n; i++) move[i][i] = 1 - move[i].reduce((a, b) => a + b, 0);
  const mean = pi.reduce((sum, p, i) => sum + p * f[i], 0);
  const centred = f.map((v) => v - mean);
  const variance = pi.reduce((sum, p, i) => sum + p * centred[i] ** 2, 0);
  let [tau, at] = [0.5, centred];
  for (let t = 1; t < 2000; t++) {
    at = move.map((row) => row.reduce((sum, p, j) => sum + p * at[j], 0));
    tau += pi.reduce((sum, p, i) => sum + p * centred[i] * at[i], 0) / variance;
  }
  return { acceptance, tau };
}

Deno.test("independence moves are solved as their matrix of transitions says, proposals that fall outside included", () => {
  for (const seed of [1, 2, 3]) {
    const random = new RandomStream(seed);
    const draw = (scale: number) => {
      const raw = Array.from({ length: 12 }, () => Math.exp(scale * random.normal()));
      return raw.map((v) => v / raw.reduce((a, b) => a + b, 0));
    };
    const pi = draw(1.5);
    const q = draw(1).map((v) => (seed === 3 ? 0.6 : 1) * v);
    const f = Array.from({ length: 12 }, () => random.uniform() < 0.5 ? 0 : 1);
    const expected = byMatrix(pi, q, f);
    const cell = 0.25;
    const found = independenceSampler({
      logTarget: Float64Array.from(pi, (p) => Math.log(p) + 7),
      logProposal: Float64Array.from(q, (p) => Math.log(p / cell)),
      observable: Float64Array.from(f),
      cell,
    });
    assertAlmostEquals(found.acceptance, expected.acceptance, 1e-12);
    assertAlmostEquals(found.autocorrelationTime, expected.tau, 1e-9);
    assertAlmostEquals(found.mass, seed === 3 ? 0.6 : 1, 1e-12);
    assert(expected.tau > 1, "a time of ½ would agree with anything that is independent");
  }
});

Deno.test("independence moves are solved where the largest weights lie in cells that the proposal all but never draws", () => {
  // A proposal narrower than the target: in the tails q falls to 1e-87 and π/q rises, over a thousand cells. Whoever
  // finds the mass beyond a cell by subtraction from 1 has a time of 1e13 or less, of either sign.
  const x = Float64Array.from({ length: 1001 }, (_, i) => (i - 500) / 50);
  const found = independenceSampler({
    logTarget: x.map((v) => -0.5 * v * v / 1.5),
    logProposal: x.map((v) => -2 * v * v - 0.5 * Math.log(Math.PI / 2)),
    observable: x.map((v) => v < 0 ? 1 : 0),
    cell: 1 / 50,
  });
  assert(found.autocorrelationTime > 1e50, `${found.autocorrelationTime}`);
  assert(found.acceptance > 0 && found.acceptance < 1);
});

Deno.test("what is left out is the mass of the largest weights: a state that is never seen and never left", () => {
  const pi = [0.5, 0.5 - 1e-9, 1e-9];
  const q = [0.4, 0.6, 1e-24];
  const table = {
    logTarget: Float64Array.from(pi, Math.log),
    logProposal: Float64Array.from(q, Math.log),
    observable: Float64Array.of(0, 1, 1),
    cell: 1,
  };
  assert(independenceSampler(table).autocorrelationTime > 1e5);
  const without = byMatrix([0.5, 0.5], [0.4, 0.6], [0, 1]);
  const found = independenceSampler({ ...table, leftOut: 1e-8 });
  assertAlmostEquals(found.autocorrelationTime, without.tau, 1e-7);
  assertAlmostEquals(found.acceptance, without.acceptance, 1e-7);
});
