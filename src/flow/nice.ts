/**
 * NICE (Dinh, Krueger & Bengio 2014): couplings that only shift.
 *
 * @module
 */
import { add, constantColumn, subtract } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import { type Activation, Mlp } from "../nn/mlp.ts";
import { checkCouplings, makeCouplings, runCouplings } from "./alternating_couplings.ts";
import type { Bijector } from "./bijector.ts";
import { type Channels, type ChannelSplit, splitChannels } from "./channels.ts";

/** Size and form of a {@link NICE}. */
export interface NICEOptions {
  /** Number of coordinates, ≥ 2. */
  readonly dim: number;
  /** Number of blocks "N"; each transforms both channels once, so it holds two couplings. Default 8. */
  readonly blocks?: number;
  /** Hidden layers of the T networks. Default [200, 200, 200]. */
  readonly hidden?: readonly number[];
  /** Activation of the T networks. Default "tanh". */
  readonly activation?: Activation;
  /** Which coordinates form the first channel. Default "even-odd". */
  readonly channels?: ChannelSplit;
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
  /** Prefix of the names of the parameters. Default "nice". */
  readonly name?: string;
}

/**
 * A stack of additive couplings between two fixed channels a and b.
 *
 *     forward, per coupling: b ← b + T(a), then the same with a and b exchanged
 *     logDet = 0
 *
 * The map preserves volume, and its inverse is exact but for rounding. Alone it cannot change the entropy of a density:
 * put a {@link Scaling} behind it.
 *
 * Reference: Dinh, Krueger & Bengio 2014, arXiv 1410.8516, section 3.2.
 *
 * @example NICE with a scaling behind it
 * ```ts
 * import { Chain, Flow, NICE, Scaling } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const flow = new Flow(new Chain([new NICE({ dim: 4, blocks: 2, hidden: [16] }), new Scaling({ dim: 4 })]));
 *
 * assertEquals(flow.sample(10, { seed: 1 }).x.length, 40);
 * ```
 */
export class NICE implements Bijector {
  readonly dim: number;
  readonly #shifts: readonly Mlp[];
  readonly #channels: Channels;

  /**
   * Makes a map with freshly initialised networks.
   *
   * @param options size and form
   * @throws {RangeError} if `dim` < 2 or `blocks` < 1
   */
  constructor(options: NICEOptions) {
    const { dim, blocks = 8, hidden = [200, 200, 200], activation = "tanh", seed = 0, name = "nice" } = options;
    checkCouplings("make a NICE", dim, blocks);
    this.dim = dim;
    this.#channels = splitChannels(dim, options.channels ?? "even-odd");
    this.#shifts = makeCouplings(blocks, this.#channels, (k, inputs, outputs) => {
      return new Mlp({ name: `${name}.${k}.t`, inputs, hidden, outputs, activation, seed });
    });
  }

  parameters(): readonly Parameter[] {
    return this.#shifts.flatMap((shift) => shift.parameters());
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    return { x: this.#run("forward", z), logDet: constantColumn(z.graph, 0) };
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    return { z: this.#run("inverse", x), logDet: constantColumn(x.graph, 0) };
  }

  #run(direction: "forward" | "inverse", from: Tensor): Tensor {
    const move = direction === "forward" ? add : subtract;
    return runCouplings(direction, from, this.#channels, this.#shifts, (shift, moved, kept) => {
      return { value: move(moved, shift.apply(kept)), logDet: null };
    }).value;
  }
}
