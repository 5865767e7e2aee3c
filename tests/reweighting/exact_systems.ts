/** Systems with known answers, and correlated chains that start in equilibrium: what intervals are tested on. */
import type { CounterRandom } from "../../src/reweighting/counter_random.ts";

/** A density on an interval, ∝ e^−u, with everything known about it. */
export interface ExactDensity {
  /** u(x). */
  readonly potential: (x: number) => number;
  /** ln ∫ e^−u. */
  readonly logZ: number;
  /** ⟨f⟩ over the interval. */
  mean(f: (x: number) => number): number;
  /** An independent sample, by inversion of the cumulative sum. */
  draw(random: CounterRandom): number;
}

/** Points of the quadrature: at 20,000 the midpoint rule is exact to 1e-9 for all densities of these tests. */
const POINTS = 20_000;

/** Integrates e^−u over an interval by the midpoint rule. */
export function exactDensity(potential: (x: number) => number, from: number, to: number): ExactDensity {
  const step = (to - from) / POINTS;
  const at = (j: number) => from + (j + 0.5) * step;
  const sums = new Float64Array(POINTS + 1);
  for (let j = 0; j < POINTS; j++) sums[j + 1] = sums[j] + Math.exp(-potential(at(j))) * step;
  const total = sums[POINTS];
  return {
    potential,
    logZ: Math.log(total),
    mean(f) {
      let sum = 0;
      for (let j = 0; j < POINTS; j++) sum += (sums[j + 1] - sums[j]) * f(at(j));
      return sum / total;
    },
    draw(random) {
      const target = random.uniform() * total;
      let [low, high] = [0, POINTS];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (sums[middle] <= target) low = middle;
        else high = middle;
      }
      return from + (low + (target - sums[low]) / (sums[low + 1] - sums[low])) * step;
    },
  };
}

/** A chain of Metropolis moves that starts in equilibrium; every `every`-th position is kept. */
export function metropolisChain(
  density: ExactDensity,
  { length, step, every }: { readonly length: number; readonly step: number; readonly every: number },
  random: CounterRandom,
): Float64Array {
  let x = density.draw(random);
  let energy = density.potential(x);
  return new Float64Array(length).map(() => {
    for (let move = 0; move < every; move++) {
      const trial = x + step * (random.uniform() - 0.5);
      const trialEnergy = density.potential(trial);
      if (random.uniform() < Math.exp(energy - trialEnergy)) [x, energy] = [trial, trialEnergy];
    }
    return x;
  });
}

/** The double well of Noé et al. 2019: x⁴ − 6x² + x, with barriers of 10.8 and 7.3. */
export const doubleWell = (x: number) => x ** 4 - 6 * x * x + x;

/** Its two basins, parted at 0: a wall of +∞ keeps chains inside. */
export const WELLS = [
  exactDensity((x) => x < 0 ? doubleWell(x) : Infinity, -3.2, 0),
  exactDensity((x) => x >= 0 ? doubleWell(x) : Infinity, 0, 3.2),
] as const;

/** Both together. */
export const DOUBLE_WELL = exactDensity(doubleWell, -3.2, 3.2);

/** F(right) − F(left) of the double well: 3.3799. */
export const WELL_DIFFERENCE = WELLS[0].logZ - WELLS[1].logZ;

/** A mixture of normal densities: what a flow of one dimension may look like. */
export interface Mixture {
  readonly draw: (random: CounterRandom) => number;
  readonly logDensity: (x: number) => number;
}

/** Joins normal densities. */
export function mixture(parts: readonly { share: number; center: number; width: number }[]): Mixture {
  return {
    draw(random) {
      let left = random.uniform();
      const part = parts.find(({ share }) => (left -= share) < 0) ?? parts[parts.length - 1];
      return part.center + part.width * normal(random);
    },
    logDensity(x) {
      let sum = 0;
      for (const { share, center, width } of parts) {
        sum += share / width * Math.exp(-((x - center) ** 2) / (2 * width * width));
      }
      return Math.log(sum / Math.sqrt(2 * Math.PI));
    },
  };
}

/** One standard normal number. */
export function normal(random: CounterRandom): number {
  return Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}
