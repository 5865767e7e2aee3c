/**
 * What the parts of the dimer run hand to each other and to the report.
 *
 * @module
 */
import type { FlowAudit } from "../flow/audit_checks.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { FreeEnergyProfile } from "../reweighting/profile_band.ts";
import type { HistoryEntry } from "../training/train.ts";
import type { FlowName } from "./dimer_settings.ts";

/** Frames of one split of the data, in the reference domain. */
export interface DimerFrames {
  /** Configurations [n, 76], row-major. */
  readonly x: Float64Array;
  /** Number of the chain of each frame. */
  readonly chain: Int32Array;
  /** Dimer distance of each frame. */
  readonly d: Float64Array;
}

/** The data of a run and how they came about. */
export interface DimerData {
  /** For training. */
  readonly train: DimerFrames;
  /** For choosing parameters. */
  readonly validate: DimerFrames;
  /** For free energies: seen by neither training nor the choice of parameters. */
  readonly evaluate: DimerFrames;
  /** What was measured and chosen. */
  readonly statistics: {
    /** Sweeps before the first frame. */
    readonly burnIn: number;
    /** Whether the chains of every split had relaxed by then. */
    readonly relaxed: boolean;
    /** Whether those of the evaluation split had, on which the estimate by BAR rests. */
    readonly evaluationRelaxed: boolean;
    /** Sweeps between frames of a chain. */
    readonly stride: { readonly train: number; readonly validate: number; readonly evaluate: number };
    /** Integrated autocorrelation time of the training chains, in sweeps: the longer one of energy and configurations. */
    readonly autocorrelationSweeps: number;
    /** Share of moves accepted. */
    readonly acceptance: number;
    /** Changes of basin from frame to frame, summed over chains. */
    readonly crossings: number;
    /** Single-particle moves offered. */
    readonly moves: number;
    /** What they are worth in energy evaluations. */
    readonly energyEvaluations: number;
  };
}

/** Energy evaluations by purpose; a single-particle move counts as its pair terms / 702 of one. */
export interface EnergyLedger {
  /** Monte Carlo for data. */
  readonly data: number;
  /** Energies and gradients in the energy loss. */
  readonly training: number;
  /** Energies of flow samples and evaluation frames. */
  readonly evaluation: number;
  /** Umbrella sampling and the plain Monte Carlo beside it. */
  readonly reference: number;
}

/** A number, or something else, for each basin and for all samples together. */
export interface ByBasin<T = number> {
  /** d < 1.5. */
  readonly closed: T | null;
  /** d ≥ 1.5. */
  readonly open: T | null;
  /** Both. */
  readonly all: T | null;
}

/** How umbrella sampling was set up. */
export interface DimerWindows {
  /** Centres m of the windows, rising. */
  readonly centres: readonly number[];
  /** κ of the spring κ (d − m)² in k_BT per square length. */
  readonly biasConstant: number;
  /** Distance of neighbouring centres in units of the standard deviation of d in a window, the largest one. */
  readonly spacing: number;
  /** Chains of each window: half start closed, half open. */
  readonly chainsPerWindow: number;
  /** Sweeps of every chain that are thrown away. */
  readonly burnIn: number;
  /** Sweeps of every chain that count. */
  readonly sweeps: number;
  /** Share of moves accepted. */
  readonly acceptance: number;
}

/** Umbrella sampling, and what plain Monte Carlo finds at the same cost. */
export interface DimerReference {
  /** F_open − F_closed of umbrella sampling. */
  readonly freeEnergyDifference: FreeEnergyEstimate;
  /** The same from the chains of each start alone. */
  readonly byStart: { readonly closed: FreeEnergyEstimate; readonly open: FreeEnergyEstimate };
  /** The profile on the bins of the report. */
  readonly profile: FreeEnergyProfile;
  /** The windows. */
  readonly windows: DimerWindows;
  /** Plain Monte Carlo with as many chains and moves. */
  readonly plain: {
    /** F_open − F_closed from the share of time in each basin; value null where no transition happened. */
    readonly freeEnergyDifference: FreeEnergyEstimate;
    /** Changes of basin, summed over chains. */
    readonly crossings: number;
    /** Chains, half of which start closed. */
    readonly chains: number;
  };
  /** Single-particle moves offered: umbrella windows, plain chains. */
  readonly moves: { readonly umbrella: number; readonly plain: number };
  /** What both are worth in energy evaluations. */
  readonly energyEvaluations: number;
}

