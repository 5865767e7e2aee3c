/**
 * Neural spline flows with coupling layers (Durkan, Bekasov, Murray & Papamakarios 2019).
 *
 * @module
 */
import { splineAttributes, splineCoupling, type SplineOptions } from "../graph/spline_operations.ts";
import { splineFeatures } from "../graph/spline_features.ts";
import type { Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import { type Activation, Mlp } from "../nn/mlp.ts";
import { checkCouplings, makeCouplings, runCouplings } from "./alternating_couplings.ts";
import type { Bijector } from "./bijector.ts";
import { type Channels, type ChannelSplit, splitChannels } from "./channels.ts";

/** Size and form of a {@link NeuralSpline}. */
export interface NeuralSplineOptions {
  /** Number of coordinates, ≥ 2. */
  readonly dim: number;
  /** Number of blocks; each transforms both channels once, so it holds two couplings. Default 4. */
  readonly blocks?: number;
  /** Hidden layers of the networks. Default [128, 128]. */
  readonly hidden?: readonly number[];
  /** Activation of the networks. Default "silu". */
  readonly activation?: Activation;
  /** Which coordinates form the first channel. Default "even-odd". */
  readonly channels?: ChannelSplit;
  /** Number of bins K of each spline, ≥ 2. Default 8. */
  readonly bins?: number;
  /** Bound B: splines act on [−B, B], outside they are the identity. Default 5. */
  readonly bound?: number;
  /** Least width of a bin, as a part of 2B. Default 0.001. */
  readonly minimumWidth?: number;
  /** Least height of a bin, as a part of 2B. Default 0.001. */
  readonly minimumHeight?: number;
  /** Least slope at a knot. Default 0.001. */
  readonly minimumSlope?: number;
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
  /** Prefix of the names of the parameters. Default "spline". */
  readonly name?: string;
}

/**
 * A stack of rational-quadratic spline couplings between two fixed channels a and b.
 *
 *     forward, per coupling: bᵢ ← f(bᵢ; θᵢ(a)), then the same with a and b exchanged
 *     logDet = Σ over couplings and coordinates of ln f′
 *
 * f is monotonic, rational-quadratic in each of K bins on [−B, B] and the identity outside, with a continuous slope;
 * {@link splineCoupling} has the formula. A network of the kept channel gives each coordinate the 3K − 1 numbers θ. Its
 * last layer starts at zero, so the map starts as the identity. The inverse is exact but for rounding, the root of a
 * quadratic equation in a form in which nothing cancels.
 *
 * Nothing moves beyond B: put data within a few units of the origin, by a {@link Whitening} behind the splines, and
 * choose B so that what is outside may stay as it is. One coupling bends densities in ways that take RealNVP many, also
 * into several modes; where the data have tails far beyond B, it has no advantage there.
 *
 * Reference: Durkan, Bekasov, Murray & Papamakarios 2019, "Neural Spline Flows", arXiv 1906.04032.
 *
 * @example Splines before a whitening: the map starts as the whitening alone
 * ```ts
 * import { Chain, Flow, NeuralSpline, Whitening } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const data = Float64Array.of(9, 1, 11, 1, 9, 3, 11, 3); // four points around (10, 2)
 * const splines = new NeuralSpline({ dim: 2, blocks: 2, hidden: [16], bins: 6, bound: 4 });
 * const flow = new Flow(new Chain([splines, Whitening.fit(data, 2)]));
 *
 * const [here, mirrored] = flow.logProb(Float64Array.of(10.5, 2.25, 9.5, 1.75));
 * assertAlmostEquals(here, mirrored, 1e-5);
 * ```
 */
export class NeuralSpline implements Bijector {
  readonly dim: number;
  readonly #networks: readonly Mlp[];
  readonly #channels: Channels;
  readonly #splines: SplineOptions;

  /**
   * Makes a map with freshly initialised networks.
   *
   * @param options size and form
   * @throws {RangeError} if `dim` < 2, `blocks` < 1 or a number of the splines is out of range
   */
  constructor(options: NeuralSplineOptions) {
    const { dim, blocks = 4, hidden = [128, 128], activation = "silu", bins = 8, seed = 0, name = "spline" } = options;
    checkCouplings("make a neural spline", dim, blocks);
    this.dim = dim;
    this.#splines = splineAttributes("make a neural spline", { ...options, bins });
    this.#channels = splitChannels(dim, options.channels ?? "even-odd");
    this.#networks = makeCouplings(blocks, this.#channels, (k, inputs, moved) => {
      const sizes = { inputs, hidden, outputs: moved * splineFeatures(bins), seed };
      return new Mlp({ ...sizes, name: `${name}.${k}`, activation, lastLayer: "zero" });
    });
  }

  parameters(): readonly Parameter[] {
    return this.#networks.flatMap((network) => network.parameters());
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const { value, logDet } = this.#run("forward", z);
    return { x: value, logDet };
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    const { value, logDet } = this.#run("inverse", x);
    return { z: value, logDet };
  }

  #run(direction: "forward" | "inverse", from: Tensor): { value: Tensor; logDet: Tensor } {
    const { value, logDet } = runCouplings(direction, from, this.#channels, this.#networks, (network, moved, kept) => {
      return splineCoupling(direction, moved, network.apply(kept), this.#splines);
    });
    return { value, logDet: logDet! };
  }
}
