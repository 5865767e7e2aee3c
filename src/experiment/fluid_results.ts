/**
 * What the parts of a fluid run hand to each other and to the report.
 *
 * @module
 */
import type { FlowAudit } from "../flow/audit_checks.ts";
import type { Estimate, FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { HistoryEntry } from "../training/train.ts";
import type { PairDistribution } from "./pair_distribution.ts";
import type { PartitionEvaluation } from "./partition_evaluation.ts";
import type { BySplit } from "./temperature_settings.ts";

/** How the Monte Carlo of a split behaved. */
export interface FluidChains {
  /** Number of chains. */
  readonly chains: number;
  /** Frames taken. */
  readonly frames: number;
  /** Sweeps before the first one. */
  readonly burnIn: number;
  /** Whether the chains had relaxed by then. */
  readonly relaxed: boolean;
  /** Sweeps between frames of a chain. */
  readonly stride: number;
  /** Sweeps in which configurations are forgotten. */
  readonly autocorrelationSweeps: number;
  /** Fraction of moves accepted. */
  readonly acceptance: number;
}

/** The free energy that no flow enters. */
export interface FluidReference {
  /** ln Z over the reference domain by thermodynamic integration from the ideal gas. */
  readonly integration: FreeEnergyEstimate;
  /** The same by MBAR, from the same samples. */
  readonly mbar: FreeEnergyEstimate;
  /** ln Z of the ideal gas in the box over the reference domain. */
  readonly ideal: number;
}

/** Everything the report shows. Free energies are in k_BT, lengths in σ. */
export interface FluidOutcome {
  /** The question. */
  readonly run: {
    readonly preset: string;
    readonly parameters: Readonly<Record<string, number>>;
    readonly particles: number;
    readonly temperature: number;
    readonly seed: number;
    readonly budget: string;
    readonly threads: number;
    readonly packageVersion: string;
    readonly kernelBuild: string;
    readonly command: string;
  };
  /** ln N!: −ln ∫ e^(−U/T) dx over all labellings is F minus this. */
  readonly logLabellings: number;
  /** The data of each split. */
  readonly data: { readonly [K in keyof BySplit]: FluidChains };
  /** The flow. */
  readonly flow: { readonly parameters: number; readonly description: string };
  /** Loss curves. */
  readonly history: readonly HistoryEntry[];
  /** Whether the flow is what it claims to be. */
  readonly audit: FlowAudit;
  /** ln Z by the flow, and its quality; the samples are in `energies` and `pairs`. */
  readonly evaluation: Omit<PartitionEvaluation, "samples" | "frames"> & { readonly samples: number };
  /** ln Z without a flow. */
  readonly reference: FluidReference;
  /** ln Z by flow minus that by integration; no value where one of the two has none. */
  readonly difference: Estimate;
  /** U/T of flow samples with their ln w, and of evaluation frames. */
  readonly energies: {
    readonly flow: Float64Array;
    readonly logWeights: Float64Array;
    readonly frames: Float64Array;
  };
  /** g(r) of flow samples as they come, reweighted, and of evaluation frames. */
  readonly pairs: {
    readonly raw: PairDistribution;
    readonly reweighted: PairDistribution;
    readonly frames: PairDistribution;
  };
  /** Energy evaluations, those of moves counted by their pair terms. Training uses none. */
  readonly energyEvaluations: { readonly data: number; readonly evaluation: number; readonly reference: number };
  /** Raw single-particle moves by purpose. */
  readonly moves: { readonly data: number; readonly reference: number };
  /** Milliseconds by part. */
  readonly wallTimeMs: Readonly<Record<string, number>>;
}

/** A picture with its name and what it shows. */
export interface FluidFigure {
  /** Name of the file, without ending. */
  readonly name: "energies" | "pair_distribution";
  /** SVG text. */
  readonly svg: string;
  /** What is seen, with the markup of labels. */
  readonly caption: string;
}
