import { assertThrows } from "@std/assert";
import { builds } from "./kernel_harness.ts";
import { assertWritesAlone, withScratch } from "./scratch_law.ts";
import { mixtureCalls } from "./mixture_calls.ts";

for (const build of builds) {
  Deno.test(`mixture kernels write their results alone, whatever the scratch memory holds (${build.name})`, () => {
    for (const [panels, dim, count] of [[0, 2, 2], [1, 1, 1], [1, 1, 4], [2, 2, 3], [1, 3, 1], [2, 3, 6]]) {
      for (const [kernel, args] of mixtureCalls(panels, dim, count)) {
        const expected = kernel.includes("Grad") ? 2 : kernel === "mixtureLogProbF32" && args[6] !== 0 ? 3 : 1;
        assertWritesAlone(build, kernel, args, panels === 0 ? 0 : expected);
      }
    }
  });

  Deno.test(`the guards find scratch memory that is too short for a mixture (${build.name})`, () => {
    for (const [kernel, args] of mixtureCalls(1, 3, 5).filter(([kernel]) => kernel !== "mixtureLogProbF32")) {
      const short = withScratch(args, 0);
      short[short.length - 1] = new Float32Array(64 * 4);
      assertThrows(() => build.run(kernel, short), Error, "wrote after a buffer", kernel);
    }
  });
}
