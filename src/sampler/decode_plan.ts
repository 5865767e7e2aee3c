import type { PrimitiveName, Tilt, TiltTable } from "../graph/attributes.ts";
import { mixtureDecode, mixtureEncode, mixtureLogProb } from "../graph/conditional_operations.ts";
import { Graph, type Tensor } from "../graph/graph.ts";
import * as operations from "../graph/operations.ts";
import type { Parameter } from "../graph/parameter.ts";
import { splineMap, type SplineOptions } from "../graph/spline_operations.ts";
import { tiltedDecode, tiltedEncode, tiltedLogProb, type TiltedOperands } from "../graph/tilted_operations.ts";
import type { JsonValue } from "../format/json.ts";
import { isJsonObject, parseJsonObject, showJson } from "../format/parse_json.ts";
import { planVersion } from "./encode_plan.ts";

/** Most steps of a plan, and most features of a value: far above any flow. */
const limits = { steps: 2 ** 18, features: 2 ** 20 } as const;

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
    refuse(`plan must have version ${planVersion}, got ${showJson(plan.version)}: update boltzflow or export again`);
  }
  const names = list(plan.parameters, "parameters", 2 ** 20).map((name) => {
    return typeof name === "string" ? name : refuse(`parameters of the plan must be names, got ${showJson(name)}`);
  });
  const replay = new Replay(new Graph(), dim, names, list(plan.tables, "tables", 4096).map(readTable), parameterOf);
  list(plan.steps, "steps", limits.steps).forEach((step, k) => replay.step(k, step));
  const outputs = list(plan.outputs, "outputs", 8).map((k) => replay.value(k, "outputs"));
  return { outputs, dim };
}

function refuse(rest: string): never {
  throw new Error(`Cannot open ONNX model: ${rest}`);
}

function list(value: JsonValue | undefined, what: string, most: number): readonly JsonValue[] {
  if (Array.isArray(value) && value.length <= most) return value;
  return refuse(`${what} of the plan must be a list of at most ${most}, got ${showJson(value)}`);
}

function readTable(value: JsonValue): TiltTable {
  const [cutoffSquared, text] = Array.isArray(value) ? value : [];
  if (typeof cutoffSquared !== "number" || typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    return refuse(`tables of the plan must be pairs of a number and base64, got ${showJson(value)}`);
  }
  const bytes = Uint8Array.from(text.length % 4 === 0 ? atob(text) : "", (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const values = Float32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getFloat32(4 * i, true));
  return { cutoffSquared, values };
}

type Attributes = Readonly<Record<string, JsonValue>>;

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
    let tensor: Tensor;
    if (name === "parameter") tensor = this.#parameter(k, attributes);
    else if (name === "input") tensor = this.#input(attributes);
    else {
      const inputs = operands.map((operand) => this.value(operand, where));
      try {
        tensor = this.#apply(name, inputs, operands as number[], isJsonObject(attributes) ? attributes : {});
      } catch (error) {
        return refuse(`${where} of the plan must be possible, got ${showJson(name)}: ${(error as Error).message}`);
      }
    }
    const width = tensor.shape[1];
    if (typeof width === "number" && width > limits.features) {
      refuse(`values of the plan must have at most ${limits.features} features, got ${width}`);
    }
    this.#values.push(tensor);
  }

  #input(name: JsonValue | undefined): Tensor {
    if (this.#graph.inputs().length > 0) refuse("the plan must have one input, got two");
    return operations.input(this.#graph, String(name), this.#dim);
  }

  #parameter(k: number, index: JsonValue | undefined): Tensor {
    const name = typeof index === "number" ? this.#names[index] : undefined;
    if (name === undefined) return refuse(`step ${k} of the plan must name a parameter, got ${showJson(index)}`);
    const parameter = this.#parameterOf(name);
    this.#parameters.set(k, parameter);
    return this.#graph.parameter(parameter);
  }

  #apply(name: string, inputs: readonly Tensor[], operands: readonly number[], attributes: Attributes): Tensor {
    const wanted = Object.hasOwn(rules, name) ? rules[name as keyof typeof rules] : undefined;
    if (wanted === undefined) throw new Error("no operation has this name");
    const [least, most] = wanted.operands;
    if (inputs.length < least || inputs.length > most) throw new Error(`it has ${inputs.length} operands`);
    const parameter = (i: number) => {
      const found = this.#parameters.get(operands[i]);
      if (found === undefined) throw new Error(`operand ${i} must be a parameter`);
      return found;
    };
    return wanted.apply({ graph: this.#graph, inputs, parameter, attributes, tilt: () => this.#tilt(attributes) });
  }

  /** Sizes and tables of a tilted density: one object for all densities that have the same. */
  #tilt(attributes: Attributes): Tilt {
    const key = JSON.stringify(attributes);
    const known = this.#tilts.get(key);
    if (known !== undefined) return known;
    const tilt = {
      ...attributes,
      pairs: numbers(attributes, "pairs"),
      tables: numbers(attributes, "tables").map((k) => {
        return this.#tables[k] ?? refuse(`tables of a tilt must be tables of the plan, got ${k}`);
      }),
    } as unknown as Tilt;
    this.#tilts.set(key, tilt);
    return tilt;
  }
}

