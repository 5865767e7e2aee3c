/**
 * What is explored: systems with a start in one state, a coordinate that tells states apart, and what is known of them.
 *
 * @module
 */
import type { Tensor } from "../../graph/graph.ts";
import type { Basins } from "../../hybrid/exploration.ts";
import type { ReactionCoordinate } from "../../hybrid/boltzmann_objective.ts";
import { RandomStream } from "../../random/random_stream.ts";
import { MetropolisChains } from "../../sampling/metropolis_chains.ts";
import { DoubleWell } from "../../system/double_well.ts";
import { MuellerBrown } from "../../system/mueller_brown.ts";
import { DIMER_BOUNDARY, ParticleDimer } from "../../system/particle_dimer.ts";
import type { System } from "../../system/system.ts";
import { dimerDistance } from "../dimer_training.ts";
import { basinPopulation } from "./basin_population.ts";
import { referenceOf, umbrellaReference } from "./dimer_umbrella_reference.ts";
import type { ExperimentContext } from "./experiment.ts";
import type { ExploredName } from "./exploration_settings.ts";
import { byQuadrature, type Reference } from "./row.ts";

/** What an exploration is compared with; no flow has a part in it. */
export interface KnownTarget {
  /** F(other state) − F(first state) in k_BT; null where the reference doubts itself. */
  readonly freeEnergyDifference: Reference | null;
  /** Probability of the other state. */
  readonly population: Reference | null;
  /** ln Z, where it is known. */
  readonly logPartition?: number;
  /** Density of the coordinate, where it is known. */
  readonly density: { readonly at: Float64Array; readonly value: Float64Array };
}

/** A system to explore. */
export interface ExploredSystem {
  readonly name: ExploredName;
  readonly system: System;
  /** A configuration of the first state [dim], and the energies that it cost. */
  start(context: ExperimentContext): { readonly x: Float64Array; readonly energyEvaluations: number };
  /** Standard deviation of the noise that is added to its copies. */
  readonly noise: number;
  /** Learning rates of maximum likelihood before, and of the exploration. */
  readonly learningRates: readonly [number, number];
  /** Whether J_ML is importance weighted. */
  readonly importanceWeighted: boolean;
  /** The reaction-coordinate loss, where there is one. */
  readonly reactionCoordinate?: ReactionCoordinate;
  /** States; 0 is the one of the start, {@link other} the one to be found. */
  readonly basins: Basins;
  readonly other: number;
  /** The coordinate of configurations, [n]. */
  coordinate(x: Float64Array): Float64Array;
  /** Axis label of the coordinate, and the range that is shown. */
  readonly axis: { readonly label: string; readonly domain: readonly [number, number] };
  /** Box of all that has weight, for systems of two coordinates: independent configurations are drawn on a grid there. */
  readonly box?: readonly [readonly [number, number], readonly [number, number]];
  known(context: ExperimentContext): Promise<KnownTarget>;
}

/** Sorts a coordinate into states by the places between them. */
function basinsOf(names: readonly string[], divides: readonly number[], of: (x: Float64Array) => Float64Array): Basins {
  return {
    names,
    of: (x) => Int32Array.from(of(x), (r) => divides.reduce((sum, divide) => sum + (r < divide ? 0 : 1), 0)),
  };
}

function coordinates(low: number, high: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => low + (high - low) * k / (count - 1));
}

/** The double well, from the left. */
function exploredDoubleWell(): ExploredSystem {
  const system = new DoubleWell();
  const coordinate = (x: Float64Array) => x.filter((_, k) => k % 2 === 0);
  return {
    name: "double well",
    system,
    start: () => ({ x: Float64Array.of(-1.8, 0), energyEvaluations: 0 }),
    noise: 0.01,
    learningRates: [1e-3, 2.5e-4],
    importanceWeighted: true,
    basins: basinsOf(["left", "right"], [0], coordinate),
    other: 1,
    coordinate,
    axis: { label: "*x*_1", domain: [-2.6, 2.6] },
    box: [[-3.5, 3.5], [-6, 6]],
    known() {
      const { freeEnergyDifference, logPartition } = system.exact(1);
      const at = coordinates(-2.6, 2.6, 261);
      const others = Math.log(2 * Math.PI) / 2;
      const line = system.energy(Float64Array.from({ length: 2 * at.length }, (_, k) => k % 2 === 0 ? at[k / 2] : 0));
      return Promise.resolve({
        freeEnergyDifference: byQuadrature(freeEnergyDifference),
        population: basinPopulation(byQuadrature(freeEnergyDifference)),
        logPartition,
        density: { at, value: line.map((u) => Math.exp(-u + others - logPartition)) },
      });
    },
  };
}

