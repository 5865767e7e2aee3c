/**
 * Samples in pieces, so that the event loop has its turns: signals, progress, timers.
 *
 * @module
 */
import { NotFiniteError } from "../autodiff/not_finite.ts";
import type { Executor } from "../backend/executor.ts";
import type { BoltzmannGenerator, WeightedSamples } from "../hybrid/boltzmann_generator.ts";

/** What may be skipped, and is counted, because it is not finite. Nothing by default: it ends the run. */
export interface SkipNotFinite {
  /** Steps of training, at most. Default 0. */
  readonly steps?: number;
  /** Whether flow samples without a weight may count as weight zero. Default false. */
  readonly samples?: boolean;
}

/** Which samples, in what pieces, and who is told. */
export interface SamplePiecesOptions {
  /** Index of the first sample that is still missing. Default 0. */
  readonly from?: number;
  /** Number of samples when all are drawn. */
  readonly samples: number;
  /** Number of the sample with index 0: other numbers give independent samples. Default 0. */
  readonly first?: number;
  /** Samples of a piece. */
  readonly chunk: number;
  /** Seed of the samples. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
  /** Told the share of samples drawn, after each piece. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Ends the drawing early with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A piece; what is not finite in it is told with the numbers of its samples. */
function pieceOf(
  generator: BoltzmannGenerator,
  n: number,
  options: { readonly seed: number; readonly first: number; readonly pool: Executor },
): WeightedSamples {
  try {
    return generator.sample(n, options);
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
    const which = `samples ${options.first} to ${options.first + n - 1} of the flow`;
    throw new NotFiniteError(`${error.message} (${which})`, { cause: error });
  }
}

/** Draws weighted samples piece by piece; each comes with the index of its first sample. */
export async function* samplesInPieces(
  generator: BoltzmannGenerator,
  { from = 0, samples, first = 0, chunk, seed, pool, onProgress, signal }: SamplePiecesOptions,
): AsyncGenerator<{ readonly at: number; readonly piece: WeightedSamples }> {
  for (let at = from; at < samples; at += chunk) {
    signal?.throwIfAborted();
    const n = Math.min(chunk, samples - at);
    yield { at, piece: pieceOf(generator, n, { seed, first: first + at, pool }) };
    onProgress?.((at + n) / samples);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
