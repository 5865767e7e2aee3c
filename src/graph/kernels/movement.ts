/**
 * Kernels that move features, and that make columns of them.
 *
 * @module
 */
import type { ForwardKernel } from "../forward_kernel.ts";

/** Y[:, j] = X[:, indices[j]]. */
export const gather: ForwardKernel<"gather"> = {
  forward(at) {
    const list = at.indices(at.attributes.indices);
    at.emit("gatherFeaturesF32", at.panels, at.features(0), at.outputFeatures, list, at.input(0), at.output);
  },
};

/** Y = [A, B] side by side. */
export const concat: ForwardKernel<"concat"> = {
  forward(at) {
    const [da, db] = [at.features(0), at.features(1)];
    at.emit("insertFeaturesF32", at.panels, da, da + db, 0, at.input(0), at.output);
    at.emit("insertFeaturesF32", at.panels, db, da + db, da, at.input(1), at.output);
  },
};

/** y = X[:, index], a column. */
export const column: ForwardKernel<"column"> = {
  forward: (at) => at.emit("featureColumnF32", at.panels, at.features(0), at.attributes.index, at.input(0), at.output),
};

/** y = Σ over features of X, a column summed in float64. */
export const sumFeatures: ForwardKernel<"sumFeatures"> = {
  forward: (at) => at.emit("sumFeaturesF32", at.panels, at.features(0), at.input(0), at.output),
};