/** What a step is entered from. */
interface Site {
  readonly graph: Graph;
  readonly inputs: readonly Tensor[];
  /** The parameter that is an operand. */
  parameter(i: number): Parameter;
  readonly attributes: Attributes;
  /** The attributes as those of a tilted density. */
  tilt(): Tilt;
}

interface Rule {
  /** Least and greatest number of operands. */
  readonly operands: readonly [number, number];
  apply(site: Site): Tensor;
}

/** An operation on batches or columns alone. */
function plain(count: number, apply: (...inputs: Tensor[]) => Tensor): Rule {
  return { operands: [count, count], apply: ({ inputs }) => apply(...inputs) };
}

/** A number among attributes. */
function number(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== "number") throw new Error(`${name} must be a number, got ${showJson(value)}`);
  return value;
}

function numbers(attributes: Attributes, name: string): number[] {
  const found = attributes[name];
  if (!Array.isArray(found) || !found.every((value) => typeof value === "number")) {
    throw new Error(`${name} must be a list of numbers, got ${showJson(found)}`);
  }
  return found as number[];
}

function tilted(apply: (features: Tensor, place: Tensor, operands: TiltedOperands) => Tensor): Rule {
  return {
    operands: [4, 5],
    apply({ inputs: [features, place, scale, , neighbours], parameter, tilt }) {
      const operands = { scale, knots: parameter(3), tilt: tilt() };
      return apply(features, place, neighbours === undefined ? operands : { ...operands, neighbours });
    },
  };
}

function mixture(apply: (features: Tensor, place: Tensor, options: { readonly components: number }) => Tensor): Rule {
  return {
    operands: [2, 2],
    apply: ({ inputs: [f, r], attributes }) => apply(f, r, { components: number(attributes, "components") }),
  };
}

function spline(direction: "forward" | "inverse"): Rule {
  return {
    operands: [2, 2],
    apply({ inputs: [x, f], attributes }) {
      const names = ["bins", "bound", "minimumWidth", "minimumHeight", "minimumSlope"] as const;
      const options = Object.fromEntries(names.map((name) => [name, number(attributes, name)]));
      return splineMap(direction, x, f, options as unknown as SplineOptions);
    },
  };
}

/** How each step is entered; a primitive without a rule does not compile. */
const rules: { readonly [P in Exclude<PrimitiveName, "input" | "parameter" | "external" | "mean" | "sum">]: Rule } = {
  tanh: plain(1, operations.tanh),
  exp: plain(1, operations.exp),
  log: plain(1, operations.log),
  relu: plain(1, operations.relu),
  sigmoid: plain(1, operations.sigmoid),
  silu: plain(1, operations.silu),
  softplus: plain(1, operations.softplus),
  square: plain(1, operations.square),
  negate: plain(1, operations.negate),
  sqrt: plain(1, operations.sqrt),
  sin: plain(1, operations.sin),
  cos: plain(1, operations.cos),
  add: plain(2, operations.add),
  subtract: plain(2, operations.subtract),
  multiply: plain(2, operations.multiply),
  divide: plain(2, operations.divide),
  concat: plain(2, operations.concat),
  sumFeatures: plain(1, operations.sumFeatures),
  affineForward: plain(3, (x, s, t) => operations.affineMap("forward", x, s, t)),
  affineInverse: plain(3, (x, s, t) => operations.affineMap("inverse", x, s, t)),
  linear: { operands: [3, 3], apply: ({ inputs: [x], parameter }) => operations.linear(x, parameter(1), parameter(2)) },
  broadcast: { operands: [1, 1], apply: ({ graph, parameter }) => operations.broadcast(graph, parameter(0)) },
  gather: {
    operands: [1, 1],
    apply: ({ inputs: [x], attributes }) => operations.gather(x, numbers(attributes, "indices")),
  },
  column: {
    operands: [1, 1],
    apply: ({ inputs: [x], attributes }) => operations.column(x, number(attributes, "index")),
  },
  power: {
    operands: [1, 1],
    apply: ({ inputs: [x], attributes }) => operations.power(x, number(attributes, "exponent")),
  },
  scaleShift: {
    operands: [1, 1],
    apply: ({ inputs: [x], attributes }) =>
      operations.scaleShift(x, number(attributes, "scale"), number(attributes, "shift")),
  },
  constantColumn: {
    operands: [0, 0],
    apply: ({ graph, attributes }) => operations.constantColumn(graph, number(attributes, "value")),
  },
  mixtureLogProb: mixture(mixtureLogProb),
  mixtureEncode: mixture(mixtureEncode),
  mixtureDecode: mixture(mixtureDecode),
  tiltedLogProb: tilted(tiltedLogProb),
  tiltedEncode: tilted(tiltedEncode),
  tiltedDecode: tilted(tiltedDecode),
  splineForward: spline("forward"),
  splineInverse: spline("inverse"),
};
