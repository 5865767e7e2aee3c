/** Targets with exact answers, densities of samples for them, and ways to spoil those. */
import type { FlowSamples, Generator } from "../../src/flow/flow.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { DOUBLE_WELL, doubleWell, metropolisChain, normal, WELL_DIFFERENCE, WELLS } from "./exact_systems.ts";
import { autoregressiveChain } from "./statistics.ts";

const LOG_ROOT = 0.5 * Math.log(2 * Math.PI);

/** Part of a mixture of normal densities without correlation. */
export interface Part {
  readonly share: number;
  readonly center: readonly number[];
  readonly width: readonly number[];
}

/** A target, how its frames are drawn, and a good flow for it. */
export interface KnownTarget {
  readonly name: string;
  readonly dim: number;
  /** u(x) of one configuration. */
  readonly potential: (x: Float64Array) => number;
  /** The basin of a configuration: 0 or 1; always 0 where there is one state only. */
  readonly basin: (x: Float64Array) => number;
  /** F of each basin. */
  readonly freeEnergies: readonly number[];
  /** One chain within a basin, from equilibrium there, row-major. */
  readonly chain: (basin: number, length: number, random: CounterRandom) => Float64Array;
  /** What a flow that was trained well looks like: a little wider than the target. */
  readonly flow: readonly Part[];
}

const wellParts = (scale: number, rest: readonly number[]): Part[] => [
  { share: 0.6, center: [-1.71, ...rest.map(() => 0)], width: [0.21 * scale, ...rest] },
  { share: 0.4, center: [1.62, ...rest.map(() => 0)], width: [0.24 * scale, ...rest] },
];

const wellInOne: KnownTarget = {
  name: "double well, 1 D",
  dim: 1,
  potential: ([x]) => doubleWell(x),
  basin: ([x]) => x < 0 ? 0 : 1,
  freeEnergies: WELLS.map((well) => -well.logZ),
  chain: (basin, length, random) => metropolisChain(WELLS[basin], { length, step: 1, every: 4 }, random),
  flow: wellParts(1.2, []),
};

const wellInTwo: KnownTarget = {
  name: "double well, 2 D",
  dim: 2,
  potential: ([x, y]) => doubleWell(x) + y * y / 2,
  basin: ([x]) => x < 0 ? 0 : 1,
  freeEnergies: WELLS.map((well) => -well.logZ - LOG_ROOT),
  chain(basin, length, random) {
    const x = metropolisChain(WELLS[basin], { length, step: 1, every: 4 }, random);
    const y = autoregressiveChain(length, 0.5, random);
    return Float64Array.from({ length: 2 * length }, (_, i) => i % 2 ? y[i >> 1] : x[i >> 1]);
  },
  flow: wellParts(1.2, [1.15]),
};

const WIDTHS = [0.5, 0.7, 0.9, 1.1, 1.4, 2];

const gaussian: KnownTarget = {
  name: "Gaussian, 6 D",
  dim: 6,
  potential: (x) => x.reduce((sum, v, d) => sum + (v / WIDTHS[d]) ** 2 / 2, 0),
  basin: () => 0,
  freeEnergies: [-WIDTHS.reduce((sum, width) => sum + Math.log(width) + LOG_ROOT, 0)],
  chain(_, length, random) {
    const axes = WIDTHS.map((width) => autoregressiveChain(length, 0.6, random).map((z) => width * z));
    return Float64Array.from({ length: 6 * length }, (_, i) => axes[i % 6][Math.floor(i / 6)]);
  },
  flow: [{ share: 1, center: WIDTHS.map(() => 0), width: WIDTHS.map((width) => 1.12 * width) }],
};

/** Two Gaussians 12 widths apart in four dimensions, with masses 7 and 3. */
const CENTERS = [-6, 6];
const MASSES = [7, 3];
const twoGaussians: KnownTarget = {
  name: "two Gaussians, 4 D",
  dim: 4,
  potential(x) {
    const b = x[0] < 0 ? 0 : 1;
    return x.reduce((sum, v, d) => sum + (d === 0 ? v - CENTERS[b] : v) ** 2 / 2 + LOG_ROOT, -Math.log(MASSES[b]));
  },
  basin: ([x]) => x < 0 ? 0 : 1,
  freeEnergies: MASSES.map((mass) => -Math.log(mass)),
  chain(basin, length, random) {
    const axes = [0, 1, 2, 3].map(() => autoregressiveChain(length, 0.6, random));
    return Float64Array.from(
      { length: 4 * length },
      (_, i) => axes[i % 4][i >> 2] + (i % 4 === 0 ? CENTERS[basin] : 0),
    );
  },
  flow: CENTERS.map((center) => ({ share: 0.5, center: [center, 0, 0, 0], width: [1.12, 1.12, 1.12, 1.12] })),
};

/** All targets. */
export const TARGETS = [wellInOne, wellInTwo, gaussian, twoGaussians] as const;

/** F of the right basin minus that of the left one, as a check of the numbers above. */
export const DOUBLE_WELL_TRUTHS = { difference: WELL_DIFFERENCE, logZ: DOUBLE_WELL.logZ };

