/**
 * What must hold for every bijector. Each law throws if it does not.
 *
 * Laws run in float64 by the reference, so that their tolerances are those of differences and quadrature; that kernels
 * compute the same is a law of its own.
 *
 * @module
 */
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { add, column, input, mean, multiply } from "../../src/graph/operations.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { logAbsDeterminant } from "../../src/flow/audit_jacobian.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { assertClose } from "./assert_close.ts";
import { exactWithTolerance } from "./float32_emulation.ts";

/** Which way a bijector is applied. */
export type Direction = "forward" | "inverse";

/** Value and log-determinant of a batch. */
export interface Mapped {
  readonly value: Float64Array;
  readonly logDet: Float64Array;
}

function trace(bijector: Bijector, direction: Direction): { value: Tensor; logDet: Tensor } {
  const from = input(new Graph(), "from", bijector.dim);
  if (direction === "forward") {
    const { x, logDet } = bijector.forward(from);
    return { value: x, logDet };
  }
  const { z, logDet } = bijector.inverse(from);
  return { value: z, logDet };
}

/** Applies a bijector in float64. */
export function apply(bijector: Bijector, direction: Direction, from: Float64Array): Mapped {
  const outputs = trace(bijector, direction);
  const [value, logDet] = evaluateReference(
    [outputs.value, outputs.logDet],
    [from],
    from.length / bijector.dim,
  );
  return { value, logDet };
}

/** How far a bijector may be from the laws in float64. */
export interface LawTolerance {
  /** Of a round trip, and of the sum of both log-determinants. */
  readonly roundTrip: number;
  /** Of the log-determinant against differences. */
  readonly logDet: number;
}

/**
 * Both directions from the same float32 parameters. Round trip: 1e-16 times the condition of a few layers. Differences:
 * h²/6 · f‴ + 1e-16/h ≈ 1e-10 for each element of the Jacobian, times its condition.
 */
export const SHARED_PARAMETERS: LawTolerance = { roundTrip: 1e-9, logDet: 1e-7 };

/** Each direction from float32 constants of its own, rounded apart: 2⁻²⁴ times size and condition, about 50. */
export const ROUNDED_CONSTANTS: LawTolerance = { roundTrip: 3e-6, logDet: 1e-6 };

/** The inverse undoes the forward map, and the forward map the inverse. */
export function assertRoundTrip(bijector: Bijector, points: Float64Array, { roundTrip } = SHARED_PARAMETERS): void {
  const x = apply(bijector, "forward", points).value;
  assertClose(apply(bijector, "inverse", x).value, points, { absolute: roundTrip }, "inverse(forward(z))");
  const z = apply(bijector, "inverse", points).value;
  assertClose(apply(bijector, "forward", z).value, points, { absolute: roundTrip }, "forward(inverse(x))");
}

/** Log-determinants of corresponding points are negatives of each other. Weak: many wrong ones are. */
export function assertLogDetsCancel(bijector: Bijector, points: Float64Array, { roundTrip } = SHARED_PARAMETERS): void {
  const { value, logDet } = apply(bijector, "forward", points);
  const back = apply(bijector, "inverse", value).logDet;
  assertClose(back, logDet.map((v) => -v), { absolute: roundTrip }, "log-det of the inverse");
}

/** Half the step of the differences. */
const H = 1e-5;

/** The log-determinant is log|det| of the Jacobian by central differences, in both directions. */
export function assertLogDetIsJacobian(
  bijector: Bijector,
  points: Float64Array,
  { logDet: tolerance } = SHARED_PARAMETERS,
): void {
  const { dim } = bijector;
  const n = points.length / dim;
  for (const direction of ["forward", "inverse"] as const) {
    const { logDet } = apply(bijector, direction, points);
    const jacobians = Array.from({ length: n }, () => new Float64Array(dim * dim));
    for (let j = 0; j < dim; j++) {
      const moved = [H, -H].map((h) =>
        apply(bijector, direction, points.map((v, i) => i % dim === j ? v + h : v)).value
      );
      moved[0].forEach((v, i) => {
        jacobians[Math.floor(i / dim)][(i % dim) * dim + j] = (v - moved[1][i]) / (2 * H);
      });
    }
    assertClose(
      logDet,
      jacobians.map((jacobian) => logAbsDeterminant(jacobian, dim)),
      { absolute: tolerance },
      `${direction} log-det against the Jacobian`,
    );
  }
}

