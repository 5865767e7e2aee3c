/**
 * Reading JSON from files that may be broken or hostile: under limits, and with one sentence for whatever is wrong.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "./json.ts";

/** How much a JSON text may cost. */
export interface JsonLimits {
  /** Largest accepted length in UTF-16 units; default 2²⁴. */
  readonly maximumLength?: number;
  /** Largest accepted depth of lists and objects within each other; default 32. */
  readonly maximumDepth?: number;
  /** Largest accepted number of values and keys, a bound from above being counted; default 2²². */
  readonly maximumValues?: number;
}

/** Ends the reading of a file with an error; takes "<name> must <rule>, got <value>". */
export type Refusal = (rest: string) => never;

/**
 * Reads JSON text.
 *
 * Refused are: text beyond the limits (found before anything is made of it), what does not parse, a key that stands twice
 * in one object (of which `JSON.parse` keeps the last), the key "__proto__", and numbers beyond the range of float64
 * (which become ∞).
 *
 * @param text the whole text
 * @param name what the text is, for messages
 * @param refuse throws the error
 * @param limits how much the text may cost
 * @returns the value
 *
 * @example A key that stands twice
 * ```ts
 * import { assertThrows } from "@std/assert";
 *
 * const refuse = (rest: string) => {
 *   throw new RangeError(`Cannot read settings: ${rest}`);
 * };
 *
 * assertThrows(() => parseJson('{"n":1,"n":2}', "the file", refuse), RangeError, 'must name everything once, got "n" twice');
 * ```
 */
export function parseJson(text: string, name: string, refuse: Refusal, limits: JsonLimits = {}): JsonValue {
  checkCost(text, name, refuse, limits);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse(`${name} must be JSON, got text that does not parse`);
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) refuse(`${name} must name everything once, got ${showJson(duplicate)} twice`);
  const fault = valueFault(value);
  if (fault !== undefined) refuse(`${name} ${fault}`);
  return value as JsonValue;
}

/**
 * Reads JSON text that must be an object; see {@link parseJson}.
 *
 * @param text the whole text
 * @param name what the text is, for messages
 * @param refuse throws the error
 * @param limits how much the text may cost
 * @returns the object
 */
export function parseJsonObject(text: string, name: string, refuse: Refusal, limits: JsonLimits = {}): JsonObject {
  const value = parseJson(text, name, refuse, limits);
  return isJsonObject(value) ? value : refuse(`${name} must be a JSON object, got another value`);
}

/** Tells whether a value is an object of JSON, neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON value as messages show it: at most 80 characters, none of which controls a terminal. */
export function showJson(value: JsonValue | undefined): string {
  return showText(JSON.stringify(value) ?? "none", 80);
}

/**
 * Text of a file as messages show it.
 *
 * @param text whatever stood there
 * @param longest most characters that are shown
 * @returns its beginning, with � for every character that controls a terminal
 */
export function showText(text: string, longest: number): string {
  const shown = text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
  return shown.toWellFormed().replace(/\p{Cc}/gu, "\ufffd");
}

/** Bounds depth and number of values by looking at brackets, commas and colons outside strings. */
function checkCost(text: string, name: string, refuse: Refusal, limits: JsonLimits): void {
  const { maximumLength = 2 ** 24, maximumDepth = 32, maximumValues = 2 ** 22 } = limits;
  if (text.length > maximumLength) refuse(`${name} must have at most ${maximumLength} characters, got ${text.length}`);
  let [depth, values] = [0, 1];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
    } else if (character === "{" || character === "[") {
      if (++depth > maximumDepth) refuse(`${name} must be at most ${maximumDepth} levels deep, got more`);
      values++;
    } else if (character === "}" || character === "]") depth--;
    else if (character === "," || character === ":") values++;
    if (values > maximumValues) refuse(`${name} must hold at most ${maximumValues} values, got more`);
  }
}

/** What `JSON.parse` let through that no file of ours holds. Depth is bounded by now. */
function valueFault(value: unknown): string | undefined {
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : `must hold numbers within float64, got one beyond ±1.8e308`;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (Object.hasOwn(value, "__proto__")) return `must not hold reserved keys, got "__proto__"`;
  for (const item of Object.values(value)) {
    const fault = valueFault(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * Finds a key that stands twice in one object of a JSON text; `JSON.parse` keeps the last one and says nothing.
 *
 * @param json a text that parses
 * @returns the first duplicate key, or undefined
 */
export function findDuplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") open.push(new Set());
    else if (json[i] === "}") open.pop();
    else if (json[i] === '"') {
      const start = i++;
      while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
      if (!followedByColon(json, i + 1)) continue;
      const key: string = JSON.parse(json.slice(start, i + 1));
      const keys = open[open.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function followedByColon(json: string, start: number): boolean {
  let i = start;
  while (json[i] === " " || json[i] === "\n" || json[i] === "\r" || json[i] === "\t") i++;
  return json[i] === ":";
}
