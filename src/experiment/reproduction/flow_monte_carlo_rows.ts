/**
 * Rows of flow-proposal Monte Carlo of the dimer.
 *
 * @module
 */
import { expOf } from "../../random/elementary.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { type ChainSummary, energiesFor, rateWithCost, ratioOf } from "./chain_summary.ts";
import { referenceOf, type UmbrellaReference } from "./dimer_umbrella_reference.ts";
import { ParticleDimer } from "../../system/particle_dimer.ts";
import { bondlessWindows } from "../dimer_umbrella.ts";
import { type DimerChains, extrapolatedRate } from "./flow_monte_carlo_dimer.ts";
import { inEnergies } from "./flow_monte_carlo_wells.ts";
import type { ReproducedRow } from "./row.ts";

/** Transitions of which a free energy was said to need, as published. */
const WANTED = 100;
/** What the published speed-up compares, with steps that move all particles by 0.02 in each coordinate. */
const PUBLISHED = {
  /** Steps for a return trip: 10⁶ steps without one at a barrier of 4 k_BT, and a barrier that is 14 k_BT higher. */
  returnTrip: 1e6 * expOf(18 - 4),
  energies: 3e7,
} as const;
/** Standard error of ΔF in k_BT by which prices are compared. */
const SIGMA = 0.03;

/**
 * Rows of the dimer.
 *
 * @param found what the chains did
 */
export function dimerRows(found: DimerChains): ReproducedRow[] {
  return [...moveRows(found), ...differenceRows(found), ...priceRows(found), speedRow(found)];
}

type Rest = Pick<ReproducedRow, "unit" | "ours" | "method" | "energyEvaluations" | "seconds"> & Partial<ReproducedRow>;

function row(quantity: string, rest: Rest): ReproducedRow {
  return { published: null, reference: null, ...rest, quantity: `dimer, T = 1: ${quantity}` };
}

/** What chains have cost, with the flow's data and training where it is theirs. */
function costOf(chains: ChainSummary, { flow }: DimerChains, trained: boolean) {
  return {
    energyEvaluations: chains.energyEvaluations + chains.burnInEvaluations + (trained ? flow.energyEvaluations : 0),
    seconds: chains.seconds + (trained ? flow.seconds : 0),
  };
}

function moveRows(found: DimerChains): ReproducedRow[] {
  const { local, mixed, expectedAcceptance, walkers } = found;
  const perMillion = "transitions per 10⁶ energies";
  const extrapolated = extrapolatedRate(found);
  return [
    row("acceptance of independence moves", {
      unit: "",
      reference: expectedAcceptance,
      ours: mixed.accepted,
      method: "counted in mixed chains, scatter over walkers",
      ...costOf(mixed, found, true),
      note: `Latent steps were accepted with ${percent(mixed.acceptance.latent)}, single-particle moves with ` +
        `${percent(mixed.acceptance.local)}.`,
    }),
    row(`${perMillion}, local moves alone`, {
      unit: "10⁻⁶",
      ours: local.rate,
      method: "single-particle Metropolis, between d < 1.2 and d > 1.8",
      ...costOf(local, found, false),
      note:
        `${local.transitions} transitions in ${
          local.localMoves.toExponential(1)
        } moves of single particles, half of the ` +
        "walkers started open; the rate is 2 p(open) times that of leaving there, p by umbrella sampling" +
        (local.transitions === 0 ? ", and the interval ends at the upper 95 % bound." : "."),
    }),
    row(`${perMillion}, local moves alone, extrapolated`, {
      unit: "10⁻⁶",
      ours: extrapolated,
      method: "rate of leaving open with half the bond, times exp(−ΔU)",
      ...costOf(local, found, false),
      note:
        "The published argument, which takes a nearly flat bond instead of half of it: the true barrier from open is " +
        `${found.barrierExcess.toFixed(2)} k_BT higher. Good for an order of magnitude.`,
    }),
    row(`${perMillion}, mixed chains`, {
      unit: "10⁻⁶",
      ours: mixed.rate,
      method: "between d < 1.2 and d > 1.8",
      ...costOf(mixed, found, true),
      note:
        `${mixed.transitions} transitions, ${mixed.localTransitions} of them by local moves; training not in the rate. ` +
        "At equilibrium the open state holds 0.1 %: more transitions there cannot be.",
    }),
    row("autocorrelation time of open or closed, mixed chains", {
      unit: "energies",
      ours: inEnergies(mixed, walkers),
      method: "jackknife over walkers",
      ...costOf(mixed, found, true),
    }),
  ];
}

