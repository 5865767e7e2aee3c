/**
 * The table of primitives. Its type is exhaustive: a primitive without a rule does not compile.
 *
 * @module
 */
import type { PrimitiveName } from "../graph/attributes.ts";
import type { Primitive } from "./primitives/primitive.ts";
import { external, input, parameter } from "./primitives/boundary.ts";
import { affineForward, affineInverse } from "./primitives/coupling.ts";
import * as elementwise from "./primitives/elementwise.ts";
import { broadcast, linear } from "./primitives/linear.ts";
import { mixtureDecode, mixtureEncode, mixtureLogProb } from "./primitives/mixture.ts";
import { column, concat, gather } from "./primitives/movement.ts";
import { normalCdf, probit } from "./primitives/normal.ts";
import { constantColumn, mean, sum, sumFeatures } from "./primitives/reduce.ts";
import { splineForward, splineInverse } from "./primitives/spline.ts";
import { tiltedDecode, tiltedEncode, tiltedLogProb } from "./primitives/tilted.ts";

/** Every primitive by name. */
export const primitives: { readonly [P in PrimitiveName]: Primitive<P> } = {
  ...elementwise,
  input,
  parameter,
  external,
  linear,
  broadcast,
  gather,
  concat,
  column,
  normalCdf,
  probit,
  affineForward,
  affineInverse,
  mixtureLogProb,
  mixtureEncode,
  mixtureDecode,
  tiltedLogProb,
  tiltedEncode,
  tiltedDecode,
  splineForward,
  splineInverse,
  sumFeatures,
  constantColumn,
  mean,
  sum,
};

/** The primitive of a node, typed for use with that node. */
export function primitiveOf(name: PrimitiveName): Primitive<PrimitiveName> {
  return primitives[name] as unknown as Primitive<PrimitiveName>;
}
