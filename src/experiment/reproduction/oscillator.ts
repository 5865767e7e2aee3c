/**
 * The oscillator in a box of the CS-230 report: as published, inside its walls, and beside the exact map.
 *
 * @module
 */
import { Flow } from "../../flow/flow.ts";
import { HarmonicBoxMap } from "../../flow/harmonic_box_map.ts";
import { BoltzmannGenerator } from "../../hybrid/boltzmann_generator.ts";
import { type Estimate, estimateFrom } from "../../reweighting/estimate.ts";
import { logPartitionFunction } from "../../reweighting/exponential_averaging.ts";
import { HarmonicOscillatorBox } from "../../system/harmonic_oscillator_box.ts";
import { fixed } from "../report_numbers.ts";
import type { Experiment, ExperimentContext, ExperimentResult } from "./experiment.ts";
import { likelihoodFloor } from "./likelihood_loss.ts";
import { compareMaps } from "./map_distance.ts";
import { oscillatorFigures } from "./oscillator_figures.ts";
import {
  type OscillatorFlow,
  oscillatorFlow,
  oscillatorSettings,
  printedSteps,
  PUBLISHED_BATCH,
} from "./oscillator_flow.ts";
import { exactly, type ReproducedRow } from "./row.ts";
import { oscillatorEntropy } from "./student_data.ts";

const REPORT = "CS-230 report";
/** A flow is called learnt below this many nats of either divergence: then 98 of 100 samples are worth as much as exact ones. */
const LEARNT = 0.01;

/**
 * The oscillator in a box of the CS-230 report: panels before and after training, walls, and the exact map.
 *
 * @example No mass outside
 * ```ts
 * import { experimentContext, oscillatorExperiment } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { rows } = await oscillatorExperiment.run(await experimentContext());
 * assertEquals(rows.find(({ quantity }) => quantity.startsWith("share outside the box, inside walls"))!.ours.value, 0);
 * ```
 */
export const oscillatorExperiment: Experiment = {
  name: "oscillator",
  title: "Harmonic oscillator in a box",
  about:
    "Figure of the CS-230 report: two particles on a line, the first one in a box of length 4, joined by k(x₂ − x₁)² with " +
    "k = 2; panels before and after 250 steps of maximum likelihood (batch 128, learning rate 1e-4) on 3200 exact draws, ten " +
    "times in the same order. The networks are the students' throughout: 3 blocks, two hidden layers of 100 (relu), S ends in " +
    "tanh. The published flow covers all of the plane. Ours is also learnt inside walls, where no mass can be outside, for " +
    "k = 1 and 2, and compared with the exact map z₁ = Φ⁻¹(x₁/L), z₂ = √(2k)(x₂ − x₁).",
  long: false,
  parts: () => [],
  figures: ["panels", "map", "loss"],
  run,
};

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const settings = oscillatorSettings[context.budget];
  const trained = new HarmonicOscillatorBox({ preset: "cs230-trained" });
  const softer = new HarmonicOscillatorBox({ preset: "cs230" });
  const of = (name: string, walls: boolean, training: "none" | "published" | "longer", system = trained) =>
    oscillatorFlow(context, settings, system, { name, walls, training });
  const before = await of("before", true, "none");
  const open = await of("the published flow", false, "published");
  const walled = await of("inside walls, as published", true, "published");
  const learnt = await of("inside walls, longer, k = 2", true, "longer");
  const learntSofter = await of("inside walls, longer, k = 1", true, "longer", softer);
  const figures = await oscillatorFigures({ system: trained, before, open, walled, learnt }, context);
  return {
    rows: [
      ...printedRows(open, trained, printedSteps(settings)),
      likelihoodRow("no walls, as published", open, trained),
      likelihoodRow("inside walls, as published", walled, trained),
      likelihoodRow("inside walls, longer", learnt, trained),
      shareRow("no walls, as published", open, trained),
      shareRow("inside walls, longer", learnt, trained),
      ...learntRows(trained, learnt, context),
      ...learntRows(softer, learntSofter, context),
    ],
    figures,
    remarks: REMARKS,
  };
}

/** J_ML in the course of the published training, where the report prints it. */
function printedRows(
  open: OscillatorFlow,
  system: HarmonicOscillatorBox,
  steps: readonly number[],
): ReproducedRow[] {
  return steps.map((step, k) => {
    const likelihood = open.likelihoods[open.history.findIndex((line) => line.step === step)];
    const row = likelihoodRow(`no walls, as published, step ${step}`, open, system, likelihood);
    const ofBatch = likelihood.standardError! * Math.sqrt(open.unseen / PUBLISHED_BATCH);
    const note =
      "the published number is the loss of the one batch of 128 points that this step learns from: other batches " +
      "would move it by a standard error of " + fixed(ofBatch, 2);
    const value = PRINTED[k];
    const range = [value - 1.96 * ofBatch, value + 1.96 * ofBatch] as const;
    return { ...row, published: { value: String(value), range, source: REPORT }, note };
  });
}

/** Printed after 100 and 200 steps. */
const PRINTED = [0.579, 0.376];

