/**
 * Flow-proposal Monte Carlo in the double well.
 *
 * @module
 */
import type { Flow } from "../../flow/flow.ts";
import { flowMonteCarlo, type FlowMonteCarloOptions } from "../../hybrid/flow_monte_carlo.ts";
import type { FreeEnergyEstimate } from "../../reweighting/estimate.ts";
import { umbrellaFreeEnergies } from "../../reweighting/umbrella.ts";
import { metropolis } from "../../sampling/metropolis.ts";
import type { System } from "../../system/system.ts";
import { basinPopulation } from "./basin_population.ts";
import { type ChainSummary, energiesFor, rateWithCost, ratioOf, summarizeChains, whoMoved } from "./chain_summary.ts";
import { coordinateOf, doubleWell, wellEdges } from "./double_well_basins.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import { type IndependenceSampler, independenceSampler } from "./independence_sampler.ts";
import { printedRange } from "./printed_range.ts";
import { byQuadrature, type Reference, type ReproducedRow } from "./row.ts";
import { trainedDoubleWell } from "./trained_double_well.ts";
import type { Cost } from "./trained_dimer.ts";

/** Sizes of a budget. */
interface Sizes {
  /** Walkers of every run. */
  readonly walkers: number;
  /** Turns with a flow. */
  readonly turns: number;
  /** Turns of local moves alone, and sweeps in each. */
  readonly local: { readonly turns: number; readonly sweeps: number };
}

const SIZES: Readonly<Record<ReproductionBudget, Sizes>> = {
  smoke: { walkers: 32, turns: 300, local: { turns: 100, sweeps: 10 } },
  default: { walkers: 64, turns: 3000, local: { turns: 1500, sweeps: 150 } },
  paper: { walkers: 64, turns: 20_000, local: { turns: 4000, sweeps: 500 } },
};

/** Steps of local moves: what suits the wells, and what was published. */
const STEPS = { tuned: 0.4, published: 0.1 } as const;
const LATENT_STEP = 0.5;
/** Standard error of ΔF in k_BT by which prices are compared. */
const SIGMA = 0.03;
/** Beyond these the first coordinate is in a basin; between them in none, as published. */
const CORE = 1;
/** Windows of umbrella sampling: centres, and the spring κ in k_BT per square length. */
const UMBRELLA = { from: -2.2, to: 2.2, count: 23, spring: 25, chains: 4, burnIn: 100, step: 0.3 } as const;

/** What was found in the double well. */
export interface WellChains {
  /** Local moves of the length that suits the wells. */
  readonly local: ChainSummary;
  /** Local moves of the published length. */
  readonly published: ChainSummary;
  /** Proposals of the flow alone. */
  readonly independence: ChainSummary;
  /** All kinds. */
  readonly mixed: ChainSummary;
  /** The exact answers. */
  readonly exact: IndependenceSampler & { readonly freeEnergyDifference: number };
  /** Umbrella sampling with as many energies as the mixed chains. */
  readonly umbrella: { readonly difference: FreeEnergyEstimate } & Cost;
  /** Data and training of the flow. */
  readonly flow: Cost;
}

/**
 * Runs chains of the double well, with and without a flow.
 *
 * @param context budget, seed, threads
 * @returns what they did
 */
export async function wellChains(context: ExperimentContext): Promise<WellChains> {
  const { budget, seed, pool, signal, clock } = context;
  const { walkers, turns, local } = SIZES[budget];
  const { flow, ...cost } = await trainedDoubleWell(context);
  const start = Float64Array.from({ length: 2 * walkers }, (_, i) => i % 2 === 1 ? 0 : i % 4 === 0 ? -1.77 : 1.69);
  const { freeEnergyDifference } = doubleWell.exact(1);
  const right = basinPopulation(byQuadrature(freeEnergyDifference));
  const run = async (
    what: string,
    moves: FlowMonteCarloOptions["moves"],
    length: number,
    own: number,
    population?: Reference,
  ) => {
    const began = clock();
    const result = await flowMonteCarlo({
      system: doubleWell,
      start,
      turns: length,
      burnIn: Math.ceil(length / 20),
      moves,
      observe: {
        sides: (x) => coordinateOf(x, 0).map((v) => v < 0 ? 0 : 1),
        trace: (x) => coordinateOf(x, 0),
        moved: whoMoved(2),
      },
      basins: (x) => Int8Array.from(coordinateOf(x, 0), (v) => v < -CORE ? 0 : v > CORE ? 1 : -1),
      seed: seed + own,
      pool,
      ...signal && { signal },
      onProgress: (done) => context.onProgress(`double well, ${what}`, done),
    });
    return summarizeChains(result, (clock() - began) / 1000, seed, population);
  };
  const alone = (step: number) => ({ local: { probability: 1, step, sweeps: local.sweeps } });
  const found = {
    local: await run("local moves", alone(STEPS.tuned), local.turns, 11, right),
    published: await run("local moves of 0.1", alone(STEPS.published), local.turns, 12, right),
    independence: await run("proposals of the flow", { independence: { probability: 1, generator: flow } }, turns, 13),
    mixed: await run(
      "all moves",
      {
        local: { probability: 0.5, step: STEPS.tuned, sweeps: 4 },
        independence: { probability: 0.4, generator: flow },
        latent: { probability: 0.1, flow, step: LATENT_STEP },
      },
      turns,
      14,
    ),
  };
  const exact = {
    ...exactSampler(flow, 0.1 / (walkers * turns)),
    freeEnergyDifference,
  };
  flow.release();
  return { ...found, exact, umbrella: umbrella(context, found.mixed.energyEvaluations), flow: cost };
}

