/**
 * Clusters whose particles keep one of two distances: DW4 and its like.
 *
 * @module
 */
import type { CentreOfMass } from "./centre_of_mass.ts";
import { PairCluster, type PairLaw } from "./pair_cluster.ts";
import { mergeParameters, requirePositive } from "./system.ts";

/** The numbers in the energy of a {@link DoubleWellCluster}. */
export interface DoubleWellClusterParameters {
  /** Number of particles ≥ 2. */
  readonly particles: number;
  /** Directions of space, 1 to 3. */
  readonly spatialDim: number;
  /** a, linear coefficient. */
  readonly a: number;
  /** b, quadratic coefficient. */
  readonly b: number;
  /** c > 0, quartic coefficient. */
  readonly c: number;
  /** d₀, the distance between the wells. */
  readonly d0: number;
  /** f > 0, what multiplies the energy. */
  readonly pairFactor: number;
  /** κ > 0 of ½ κ N |centre|², where the centre is pinned. */
  readonly centreConstant: number;
}

/** Names of the parameter sets of double-well clusters. */
export type DoubleWellClusterPreset = "koehler2020" | "eacf-fab";

const koehler2020: DoubleWellClusterParameters = {
  particles: 4,
  spatialDim: 2,
  a: 0,
  b: -4,
  c: 0.9,
  d0: 4,
  pairFactor: 1,
  centreConstant: 1,
};

const presets: Readonly<Record<DoubleWellClusterPreset, DoubleWellClusterParameters>> = {
  "koehler2020": koehler2020,
  "eacf-fab": { ...koehler2020, pairFactor: 10 },
};

/** What a {@link DoubleWellCluster} is made from. */
export interface DoubleWellClusterOptions extends Partial<DoubleWellClusterParameters> {
  /** Parameter set, default "koehler2020". */
  readonly preset?: DoubleWellClusterPreset | undefined;
  /** What becomes of the centre of mass, default "removed". */
  readonly centreOfMass?: CentreOfMass | undefined;
}

const WHAT = "make a DoubleWellCluster";

/**
 * U = f Σ [a (d − d₀) + b (d − d₀)² + c (d − d₀)⁴] over pairs, without any trap.
 *
 * Both presets are DW4, four particles in two dimensions with a = 0, b = −4, c = 0.9, d₀ = 4; the literature holds two
 * energies under that name, which do not compare:
 *
 * | preset | f | where |
 * |---|---|---|
 * | `koehler2020` | 1, each pair counts once | Köhler, Klein & Noé 2020 (equivariant flows), arXiv 2006.02425; EACF from data, EFM, iDEM |
 * | `eacf-fab` | 10, a temperature τ = 0.1 within the energy | Midgley et al. 2023 where they train without data |
 *
 * The energy does not feel the centre of mass; {@link CentreOfMass} says what becomes of it. By default x are six coordinates
 * of mean-free positions, and densities are those of the literature: `coordinates` takes positions there, `positions` back.
 * Particles are alike, and all labellings count. `clusterReferences` holds ln Z and mean energies.
 *
 * @example
 * ```ts
 * import { DoubleWellCluster } from "@boltzflow/boltzflow";
 * const system = new DoubleWellCluster();
 * const line = system.coordinates(Float64Array.of(0, 0, 4, 0, 8, 0, 12, 0));
 * const [u] = system.energy(line); // three pairs at d₀, two at 2 d₀, one at 3 d₀
 * if (Math.abs(u - (2 * (-4 * 16 + 0.9 * 256) - 4 * 64 + 0.9 * 4096)) > 1e-9) throw new Error("DW4");
 * ```
 */
export class DoubleWellCluster extends PairCluster {
  /** Name of the parameter set it started from. */
  readonly preset: DoubleWellClusterPreset;
  /** Every number in its formula. */
  readonly parameters: Readonly<Record<string, number>> & DoubleWellClusterParameters;

  /**
   * Makes a cluster.
   *
   * @param options preset, values that replace the preset's, and what becomes of the centre
   * @throws {RangeError} if a name is unknown or a value is impossible
   */
  constructor(options: DoubleWellClusterOptions = {}) {
    const { preset = "koehler2020", centreOfMass = "removed", ...overrides } = options;
    const p = mergeParameters(WHAT, presets, preset, overrides as Record<string, unknown>);
    requirePositive(WHAT, p, ["c", "d0", "pairFactor"]);
    // The inner well, where there are two and a = 0.
    const spacing = p.b < 0 ? Math.max(0.5 * p.d0, p.d0 - Math.sqrt(-p.b / (2 * p.c))) : p.d0;
    const plan = { ...p, name: "double-well-cluster", centreOfMass, spacing, oscillator: 0, law: doubleWell(p) };
    super(WHAT, plan);
    this.preset = preset;
    this.parameters = Object.freeze({ ...p });
  }
}

/** f [a e + b e² + c e⁴], e = d − d₀. */
function doubleWell({ a, b, c, d0, pairFactor }: DoubleWellClusterParameters): PairLaw {
  return {
    energy(squared) {
      const e = Math.sqrt(squared) - d0;
      return pairFactor * ((c * e * e + b) * e + a) * e;
    },
    slope(squared) {
      const d = Math.sqrt(squared);
      const e = d - d0;
      return pairFactor * ((4 * c * e * e + 2 * b) * e + a) / d;
    },
  };
}
