/**
 * The dimer at many temperatures with one network.
 *
 * @module
 */
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import { ParticleDimer } from "../../system/particle_dimer.ts";
import type { Progress } from "../progress.ts";
import { curveThrough, type TemperatureFreeEnergies, temperatureFreeEnergies } from "../temperature_free_energies.ts";
import type { TemperaturePoint } from "../temperature_results.ts";
import { type TemperatureSettings, temperatureSettings, withSteps } from "../temperature_settings.ts";
import { temperatureText } from "../temperature_units.ts";
import { temperaturesFigure } from "./dimer_temperatures_figure.ts";
import {
  minimaDifference,
  referenceOf,
  umbrellaPart,
  type UmbrellaReference,
  umbrellaReference,
} from "./dimer_umbrella_reference.ts";
import type { Experiment, ExperimentContext, ExperimentResult, ReproductionBudget } from "./experiment.ts";
import { publishedAt, publishedDisagree } from "./published_dimer.ts";
import { exactly, type ReproducedRow } from "./row.ts";

/** Sizes of a budget. */
interface Sizes {
  /** Temperatures that the network is trained at, odd: T = 1 is one of them. */
  readonly rungs: number;
  /** Data, flow, training, evaluation. */
  readonly settings: TemperatureSettings;
}

/** Lowest and highest temperature. */
const RANGE = [0.5, 2] as const;
/** Temperatures of the published curves. */
const PUBLISHED = [0.5, 1, 2] as const;

const smoke = temperatureSettings("smoke");
const standard = temperatureSettings("default");

const SIZES: Readonly<Record<ReproductionBudget, Sizes>> = {
  smoke: {
    rungs: 3,
    settings: {
      ...withSteps(smoke, 20),
      data: {
        chains: { train: 8, validate: 4, evaluate: 16 },
        frames: { train: 160, validate: 32, evaluate: 64 },
      },
      flow: { head: "mixture", hidden: [8], grid: { fine: 9, coarse: 9 } },
      evaluation: { samples: 400, bootstraps: 20, umbrellaSweeps: 0 },
    },
  },
  default: { rungs: 5, settings: withSteps(standard, 8000) },
  paper: { rungs: 9, settings: withSteps(standard, 24_000) },
};

/** What is kept of the flow: all but the curve, which is no plain data, with its cost. */
interface FoundByFlow extends Omit<TemperatureFreeEnergies, "curve"> {
  readonly seconds: number;
}

/** The part that keeps it. */
const FLOW = "flow";

/** Temperatures of the ladder, and those of umbrella sampling: the published ones and two never trained on. */
function judgedTemperatures(rungs: number): { readonly all: readonly number[]; readonly unseen: readonly number[] } {
  const [low, high] = RANGE;
  const step = Math.pow(high / low, 1 / (2 * rungs - 2));
  const unseen = [low * step, high / step];
  return { all: [low, unseen[0], 1, unseen[1], high], unseen };
}

/**
 * F(open) − F(closed) of the particle dimer at T = 0.5, 1 and 2 and between, from one network trained at several
 * temperatures, against umbrella sampling at the same temperatures.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { experimentContext, dimerTemperaturesExperiment, verdictOf } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { rows } = await dimerTemperaturesExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 *
 * // The reference at T = 1 is umbrella sampling of F(open) − F(closed), and what 20 steps have taught is not believed.
 * const row = rows.find(({ quantity }) => quantity === "ΔF(open − closed), T = 1")!;
 * assertEquals(row.reference!.value.toFixed(3), "6.726");
 * assertEquals(verdictOf(row).kind, "unreliable");
 * ```
 */
