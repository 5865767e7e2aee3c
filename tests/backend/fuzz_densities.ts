/** Generators of the fuzz test: mixtures and energy-tilted densities, whose references are primitives in float64. */
import { mixtureFeatures } from "../../src/graph/mixture_features.ts";
import type { Evaluation } from "../../src/graph/columns.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { type MixtureName, styles } from "../support/mixture_examples.ts";
import { conditioning, exampleWithin, tolerances } from "../support/mixture_rounding.ts";
import { exampleEvaluation, exampleTilt, type TiltedName } from "../support/tilted_examples.ts";
import type { Case, Draw, Generator, Generators } from "./fuzz_draw.ts";
import type { Argument, Reference } from "./kernel_harness.ts";
import { gradientTolerance, MAP_TOLERANCE, operands, panelsOf, TOLERANCE } from "./tilted_calls.ts";

/** A result that is expected in an argument. */
interface Result {
  /** Index of the argument. */
  readonly at: number;
  /** Rows [32·P, features]. */
  readonly rows: Float64Array;
  /** How far each may be off. */
  readonly tolerance: Float64Array;
}

/** Where element i of panels of `width` features stands in rows. */
function rowIndex(i: number, width: number): number {
  const sample = 32 * Math.floor(i / (32 * width)) + i % 32;
  return sample * width + Math.floor(i / 32) % width;
}

/** A call whose results are known; what is left out of the results must stay as it is. */
export function known(args: readonly Argument[], n: number, results: readonly Result[], scratch: number): Case {
  // Features and place, and of tilted densities scale and neighbours; knots between them belong to all samples.
  const batches = scratch === TILTED_SCRATCH && scratch < args.length - 1 ? [3, 4, 5, 7] : [3, 4];
  const reference: Reference = (...wide) => {
    for (const { at, rows } of results) {
      const [target, width] = [wide[at] as Float64Array, rows.length / n];
      for (let i = 0; i < rows.length; i++) target[i] = rows[rowIndex(i, width)];
    }
  };
  const tolerances = new Map(results.map((result) => [result.at, result]));
  return {
    args,
    reference,
    scratch,
    batches: batches.filter((k) => args[k] !== 0),
    bound: (_, i, a) => {
      const result = tolerances.get(a);
      return result === undefined ? 0 : result.tolerance[rowIndex(i, result.rows.length / n)];
    },
  };
}

/** A mixture of 1 to 5 components, gentle or extreme, z within ±3 or ±8. */
function mixture(name: MixtureName, derivative: boolean): Generator {
  return (draw) => {
    const size = { spatialDim: draw.integer(1, 3), components: draw.integer(1, 5) };
    const { spatialDim: dim, components } = size;
    const [n, f] = [32 * draw.integer(1, 2), mixtureFeatures(size)];
    const reach = draw.pick([3, 8]);
    const inputs = exampleWithin(name, size, n, draw.pick(styles), reach, draw.integer(0, 1e6));
    const cotangent = name === "mixtureLogProb"
      ? new Float64Array(n).fill(1)
      : Float64Array.from(draw.floats(n * (dim + 1), { from: -2, to: 2, special: [0, -0] }));
    const condition = conditioning(name, size, inputs, cotangent, n);
    const allowed = tolerances(condition, n, cotangent, reach);
    const [value, ...slopes] = condition.right.map((rows) => Float64Array.from(rows));
    const result = (at: number, rows: Float64Array, k: number): Result => ({ at, rows, tolerance: allowed[k] });
    const given = [n / 32, dim, components, panelsOf(inputs[0], n, f), panelsOf(inputs[1], n, dim)];
    const scratch = new Float32Array(64 * components + 16).fill(NaN);
    const gradients = () => [draw.room(n * f), draw.room(n * dim)];
    if (name === "mixtureLogProb") {
      const wanted = draw.flag() === 1;
      const args = [...given, new Float64Array(n), ...wanted ? gradients() : [0, 0], scratch];
      const scores = wanted ? slopes.map((rows, k) => result(6 + k, rows, 1 + k)) : [];
      return known(args, n, [result(5, value, 0), ...scores], 8);
    }
    if (!derivative) return known([...given, draw.room(n * (dim + 1)), scratch], n, [result(5, value, 0)], 6);
    const both = [panelsOf(value, n, dim + 1), panelsOf(cotangent, n, dim + 1)];
    const results = slopes.map((rows, k) => result(7 + k, rows, 1 + k));
    return known([...given, ...both, ...gradients(), scratch], n, results, 9);
  };
}

