import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { RandomStream } from "../../src/random/random_stream.ts";
import {
  equilibrationStart,
  integratedAutocorrelationTime,
  pooledAutocorrelationTime,
  statisticalInefficiency,
} from "../../src/sampling/autocorrelation.ts";

/** xₜ = φ xₜ₋₁ + noise, stationary with mean m; its τ is ½ (1 + φ)/(1 − φ). */
function autoregressive(n: number, phi: number, seed: number, mean = 0): Float64Array {
  const random = new RandomStream(seed);
  let x = random.normal();
  return new Float64Array(n).map(() => mean + (x = phi * x + Math.sqrt(1 - phi * phi) * random.normal()));
}

/** Relative standard error of τ with Sokal's window: √(2(2·5 + 1) τ / n) to leading order. */
const relativeError = (tau: number, n: number) => Math.sqrt(22 * tau / n);

Deno.test("integratedAutocorrelationTime is right for autoregressive series", () => {
  const n = 100_000;
  for (const phi of [0, 0.5, 0.9, 0.97]) {
    const tau = 0.5 * (1 + phi) / (1 - phi);
    const measured = integratedAutocorrelationTime(autoregressive(n, phi, 3));
    // Cutting the sum at 5τ leaves out exp(−5) of it; four standard errors besides.
    assert(Math.abs(measured / tau - 1) < 0.01 + 4 * relativeError(tau, n), `φ ${phi}: ${measured} instead of ${tau}`);
  }
});

Deno.test("integratedAutocorrelationTime pools chains, and sees when they stay apart", () => {
  const chains = Array.from({ length: 20 }, (_, c) => autoregressive(5000, 0.9, 100 + c));
  assert(Math.abs(integratedAutocorrelationTime(chains) / 9.5 - 1) < 0.01 + 4 * relativeError(9.5, 100_000));
  const apart = chains.map((series, c) => series.map((x) => x + 3 * (c % 2)));
  assert(integratedAutocorrelationTime(apart) > 100);
  assert(Math.abs(pooledAutocorrelationTime([0, 1].map((k) => apart.filter((_, c) => c % 2 === k))) / 9.5 - 1) < 0.2);
});

Deno.test("statisticalInefficiency predicts the error of a mean", () => {
  const [n, phi, repeats] = [2000, 0.8, 300];
  const means: number[] = [];
  let predicted = 0;
  for (let k = 0; k < repeats; k++) {
    const series = autoregressive(n, phi, 1000 + k);
    const mean = series.reduce((sum, x) => sum + x, 0) / n;
    means.push(mean);
    const variance = series.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
    predicted += statisticalInefficiency(series) * variance / n / repeats;
  }
  const observed = means.reduce((sum, m) => sum + m * m, 0) / repeats;
  // A variance from 300 repeats has a relative standard error of √(2/300) = 8 %.
  assert(Math.abs(observed / predicted - 1) < 4 * Math.sqrt(2 / repeats), `${observed}, ${predicted}`);
  const naive = 1 / n;
  assert(Math.abs(observed / naive - 1) > 4 * Math.sqrt(2 / repeats), "the test must reject g = 1");
});

Deno.test("statisticalInefficiency is at least 1 and undefined for a constant", () => {
  assertEquals(statisticalInefficiency(new Float64Array(100).map((_, t) => t % 2)), 1);
  assertEquals(statisticalInefficiency(new Float64Array(10).fill(3)), NaN);
  assertThrows(
    () => statisticalInefficiency(new Float64Array(1)),
    RangeError,
    "series must have at least 2 numbers, got 1",
  );
});

Deno.test("equilibrationStart cuts off a relaxation and nothing else", () => {
  const noise = autoregressive(1000, 0.3, 5);
  assert(equilibrationStart(noise) <= 300);
  const relaxing = noise.map((x, t) => x + 50 * Math.exp(-t / 60));
  const start = equilibrationStart(relaxing);
  assert(start >= 200 && start <= 500, `start ${start}`);
  assertAlmostEquals(start % 100, 0);
  assertThrows(() => equilibrationStart(new Float64Array(19)), RangeError, "must have at least 20 numbers, got 19");
});
