import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Argument, builds } from "./kernel_harness.ts";
import { mixtureCalls } from "./mixture_calls.ts";

/** Copies of arguments; what is said stands in the scratch memory. */
function copies(args: readonly Argument[], scratch: number): Argument[] {
  return args.map((arg, i) =>
    typeof arg === "number" ? arg : i === args.length - 1 ? arg.map(() => scratch) : arg.slice()
  );
}

for (const build of builds) {
  Deno.test(`mixture kernels write their results alone, whatever the scratch memory holds (${build.name})`, () => {
    for (const [panels, dim, count] of [[0, 2, 2], [1, 1, 1], [1, 1, 4], [2, 2, 3], [1, 3, 1], [2, 3, 6]]) {
      for (const [kernel, args] of mixtureCalls(panels, dim, count)) {
        const [clean, dirty] = [copies(args, 0), copies(args, NaN)];
        build.run(kernel, clean);
        build.run(kernel, dirty);
        const results = dirty.slice(0, -1);
        assertEquals(results, clean.slice(0, -1), kernel);
        assert(results.every((arg) => typeof arg === "number" || arg.every((v) => Number.isFinite(v))), kernel);
        const changed = results.filter((arg, i) => {
          const before = args[i];
          return typeof arg !== "number" && typeof before !== "number" && arg.some((v, k) => v !== before[k]);
        });
        const expected = kernel.includes("Grad") ? 2 : kernel === "mixtureLogProbF32" && args[6] !== 0 ? 3 : 1;
        assertEquals(changed.length, panels === 0 ? 0 : expected, kernel);
      }
    }
  });

  Deno.test(`the guards find scratch memory that is too short for a mixture (${build.name})`, () => {
    for (const [kernel, args] of mixtureCalls(1, 3, 5).filter(([kernel]) => kernel !== "mixtureLogProbF32")) {
      const short = copies(args, 0);
      short[short.length - 1] = new Float32Array(64 * 4);
      assertThrows(() => build.run(kernel, short), Error, "wrote after a buffer", kernel);
    }
  });
}
