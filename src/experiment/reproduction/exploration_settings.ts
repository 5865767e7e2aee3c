/**
 * How much is explored with each budget.
 *
 * @module
 */
import type { ReproductionBudget } from "./experiment.ts";

/** Sizes of the exploration of one system. */
export interface ExplorationSizes {
  /** Layers in the papers' notation. */
  readonly layers: string;
  /** Hidden layers of each network. */
  readonly hidden: readonly number[];
  /** Configurations in the buffer. */
  readonly capacity: number;
  /** Copies of the start configuration, with noise, that fill it. */
  readonly copies: number;
  /** Steps of maximum likelihood before the exploration. */
  readonly pretraining: number;
  /** Members of the buffer, and prior samples, of an iteration. */
  readonly batch: number;
  /** Iterations after which the buffer is looked at, rising; the last one is the end. Stretches between are kept parts. */
  readonly looks: readonly number[];
  /** Samples of the final flow that are reweighted. */
  readonly samples: number;
  /** Walkers, and how often each moves, by which the final flow is used as it is; 0 walkers: not at all. */
  readonly walkers: number;
  /** Moves of each walker. */
  readonly moves: number;
  /** Independent configurations of the target that vouch for the coverage of the samples. */
  readonly frames: number;
}

/** Systems in the order of the rows. */
export type ExploredName = "double well" | "Müller-Brown" | "dimer";

const smoke: ExplorationSizes = {
  layers: "RR",
  hidden: [12],
  capacity: 256,
  copies: 64,
  pretraining: 2,
  batch: 64,
  looks: [5, 10],
  samples: 400,
  walkers: 40,
  moves: 10,
  frames: 200,
};

const doubleWell: ExplorationSizes = {
  layers: "RRRR",
  hidden: [100, 100],
  capacity: 10_000,
  copies: 1000,
  pretraining: 20,
  batch: 1024,
  looks: [50, 150, 250, 500],
  samples: 100_000,
  walkers: 500,
  moves: 2000,
  frames: 4000,
};

const mueller: ExplorationSizes = {
  layers: "RRRRR",
  hidden: [100, 100],
  capacity: 100_000,
  copies: 1000,
  pretraining: 3,
  batch: 2048,
  looks: [150, 500, 1000, 1500],
  samples: 100_000,
  walkers: 500,
  moves: 2000,
  frames: 4000,
};

const dimer: ExplorationSizes = {
  layers: "R8",
  hidden: [200, 200, 200],
  capacity: 100_000,
  copies: 1000,
  pretraining: 200,
  batch: 1000,
  looks: [50, 250, 450, 1000],
  samples: 100_000,
  walkers: 0,
  moves: 0,
  frames: 0,
};

/** The sizes of each budget; those of "paper" are the published ones. */
export const explorationSizes: Readonly<Record<ReproductionBudget, Readonly<Record<ExploredName, ExplorationSizes>>>> =
  {
    smoke: {
      "double well": smoke,
      "Müller-Brown": smoke,
      dimer: { ...smoke, hidden: [8], batch: 32, looks: [2, 4], walkers: 0, moves: 0, frames: 0 },
    },
    default: {
      "double well": doubleWell,
      // Half of a published batch on half the buffer: as many moves of each member, in half the time.
      "Müller-Brown": { ...mueller, capacity: 50_000, batch: 1024 },
      // And networks of half the width, which take a third of the time.
      dimer: {
        ...dimer,
        hidden: [100, 100, 100],
        capacity: 50_000,
        batch: 500,
        looks: [250, 500, 1000],
        samples: 20_000,
      },
    },
    paper: { "double well": doubleWell, "Müller-Brown": mueller, dimer },
  };
