/**
 * How far two maps to normal numbers are apart.
 *
 * @module
 */
import { type Estimate, estimateFrom } from "../../reweighting/estimate.ts";
import { weightedMean } from "../weighted_means.ts";

/** Two maps compared. */
export interface MapComparison {
  /** Root mean square distance of Q z and the other z. */
  readonly distance: Estimate;
  /** Q z [n, 2]: the first map's images, turned to fit. */
  readonly aligned: Float64Array;
}

/**
 * Compares images of the same points of the plane under two maps to the standard normal, up to a rotation or reflection Q:
 * the normal has no preferred directions, so that a density says nothing of them.
 *
 *     min_Q √⟨|Q z − z′|²⟩
 *
 * The best Q follows from the cross moments (the orthogonal Procrustes problem). Two maps that give the same density may still
 * differ: the normal has more symmetries than these. So a distance of zero is sufficient, not necessary.
 *
 * @param z images under the first map [n, 2]
 * @param other images under the second [n, 2]
 * @returns the distance, and the first images as Q turns them
 */
export function compareMaps(z: Float64Array, other: Float64Array): MapComparison {
  const moment = (i: 0 | 1, j: 0 | 1) => {
    let sum = 0;
    for (let at = 0; at < z.length; at += 2) sum += other[at + i] * z[at + j];
    return sum;
  };
  const [a, b, c, d] = [moment(0, 0), moment(0, 1), moment(1, 0), moment(1, 1)];
  const rotation = [a + d, c - b];
  const reflection = [a - d, b + c];
  const reflects = Math.hypot(...reflection) > Math.hypot(...rotation);
  const [x, y] = reflects ? reflection : rotation;
  const [cosine, sine] = [x / Math.hypot(x, y), y / Math.hypot(x, y)];
  const sign = reflects ? -1 : 1;
  const aligned = new Float64Array(z.length);
  for (let at = 0; at < z.length; at += 2) {
    aligned[at] = cosine * z[at] - sign * sine * z[at + 1];
    aligned[at + 1] = sine * z[at] + sign * cosine * z[at + 1];
  }
  const squares = Float64Array.from({ length: z.length / 2 }, (_, i) => {
    return (aligned[2 * i] - other[2 * i]) ** 2 + (aligned[2 * i + 1] - other[2 * i + 1]) ** 2;
  });
  const { value, standardError } = weightedMean(squares);
  const distance = Math.sqrt(value!);
  return { distance: estimateFrom(distance, distance === 0 ? 0 : standardError! / (2 * distance)), aligned };
}
