import type { Tilt, TiltTable } from "../graph/attributes.ts";
import { Graph, type Tensor } from "../graph/graph.ts";
import * as operations from "../graph/operations.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { JsonValue } from "../format/json.ts";
import { isJsonObject, parseJsonObject, showJson, showText } from "../format/parse_json.ts";
import { planVersion } from "./encode_plan.ts";
import { planLimits, tableNumbers, widthFault, workOf } from "./plan_limits.ts";
import { type Attributes, number, numbers, ruleOf } from "./plan_rules.ts";

/** A plan entered into a graph of its own. */
export interface RecordedGraph {
  /** What the plan computes. */
  readonly outputs: readonly Tensor[];
  /** Width of the one input. */
  readonly dim: number;
}

/**
 * Enters a recorded computation into a graph, by the operations with which it was written down and their checks.
 *
 * @param text what `encodePlan` returned, or a hostile text
 * @param dim features of the input
 * @param parameterOf the numbers of a name, as the file has them
 * @returns the outputs
 * @throws {Error} that names the step and the rule
 */
export function decodePlan(text: string, dim: number, parameterOf: (name: string) => Parameter): RecordedGraph {
  const plan = parseJsonObject(text, 'metadata "plan"', refuse);
  if (plan.version !== planVersion) {
    refuse(
      `plan must have version ${planVersion}, got ${showJson(plan.version)}: update boltzflow, or choose backend ` +
        '"onnxruntime"',
    );
  }
  const names = list(plan.parameters, "parameters", 2 ** 20).map((name) => {
    return typeof name === "string" ? name : refuse(`parameters of the plan must be names, got ${showJson(name)}`);
  });
  const replay = new Replay(new Graph(), dim, names, list(plan.tables, "tables", 4096).map(readTable), parameterOf);
  list(plan.steps, "steps", planLimits.steps).forEach((step, k) => replay.step(k, step));
  const outputs = list(plan.outputs, "outputs", 8).map((k) => replay.value(k, "outputs"));
  if (!replay.hasInput) refuse("the plan must have one input, got none");
  return { outputs, dim };
}

function refuse(rest: string): never {
  throw new Error(`Cannot open ONNX model: ${rest}`);
}

function list(value: JsonValue | undefined, what: string, most: number): readonly JsonValue[] {
  if (Array.isArray(value) && value.length <= most) return value;
  const got = Array.isArray(value) ? value.length : showJson(value);
  return refuse(`${what} of the plan must be a list of at most ${most}, got ${got}`);
}

function readTable(value: JsonValue): TiltTable {
  const [cutoffSquared, text] = Array.isArray(value) ? value : [];
  const bytes = typeof text === "string" ? fromBase64(text) : null;
  if (typeof cutoffSquared !== "number" || bytes === null || bytes.length % 4 !== 0) {
    return refuse(`tables of the plan must be pairs of a number and float32 in base64, got ${showJson(value)}`);
  }
  const view = new DataView(bytes.buffer);
  const values = Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  return { cutoffSquared, values };
}

function fromBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The steps of a plan, entered one after the other. */
class Replay {
  readonly #graph: Graph;
  readonly #dim: number;
  readonly #names: readonly string[];
  readonly #tables: readonly TiltTable[];
  readonly #parameterOf: (name: string) => Parameter;
  readonly #values: Tensor[] = [];
  readonly #parameters = new Map<number, Parameter>();
  readonly #tilts = new Map<string, Tilt>();
  #tableNumbers = 0;
  #work = 0;

  constructor(
    graph: Graph,
    dim: number,
    names: readonly string[],
    tables: readonly TiltTable[],
    parameterOf: (name: string) => Parameter,
  ) {
    this.#graph = graph;
    this.#dim = dim;
    this.#names = names;
    this.#tables = tables;
    this.#parameterOf = parameterOf;
  }

  /** Whether something goes in. */
  hasInput = false;

  /** The value of a step. */
  value(k: JsonValue | undefined, where: string): Tensor {
    const value = typeof k === "number" ? this.#values[k] : undefined;
    return value ?? refuse(`operands in ${where} of the plan must be earlier steps, got ${showJson(k)}`);
  }