/** What the flow yields, judged with exact energies. */
export interface DimerEvaluation {
  /** Kish efficiency of the weights. */
  readonly samplingEfficiency: ByBasin;
  /** Middle 95 % of a bootstrap of it: covers 95 % where weights are bounded, 64 to 80 % for heavy tails. */
  readonly samplingEfficiencyInterval: ByBasin<readonly [number, number]>;
  /** Pareto k̂ of the weights, and the limit for this number of samples. */
  readonly paretoK: ByBasin & { readonly limit: number };
  /** Share of flow samples outside the reference domain. */
  readonly outsideDomain: number;
  /** Flow samples that were skipped because they are not finite: they count as weight zero. */
  readonly notFinite: number;
  /** Flow samples drawn. */
  readonly samples: number;
  /** F_open − F_closed, and which of the two the report stands by. */
  readonly freeEnergyDifference: {
    readonly reweighting: FreeEnergyEstimate;
    readonly bar: FreeEnergyEstimate;
  };
  /** Mean of −log q over the evaluation frames of each basin, in nats. */
  readonly evaluationNll: ByBasin;
  /**
   * KL(target restricted to the basin ‖ flow) in nats, with ln Z from BAR. A flow with half its mass in each basin has at
   * least ln 2 there. `all` is KL(½ closed + ½ open ‖ flow), the mean of both less ln 2: what the NLL of frames of which
   * half are closed exceeds the best possible one by.
   */
  readonly gap: ByBasin;
  /** The profile by MBAR over flow samples and both evaluation sets; null when no basin has an estimate. */
  readonly profile: FreeEnergyProfile | null;
  /** Reduced energies: of evaluation data and of flow samples, thinned, by basin. */
  readonly reducedEnergies: {
    readonly data: { readonly closed: Float64Array; readonly open: Float64Array };
    readonly flow: { readonly closed: Float64Array; readonly open: Float64Array };
  };
  /** Flow samples of high weight to draw: closed, transition, open; [76] each, null where none was found. */
  readonly pictures: {
    readonly closed: Float64Array | null;
    readonly transition: Float64Array | null;
    readonly open: Float64Array | null;
  };
}

/** Frames of a path that is straight in the latent space. */
export interface DimerPath {
  /** Configurations [points, 76]. */
  readonly x: Float64Array;
  /** Dimer distance of each. */
  readonly d: Float64Array;
  /** U/T of each. */
  readonly reducedEnergy: Float64Array;
}

/** The exported models. */
export interface DimerModels {
  /** Files by role, relative to the run's directory. */
  readonly files: { readonly sampler: string; readonly density: string };
  /** Operator set. */
  readonly opset: number;
  /** Largest |difference| of x and of log-det between onnxruntime and our forward pass. */
  readonly maxAbsDifference: number;
  /** Samples per second of onnxruntime on one thread. */
  readonly samplesPerSecond: number;
}

/** Everything the report shows. */
export interface DimerOutcome {
  /** The question. */
  readonly run: {
    readonly preset: string;
    readonly parameters: Readonly<Record<string, number>>;
    readonly dim: number;
    readonly seed: number;
    readonly budget: string;
    readonly temperature: number;
    readonly threads: number;
    readonly packageVersion: string;
    readonly kernelBuild: string;
    readonly command: string;
  };
  /** Energy evaluations. */
  readonly energyEvaluations: EnergyLedger;
  /** Raw single-particle moves by purpose. */
  readonly moves: { readonly data: number; readonly umbrella: number; readonly plain: number };
  /** Milliseconds by part. */
  readonly wallTimeMs: Readonly<Record<string, number>>;
  /** How data came about. */
  readonly data: DimerData["statistics"] & {
    readonly frames: { readonly train: number; readonly validate: number; readonly evaluate: number };
  };
  /** The flow. */
  readonly flow: { readonly kind: FlowName; readonly parameters: number; readonly description: string };
  /** Loss curves. */
  readonly history: readonly HistoryEntry[];
  /** Steps per stage, for marks. */
  readonly stages: readonly { readonly name: string; readonly steps: number }[];
  /** Whether the best or the last parameters were kept. */
  readonly keep: "best" | "last";
  /** What the reaction-coordinate loss saw: samples, and those of them out of its bounds. */
  readonly reactionCoordinate: {
    readonly bounds: readonly [number, number];
    readonly samples: number;
    readonly outOfBounds: number;
  };
  /** Whether the flow is what it claims to be. */
  readonly audit: FlowAudit;
  /** Results of the flow. */
  readonly evaluation: DimerEvaluation;
  /** The reference. */
  readonly reference: DimerReference;
  /** The reliable estimate of smallest standard error among reweighting and BAR, or null value with the reason. */
  readonly headline: FreeEnergyEstimate;
  /** Latent interpolation from a closed to an open frame. */
  readonly path: DimerPath;
  /** The models. */
  readonly onnx: DimerModels;
}

/** A picture with its name and what it shows. */
export interface DimerFigure {
  /** Name of the file, without ending. */
  readonly name: "potential" | "configurations" | "losses" | "energies" | "profile" | "path";
  /** SVG text. */
  readonly svg: string;
  /** What is seen, in a sentence or two, with the markup of labels. */
  readonly caption: string;
}
