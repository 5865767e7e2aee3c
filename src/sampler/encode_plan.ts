import type { PrimitiveName, Tilt, TiltTable } from "../graph/attributes.ts";
import type { Node, Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import { writeJson } from "../format/json.ts";
import { longestText } from "../format/protobuf.ts";
import { planLimits } from "./plan_limits.ts";

/** Metadata entry of a model file that holds the plan. */
export const planKey = "plan";

/** Version of the form in which plans are written. */
export const planVersion = 1;

/** A step of a plan: primitive, positions of its operands, and what it needs beside them. */
export type PlanStep = readonly [primitive: string, operands: readonly number[], attributes?: unknown];

/**
 * Makes the metadata of a file that holds a plan.
 *
 * @param outputs tensors of one graph
 * @returns the entry; none where the plan is longer than files may hold, so that onnxruntime runs the file
 * @throws {TypeError} if the graph holds an operation that is written in TypeScript
 */
export function planEntry(outputs: readonly Tensor[]): Readonly<Record<string, string>> {
  const text = encodePlan(outputs);
  const fits = outputs[0].graph.nodes.length <= planLimits.steps &&
    new TextEncoder().encode(text).length <= longestText;
  return fits ? { [planKey]: text } : {};
}

/**
 * Records a computation as text, for kernels to replay without the program that wrote it down.
 *
 *     { "version": 1, "parameters": ["flow.0.weight"], "tables": [[cutoffSquared, "base64 of float32"]],
 *       "steps": [["input", [], "z"], ["parameter", [], 0], ["linear", [0, 1, 2]], …], "outputs": [57, 60] }
 *
 * Steps refer to earlier steps, parameters are the tensors of the same names in the model file.
 *
 * @param outputs tensors of one graph
 * @returns JSON
 * @throws {TypeError} if the graph holds an operation that is written in TypeScript
 */
export function encodePlan(outputs: readonly Tensor[]): string {
  const { nodes } = outputs[0].graph;
  const needed = new Set(outputs.map(({ id }) => id));
  for (const node of nodes.toReversed()) {
    if (needed.has(node.id)) node.inputs.forEach((id) => needed.add(id));
  }
  const encoder = new StepEncoder();
  const place = new Map<number, number>();
  const steps = nodes.filter(({ id }) => needed.has(id)).map((node, k): PlanStep => {
    place.set(node.id, k);
    const attributes = encoder.attributes(node);
    const operands = node.inputs.map((id) => place.get(id)!);
    return attributes === undefined ? [node.primitive, operands] : [node.primitive, operands, attributes];
  });
  return writeJson({
    version: planVersion,
    parameters: encoder.parameters,
    tables: encoder.tables.map(({ cutoffSquared, values }) => [cutoffSquared, toBase64(values)]),
    steps,
    outputs: outputs.map(({ id }) => place.get(id)!),
  });
}

/** Writes down attributes, and collects what they refer to. */
class StepEncoder {
  readonly parameters: string[] = [];
  readonly tables: TiltTable[] = [];

  attributes({ primitive, attributes }: Node): unknown {
    if (primitive === "external") {
      throw new TypeError("Cannot record a plan: every operation must be a primitive, got an external operation");
    }
    if (primitive === "parameter") {
      return this.parameters.push((attributes as { parameter: Parameter }).parameter.name) - 1;
    }
    if (primitive === "input") return (attributes as { name: string }).name;
    if (isTilted(primitive)) return this.#tilt((attributes as { tilt: Tilt }).tilt);
    return Object.keys(attributes).length === 0 ? undefined : attributes;
  }

  #tilt(tilt: Tilt): unknown {
    const { spatialDim, basis, fine, coarse, tailRate, pairs } = tilt;
    return { spatialDim, basis, fine, coarse, tailRate, pairs, tables: tilt.tables.map((table) => this.#table(table)) };
  }

  #table(table: TiltTable): number {
    const known = this.tables.findIndex((other) => isSameTable(other, table));
    return known >= 0 ? known : this.tables.push(table) - 1;
  }
}

/** Whether two tables hold the same numbers: pair terms that are made anew for every pair give many alike. */
function isSameTable(a: TiltTable, b: TiltTable): boolean {
  return a.cutoffSquared === b.cutoffSquared &&
    (a.values === b.values || a.values.length === b.values.length && a.values.every((v, i) => v === b.values[i]));
}

function isTilted(primitive: PrimitiveName): boolean {
  return primitive === "tiltedLogProb" || primitive === "tiltedEncode" || primitive === "tiltedDecode";
}

/** Little-endian bytes of float32 as base64. */
function toBase64(values: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  const bytes = new Uint8Array(view.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}
