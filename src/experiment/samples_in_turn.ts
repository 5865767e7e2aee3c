/**
 * Monte Carlo of a run: several samples one after the other, kept together.
 *
 * @module
 */
import type { ProgressKeeper } from "../sampling/keeper.ts";
import type { MetropolisProgress, MetropolisSample, MetropolisSampleOptions } from "../sampling/metropolis_sample.ts";
import type { ParticleSystem } from "../system/particle_system.ts";

/** What a sample that is drawn in its turn is told. */
export type InTurn = Pick<MetropolisSampleOptions, "keeper" | "onProgress">;

/** One of several samples. */
export interface SampleInTurn<S extends ParticleSystem> {
  /** Its share of the work, in any unit. */
  readonly work: number;
  /**
   * Draws it.
   *
   * @param how options to be passed on to `metropolisSample`
   */
  readonly draw: (how: InTurn) => Promise<MetropolisSample<S>>;
}

/** Who is told, and what keeps where the samples stand: one progress for each that has begun. */
export interface SamplesInTurnOptions {
  /** Told the share of the work that is done. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Keeps samples that are complete, and where the one after them stands. Default: nothing is kept. */
  readonly keeper?: ProgressKeeper<readonly MetropolisProgress[]> | undefined;
}

/**
 * Draws samples one after the other. They go on together where they were kept.
 *
 * @param samples what to draw
 * @param options progress, keeper
 * @returns the samples, in order
 */
export async function samplesInTurn<S extends ParticleSystem>(
  samples: readonly SampleInTurn<S>[],
  { onProgress, keeper }: SamplesInTurnOptions,
): Promise<MetropolisSample<S>[]> {
  const total = samples.reduce((sum, { work }) => sum + work, 0);
  const kept = await keeper?.load() ?? [];
  const complete: MetropolisProgress[] = [];
  const drawn: MetropolisSample<S>[] = [];
  let before = 0;
  for (const [k, { work, draw }] of samples.entries()) {
    let latest = () => kept[k];
    const own = keeper && {
      load: () => Promise.resolve(kept[k] ?? null),
      offer: (state: () => MetropolisProgress) => {
        latest = state;
        return keeper.offer(() => [...complete, state()]);
      },
    };
    drawn.push(await draw({ keeper: own, onProgress: (done) => onProgress?.((before + done * work) / total) }));
    // What was offered last is all of it.
    complete.push(latest());
    before += work;
  }
  return drawn;
}
