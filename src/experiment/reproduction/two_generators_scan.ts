/**
 * What two generators of one system say at several temperatures, and how it becomes rows.
 *
 * @module
 */
import type { TwoGeneratorDifference } from "../../hybrid/two_generators.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import type { Published, Reference, ReproducedRow } from "./row.ts";

/** One temperature. */
export interface ScanPoint {
  /** T in units of T₀. */
  readonly temperature: number;
  /** Whether the temperature was among those of training. */
  readonly trained: boolean;
  /** The answer without a flow, if there is a reliable one. */
  readonly reference: Reference | null;
  /** What the generators say. */
  readonly found: TwoGeneratorDifference;
  /** Energies of the frames of both states, beside those in `found`. */
  readonly frameEnergies: number;
  /** Processor time of frames and estimates in seconds. */
  readonly seconds: number;
}

/** A pair of generators over temperatures. */
export interface Scan {
  /** System and flow, for quantities and captions. */
  readonly name: string;
  /** ΔF as it is printed, for example "ΔF(right − left)". */
  readonly difference: string;
  /** The temperatures, rising. */
  readonly points: readonly ScanPoint[];
  /** Energies of data and training of both flows. */
  readonly energyEvaluations: number;
  /** Processor time of data and training of both flows in seconds. */
  readonly seconds: number;
}

/** What rows are made for. */
export interface RowOptions {
  /** Temperatures with rows. */
  readonly temperatures: readonly number[];
  /** The published number at a temperature, if there is one. */
  published(temperature: number): Published | null;
  /** Which estimators have rows. */
  readonly estimators: readonly Estimator[];
}

/** Name of an estimator. */
export type Estimator = "bounds" | "reweighting" | "bennett" | "mapped";

/** What estimators are called in quantities; of the first the flows may be published ones or not. */
const NAMES: Readonly<Record<Estimator, string>> = {
  bounds: "published estimator (difference of bounds)",
  reweighting: "reweighting",
  bennett: "BAR with frames",
  mapped: "BAR through z",
};

/** What estimators are. */
const ESTIMATORS: Readonly<Record<Estimator, string>> = {
  bounds: "difference of upper bounds, same z for both flows",
  reweighting: "reweighting of each flow",
  bennett: "BAR of each flow with frames of its state",
  mapped: "BAR between the states through the latent space",
};

/**
 * Makes the rows of a scan, temperature by temperature.
 *
 * @param scan what was found
 * @param options which rows
 * @returns rows; every one of them is given data and training of both flows as cost
 */
export function rowsOf(scan: Scan, options: RowOptions): ReproducedRow[] {
  const points = scan.points.filter(({ temperature }) => options.temperatures.includes(temperature));
  return points.flatMap((point) => options.estimators.map((estimator) => rowOf(scan, point, estimator, options)));
}

function rowOf(scan: Scan, point: ScanPoint, estimator: Estimator, options: RowOptions): ReproducedRow {
  const { temperature, trained, reference, found, frameEnergies, seconds } = point;
  const estimate = found[estimator]!;
  return {
    quantity: `${scan.name}: ${scan.difference}, T = ${temperature}${trained ? "" : " (never trained on)"}, ${
      NAMES[estimator]
    }`,
    unit: "k_BT",
    published: estimator === "bounds" ? options.published(temperature) : null,
    reference,
    ours: estimate,
    method: ESTIMATORS[estimator],
    energyEvaluations: scan.energyEvaluations + found.energyEvaluations + frameEnergies,
    seconds: scan.seconds + seconds,
    ...estimator === "bounds" && { note: biasOf(found) },
  };
}

/** What is known of the bias of a difference of bounds. */
function biasOf({ rejected }: TwoGeneratorDifference): string {
  if (rejected > 0) return `biased: ${(100 * rejected).toPrecision(2)} % of the pairs are left out, as published`;
  return "biased by how much higher one bound lies above its free energy than the other";
}

/**
 * Says how far a bound lies above a free energy, in two digits.
 *
 * @param bound upper bound
 * @param freeEnergy from elsewhere
 * @returns the difference in k_BT, or "an unknown number of"
 */
export function heightOf(bound: Estimate, freeEnergy: Estimate | null): string {
  if (bound.value === null || !freeEnergy?.reliable) return "an unknown number of";
  return (bound.value - freeEnergy.value!).toPrecision(2);
}