/**
 * Acceptance and autocorrelation time of independence moves by quadrature over a grid, without the states of largest weight
 * that chains of this length do not come to.
 */
function exactSampler(flow: Flow, leftOut: number): IndependenceSampler {
  const [columns, rows] = [401, 241];
  const [width, height] = [6 / (columns - 1), 12 / (rows - 1)];
  const x = new Float64Array(2 * rows * columns);
  for (let i = 0; i < rows * columns; i++) {
    x.set([-3 + width * (i % columns), -6 + height * Math.floor(i / columns)], 2 * i);
  }
  return independenceSampler({
    logTarget: doubleWell.energy(x).map((u) => -u),
    logProposal: flow.logProb(x),
    observable: coordinateOf(x, 0).map((v) => v < 0 ? 0 : v === 0 ? 0.5 : 1),
    cell: width * height,
    leftOut,
  });
}

/** Umbrella sampling along the first coordinate at the price of so many energies. */
function umbrella({ seed, clock }: ExperimentContext, energies: number): { difference: FreeEnergyEstimate } & Cost {
  const start = clock();
  const { from, to, count, spring, chains, burnIn, step } = UMBRELLA;
  const steps = Math.max(20, Math.round(energies / (count * chains)) - burnIn - 1);
  const centre = (window: number) => from + (to - from) * window / (count - 1);
  const bias = (window: number, x: number) => spring * (x - centre(window)) ** 2;
  const parts = Array.from({ length: count }, (_, window) =>
    metropolis(biased(bias, window), {
      start: Float64Array.from({ length: 2 * chains }, (_, i) => i % 2 === 0 ? centre(window) : 0),
      steps,
      burnIn,
      stride: 5,
      step,
      seed: seed + 100 + window,
    }));
  const { difference } = umbrellaFreeEnergies({
    coordinate: Float64Array.from(parts.flatMap(({ x }) => Array.from(coordinateOf(x, 0)))),
    windows: parts.flatMap(({ chain }, window) => Array.from(chain, () => window)),
    blocks: parts.flatMap(({ chain }) => Array.from(chain)),
  }, { count, bias, edges: wellEdges, split: 0, resolution: 0.002, seed });
  return {
    difference,
    energyEvaluations: parts.reduce((sum, part) => sum + part.energyEvaluations, 0),
    seconds: (clock() - start) / 1000,
  };
}

/** The double well with a spring. */
function biased(bias: (window: number, x: number) => number, window: number): System {
  return {
    name: "biased double well",
    dim: 2,
    energy: (x) => doubleWell.energy(x).map((u, i) => u + bias(window, x[2 * i])),
    energyAndGradient: (x) => doubleWell.energyAndGradient(x),
  };
}

/** Walkers of a budget: as many independent runs a standard error comes from. */
const walkersOf = (budget: ReproductionBudget) => SIZES[budget].walkers;

/**
 * Rows of the double well.
 *
 * @param found what the chains did
 * @param budget how thorough
 */
