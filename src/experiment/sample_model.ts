/**
 * Samples of a model file on the disk: what `scripts/sample_onnx.ts` does.
 *
 * @module
 */
import type { ModelMetadata } from "../sampler/metadata.ts";
import { encodeNpz } from "../format/npz.ts";
import { loadSampler } from "../sampler/load.ts";
import type { SampleBatch } from "../sampler/sampler.ts";
import { encodeXyz } from "../format/xyz.ts";
import { readWholeFile } from "../training/read_file.ts";
import { writeAtomically } from "../training/write_atomically.ts";

/** Which samples to draw and where to put them. */
export interface SampleFileOptions {
  /** Path of the `sampler.onnx`. */
  readonly model: string;
  /** How many samples, ≥ 1. */
  readonly n: number;
  /** Seed of the generator. */
  readonly seed: number;
  /** Number of the first sample in the sequence of the seed. Default 0. */
  readonly first?: number;
  /** Path of the NumPy archive, ending in ".npz"; the XYZ file has the same name with ".xyz". */
  readonly out: string;
  /** Replace files that are there. Default false. */
  readonly force?: boolean;
}

/** What was written. */
export interface SampleFiles {
  /** Paths, the archive first; no XYZ file where the system has no particles. */
  readonly files: readonly string[];
  /** What the model says about itself. */
  readonly metadata: ModelMetadata;
  /** Time that drawing took, without loading and writing. */
  readonly samplingTimeMs: number;
}

/** Largest model file: what its decoder takes. */
const maximumModelBytes = 2 ** 30;

/** Most numbers of one archive, 1 GiB of float64: they are in memory at once. */
const maximumNumbers = 2 ** 27;

/**
 * Draws samples from a `sampler.onnx` and writes them as NumPy archive and as extended XYZ.
 *
 * The archive holds `x` [n, dim] and `logProb` [n], float64; the XYZ file the same configurations with `logProb` on each
 * frame. Each file appears under its name only when it is whole.
 *
 * @param options model, number, seed and paths
 * @returns what was written
 * @throws {Error} if the model cannot be read or is not a sampler, or a file cannot be written or is there already
 */
export async function sampleModel(options: SampleFileOptions): Promise<SampleFiles> {
  const { model, n, seed, first = 0, out, force = false } = options;
  const file = await readWholeFile(model, `read ${model}`, maximumModelBytes);
  const files = outputFiles(out);
  if (!force) { for (const path of files) await refuseExisting(path); }
  await using sampler = await loadSampler(file);
  const { metadata } = sampler;
  if (n * metadata.dim > maximumNumbers) {
    const most = Math.floor(maximumNumbers / metadata.dim);
    throw new RangeError(
      `Cannot sample the model: n must be at most ${most}, got ${n}: draw several files, each with its own --first`,
    );
  }

  const start = performance.now();
  const batch = await sampler.sample(n, { seed, first });
  const samplingTimeMs = performance.now() - start;

  const written = await writeSamples(files, batch, metadata);
  return { files: written, metadata, samplingTimeMs };
}

function outputFiles(out: string): [npz: string, xyz: string] {
  if (!out.endsWith(".npz")) throw new RangeError(`Cannot sample the model: out must end in ".npz", got ${out}`);
  return [out, `${out.slice(0, -".npz".length)}.xyz`];
}

async function refuseExisting(path: string): Promise<void> {
  const found = await Deno.lstat(path).then(() => true, () => false);
  if (found) {
    throw new Error(
      `Cannot sample the model: ${path} must not exist yet, got a file: choose another name or replace it with --force`,
    );
  }
}

async function writeSamples(
  [npz, xyz]: readonly [string, string],
  { x, logProb }: SampleBatch,
  { dim, particles }: ModelMetadata,
): Promise<string[]> {
  const arrays = { x: { shape: [logProb.length, dim], data: x }, logProb: { shape: [logProb.length], data: logProb } };
  await writeAtomically(npz, await encodeNpz(arrays));
  if (particles === null) return [npz];
  await writeAtomically(xyz, encodeXyz(x, { ...particles, perFrame: { logProb } }));
  return [npz, xyz];
}