/** A tilted density on grids of unequal fineness, with up to four neighbours. */
function tiltedEvaluation(draw: Draw, name: TiltedName): Evaluation<never> {
  const spatialDim = draw.pick([1, 2, 3] as const);
  const grids = spatialDim === 3 ? [9] : [9, 17, 33];
  const tilt = exampleTilt({
    spatialDim,
    basis: draw.integer(1, spatialDim === 3 ? 3 : 6),
    fine: draw.pick(grids),
    coarse: draw.pick([9, 17]),
    neighbours: draw.integer(0, 4),
  });
  return exampleEvaluation(name, tilt, 32 * draw.integer(1, 2), draw.integer(0, 1e6)) as Evaluation<never>;
}

/** Index of the scratch memory among the operands of tilted densities. */
const TILTED_SCRATCH = 8;

function tilted(name: TiltedName): Generator {
  return (draw) => {
    const at = tiltedEvaluation(draw, name);
    const { n } = at;
    const rows = primitives[name].forward(at);
    const given = operands(at);
    if (name !== "tiltedLogProb") {
      const tolerance = rows.map((v) => MAP_TOLERANCE.absolute + MAP_TOLERANCE.relative * Math.abs(v));
      return known([...given, draw.room(rows.length)], n, [{ at: 9, rows, tolerance }], TILTED_SCRATCH);
    }
    const [score] = primitives[name].vjp({ ...at, output: rows }, new Float64Array(n).fill(1)) as Float64Array[];
    const wanted = draw.flag() === 1;
    const results = [rows, ...wanted ? [score] : []].map((rows, k) => ({
      at: 9 + k,
      rows,
      tolerance: rows.map((v) => TOLERANCE.absolute + TOLERANCE.relative * Math.abs(v)),
    }));
    const args = [...given, new Float64Array(n), wanted && draw.room(score.length) || 0];
    return known(args, n, results, TILTED_SCRATCH);
  };
}

function tiltedGradient(name: TiltedName): Generator {
  return (draw) => {
    const at = tiltedEvaluation(draw, name);
    const { n } = at;
    const output = primitives[name].forward(at).map(Math.fround);
    const cotangent = Float64Array.from(draw.floats(output.length, { from: -2, to: 2, special: [0, -0] }));
    const slopes = primitives[name].vjp({ ...at, output }, cotangent).filter((rows) => rows !== null);
    const width = output.length / n;
    const given = name === "tiltedLogProb"
      ? [...operands(at), cotangent]
      : [...operands(at), panelsOf(output, n, width), panelsOf(cotangent, n, width)];
    // A null address leaves a derivative out; without neighbours there is none by them.
    const wanted = slopes.map(() => draw.integer(0, 3) > 0);
    const rooms = slopes.map((rows, k) => wanted[k] ? draw.room(rows.length) : 0);
    const results = slopes.map((rows, k) => ({
      at: given.length + k,
      rows,
      tolerance: gradientTolerance(rows, rows.length / n),
    })).filter((_, k) => wanted[k]);
    return known([...given, ...rooms, ...slopes.length === 3 ? [0] : []], n, results, TILTED_SCRATCH);
  };
}

/** Generators for the kernels of densities; their references take a hundred times as long as those of others. */
export const densities: Generators = {
  mixtureLogProbF32: mixture("mixtureLogProb", true),
  mixtureEncodeF32: mixture("mixtureEncode", false),
  mixtureDecodeF32: mixture("mixtureDecode", false),
  mixtureEncodeGradF32: mixture("mixtureEncode", true),
  mixtureDecodeGradF32: mixture("mixtureDecode", true),
  tiltedLogProbF32: tilted("tiltedLogProb"),
  tiltedEncodeF32: tilted("tiltedEncode"),
  tiltedDecodeF32: tilted("tiltedDecode"),
  tiltedLogProbGradF32: tiltedGradient("tiltedLogProb"),
  tiltedEncodeGradF32: tiltedGradient("tiltedEncode"),
  tiltedDecodeGradF32: tiltedGradient("tiltedDecode"),
};
