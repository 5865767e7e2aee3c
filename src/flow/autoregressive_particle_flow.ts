/**
 * Particles placed one after the other, each with a density given those before.
 *
 * @module
 */
import { add, broadcast, column, concat, exp, gather, scaleShift, subtract } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import { rowsNotFinite } from "../autodiff/not_finite.ts";
import { Parameter } from "../graph/parameter.ts";
import type { Bijector } from "./bijector.ts";
import type { Condition, ConditionalHead } from "./conditional_head.ts";
import { ConditionalNetwork } from "./conditional_network.ts";
import { CoordinateFrame } from "./coordinate_frame.ts";
import { type AutoregressiveParticleFlowOptions, checkOptions, hottestOf } from "./particle_flow_options.ts";
import { makeHead, requireGrid } from "./particle_heads.ts";
import { closeParticles, type PlacedParticle, placeParticles } from "./particle_order.ts";
import { TiltedHead } from "./tilted_head.ts";
import type { TiltedGrid } from "./tilted_head.ts";
import { normalLog } from "./prior.ts";

export type { AutoregressiveParticleFlowOptions } from "./particle_flow_options.ts";

/** A particle with its network and its density. */
interface Conditional extends PlacedParticle {
  readonly network: ConditionalNetwork;
  readonly head: ConditionalHead;
}

/** A particle, what it is conditioned on, and its own coordinates as its head takes them. */
interface Conditioned {
  readonly head: ConditionalHead;
  readonly condition: Condition;
  readonly r: Tensor;
}

/**
 * An autoregressive density of particles in one to three dimensions, and a bijection:
 *
 *     p(x) = Π_k p_k(r_k | r_1 … r_{k−1}),   z_k = KR_k(r_k | r_1 … r_{k−1})
 *
 * Particles are placed in a fixed order. The density p_k of a particle's position is a mixture of Gaussians, or the
 * Boltzmann factor of its exact energy with its neighbours times a smooth correction ("tilted"); its numbers come from a
 * network of its own that sees the particles placed before. KR is the Knothe–Rosenblatt map: the Jacobian is triangular,
 * z is standard normal, and log-determinants, latent paths, training and export are those of any other bijector. The
 * inverse direction evaluates all particles side by side; sampling places one after the other.
 *
 * With `temperatures` the first coordinate is c = (ln T − centre) / spread: it passes through unchanged, the networks see
 * it, and tilted heads divide energies by T.
 *
 * {@link AutoregressiveParticleFlow.fit} makes a flow for data: coordinates are standardised, and grids lie where the
 * data are.
 *
 * @example Two particles on a line
 * ```ts
 * import { AutoregressiveParticleFlow, Flow } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const bijector = new AutoregressiveParticleFlow({
 *   particles: 2,
 *   spatialDim: 1,
 *   head: { kind: "mixture", components: 4 },
 * });
 * const flow = new Flow(bijector);
 * const { x, logProb } = flow.sample(5, { seed: 1 });
 *
 * assertAlmostEquals(flow.logProb(x)[4], logProb[4], 1e-4);
 * ```
 */
export class AutoregressiveParticleFlow implements Bijector {
  readonly dim: number;
  /** How it was made, with the neighbours that `fit` chose. */
  readonly options: AutoregressiveParticleFlowOptions;
  readonly #conditionals: readonly Conditional[];
  readonly #frame: CoordinateFrame;
  readonly #beta: Parameter;
  /** Coordinates before those of the particles: 1 with `temperatures`, else 0. */
  readonly #context: number;

