import { groupIntoBlocks } from "./blocks.ts";
import type { MbarSamples } from "./mbar_samples.ts";
import { binOf } from "./profile_band.ts";

/** Samples of umbrella windows, and how they are merged into points. */
export interface UmbrellaMerge {
  /** Coordinate of each sample, [n]. */
  readonly coordinate: Float64Array;
  /** Window that drew each sample, [n]. */
  readonly windows: Int32Array;
  /** Block of each sample within its window, [n]. */
  readonly blocks: ArrayLike<number>;
  /** Number of windows. */
  readonly count: number;
  /** Bias of a window at a coordinate in k_BT. */
  readonly bias: (window: number, coordinate: number) => number;
  /** Largest distance of samples that are merged. */
  readonly resolution: number;
  /** Coordinates that no point may straddle (bin edges, the split between basins). */
  readonly cuts: readonly number[];
}

/** Merged samples and where they lie. */
export interface UmbrellaPoints {
  /** The samples as the multistate solver takes them: state k is window k. */
  readonly samples: MbarSamples;
  /** Mean coordinate of the samples of each point, [points]. */
  readonly coordinate: Float64Array;
}

/**
 * Merges umbrella samples whose coordinates agree to within a resolution.
 *
 * Only the coordinate decides the biases, so that merged samples differ by nothing but bias'·h with h below the
 * resolution; about their mean coordinate the first order cancels.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param merge the samples and the resolution
 * @returns the points
 * @throws {RangeError} if a bias is not finite at a point
 */
export function mergeUmbrellaSamples(task: string, merge: UmbrellaMerge): UmbrellaPoints {
  const { coordinate, windows, count, bias } = merge;
  const labels = groupIntoBlocks(task, merge.blocks);
  const blocks = groupIntoBlocks(task, windows.map((window, i) => window * labels.count + labels.blockOf[i]), windows);
  const cells = cellsOf(coordinate, merge.resolution, merge.cuts);
  const keys = new Map<number, number>();
  const entryCell: number[] = [];
  const entryState: number[] = [];
  const entryBlock: number[] = [];
  const entryCount: number[] = [];
  const sums = new Float64Array(cells.count);
  const sizes = new Float64Array(cells.count);
  for (let i = 0; i < coordinate.length; i++) {
    const cell = cells.cellOf[i];
    sums[cell] += coordinate[i];
    sizes[cell]++;
    const key = (cell * blocks.count + blocks.blockOf[i]) * count + windows[i];
    let entry = keys.get(key);
    if (entry === undefined) {
      entry = entryCell.length;
      keys.set(key, entry);
      entryCell.push(cell);
      entryState.push(windows[i]);
      entryBlock.push(blocks.blockOf[i]);
      entryCount.push(0);
    }
    entryCount[entry]++;
  }
  const filled = Int32Array.from(sizes.keys()).filter((cell) => sizes[cell] > 0);
  const pointOfCell = new Int32Array(cells.count);
  filled.forEach((cell, point) => pointOfCell[cell] = point);
  const means = Float64Array.from(filled, (cell) => Math.max(cells.edges[cell], sums[cell] / sizes[cell]));
  const order = Int32Array.from(entryCell.keys()).sort((a, b) => entryCell[a] - entryCell[b]);
  const potentials = biasTable(task, means, count, bias);
  const samples: MbarSamples = {
    states: count,
    points: means.length,
    fill(point, row) {
      for (let k = 0; k < count; k++) row[k] = potentials[point * count + k];
    },
    pointOf: order.map((e) => pointOfCell[entryCell[e]]),
    stateOf: order.map((e) => entryState[e]),
    blocks: { ...blocks, blockOf: order.map((e) => entryBlock[e]) },
    counts: Float64Array.from(order, (e) => entryCount[e]),
  };
  return { samples, coordinate: means };
}

/** Numbers the cells of a grid of the given width, with further cuts, that the samples lie in. */
function cellsOf(
  coordinate: Float64Array,
  resolution: number,
  cuts: readonly number[],
): { cellOf: Int32Array; edges: Float64Array; count: number } {
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = 0; i < coordinate.length; i++) {
    lowest = Math.min(lowest, coordinate[i]);
    highest = Math.max(highest, coordinate[i]);
  }
  const steps = Math.floor((highest - lowest) / resolution) + 1;
  const borders = Array.from({ length: steps }, (_, i) => lowest + i * resolution);
  const edges = Float64Array.from(new Set([...borders, ...cuts.filter((cut) => cut > lowest)])).sort();
  return { cellOf: Int32Array.from(coordinate, (value) => binOf(edges, value)), edges, count: edges.length };
}

function biasTable(
  task: string,
  coordinate: Float64Array,
  windows: number,
  bias: (window: number, coordinate: number) => number,
): Float64Array {
  const table = new Float64Array(coordinate.length * windows);
  for (let point = 0; point < coordinate.length; point++) {
    for (let k = 0; k < windows; k++) {
      const value = bias(k, coordinate[point]);
      if (!Number.isFinite(value)) {
        throw new RangeError(
          `Cannot ${task}: bias must be finite, got ${value} in window ${k} at ${coordinate[point]}`,
        );
      }
      table[point * windows + k] = value;
    }
  }
  return table;
}
