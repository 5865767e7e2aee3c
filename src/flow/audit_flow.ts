/**
 * Whether a flow is what it claims to be: a bijection with these log-determinants and a density of integral one.
 *
 * @module
 */
import { Graph, type Tensor } from "../graph/graph.ts";
import { rowsNotFinite } from "../autodiff/not_finite.ts";
import { add, input } from "../graph/operations.ts";
import { evaluateReference } from "../autodiff/reference_run.ts";
import { evaluateRounded } from "../autodiff/rounded_run.ts";
import { type Executor, serialPool } from "../backend/executor.ts";
import {
  type AuditCheck,
  checkOf,
  type FlowAudit,
  largestDistance,
  type Measured,
  notPossible,
  roundingTolerance,
} from "./audit_checks.ts";
import { integrate, MOST_DIMENSIONS } from "./audit_integral.ts";
import { compareLogDet } from "./audit_jacobian.ts";
import type { Flow } from "./flow.ts";
import { NormalPrior } from "./prior.ts";

/** How thoroughly a flow is audited. */
export interface AuditOptions {
  /** Samples of the prior at which the flow is checked, 1 or more. Default 4. */
  readonly samples?: number;
  /** Configurations [n, dim], for instance data, of which the first few are checked too, as many as samples. */
  readonly data?: Float64Array;
  /**
   * Points at which log-determinants are compared with differences, each of 2 · dim evaluations in float64. Default 1; 0
   * leaves this out.
   */
  readonly jacobians?: number;
  /** Seed of the samples. Default 0. */
  readonly seed?: number;
  /** Threads of the kernels. */
  readonly pool?: Executor;
  /** Ends the audit early with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Values of one direction at n points. */
interface Values {
  readonly value: Float64Array;
  readonly log: Float64Array;
}

/** A direction of the flow as a graph: where to, and log p_X or the log-determinant. */
interface Traced {
  readonly outputs: readonly Tensor[];
  readonly dim: number;
}

const COMPARES = {
  "round trip": "the inverse of the image with the point, both ways, in float64",
  "both directions": "log-densities by the forward map, by the inverse and directly, in float64",
  "log-determinant": "the log-determinant of the inverse with the Jacobian by differences, in float64",
  kernels: "values and log-densities of the kernels with float64",
  integral: "the integral of the density with 1",
} as const;

/** Above this tolerance a quadrature says nothing. */
const UNRESOLVED = 0.01;

/**
 * Audits a flow as it is, with its parameters: round trips, log-determinants against differences, the kernels against
 * float64 and, in one or two dimensions, the integral of the density.
 *
 * Round trips and cancelling log-determinants alone would accept log-determinants that are zero, flipped or doubled:
 * differences and the integral do not. Tolerances come from the flow itself: from what rounding its inputs or its steps to
 * float32 changes, from differences to either side, and from a coarser quadrature. It says nothing about how near the
 * flow is to a target.
 *
 * The float64 evaluation is slow: for 76 dimensions and tilted densities about 0.1 s for a point, 12 s for a Jacobian.
 *
 * @param flow to be audited
 * @param options how many points, data, seed
 * @returns a verdict, and each check with its largest error and tolerance
 * @throws {RangeError} if a number of points is not whole, or data are not rows of finite numbers
 *
 * @example
 * ```ts
 * import { auditFlow, Flow, RealNVP } from "@boltzflow/boltzflow";
 * import { assert } from "@std/assert";
 *
 * const { passed, checks } = await auditFlow(new Flow(new RealNVP({ dim: 2, blocks: 2, hidden: [16] })));
 *
 * assert(passed);
 * assert(checks.every(({ error, tolerance }) => error! <= tolerance!));
 * ```
 */
export async function auditFlow(flow: Flow, options: AuditOptions = {}): Promise<FlowAudit> {
  const audit = new Audit(flow, options);
  const checks = await audit.run();
  return { passed: checks.every(({ verdict }) => verdict !== "failed"), checks };
}

class Audit {
  readonly #flow: Flow;
  readonly #options: AuditOptions;
  readonly #pool: Executor;
  readonly #forward: Traced;
  readonly #inverse: Traced;
  readonly #density: Traced;

