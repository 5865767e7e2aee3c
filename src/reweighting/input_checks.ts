/**
 * Checks what callers hand to the estimators; every message follows `Cannot <task>: <name> must <rule>, got <value>`.
 *
 * @module
 */

/**
 * Checks that a list of log weights is not empty and holds neither NaN nor +Infinity.
 *
 * −Infinity is allowed: it is a weight of zero, and the sample stays in the count.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param logWeights log weights, [n]
 * @param name what the caller calls them
 * @throws {RangeError} if the list is empty or an entry is NaN or +Infinity; the index is named
 */
export function requireLogWeights(task: string, logWeights: Float64Array, name = "logWeights"): void {
  requireSamples(task, logWeights.length, name);
  for (let i = 0; i < logWeights.length; i++) {
    if (!(logWeights[i] < Infinity)) {
      throw new RangeError(
        `Cannot ${task}: ${name} must be below +Infinity and not NaN, got ${logWeights[i]} at index ${i}`,
      );
    }
  }
}

/**
 * Checks that a list of work values is not empty and holds neither NaN nor −Infinity.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param work work values, [n]; +Infinity means that the other state cannot hold the sample
 * @param name what the caller calls them
 * @throws {RangeError} if the list is empty or an entry is NaN or −Infinity; the index is named
 */
export function requireWork(task: string, work: Float64Array, name: string): void {
  requireSamples(task, work.length, name);
  for (let i = 0; i < work.length; i++) {
    if (!(work[i] > -Infinity)) {
      throw new RangeError(`Cannot ${task}: ${name} must be above -Infinity and not NaN, got ${work[i]} at index ${i}`);
    }
  }
}

/**
 * Checks that every value of a list is finite.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param values the list, [n]
 * @param name what the caller calls it
 * @throws {RangeError} if an entry is NaN or infinite; the index is named
 */
export function requireFinite(task: string, values: Float64Array, name: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new RangeError(`Cannot ${task}: ${name} must be finite, got ${values[i]} at index ${i}`);
    }
  }
}

/**
 * Checks that a list has at least one entry.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param length the number of entries
 * @param name what the caller calls the list
 * @throws {RangeError} if there is none
 */
export function requireSamples(task: string, length: number, name: string): void {
  if (length === 0) throw new RangeError(`Cannot ${task}: ${name} must hold at least one value, got 0`);
}

/**
 * Checks that two lists have one entry per sample each.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param name the list at hand
 * @param length its number of entries
 * @param otherName the list that it goes with
 * @param otherLength the number of entries of that list
 * @throws {RangeError} if the numbers differ; both are named
 */
export function requireSameLength(
  task: string,
  name: string,
  length: number,
  otherName: string,
  otherLength: number,
): void {
  if (length !== otherLength) {
    throw new RangeError(
      `Cannot ${task}: ${name} must have one entry for each of the ${otherLength} ${otherName}, got ${length}`,
    );
  }
}

/**
 * Checks that a number is an integer within bounds.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param name what the caller calls the number
 * @param value the number
 * @param minimum smallest value allowed
 * @param maximum largest value allowed
 * @throws {RangeError} if it is not
 */
export function requireInteger(
  task: string,
  name: string,
  value: number,
  minimum: number,
  maximum = Number.MAX_SAFE_INTEGER,
): void {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    const rule = maximum === Number.MAX_SAFE_INTEGER
      ? `be an integer ≥ ${minimum}`
      : `be an integer from ${minimum} to ${maximum}`;
    throw new RangeError(`Cannot ${task}: ${name} must ${rule}, got ${value}`);
  }
}

/**
 * Copies integer labels (basins, windows, chains) into a typed array and checks them.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param name what the caller calls the labels
 * @param labels the labels, [n]
 * @param bounds smallest and largest label allowed
 * @returns the labels, [n]
 * @throws {RangeError} if a label is not an integer within the bounds; the index is named
 */
export function integerLabels(
  task: string,
  name: string,
  labels: ArrayLike<number>,
  bounds: { minimum?: number; maximum?: number } = {},
): Int32Array {
  const { minimum = -(2 ** 31), maximum = 2 ** 31 - 1 } = bounds;
  const out = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (!Number.isInteger(label) || label < minimum || label > maximum) {
      const rule = bounds.minimum === undefined ? `up to ${maximum}` : `from ${minimum} to ${maximum}`;
      throw new RangeError(`Cannot ${task}: ${name} must be integers ${rule}, got ${label} at index ${i}`);
    }
    out[i] = label;
  }
  return out;
}

/**
 * Checks that bin edges rise and are finite.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param edges bin edges, [bins + 1]
 * @throws {RangeError} if there are fewer than two, or one is not above the edge before it
 */
export function requireEdges(task: string, edges: Float64Array): void {
  if (edges.length < 2) {
    throw new RangeError(`Cannot ${task}: edges must hold at least two values, got ${edges.length}`);
  }
  requireFinite(task, edges, "edges");
  for (let i = 1; i < edges.length; i++) {
    if (!(edges[i] > edges[i - 1])) {
      throw new RangeError(`Cannot ${task}: edges must rise, got ${edges[i]} after ${edges[i - 1]} at index ${i}`);
    }
  }
}
