/**
 * The share of a basin from a free-energy difference.
 *
 * @module
 */
import type { Reference } from "./row.ts";

/**
 * Share of basin 1 of two at equilibrium: p₁ = 1 / (1 + exp(F₁ − F₀)), its error p₁ (1 − p₁) times that of the difference.
 *
 * @param difference F₁ − F₀ in k_BT
 * @returns p₁ in (0, 1), found as the difference was
 */
export function basinPopulation({ value, standardError, method }: Reference): Reference {
  const population = 1 / (1 + Math.exp(value));
  return { value: population, standardError: population * (1 - population) * standardError, method };
}
