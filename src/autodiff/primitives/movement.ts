/**
 * Primitives that move features without computing.
 *
 * @module
 */
import type { Primitive } from "./primitive.ts";

/** Y[:, j] = X[:, indices[j]], indices distinct:  X̄[:, indices[j]] = Ȳ[:, j], zero elsewhere */
export const gather: Primitive<"gather"> = {
  forward({ inputs: [x], shapes: [shape], attributes: { indices }, n }) {
    const d = shape[1] as number;
    const y = new Float64Array(n * indices.length);
    for (let row = 0; row < n; row++) {
      for (let j = 0; j < indices.length; j++) y[row * indices.length + j] = x[row * d + indices[j]];
    }
    return y;
  },
  vjp({ inputs: [x], shapes: [shape], attributes: { indices }, n }, cotangent) {
    const d = shape[1] as number;
    const dx = new Float64Array(x.length);
    for (let row = 0; row < n; row++) {
      for (let j = 0; j < indices.length; j++) dx[row * d + indices[j]] += cotangent[row * indices.length + j];
    }
    return [dx];
  },
  kernel: {
    saves: "nothing",
    vjp(at) {
      const list = at.indices(at.attributes.indices);
      const { address, accumulate } = at.contribute(0);
      const [from, to] = [at.features(0), at.outputFeatures];
      at.emit("scatterFeaturesF32", at.panels, from, to, accumulate, list, at.cotangent, address);
    },
  },
};

/** Y = [A, B] side by side:  Ā and B̄ are the parts of Ȳ */
export const concat: Primitive<"concat"> = {
  forward({ inputs: [a, b], shapes, n }) {
    const [da, db] = shapes.map((shape) => shape[1] as number);
    const y = new Float64Array(n * (da + db));
    for (let row = 0; row < n; row++) {
      y.set(a.subarray(row * da, (row + 1) * da), row * (da + db));
      y.set(b.subarray(row * db, (row + 1) * db), row * (da + db) + da);
    }
    return y;
  },
  vjp({ shapes, n }, cotangent) {
    const [da, db] = shapes.map((shape) => shape[1] as number);
    const a = new Float64Array(n * da);
    const b = new Float64Array(n * db);
    for (let row = 0; row < n; row++) {
      const start = row * (da + db);
      a.set(cotangent.subarray(start, start + da), row * da);
      b.set(cotangent.subarray(start + da, start + da + db), row * db);
    }
    return [a, b];
  },
  kernel: {
    saves: "nothing",
    vjp(at) {
      const [da, db] = [at.features(0), at.features(1)];
      for (const [i, width, offset] of [[0, da, 0], [1, db, da]]) {
        if (!at.wants(i)) continue;
        const { address, accumulate } = at.contribute(i);
        at.emit("extractFeaturesF32", at.panels, width, da + db, offset, accumulate, at.cotangent, address);
      }
    },
  },
};

/** y = X[:, index], a column:  X̄[:, index] = ȳ, zero elsewhere */
export const column: Primitive<"column"> = {
  forward({ inputs: [x], shapes: [shape], attributes: { index }, n }) {
    const d = shape[1] as number;
    return Float64Array.from({ length: n }, (_, row) => x[row * d + index]);
  },
  vjp({ inputs: [x], shapes: [shape], attributes: { index } }, cotangent) {
    const d = shape[1] as number;
    const dx = new Float64Array(x.length);
    cotangent.forEach((c, row) => dx[row * d + index] = c);
    return [dx];
  },
  kernel: {
    saves: "nothing",
    vjp(at) {
      const { address, accumulate } = at.contribute(0);
      const { index } = at.attributes;
      at.emit("featureColumnGradF32", at.panels, at.features(0), index, accumulate, at.cotangent, address);
    },
  },
};
