/**
 * What kernels with scratch memory, their last argument, promise of it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Argument, Implementation } from "./kernel_harness.ts";

/** Copies of the arguments, with the scratch memory filled. */
export function withScratch(args: readonly Argument[], filling: number): Argument[] {
  return args.map((arg, i) =>
    typeof arg === "number" ? arg : i === args.length - 1 ? arg.map(() => filling) : arg.slice()
  );
}

/**
 * Throws unless a kernel gives the same finite results whatever its scratch memory held, and writes so many buffers.
 *
 * @param build runs the kernel
 * @param kernel its name
 * @param args its arguments, the scratch memory last
 * @param written number of buffers that are to change, the scratch memory left out
 */
export function assertWritesAlone(
  build: Implementation,
  kernel: string,
  args: readonly Argument[],
  written: number,
): void {
  const [clean, dirty] = [withScratch(args, 0), withScratch(args, NaN)];
  build.run(kernel, clean);
  build.run(kernel, dirty);
  const results = dirty.slice(0, -1);
  assertEquals(results, clean.slice(0, -1), kernel);
  assert(results.every((arg) => typeof arg === "number" || arg.every((v) => Number.isFinite(v))), kernel);
  const changed = results.filter((arg, i) => {
    const before = args[i];
    return typeof arg !== "number" && typeof before !== "number" && arg.some((v, k) => v !== before[k]);
  });
  assertEquals(changed.length, written, kernel);
}
