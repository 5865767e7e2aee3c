/**
 * What an exploration amounts to: when it found the other state, how its members are spread, what its flow is worth.
 *
 * @module
 */
import type { Executor } from "../../backend/executor.ts";
import type { Flow } from "../../flow/flow.ts";
import { BoltzmannGenerator, type WeightedSamples } from "../../hybrid/boltzmann_generator.ts";
import { latentMetropolis, type Walkers } from "../../hybrid/latent_metropolis.ts";
import { linLogCut } from "../../loss/energy.ts";
import { freeEnergyDifferenceByCounting } from "../../reweighting/counted_difference.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import { freeEnergyDifferenceByReweighting } from "../../reweighting/reweighted_difference.ts";
import { fixed } from "../report_numbers.ts";
import type { ExperimentContext } from "./experiment.ts";
import { EXPLORATION_SOFTENING, type Explored } from "./exploration_run.ts";
import type { ExplorationSizes } from "./exploration_settings.ts";
import { publishedExploration } from "./exploration_published.ts";
import { type ExploredSystem, gridSamples, type KnownTarget } from "./explored_systems.ts";
import { exactly, type ReproducedRow } from "./row.ts";

/** An exploration with all that it is compared with. */
export interface JudgedExploration extends Explored {
  readonly explored: ExploredSystem;
  readonly sizes: ExplorationSizes;
  readonly known: KnownTarget;
}

/** Seeds of what is done with the final flow, added to the seed of the experiment. */
const [SAMPLE_SEED, FRAME_SEED, MOVE_SEED] = [7001, 7002, 7003];
/** Share of members in the other state from which on it counts as found. */
const NOTICED = 0.01;
/** Iterations of which acceptances are averaged, as the rule of the step does. */
const WINDOW = 50;
/** Blocks of a window whose means give an error. */
const BLOCKS = 5;
/** Standard errors by which walkers of the two starts may differ. */
const LARGEST_DISAGREEMENT = 3;

/** Rows of one exploration. */
export function explorationRows(judged: JudgedExploration, context: ExperimentContext): ReproducedRow[] {
  const { explored: { name } } = judged;
  const { seed, pool, clock } = context;
  const begin = clock();
  const samples = new BoltzmannGenerator(judged.flow, judged.explored.system, { skipNotFinite: true })
    .sample(judged.sizes.samples, { seed: seed + SAMPLE_SEED, pool });
  const drawn = (clock() - begin) / 1000;
  const rows = [
    ...searchRows(judged),
    ...bufferRows(judged),
    lossRow(judged, samples, drawn),
    reweightedRow(judged, samples, drawn, context),
    ...movedRow(judged, context),
  ];
  return rows.map((row) => ({ ...row, quantity: `${name}: ${row.quantity}` }));
}

/** The part of the exploration that rows about it have in common. */
function costOf({ stretches }: JudgedExploration): Pick<ReproducedRow, "energyEvaluations" | "seconds"> {
  const { energyEvaluations, seconds } = stretches.at(-1)!;
  return { energyEvaluations, seconds };
}

/** When members were first seen in the other state. */
function searchRows(judged: JudgedExploration): ReproducedRow[] {
  const { explored: { basins, other, name }, sizes: { capacity, looks }, stretches } = judged;
  const { populations } = stretches.at(-1)!.state.history;
  const iterations = looks.at(-1)!;
  const whole = costOf(judged);
  const row = (quantity: string, least: number, published: ReproducedRow["published"]): ReproducedRow => {
    const first = populations.findIndex((population) => population[other] >= least);
    const share = (first < 0 ? iterations : first + 1) / iterations;
    return {
      quantity,
      unit: "iterations",
      published,
      reference: null,
      ours: first < 0 ? noEstimate(`not reached in ${iterations} iterations`) : exactly(first + 1),
      method: "exploration, one run",
      energyEvaluations: Math.round(share * whole.energyEvaluations),
      seconds: share * whole.seconds,
      note: "one run, so no error; published numbers are read off histograms, in which the first members do not show",
    };
  };
  const state = basins.names[other];
  return [
    row(`first member in the ${state} state`, 1, publishedExploration(name, "found")),
    row(`one per cent of members in the ${state} state`, NOTICED * capacity, null),
  ];
}

