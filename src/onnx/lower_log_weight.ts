/**
 * The log-weight of a sample in ONNX operators, in float64 whatever the precision of the model.
 *
 * @module
 */
import { logOf } from "../random/elementary.ts";
import type { ModelRole } from "../sampler/metadata.ts";
import { Algebra } from "./algebra.ts";
import { lowerDomain } from "./lower_domain.ts";
import { lowerEnergy, type WritableSystem } from "./lower_energy.ts";
import { toFloat64 } from "./lowerings.ts";
import type { ModelBuilder } from "./model_builder.ts";

/** What a model has computed when its log-weight is due. */
export interface MappedValues {
  /** Configurations [n, dim]. */
  readonly x: string;
  /** Latent points [n, dim]. */
  readonly z: string;
  /** log |det| of the map [n], float64. */
  readonly logDet: string;
}

/**
 * Emits log w(x) = −U(x)/T − log q(x), −∞ outside the reference domain.
 *
 *     log q(x) = log N(z; 0, 1) ∓ logDet     − for a sampler, + for a density
 *
 * @param builder where nodes go
 * @param system whose energy U and domain are meant
 * @param values what the model maps, and what to
 * @param model temperature in units of T₀, and which way the model goes
 * @returns [n], float64
 */
export function lowerLogWeight(
  builder: ModelBuilder,
  system: WritableSystem,
  values: MappedValues,
  { temperature, role }: { readonly temperature: number; readonly role: ModelRole },
): string {
  const [x, z] = [values.x, values.z].map((batch) => toFloat64(builder, batch));
  return builder.inFloat64(() => {
    const algebra = new Algebra(builder, "float64");
    const { add, subtract, multiply, divide, negate } = algebra;
    const squares = algebra.sum(algebra.square(z), 1);
    const logNormal = add(multiply(squares, -0.5), -0.5 * system.dim * logOf(2 * Math.PI));
    const logDet = algebra.reshape(values.logDet, [-1, 1]);
    const logProb = role === "sampler" ? subtract(logNormal, logDet) : add(logNormal, logDet);
    const boltzmann = divide(negate(lowerEnergy(algebra, system, x)), temperature);
    const weight = subtract(boltzmann, algebra.reshape(logProb, [1, -1]));
    const inside = lowerDomain(algebra, system, x);
    return algebra.reshape(inside === null ? weight : algebra.where(inside, weight, -Infinity), [-1]);
  });
}
