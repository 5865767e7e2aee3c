/**
 * The exact partition function of the square lattice on a torus.
 *
 * @module
 */
import { expm1Of, expOf, log1pOf, logOf } from "../random/elementary.ts";
import { sinOf } from "../random/elementary_sine.ts";

/** A function of K with its first and second derivative. */
type Jet = readonly [value: number, first: number, second: number];

const ZERO: Jet = [0, 0, 0];
const ONE: Jet = [1, 0, 0];

const sum = ([a, a1, a2]: Jet, [b, b1, b2]: Jet): Jet => [a + b, a1 + b1, a2 + b2];
const scaled = (by: number, [a, a1, a2]: Jet): Jet => [by * a, by * a1, by * a2];
const product = ([a, a1, a2]: Jet, [b, b1, b2]: Jet): Jet => [a * b, a1 * b + a * b1, a2 * b + 2 * a1 * b1 + a * b2];
const exponential = ([a, a1, a2]: Jet): Jet => [expOf(a), expOf(a) * a1, expOf(a) * (a2 + a1 * a1)];

/** asinh x without loss next to zero. */
function inverseSinh(x: number): number {
  const size = Math.abs(x);
  return Math.sign(x) * log1pOf(size + size * size / (1 + Math.sqrt(1 + size * size)));
}

/**
 * γ_l: cosh γ_l = S + 1/S − cos(πl/L) with S = sinh 2K, and γ₀ = 2K + ln tanh K, which is negative above T_c.
 *
 * Both are 2 asinh √((S − 1)²/2S + sin²(πl/2L)), so that nothing cancels next to T_c, where S = 1.
 */
function gamma(l: number, side: number, S: number, C: number): Jet {
  if (l === 0) return [2 * inverseSinh((S - 1) / Math.sqrt(2 * S)), 2 * (1 + 1 / S), -4 * (C / S) / S];
  const sine = sinOf(Math.PI * l / (2 * side));
  const w = Math.sqrt((S - 1) * ((S - 1) / (2 * S)) + sine * sine);
  const [cosh, sinh] = [1 + 2 * w * w, 2 * w * Math.sqrt(1 + w * w)];
  const slope = 2 * C * ((S - 1) / S) * ((S + 1) / S);
  const curvature = 4 * (S - 1 / S) + 8 * (C / S) * (C / S) / S;
  const first = slope / sinh;
  return [2 * inverseSinh(w), first, (curvature - cosh * first * first) / sinh];
}

/** Π 2 cosh(Lγ/2) and Π 2 sinh(Lγ/2) over every second γ, each as e^exponent times a number of the order of 1. */
function products(parity: 0 | 1, side: number, S: number, C: number): { exponent: Jet; cosh: Jet; sinh: Jet } {
  let [exponent, cosh, sinh] = [ZERO, ONE, ONE];
  for (let l = parity; l < 2 * side; l += 2) {
    const x = scaled(side / 2, gamma(l, side, S, C));
    const sign = x[0] < 0 ? -1 : 1;
    const [a, a1, a2] = scaled(sign, x);
    const e = expOf(-2 * a);
    exponent = sum(exponent, [a, a1, a2]);
    cosh = product(cosh, [1 + e, -2 * a1 * e, (4 * a1 * a1 - 2 * a2) * e]);
    sinh = scaled(sign, product(sinh, [-expm1Of(-2 * a), 2 * a1 * e, (2 * a2 - 4 * a1 * a1) * e]));
  }
  return { exponent, cosh, sinh };
}

/**
 * Computes ln Z(K) of the Ising model on an L × L torus with its first and second derivative by K = J/k_BT:
 *
 *     Z = ½ (2 sinh 2K)^(L²/2) (Π 2cosh ½Lγ₁ + Π 2sinh ½Lγ₁ + Π 2cosh ½Lγ₀ + Π 2sinh ½Lγ₀)
 *
 * where products run over γ₁, γ₃, … γ_(2L−1) and γ₀, γ₂, … γ_(2L−2). Exponents are summed apart from what they
 * multiply, and derivatives are carried along, so that neither large lattices nor T_c lose digits. Reference: Kaufman,
 * Phys. Rev. 76, 1232 (1949); Ferdinand and Fisher, Phys. Rev. 185, 832 (1969), eq. 2.8.
 *
 * @param side L, 2 to 512
 * @param k K, 0.001 to 300
 * @returns ln Z, ∂ ln Z/∂K, ∂² ln Z/∂K²
 */
export function kaufman(side: number, k: number): readonly [logPartition: number, first: number, second: number] {
  const [up, down] = [expOf(2 * k), expOf(-2 * k)];
  const [S, C] = [(expm1Of(2 * k) - expm1Of(-2 * k)) / 2, (up + down) / 2];
  const odd = products(1, side, S, C);
  const even = products(0, side, S, C);
  // The even products have another exponent than the odd ones.
  const shift = exponential(sum(even.exponent, scaled(-1, odd.exponent)));
  const [q, q1, q2] = sum(sum(odd.cosh, odd.sinh), product(shift, sum(even.cosh, even.sinh)));
  const bracket: Jet = [logOf(q / 2), q1 / q, q2 / q - (q1 / q) * (q1 / q)];
  const prefactor = scaled(side * side / 2, [logOf(2 * S), 2 * C / S, -4 / S / S]);
  return sum(sum(prefactor, odd.exponent), bracket);
}
