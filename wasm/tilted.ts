/**
 * The energy-tilted density of one particle: see src/autodiff/primitives/tilted_density.ts for the formulas, and
 * tilted_frame.ts for `sizes`, `constants` and `scratch`. Batches are panels; `knots` is a parameter [2 D][129];
 * `neighbours` may be anything if there are none.
 */
import { ROW, storeColumnQuad } from "./simd";
import { logDensity, normalise } from "./tilted_axis";
import { Frame, loadSamples, power, prepare } from "./tilted_frame";
import { addLaterMoments, evaluateLevel, fixPlace, locate, momentsOfLevel, storeMoments } from "./tilted_levels";
import { fromNormal, toNormal } from "./tilted_normal";

/**
 * column = ln p(r); score = ∂ln p/∂features unless it is the null address.
 */
export function tiltedLogProbF32(
  panels: i32, sizes: usize, constants: usize, features: usize, r: usize, scale: usize, knots: usize,
  neighbours: usize, scratch: usize, column: usize, score: usize,
): void {
  const f = prepare(sizes, constants, knots, scratch), dim = f.dim;
  const coefficients = <usize>power(f.basis, dim) * ROW, coordinates = <usize>dim * ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      loadSamples(f, features + lane, r + lane, scale + lane, neighbours + lane);
      let sum = f32x4.splat(0);
      for (let d = 0; d < dim; ++d) {
        locate(f, d, v128.load(r + lane + <usize>d * ROW));
        evaluateLevel(f, d, score != 0);
        normalise(f, d, score != 0);
        sum = f32x4.add(sum, logDensity(f, d, score != 0));
        if (score) momentsOfLevel(f, d);
        if (d < dim - 1) fixPlace(f, d);
      }
      storeColumnQuad(column, sum), column += 32;
      if (!score) continue;
      for (let d = dim - 2; d >= 0; --d) addLaterMoments(f, d);
      storeMoments(f, score + lane);
    }
    features += coefficients, r += coordinates, scale += ROW, neighbours += <usize>f.neighbours * coordinates;
    if (score) score += coefficients;
  }
}

/** out[P][D + 1][32] = z of the coordinates r, then ln p(r). */
export function tiltedEncodeF32(
  panels: i32, sizes: usize, constants: usize, features: usize, r: usize, scale: usize, knots: usize,
  neighbours: usize, scratch: usize, out: usize,
): void {
  map(panels, false, prepare(sizes, constants, knots, scratch), features, r, scale, neighbours, out);
}

/** out[P][D + 1][32] = the coordinates r of normal numbers z, then ln p(r). */
export function tiltedDecodeF32(
  panels: i32, sizes: usize, constants: usize, features: usize, z: usize, scale: usize, knots: usize,
  neighbours: usize, scratch: usize, out: usize,
): void {
  map(panels, true, prepare(sizes, constants, knots, scratch), features, z, scale, neighbours, out);
}

function map(
  panels: i32, decodes: bool, f: Frame, features: usize, place: usize, scale: usize, neighbours: usize, out: usize,
): void {
  const dim = f.dim, coefficients = <usize>power(f.basis, dim) * ROW, coordinates = <usize>dim * ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      loadSamples(f, features + lane, place + lane, scale + lane, neighbours + lane);
      let sum = f32x4.splat(0), to = out + lane;
      for (let d = 0; d < dim; ++d, to += ROW) {
        const given = v128.load(place + lane + <usize>d * ROW);
        evaluateLevel(f, d, false);
        normalise(f, d, false);
        const r = decodes ? fromNormal(f, d, given) : given;
        locate(f, d, r);
        v128.store(to, decodes ? r : toNormal(f, d));
        sum = f32x4.add(sum, logDensity(f, d, false));
        if (d < dim - 1) fixPlace(f, d);
      }
      v128.store(to, sum);
    }
    features += coefficients, place += coordinates, scale += ROW, neighbours += <usize>f.neighbours * coordinates;
    out += coordinates + ROW;
  }
}
