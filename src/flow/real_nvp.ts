/**
 * RealNVP (Dinh, Sohl-Dickstein & Bengio 2017) as Boltzmann generators use it (Noé et al. 2019).
 *
 * @module
 */
import { affineCoupling } from "../graph/affine_coupling.ts";
import type { Tensor } from "../graph/graph.ts";
import { tanh } from "../graph/operations.ts";
import type { Parameter } from "../graph/parameter.ts";
import { type Activation, Mlp } from "../nn/mlp.ts";
import { checkCouplings, makeCouplings, runCouplings } from "./alternating_couplings.ts";
import type { Bijector } from "./bijector.ts";
import { type Channels, type ChannelSplit, splitChannels } from "./channels.ts";

/** Size and form of a {@link RealNVP}. */
export interface RealNVPOptions {
  /** Number of coordinates, ≥ 2. */
  readonly dim: number;
  /** Number of blocks "R"; each transforms both channels once, so it holds two couplings. Default 8. */
  readonly blocks?: number;
  /** Hidden layers of the S and T networks. Default [200, 200, 200]. */
  readonly hidden?: readonly number[];
  /** Activation of the S networks. Default "tanh". */
  readonly scaleActivation?: Activation;
  /** Activation of the T networks. Default "tanh". */
  readonly shiftActivation?: Activation;
  /** Whether S ends in tanh, so that a coupling scales by less than e. Default false, as published by Noé et al. */
  readonly boundedScales?: boolean;
  /** Which coordinates form the first channel. Default "even-odd". */
  readonly channels?: ChannelSplit;
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
  /** Prefix of the names of the parameters. Default "realnvp". */
  readonly name?: string;
}

/** The networks of one coupling: the kept channel decides how the other one moves. */
interface Coupling {
  readonly s: Mlp;
  readonly t: Mlp;
}

/**
 * A stack of affine couplings between two fixed channels a and b.
 *
 *     forward, per coupling: b ← b · exp(S(a)) + T(a), then the same with a and b exchanged
 *     logDet = Σ over couplings and coordinates of S
 *
 * S and T are separate networks. The last layer of every S starts at zero, so the map starts as a volume-preserving
 * one. The channels are split once and merged once; between them nothing is copied.
 *
 * @example A map that starts without changing volume
 * ```ts
 * import { Flow, RealNVP } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const flow = new Flow(new RealNVP({ dim: 2, blocks: 4, hidden: [32, 32], channels: "halves" }));
 * const { z, logProb } = flow.sample(1, { seed: 7 });
 *
 * // log p_X(x) = log p_Z(z) as long as all scales are zero.
 * assertAlmostEquals(logProb[0], -(z[0] ** 2 + z[1] ** 2) / 2 - Math.log(2 * Math.PI), 1e-5);
 * ```
 */
export class RealNVP implements Bijector {
  readonly dim: number;
  readonly #couplings: readonly Coupling[];
  readonly #channels: Channels;
  readonly #scale: (s: Tensor) => Tensor;

  /**
   * Makes a map with freshly initialised networks.
   *
   * @param options size and form
   * @throws {RangeError} if `dim` < 2 or `blocks` < 1
   */
  constructor(options: RealNVPOptions) {
    const { dim, blocks = 8, hidden = [200, 200, 200], seed = 0, name = "realnvp" } = options;
    checkCouplings("make a RealNVP", dim, blocks);
    this.dim = dim;
    this.#channels = splitChannels(dim, options.channels ?? "even-odd");
    this.#scale = options.boundedScales ? tanh : (s) => s;
    this.#couplings = makeCouplings(blocks, this.#channels, (k, inputs, outputs) => {
      const sizes = { inputs, hidden, outputs, seed };
      const { scaleActivation = "tanh", shiftActivation = "tanh" } = options;
      return {
        s: new Mlp({ ...sizes, name: `${name}.${k}.s`, activation: scaleActivation, lastLayer: "zero" }),
        t: new Mlp({ ...sizes, name: `${name}.${k}.t`, activation: shiftActivation }),
      };
    });
  }

  parameters(): readonly Parameter[] {
    return this.#couplings.flatMap(({ s, t }) => [...s.parameters(), ...t.parameters()]);
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
    const { value, logDet } = runCouplings(
      direction,
      from,
      this.#channels,
      this.#couplings,
      ({ s, t }, moved, kept) => {
        return affineCoupling(direction, moved, this.#scale(s.apply(kept)), t.apply(kept));
      },
    );
    return { value, logDet: logDet! };
  }
}
