/**
 * What the parts of a comparison of flows hand to each other and to the report.
 *
 * @module
 */
import type { FlowAudit } from "../flow/audit_checks.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { ComparisonPlan, ComparisonSettings, ContenderName } from "./comparison_settings.ts";
import type { DimerData, DimerEvaluation } from "./dimer_results.ts";

/** Whose density it is: the flow's own, or its average over the mirror images of the dimer. */
export type DensityName = "plain" | "symmetrised";

/** A density as it was judged, and what that took. */
export interface JudgedDensity extends
  Pick<
    DimerEvaluation,
    | "samples"
    | "gap"
    | "evaluationNll"
    | "samplingEfficiency"
    | "samplingEfficiencyInterval"
    | "paretoK"
    | "outsideDomain"
    | "notFinite"
    | "freeEnergyDifference"
  > {
  /** Minutes of processor time for samples, densities and estimates. */
  readonly minutes: number;
  /** Energies of flow samples and evaluation frames. */
  readonly energies: number;
  /** Pair terms inside its densities, in energies. */
  readonly quadrature: number;
}

/** A flow after a part of its training. */
export interface ComparisonPoint {
  /** Part of the training. */
  readonly share: number;
  /** Steps done. */
  readonly steps: number;
  /** Minutes of processor time up to here: for data, and for training on them. */
  readonly minutes: { readonly data: number; readonly training: number };
  /** Energy evaluations up to here: Monte Carlo, and energies in the loss. */
  readonly energies: { readonly data: number; readonly training: number };
  /** Pair terms inside the densities of training and validation up to here, in energies. */
  readonly quadrature: number;
  /** The densities that can be made of it. */
  readonly densities: Readonly<Record<DensityName, JudgedDensity>>;
}

/** What became of a flow. */
export interface ContenderResult {
  /** Which flow. */
  readonly name: ContenderName;
  /** One line that says what it is. */
  readonly description: string;
  /** Trainable numbers. */
  readonly parameters: number;
  /** Samples of a step. */
  readonly batch: number;
  /** Whether the flow at the end is what it claims to be. */
  readonly audit: FlowAudit;
  /** The flow on the way. */
  readonly points: readonly ComparisonPoint[];
}

/** What a method without a flow found. */
export interface ReferencePoint {
  /** Sweeps of each chain. */
  readonly sweeps: number;
  /** Single-particle moves offered. */
  readonly moves: number;
  /** What they are worth in energies. */
  readonly energies: number;
  /** Minutes of processor time, estimates included. */
  readonly minutes: number;
  /** F_open − F_closed. */
  readonly freeEnergyDifference: FreeEnergyEstimate;
}

/** The methods without a flow. */
export interface ComparisonReferences {
  /** Umbrella sampling along d. */
  readonly umbrella: readonly ReferencePoint[];
  /** Plain Monte Carlo from closed and open starts. */
  readonly plain: readonly ReferencePoint[];
}

/** Everything that the report of a comparison shows. */
export interface ComparisonOutcome {
  /** The question. */
  readonly run: {
    readonly preset: string;
    readonly parameters: Readonly<Record<string, number>>;
    readonly dim: number;
    readonly temperature: number;
    readonly seed: number;
    readonly threads: number;
    readonly packageVersion: string;
    readonly kernelBuild: string;
    readonly command: string;
  };
  /** Its numbers. */
  readonly settings: ComparisonSettings;
  /** What the minutes became. */
  readonly plan: ComparisonPlan;
  /** The data that all flows share. */
  readonly data: DimerData["statistics"] & { readonly minutes: number };
  /** The flows. */
  readonly contenders: readonly ContenderResult[];
  /** The methods without a flow. */
  readonly references: ComparisonReferences;
  /** Milliseconds on the wall by part. */
  readonly wallTimeMs: Readonly<Record<string, number>>;
}

/** A picture with its name and what it shows. */
export interface ComparisonFigure {
  /** Name of the file, without ending. */
  readonly name: "gap" | "error" | "estimates";
  /** SVG text. */
  readonly svg: string;
  /** What is seen, with the markup of labels. */
  readonly caption: string;
}
