/**
 * Two generators with one latent space: ΔF between states that separate flows generate, over temperature.
 *
 * @module
 */
import { umbrellaPart, type UmbrellaReference, umbrellaReference } from "./dimer_umbrella_reference.ts";
import type { Experiment, ExperimentContext, ExperimentResult, ReproductionBudget } from "./experiment.ts";
import type { Published } from "./row.ts";
import {
  type DimerPairSettings,
  PUBLISHED_ROWS,
  scanAutoregressivePairs,
  scanPublishedPair,
} from "./two_generators_dimer.ts";
import { drawScans, type ScanPanel } from "./two_generators_figure.ts";
import { samplePairs } from "./two_generators_frames.ts";
import { heightOf, rowsOf, type Scan } from "./two_generators_scan.ts";
import { scanWells, type WellSettings, type WellSystem, wellSystems } from "./two_generators_wells.ts";

/** Sizes. */
interface Settings {
  readonly wells: Omit<WellSettings, "temperatures">;
  /** Temperatures at which wells are asked, beside those of training; null for T = 1 and 2 alone. */
  readonly between: readonly number[] | null;
  /** Points of the exact curves. */
  readonly curve: number;
  readonly dimer: DimerPairSettings;
}

const DIMER_TEMPERATURES = [0.5, 1, 2] as const;

const settings: Readonly<Record<ReproductionBudget, Settings>> = {
  smoke: {
    wells: { likelihoodSteps: 100, energySteps: 10, batch: 50, samples: 1000, frameSteps: 250 },
    between: null,
    curve: 5,
    dimer: {
      temperatures: [1],
      chains: { train: 4, evaluate: 8 },
      frames: { train: 400, evaluate: 128 },
      published: { hidden: [16], likelihoodSteps: 20, rows: [[4, 1e6, 1e3]], batch: 90, samples: 200 },
      autoregressive: { hidden: [16], steps: 30, samples: 200 },
    },
  },
  default: {
    wells: { likelihoodSteps: 200, energySteps: 500, batch: 1000, samples: 20_000, frameSteps: 2000 },
    between: [0.35, 0.7, 1.4],
    curve: 41,
    dimer: {
      temperatures: DIMER_TEMPERATURES,
      chains: { train: 32, evaluate: 64 },
      frames: { train: 20_000, evaluate: 6400 },
      published: { hidden: [100, 100, 100], likelihoodSteps: 100, rows: PUBLISHED_ROWS, batch: 1000, samples: 20_000 },
      autoregressive: { hidden: [64, 64], steps: 2000, samples: 10_000 },
    },
  },
  paper: {
    wells: { likelihoodSteps: 200, energySteps: 500, batch: 1000, samples: 100_000, frameSteps: 20_000 },
    between: [0.35, 0.7, 1.4],
    curve: 41,
    dimer: {
      temperatures: DIMER_TEMPERATURES,
      chains: { train: 32, evaluate: 64 },
      frames: { train: 100_000, evaluate: 25_600 },
      published: { hidden: [100, 100, 100], likelihoodSteps: 100, rows: PUBLISHED_ROWS, batch: 1000, samples: 100_000 },
      autoregressive: { hidden: [64, 64], steps: 20_000, samples: 50_000 },
    },
  },
};

const WELLS = "wells";
const FRAMES = "dimer frames";
const PUBLISHED_FLOWS = "dimer published flows";
const AUTOREGRESSIVE = "dimer autoregressive flows";

/** What the notebooks show, read off their figures at the end of training. */
const SHOWN: Readonly<Record<string, Readonly<Record<number, readonly [least: number, most: number]>>>> = {
  "Double well": { 0.5: [6.7, 6.7], 1: [3.4, 3.4], 2: [1.6, 1.6] },
  "Müller-Brown": { 0.5: [7.6, 7.6], 1: [3.7, 3.7], 2: [1.7, 1.7] },
  "Dimer": { 0.5: [15, 15], 1: [5.5, 6], 2: [2, 3] },
};
const NOTEBOOKS: Readonly<Record<string, string>> = {
  "Double well": "Fig6_DoubleWell",
  "Müller-Brown": "Fig6_Mueller",
  "Dimer": "Fig6_Particle",
};

