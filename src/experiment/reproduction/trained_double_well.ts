/**
 * A flow of the double well, trained as published with a reaction coordinate.
 *
 * @module
 */
import { couplingChain } from "../../flow/coupling_chain.ts";
import { Flow } from "../../flow/flow.ts";
import { column } from "../../graph/operations.ts";
import { FrameBuffer } from "../../training/frame_buffer.ts";
import { restoreSnapshot, takeSnapshot } from "../../training/snapshot.ts";
import { doubleWell, wellData } from "./double_well_basins.ts";
import { FLOWS, METHODS, methodSettings } from "./double_well_methods.ts";
import type { ExperimentContext } from "./experiment.ts";
import { constantRate, trainByRecipe } from "./recipe_training.ts";
import type { Cost } from "./trained_dimer.ts";

/** Name of the part that keeps the flow. */
export const SHARED_DOUBLE_WELL_FLOW = "shared double-well flow";

/** What is kept: plain data. */
interface KeptFlow extends Cost {
  readonly parameters: readonly { readonly name: string; readonly values: Float32Array }[];
}

/**
 * Trains the RealNVP "RRRR" of the published notebook, or takes the one that was kept: maximum likelihood on chains that were
 * started in either well, then energies with the reaction coordinate x₁.
 *
 * @param context budget, seed, threads; keeps the part {@link SHARED_DOUBLE_WELL_FLOW}, which an experiment must name
 * @returns the flow, and what data and training have cost
 */
export async function trainedDoubleWell(context: ExperimentContext): Promise<{ readonly flow: Flow } & Cost> {
  const { parameters, ...cost } = await context.kept(SHARED_DOUBLE_WELL_FLOW, () => train(context));
  const flow = untrained(context);
  restoreSnapshot(flow.parameters(), new Map(parameters.map(({ name, values }) => [name, values])));
  return { flow, ...cost };
}

function untrained({ budget, seed }: ExperimentContext): Flow {
  return new Flow(couplingChain(FLOWS.RealNVP, { dim: 2, hidden: methodSettings[budget].hidden, seed }));
}

async function train(context: ExperimentContext): Promise<KeptFlow> {
  const { seed, clock } = context;
  const { dataSteps, firstSteps, secondSteps, secondBatch } = methodSettings[context.budget];
  const start = clock();
  const data = wellData(seed, dataSteps);
  const buffer = new FrameBuffer({ dim: 2, capacity: data.chain.length, seed });
  buffer.push(data.x);
  const flow = untrained(context);
  const common = { learningRate: constantRate(1e-3), softening: { highEnergy: 100, maxEnergy: 1e10 } };
  const [first, second] = METHODS["KL + RC"];
  const { energyEvaluations } = await trainByRecipe(context, {
    part: "training the double well's flow",
    flow,
    system: doubleWell,
    stages: [
      { ...common, name: "first", steps: firstSteps, batch: 128, weights: first },
      { ...common, name: "second", steps: secondSteps, batch: secondBatch, weights: second },
    ],
    data: (n, stage, step) => buffer.batch(n, stage, step),
    reactionCoordinate: { of: (x) => column(x, 0), bounds: [-2.5, 2.5] },
    seed,
  });
  return {
    parameters: Array.from(takeSnapshot(flow.parameters()), ([name, values]) => ({ name, values })),
    energyEvaluations: energyEvaluations + data.energyEvaluations,
    seconds: (clock() - start) / 1000,
  };
}