/** Acceptance, length of the step and population at the end. */
function bufferRows(judged: JudgedExploration): ReproducedRow[] {
  const { explored: { name, basins, other }, known, stretches } = judged;
  const { acceptance, latentStep } = stretches.at(-1)!.state.history;
  const common = { ...costOf(judged), method: "exploration, one run", reference: null, unit: "" };
  return [
    {
      ...common,
      quantity: `acceptance, last ${Math.min(WINDOW, acceptance.length)} iterations`,
      published: publishedExploration(name, "acceptance"),
      ours: meanOfBlocks(acceptance.slice(-WINDOW)),
      note: `${acceptance[0].toFixed(2)} in the first iteration`,
    },
    {
      ...common,
      quantity: "length of the latent step at the end",
      published: publishedExploration(name, "step"),
      ours: exactly(latentStep.at(-1)!),
    },
    {
      ...common,
      quantity: `members in the ${basins.names[other]} state at the end`,
      published: publishedExploration(name, "population"),
      reference: known.population,
      ours: finalPopulation(judged),
      method: "members of the buffer, not reweighted",
    },
  ];
}

function meanOfBlocks(values: readonly number[]): Estimate {
  const size = Math.floor(values.length / BLOCKS);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (size === 0) return estimateFrom(mean, NaN);
  const means = Array.from({ length: BLOCKS }, (_, k) => {
    return values.slice(k * size, (k + 1) * size).reduce((sum, value) => sum + value, 0) / size;
  });
  const squares = means.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return estimateFrom(mean, Math.sqrt(squares / (BLOCKS - 1) / BLOCKS), { degreesOfFreedom: BLOCKS - 1 });
}

/**
 * The share of members in the other state. Members move on their own, so that counting has the error of independent ones;
 * how the share changed over the last tenth is added. Neither knows of what all have in common: one flow, which learnt
 * from them.
 */
function finalPopulation(
  { explored: { other }, sizes: { capacity, batch, looks }, stretches }: JudgedExploration,
): Estimate {
  const { populations } = stretches.at(-1)!.state.history;
  const iterations = looks.at(-1)!;
  const share = (iteration: number) => populations[iteration - 1][other] / capacity;
  const last = share(iterations);
  if (last === 0) return noEstimate(`no member is there after ${iterations} iterations`);
  const change = last - share(Math.ceil(0.9 * iterations));
  const moves = Math.round(iterations * batch / capacity);
  return estimateFrom(last, Math.hypot(Math.sqrt(last * (1 - last) / capacity), change), {
    reason:
      `members are no Boltzmann sample: each was moved about ${moves} times from one start, by a flow that learnt ` +
      "from them",
  });
}

/** J_KL as published: energies softened, without the entropy of the prior. */
function lossRow(judged: JudgedExploration, samples: WeightedSamples, drawn: number): ReproducedRow {
  const { explored: { name, system, basins, other }, known } = judged;
  const cost = costOf(judged);
  const entropy = system.dim / 2 * (1 + Math.log(2 * Math.PI));
  const terms = Array.from(samples.reducedEnergy, (u, i) => {
    return linLogCut(u, EXPLORATION_SOFTENING).value + samples.logProb[i] + entropy;
  }).filter(Number.isFinite);
  const mean = terms.reduce((sum, term) => sum + term, 0) / terms.length;
  const squares = terms.reduce((sum, term) => sum + (term - mean) ** 2, 0);
  const note = known.logPartition === undefined
    ? "above 10⁴ energies are softened, as published"
    : `an exact flow has ${fixed(entropy - known.logPartition, 4)}, one that misses the ${basins.names[other]} state ` +
      `${fixed(entropy - known.logPartition - Math.log1p(-known.population!.value), 4)}`;
  return {
    quantity: "J_KL at the end",
    unit: "",
    published: publishedExploration(name, "loss"),
    reference: null,
    ours: estimateFrom(mean, Math.sqrt(squares) / terms.length),
    method: `${samples.logProb.length} samples of the flow`,
    energyEvaluations: cost.energyEvaluations + samples.logProb.length,
    seconds: cost.seconds + drawn,
    note,
  };
}

/** What the flow knows of both states. */
function reweightedRow(
  judged: JudgedExploration,
  samples: WeightedSamples,
  drawn: number,
  { seed, pool, clock }: ExperimentContext,
): ReproducedRow {
  const { explored, sizes, known, flow } = judged;
  const { basins: { names, of }, other } = explored;
  const begin = clock();
  const frames = sizes.frames > 0 ? framesOf(explored, flow, sizes.frames, seed + FRAME_SEED, pool) : undefined;
  const ours = freeEnergyDifferenceByReweighting(samples.logWeights, of(samples.x), {
    names,
    to: other,
    seed,
    ...frames && { frames },
  });
  const cost = costOf(judged);
  return {
    quantity: `ΔF(${names[other]} − ${names[0]})`,
    unit: "k_BT",
    published: publishedExploration(explored.name, "difference"),
    reference: known.freeEnergyDifference,
    ours,
    method: `${sizes.samples} samples of the final flow, reweighted`,
    energyEvaluations: cost.energyEvaluations + sizes.samples + sizes.frames,
    seconds: cost.seconds + drawn + (clock() - begin) / 1000,
  };
}