/** The potential of Müller and Brown, from its deepest minimum. */
function exploredMuellerBrown(): ExploredSystem {
  const system = new MuellerBrown();
  const coordinate = (x: Float64Array) =>
    Float64Array.from({ length: x.length / 2 }, (_, i) => 0.7 * (x[2 * i] - x[2 * i + 1]));
  return {
    name: "Müller-Brown",
    system,
    start: () => ({ x: Float64Array.of(-0.558, 1.442), energyEvaluations: 0 }),
    noise: 0,
    learningRates: [1e-3, 1e-4],
    importanceWeighted: true,
    basins: basinsOf(["left", "middle", "right"], [-1, 0], coordinate),
    other: 2,
    coordinate,
    axis: { label: "*s* = 0.7 (*x*_1 − *x*_2)", domain: [-2.2, 1.2] },
    box: [[-3, 2.5], [-1.5, 3.5]],
    known() {
      const { freeEnergyDifference, populations, logPartition } = system.exact(1);
      const at = coordinates(-2.2, 1.2, 171);
      return Promise.resolve({
        freeEnergyDifference: byQuadrature(freeEnergyDifference),
        population: byQuadrature(populations[2]),
        logPartition,
        density: { at, value: system.exactProfile(1, at).map((f) => Math.exp(-f)) },
      });
    },
  };
}

/** Sweeps that a chain takes from the published start to a closed frame; the step is tuned over a third of them. */
const SETTLING = 3000;

/** From here on a dimer counts as open: inside its well, of which the top of the barrier at 1.5 is no part. */
const OPEN = 1.8;

/** The dimer, from one closed frame. */
function exploredDimer(): ExploredSystem {
  const system = new ParticleDimer();
  const coordinate = (x: Float64Array) => system.distance(x);
  return {
    name: "dimer",
    system,
    start({ budget, seed, pool }) {
      // Two chains are the fewest; the first one starts closed.
      const chains = new MetropolisChains(system, { chains: 2, seed });
      const sweeps = budget === "smoke" ? SETTLING / 10 : SETTLING;
      chains.tune(sweeps / 3, { pool });
      chains.advance(2 * sweeps / 3, { pool });
      return { x: chains.frames({ pool }).x.slice(0, system.dim), energyEvaluations: chains.energyEvaluations };
    },
    noise: 0.05,
    learningRates: [2.5e-4, 1e-4],
    importanceWeighted: false,
    reactionCoordinate: { of: (x: Tensor) => dimerDistance(x), bounds: [0.5, 2.5] },
    basins: basinsOf(["closed", "between", "open"], [DIMER_BOUNDARY, OPEN], coordinate),
    other: 2,
    coordinate,
    axis: { label: "*d*", domain: [0.6, 2.4] },
    async known(context) {
      const umbrella = await umbrellaReference(context, 1);
      const { edges, freeEnergy } = umbrella.profile;
      const density = {
        at: Float64Array.from(freeEnergy, (_, k) => (edges[k] + edges[k + 1]) / 2),
        value: Float64Array.from(freeEnergy, (f) => f === null ? NaN : Math.exp(-f)),
      };
      // Of what is beyond the barrier's top nearly all is in the well: its share moves ΔF by less than its error.
      const beyond = (place: number) =>
        density.value.reduce((sum, p, k) => density.at[k] > place ? sum + (p || 0) : sum, 0);
      const share = beyond(OPEN) / beyond(DIMER_BOUNDARY);
      const difference = referenceOf(umbrella);
      const population = difference && basinPopulation(difference);
      return {
        freeEnergyDifference: difference && { ...difference, value: difference.value - Math.log(share) },
        population: population && {
          ...population,
          value: share * population.value,
          standardError: share * population.standardError,
        },
        density,
      };
    },
  };
}

/** The systems in the order of the rows. */
export function exploredSystems(): readonly ExploredSystem[] {
  return [exploredDoubleWell(), exploredMuellerBrown(), exploredDimer()];
}

/** Copies of a configuration with noise, [copies, dim]. */
export function noisyCopies(x: Float64Array, copies: number, noise: number, seed: number): Float64Array {
  const random = new RandomStream(seed, 0xe0).fillNormals(new Float64Array(copies * x.length));
  return random.map((normal, k) => x[k % x.length] + noise * normal);
}

/** Cells of the grid on either axis: a tenth of the narrowest thermal width, which Müller-Brown has. */
const CELLS = 1000;

/**
 * Draws independent configurations of the Boltzmann distribution at T = 1 in two dimensions: a cell of a grid by its
 * weight, a point in it at random.
 */
export function gridSamples({ system, box }: ExploredSystem, n: number, seed: number): Float64Array {
  const sides = box!.map(([low, high]) => (high - low) / CELLS);
  const centre = (cell: number, axis: number) =>
    box![axis][0] + sides[axis] * ((axis === 0 ? Math.floor(cell / CELLS) : cell % CELLS) + 0.5);
  const grid = Float64Array.from({ length: 2 * CELLS * CELLS }, (_, k) => centre(k >> 1, k % 2));
  const energy = system.energy(grid);
  const lowest = energy.reduce((low, u) => Math.min(low, u), Infinity);
  let total = 0;
  const below = energy.map((u) => total += Math.exp(lowest - u));
  const random = new RandomStream(seed, 0xe4);
  const x = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const target = random.uniform() * total;
    let [low, high] = [0, below.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (below[middle] <= target) low = middle + 1;
      else high = middle;
    }
    for (const axis of [0, 1]) x[2 * i + axis] = centre(low, axis) + sides[axis] * (random.uniform() - 0.5);
  }
  return x;
}
