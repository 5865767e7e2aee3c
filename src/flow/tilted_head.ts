/**
 * The energy-tilted density of one particle: the exact pair energy with its neighbours, and a smooth correction.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { Parameter } from "../graph/parameter.ts";
import { type Tilt, TILT_KNOTS as KNOTS, type TiltTable } from "../graph/tilt.ts";
import { tiltedDecode, tiltedEncode, tiltedLogProb } from "../graph/tilted_operations.ts";
import type { Condition, ConditionalHead } from "./conditional_head.ts";
import { highestEnergy } from "./pair_table.ts";
import { quantileKnots } from "./quantile_knots.ts";

/** Sizes of the grids of a tilted head: 9, 17, 33, 65 or 129 lines. */
export interface TiltedGrid {
  /** Lines along the coordinate whose density is wanted. */
  readonly fine: number;
  /** Lines along the coordinates that are integrated out. */
  readonly coarse: number;
}

/** What a tilted head is made from. */
export interface TiltedHeadOptions {
  /** Prefix of the names of the constants. */
  readonly name: string;
  /** 1, 2 or 3. */
  readonly spatialDim: 1 | 2 | 3;
  /** Chebyshev polynomials per axis in the correction. */
  readonly basis: number;
  /** Grids of the density. */
  readonly grid: TiltedGrid;
  /** Earlier particles whose pair energy counts, and their tables. */
  readonly neighbours: readonly { readonly particle: number; readonly table: TiltTable }[];
  /** Highest temperature at which the density is wanted, in T₀. */
  readonly hottest: number;
  /** One-body energy along an axis, in k_BT₀. */
  readonly oneBody: (axis: number, x: number) => number;
}

/** Beyond its outer knots a density falls by e within this part of the range of the knots. */
const TAIL = 0.01;

/**
 * log p(r) = φ(r) − U(r | earlier)/T − log Z with U the energies of the particle with its neighbours and of its own, and
 * φ a polynomial whose coefficients come from the network.
 *
 * The density is normalised exactly on a grid that follows the data; see `tiltedLogProb`.
 */
export class TiltedHead implements ConditionalHead {
  readonly coordinates = "physical";
  readonly features: number;
  readonly #options: TiltedHeadOptions;
  readonly #knots: Parameter;
  #tilt: Tilt;

  /**
   * Makes a head whose knots are spread evenly from −1 to 1; `fit` moves them to the data.
   *
   * @param options sizes, neighbours, energies
   * @throws {RangeError} if a one-body energy is not a number, or −∞
   */
  constructor(options: TiltedHeadOptions) {
    const { spatialDim, basis, name } = options;
    this.#options = options;
    this.features = basis ** spatialDim;
    this.#knots = new Parameter(`${name}.knots`, [2 * spatialDim, KNOTS], undefined, { trainable: false });
    this.#place(Array.from({ length: spatialDim }, () => Float64Array.from({ length: KNOTS }, (_, k) => k / 64 - 1)));
    this.#tilt = tiltOf(options, options.grid);
  }

  parameters(): readonly Parameter[] {
    return [this.#knots];
  }

  /** Changes the grids of graphs made from now on; parameters stay as they are. */
  setGrid(grid: TiltedGrid): void {
    this.#tilt = tiltOf(this.#options, grid);
  }

  /**
   * Moves the knots to data.
   *
   * @param axes each coordinate of the particle in the data
   * @throws {RangeError} if knots cannot be placed, or a one-body energy there is not a number, or −∞
   */
  fit(axes: readonly Float64Array[]): void {
    this.#place(axes.map(quantileKnots));
  }

  logProb(condition: Condition, r: Tensor): Tensor {
    return tiltedLogProb(condition.features, r, this.#operands(condition));
  }

  encode(condition: Condition, r: Tensor): Tensor {
    return tiltedEncode(condition.features, r, this.#operands(condition));
  }

  decode(condition: Condition, z: Tensor): Tensor {
    return tiltedDecode(condition.features, z, this.#operands(condition));
  }

  #operands(condition: Condition) {
    const particles = this.#options.neighbours.map(({ particle }) => particle);
    return {
      scale: condition.scale,
      knots: this.#knots,
      tilt: this.#tilt,
      ...particles.length > 0 && { neighbours: condition.earlier(particles) },
    };
  }

  #place(axes: readonly Float64Array[]): void {
    const highest = highestEnergy(this.#options.hottest);
    const energies = axes.map((knots, axis) => knots.map((x) => Math.min(this.#oneBody(axis, x), highest)));
    this.#knots.set([...axes, ...energies].flatMap((row) => [...row]));
  }

  /** The energy of a coordinate by itself: it comes from the user, and NaN would spoil the density without a trace. */
  #oneBody(axis: number, x: number): number {
    const energy = this.#options.oneBody(axis, x);
    if (energy > -Infinity) return energy;
    throw new RangeError(
      `Cannot tilt the density of ${this.#options.name}: oneBodyEnergy must be a number above −∞, got ${energy} at ` +
        `x = ${x} along axis ${axis}`,
    );
  }
}

function tiltOf({ spatialDim, basis, neighbours }: TiltedHeadOptions, { fine, coarse }: TiltedGrid): Tilt {
  const tables = [...new Set(neighbours.map(({ table }) => table))];
  const pairs = neighbours.map(({ table }) => tables.indexOf(table));
  return { spatialDim, basis, fine, coarse, tailRate: 1 / TAIL, tables, pairs };
}
