/**
 * Weights of configurations in one state, with the density that the map itself returned.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { Flow } from "../flow/flow.ts";
import { BoltzmannGenerator, type Target } from "./boltzmann_generator.ts";
import type { BoundSamples } from "./free_energy_bounds.ts";

/** What a state is. */
export interface WeighedState {
  /** Its flow, at the temperature asked for. */
  readonly flow: Flow;
  /** Its energy. */
  readonly system: Target;
  /** Which configurations belong to it; default all. */
  basin?(x: Float64Array): Uint8Array;
}

/** Maps between z and the configurations of a state, and weighs them. */
export class StateWeights {
  /** The flow. */
  readonly flow: Flow;
  /** Energies evaluated so far. */
  energyEvaluations = 0;
  readonly #state: WeighedState;
  readonly #options: { readonly beta: number; readonly skipNotFinite: boolean; readonly pool?: Executor };

  /**
   * Takes a state in hand.
   *
   * @param state flow, energy, basin
   * @param options β, whether samples that are not finite are skipped, threads
   */
  constructor(
    state: WeighedState,
    options: { readonly beta: number; readonly skipNotFinite: boolean; readonly pool?: Executor },
  ) {
    this.flow = state.flow;
    this.#state = state;
    this.#options = options;
  }

  /**
   * Maps z to configurations and weighs them.
   *
   * @param z [n, dim]
   * @returns u(x) and u(x) + log p_X(x), whatever the basin, ∞ where they are not finite; ln w, −∞ outside the state
   */
  decode(z: Float64Array): BoundSamples & { readonly logWeights: Float64Array } {
    const { x, logProb } = this.flow.decode(z, this.#threads());
    return this.#weigh(x, logProb);
  }

  /**
   * Maps configurations of the state to z and weighs them.
   *
   * @param x [n, dim], none of them outside
   * @returns z, and ln w = −u(x) − log p_X(x); +∞ where the flow has no density, if that may be
   */
  encode(x: Float64Array): { readonly z: Float64Array; readonly logWeights: Float64Array } {
    const { z, logProb } = this.flow.encode(x, this.#threads());
    // What was skipped has no weight among samples; among frames it is a place that the flow cannot reach.
    return { z, logWeights: this.#weigh(x, logProb).logWeights.map((log) => log === -Infinity ? Infinity : log) };
  }

  /**
   * Counts configurations outside basin and reference domain.
   *
   * @param x [n, dim]
   * @returns how many
   */
  outside(x: Float64Array): number {
    const inside = this.#inside(x);
    const domain = this.#state.system.inDomain?.(x, this.#threads());
    let count = 0;
    for (let i = 0; i < x.length / this.flow.dim; i++) if (inside?.[i] === 0 || domain?.[i] === 0) count++;
    return count;
  }

  #weigh(x: Float64Array, logProb: Float64Array): BoundSamples & { readonly logWeights: Float64Array } {
    const { system } = this.#state;
    const { beta, skipNotFinite } = this.#options;
    // The density that came with the map: evaluating it again would go through another rounding.
    const known = { dim: system.dim, logProb: () => logProb, sample: () => ({ x, z: x, logProb }) };
    const weights = new BoltzmannGenerator(known, system, { beta, skipNotFinite }).weigh(x, this.#threads());
    this.energyEvaluations += logProb.length;
    const inside = this.#inside(x);
    const work = weights.reducedEnergy.map((u, i) => u + logProb[i]);
    return {
      reducedEnergy: weights.reducedEnergy,
      work: work.map((value) => Number.isFinite(value) ? value : Infinity),
      logWeights: weights.logWeights.map((log, i) => inside?.[i] === 0 ? -Infinity : log),
    };
  }

  #inside(x: Float64Array): Uint8Array | undefined {
    const inside = this.#state.basin?.(x);
    const n = x.length / this.flow.dim;
    if (inside !== undefined && inside.length !== n) {
      throw new RangeError(`Cannot weigh a state: basin must return ${n} marks, got ${inside.length}`);
    }
    return inside;
  }

  #threads(): { readonly pool?: Executor } {
    const { pool } = this.#options;
    return pool === undefined ? {} : { pool };
  }
}
