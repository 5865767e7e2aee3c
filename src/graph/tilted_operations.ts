/**
 * The energy-tilted density of one particle as operations of a graph.
 *
 * The density is proportional to exp ℓ(r), ℓ(r) = φ(r) − s E(r), with a polynomial φ whose coefficients are features of
 * the sample, a scale s (1/T) and the energy E of the particle in an external potential and with neighbours. It is
 * normalised exactly: coordinate by coordinate, log-linear between nodes of a grid, with exponential tails beyond, so
 * its support is all of ℝ^D and it is a bijection of normal numbers z and coordinates r (Knothe and Rosenblatt). Grids
 * decide only how close it is to exp ℓ.
 *
 * φ(r) = Σ c_ab… T_a(u(r₁)) T_b(u(r₂)) …: Chebyshev polynomials of coordinates u from −1 to 1, each linear between 129
 * knots; last axis fastest in the features. E(r) = Σ one-body energies of each axis + Σ pair energies of |r − q|² for the
 * neighbours at q. Beyond the outer knots φ and E are those of the nearest place between them.
 *
 * @module
 */
import type { Tensor } from "./graph.ts";
import type { Parameter } from "./parameter.ts";
import { requireBatch, shapeText } from "./shapes.ts";
import { type Tilt, TILT_KNOTS } from "./tilt.ts";

/** What an energy-tilted density depends on, beside its features. */
export interface TiltedOperands {
  /** s, [n, 1]: 1/T where energies are in units of k_B T₀. */
  readonly scale: Tensor;
  /**
   * [2 D, 129], not trainable: the knots of each axis in increasing order, then the one-body energies there (linear
   * between).
   */
  readonly knots: Parameter;
  /** Coordinates of the neighbours, [n, M · D], neighbour by neighbour; left out if there are none. */
  readonly neighbours?: Tensor;
  /** Sizes and tables. */
  readonly tilt: Tilt;
}

/**
 * log p(r) of an energy-tilted density.
 *
 * The derivative by the features alone, which maximum likelihood asks for, comes with the value and is cheap.
 *
 * @param features coefficients of the polynomial, [n, basis^D]
 * @param r coordinates, [n, D]
 * @param operands what else it depends on
 * @returns [n]
 * @throws {TypeError} if an input is not a batch, or the knots are trainable
 * @throws {RangeError} if sizes do not match
 *
 * @example A flat density on one axis, half of which is blocked
 * ```ts
 * import { Graph, input, KernelRun, Parameter, tiltedLogProb } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const positions = Array.from({ length: 129 }, (_, k) => k / 128);
 * const energies = positions.map((x) => x < 0.5 ? 50 : 0);
 * const knots = new Parameter("knots", [2, 129], [...positions, ...energies], { trainable: false });
 * const tilt = { spatialDim: 1, basis: 2, fine: 129, coarse: 9, tailRate: 1e4, tables: [], pairs: [] } as const;
 * const graph = new Graph();
 * const [features, r, scale] = [input(graph, "c", 2), input(graph, "r", 1), input(graph, "s", 1)];
 * using run = new KernelRun([tiltedLogProb(features, r, { scale, knots, tilt })], { n: 1 });
 * const [[logProb]] = run.forward([Float64Array.of(0, 0), Float64Array.of(0.75), Float64Array.of(1)]);
 *
 * assertAlmostEquals(logProb, Math.log(2), 1e-3);
 * ```
 */
export function tiltedLogProb(features: Tensor, r: Tensor, operands: TiltedOperands): Tensor {
  const inputs = checkedInputs("evaluate a tilted density", features, "r", r, operands);
  return features.graph.add("tiltedLogProb", inputs, { tilt: operands.tilt }, ["n"]);
}

/**
 * The normal numbers z of coordinates r: z₁ = Φ⁻¹(F(r₁)), z₂ = Φ⁻¹(F(r₂ | r₁)), …
 *
 * log |det ∂z/∂r| = log p(r) + |z|²/2 + D/2 · log 2π.
 *
 * @param features coefficients of the polynomial, [n, basis^D]
 * @param r coordinates, [n, D]
 * @param operands what else the density depends on
 * @returns [n, D + 1]: z, and as the last feature log p(r)
 * @throws {TypeError} if an input is not a batch, or the knots are trainable
 * @throws {RangeError} if sizes do not match
 */