export function wellRows(found: WellChains, budget: ReproductionBudget): ReproducedRow[] {
  const { local, published, independence, mixed, exact, umbrella, flow } = found;
  const walkers = walkersOf(budget);
  const costOf = (chains: ChainSummary, trained: boolean): Pick<ReproducedRow, "energyEvaluations" | "seconds"> => ({
    energyEvaluations: chains.energyEvaluations + chains.burnInEvaluations + (trained ? flow.energyEvaluations : 0),
    seconds: chains.seconds + (trained ? flow.seconds : 0),
  });
  const quadrature = (value: number) => ({ value, standardError: 0, method: "quadrature with the flow's density" });
  const row = (
    quantity: string,
    rest: Omit<ReproducedRow, "quantity" | "published" | "reference"> & Partial<ReproducedRow>,
  ) => ({
    published: null,
    reference: null,
    ...rest,
    quantity: `double well: ${quantity}`,
  });
  const difference = byQuadrature(exact.freeEnergyDifference);
  const perMillion = "per 10⁶ energies";
  const ownEnergies = mixed.energyEvaluations + mixed.burnInEvaluations;
  // Energies for a hundred transitions by local moves of 0.1, and by the mixed chains with all that the flow has cost.
  const withTraining = rateWithCost(mixed.rate, flow.energyEvaluations, 100);
  return [
    row("acceptance of independence moves", {
      unit: "",
      reference: quadrature(exact.acceptance),
      ours: independence.accepted,
      method: "chains of independence moves",
      ...costOf(independence, true),
    }),
    row("autocorrelation time of the side (x < 0), independence moves alone", {
      unit: "moves",
      reference: quadrature(exact.autocorrelationTime),
      ours: independence.time,
      method: "chains of independence moves, jackknife over walkers",
      ...costOf(independence, true),
      note:
        "The reference leaves out the largest weights, which hold a tenth of what one visit in the whole run would be: it " +
        "is the plateau that chains of such lengths see. With all weights the time is far longer.",
    }),
    row("ΔF(right − left), T = 1, mixed chains", {
      unit: "k_BT",
      reference: difference,
      ours: mixed.difference,
      method: "populations, bootstrap over walkers",
      ...costOf(mixed, true),
    }),
    row("ΔF(right − left), T = 1, local moves alone", {
      unit: "k_BT",
      reference: difference,
      ours: {
        ...local.difference,
        reliable: false,
        reason: "half of the walkers started on the right, and the burn-in is too short to forget it",
      },
      method: `populations, steps of ${STEPS.tuned}`,
      ...costOf(local, false),
    }),
    row(`transitions ${perMillion}, local moves of ${STEPS.published}`, {
      unit: "10⁻⁶",
      published: {
        value: "0.248",
        range: printedRange("0.248"),
        source: "published notebook Fig2_DoubleWell, extrapolated from a flat double well",
      },
      ours: published.rate,
      method: "counted between |x| > 1",
      ...costOf(published, false),
      note:
        `${published.transitions} transitions, most of them of walkers that were started on the right: the rate is ` +
        "2 p(right) times that of leaving there, p exact. The published number is exp(−6) times the rate of a flat double " +
        "well, 6 being the difference of U(0) − U(−2): good for a factor of two.",
    }),
    row(`transitions ${perMillion}, local moves of ${STEPS.tuned}`, {
      unit: "10⁻⁶",
      ours: local.rate,
      method: "counted between |x| > 1",
      ...costOf(local, false),
      note: `${local.transitions} transitions. Longer moves are ${
        ratioText(local, published)
      } the published ones: part of any speed-up against those.`,
    }),
    row(`transitions ${perMillion}, mixed chains`, {
      unit: "10⁻⁶",
      ours: mixed.rate,
      method: "counted between |x| > 1",
      ...costOf(mixed, true),
      note:
        `${mixed.transitions} transitions, ${mixed.localTransitions} of them by local moves; training not in the rate.`,
    }),
    row("autocorrelation time of the side, mixed chains", {
      unit: "energies",
      ours: inEnergies(mixed, walkers),
      method: "jackknife over walkers",
      ...costOf(mixed, true),
    }),
    row("energies for 100 transitions, local moves of 0.1 ÷ mixed chains with training", {
      unit: "",
      published: { value: "≈ 100", range: [50, 200], source: "Noé et al. 2019, text; 10⁶ energies of the generator" },
      ours: ratioOf(withTraining, published.rate),
      method: "ratio of counted rates",
      ...costOf(mixed, true),
      note: "Training and data of the flow are paid by the first hundred transitions.",
    }),
    ...[0, flow.energyEvaluations].map((paid) =>
      row(`energies for ΔF to ±${SIGMA} k_BT, mixed chains, ${paid === 0 ? "without" : "with"} training`, {
        unit: "",
        ours: energiesFor(mixed.difference, { energies: ownEnergies, runs: walkers, paid }, SIGMA),
        method: `from ${ownEnergies} energies`,
        ...costOf(mixed, paid > 0),
      })
    ),
    row(`energies for ΔF to ±${SIGMA} k_BT, umbrella sampling`, {
      unit: "",
      ours: energiesFor(umbrella.difference, {
        energies: umbrella.energyEvaluations,
        runs: UMBRELLA.count * (UMBRELLA.chains - 1),
      }, SIGMA),
      method: `from ${umbrella.energyEvaluations} energies`,
      energyEvaluations: umbrella.energyEvaluations,
      seconds: umbrella.seconds,
    }),
  ];
}

/** An autocorrelation time in energies of one walker. */
export function inEnergies({ time, energyEvaluations, traces }: ChainSummary, walkers: number) {
  if (time.value === null) return time;
  const perTurn = energyEvaluations / (walkers * traces[0].length);
  return {
    ...time,
    value: time.value * perTurn,
    standardError: time.standardError === null ? null : time.standardError * perTurn,
    interval95: time.interval95 === null ? null : [time.interval95[0] * perTurn, time.interval95[1] * perTurn] as const,
  };
}

function ratioText(above: ChainSummary, below: ChainSummary): string {
  const { value } = ratioOf(above.rate, below.rate);
  return value === null ? "faster than" : `${value.toFixed(1)} times as good as`;
}