  constructor(flow: Flow, options: AuditOptions) {
    requireCount("samples", options.samples ?? 4, 1);
    requireCount("jacobians", options.jacobians ?? 1, 0);
    requireData(options.data, flow.dim);
    this.#flow = flow;
    this.#options = options;
    this.#pool = options.pool ?? serialPool;
    this.#forward = traced(flow.dim, (z) => {
      const { x, logProb } = flow.pushForward(z);
      return [x, logProb];
    });
    this.#inverse = traced(flow.dim, (x) => {
      const { z, logDet } = flow.bijector.inverse(x);
      return [z, add(flow.prior.logProb(z), logDet), logDet];
    });
    this.#density = traced(flow.dim, (x) => [flow.logProbOf(x)]);
  }

  async run(): Promise<AuditCheck[]> {
    const { samples = 4, seed = 0, data } = this.#options;
    const { dim } = this.#flow;
    // As float32 knows them: then exact and rounded runs start from the same numbers.
    const z = this.#flow.prior.sample(samples, seed).map(Math.fround);
    const image = this.#exact(this.#forward, z);
    await this.#pause();
    const rows = [...image.value, ...data?.subarray(0, samples * dim) ?? []];
    const x = Float64Array.from(rows, Math.fround);
    const [value, log, logDet] = evaluateReference(this.#inverse.outputs, [x], x.length / dim);
    await this.#pause();
    const start = this.#exact(this.#inverse, image.value);
    await this.#pause();
    const [direct] = evaluateReference(this.#density.outputs, [x], x.length / dim);
    await this.#pause();
    const travelled = { z, image, start, x, back: { value, log, logDet }, direct };
    const roundTrip = this.#roundTrip(travelled);
    await this.#pause();
    const kernels = this.#kernels(travelled);
    const checks = [roundTrip, this.#bothDirections(travelled), await this.#logDets(travelled), kernels.check];
    return [...checks, this.#integral(kernels.logProbTolerance)];
  }

  #exact({ outputs, dim }: Traced, from: Float64Array): Values {
    const [value, log] = evaluateReference(outputs, [from], from.length / dim);
    return { value, log };
  }

  /** z → x → z and x → z → x. */
  #roundTrip({ z, start: { value: start }, x, back }: Travelled): AuditCheck {
    const end = this.#exact(this.#forward, back.value).value;
    const rounded = this.#exact(this.#forward, back.value.map(Math.fround)).value;
    const points = (z.length + x.length) / this.#flow.dim;
    return checkOf("round trip", COMPARES["round trip"], points, [
      {
        what: "z → x → z",
        error: largestDistance(start, z),
        tolerance: roundingTolerance(start, back.value.subarray(0, z.length)),
      },
      { what: "x → z → x", error: largestDistance(end, x), tolerance: roundingTolerance(end, rounded) },
    ]);
  }

  /** log p at the same points: on the way there, on the way back, and without a way. */
  #bothDirections({ z, image, start: { log: atImage }, x, back, direct }: Travelled): AuditCheck {
    const there = back.log.subarray(0, z.length / this.#flow.dim);
    const tolerance = roundingTolerance(atImage, there);
    return checkOf("both directions", COMPARES["both directions"], x.length / this.#flow.dim, [
      { what: "forward and inverse", error: largestDistance(image.log, atImage), tolerance },
      {
        what: "inverse and direct",
        error: largestDistance(back.log, direct),
        tolerance: roundingTolerance(back.log, back.log),
      },
    ]);
  }

  async #logDets({ x, back }: Travelled): Promise<AuditCheck> {
    const { jacobians = 1 } = this.#options;
    const { dim } = this.#flow;
    const name = "log-determinant";
    if (jacobians === 0) return notPossible(name, COMPARES[name], "none was asked for");
    const inverse = (points: Float64Array) => this.#exact(this.#inverse, points).value;
    const scale = deviations(this.#flow.decode(this.#flow.prior.sample(256, 1), { pool: this.#pool }).x, dim);
    const measured: Measured[] = [];
    for (let i = 0; i < Math.min(jacobians, x.length / dim); i++) {
      const [from, to] = [i * dim, (i + 1) * dim];
      const point = { x: x.subarray(from, to), image: back.value.subarray(from, to), logDet: back.logDet[i], scale };
      measured.push(await compareLogDet(inverse, point, () => this.#pause()));
    }
    return checkOf(name, COMPARES[name], measured.length, measured);
  }

  #kernels({ z, image, x, back, direct }: Travelled): { check: AuditCheck; logProbTolerance: number } {
    const { dim } = this.#flow;
    const pool = { pool: this.#pool };
    const rounded = ({ outputs }: Traced, from: Float64Array) => evaluateRounded(outputs, [from], from.length / dim);
    const densityAt = (points: Float64Array) =>
      evaluateReference(this.#density.outputs, [points], points.length / dim)[0];
    const measured: Measured[] = [];
    const compare = (what: string, actual: Float64Array, exact: Float64Array, emulated: Float64Array) => {
      const one = { what, error: largestDistance(actual, exact), tolerance: roundingTolerance(exact, emulated) };
      measured.push(one);
      return one.tolerance;
    };
    const forward = rounded(this.#forward, z);
    const decoded = this.#flow.decode(z, pool);
    compare("samples", decoded.x, image.value, forward[0]);
    // Where rounding has taken the sample, not where it would have gone: weights need the density there.
    const [emulatedThere, there] = [densityAt(forward[0]), densityAt(decoded.x)];
    const emulated = there.map((log, i) => log + forward[1][i] - emulatedThere[i]);
    compare("log-densities of samples", decoded.logProb, there, emulated);
    const inverse = rounded(this.#inverse, x);
    const encoded = this.#flow.encode(x, pool);
    compare("latent points", encoded.z, back.value, inverse[0]);
    compare("log-densities of latent points", encoded.logProb, back.log, inverse[1]);
    const density = rounded(this.#density, x)[0];
    const logProbTolerance = compare("log-densities", this.#flow.logProb(x, pool), direct, density);
    return { check: checkOf("kernels", COMPARES.kernels, (z.length + x.length) / dim, measured), logProbTolerance };
  }

  #integral(rounding: number): AuditCheck {
    const { dim } = this.#flow;
    if (dim > MOST_DIMENSIONS) {
      const reason = `no grid holds a density in ${dim} dimensions; differences check the volume instead`;
      return notPossible("integral", COMPARES.integral, reason);
    }
    const pool = { pool: this.#pool };
    const { prior } = this.#flow;
    const deviation = prior instanceof NormalPrior ? Math.sqrt(prior.variance) : 1;
    const measured = integrate({
      dim,
      decode: (z) => this.#flow.decode(z.map((v) => deviation * v), pool).x,
      logProb: (x) => this.#flow.logProb(x, pool),
      rounding,
    });
    if (measured.tolerance > UNRESOLVED) {
      return notPossible("integral", COMPARES.integral, "the density is too narrow or too rough for the grid");
    }
    return checkOf("integral", COMPARES.integral, 1, [measured]);
  }

  /** Lets other work of the event loop run. */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#options.signal?.throwIfAborted();
  }
}

/** Points on both sides, in float64. */
interface Travelled {
  /** Samples of the prior. */
  readonly z: Float64Array;
  /** Their images. */
  readonly image: Values;
  /** The inverse of these. */
  readonly start: Values;
  /** The images as float32 knows them, and data. */
  readonly x: Float64Array;
  /** Their inverse. */
  readonly back: Values & { readonly logDet: Float64Array };
  /** Their log-density without a way. */
  readonly direct: Float64Array;
}

function traced(dim: number, enter: (from: Tensor) => readonly Tensor[]): Traced {
  return { outputs: enter(input(new Graph(), "from", dim)), dim };
}

/** Standard deviation of each coordinate; 1 where there is none. */
function deviations(x: Float64Array, dim: number): Float64Array {
  const n = x.length / dim;
  const mean = new Float64Array(dim);
  const square = new Float64Array(dim);
  x.forEach((v, i) => mean[i % dim] += v / n);
  x.forEach((v, i) => square[i % dim] += (v - mean[i % dim]) ** 2 / n);
  return square.map((variance) => variance > 0 && Number.isFinite(variance) ? Math.sqrt(variance) : 1);
}

function requireCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(`Cannot audit a flow: ${name} must be a whole number ≥ ${least}, got ${value}`);
}

function requireData(data: Float64Array | undefined, dim: number): void {
  if (data === undefined) return;
  if (data.length % dim !== 0) {
    throw new RangeError(`Cannot audit a flow: data must hold rows of ${dim}, got ${data.length} numbers`);
  }
  const { count } = rowsNotFinite(data, dim);
  if (count > 0) {
    throw new RangeError(
      `Cannot audit a flow: data must be finite, got ${count} of ${data.length / dim} rows that are not`,
    );
  }
}