function publishedOf(system: string): (temperature: number) => Published | null {
  return (temperature) => {
    const shown = SHOWN[system][temperature];
    if (shown === undefined) return null;
    const [least, most] = shown;
    const reading = most >= 10 ? 1 : 0.2;
    return {
      value: least === most ? `≈ ${least}` : `≈ ${least}–${most}`,
      range: [least - reading, most + reading],
      source: `published notebook ${NOTEBOOKS[system]}, read off the figure`,
    };
  };
}

/** Runs all systems. */
async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const { wells, between, curve, dimer } = settings[context.budget];
  const scans = await context.kept(WELLS, async () => {
    const found: Scan[] = [];
    for (const system of wellSystems) {
      const all = [...new Set([...system.trained, ...between ?? []])].sort((a, b) => a - b);
      found.push(await scanWells(context, system, { ...wells, temperatures: between === null ? [1, 2] : all }));
    }
    return found;
  });
  const umbrellas: UmbrellaReference[] = [];
  for (const temperature of dimer.temperatures) umbrellas.push(await umbrellaReference(context, temperature));
  const frames = await context.kept(FRAMES, () => samplePairs(context, dimer));
  const ask = { context, settings: dimer, frames, umbrellas };
  const published = await context.kept(PUBLISHED_FLOWS, () => scanPublishedPair(ask));
  const autoregressive = await context.kept(AUTOREGRESSIVE, () => scanAutoregressivePairs(ask));
  const panels = [
    ...wellSystems.map((system, i) => wellPanel(system, scans[i], curve)),
    dimerPanel(published, autoregressive, umbrellas),
  ];
  return {
    rows: [
      ...wellSystems.flatMap((system, i) =>
        rowsOf(scans[i], {
          temperatures: system.trained,
          published: publishedOf(system.name),
          estimators: ["bounds", "reweighting", "mapped"],
        })
      ),
      ...rowsOf(published, {
        temperatures: dimer.temperatures,
        published: publishedOf("Dimer"),
        estimators: ["bounds", "bennett"],
      }),
      ...rowsOf(autoregressive, {
        temperatures: dimer.temperatures,
        published: publishedOf("Dimer"),
        estimators: ["bounds", "bennett", "mapped"],
      }),
    ],
    figures: [{
      name: "temperatures",
      svg: await drawScans(panels),
      caption:
        "Δ*F* between two states from two flows with one latent space, and its deviation from the reference (dashed: " +
        "quadrature; black: umbrella sampling). Bars are 95 % intervals, hollow circles are called unreliable, and what is " +
        "out of the lower plots is left out there. For the dimer the bounds are those of the published flows, BAR is that of " +
        "the autoregressive ones. The published estimator, whatever the flows, is a difference of upper bounds: " +
        "its bars know nothing of its bias.",
    }],
    remarks: remarksOf(published, autoregressive),
  };
}

function wellPanel({ exact }: WellSystem, scan: Scan, curve: number): ScanPanel {
  const [low, high] = [scan.points[0].temperature, scan.points[scan.points.length - 1].temperature];
  const temperatures = Array.from({ length: curve }, (_, k) => low * (high / low) ** (k / (curve - 1)));
  return {
    scans: [{ scan, estimators: ["bounds", "reweighting", "mapped"] }],
    reference: { label: "quadrature", temperatures, values: temperatures.map(exact), errors: null },
    reach: 0.5,
  };
}

function dimerPanel(published: Scan, autoregressive: Scan, umbrellas: readonly UmbrellaReference[]): ScanPanel {
  const known = umbrellas.filter(({ freeEnergyDifference: { value } }) => value !== null);
  return {
    scans: [
      { scan: published, estimators: ["bounds"] },
      { scan: autoregressive, estimators: ["mapped", "bennett"] },
    ],
    reference: {
      label: "umbrella sampling",
      temperatures: known.map(({ temperature }) => temperature),
      values: known.map(({ freeEnergyDifference: { value } }) => value!),
      errors: known.map(({ freeEnergyDifference: { standardError } }) => 1.96 * (standardError ?? 0)),
    },
    reach: 5,
  };
}

