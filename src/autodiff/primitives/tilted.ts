/**
 * The energy-tilted density of one particle as a primitive: its logarithm, and its map to normal numbers and back.
 *
 * @module
 */
import type { Evaluation } from "../../graph/columns.ts";
import { TILTED_INPUT, type TiltedName as Name } from "../../graph/kernels/tilted.ts";
import type { Primitive } from "./primitive.ts";
import type { AxisPoint } from "../../graph/tilt.ts";
import { type Level, TiltedDensity, TiltedGrid, type TiltedInputs } from "./tilted_density.ts";
import { logProbKernel, mapKernel } from "./tilted_kernels.ts";

const { features: FEATURES, place: PLACE, scale: SCALE, knots: KNOTS, neighbours: NEIGHBOURS } = TILTED_INPUT;

/** The inputs of each sample that the density is made of. */
function samplesOf({ inputs, shapes, n }: Evaluation<Name>): TiltedInputs[] {
  const part = (k: number, row: number) => {
    const width = shapes[k] === undefined ? 0 : shapes[k][1] as number;
    return width === 0 ? new Float64Array(0) : inputs[k].subarray(row * width, (row + 1) * width);
  };
  return Array.from({ length: n }, (_, row) => {
    return { features: part(FEATURES, row), scale: part(SCALE, row), neighbours: part(NEIGHBOURS, row) };
  });
}

/** A sample level by level: where its coordinate is, and how the density of that coordinate looks. */
interface Placed {
  readonly density: TiltedDensity;
  readonly levels: readonly Level[];
  /** Coordinates. */
  readonly r: Float64Array;
  readonly logProb: number;
}

/** Goes through the levels of a sample; `place` says where the coordinate of each is. */
function placeSample(grid: TiltedGrid, inputs: TiltedInputs, place: (level: Level) => number): Placed {
  const density = new TiltedDensity(grid, inputs);
  const points: AxisPoint[] = [];
  const levels: Level[] = [];
  const r = new Float64Array(grid.tilt.spatialDim);
  let logProb = 0;
  for (let axis = 0; axis < r.length; axis++) {
    const level = density.level(points);
    r[axis] = place(level);
    logProb += level.density.logDensity(r[axis]);
    points.push(grid.point(axis, r[axis]));
    levels.push(level);
  }
  return { density, levels, r, logProb };
}

/** What is wanted of each coordinate in the derivative: cotangents of log p, of z = Φ⁻¹(F(r)), and of r. */
interface Cotangents {
  readonly logProb: number;
  /** Of z, for `tiltedEncode`. */
  readonly z?: Float64Array;
  /** Of r, for `tiltedDecode`. */
  readonly r?: Float64Array;
}

/**
 * Adds the derivatives of one sample, the last coordinate first, and returns those by r (or by z, for decode).
 *
 * Decode is differentiated as the inverse of encode: with w = Jᵀ⁻¹ r̄, J = ∂z/∂r triangular, z̄ = w and the cotangents of
 * everything else are those of encode for −w.
 */
function addGradient({ density, levels, r }: Placed, z: Float64Array, bar: Cotangents, to: TiltedInputs): Float64Array {
  const coordinates = bar.r?.slice() ?? new Float64Array(r.length);
  for (const level of [...levels].reverse()) {
    const { axis } = level;
    const ofLog = level.density.logDensityGradient(r[axis]);
    coordinates[axis] += bar.logProb * ofLog.byX;
    const weights = ofLog.byLogs.map((w) => bar.logProb * w);
    if (bar.z !== undefined || bar.r !== undefined) {
      const ofNormal = level.density.toNormalGradient(r[axis], z[axis]);
      let factor: number;
      if (bar.z !== undefined) {
        factor = bar.z[axis];
        coordinates[axis] += factor * ofNormal.byX;
      } else {
        coordinates[axis] /= ofNormal.byX;
        factor = -coordinates[axis];
      }
      ofNormal.byLogs.forEach((w, i) => weights[i] += factor * w);
    }
    density.addGradient(level, weights, to, coordinates);
  }
  return coordinates;
}

/** Rows of a batch with `width` features. */
function row(values: Float64Array, width: number, index: number): Float64Array {
  return values.subarray(index * width, (index + 1) * width);
}

