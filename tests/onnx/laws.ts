/**
 * What must hold for the two models of a flow. Each law throws if it does not.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { TestSession } from "./runtime.ts";

/** A model with what the laws need to know about it. */
export interface ModelUnderTest {
  readonly bytes: Uint8Array;
  readonly role: "sampler" | "density";
  readonly precision: "float32" | "float64";
  readonly dim: number;
}

/** What a model returns for a batch. */
interface Mapped {
  readonly value: Float64Array;
  readonly logDet: Float64Array;
}

async function map(
  session: TestSession,
  role: ModelUnderTest["role"],
  batch: ArrayLike<number>,
  n: number,
): Promise<Mapped> {
  const [from, to] = role === "sampler" ? ["z", "x"] : ["x", "z"];
  const { values } = await session.run({ [from]: batch }, n);
  return { value: values[to], logDet: values.logDet };
}

/** Runs a model once. */
export async function runFlowModel(model: ModelUnderTest, batch: ArrayLike<number>): Promise<Mapped> {
  await using session = await TestSession.open(model.bytes, model.precision);
  return await map(session, model.role, batch, batch.length / model.dim);
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  assert(a.length === b.length && a.length > 0, `lengths ${a.length} and ${b.length}`);
  return a.reduce((most, value, i) => Math.max(most, Number.isNaN(value) ? Infinity : Math.abs(value - b[i])), 0);
}

/** The model computes what the bijector computes in float64. */
export async function agreesWithReference(
  model: ModelUnderTest,
  bijector: Bijector,
  batch: Float64Array,
  tolerance: { readonly value: number; readonly logDet: number },
): Promise<void> {
  const graph = new Graph();
  const from = input(graph, "from", bijector.dim);
  const outputs = Object.values(model.role === "sampler" ? bijector.forward(from) : bijector.inverse(from));
  const [value, logDet] = evaluateReference(outputs, [batch], batch.length / bijector.dim);

  const got = await runFlowModel(model, batch);

  const errors = [largestDifference(got.value, value), largestDifference(got.logDet, logDet)];
  assert(errors[0] <= tolerance.value, `values differ from the reference by ${errors[0]}`);
  assert(errors[1] <= tolerance.logDet, `log-determinants differ from the reference by ${errors[1]}`);
}

/** logDet = log |det J|, J the model's own Jacobian by central differences; for models of float64. */
export async function logDetIsOfJacobian(model: ModelUnderTest, batch: Float64Array, tolerance: number): Promise<void> {
  const { dim } = model;
  const n = batch.length / dim;
  const step = 1e-5;
  await using session = await TestSession.open(model.bytes, model.precision);
  const { logDet } = await map(session, model.role, batch, n);
  for (let row = 0; row < n; row++) {
    const shifted = Array.from({ length: 2 * dim }, (_, k) => {
      const point = batch.slice(row * dim, (row + 1) * dim);
      point[k >> 1] += k % 2 === 0 ? step : -step;
      return Array.from(point);
    });
    const { value } = await map(session, model.role, shifted.flat(), 2 * dim);
    const jacobian = Array.from(
      { length: dim },
      (_, k) =>
        Array.from({ length: dim }, (_, i) => (value[2 * k * dim + i] - value[(2 * k + 1) * dim + i]) / (2 * step)),
    );
    const error = Math.abs(logDet[row] - logAbsDeterminant(jacobian));
    assert(error <= tolerance, `logDet differs from log|det| of the Jacobian by ${error}`);
  }
}

/** The density model takes the sampler's x back to z, with the opposite log-determinant. */
export async function densityInvertsSampler(
  sampler: ModelUnderTest,
  density: ModelUnderTest,
  z: Float64Array,
  tolerance: number,
): Promise<void> {
  const forward = await runFlowModel(sampler, z);
  const back = await runFlowModel(density, forward.value);

  const errors = [largestDifference(back.value, z), largestDifference(back.logDet, forward.logDet.map((v) => -v))];
  assert(Math.max(...errors) <= tolerance, `round trip errs by ${errors}`);
}

/** log |det A| by elimination with row pivots. */
export function logAbsDeterminant(rows: readonly (readonly number[])[]): number {
  const a = rows.map((row) => Array.from(row));
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    let pivot = k;
    for (let i = k + 1; i < a.length; i++) if (Math.abs(a[i][k]) > Math.abs(a[pivot][k])) pivot = i;
    [a[k], a[pivot]] = [a[pivot], a[k]];
    sum += Math.log(Math.abs(a[k][k]));
    for (let i = k + 1; i < a.length; i++) {
      const factor = a[i][k] / a[k][k];
      for (let j = k; j < a.length; j++) a[i][j] -= factor * a[k][j];
    }
  }
  return sum;
}