  /** Enters a step; operations throw sentences of their own for operands that do not fit. */
  step(k: number, step: JsonValue): void {
    const [name, operands, attributes] = Array.isArray(step) ? step : [];
    const where = `step ${k}`;
    if (typeof name !== "string" || !Array.isArray(operands)) {
      return refuse(`${where} of the plan must be a list of name and operands, got ${showJson(step)}`);
    }
    const inputs = operands.map((operand) => this.value(operand, where));
    const tensor = name === "input"
      ? this.#input(attributes)
      : name === "parameter"
      ? this.#parameter(k, attributes)
      : this.#apply(where, name, inputs, operands as number[], isJsonObject(attributes) ? attributes : {});
    const fault = widthFault(tensor);
    if (fault !== undefined) refuse(fault);
    this.#work += workOf(tensor);
    if (this.#work > planLimits.work) {
      refuse(
        `the plan must need at most ${planLimits.work} multiplications for a sample, got more at ${where}: choose ` +
          'backend "onnxruntime"',
      );
    }
    this.#values.push(tensor);
  }

  #input(name: JsonValue | undefined): Tensor {
    if (this.hasInput) refuse("the plan must have one input, got two");
    if (typeof name !== "string") return refuse(`the input of the plan must have a name, got ${showJson(name)}`);
    this.hasInput = true;
    return operations.input(this.#graph, name, this.#dim);
  }

  #parameter(k: number, index: JsonValue | undefined): Tensor {
    const name = typeof index === "number" ? this.#names[index] : undefined;
    if (name === undefined) return refuse(`step ${k} of the plan must name a parameter, got ${showJson(index)}`);
    const parameter = this.#parameterOf(name);
    this.#parameters.set(k, parameter);
    return this.#graph.parameter(parameter);
  }

  #apply(
    where: string,
    name: string,
    inputs: readonly Tensor[],
    operands: readonly number[],
    attributes: Attributes,
  ): Tensor {
    const parameter = (i: number) => {
      const found = this.#parameters.get(operands[i]);
      if (found === undefined) throw new Error(`operand ${i} must be a parameter, got another value`);
      return found;
    };
    try {
      const rule = ruleOf(name);
      if (rule === undefined) throw new Error("no operation has this name");
      requireOperands(inputs, ...rule.operands);
      return rule.apply({ graph: this.#graph, inputs, parameter, attributes, tilt: () => this.#tilt(attributes) });
    } catch (error) {
      const why = showText((error as Error).message, 300);
      return refuse(`${where} of the plan must be possible, got ${showJson(name)}: ${why}`);
    }
  }

  /** Sizes and tables of a tilted density: one object for all densities that have the same. */
  #tilt(attributes: Attributes): Tilt {
    const key = JSON.stringify(attributes);
    const known = this.#tilts.get(key);
    if (known !== undefined) return known;
    const tables = numbers(attributes, "tables").map((k) => {
      const table = this.#tables[k];
      if (table === undefined) throw new Error(`tables of a tilt must be tables of the plan, got ${k}`);
      return table;
    });
    this.#tableNumbers += tableNumbers(tables);
    if (this.#tableNumbers > planLimits.tableNumbers) {
      throw new Error(`tables of tilts must hold at most ${planLimits.tableNumbers} numbers, got more`);
    }
    const tilt = {
      spatialDim: number(attributes, "spatialDim") as Tilt["spatialDim"], // the operation checks it
      basis: number(attributes, "basis"),
      fine: number(attributes, "fine"),
      coarse: number(attributes, "coarse"),
      tailRate: number(attributes, "tailRate"),
      pairs: numbers(attributes, "pairs"),
      tables,
    };
    this.#tilts.set(key, tilt);
    return tilt;
  }
}

function requireOperands({ length }: readonly Tensor[], least: number, most: number): void {
  if (length < least || length > most) {
    throw new Error(`it must have ${least === most ? least : `${least} to ${most}`} operands, got ${length}`);
  }
}
