/**
 * The bond of the particle dimer in its two published forms.
 *
 * @module
 */

/** Coefficients of c₁ q + c₂ q² + c₄ q⁴ with q = d − d₀: both published forms are of this kind. */
export interface BondCoefficients {
  /** Linear coefficient. */
  readonly c1: number;
  /** Quadratic coefficient. */
  readonly c2: number;
  /** Quartic coefficient. */
  readonly c4: number;
}

/** Which formula the letters a, b and slope stand in. */
export type BondForm = "code" | "printed";

/**
 * Expands a published form.
 *
 * `code`, what was computed: slope·y − a y² + b y⁴ with y = 2 (d − d₀). `printed`, what the papers print:
 * ¼ a (d − d₀)⁴ − ½ b (d − d₀)² + c (d − d₀)⁴, where slope stands for their c.
 *
 * @param form which formula
 * @param p its letters
 * @returns the coefficients of powers of d − d₀
 */
export function bondCoefficients(
  form: BondForm,
  p: { readonly slope: number; readonly a: number; readonly b: number },
): BondCoefficients {
  return form === "code"
    ? { c1: 2 * p.slope, c2: -4 * p.a, c4: 16 * p.b }
    : { c1: 0, c2: -p.b / 2, c4: p.a / 4 + p.slope };
}
