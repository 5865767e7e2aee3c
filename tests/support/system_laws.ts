/**
 * What must hold for the energy of every system, and how Monte Carlo is compared with exact means.
 *
 * @module
 */
import { metropolis } from "../../src/sampling/metropolis.ts";
import type { System } from "../../src/system/system.ts";
import { assertClose } from "./assert_close.ts";
import { assertMeanIs } from "./statistics.ts";

/** What a law of energies looks at. */
export type Energies = Pick<System, "dim" | "energy" | "energyAndGradient">;

/** Half the step of the differences. */
const H = 1e-4;

/**
 * The gradient is that of the energy, by central differences of fourth order: (8 Δ(h) − Δ(2h)) / 6, whose error is h⁴/30
 * times a fifth derivative, and 2⁻⁵² |U| / h of rounding.
 */
export function assertGradient(system: Energies, x: Float64Array, absolute: number): void {
  const { energy, gradient } = system.energyAndGradient(x);
  assertClose(energy, system.energy(x), { absolute: 0 }, "energy beside the gradient");
  const differences = gradient.map((_, k) => {
    const sample = Math.floor(k / system.dim);
    const at = (shift: number) => system.energy(x.map((v, i) => i === k ? v + shift : v))[sample];
    return (8 * (at(H) - at(-H)) - (at(2 * H) - at(-2 * H))) / (12 * H);
  });
  assertClose(gradient, differences, { absolute }, "gradient against differences");
}

/** Maps of configurations that leave the energy as it is, and turn the gradient along with them. */
export function assertInvariant(
  system: Energies,
  x: Float64Array,
  map: (x: Float64Array) => Float64Array,
  absolute: number,
): void {
  const [before, after] = [system.energyAndGradient(x), system.energyAndGradient(map(x))];
  assertClose(after.energy, before.energy, { absolute }, "energy of the image");
  assertClose(after.gradient, map(before.gradient), { absolute }, "gradient at the image");
}

/** Wrong systems on purpose. */
export const energyFaults: Readonly<Record<string, (of: Energies) => Energies>> = {
  "gradient flipped": (of) => withGradient(of, (gradient) => gradient.map((g) => -g)),
  "last coordinate forgotten": (of) => withGradient(of, (gradient) => gradient.with(-1, 0)),
  "gradient of another scale": (of) => withGradient(of, (gradient) => gradient.map((g) => g * (1 + 1e-4))),
  "first coordinate felt twice": (of) => ({
    dim: of.dim,
    energy: (x) => of.energy(x).map((u, s) => u + 1e-3 * x[s * of.dim]),
    energyAndGradient(x) {
      const { energy, gradient } = of.energyAndGradient(x);
      return { energy: energy.map((u, s) => u + 1e-3 * x[s * of.dim]), gradient };
    },
  }),
};

function withGradient(of: Energies, change: (right: Float64Array) => Float64Array): Energies {
  return {
    dim: of.dim,
    energy: (x) => of.energy(x),
    energyAndGradient(x) {
      const { energy, gradient } = of.energyAndGradient(x);
      return { energy, gradient: change(gradient) };
    },
  };
}

/** How to draw from a system. */
export interface ChainPlan {
  /** Starting points [chains, dim], of independent chains. */
  readonly start: Float64Array;
  readonly steps: number;
  readonly step: number;
  readonly temperature?: number;
}

/** Draws configurations and returns the mean of a quantity in each chain: independent numbers. */
export function chainMeans(
  system: System,
  plan: ChainPlan,
  quantity: (x: Float64Array, energy: number) => number,
): Float64Array {
  const { dim } = system;
  const { x, energy, chain } = metropolis(system, { ...plan, burnIn: Math.ceil(plan.steps / 10), seed: 7 });
  const chains = plan.start.length / dim;
  const means = new Float64Array(chains);
  chain.forEach((c, i) => means[c] += quantity(x.subarray(i * dim, (i + 1) * dim), energy[i]) * chains / chain.length);
  return means;
}

/** Monte Carlo of a system has the exact mean, within four standard errors from at least a dozen chains. */
export function assertSampledMean(
  system: System,
  plan: ChainPlan,
  quantity: (x: Float64Array, energy: number) => number,
  expected: number,
  what: string,
): void {
  assertMeanIs(chainMeans(system, plan, quantity), expected, what);
}
