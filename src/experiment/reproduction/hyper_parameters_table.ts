/**
 * The rows of the published table of hyper-parameters.
 *
 * @module
 */
import type { Estimate } from "../../reweighting/estimate.ts";
import type { NetworkRecipe } from "./dimer_network.ts";

/** A row of the table. */
export interface Configuration extends Pick<NetworkRecipe, "layers" | "hidden" | "last"> {
  /** Short name, also of its part. */
  readonly name: string;
  /** What it is. */
  readonly title: string;
  /** Total of ε as printed, once or twice. */
  readonly published: readonly string[];
}

/** A row of the table as measured. */
export interface MeasuredConfiguration {
  /** The row. */
  readonly configuration: Configuration;
  /** ε, total over temperatures. */
  readonly error: Estimate;
  /** Distance of the profiles from umbrella sampling, total over temperatures. */
  readonly distance: Estimate;
}

/** The total of ε of the row that is printed twice. */
export const CONFIGURATION_NOISE = ["3.33", "2.73"] as const;

const BASE = { layers: "R8", hidden: [200, 200], last: { maximumLikelihood: 0.1, reactionCoordinate: 10 } } as const;
const THREE_HIDDEN = [200, 200, 200];

type Change = Partial<Pick<NetworkRecipe, "layers" | "hidden">> & Partial<NetworkRecipe["last"]>;

function row(name: string, change: Change, published: string | readonly string[], comment = ""): Configuration {
  const { layers = BASE.layers, hidden = BASE.hidden, ...last } = change;
  const weights = { ...BASE.last, ...last };
  const shape = hidden.map(String).every((width) => width === String(hidden[0]))
    ? `${hidden.length}×${hidden[0]}`
    : hidden.join("–");
  const title = `${layers}, ${shape}, w_ML ${weights.maximumLikelihood}, w_RC ${weights.reactionCoordinate}${comment}`;
  return { name, title, layers, hidden, last: weights, published: [published].flat() };
}

/** The rows; `nl_layers` of the table counts the output layer, `hidden` does not. */
export const configurations: readonly Configuration[] = [
  row("base", {}, "2.97"),
  row("base again", {}, "2.97", ", another seed"),
  row("R4", { layers: "R4" }, "2.77"),
  row("R6", { layers: "R6" }, "2.88"),
  row("R12", { layers: "R12" }, "3.17"),
  row("RN2", { layers: "(RN)2" }, "3.18"),
  row("RN7", { layers: "(RN)7" }, "3.16"),
  row("RN12", { layers: "(RN)12" }, "3.74"),
  row("1 hidden", { hidden: [200] }, "3.48"),
  row("3 hidden", { hidden: THREE_HIDDEN }, CONFIGURATION_NOISE),
  row("R4 3 hidden", { layers: "R4", hidden: THREE_HIDDEN }, "3.27"),
  row("R6 3 hidden", { layers: "R6", hidden: THREE_HIDDEN }, "3.28"),
  row("R12 3 hidden", { layers: "R12", hidden: THREE_HIDDEN }, "3.10"),
  row("RN2 3 hidden", { layers: "(RN)2", hidden: THREE_HIDDEN }, "3.62"),
  row("RN7 3 hidden", { layers: "(RN)7", hidden: THREE_HIDDEN }, "3.20"),
  row("RN12 3 hidden", { layers: "(RN)12", hidden: THREE_HIDDEN }, "2.96"),
  row("50 wide", { hidden: [50, 50] }, "3.02"),
  row("100 wide", { hidden: [100, 100] }, "4.12"),
  row("w_ML 0.01", { maximumLikelihood: 0.01 }, "2.45"),
  row("w_ML 1", { maximumLikelihood: 1 }, "3.15"),
  row("w_RC 1", { reactionCoordinate: 1 }, "3.02"),
  row("w_RC 5", { reactionCoordinate: 5 }, "3.03"),
  row("w_RC 20", { reactionCoordinate: 20 }, "3.34"),
];
