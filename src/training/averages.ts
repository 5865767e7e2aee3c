/**
 * Running means of losses and metrics.
 *
 * @module
 */

/** Sums of several numbers, and how many of each. */
export interface RunningSums {
  /** The sums. */
  readonly sums: readonly number[];
  /** How many numbers are in each. */
  readonly count: number;
}

/** Means of several numbers since they were last taken. */
export class Averages {
  readonly #names: readonly string[];
  #sums: number[];
  #count: number;

  constructor(names: readonly string[], from: RunningSums) {
    this.#names = names;
    this.#sums = names.map((_, i) => from.sums[i] ?? 0);
    this.#count = from.count;
  }

  /** How many numbers are in each mean. */
  get count(): number {
    return this.#count;
  }

  state(): RunningSums {
    return { sums: [...this.#sums], count: this.#count };
  }

  add(values: readonly number[]): void {
    values.forEach((value, i) => this.#sums[i] += value);
    this.#count++;
  }

  /** The means, and a fresh start; empty where nothing was added. */
  take(): Record<string, number> {
    const known = this.#count > 0 ? this.#names : [];
    const means = Object.fromEntries(known.map((name, i) => [name, this.#sums[i] / this.#count]));
    this.#sums = this.#names.map(() => 0);
    this.#count = 0;
    return means;
  }
}