  /**
   * Makes a flow with random networks, for coordinates between about −1 and 1.
   *
   * @param options particles, order, head, networks
   * @throws {RangeError} if a size is impossible, `order` is no permutation, or an energy is not a number
   * @throws {TypeError} if `temperature` stands beside `temperatures`, or interactions are missing
   */
  constructor(options: AutoregressiveParticleFlowOptions) {
    const { particles, spatialDim, hidden = [64, 64], seed = 0, name = "particles" } = options;
    checkOptions(options);
    this.options = options;
    this.#context = options.temperatures === undefined ? 0 : 1;
    this.dim = this.#context + particles * spatialDim;
    this.#frame = new CoordinateFrame(this.dim, `${name}.frame`);
    this.#beta = new Parameter(`${name}.beta`, [1], [1 / (options.temperature ?? 1)], { trainable: false });
    this.#conditionals = placeParticles(options).map((placed) => {
      const own = `${name}.${placed.particle}`;
      const head = makeHead(options.head, { name: own, spatialDim, placed, hottest: hottestOf(options) });
      const inputs = this.#context + placed.seen.length * spatialDim;
      return { ...placed, head, network: new ConditionalNetwork({ name: own, inputs, hidden, head, seed }) };
    });
  }

  /**
   * Makes a flow for data: coordinates are standardised, grids lie where the data are, and tilted heads take as
   * neighbours the particles that come close in the data, unless `head.neighbours` says which.
   *
   * @param data configurations [n, dim], row-major
   * @param options particles, order, head, networks
   * @returns the flow, untrained
   * @throws {RangeError} if data hold fewer than two configurations or one that is not finite, or a coordinate does not
   * vary, or so little beside its size that float32 does not see it; and as the constructor does
   */
  static fit(data: Float64Array, options: AutoregressiveParticleFlowOptions): AutoregressiveParticleFlow {
    const { particles, spatialDim, head, temperatures } = options;
    checkOptions(options);
    const context = temperatures === undefined ? 0 : 1;
    const dim = context + particles * spatialDim;
    if (data.length % dim !== 0 || data.length < 2 * dim) {
      throw new RangeError(
        `Cannot fit a particle flow: data must hold two or more rows of ${dim}, got ${data.length} numbers`,
      );
    }
    const broken = rowsNotFinite(data, dim);
    if (broken.count > 0) {
      throw new RangeError(
        `Cannot fit a particle flow: data must be finite, got ${broken.count} of ${
          data.length / dim
        } rows that are not, ` +
          `the first with index ${broken.first}`,
      );
    }
    const chosen = head.kind === "tilted" && head.neighbours === undefined
      ? { ...head, neighbours: closeParticles(data, dim, context, placeParticles(options), head.interactions) }
      : head;
    const flow = new AutoregressiveParticleFlow({ ...options, head: chosen });
    flow.#frame.fit(data, context);
    for (const { particle, head } of flow.#conditionals) {
      if (!(head instanceof TiltedHead)) continue;
      head.fit(
        flow.#columns([particle]).map((i) =>
          Float64Array.from({ length: data.length / dim }, (_, row) => data[row * dim + i])
        ),
      );
    }
    return flow;
  }

  parameters(): readonly Parameter[] {
    const own = this.#conditionals.flatMap(({ network, head }) => [...network.parameters(), ...head.parameters()]);
    return [...own, ...this.#frame.parameters(), this.#beta];
  }

  /**
   * Changes the grids of tilted heads in graphs that are made from now on: call `release` of a flow that has sampled.
   *
   * Parameters mean the same on every grid. The density is exactly normalised on any, and nearer to the exact tilt on a
   * finer one; training is faster on a coarser one.
   *
   * @param grid lines per axis: 9, 17, 33, 65 or 129
   * @throws {RangeError} if a number of lines is another one
   */
  setGrid(grid: TiltedGrid): void {
    requireGrid(grid);
    for (const { head } of this.#conditionals) if (head instanceof TiltedHead) head.setGrid(grid);
  }

  /**
   * Enters log p_X(x) for a standard normal prior into a graph, without the way through z.
   *
   * @param x [n, dim]
   * @returns [n]
   */
  normalLogProb(x: Tensor): Tensor {
    const terms = this.#conditions(x).map(({ head, condition, r }) => head.logProb(condition, r));
    return this.#logProb(terms, x);
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    const encoded = this.#conditions(x).map(({ head, condition, r }) => head.encode(condition, r));
    const z = this.#merge(x, encoded.map((out) => gather(out, this.#axes())));
    const logProb = this.#logProb(encoded.map((out) => column(out, this.options.spatialDim)), x);
    return { z, logDet: subtract(logProb, normalLog(z)) };
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const scale = this.#scale(z);
    const known = new Known();
    if (this.#context > 0) known.add([0], gather(z, [0]), this.#frame.bounded(gather(z, [0])));
    const parts: Tensor[] = [];
    const logs: Tensor[] = [];
    for (const { particle, seen, network, head } of this.#conditionals) {
      const columns = this.#columns([particle]);
      const features = network.apply(z.graph, () => known.bounded(this.#seenColumns(seen)));
      const earlier = (particles: readonly number[]) => known.physical(this.#columns(particles));
      const decoded = head.decode({ features, scale, earlier }, gather(z, columns));
      const own = gather(decoded, this.#axes());
      const standardised = head.coordinates === "standardised";
      const r = standardised ? this.#frame.restore(own, columns) : own;
      known.add(columns, r, this.#frame.bounded(standardised ? own : this.#frame.standardise(own, columns)));
      parts.push(r);
      logs.push(column(decoded, this.options.spatialDim));
    }
    const x = this.#merge(z, parts);
    return { x, logDet: subtract(normalLog(z), this.#logProb(logs, z)) };
  }

  /** Every particle of x with what it is conditioned on. */
  #conditions(x: Tensor): Conditioned[] {
    const scale = this.#scale(x);
    const all = Array.from({ length: this.dim }, (_, i) => i);
    const standardised = this.#frame.standardise(x, all);
    const bounded = this.#frame.bounded(standardised);
    const earlier = (particles: readonly number[]) => gather(x, this.#columns(particles));
    return this.#conditionals.map(({ particle, seen, network, head }) => {
      const features = network.apply(x.graph, () => gather(bounded, this.#seenColumns(seen)));
      const from = head.coordinates === "standardised" ? standardised : x;
      return { head, condition: { features, scale, earlier }, r: gather(from, this.#columns([particle])) };
    });
  }

  /** Coordinates of particles in a configuration. */
  #columns(particles: readonly number[]): number[] {
    return particles.flatMap((particle) =>
      this.#axes().map((d) => this.#context + particle * this.options.spatialDim + d)
    );
  }

  /** What a network sees: the temperature, and earlier particles. */
  #seenColumns(seen: readonly number[]): number[] {
    return [...Array.from({ length: this.#context }, (_, i) => i), ...this.#columns(seen)];
  }

  #axes(): number[] {
    return Array.from({ length: this.options.spatialDim }, (_, d) => d);
  }

  /** 1/T of each sample, [n, 1]. */
  #scale(from: Tensor): Tensor {
    const { temperatures } = this.options;
    if (temperatures === undefined) return broadcast(from.graph, this.#beta);
    return exp(scaleShift(gather(from, [0]), -temperatures.spread, -temperatures.centre));
  }

  /** Puts the parts of particles, in the order of placement, where they belong; the temperature is that of `from`. */
  #merge(from: Tensor, parts: readonly Tensor[]): Tensor {
    const all = this.#context === 0 ? parts : [gather(from, [0]), ...parts];
    const columns = this.#seenColumns(this.#conditionals.map(({ particle }) => particle));
    const indices = columns.map((_, i) => columns.indexOf(i));
    return gather(concatAll(all), indices);
  }

  /** Sums the log-densities of particles, with the volume of standardised coordinates and the temperature's density. */
  #logProb(terms: readonly Tensor[], from: Tensor): Tensor {
    let total = terms.reduce((sum, term) => add(sum, term));
    if (this.#conditionals[0].head.coordinates === "standardised") {
      total = add(total, this.#frame.logVolume(from.graph));
    }
    return this.#context === 0 ? total : add(total, normalLog(gather(from, [0])));
  }
}

/** What is known while particles are placed: coordinates in the order in which they became known. */
class Known {
  #physical: Tensor | null = null;
  #bounded: Tensor | null = null;
  readonly #positions = new Map<number, number>();

  add(columns: readonly number[], physical: Tensor, bounded: Tensor): void {
    for (const i of columns) this.#positions.set(i, this.#positions.size);
    this.#physical = this.#physical === null ? physical : concat(this.#physical, physical);
    this.#bounded = this.#bounded === null ? bounded : concat(this.#bounded, bounded);
  }

  physical(columns: readonly number[]): Tensor {
    return gather(this.#physical!, columns.map((i) => this.#positions.get(i)!));
  }

  /** As the networks see them. */
  bounded(columns: readonly number[]): Tensor {
    return gather(this.#bounded!, columns.map((i) => this.#positions.get(i)!));
  }
}

/** Concatenates by halves, so that each number is copied few times. */
function concatAll(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0];
  const middle = parts.length >> 1;
  return concat(concatAll(parts.slice(0, middle)), concatAll(parts.slice(middle)));
}
