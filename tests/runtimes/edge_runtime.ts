/**
 * Vercel's edge-runtime.
 *
 * @module
 */
import { find, requirePackage } from "./installed.ts";
import { runProgram } from "./programs.ts";

/** An edge function ready to be run. */
export interface BundledFunction {
  /** Path of its script. */
  readonly script: string;
  /** Paths of its WebAssembly by the name that the script knows. */
  readonly modules: Readonly<Record<string, string>>;
}

/** An answer of a function. */
export interface EdgeAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Body. */
  readonly text: string;
  /** Milliseconds it took. */
  readonly ms: number;
}

/** Imports of `x.wasm?module` become modules that the host has compiled, as Vercel's own bundler arranges it. */
function compiledModules(modules: Record<string, string>) {
  const filter = /\.wasm\?module$/;
  return {
    name: "compiled modules",
    // deno-lint-ignore no-explicit-any
    setup(build: any) {
      build.onResolve({ filter }, async ({ path, resolveDir }: { path: string; resolveDir: string }) => {
        const found = await build.resolve(path.replace("?module", ""), { kind: "import-statement", resolveDir });
        return found.errors.length > 0 ? found : { path: found.path, namespace: "compiled" };
      });
      build.onLoad({ filter: /./, namespace: "compiled" }, ({ path }: { path: string }) => {
        const name = path.slice(path.lastIndexOf("/") + 1);
        modules[name] = path;
        return { contents: `export default globalThis.wasmModules[${JSON.stringify(name)}];` };
      });
    },
  };
}

/**
 * Bundles an edge function. Tests that call this need "node" and "packages" (installed.ts).
 *
 * @param folder holds the function; what it imports from npm must be found from there
 * @param handler path of the module whose default export answers requests, relative to the folder
 * @param script path of the script to write
 * @param url what `import.meta.url` of its modules is
 * @returns what to run
 */
export async function bundleFunction(
  folder: string,
  handler: string,
  script: string,
  url = "http://localhost/",
): Promise<BundledFunction> {
  const modules: Record<string, string> = {};
  const contents = `import handler from ${JSON.stringify(`./${handler}`)};
    addEventListener("fetch", (event) => event.respondWith(handler(event.request)));`;
  await requirePackage("esbuild").build({
    stdin: { contents, resolveDir: folder },
    outfile: script,
    bundle: true,
    format: "iife",
    platform: "neutral",
    target: "es2022",
    conditions: ["edge-light", "worker", "browser"],
    loader: { ".onnx": "binary" },
    define: { "import.meta.url": JSON.stringify(url) },
    logLevel: "silent",
    plugins: [compiledModules(modules)],
  });
  return { script, modules };
}

/**
 * Asks an edge function in a fresh runtime.
 *
 * @param bundled what {@linkcode bundleFunction} returned
 * @param urls requests, one after the other
 * @returns answers in the same order
 */
export async function askFunction(
  { script, modules }: BundledFunction,
  urls: readonly string[],
): Promise<EdgeAnswer[]> {
  const host = decodeURIComponent(new URL("probe/edge_host.mjs", import.meta.url).pathname);
  const pairs = Object.entries(modules).map(([name, path]) => `${name}=${path}`);
  const output = await runProgram(find("node")!, [host, find("packages")!, script, ...pairs, "--", ...urls], {
    cwd: script.slice(0, script.lastIndexOf("/")),
  });
  return output.trim().split("\n").map((line) => JSON.parse(line));
}