function differenceRows(found: DimerChains): ReproducedRow[] {
  const { local, mixed, umbrella, reference } = found;
  const common = { unit: "k_BT", reference: referenceOf(reference) };
  return [
    row("ΔF(open − closed), mixed chains", {
      ...common,
      ours: mixed.difference,
      method: "populations, bootstrap over walkers",
      ...costOf(mixed, found, true),
    }),
    row("ΔF(open − closed), local moves alone", {
      ...common,
      ours: local.difference,
      method: "populations, bootstrap over walkers",
      ...costOf(local, found, false),
      note: "Without transitions populations are those of the start, and there is no estimate.",
    }),
    row("ΔF(open − closed), umbrella sampling with the energies of the mixed chains", {
      ...common,
      ours: umbrella.freeEnergyDifference,
      method: "umbrella sampling + MBAR",
      energyEvaluations: umbrella.energyEvaluations,
      seconds: umbrella.seconds,
      note: "No flow: it knows the coordinate d beforehand.",
    }),
  ];
}

function priceRows(found: DimerChains): ReproducedRow[] {
  const { mixed, umbrella, reference, walkers } = found;
  const own = mixed.energyEvaluations + mixed.burnInEvaluations;
  const cost = costOf(mixed, found, true);
  // Chains of umbrella sampling, less their means in the windows.
  const umbrellaRuns = 3 * bondlessWindows(new ParticleDimer(), 1).centres.length;
  const price = (
    what: string,
    estimate: Estimate,
    run: Parameters<typeof energiesFor>[1],
    of: Pick<ReproducedRow, "energyEvaluations" | "seconds">,
  ) =>
    row(`energies for ΔF to ±${SIGMA} k_BT, ${what}`, {
      unit: "",
      ours: energiesFor(estimate, run, SIGMA),
      method: `from ${run.energies} energies`,
      energyEvaluations: of.energyEvaluations,
      seconds: of.seconds,
    });
  const chains = { energies: own, runs: walkers };
  const ofUmbrella = (found: Pick<UmbrellaReference, "freeEnergyDifference" | "energyEvaluations" | "seconds">) => {
    const run = { energies: found.energyEvaluations, runs: umbrellaRuns };
    return [found.freeEnergyDifference, run, found] as const;
  };
  return [
    price("mixed chains, without data and training", mixed.difference, chains, costOf(mixed, found, false)),
    price("mixed chains, with data and training", mixed.difference, {
      ...chains,
      paid: cost.energyEvaluations - own,
    }, cost),
    price("umbrella sampling with the energies of the mixed chains", ...ofUmbrella(umbrella)),
    price("umbrella sampling of the reference", ...ofUmbrella(reference)),
  ];
}

/** The published seven orders of magnitude, with what they compare, and ours. */
function speedRow(found: DimerChains): ReproducedRow {
  const { mixed, local, flow } = found;
  const seen = local.rate.value !== null && local.rate.value > 0;
  const slow = seen ? local.rate : extrapolatedRate(found);
  const fast = rateWithCost(mixed.rate, flow.energyEvaluations, WANTED);
  const inWords = Math.log10(WANTED * PUBLISHED.returnTrip / PUBLISHED.energies).toFixed(1);
  return row("energies for 100 transitions, local moves ÷ mixed chains with data and training", {
    unit: "",
    published: { value: '10⁷ ("7 orders of magnitude")', range: [3e6, 3e7], source: "Noé et al. 2019, text" },
    ours: ratioOf(fast, slow),
    method: `ratio of rates, ${seen ? "counted" : "the local one extrapolated"}`,
    ...costOf(mixed, found, true),
    note:
      `Published are ${WANTED} return trips of ≥ ${
        PUBLISHED.returnTrip.toExponential(2)
      } steps, each of which moves all 38 ` +
      `particles by 0.02, against ${
        PUBLISHED.energies.toExponential(0)
      } energies of the generator: 10^${inWords}, rounded up. ` +
      "Ours are moves of one particle by up to 0.18, 38 of which cost two energies; most of the difference is that the " +
      "published local moves are slow. Umbrella sampling, not plain Monte Carlo, is the method to beat: see the prices.",
  });
}

function percent(share: number): string {
  return Number.isNaN(share) ? "no moves" : `${(100 * share).toFixed(1)} %`;
}
