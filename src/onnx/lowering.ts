/**
 * What a translation of a primitive into ONNX operators is.
 *
 * @module
 */
import { isColumn, type Node, type Shape } from "../graph/graph.ts";
import type { Attributes, PrimitiveName } from "../graph/attributes.ts";
import type { Precision } from "../sampler/metadata.ts";
import type { ModelBuilder } from "./model_builder.ts";

/** What a lowering sees of the node that it translates. */
export interface LoweringSite<P extends PrimitiveName> {
  /** Where nodes go. */
  readonly builder: ModelBuilder;
  /** Names of the values of the inputs. */
  readonly inputs: readonly string[];
  /** The nodes of the inputs. */
  readonly sources: readonly Node[];
  /** Attributes of the node. */
  readonly attributes: Attributes[P];
  /** Shape of the result. */
  readonly shape: Shape;
  /** Element type of the result. */
  readonly type: Precision;
}

/** Translates one node and returns the name of its value. */
export type Lowering<P extends PrimitiveName> = (site: LoweringSite<P>) => string;

/** Element type of a value: float64 for columns and scalars, the model's precision for everything else. */
export function typeOfShape(shape: Shape, precision: Precision): Precision {
  return isColumn(shape) || shape.length === 0 ? "float64" : precision;
}