/** Half the width of the region of z outside of which the normal density holds 1e-9. */
const REACH = 6.3;
/** Points along each axis: several within the narrowest width of the densities met here, so the trapezoid converges. */
const GRID = { 1: 2001, 2: 301 } as const;

/** The density of x = f(z), z standard normal, integrates to one; for 1 or 2 dimensions, to 1e-6 if it is smooth. */
export function assertIntegratesToOne(bijector: Bijector, absolute = 1e-6): void {
  const { dim } = bijector;
  if (dim !== 1 && dim !== 2) throw new RangeError(`quadrature is for 1 or 2 dimensions, got ${dim}`);
  const axis = (low: number, high: number, k: number) =>
    Float64Array.from({ length: k }, (_, i) => low + (high - low) * i / (k - 1));
  const grid = (axes: Float64Array[]) =>
    dim === 1 ? axes[0] : Float64Array.from([...axes[0]].flatMap((a) => [...axes[1]].flatMap((b) => [a, b])));
  const image = apply(bijector, "forward", grid(new Array(dim).fill(axis(-REACH, REACH, 61)))).value;
  const axes = Array.from({ length: dim }, (_, j) => {
    const values = image.filter((_, i) => i % dim === j);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = 0.02 * (high - low);
    return axis(low - margin, high + margin, GRID[dim]);
  });
  const { value: z, logDet } = apply(bijector, "inverse", grid(axes));
  const cell = axes.reduce((area, values) => area * (values[1] - values[0]), 1);
  const density = logDet.map((log, i) => {
    const square = z.subarray(i * dim, (i + 1) * dim).reduce((sum, v) => sum + v * v, 0);
    return Math.exp(log - square / 2 - dim / 2 * Math.log(2 * Math.PI));
  });
  assertClose(cell * density.reduce((sum, p) => sum + p, 0), 1, { absolute }, "integral of the density");
}

/** Every element of every trainable parameter has a gradient that is not 0, in each direction. */
export function assertEveryParameterLearns(bijector: Bijector, points: Float64Array): void {
  const n = points.length / bijector.dim;
  for (const direction of ["forward", "inverse"] as const) {
    const { value, logDet } = trace(bijector, direction);
    // A loss in which no two coordinates count alike, so that nothing cancels by symmetry.
    const shape = Array.from({ length: bijector.dim }, (_, j) => multiply(column(value, j), Math.cos(1 + j)));
    const loss = mean(add(multiply(logDet, 0.7), shape.reduce((sum, term) => add(sum, term))));
    using run = new KernelRun([loss], { n, gradient: true });
    run.forward([points]);
    run.backward([Float64Array.of(1)]);
    for (const parameter of bijector.parameters().filter((p) => p.trainable)) {
      const gradient = run.gradients.offsets.has(parameter) ? run.gradientOf(parameter) : [0];
      const still = gradient.findIndex((g) => g === 0 || !Number.isFinite(g));
      if (still >= 0) throw new Error(`${direction}: ${parameter.name}[${still}] has gradient ${gradient[still]}`);
    }
  }
}

/**
 * Kernels give the value and the log-determinant of the reference, but for rounding, for any number of samples.
 *
 * @param reference what is evaluated in float64: the bijector itself, unless the law is to be seen failing
 */
export function assertKernelsAgree(bijector: Bijector, points: Float64Array, reference = bijector): void {
  const n = points.length / bijector.dim;
  for (const direction of ["forward", "inverse"] as const) {
    const { value, logDet } = trace(bijector, direction);
    using run = new KernelRun([value, logDet], { n });
    const actual = run.forward([points]);
    const expected = trace(reference, direction);
    exactWithTolerance([expected.value, expected.logDet], [points], n).forEach(({ value, tolerance }, k) =>
      assertClose(actual[k], value, { absolute: tolerance }, `${direction}, n ${n}, ${k === 0 ? "value" : "log-det"}`)
    );
  }
}