export const dimerTemperaturesExperiment: Experiment = {
  name: "dimer-temperatures",
  title: "Dimer free energies against temperature, one network",
  about:
    "One autoregressive particle flow takes ln T as an input and is trained by maximum likelihood on Monte Carlo " +
    "frames of several temperatures between T₀/2 and 2 T₀ (Noé et al. 2019, Fig. 3i; theirs scales the variance of the " +
    "prior with T instead, see `dimer-networks`). At every rung, and between each two, where it was never trained, it " +
    "gives F(open) − F(closed), split at d = 1.5, by the Bennett acceptance ratio with frames that training has not seen " +
    "and by plain reweighting, and the change of the mean energy. The reference is umbrella sampling along d at the " +
    "same temperature, with the multistate Bennett acceptance ratio.",
  long: false,
  parts: (budget) => [FLOW, ...judgedTemperatures(SIZES[budget].rungs).all.map(umbrellaPart)],
  figures: ["free_energy"],
  run,
};

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const { rungs, settings } = SIZES[context.budget];
  const found = await context.kept(FLOW, () => runFlow(context, rungs, settings));
  const { all, unseen } = judgedTemperatures(rungs);
  const umbrellas: UmbrellaReference[] = [];
  for (const temperature of all) umbrellas.push(await umbrellaReference(context, temperature));
  const curve = curveThrough(found.points);
  const rows = [
    ...PUBLISHED.map((temperature) => differenceRow(found, umbrellas, temperature, "bar")),
    ...unseen.map((temperature) => differenceRow(found, umbrellas, temperature, "bar")),
    ...PUBLISHED.map((temperature) => differenceRow(found, umbrellas, temperature, "reweighting")),
    energyRow(found, umbrellas),
    ...curve.degree < 0 ? [] : [curveRow(found, curve)],
  ];
  const figure = await temperaturesFigure(found.points, curve, umbrellas);
  return { rows, figures: figure === null ? [] : [figure], remarks: remarksOf(found, umbrellas) };
}

/** Tells the experiment's listener what the computation tells. */
function progressOf(context: ExperimentContext): Progress {
  let [stage, total] = ["", 1];
  return {
    start: (name, units) => [stage, total] = [name, units],
    update: (done) => context.onProgress(stage, done / total),
    note() {},
    finish() {},
    [Symbol.dispose]() {},
  };
}

async function runFlow(context: ExperimentContext, rungs: number, settings: TemperatureSettings): Promise<FoundByFlow> {
  const { seed, pool, clock, signal } = context;
  const start = clock();
  const { curve: _, ...found } = await temperatureFreeEnergies(new ParticleDimer(), {
    range: RANGE,
    rungs,
    references: [],
    settings,
    seed,
    pool,
    progress: progressOf(context),
    keeper: context.training(FLOW),
    signal,
  });
  return { ...found, seconds: (clock() - start) / 1000 };
}

const close = (a: number, b: number) => Math.abs(a / b - 1) < 1e-9;

/** What the network needed in all; every row is given it, since one network answers all of them. */
function costOf({ energyEvaluations: { data, evaluation }, seconds }: FoundByFlow): {
  readonly energyEvaluations: number;
  readonly seconds: number;
} {
  return { energyEvaluations: data + evaluation, seconds };
}

function pointAt({ points }: FoundByFlow, temperature: number): TemperaturePoint {
  return points.find((point) => close(point.temperature, temperature))!;
}

function differenceRow(
  found: FoundByFlow,
  umbrellas: readonly UmbrellaReference[],
  temperature: number,
  estimator: "bar" | "reweighting",
): ReproducedRow {
  const { evaluation, trained } = pointAt(found, temperature);
  const { closed, open } = evaluation.samplingEfficiency;
  const percent = (share: number | null) => share === null ? "none" : `${(100 * share).toPrecision(2)} %`;
  return {
    quantity: `ΔF(open − closed), T = ${temperatureText(temperature)}${trained ? "" : ", never trained on"}${
      estimator === "bar" ? "" : ", plain reweighting"
    }`,
    unit: "k_BT",
    published: estimator === "bar" ? publishedAt(temperature) : null,
    reference: referenceOf(umbrellas.find((umbrella) => close(umbrella.temperature, temperature))!),
    ours: evaluation.freeEnergyDifference[estimator],
    method: estimator === "bar" ? "one network, BAR with frames" : "one network, weights of its samples alone",
    ...costOf(found),
    note: `cost of the whole network; Kish efficiency ${percent(closed)} of closed, ${percent(open)} of open samples`,
  };
}

/**
 * The change of ΔF/k_BT from the coldest to the hottest temperature by energies alone: the integral of ΔU/k_BT over ln T,
 * Simpson's rule on the rungs of the ladder and those between.
 */
