/**
 * What the parts of a run over temperatures hand to each other and to the report.
 *
 * @module
 */
import type { FlowAudit } from "../flow/audit_checks.ts";
import type { Estimate, FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { HistoryEntry } from "../training/train.ts";
import type { ByBasin, EnergyLedger } from "./dimer_results.ts";
import type { ThermodynamicCurve } from "./temperature_curve.ts";
import type { ChainStatistics } from "./temperature_data.ts";
import type { LadderTemperature } from "./temperature_ladder.ts";

/** What the flow yields at one temperature, judged with exact energies. Units: k_BT at that temperature. */
export interface TemperatureEvaluation {
  /** Flow samples drawn. */
  readonly samples: number;
  /** Evaluation frames. */
  readonly frames: number;
  /** Share of flow samples outside the reference domain. */
  readonly outsideDomain: number;
  /** Flow samples that were skipped because they are not finite: they count as weight zero. */
  readonly notFinite: number;
  /** Kish efficiency of the weights. */
  readonly samplingEfficiency: ByBasin;
  /** Middle 95 % of a bootstrap of it: covers 95 % where weights are bounded, 64 to 80 % for heavy tails. */
  readonly samplingEfficiencyInterval: ByBasin<readonly [number, number]>;
  /** Pareto k̂ of the weights, and the limit for this number of samples. */
  readonly paretoK: ByBasin & { readonly limit: number };
  /** Mean of −log q over the evaluation frames of each basin, in nats. */
  readonly evaluationNll: ByBasin;
  /**
   * KL(target restricted to the basin ‖ flow) in nats, with ln Z from BAR: at least ln 2 for a flow with half its mass in
   * each basin. `all` is KL(½ closed + ½ open ‖ flow), the mean of both less ln 2.
   */
  readonly gap: ByBasin;
  /** F_open − F_closed. */
  readonly freeEnergyDifference: {
    readonly reweighting: FreeEnergyEstimate;
    readonly bar: FreeEnergyEstimate;
  };
  /** U_open − U_closed, from flow samples and frames together. */
  readonly energyDifference: Estimate;
  /** T (S_open − S_closed), from the same. */
  readonly entropyDifference: Estimate;
  /** Covariance of the errors of BAR's ΔF and of ΔU. */
  readonly covariance: number | null;
}

/** A temperature with everything that was found there. */
export interface TemperaturePoint extends LadderTemperature {
  /** How its chains behaved. */
  readonly data: ChainStatistics;
  /** What the flow yields. */
  readonly evaluation: TemperatureEvaluation;
  /** The reliable estimate of smallest error among reweighting and BAR, or null value with the reason. */
  readonly headline: FreeEnergyEstimate;
}

/** Umbrella sampling at one temperature. */
export interface TemperatureReference {
  /** T in units of T₀. */
  readonly temperature: number;
  /** F_open − F_closed in k_BT. */
  readonly freeEnergyDifference: FreeEnergyEstimate;
  /** The same from the chains of each start alone. */
  readonly byStart: { readonly closed: FreeEnergyEstimate; readonly open: FreeEnergyEstimate };
}

/** Everything the report shows. */
export interface TemperaturesOutcome {
  /** The question. */
  readonly run: {
    readonly preset: string;
    readonly parameters: Readonly<Record<string, number>>;
    readonly dim: number;
    readonly range: readonly [number, number];
    readonly rungs: number;
    readonly seed: number;
    readonly budget: string;
    readonly threads: number;
    readonly packageVersion: string;
    readonly kernelBuild: string;
    readonly command: string;
  };
  /** All temperatures in rising order. */
  readonly points: readonly TemperaturePoint[];
  /** The curve through all of them. */
  readonly curve: ThermodynamicCurve;
  /** Umbrella sampling at both ends of the range and at their geometric mean. */
  readonly references: readonly TemperatureReference[];
  /** The flow. */
  readonly flow: { readonly parameters: number; readonly description: string };
  /** Whether the flow of temperature and configuration is what it claims to be. */
  readonly audit: FlowAudit;
  /** Loss curves; NLL of configurations given their temperature. */
  readonly history: readonly HistoryEntry[];
  /** Frames of each temperature in each split. */
  readonly frames: { readonly train: number; readonly validate: number; readonly evaluate: number };
  /** Energy evaluations. */
  readonly energyEvaluations: EnergyLedger;
  /** Raw single-particle moves by purpose. */
  readonly moves: { readonly data: number; readonly umbrella: number };
  /** Milliseconds by part. */
  readonly wallTimeMs: Readonly<Record<string, number>>;
}

/** A picture with its name and what it shows. */
export interface TemperatureFigure {
  /** Name of the file, without ending. */
  readonly name: "free_energy" | "thermodynamics" | "quality" | "losses";
  /** SVG text. */
  readonly svg: string;
  /** What is seen, with the markup of labels. */
  readonly caption: string;
}