function remarksOf(published: Scan, autoregressive: Scan): string[] {
  const heights = published.points.map(({ temperature, found: { states } }, k) => {
    const [one, two] = states.map(({ bound }, i) => heightOf(bound, autoregressive.points[k].found.states[i].bennett));
    return `${one} (closed) and ${two} (open) k_BT at T = ${temperature}`;
  }).join(", ");
  return [
    "The published estimator ⟨u₂ − log R₂⟩ − ⟨u₁ − log R₁⟩ is a difference of two upper bounds, F_i + KL_i. It is right " +
    "where both flows are exact or err equally; its scatter says nothing about that. Beside it stand estimators that are " +
    "exact for any flows: reweighting restricted to each state, the acceptance ratio of each flow with frames of its state, " +
    "and that between frames of both states through the map f₂ ∘ f₁⁻¹.",
    "The published number of the dimer was found by the published estimator with published flows; it stands beside that " +
    "estimator with autoregressive flows, too, since it is the same quantity.",
    "The published programs leave out what does not fit: the particle notebook pairs with an energy above the median + 50, " +
    "the Müller-Brown notebook differences beyond ±100. They also average over snapshots of the network during training, " +
    "with independent z for both flows; ours is one network at its end, with common z. Their axis says kT₀, the values are " +
    "in k_BT at each T.",
    "The particle notebook hands its Jacobians over in another order than its function expects them; nothing comes of it, " +
    "because both lists hold log R of the same direction, which is also why its test of invertibility rejects nothing. It " +
    "trains with likelihood weighted by the flow's own weights (the default of its trainer), and so do we.",
    "Chains of training data of the wells may not enter the other state: as published, about one in thirteen chains from the " +
    "right of the double well crosses within its 10,000 steps, and a flow that learns both states bounds the free energy of " +
    "both. Nothing in the published estimator would show it; the exact ones, restricted to basins, stay right.",
    `The bounds of the published flows of the dimer lie ${heights} above the free energies that BAR of the autoregressive ` +
    "flows gives, rejected samples included. Of two such numbers the difference is taken: it owes more to the training than " +
    "to the states, and its scatter over samples does not show that.",
  ];
}

/** Names the parts, the umbrella samplings that other experiments share among them. */
function parts(budget: ReproductionBudget): string[] {
  return [...settings[budget].dimer.temperatures.map(umbrellaPart), WELLS, FRAMES, PUBLISHED_FLOWS, AUTOREGRESSIVE];
}

/**
 * Trains two flows on two states of a system, asks them for ΔF at several temperatures as published and by exact estimators,
 * and compares with quadrature and umbrella sampling: double well, Müller-Brown and particle dimer.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { experimentContext, twoGeneratorsExperiment, verdictOf } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { rows } = await twoGeneratorsExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 *
 * // ΔF of the double well by quadrature, and an estimate that is right for any flows.
 * const row = rows.find(({ quantity }) => quantity === "Double well: ΔF(right − left), T = 1, BAR through z")!;
 * assertEquals(row.reference!.value.toFixed(4), "3.3799");
 * assertEquals(verdictOf(row).kind, "agrees");
 * ```
 */
export const twoGeneratorsExperiment: Experiment = {
  name: "two-generators",
  title: "Two generators, one latent space",
  about:
    "Fig. 6 of Noé et al. 2019: one flow for each of two states, both from the same normal density, so that ΔF follows " +
    "without a path between the states. Flows and schedules of the double well and Müller-Brown are the published ones, " +
    "trained at several temperatures; for the dimer there are two kinds of flows, published and autoregressive ones. The " +
    "published estimator, a difference of upper bounds, is asked of all of them: where a row is named by it, that is how ΔF " +
    "was estimated, not which flows were trained. All other estimators are added here.",
  long: false,
  parts,
  figures: ["temperatures"],
  run,
};