export function tiltedEncode(features: Tensor, r: Tensor, operands: TiltedOperands): Tensor {
  const inputs = checkedInputs("encode by a tilted density", features, "r", r, operands);
  return features.graph.add("tiltedEncode", inputs, { tilt: operands.tilt }, ["n", operands.tilt.spatialDim + 1]);
}

/**
 * The coordinates r of normal numbers z: the inverse of {@link tiltedEncode}. Normal z give samples of the density.
 *
 * @param features coefficients of the polynomial, [n, basis^D]
 * @param z normal numbers, [n, D]
 * @param operands what else the density depends on
 * @returns [n, D + 1]: r, and as the last feature log p(r)
 * @throws {TypeError} if an input is not a batch, or the knots are trainable
 * @throws {RangeError} if sizes do not match
 */
export function tiltedDecode(features: Tensor, z: Tensor, operands: TiltedOperands): Tensor {
  const inputs = checkedInputs("decode by a tilted density", features, "z", z, operands);
  return features.graph.add("tiltedDecode", inputs, { tilt: operands.tilt }, ["n", operands.tilt.spatialDim + 1]);
}

/** The inputs in order, once they are known to match. */
function checkedInputs(
  operation: string,
  features: Tensor,
  name: string,
  place: Tensor,
  { scale, knots, neighbours, tilt }: TiltedOperands,
): Tensor[] {
  checkTilt(operation, tilt);
  const dim = tilt.spatialDim;
  requireShape(operation, "features", features, tilt.basis ** dim);
  requireShape(operation, name, place, dim);
  requireShape(operation, "scale", scale, 1);
  if (knots.shape[0] !== 2 * dim || knots.shape[1] !== TILT_KNOTS) {
    throw new RangeError(
      `Cannot ${operation}: knots must be [${2 * dim}, ${TILT_KNOTS}], got ${shapeText(knots.shape)}`,
    );
  }
  if (knots.trainable) {
    throw new TypeError(`Cannot ${operation}: knots must not be trainable, got ${knots.name}, which is`);
  }
  if ((neighbours === undefined) !== (tilt.pairs.length === 0)) {
    throw new RangeError(
      `Cannot ${operation}: neighbours must be given if and only if there are pairs, got ${tilt.pairs.length} pairs`,
    );
  }
  const inputs = [features, place, scale, features.graph.parameter(knots)];
  if (neighbours === undefined) return inputs;
  requireShape(operation, "neighbours", neighbours, dim * tilt.pairs.length);
  return [...inputs, neighbours];
}

function requireShape(operation: string, name: string, tensor: Tensor, width: number): void {
  if (requireBatch(operation, name, tensor) !== width) {
    throw new RangeError(`Cannot ${operation}: ${name} must be [n, ${width}], got ${shapeText(tensor.shape)}`);
  }
}

function checkTilt(operation: string, tilt: Tilt): void {
  const { spatialDim, basis, fine, coarse, tailRate, tables, pairs } = tilt;
  const reject = (name: string, rule: string, value: unknown): never => {
    throw new RangeError(`Cannot ${operation}: ${name} must ${rule}, got ${value}`);
  };
  if (![1, 2, 3].includes(spatialDim)) reject("spatialDim", "be 1, 2 or 3", spatialDim);
  if (!Number.isInteger(basis) || basis < 1) reject("basis", "be a whole number ≥ 1", basis);
  for (const [name, count] of [["fine", fine], ["coarse", coarse]] as const) {
    if (![9, 17, 33, 65, 129].includes(count)) reject(name, "be 9, 17, 33, 65 or 129", count);
  }
  if (!(tailRate > 0 && Number.isFinite(tailRate))) reject("tailRate", "be a positive number", tailRate);
  tables.forEach(({ values, cutoffSquared }, i) => {
    if (values.length < 2) reject(`table ${i}`, "have at least 2 values", values.length);
    if (!values.every(Number.isFinite)) {
      reject(
        `table ${i}`,
        "hold finite numbers",
        values.find((v) => !Number.isFinite(v)),
      );
    }
    if (!(cutoffSquared > 0 && Number.isFinite(cutoffSquared))) {
      reject(`cutoffSquared of table ${i}`, "be a positive number", cutoffSquared);
    }
  });
  for (const table of pairs) if (tables[table] === undefined) reject("pairs", "be indices of tables", table);
}
