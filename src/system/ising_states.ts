/**
 * All configurations of small lattices, counted.
 *
 * @module
 */
import { expOf, logOf } from "../random/elementary.ts";
import type { IsingLattice } from "./ising_lattice.ts";

/** Configurations of equal energy and equal total spin. */
export interface IsingLevel {
  /** U in k_BT₀. */
  readonly energy: number;
  /** m, the total spin over L². */
  readonly magnetisation: number;
  /** How many configurations there are. */
  readonly count: number;
}

/** What {@link isingLevels} leads to at one temperature. */
export interface IsingLevelAverages {
  /** ln Z. */
  readonly logPartition: number;
  /** ⟨U⟩ in k_BT₀. */
  readonly meanEnergy: number;
  /** The variance of U over T², in k_B. */
  readonly heatCapacity: number;
  /** The probability of each m, from −1 to 1 in steps of 2/L², [L² + 1]. */
  readonly magnetisation: Float64Array;
}

/** L of the largest lattice: 2¹⁶ configurations. */
const MOST_SIDE = 4;

/**
 * Visits every configuration of a small lattice and counts them by energy and magnetisation.
 *
 * From one configuration to the next a single spin turns (Gray's code), so that whole numbers are all that is added.
 *
 * @param lattice of side 2, 3 or 4
 * @returns energies and magnetisations that occur, in increasing order
 * @throws {RangeError} if the lattice is larger
 *
 * @example Two states of lowest energy
 * ```ts
 * import { IsingLattice, isingLevels } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const [down, up] = isingLevels(new IsingLattice({ side: 4 }));
 *
 * assertEquals(down, { energy: -32, magnetisation: -1, count: 1 });
 * assertEquals(up, { energy: -32, magnetisation: 1, count: 1 });
 * ```
 */
export function isingLevels(lattice: IsingLattice): IsingLevel[] {
  const { side, dim, coupling } = lattice;
  if (side > MOST_SIDE) {
    throw new RangeError(`Cannot count configurations: side must be at most ${MOST_SIDE}, got ${side}`);
  }
  const neighbours = neighbourLists(lattice);
  const bonds = 2 * dim;
  // [bonds over parallel minus bonds over opposite spins, up minus down], each from its least value on.
  const counts = new Float64Array((2 * bonds + 1) * (2 * dim + 1));
  const spins = new Int8Array(dim).fill(-1);
  let [parallel, total] = [bonds, -dim];
  for (let step = 1;; step++) {
    counts[(parallel + bonds) * (2 * dim + 1) + total + dim]++;
    if (step === 2 ** dim) break;
    const turn = 31 - Math.clz32(step & -step);
    for (const j of neighbours[turn]) parallel -= 2 * spins[turn] * spins[j];
    total -= 2 * spins[turn];
    spins[turn] = -spins[turn] as -1 | 1;
  }
  const levels: IsingLevel[] = [];
  counts.forEach((count, k) => {
    if (count === 0) return;
    const parallel = Math.floor(k / (2 * dim + 1)) - bonds;
    levels.push({ energy: 0 - coupling * parallel, magnetisation: (k % (2 * dim + 1) - dim) / dim, count });
  });
  return levels.sort((a, b) => a.energy - b.energy || a.magnetisation - b.magnetisation);
}

/** Sites beside each site; twice where two bonds lead there. */
function neighbourLists(lattice: IsingLattice): number[][] {
  const lists = Array.from({ length: lattice.dim }, (): number[] => []);
  for (const { i, j } of lattice.bonds()) {
    lists[i].push(j);
    lists[j].push(i);
  }
  return lists;
}

/**
 * Weighs counted configurations by e^(−U/T).
 *
 * @param lattice of side 2, 3 or 4
 * @param temperature T in units of T₀, > 0
 * @returns ln Z, ⟨U⟩, C and the distribution of the magnetisation
 * @throws {RangeError} if the lattice is larger or the temperature not positive
 */
export function enumerateIsing(lattice: IsingLattice, temperature: number): IsingLevelAverages {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`Cannot weigh configurations: temperature must be a positive number, got ${temperature}`);
  }
  const levels = isingLevels(lattice);
  const lowest = levels[0].energy;
  const magnetisation = new Float64Array(lattice.dim + 1);
  // Energies count from the lowest one, so that their variance does not cancel.
  let [partition, excess, squares] = [0, 0, 0];
  for (const { energy, magnetisation: m, count } of levels) {
    const weight = count * expOf((lowest - energy) / temperature);
    partition += weight;
    excess += weight * (energy - lowest);
    squares += weight * (energy - lowest) * (energy - lowest);
    magnetisation[Math.round((m + 1) * lattice.dim / 2)] += weight;
  }
  const mean = excess / partition;
  return {
    logPartition: logOf(partition) - lowest / temperature,
    meanEnergy: lowest + mean,
    heatCapacity: (squares / partition - mean * mean) / (temperature * temperature),
    magnetisation: magnetisation.map((weight) => weight / partition),
  };
}
