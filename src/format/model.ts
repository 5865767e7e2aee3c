/** Element type of a tensor; `bool` and whole numbers appear only inside graphs. */
export type ElementType = "float16" | "float32" | "float64" | "int32" | "int64" | "bool";

/** Element types by their number in ONNX (TensorProto.DataType). */
export const elementTypeCodes: Readonly<Record<ElementType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
};

/** A constant tensor of a model, row-major. */
export interface ModelTensor {
  /** Name by which nodes refer to it. */
  readonly name: string;
  /** Sizes; the product is the number of elements. */
  readonly dims: readonly number[];
  /** Elements; the array's kind is the tensor's element type, Uint16Array standing for the bits of float16. */
  readonly data: Uint16Array | Float32Array | Float64Array | Int32Array | BigInt64Array;
}

/** An input or output of a model. */
export interface ModelValue {
  /** Name by which callers feed or fetch it. */
  readonly name: string;
  /** Element type. */
  readonly type: ElementType;
  /** Sizes; a text such as "n" names a size that each call may choose. */
  readonly dims: readonly (number | string)[];
}

/** A constant setting of a node. */
export type ModelAttribute =
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "integers"; readonly value: readonly number[] }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "graph"; readonly value: ModelGraph };

/** One operation of a model. */
export interface ModelNode {
  /** ONNX operator, for example `Gemm`. */
  readonly operator: string;
  /** Names of the values it reads; the empty name leaves an optional input out. */
  readonly inputs: readonly string[];
  /** Names of the values it makes. */
  readonly outputs: readonly string[];
  /** Settings by name. */
  readonly attributes: Readonly<Record<string, ModelAttribute>>;
}

/** A computation: the main one of a model, or the body of a `Loop`. */
export interface ModelGraph {
  /** Name of the graph. */
  readonly name: string;
  /** What a caller feeds. */
  readonly inputs: readonly ModelValue[];
  /** What a caller fetches. */
  readonly outputs: readonly ModelValue[];
  /** Shapes of values inside, where readers could not find them out. */
  readonly values: readonly ModelValue[];
  /** Constants, among them the weights. */
  readonly initializers: readonly ModelTensor[];
  /** Operations in an order in which each follows what it reads. */
  readonly nodes: readonly ModelNode[];
}

/** An ONNX model, opset 17 and IR 8, as plain data: what {@linkcode encodeModel} writes and {@linkcode decodeModel} reads. */
export interface Model extends ModelGraph {
  /** Program version that wrote it. */
  readonly producerVersion: string;
  /** Free entries, in the order in which they are written. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The `producer_name` of every model of this package. */
export const producerName = "boltzflow";

/** Version of the intermediate representation: the newest that Debian 12's ONNX checker accepts. */
export const irVersion = 8;

/** Version of the operator set: the newest that Debian 12's ONNX checker accepts. */
export const opsetVersion = 17;

/** Returns the element type of a tensor's data. */
export function elementTypeOf(data: ModelTensor["data"]): ElementType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Uint16Array) return "float16";
  return data instanceof Int32Array ? "int32" : "int64";
}
