/**
 * Checks of what a user hands to a plot. Every message reads
 * `Cannot <action>: <name> must <rule>, got <value>[: <what to do>]`.
 *
 * @module
 */

/** Prints a value inside a message: strings quoted, long ones cut. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (value !== null && typeof value === "object") return "an object";
  return String(value);
}

/** True for every number except NaN. */
export function isNumberOrInfinite(value: number): boolean {
  return typeof value === "number" && !Number.isNaN(value);
}

/** Throws a TypeError unless `values` is array-like. */
export function requireArray(action: string, name: string, values: unknown): asserts values is ArrayLike<unknown> {
  const arrayLike = values !== null && typeof values === "object" &&
    typeof (values as ArrayLike<unknown>).length === "number";
  if (!arrayLike) throw new TypeError(`Cannot ${action}: ${name} must be an array, got ${show(values)}`);
}

/** Throws a RangeError if `values` is empty. */
export function requireNonEmpty(action: string, name: string, values: unknown): void {
  requireArray(action, name, values);
  if (values.length === 0) throw new RangeError(`Cannot ${action}: ${name} must not be empty, got 0 values`);
}

/** Throws a RangeError unless two arrays are equally long. */
export function requireSameLength(
  action: string,
  name: string,
  values: unknown,
  otherName: string,
  other: ArrayLike<unknown>,
): void {
  requireArray(action, name, values);
  if (values.length !== other.length) {
    throw new RangeError(
      `Cannot ${action}: ${name} must be as long as ${otherName}, got ${values.length} and ${other.length}`,
    );
  }
}

/** Throws unless every value passes `rule`; names the first that does not and its index. */
export function requireEvery(
  action: string,
  name: string,
  values: ArrayLike<number>,
  rule: string,
  passes: (value: number) => boolean,
  advice = "",
): void {
  for (let i = 0; i < values.length; i++) {
    if (!passes(values[i])) {
      throw new RangeError(`Cannot ${action}: ${name} must ${rule}, got ${show(values[i])} at index ${i}${advice}`);
    }
  }
}

/** Throws a RangeError unless `value` is a finite number that passes `rule`. */
export function requireNumber(
  action: string,
  name: string,
  value: unknown,
  rule: string,
  passes: (value: number) => boolean,
): asserts value is number {
  if (typeof value !== "number") throw new TypeError(`Cannot ${action}: ${name} must ${rule}, got ${show(value)}`);
  if (!Number.isFinite(value) || !passes(value)) {
    throw new RangeError(`Cannot ${action}: ${name} must ${rule}, got ${show(value)}`);
  }
}

/** Throws unless `value` is one of `choices`. */
export function requireChoice(action: string, name: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string)) {
    throw new RangeError(`Cannot ${action}: ${name} must be one of ${choices.join(", ")}, got ${show(value)}`);
  }
}

/** Throws unless `interval` is a pair of finite numbers in ascending order. */
export function requireInterval(action: string, name: string, interval: readonly number[]): void {
  requireArray(action, name, interval);
  const [low, high] = interval;
  if (interval.length !== 2 || !Number.isFinite(low) || !Number.isFinite(high) || !(low < high)) {
    throw new RangeError(`Cannot ${action}: ${name} must be [low, high] with low < high, got ${show([...interval])}`);
  }
}
