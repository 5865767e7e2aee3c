/**
 * Exploration from one state: the double well, the potential of Müller and Brown, the dimer.
 *
 * @module
 */
import type { Experiment, ExperimentContext, ExperimentFigure, ExperimentResult } from "./experiment.ts";
import { explorationFigure, explorationFigureName } from "./exploration_figures.ts";
import { explorationRows, type JudgedExploration } from "./exploration_rows.ts";
import { explorationParts, exploreSystem } from "./exploration_run.ts";
import { explorationSizes } from "./exploration_settings.ts";
import { umbrellaPart } from "./dimer_umbrella_reference.ts";
import { exploredSystems } from "./explored_systems.ts";
import type { ReproducedRow } from "./row.ts";

/**
 * Figure 4 of Noé et al. 2019.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { experimentContext, explorationExperiment } from "@boltzflow/boltzflow/experiment";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const { rows } = await explorationExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 * const share = rows.find(({ quantity }) => quantity === "double well: members in the right state at the end")!;
 *
 * assertAlmostEquals(share.reference!.value, 0.0329295, 1e-7); // of equilibrium, by quadrature
 * ```
 */
export const explorationExperiment: Experiment = {
  name: "exploration",
  title: "Exploration from one state",
  about:
    "A buffer of configurations of one state is all that is known. Each iteration trains the flow for one step on members " +
    "of the buffer and on the energy, and moves these members in the latent space of the flow (Noé et al. 2019, Fig. 4). " +
    "Rows say when the other state was found, how the members are spread in the end, and what the final flow is worth: by " +
    "reweighting its samples and by moves of the flow as it is, which are exact.",
  long: false,
  parts: (budget) => [
    ...Object.entries(explorationSizes[budget]).flatMap(([name, sizes]) => explorationParts(name, sizes)),
    umbrellaPart(1),
  ],
  figures: exploredSystems().map(({ name }) => explorationFigureName(name)),
  run,
};

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const rows: ReproducedRow[] = [];
  const figures: ExperimentFigure[] = [];
  const remarks: string[] = [];
  for (const explored of exploredSystems()) {
    context.signal?.throwIfAborted();
    const sizes = explorationSizes[context.budget][explored.name];
    const known = await explored.known(context);
    const judged = { explored, sizes, known, ...await exploreSystem(explored, sizes, context) };
    rows.push(...explorationRows(judged, context));
    figures.push(await explorationFigure(judged));
    remarks.push(sizesRemark(judged));
    judged.flow.release();
  }
  return { rows, figures, remarks: [...remarks, ...REMARKS] };
}

/** With which sizes, and what went wrong on the way. */
function sizesRemark({ explored: { name, system }, sizes, stretches }: JudgedExploration): string {
  const { layers, hidden, capacity, batch, looks } = sizes;
  const { state: { history }, skipped } = stretches.at(-1)!;
  const published = explorationSizes.paper[name];
  const same = JSON.stringify(sizes) === JSON.stringify(published);
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const events = [
    ...skipped > 0 ? [`${skipped} training steps were skipped`] : [],
    ...total(history.notFinite) > 0 ? [`${total(history.notFinite)} moves left the range of numbers`] : [],
    ...system.canonicalize ? [`${total(history.outsideDomain)} accepted moves were relabelled`] : [],
  ];
  return `The ${name} was explored with ${layers}, hidden layers ${hidden.join(" × ")}, ${
    looks.at(-1)
  } iterations of ` +
    `batch ${batch} on a buffer of ${capacity}` +
    (same ? ", the published sizes" : `; published: ${published.hidden.join(" × ")}, ${published.looks.at(-1)} ` +
      `iterations of batch ${published.batch} on ${published.capacity}`) +
    (events.length > 0 ? `; ${events.join(", ")}.` : ".");
}

const REMARKS: readonly string[] = [
  "Populations of the buffer are no Boltzmann populations: the flow changes between moves by what it has seen of the " +
  "members, and members moved a few dozen times at the most. The published figure compares them with equilibrium all the " +
  "same. The rows that are meant to be right are the reweighted ones and those counted with a fixed flow.",
  "Accepted moves of the dimer that leave the reference domain are relabelled, as published. That breaks detailed " +
  "balance, since the flow does not treat labels alike; rejecting them, the default of `latentMetropolis`, keeps it.",
  "The published code draws members with repetition, so that of two moves of one member the later overwrites the " +
  "earlier, which is no Metropolis chain; here the members of an iteration differ.",
  "A member of the dimer's buffer counts as open from d = 1.8 on, within the well, whose minimum is at 2.05: many members " +
  "come to rest on the barrier between, which panel (d) shows.",
  "Published curves of the dimer come from two runs that were not logged alike: its acceptance was plotted from another " +
  "object than its histograms.",
];
