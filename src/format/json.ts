/**
 * JSON for files that must not lie: same value, same text; nothing that JSON would silently change is let through.
 *
 * @module
 */

/** A value that JSON keeps as it is. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** How `writeJson` lays out its text. */
export interface JsonLayout {
  /** Order of the keys of objects: as given (default, for readers) or sorted by code units (for comparing bytes). */
  readonly keys?: "given" | "sorted";
  /** Blanks per level; default 0, everything in one line. Lists of plain values stay in one line in any case. */
  readonly indent?: number;
}

/**
 * Writes a value as JSON text and refuses what JSON would change behind our back.
 *
 * `JSON.stringify` turns NaN and ±∞ into null and drops functions; here they are errors that name the place.
 * Typed arrays become lists of numbers; properties that are undefined are left out. -0 becomes 0.
 *
 * @param value what to write
 * @param layout order of keys and indentation
 * @returns the text, without a final newline
 * @throws {RangeError} if a number is NaN or infinite
 * @throws {TypeError} if a value has no JSON form or holds itself
 *
 * @example Keys in a fixed order
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(writeJson({ b: 1, a: [true, null] }, { keys: "sorted" }), '{"a":[true,null],"b":1}');
 * ```
 */
export function writeJson(value: unknown, layout: JsonLayout = {}): string {
  const { keys = "given", indent = 0 } = layout;
  return writeValue(value, { sorted: keys === "sorted", indent, path: "value", level: 0, ancestors: [] });
}

/**
 * Finds the first place where two JSON values differ, keys in sorted order.
 *
 * @param expected one value
 * @param actual the other
 * @returns the dotted path ("" for the values themselves) with both sides as JSON text ("nothing" where one is absent), or
 * undefined if they are equal
 */
export function firstDifference(
  expected: JsonValue | undefined,
  actual: JsonValue | undefined,
): { path: string; expected: string; actual: string } | undefined {
  if (isContainer(expected) && isContainer(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    const left = new Map(Object.entries(expected));
    const right = new Map(Object.entries(actual));
    for (const key of new Set([...left.keys(), ...right.keys()].sort())) {
      const difference = firstDifference(left.get(key), right.get(key));
      if (difference !== undefined) {
        return { ...difference, path: difference.path === "" ? key : `${key}.${difference.path}` };
      }
    }
    return undefined;
  }
  const [a, b] = [expected, actual].map((side) => side === undefined ? "nothing" : writeJson(side, { keys: "sorted" }));
  return a === b ? undefined : { path: "", expected: a, actual: b };
}

interface Place {
  readonly sorted: boolean;
  readonly indent: number;
  readonly path: string;
  readonly level: number;
  readonly ancestors: readonly unknown[];
}

function writeValue(value: unknown, place: Place): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (Number.isFinite(value)) return JSON.stringify(value);
    throw new RangeError(`Cannot write JSON: ${place.path} must be a finite number or null, got ${value}`);
  }
  if (typeof value !== "object") {
    throw new TypeError(`Cannot write JSON: ${place.path} must have a JSON form, got ${typeof value}`);
  }
  if (place.ancestors.includes(value)) {
    throw new TypeError(`Cannot write JSON: ${place.path} must not hold itself, got a cycle`);
  }
  if (Array.isArray(value)) return writeList(value, value, place);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return writeList(Array.from(value as unknown as ArrayLike<unknown>), value, place);
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const kind = prototype.constructor?.name ?? "object";
    throw new TypeError(`Cannot write JSON: ${place.path} must be a plain object, got ${kind}`);
  }
  return writeObject(value as Record<string, unknown>, place);
}

function writeList(items: readonly unknown[], owner: unknown, place: Place): string {
  const plain = items.every((item) => item === null || typeof item !== "object");
  const parts = items.map((item, i) => writeValue(item, inside(place, owner, `[${i}]`)));
  if (!plain) return wrap("[", parts, "]", place);
  return `[${parts.join(place.indent > 0 ? ", " : ",")}]`;
}

function writeObject(value: Record<string, unknown>, place: Place): string {
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  if (place.sorted) keys.sort();
  const separator = place.indent > 0 ? ": " : ":";
  const parts = keys.map((key) =>
    JSON.stringify(key) + separator + writeValue(value[key], inside(place, value, `.${key}`))
  );
  return wrap("{", parts, "}", place);
}

function inside(place: Place, owner: unknown, step: string): Place {
  return { ...place, path: place.path + step, level: place.level + 1, ancestors: [...place.ancestors, owner] };
}

function wrap(open: string, parts: readonly string[], close: string, { indent, level }: Place): string {
  if (indent === 0 || parts.length === 0) return open + parts.join(",") + close;
  const margin = "\n" + " ".repeat(indent * level);
  const inner = margin + " ".repeat(indent);
  return open + inner + parts.join("," + inner) + margin + close;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