/** A mixture of normal densities as a generator; `stated` may lie about its density, `moved` about its samples. */
export class MixtureGenerator implements Generator {
  readonly dim: number;
  readonly #parts: readonly Part[];
  readonly #stated: (logProb: number, x: Float64Array) => number;
  readonly #moved: (x: Float64Array) => Float64Array;

  constructor(
    parts: readonly Part[],
    stated: (logProb: number, x: Float64Array) => number = (logProb) => logProb,
    moved: (x: Float64Array) => Float64Array = (x) => x,
  ) {
    this.dim = parts[0].center.length;
    this.#parts = parts;
    this.#stated = stated;
    this.#moved = moved;
  }

  sample(n: number, { seed, first = 0 }: { readonly seed: number; readonly first?: number }): FlowSamples {
    const x = new Float64Array(n * this.dim);
    const logProb = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const random = new CounterRandom(seed, first + i);
      let left = random.uniform();
      const part = this.#parts.find(({ share }) => (left -= share) < 0) ?? this.#parts[this.#parts.length - 1];
      const row = Float64Array.from(part.center, (center, d) => center + part.width[d] * normal(random));
      logProb[i] = this.#stated(this.#logDensity(row), row);
      x.set(this.#moved(row), i * this.dim);
    }
    return { x, z: x, logProb };
  }

  logProb(x: Float64Array): Float64Array {
    return new Float64Array(x.length / this.dim).map((_, i) => {
      const row = x.subarray(i * this.dim, (i + 1) * this.dim);
      return this.#stated(this.#logDensity(row), row);
    });
  }

  #logDensity(x: Float64Array): number {
    const logs = this.#parts.map(({ share, center, width }) =>
      x.reduce(
        (sum, v, d) => sum - ((v - center[d]) / width[d]) ** 2 / 2 - Math.log(width[d]) - LOG_ROOT,
        Math.log(share),
      )
    );
    const largest = Math.max(...logs);
    return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
  }
}

const scaled = (parts: readonly Part[], factor: number) =>
  parts.map((part) => ({ ...part, width: part.width.map((width) => factor * width) }));
const turned = <T>(list: readonly T[]) => [...list.slice(1), list[0]];
const logVolume = (parts: readonly Part[]) => parts[0].width.reduce((sum, width) => sum + Math.log(width), 0);

/** Ways to spoil a flow; null where a target offers no such way. */
export const FAULTS: Readonly<Record<string, (target: KnownTarget) => MixtureGenerator | null>> = {
  "collapsed onto one state": ({ flow }) => flow.length === 1 ? null : new MixtureGenerator([{ ...flow[0], share: 1 }]),
  "collapsed but for a millionth": ({ flow }) =>
    flow.length === 1 ? null : new MixtureGenerator([{ ...flow[0], share: 1 - 1e-6 }, { ...flow[1], share: 1e-6 }]),
  "collapsed but for a thousandth": ({ flow }) =>
    flow.length === 1 ? null : new MixtureGenerator([{ ...flow[0], share: 0.999 }, { ...flow[1], share: 1e-3 }]),
  "coordinates permuted, density too": ({ flow, dim }) =>
    dim === 1 ? null : new MixtureGenerator(
      flow.map((part) => ({ ...part, center: turned(part.center), width: turned(part.width) })),
    ),
  "coordinates of samples permuted": ({ flow, dim }) =>
    dim === 1 ? null : new MixtureGenerator(flow, (logProb) => logProb, (x) => Float64Array.from(turned([...x]))),
  "samples mirrored": ({ flow }) => new MixtureGenerator(flow, (logProb) => logProb, (x) => x.map((v) => -v + 0.1)),
  "log-det left out": ({ flow }) => new MixtureGenerator(flow, (logProb) => logProb + logVolume(flow)),
  "log-det flipped": ({ flow }) => new MixtureGenerator(flow, (logProb) => logProb + 2 * logVolume(flow)),
  "log-det doubled": ({ flow }) => new MixtureGenerator(flow, (logProb) => logProb - logVolume(flow)),
  "log-det wrong by a function": ({ flow }) =>
    new MixtureGenerator(flow, (logProb, [x]) => logProb + 0.4 * Math.sin(3 * x)),
  "too narrow by 0.3": ({ flow }) => new MixtureGenerator(scaled(flow, 0.3)),
  "too narrow by 0.5": ({ flow }) => new MixtureGenerator(scaled(flow, 0.5)),
  "too narrow by 0.7": ({ flow }) => new MixtureGenerator(scaled(flow, 0.7)),
  "too wide by 3": ({ flow }) => new MixtureGenerator(scaled(flow, 3)),
  "too wide by 10": ({ flow }) => new MixtureGenerator(scaled(flow, 10)),
};

/** Flows that are not bad: as trained, and as trained at twice the temperature. */
export const SOUND: Readonly<Record<string, (target: KnownTarget) => MixtureGenerator>> = {
  "as trained": ({ flow }) => new MixtureGenerator(flow),
  "trained at twice the temperature": ({ flow }) => new MixtureGenerator(scaled(flow, Math.SQRT2)),
};
