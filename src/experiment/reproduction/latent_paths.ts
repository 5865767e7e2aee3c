/**
 * Latent interpolation: paths that are straight in the latent space, in the double well and from the closed to the open
 * dimer.
 *
 * @module
 */
import { dimerLatentPaths } from "./latent_paths_dimer.ts";
import { wellLatentPaths } from "./latent_paths_wells.ts";
import { umbrellaPart } from "./dimer_umbrella_reference.ts";
import type { Experiment } from "./experiment.ts";
import { SHARED_DIMER_FLOW } from "./trained_dimer.ts";
import { SHARED_DOUBLE_WELL_FLOW } from "./trained_double_well.ts";

/**
 * Latent paths of Noé et al.: ten random pairs in the double well, and of the dimer the pair of 90 × 90 whose path stays
 * lowest.
 *
 * A path's highest energy is one of the potential energy. It is compared with what it can be compared with: the exact saddle
 * of the double well, and energies of Monte Carlo configurations of the dimer that are held where the path is highest; not
 * with a free-energy barrier.
 *
 * @example Its rows from a run of seconds, in which nothing is accurate
 * ```ts
 * import { experimentContext, latentPathsExperiment } from "@boltzflow/boltzflow/experiment";
 * import { assert } from "@std/assert";
 *
 * const { rows } = await latentPathsExperiment.run(await experimentContext({ budget: "smoke", seed: 1 }));
 *
 * // From the left well to the right one no path is lower than the saddle, but for 0.01 that its points may step over.
 * const [mean, lowest] = rows.filter(({ quantity }) => quantity.startsWith("double well") && quantity.includes("U = 0.0417"));
 * assert(-0.01 < lowest.ours.value! && lowest.ours.value! < mean.ours.value!);
 * ```
 */
export const latentPathsExperiment: Experiment = {
  name: "latent-paths",
  title: "Latent interpolation paths",
  about:
    "Figures 2 and 3g of Noé et al. (Science 2019): straight lines in the latent space, mapped to configurations. Ten random " +
    "pairs of frames of the double well with 1000 points on each path, and the path from closed to open dimer whose highest " +
    "energy is lowest among 90 × 90 pairs of frames with 9 points. Added here: the same path looked at more closely, paths " +
    "with more points or through the origin of the latent space, straight lines in x, and energies of Monte Carlo.",
  long: false,
  parts: () => [SHARED_DOUBLE_WELL_FLOW, SHARED_DIMER_FLOW, umbrellaPart(1)],
  figures: ["double_well", "dimer_energy", "dimer_path"],
  async run(context) {
    const wells = await wellLatentPaths(context);
    const dimer = await dimerLatentPaths(context);
    return {
      rows: [...wells.rows, ...dimer.rows],
      figures: [...wells.figures, ...dimer.figures],
      remarks: [...wells.remarks, ...dimer.remarks],
    };
  },
};
