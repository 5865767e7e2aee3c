/**
 * What the page and its worker say to each other.
 *
 * @module
 */
import type { CatalogueEntry, Notes } from "./catalogue.ts";
import type { LatentPath } from "./latent_path.ts";
import type { Summary } from "./running_statistics.ts";

/** A configuration to be drawn. */
export interface Picture {
  /** Its number in the sequence that belongs to the seed, from 0. */
  readonly index: number;
  /** Coordinates x₀ y₀ x₁ y₁ …, [dim]. */
  readonly x: Float64Array;
  /** Length of the bond. */
  readonly d: number;
  /** U / T, in k_BT. */
  readonly energy: number;
  /** ln of its weight up to a constant; −Infinity outside the reference domain. */
  readonly logWeight: number;
}

/** What the page needs to know about a model to draw it. */
export interface ModelFacts {
  /** Preset of the dimer. */
  readonly preset: string;
  /** Temperature in units of T₀. */
  readonly temperature: number;
  /** Number of particles, the dimer's two first. */
  readonly particles: number;
  /** Half the side of the box. */
  readonly halfBox: number;
  /** Diameter of a disc: σ of the repulsion. */
  readonly diameter: number;
  /** Size of the file in bytes. */
  readonly bytes: number;
}

/** What the page asks for. `run` counts restarts: reports of an earlier run are stale. A path without a seed is that of the notes. */
export type Request =
  | {
    readonly kind: "open";
    readonly run: number;
    readonly entry: CatalogueEntry;
    readonly notes: Notes;
    readonly seed: number;
  }
  | { readonly kind: "restart"; readonly run: number; readonly seed: number }
  | { readonly kind: "go" | "pause" | "step" }
  | { readonly kind: "path"; readonly seed: number | null };

/** How far sampling has come. */
export interface Progress {
  /** Statistics of all samples so far. */
  readonly summary: Summary;
  /** Samples per second of the last seconds; null before there is a measurement. */
  readonly rate: number | null;
  /** Some of the newest configurations, in the order in which they were drawn. */
  readonly pictures: readonly Picture[];
  /** Whether sampling goes on by itself. */
  readonly running: boolean;
}

/** What the worker answers. */
export type Report =
  | { readonly kind: "opened"; readonly run: number; readonly facts: ModelFacts }
  | { readonly kind: "progress"; readonly run: number; readonly progress: Progress }
  | { readonly kind: "path"; readonly run: number; readonly path: LatentPath | null }
  | { readonly kind: "failed"; readonly run: number; readonly message: string };
