/**
 * A model of the folder, opened with the package's own kernels.
 *
 * @module
 */
import { loadSampler, type ModelSampler, type SampleBatch } from "../../../src/sampler/portable.ts";
import { ParticleDimer, type ParticleDimerPreset } from "../../../src/system/particle_dimer.ts";
import { type CatalogueEntry, fetchPart } from "./catalogue.ts";
import type { PathModel } from "./latent_path.ts";
import type { ModelFacts } from "./messages.ts";

/** Builds of the kernels, the faster one first: engines that do not know relaxed SIMD refuse it. */
const KERNELS = ["boltzflow_kernels.wasm", "boltzflow_kernels_baseline.wasm"];

/** Configurations with their weights. */
export interface WeightedBatch {
  /** Configurations, [n, dim]. */
  readonly x: Float64Array;
  /** ln of the weights up to a constant, [n]; −Infinity outside the reference domain. */
  readonly logWeights: Float64Array;
}

/** A sampler of dimer configurations. */
export class DimerModel implements PathModel {
  readonly #sampler: ModelSampler;
  readonly #system: ParticleDimer;
  /** What the page needs to know. */
  readonly facts: ModelFacts;
  /** Ends with the last call of the sampler: a path is looked for between the batches of a run. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(sampler: ModelSampler, bytes: number) {
    const { preset, temperature, parameters, system } = sampler.metadata;
    if (system !== "ParticleDimer") {
      throw new Error(`Cannot show the model: system must be ParticleDimer, got ${system}`);
    }
    this.#sampler = sampler;
    this.#system = new ParticleDimer({ preset: preset as ParticleDimerPreset, ...parameters });
    const { particles } = this.#system;
    const { halfBox, sigma: diameter } = this.#system.parameters;
    this.facts = { preset, temperature, particles, halfBox, diameter, bytes };
  }

  /**
   * Fetches and opens a model.
   *
   * @param entry of the catalogue
   * @param base address of the page
   * @returns the model; close it when done
   * @throws {Error} if a file is missing or damaged, or the browser lacks WebAssembly with SIMD
   */
  static async open(entry: CatalogueEntry, base: string): Promise<DimerModel> {
    const kernels = await compileKernels(base);
    const bytes = new Uint8Array(await (await fetchPart(entry.sampler, "the model", base)).arrayBuffer());
    const sampler = await loadSampler(bytes, { backend: "kernels", kernels });
    return new DimerModel(sampler, bytes.length);
  }

  /** Number of coordinates. */
  get dim(): number {
    return this.#sampler.dim;
  }

  /**
   * Draws independent samples: sample i belongs to the seed and to i alone.
   *
   * @param n how many
   * @param options seed, and number of the first sample
   * @returns configurations and weights
   */
  async sample(n: number, options: { readonly seed: number; readonly first: number }): Promise<WeightedBatch> {
    return await this.#weigh(() => this.#sampler.sample(n, options));
  }

  /**
   * Maps latent points to configurations.
   *
   * @param z [n, dim]
   * @returns configurations and weights
   */
  async map(z: Float64Array): Promise<WeightedBatch> {
    return await this.#weigh(() => this.#sampler.map(z));
  }

  /**
   * Computes U / T.
   *
   * @param x [n, dim]
   * @returns in k_BT, [n]
   */
  energy(x: Float64Array): Float64Array {
    return this.#system.energy(x).map((energy) => energy / this.facts.temperature);
  }

  /**
   * Measures the distance of the two bonded particles.
   *
   * @param x [n, dim]
   * @returns bond lengths, [n]
   */
  distance(x: Float64Array): Float64Array {
    return this.#system.distance(x);
  }

  /** Frees what the sampler holds. */
  async close(): Promise<void> {
    await this.#last;
    await this.#sampler.close();
  }

  /** Weighs what a call of the sampler gives, after all calls before it. */
  #weigh(draw: () => Promise<SampleBatch>): Promise<WeightedBatch> {
    const weighed = this.#last.then(async () => {
      const { x, logProb } = await draw();
      return { x, logWeights: await this.#sampler.logWeights(x, logProb) };
    });
    this.#last = weighed.catch(() => {});
    return weighed;
  }
}

let compiled: Promise<WebAssembly.Module> | null = null;

/** Compiles the best build of the kernels that the browser knows; one that was compiled serves every model. */
function compileKernels(base: string): Promise<WebAssembly.Module> {
  compiled ??= compileFirst(base);
  compiled.catch(() => compiled = null);
  return compiled;
}

async function compileFirst(base: string): Promise<WebAssembly.Module> {
  for (const name of typeof WebAssembly === "object" ? KERNELS : []) {
    const bytes = await (await fetchPart(name, "the kernels", base)).arrayBuffer();
    if (WebAssembly.validate(bytes)) return await WebAssembly.compile(bytes);
  }
  throw new Error(
    "Cannot run the model: the browser must know WebAssembly with SIMD, got one without: browsers since 2023 have it; " +
      "update yours, or allow WebAssembly where it is switched off",
  );
}
