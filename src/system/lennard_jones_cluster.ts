/**
 * Lennard-Jones clusters in three dimensions: LJ13 and its like.
 *
 * @module
 */
import { logOf } from "../random/elementary.ts";
import type { CentreOfMass } from "./centre_of_mass.ts";
import { PairCluster, type PairLaw } from "./pair_cluster.ts";
import { mergeParameters, requirePositive } from "./system.ts";

/** The numbers in the energy of a {@link LennardJonesCluster}. */
export interface LennardJonesClusterParameters {
  /** Number of particles ≥ 2. */
  readonly particles: number;
  /** Directions of space, 1 to 3. */
  readonly spatialDim: number;
  /** ε > 0, the depth of the well of a pair. */
  readonly epsilon: number;
  /** r_m > 0, the distance of the lowest pair energy. */
  readonly rm: number;
  /** f > 0, how often each pair counts. */
  readonly pairFactor: number;
  /** o > 0 of the trap ½ o Σ |rᵢ − centre|². */
  readonly oscillator: number;
  /** κ > 0 of ½ κ N |centre|², where the centre is pinned. */
  readonly centreConstant: number;
}

/** Names of the parameter sets of Lennard-Jones clusters. */
export type LennardJonesClusterPreset = "eacf" | "efm";

const eacf: LennardJonesClusterParameters = {
  particles: 13,
  spatialDim: 3,
  epsilon: 1,
  rm: 1,
  pairFactor: 1,
  oscillator: 1,
  centreConstant: 1,
};

const presets: Readonly<Record<LennardJonesClusterPreset, LennardJonesClusterParameters>> = {
  "eacf": eacf,
  "efm": { ...eacf, pairFactor: 2 },
};

/** What a {@link LennardJonesCluster} is made from. */
export interface LennardJonesClusterOptions extends Partial<LennardJonesClusterParameters> {
  /** Parameter set, default "eacf". */
  readonly preset?: LennardJonesClusterPreset | undefined;
  /** What becomes of the centre of mass, default "removed". */
  readonly centreOfMass?: CentreOfMass | undefined;
}

const WHAT = "make a LennardJonesCluster";

/**
 * U = f ε Σ [(r_m/d)¹² − 2 (r_m/d)⁶] + ½ o Σ |rᵢ − centre|², the first sum over pairs.
 *
 * Both presets are LJ13, 13 particles in three dimensions with ε = r_m = o = 1; the literature holds two energies under that
 * name, whose log-likelihoods and effective sample sizes do not compare:
 *
 * | preset | f | where |
 * |---|---|---|
 * | `eacf` | 1, each pair counts once | Midgley et al. 2023 (equivariant augmented coupling flows); bgflow today |
 * | `efm` | 2, each pair counts twice | Klein et al. 2023 (equivariant flow matching); Akhound-Sadegh et al. 2024 (iDEM), `energy_factor = 1` |
 *
 * The trap is not doubled. Without trap and at f = 1 the lowest energy is −44.326801 (icosahedron).
 *
 * The energy does not feel the centre of mass; {@link CentreOfMass} says what becomes of it. By default x are 36 coordinates
 * of mean-free positions, and densities are those of the literature: `coordinates` takes positions there, `positions` back.
 * Particles are alike, and all labellings count. `clusterReferences` holds ln Z and mean energies.
 *
 * @example
 * ```ts
 * import { LennardJonesCluster } from "@boltzflow/boltzflow";
 * const once = new LennardJonesCluster({ particles: 2 }), twice = new LennardJonesCluster({ preset: "efm", particles: 2 });
 * const x = once.coordinates(Float64Array.of(0, 0, 0, 1, 0, 0));
 * if (once.energy(x)[0].toFixed(9) !== "-0.750000000") throw new Error("−ε, and a trap of ½ (¼ + ¼)");
 * if (twice.energy(x)[0].toFixed(9) !== "-1.750000000") throw new Error("−2ε, and the same trap");
 * ```
 */
export class LennardJonesCluster extends PairCluster {
  /** Name of the parameter set it started from. */
  readonly preset: LennardJonesClusterPreset;
  /** Every number in its formula. */
  readonly parameters: Readonly<Record<string, number>> & LennardJonesClusterParameters;

  /**
   * Makes a cluster.
   *
   * @param options preset, values that replace the preset's, and what becomes of the centre
   * @throws {RangeError} if a name is unknown or a value is impossible
   */
  constructor(options: LennardJonesClusterOptions = {}) {
    const { preset = "eacf", centreOfMass = "removed", ...overrides } = options;
    const p = mergeParameters(WHAT, presets, preset, overrides as Record<string, unknown>);
    requirePositive(WHAT, p, ["epsilon", "rm", "pairFactor", "oscillator"]);
    const law = lennardJones(p.pairFactor * p.epsilon, p.rm * p.rm);
    super(WHAT, { ...p, name: "lennard-jones-cluster", centreOfMass, spacing: p.rm, law });
    this.preset = preset;
    this.parameters = Object.freeze({ ...p });
  }

  /**
   * Computes ln Z of the particles without pair energies, in the trap alone: ½ (particles − 1) spatialDim ln(2πT/o), and
   * what a pinned centre adds.
   *
   * @param temperature T in units of T₀, > 0
   * @returns ln Z of the ideal gas in the trap
   * @throws {RangeError} if the temperature is not positive
   */
  idealLogPartition(temperature: number): number {
    if (!(temperature > 0 && Number.isFinite(temperature))) {
      throw new RangeError(`Cannot integrate an ideal gas: temperature must be a positive number, got ${temperature}`);
    }
    const axes = (this.particles - 1) * this.spatialDim;
    return 0.5 * axes * logOf(2 * Math.PI * temperature / this.parameters.oscillator) +
      this.centreLogPartition(temperature);
  }
}

/** ε [(r_m/d)¹² − 2 (r_m/d)⁶]. */
function lennardJones(epsilon: number, rmSquared: number): PairLaw {
  const sixth = (squared: number) => {
    const ratio = rmSquared / squared;
    return ratio * ratio * ratio;
  };
  return {
    energy(squared) {
      const s = sixth(squared);
      return epsilon * s * (s - 2);
    },
    slope(squared) {
      const s = sixth(squared);
      return 12 * epsilon * s * (1 - s) / squared;
    },
  };
}