function framesOf(explored: ExploredSystem, flow: Flow, n: number, seed: number, pool: Executor) {
  const x = gridSamples(explored, n, seed);
  const { logWeights } = new BoltzmannGenerator(flow, explored.system).weigh(x, { pool });
  return { logWeights, basins: explored.basins.of(x), chains: Int32Array.from(logWeights.keys()) };
}

/**
 * What exact moves of the final flow, which learns no more, make of the members. Half of the walkers start in either state,
 * and the second half of the moves counts: what both say alike has forgotten where it began.
 */
function movedRow(judged: JudgedExploration, { seed, pool, clock }: ExperimentContext): ReproducedRow[] {
  const { explored: { system, basins, other }, sizes: { walkers, moves }, stretches, flow, known } = judged;
  if (walkers === 0) return [];
  const begin = clock();
  const { latentStep } = stretches.at(-1)!.state;
  const start = startsOfBoth(judged);
  let at: Walkers = { x: start ?? new Float64Array() };
  const seen: number[] = [];
  for (let iteration = 0; start !== null && iteration < moves; iteration++) {
    at = latentMetropolis({ flow, system, beta: 1 }, at, {
      step: latentStep,
      seed: seed + MOVE_SEED,
      iteration,
      skipNotFinite: true,
      pool,
    });
    const states = iteration < moves / 2 ? [] : Array.from(basins.of(at.x));
    for (const state of states) seen.push(state === 0 ? 0 : state === other ? 1 : -1);
  }
  const names = [basins.names[other], basins.names[0]];
  const cost = costOf(judged);
  return [{
    quantity: `ΔF(${names[0]} − ${names[1]}), counted`,
    unit: "k_BT",
    published: null,
    reference: known.freeEnergyDifference,
    ours: start === null ? noEstimate(`no member is in the ${names[0]} state`) : counted(seen, walkers, names, seed),
    method: `${walkers} walkers, half from members of either state; ${moves} exact latent moves of the final flow, ` +
      "the second half counts",
    energyEvaluations: cost.energyEvaluations + (start === null ? 0 : walkers * (moves + 1)),
    seconds: cost.seconds + (clock() - begin) / 1000,
  }];
}

/** Walkers in turn from members of the other state and of the first one; null where one of them is empty. */
function startsOfBoth({ explored: { system, basins, other }, sizes: { walkers }, stretches }: JudgedExploration) {
  const { dim } = system;
  const frames = Float64Array.from(stretches.at(-1)!.state.frames);
  const states = Array.from(basins.of(frames));
  const places = [other, 0].map((state) => [...states.keys()].filter((i) => states[i] === state));
  if (places.some(({ length }) => length === 0)) return null;
  const x = new Float64Array(walkers * dim);
  for (let w = 0; w < walkers; w++) {
    const side = places[w % 2];
    const place = side[Math.floor(w / 2) % side.length] * dim;
    x.set(frames.subarray(place, place + dim), w * dim);
  }
  return x;
}

/** A difference by counting, doubted while walkers remember their starts. */
function counted(seen: readonly number[], walkers: number, names: readonly string[], seed: number): Estimate {
  const difference = (side: number | null): Estimate => {
    const own = seen.keys().filter((i) => side === null || i % walkers % 2 === side).toArray();
    const { crossings: _, ...estimate } = freeEnergyDifferenceByCounting(
      own.map((i) => seen[i]),
      own.map((i) => i % walkers),
      { seed },
    );
    return estimate;
  };
  const [all, ...byStart] = [null, 0, 1].map(difference);
  if (!all.reliable) return all;
  const [there, here] = byStart;
  if (there.standardError === null || here.standardError === null) {
    return { ...all, reliable: false, reason: "walkers from one of the states alone have no estimate" };
  }
  const apart = Math.abs(there.value! - here.value!) / Math.hypot(there.standardError, here.standardError);
  if (apart <= LARGEST_DISAGREEMENT) return all;
  return {
    ...all,
    reliable: false,
    reason: `walkers remember their starts: ${there.value!.toFixed(2)} from the ${names[0]} state and ` +
      `${here.value!.toFixed(2)} from the ${names[1]} one`,
  };
}
