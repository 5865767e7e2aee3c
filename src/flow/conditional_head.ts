/**
 * The density of one particle given those placed before: what an autoregressive particle flow is made of.
 *
 * @module
 */
import { mixtureDecode, mixtureEncode, mixtureLogProb } from "../graph/conditional_operations.ts";
import type { Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";

/** What a density is conditioned on. */
export interface Condition {
  /** What the network says, [n, features]. */
  readonly features: Tensor;
  /** 1/T of each sample, [n, 1]. */
  readonly scale: Tensor;
  /** Enters the coordinates of some earlier particles into the graph, [n, particles · spatialDim]. */
  earlier(particles: readonly number[]): Tensor;
}

/**
 * A density of `spatialDim` coordinates that is also a map to standard normal numbers, one coordinate after the other
 * (Knothe–Rosenblatt): z₁ = Φ⁻¹(F(r₁)), z₂ = Φ⁻¹(F(r₂ | r₁)), …
 */
export interface ConditionalHead {
  /** Whether it works in coordinates that are standardised by the flow, or in those of the system. */
  readonly coordinates: "standardised" | "physical";
  /** Numbers that it takes from the network. */
  readonly features: number;
  /** Constants of its own. */
  parameters(): readonly Parameter[];
  /** log p(r) [n] of r [n, spatialDim]. */
  logProb(condition: Condition, r: Tensor): Tensor;
  /** [n, spatialDim + 1]: z and, as the last feature, log p(r). */
  encode(condition: Condition, r: Tensor): Tensor;
  /** [n, spatialDim + 1]: r and, as the last feature, log p(r). */
  decode(condition: Condition, z: Tensor): Tensor;
  /** Numbers that the last layer of the network starts with as its bias; zeros if left out. */
  initialBias?(normal: () => number): number[];
}

/** Width of the random places at which the components of a mixture start, in standard deviations of the data. */
const START_SPREAD = 0.7;
/** Logarithm of the inverse width of a component at the start. */
const START_LOG_SCALE = 0.7;

/** A mixture of Gaussians with full covariances. It knows nothing of energies. */
export class MixtureHead implements ConditionalHead {
  readonly coordinates = "standardised";
  readonly features: number;
  readonly #components: number;
  readonly #spatialDim: number;

  /**
   * Makes a head.
   *
   * @param spatialDim 1, 2 or 3
   * @param components number of Gaussians
   */
  constructor(spatialDim: number, components: number) {
    this.#spatialDim = spatialDim;
    this.#components = components;
    this.features = components * (1 + 2 * spatialDim + spatialDim * (spatialDim - 1) / 2);
  }

  parameters(): readonly Parameter[] {
    return [];
  }

  logProb({ features }: Condition, r: Tensor): Tensor {
    return mixtureLogProb(features, r, { components: this.#components });
  }

  encode({ features }: Condition, r: Tensor): Tensor {
    return mixtureEncode(features, r, { components: this.#components });
  }

  decode({ features }: Condition, z: Tensor): Tensor {
    return mixtureDecode(features, z, { components: this.#components });
  }

  initialBias(normal: () => number): number[] {
    const [j, d] = [this.#components, this.#spatialDim];
    return Array.from({ length: this.features }, (_, i) => {
      const quantity = Math.floor(i / j);
      if (quantity >= 1 && quantity <= d) return START_SPREAD * normal();
      return quantity > d && quantity <= 2 * d ? START_LOG_SCALE : 0;
    });
  }
}
