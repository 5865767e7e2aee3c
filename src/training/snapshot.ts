/**
 * Copies of parameters by name.
 *
 * @module
 */
import type { Parameter } from "../graph/parameter.ts";

/**
 * The numbers of each parameter, by name.
 *
 * @param parameters with unique names
 * @returns copies, in the order given
 * @throws {Error} if two have one name
 */
export function takeSnapshot(parameters: readonly Parameter[]): Map<string, Float32Array<ArrayBuffer>> {
  const snapshot = new Map<string, Float32Array<ArrayBuffer>>();
  for (const parameter of parameters) {
    if (snapshot.has(parameter.name)) {
      throw new Error(`Cannot copy parameters: names must be unique, got ${parameter.name} twice`);
    }
    snapshot.set(parameter.name, parameter.values());
  }
  return snapshot;
}

/**
 * Sets parameters from a snapshot.
 *
 * @param parameters what to set
 * @param snapshot what `takeSnapshot` returned
 * @throws {Error} if one is missing or has another length; nothing is changed then
 */
export function restoreSnapshot(parameters: readonly Parameter[], snapshot: ReadonlyMap<string, Float32Array>): void {
  for (const { name, length } of parameters) {
    const values = snapshot.get(name);
    if (values?.length !== length) {
      throw new Error(
        `Cannot restore parameters: ${name} must hold ${length} numbers, got ${values?.length ?? "none"}`,
      );
    }
  }
  parameters.forEach((parameter) => parameter.set(snapshot.get(parameter.name)!));
}
