/**
 * Arrays and numbers out of a checkpoint that is whole, but may have been written by anyone.
 *
 * @module
 */
import type { JsonObject } from "../format/json.ts";
import { isJsonObject, showJson } from "../format/parse_json.ts";
import type { CheckpointContent } from "./position_checkpoint.ts";
import type { TensorData } from "./safetensors.ts";

/** The class of an array. */
type ArrayClass<A> = { new (length: number): A; readonly name: string };

/**
 * Takes an array that a checkpoint must have.
 *
 * @param content what was read
 * @param path the file, for messages
 * @param name of the array
 * @param arrayClass its element type
 * @returns its elements
 * @throws {RangeError} if it is missing or of another type
 */
export function takeArray<A extends TensorData>(
  { tensors }: CheckpointContent,
  path: string,
  name: string,
  arrayClass: ArrayClass<A>,
): A {
  const data = tensors.get(name)?.data;
  if (data instanceof arrayClass) return data;
  const rule = data === undefined ? `${name}, got none` : `${name} as ${arrayClass.name}, got ${data.constructor.name}`;
  throw new RangeError(`Cannot resume from ${path}: the file must hold ${rule}: start anew with --force`);
}

/** What values of a table must be: examples of the same kind. */
export type Example = { readonly [name: string]: number | boolean | Example };

/**
 * Takes a table that the state of a checkpoint must have: the names of the example, each with a value of its kind.
 *
 * @param content what was read
 * @param path the file, for messages
 * @param name of the table
 * @param example a table with the same names; its values do not matter
 * @returns the table
 * @throws {RangeError} that names the first value that is missing or of another kind
 */
export function takeTable<E extends Example>({ state }: CheckpointContent, path: string, name: string, example: E): E {
  const value = state[name];
  const fault = tableFault(value as JsonObject[string] | undefined, name, example);
  if (fault === undefined) return value as unknown as E;
  throw new RangeError(`Cannot resume from ${path}: ${fault}: start anew with --force`);
}

function tableFault(value: JsonObject[string] | undefined, name: string, example: Example): string | undefined {
  if (!isJsonObject(value)) return `${name} must be a table, got ${showJson(value)}`;
  for (const [key, wanted] of Object.entries(example)) {
    const found = Object.hasOwn(value, key) ? value[key] : undefined;
    const fault = typeof wanted === "object"
      ? tableFault(found, `${name}.${key}`, wanted)
      : typeof found === typeof wanted
      ? undefined
      : `${name}.${key} must be a ${typeof wanted}, got ${showJson(found)}`;
    if (fault !== undefined) return fault;
  }
  return undefined;
}
