/**
 * How a batch is cut into slices that threads take.
 *
 * @module
 */
import { LANES } from "../backend/dense_layout.ts";

/** Most panels in a slice: the fewer slices, the less often weights are read; larger ones leave the cache. */
const SLICE_PANELS = 16;

/** How the samples are cut. */
export interface Slicing {
  /** Panels of a slice. */
  readonly panels: number;
  /** Number of slices. */
  readonly slices: number;
  /** Panels that hold samples; the slices may have some more. */
  readonly allPanels: number;
}

/** Cuts samples into slices for so many threads: as many as threads, or a multiple. */
export function cutSlices(n: number, threads: number): Slicing {
  const allPanels = Math.ceil(n / LANES);
  const wanted = threads * Math.ceil(allPanels / (threads * SLICE_PANELS));
  const panels = Math.ceil(allPanels / Math.min(allPanels, wanted));
  return { panels, slices: Math.ceil(allPanels / panels), allPanels };
}
