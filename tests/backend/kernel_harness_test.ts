import { assertThrows } from "@std/assert";
import { type Argument, builds, compare, type Implementation, random, ulp } from "./kernel_harness.ts";

const good = builds[0];

/** The relaxed build with something done to its arguments before, or to its results after. */
function broken(run: (kernel: string, args: readonly Argument[]) => number | void): Implementation {
  return { name: "broken", run };
}

function afterwards(change: (args: readonly Argument[]) => void): Implementation {
  return broken((kernel, args) => {
    const result = good.run(kernel, args);
    change(args);
    return result;
  });
}

const last = (args: readonly Argument[]) => args[args.length - 1] as Float32Array;

const implementations: Record<string, Implementation> = {
  "forgets the last elements": broken((kernel, [count, ...rest]) =>
    good.run(kernel, [(count as number) & ~3, ...rest])
  ),
  "computes one element too many": broken((kernel, [count, ...rest]) =>
    good.run(kernel, [count as number + 1, ...rest])
  ),
  "is two ULP off in one place": afterwards((args) => last(args)[7] += 2 * ulp(last(args)[7])),
  "repairs NaN": afterwards((args) => last(args).forEach((v, i, y) => y[i] = Number.isNaN(v) ? 0 : v)),
  "saturates instead of overflowing": afterwards((args) =>
    last(args).forEach((v, i, y) => y[i] = v === Infinity ? 3.4028234663852886e38 : v)
  ),
  "changes its input": afterwards((args) => (args[1] as Float32Array)[2] += 2 ** -20),
};

function arguments_(): Argument[] {
  const x = random(22, 1);
  x[3] = NaN, x[4] = 100;
  return [22, x, new Float32Array(22)];
}

const oneUlp = (want: number) => ulp(want);

for (const [fault, implementation] of Object.entries(implementations)) {
  Deno.test(`compare rejects a kernel that ${fault}`, () => {
    compare(good, "expF32", arguments_(), oneUlp);
    assertThrows(() => compare(implementation, "expF32", arguments_(), oneUlp), Error);
  });
}

Deno.test("compare rejects a gradient that overwrites where it should add", () => {
  const overwriting = broken((kernel, [count, , ...rest]) => good.run(kernel, [count, 0, ...rest]));
  const args = () => [8, 1, random(8, 1), random(8, 2), random(8, 3)];
  compare(good, "multiplyGradF32", args(), () => 1e-6);
  assertThrows(() => compare(overwriting, "multiplyGradF32", args(), () => 1e-6), Error, "argument 4");
});

Deno.test("compare finds a read beyond a buffer when it reaches a result", () => {
  // one feature too many: the row after the panel is guard, which is NaN
  const reading = broken((kernel, [panels, , ...rest]) => good.run(kernel, [panels, 3, ...rest]));
  const args = () => [1, 2, random(64, 1), new Float64Array(32)];
  compare(good, "sumFeaturesF32", args(), () => 0);
  assertThrows(() => compare(reading, "sumFeaturesF32", args(), () => 0), Error, "got NaN");
});
