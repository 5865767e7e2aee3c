import { assert, assertEquals, assertThrows } from "@std/assert";
import type { GradientBuffer } from "../../src/autodiff/kernel_run.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { allocate, allocatedBytes, f32, release } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Adam, type AdamOptions } from "../../src/optim/adam.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";

await loadKernels();

/** Lengths with every remainder of a vector of four. */
const shapes = [[5, 3], [4], [1], [7, 2], [3]];

/** Parameters and gradients that a test fills by hand. */
class Bench implements Disposable {
  readonly parameters = shapes.map((shape, k) => {
    const length = shape.reduce((a, b) => a * b);
    return new Parameter(`p${k}`, shape, normals(length, k));
  });
  readonly gradients: GradientBuffer;

  constructor() {
    const offsets = new Map(this.parameters.map((parameter, k) => [parameter, 64 * k]));
    this.gradients = { address: allocate(64 * shapes.length), offsets };
  }

  /** Sets the gradient of each parameter and returns it. */
  fill(seed: number, scale = 1): Float64Array[] {
    const { address, offsets } = this.gradients;
    return this.parameters.map((parameter, k) => {
      const view = f32(address + offsets.get(parameter)!, parameter.length);
      view.set(normals(parameter.length, 100 * seed + 10 * k, scale));
      return Float64Array.from(view);
    });
  }

  values(): Float32Array[] {
    return this.parameters.map((parameter) => parameter.values());
  }

  [Symbol.dispose](): void {
    release(this.gradients.address);
  }
}

/** Algorithm 1 of Kingma & Ba 2015 in float64, with global-norm clipping. */
class ReferenceAdam {
  readonly x: Float64Array[];
  readonly #m: Float64Array[];
  readonly #v: Float64Array[];
  #t = 0;

  constructor(start: readonly Float32Array[]) {
    this.x = start.map((values) => Float64Array.from(values));
    this.#m = start.map(({ length }) => new Float64Array(length));
    this.#v = start.map(({ length }) => new Float64Array(length));
  }

  step(gradients: readonly Float64Array[], rate: number, options: Required<AdamOptions>): number {
    const { beta1, beta2, epsilon, maximumNorm } = options;
    const norm = Math.sqrt(gradients.reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0));
    const factor = norm > maximumNorm ? maximumNorm / norm : 1;
    this.#t++;
    gradients.forEach((gradient, k) =>
      gradient.forEach((raw, i) => {
        const g = factor * raw;
        this.#m[k][i] = beta1 * this.#m[k][i] + (1 - beta1) * g;
        this.#v[k][i] = beta2 * this.#v[k][i] + (1 - beta2) * g * g;
        const [mHat, vHat] = [this.#m[k][i] / (1 - beta1 ** this.#t), this.#v[k][i] / (1 - beta2 ** this.#t)];
        this.x[k][i] -= rate * mHat / (Math.sqrt(vHat) + epsilon);
      })
    );
    return norm;
  }
}

const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, maximumNorm: Infinity };

/**
 * Fifty steps: each rounds the parameter, of size 3, once, and the step, of size up to `rate`, about 20 times; moments
 * forget their own rounding errors.
 */
const tolerance = (rate: number) => 50 * 2 ** -24 * (3 + 20 * rate);

for (
  const [name, options] of Object.entries<Partial<AdamOptions>>({
    "the defaults": {},
    "other decays": { beta1: 0.5, beta2: 0.9, epsilon: 1e-3 },
    "clipping": { maximumNorm: 4 },
    "no momentum": { beta1: 0, beta2: 0.99 },
  })
) {
  Deno.test(`Adam follows the published algorithm in float64 over 50 steps, with ${name}`, () => {
    using bench = new Bench();
    using adam = new Adam(bench.parameters, options);
    const reference = new ReferenceAdam(bench.values());
    let clipped = 0;
    for (let step = 0; step < 50; step++) {
      const sums = bench.fill(step, step % 7 === 0 ? 0.1 : 1);
      const rate = 0.05 / (1 + step);

      const { gradientNorm } = adam.step(bench.gradients, rate);

      const norm = reference.step(sums, rate, { ...defaults, ...options });
      assertClose(gradientNorm, norm, { relative: 1e-6 }, "norm");
      if (norm > (options.maximumNorm ?? Infinity)) clipped++;
    }
    bench.values().forEach((values, k) =>
      assertClose(values, reference.x[k], { absolute: tolerance(0.05) }, `parameter ${k}`)
    );
    assertEquals(adam.steps, 50);
    assertEquals(clipped > 10 && clipped < 50, options.maximumNorm !== undefined);
  });
}

Deno.test("the comparison of Adam with its reference tells wrong constants, no clipping and no bias correction", () => {
  const wrong: Partial<AdamOptions>[] = [{ beta1: 0.91 }, { beta2: 0.99 }, { epsilon: 1e-2 }, {
    maximumNorm: Infinity,
  }];
  for (const options of wrong) {
    using bench = new Bench();
    using adam = new Adam(bench.parameters, { maximumNorm: 4, ...options });
    const reference = new ReferenceAdam(bench.values());
    for (let step = 0; step < 50; step++) {
      const sums = bench.fill(step);
      adam.step(bench.gradients, 0.05 / (1 + step));
      reference.step(sums, 0.05 / (1 + step), { ...defaults, maximumNorm: 4 });
    }
    const compare = () =>
      bench.values().forEach((values, k) => assertClose(values, reference.x[k], { absolute: tolerance(0.05) }));
    assertThrows(compare, Error, "differs by", JSON.stringify(options));
  }
});