/** One result of `width` numbers for each sample. */
function evaluate<P extends Name>(
  at: Evaluation<P>,
  place: (level: Level, given: Float64Array) => number,
  width: number,
  result: (placed: Placed) => ArrayLike<number>,
): Float64Array {
  const { spatialDim } = at.attributes.tilt;
  const grid = new TiltedGrid(at.attributes.tilt, at.inputs[KNOTS]);
  const values = new Float64Array(at.n * width);
  samplesOf(at).forEach((inputs, s) => {
    const given = row(at.inputs[PLACE], spatialDim, s);
    values.set(result(placeSample(grid, inputs, (level) => place(level, given))), s * width);
  });
  return values;
}

/** The cotangents of the inputs; `bar` gives those of one sample's result. */
function differentiate<P extends Name>(
  at: Evaluation<P>,
  bar: (sample: number) => Cotangents,
  places: { readonly r: (sample: number) => Float64Array; readonly z: (sample: number) => Float64Array },
): (Float64Array | null)[] {
  const grid = new TiltedGrid(at.attributes.tilt, at.inputs[KNOTS]);
  const gradients = at.inputs.map((input, k) => k === KNOTS ? null : new Float64Array(input.length));
  const cotangents = samplesOf({ ...at, inputs: gradients as Float64Array[] });
  samplesOf(at).forEach((inputs, s) => {
    const r = places.r(s);
    const placed = placeSample(grid, inputs, (level) => r[level.axis]);
    const byPlace = addGradient(placed, places.z(s), bar(s), cotangents[s]);
    gradients[PLACE]!.set(byPlace, s * byPlace.length);
  });
  return gradients;
}

/** log p(r):  c̄ times the derivatives of log p */
export const tiltedLogProb: Primitive<"tiltedLogProb"> = {
  forward: (at) => evaluate(at, (level, r) => r[level.axis], 1, (placed) => [placed.logProb]),
  kernel: logProbKernel,
  vjp(at, cotangent) {
    const given = (s: number) => row(at.inputs[PLACE], at.attributes.tilt.spatialDim, s);
    return differentiate(at, (s) => ({ logProb: cotangent[s] }), { r: given, z: given });
  },
};

/** z_d = Φ⁻¹(F(r_d | r₁ … r_d₋₁)), and log p(r):  z̄ Jᵀ, J = ∂z/∂r triangular */
export const tiltedEncode: Primitive<"tiltedEncode"> = {
  kernel: mapKernel("tiltedEncode"),
  forward(at) {
    const toNormal = ({ levels, r }: Placed) => levels.map((level) => level.density.toNormal(r[level.axis]));
    const { spatialDim } = at.attributes.tilt;
    return evaluate(at, (level, r) => r[level.axis], spatialDim + 1, (p) => [...toNormal(p), p.logProb]);
  },
  vjp(at, cotangent) {
    const { spatialDim } = at.attributes.tilt;
    const bars = (s: number) => row(cotangent, spatialDim + 1, s);
    return differentiate(at, (s) => ({ logProb: bars(s)[spatialDim], z: bars(s).subarray(0, spatialDim) }), {
      r: (s) => row(at.inputs[PLACE], spatialDim, s),
      z: (s) => row(at.output, spatialDim + 1, s),
    });
  },
};

/** r with z_d = Φ⁻¹(F(r_d | r₁ … r_d₋₁)), and log p(r):  the inverse of encode, differentiated as such */
export const tiltedDecode: Primitive<"tiltedDecode"> = {
  kernel: mapKernel("tiltedDecode"),
  forward(at) {
    const { spatialDim } = at.attributes.tilt;
    const place = (level: Level, z: Float64Array) => level.density.fromNormal(z[level.axis]);
    return evaluate(at, place, spatialDim + 1, ({ r, logProb }) => [...r, logProb]);
  },
  vjp(at, cotangent) {
    const { spatialDim } = at.attributes.tilt;
    const bars = (s: number) => row(cotangent, spatialDim + 1, s);
    return differentiate(at, (s) => ({ logProb: bars(s)[spatialDim], r: bars(s).subarray(0, spatialDim) }), {
      r: (s) => row(at.output, spatialDim + 1, s),
      z: (s) => row(at.inputs[PLACE], spatialDim, s),
    });
  },
};