function likelihoodRow(
  which: string,
  { likelihood, energyEvaluations, seconds }: OscillatorFlow,
  { parameters }: HarmonicOscillatorBox,
  ours: Estimate = likelihood,
): ReproducedRow {
  const floor = likelihoodFloor(oscillatorEntropy(parameters));
  return {
    quantity: `J_ML, k = ${parameters.k}, ${which}`,
    unit: "",
    published: null,
    reference: null,
    // The published convention leaves out ln 2π.
    floor,
    ours,
    method: "fresh exact draws; ½|z|² − ln R, without the constant of the prior",
    note: `no density can be below ${fixed(floor, 4)}, the entropy of the oscillator less ln 2π`,
    energyEvaluations,
    seconds,
  };
}

function shareRow(which: string, found: OscillatorFlow, { parameters }: HarmonicOscillatorBox): ReproducedRow {
  const { samples, energyEvaluations, seconds } = found;
  const n = samples.logProb.length;
  const outside = samples.logWeights.reduce((count, log) => count + (log === -Infinity ? 1 : 0), 0);
  const share = outside / n;
  return {
    quantity: `share outside the box, ${which}, k = ${parameters.k}`,
    unit: "",
    published: null,
    reference: { value: 0, standardError: 0, method: "walls" },
    ours: outside === 0 ? exactly(0) : estimateFrom(share, Math.sqrt(share * (1 - share) / n)),
    method: `of ${n} samples`,
    energyEvaluations,
    seconds,
  };
}

function learntRows(
  system: HarmonicOscillatorBox,
  found: OscillatorFlow,
  context: ExperimentContext,
): ReproducedRow[] {
  const { k } = system.parameters;
  const { energyEvaluations, seconds, draws, flow } = found;
  const { logPartition } = system.exact(1);
  const exact = new Flow(new HarmonicBoxMap(system.parameters));
  const images = exact.encode(draws, context).z;
  const floor = likelihoodFloor(oscillatorEntropy(system.parameters));
  const row = (
    rest: Pick<ReproducedRow, "quantity" | "ours" | "method"> & Partial<ReproducedRow>,
  ): ReproducedRow => ({ unit: "", published: null, reference: null, energyEvaluations, seconds, ...rest });
  const reference = { value: logPartition, standardError: 0, method: "ln(L √(π/k))" };
  const divergence = {
    goal: [-LEARNT, LEARNT] as const,
    note: "never negative; an estimate may be, by its error",
  };
  return [
    row({
      quantity: `ln Z, exact map, k = ${k}`,
      ...exactMapPartition(exact, system, draws, context),
      method: "importance weights of the exact map, which are all Z but for rounding to float32",
    }),
    row({ quantity: `ln Z, learned map, k = ${k}`, reference, ours: found.logPartition, method: "importance weights" }),
    row({
      quantity: `KL(flow ‖ exact), k = ${k}`,
      ours: found.divergence,
      method: "samples of the flow",
      ...divergence,
    }),
    row({
      quantity: `KL(exact ‖ flow), k = ${k}`,
      ours: shifted(found.likelihood, -floor),
      method: "fresh exact draws",
      ...divergence,
    }),
    row({
      quantity: `distance of learned and exact map, k = ${k}`,
      ours: compareMaps(flow.encode(draws, context).z, images).distance,
      method: "root mean square of |Q z − z_exact|, best rotation or reflection Q",
      note:
        "zero would be sufficient for the exact density, and is not necessary: the normal has other symmetries than " +
        "rotations. Unrelated normal numbers are at distance 2",
    }),
  ];
}

/** The exact map costs its samples only. */
function exactMapPartition(
  exact: Flow,
  system: HarmonicOscillatorBox,
  draws: Float64Array,
  context: ExperimentContext,
) {
  const { pool, seed, clock } = context;
  const start = clock();
  const boltzmann = new BoltzmannGenerator(exact, system);
  const n = draws.length / 2;
  const { logWeights } = boltzmann.sample(n, { seed: seed + 5, pool });
  const frames = { logWeights: boltzmann.logWeights(draws, { pool }) };
  return {
    reference: { value: system.exact(1).logPartition, standardError: FLOAT32, method: "ln(L √(π/k)) ± float32" },
    ours: logPartitionFunction(logWeights, { frames, seed }),
    energyEvaluations: 2 * n,
    seconds: (clock() - start) / 1000,
  };
}

/** Rounding of x to float32 moves u = k(x₂ − x₁)² by up to 2 k |x₂ − x₁| · 4 · 2⁻²⁴, with |x₂ − x₁| up to 3. */
const FLOAT32 = 12 * 4 * 2 ** -24;

function shifted({ value, standardError, interval95, reliable, reason }: Estimate, by: number): Estimate {
  return {
    value: value === null ? null : value + by,
    standardError,
    interval95: interval95 && [interval95[0] + by, interval95[1] + by],
    reliable,
    reason,
  };
}

const REMARKS: readonly string[] = [
  "In the students' code the walls are in the data, not in the energy. With walls in the energy KL(flow ‖ exact) of a flow " +
  "that covers the plane is infinite: it can be taught by data only, and reweighting throws away what lies outside.",
  "Inside walls the first coordinate is right before any training, since Φ makes normal numbers uniform. What is left to " +
  "learn is that x₂ follows x₁.",
  "The published losses leave out ln 2π and are comparable with ours. They were printed during training, of the batches that " +
  "it learnt from; ours are of draws that no training has seen.",
  "The flow before training is not the identity: weights and biases start as in PyTorch.",
  "The report prints z₂ = √(2k)|x₂ − x₁|, which has no inverse; without the bars it has one.",
];