Deno.test("the first step of Adam has the size of the learning rate against the sign of the gradient", () => {
  using bench = new Bench();
  using adam = new Adam(bench.parameters);
  const before = bench.values();
  const sums = bench.fill(1);

  adam.step(bench.gradients, 0.01);

  bench.values().forEach((values, k) =>
    values.forEach((v, i) => assertClose(v - before[k][i], -0.01 * Math.sign(sums[k][i]), { absolute: 1e-6 }))
  );
});

Deno.test("a gradient that is not finite is reported and makes no step", () => {
  for (const [wrong, expected] of [[NaN, NaN], [Infinity, Infinity]]) {
    using bench = new Bench();
    using adam = new Adam(bench.parameters);
    bench.fill(1);
    adam.step(bench.gradients, 0.01);
    const [values, state] = [bench.values(), adam.state()];
    bench.fill(2);
    const { address, offsets } = bench.gradients;
    f32(address + offsets.get(bench.parameters[4])!, 3)[2] = wrong;

    const { gradientNorm } = adam.step(bench.gradients, 0.01);

    assertEquals(gradientNorm, expected);
    assertEquals(bench.values(), values);
    assertEquals(adam.state(), state);
  }
});

Deno.test("state() and restore() go on as if nothing had happened, byte for byte", () => {
  using bench = new Bench();
  using adam = new Adam(bench.parameters);
  const run = (optimiser: Adam, from: number, to: number) => {
    for (let step = from; step < to; step++) {
      bench.fill(step);
      optimiser.step(bench.gradients, 0.01);
    }
  };
  run(adam, 0, 5);
  const [state, values] = [adam.state(), bench.values()];
  run(adam, 5, 12);
  const expected = bench.values();

  bench.parameters.forEach((parameter, k) => parameter.set(values[k]));
  using resumed = new Adam(bench.parameters);
  resumed.restore(state);
  run(resumed, 5, 12);

  assertEquals(bench.values(), expected);
  assertEquals(resumed.state(), adam.state());
  assertEquals([...state.tensors.keys()].slice(0, 4), ["p0.m", "p0.v", "p1.m", "p1.v"]);
  assertEquals(state.steps, 5);
});

Deno.test("restore() refuses moments that are missing or of another length", () => {
  using bench = new Bench();
  using adam = new Adam(bench.parameters);
  const { steps, tensors } = adam.state();
  const without = new Map(tensors);
  without.delete("p2.v");
  assertThrows(
    () => adam.restore({ steps, tensors: without }),
    Error,
    "Cannot restore the optimiser: p2.v must hold 1 numbers, got none",
  );
  assertThrows(
    () => adam.restore({ steps, tensors: new Map([...tensors, ["p0.m", new Float32Array(3)]]) }),
    Error,
    "Cannot restore the optimiser: p0.m must hold 15 numbers, got 3",
  );
});

Deno.test("parameters that are not trainable stay as they are", () => {
  using bench = new Bench();
  const fixed = new Parameter("fixed", [3], [1, 2, 3], { trainable: false });
  using adam = new Adam([fixed, ...bench.parameters]);
  bench.fill(1);

  adam.step(bench.gradients, 0.1);

  assertEquals([...fixed.values()], [1, 2, 3]);
  assert(!adam.state().tensors.has("fixed.m"));
});

Deno.test("disposing of Adam frees its moments once", () => {
  using bench = new Bench();
  const before = allocatedBytes();
  const adam = new Adam(bench.parameters);
  assert(allocatedBytes() > before);

  adam[Symbol.dispose]();
  adam[Symbol.dispose]();

  assertEquals(allocatedBytes(), before);
});

Deno.test("Adam refuses impossible constants, learning rates and gradients of other parameters", () => {
  using bench = new Bench();
  const messages: [() => unknown, string][] = [
    [() => new Adam([], { beta1: 1 }), "Cannot make Adam: beta1 must be from 0 to below 1, got 1"],
    [() => new Adam([], { beta2: -0.1 }), "Cannot make Adam: beta2 must be from 0 to below 1, got -0.1"],
    [() => new Adam([], { epsilon: 0 }), "Cannot make Adam: epsilon must be positive, got 0"],
    [() => new Adam([], { maximumNorm: NaN }), "Cannot make Adam: maximumNorm must be positive, got NaN"],
  ];
  messages.forEach(([action, message]) => assertThrows(action, RangeError, message));
  using adam = new Adam([...bench.parameters, new Parameter("other", [1])]);
  for (const rate of [NaN, -1, Infinity]) {
    assertThrows(
      () => adam.step(bench.gradients, rate),
      RangeError,
      `Cannot take a step: learningRate must be a finite number ≥ 0, got ${rate}`,
    );
  }
  assertThrows(
    () => adam.step(bench.gradients, 0.1),
    RangeError,
    "Cannot take a step: gradients must hold every parameter, got none of other",
  );
});
