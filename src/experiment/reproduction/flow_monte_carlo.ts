/**
 * Flow-proposal Monte Carlo: what proposals of a flow are worth beside local moves and umbrella sampling.
 *
 * @module
 */
import { umbrellaPart } from "./dimer_umbrella_reference.ts";
import type { Experiment } from "./experiment.ts";
import { dimerChains } from "./flow_monte_carlo_dimer.ts";
import { convergenceFigure, tracesFigure } from "./flow_monte_carlo_figures.ts";
import { dimerRows } from "./flow_monte_carlo_rows.ts";
import { wellChains, wellRows } from "./flow_monte_carlo_wells.ts";
import { SHARED_DIMER_FLOW } from "./trained_dimer.ts";
import { SHARED_DOUBLE_WELL_FLOW } from "./trained_double_well.ts";

/**
 * Chains of local moves, of a flow's proposals and of both, in the double well and for the dimer: acceptance, transitions per
 * energy, free-energy differences, and the speed-up with all that the flow has cost.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { experimentContext, flowMonteCarloExperiment, verdictOf } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { rows } = await flowMonteCarloExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 *
 * // Chains that mix local moves and proposals of a flow find what quadrature says of the double well.
 * const row = rows.find(({ quantity }) => quantity === "double well: ΔF(right − left), T = 1, mixed chains")!;
 * assertEquals(row.reference!.value.toFixed(4), "3.3799");
 * assertEquals(verdictOf(row).kind, "agrees");
 * ```
 */
export const flowMonteCarloExperiment: Experiment = {
  name: "flow-monte-carlo",
  title: "Flow-proposal Monte Carlo",
  about:
    "Independence moves and latent steps of a flow, mixed with local moves (supplement of Noé et al., Science 2019). Counted " +
    "are acceptance, transitions between basins per energy and the time to forget, for local moves alone and mixed; " +
    "free-energy differences from populations stand beside exact ones and umbrella sampling. The published speed-ups compare " +
    "with moves of all coordinates by 0.1 (double well) and of all particles by 0.02 (dimer).",
  long: false,
  parts: () => [SHARED_DOUBLE_WELL_FLOW, SHARED_DIMER_FLOW, umbrellaPart(1)],
  figures: ["traces", "convergence"],
  async run(context) {
    const wells = await wellChains(context);
    const dimer = await dimerChains(context);
    return {
      rows: [...wellRows(wells, context.budget), ...dimerRows(dimer)],
      figures: [await tracesFigure(wells, dimer), await convergenceFigure(wells, dimer)],
      remarks: [
        "Chains with exact acceptance need no weights afterwards, but they spend their time as the distribution does: with " +
        "ΔF = 6.8 one configuration in 900 is open, and the error of ΔF falls with the number of visits there. Umbrella " +
        "sampling and the Bennett acceptance ratio look at both basins alike, and get more out of an energy.",
        "Energies are not the whole price, since networks cost time: seconds stand beside them. And a " +
        "flow that has learnt from data of both basins was told of both; local moves found them only because chains were " +
        "started there.",
      ],
    };
  },
};
