/**
 * Primitives through which numbers enter a graph, and operations that bring their own derivative.
 *
 * @module
 */
import type { Primitive } from "./primitive.ts";

/** A batch or column given from outside: the runner provides its value. */
export const input: Primitive<"input"> = { forward: provided, vjp: () => [] };

/** The numbers of a parameter: the runner provides its value. */
export const parameter: Primitive<"parameter"> = { forward: provided, vjp: () => [] };

function provided(): never {
  throw new Error("Internal error: the value of an input or parameter is provided, never computed");
}

/** y = f(inputs) by a float64 TypeScript function with its own vjp, for instance the energy of a system. */
export const external: Primitive<"external"> = {
  forward: ({ inputs, attributes: { operation }, n }) => operation.forward(inputs, n).value,
  // The runners keep what `forward` saved and do not come here; this form repeats the forward pass.
  vjp({ inputs, attributes: { operation }, n }, cotangent) {
    return operation.vjp(cotangent, inputs, operation.forward(inputs, n).saved, n);
  },
};
