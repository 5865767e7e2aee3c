/**
 * The energy-tilted density of one particle: see src/autodiff/primitives/tilted_density.ts for the formulas, and
 * tilted_frame.ts for `sizes`, `constants` and `scratch`. Batches are panels; `knots` is a parameter [2 D][129];
 * `neighbours` may be anything if there are none.
 */
import { ROW, storeColumnQuad } from "./simd";
import { logDensity } from "./tilted_axis";
import { Frame, loadSamples, power, prepare } from "./tilted_frame";
import { evaluateLevel, fixPlace, joinMoments, locate, momentsOfLevel } from "./tilted_levels";

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
      loadSamples(f, features + lane, scale + lane, neighbours + lane);
      let sum = f32x4.splat(0);
      for (let d = 0; d < dim; ++d) {
        locate(f, d, v128.load(r + lane + <usize>d * ROW));
        evaluateLevel(f, d, score != 0);
        sum = f32x4.add(sum, logDensity(f, d, score != 0));
        if (score) momentsOfLevel(f, d);
        if (d < dim - 1) fixPlace(f, d);
      }
      storeColumnQuad(column, sum), column += 32;
      if (score) joinMoments(f, score + lane);
    }
    features += coefficients, r += coordinates, scale += ROW, neighbours += <usize>f.neighbours * coordinates;
    if (score) score += coefficients;
  }
}