function energyRow(found: FoundByFlow, umbrellas: readonly UmbrellaReference[]): ReproducedRow {
  const [cold, hot] = [umbrellas[0], umbrellas[umbrellas.length - 1]].map(referenceOf);
  const [first, last] = [found.points[0], found.points[found.points.length - 1]];
  return {
    quantity: `ΔF/k_BT at T = ${temperatureText(first.temperature)} minus that at T = ${
      temperatureText(last.temperature)
    }`,
    unit: "",
    published: null,
    reference: cold === null || hot === null ? null : {
      value: cold.value - hot.value,
      standardError: Math.hypot(cold.standardError, hot.standardError),
      method: "umbrella sampling + MBAR at both",
    },
    ours: integratedEnergy(found.points.map(({ temperature, evaluation }) => {
      return { temperature, energy: evaluation.energyDifference };
    })),
    method: "Gibbs–Helmholtz: ∫ ΔU/k_BT d ln T of mean energies alone",
    ...costOf(found),
  };
}

/** A change of mean energy at a temperature. */
export interface EnergyAt {
  /** T in units of T₀. */
  readonly temperature: number;
  /** ΔU/k_BT. */
  readonly energy: Estimate;
}

/**
 * Integrates ∫ ΔU/k_BT d ln T by Simpson's rule, which is exact for cubics in ln T.
 *
 * @param points at an odd number of temperatures, evenly spaced in ln T; their errors are independent
 * @returns the change of ΔF/k_BT from the last temperature to the first; doubted where an energy is
 */
export function integratedEnergy(points: readonly EnergyAt[]): Estimate {
  const missing = points.find(({ energy }) => energy.standardError === null);
  if (missing !== undefined) return noEstimate(missing.energy.reason ?? "an energy has no error");
  const last = points.length - 1;
  const step = Math.log(points[last].temperature / points[0].temperature) / last;
  const weights = points.map((_, k) => step / 3 * (k === 0 || k === last ? 1 : k % 2 === 1 ? 4 : 2));
  const value = points.reduce((sum, { energy }, k) => sum + weights[k] * energy.value!, 0);
  const error = Math.hypot(...points.map(({ energy }, k) => weights[k] * energy.standardError!));
  return estimateFrom(value, error, { reason: points.find(({ energy }) => !energy.reliable)?.energy.reason ?? null });
}

function curveRow(found: FoundByFlow, { chiSquare, freedom }: ReturnType<typeof curveThrough>): ReproducedRow {
  return {
    quantity: "χ² of one smooth curve through ΔF and ΔU at all temperatures",
    unit: "",
    published: null,
    reference: {
      value: freedom,
      standardError: Math.sqrt(2 * freedom),
      method: "mean and deviation of χ² if all is right",
    },
    ours: exactly(chiSquare),
    method: "polynomial of degree 4 in ln T, fitted to ΔF and to its slope −ΔU",
    ...costOf(found),
    note: "free energies and energies are estimated apart at each temperature; one thermodynamics must hold both",
  };
}

function remarksOf(found: FoundByFlow, umbrellas: readonly UmbrellaReference[]): string[] {
  const { audit, flow, frames, points } = found;
  const trained = points.filter((point) => point.trained).map(({ temperature }) => temperatureText(temperature));
  const energies = umbrellas.reduce((sum, { energyEvaluations }) => sum + energyEvaluations, 0);
  const cost = costOf(found);
  return [
    publishedDisagree(
      umbrellas.filter(({ temperature }) => publishedAt(temperature) !== null)
        .map((umbrella) => [umbrella.temperature, minimaDifference(umbrella)]),
    ),
    `The network (${flow.parameters.toLocaleString("en")} parameters) was trained at T = ${trained.join(", ")} on ` +
    `${frames.train} frames each. Data at every rung are needed: it is trained by maximum likelihood, not by energies. ` +
    `Umbrella sampling at ${umbrellas.length} temperatures took ${
      energies.toExponential(1)
    } energies, the network, which answers ` +
    `${points.length} and any between, ${cost.energyEvaluations.toExponential(1)} and ` +
    `${Math.round(cost.seconds)} s of processor time, training included.`,
    audit.passed
      ? "The audit of the flow passed: inverse, log-determinant, densities by all ways, float32 against float64."
      : "The audit of the flow FAILED: its estimates are marked as unreliable.",
  ];
}
