/**
 * How each step of a plan is entered into a graph: by the operation with which it was written down, and its checks.
 *
 * @module
 */
import type { PrimitiveName, Tilt } from "../graph/attributes.ts";
import { mixtureDecode, mixtureEncode, mixtureLogProb } from "../graph/conditional_operations.ts";
import type { Graph, Tensor } from "../graph/graph.ts";
import { affineMap } from "../graph/affine_coupling.ts";
import * as operations from "../graph/operations.ts";
import type { Parameter } from "../graph/parameter.ts";
import { splineMap, type SplineOptions } from "../graph/spline_operations.ts";
import { tiltedDecode, tiltedEncode, tiltedLogProb, type TiltedOperands } from "../graph/tilted_operations.ts";
import type { JsonValue } from "../format/json.ts";
import { showJson } from "../format/parse_json.ts";

/** What a step needs beside its operands, as it stands in the plan. */
export type Attributes = Readonly<Record<string, JsonValue>>;

/** What a step is entered from. */
export interface Site {
  /** The graph. */
  readonly graph: Graph;
  /** The operands. */
  readonly inputs: readonly Tensor[];
  /** The parameter that is an operand. */
  parameter(i: number): Parameter;
  /** What it needs beside them. */
  readonly attributes: Attributes;
  /** The attributes as those of a tilted density. */
  tilt(): Tilt;
}

/** How a kind of step is entered. */
export interface Rule {
  /** Least and greatest number of operands. */
  readonly operands: readonly [number, number];
  /** Enters the step; throws if it is impossible. */
  apply(site: Site): Tensor;
}

/** An operation on batches or columns alone. */
function plain(count: number, apply: (...inputs: Tensor[]) => Tensor): Rule {
  return { operands: [count, count], apply: ({ inputs }) => apply(...inputs) };
}

/** A number among attributes. */
export function number(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== "number") throw new Error(`${name} must be a number, got ${showJson(value)}`);
  return value;
}

/** A list of numbers among attributes. */
export function numbers(attributes: Attributes, name: string): number[] {
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
  normalCdf: plain(1, operations.normalCdf),
  probit: plain(1, operations.probit),
  add: plain(2, operations.add),
  subtract: plain(2, operations.subtract),
  multiply: plain(2, operations.multiply),
  divide: plain(2, operations.divide),
  concat: plain(2, operations.concat),
  sumFeatures: plain(1, operations.sumFeatures),
  affineForward: plain(3, (x, s, t) => affineMap("forward", x, s, t)),
  affineInverse: plain(3, (x, s, t) => affineMap("inverse", x, s, t)),
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

/** The rule of a step; undefined if there is no operation of that name, or none that a plan may hold. */
export function ruleOf(name: string): Rule | undefined {
  return Object.hasOwn(rules, name) ? rules[name as keyof typeof rules] : undefined;
}
