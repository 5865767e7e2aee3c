/**
 * Everything from data to the bytes of a model, in small, as SHA-256 checksums.
 *
 *     deno run -A tests/repeatability/golden_runs.ts baseline|relaxed THREADS forbidden|allowed
 *
 * prints them as JSON. "forbidden": the functions of `Math` whose last bits engines choose throw, from before the package
 * is loaded. Training sees no clock and no file, so that checksums depend on sources, kernels and arithmetic alone.
 */
const [build, threads, engine] = Deno.args;

/** What ECMAScript leaves to the engine, but for cbrt, of which SHA-256 takes 37 bits; `**` is looked for in the sources. */
const approximate = [
  ...["exp", "expm1", "log", "log1p", "log2", "log10", "pow", "hypot"],
  ...["sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"],
] as const;

if (engine === "forbidden") {
  for (const name of approximate) {
    Math[name] = () => {
      throw new Error(`Math.${name} is on the path from data to model bytes`);
    };
  }
}

const { checksums } = await import("./golden_checksums.ts");
console.log(JSON.stringify(await checksums({ deterministic: build === "baseline", threads: Number(threads) })));
