/**
 * What operations ask of shapes, and how messages show them.
 *
 * @module
 */
import { isBatch, type Shape, type Tensor } from "./graph.ts";

/** A shape as messages show it. */
export function shapeText(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/**
 * Throws unless an operand is a batch.
 *
 * @param operation what is to be done, as in "take a column"
 * @param name of the operand
 * @param tensor the operand
 * @returns its number of features
 * @throws {TypeError} if it is a column, a scalar or a parameter
 */
export function requireBatch(operation: string, name: string, { shape }: Tensor): number {
  if (isBatch(shape)) return shape[1];
  throw new TypeError(`Cannot ${operation}: ${name} must be a batch [n, d], got ${shapeText(shape)}`);
}
