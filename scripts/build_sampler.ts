/**
 * Bundles the sampler for runtimes that load neither TypeScript nor `npm:` specifiers: one ES module without imports,
 * and the kernels beside it.
 *
 * `deno task build:sampler` writes `examples/dist`, `deno task check:sampler` proves that what is committed there is what
 * the sources give; the same sources give the same bytes, wherever the repository lies.
 *
 * @module
 */
import { checkWasmFresh } from "./check_wasm_fresh.ts";
import { requireOrExit } from "./permissions.ts";

const root = new URL("..", import.meta.url);
const committed = decodeURIComponent(new URL("examples/dist", root).pathname);

/** What is bundled, relative to the root. */
const portableEntry = "src/sampler/portable.ts";

/** Kernels by the name they get in the bundle's folder. */
const kernels: Readonly<Record<string, string>> = {
  "boltzflow_kernels.wasm": "src/backend/sampler_relaxed.wasm",
  "boltzflow_kernels_baseline.wasm": "src/backend/sampler_baseline.wasm",
};

/** The oldest language that a runtime of the table in README.md speaks: that of Node 20 without `using`. */
const target = "es2022";

type Bundler = typeof import("npm:esbuild-wasm@0.28.2/esm/browser.js");
type Plugin = import("npm:esbuild-wasm@0.28.2/esm/browser.js").Plugin;

let bundler: Promise<Bundler> | undefined;

/** Loads esbuild as WebAssembly: one package for every processor, which starts no process. */
function loadBundler(): Promise<Bundler> {
  bundler ??= (async () => {
    const esbuild = await import("npm:esbuild-wasm@0.28.2/esm/browser.js");
    const bytes = await Deno.readFile(new URL(import.meta.resolve("npm:esbuild-wasm@0.28.2/esbuild.wasm")));
    await esbuild.initialize({ wasmModule: await WebAssembly.compile(bytes), worker: false });
    return esbuild;
  })();
  return bundler;
}

/** The part of a package that needs no Node, and what of it is used, by the specifier that sources import. */
const packages: Readonly<Record<string, { readonly part: string; readonly names: readonly string[] }>> = {
  "npm:fflate@0.8.3": { part: "npm:fflate@0.8.3/browser", names: ["zipSync", "inflateSync"] },
};

/** Finds and reads files by their place in a folder, so that no path of this machine gets into the bundle. */
function filesOf(base: URL): Plugin {
  return {
    name: "files",
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, importer }) => {
        if (Object.hasOwn(packages, path)) return { path, namespace: "package" };
        if (/^npm:/.test(importer)) return { path, namespace: "part of a package", sideEffects: false };
        if (importer !== "" && !/^\.\.?\//.test(path)) return { path, external: true };
        const { href } = new URL(path, new URL(importer, base));
        return { path: decodeURI(href.slice(base.href.length)), namespace: "file of ours" };
      });
      build.onLoad({ filter: /./, namespace: "file of ours" }, async ({ path }) => ({
        contents: await Deno.readTextFile(new URL(path, base)),
        loader: "ts",
      }));
      // A dynamic import keeps whatever a module exports, so it is given a module that exports what is used.
      build.onLoad({ filter: /./, namespace: "package" }, ({ path }) => ({
        contents: `export { ${packages[path].names.join(", ")} } from ${JSON.stringify(packages[path].part)};`,
      }));
      build.onLoad({ filter: /./, namespace: "part of a package" }, async ({ path }) => ({
        contents: await Deno.readTextFile(new URL(import.meta.resolve(path))),
      }));
    },
  };
}

/**
 * Bundles a module and everything it imports into one ES module that imports nothing and awaits nothing at its top.
 *
 * @param entry path of the module, relative to `base`
 * @param base the folder that holds it and all it imports
 * @param banner first line of the bundle, without the marks of a comment
 * @returns the bundle, minified
 * @throws {Error} if it would import something, or if esbuild refuses a module, for example one with a top-level await
 */
export async function bundleModule(entry: string, base: URL, banner: string): Promise<Uint8Array> {
  const esbuild = await loadBundler();
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    outfile: "bundle.js",
    format: "esm",
    platform: "neutral",
    target,
    supported: { "top-level-await": false },
    minify: true,
    charset: "utf8",
    banner: { js: `/* ${banner} */` },
    logLevel: "silent",
    plugins: [filesOf(base)],
  });
  const [left] = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
  if (left !== undefined) {
    throw new Error(`Cannot bundle ${entry}: everything it imports must be a file of ours, got ${left.path}`);
  }
  return outputFiles[0].contents;
}

/**
 * Builds the bundle and copies the kernels to its side.
 *
 * @param directory receives boltzflow_sampler.js and both kernels; it must exist
 * @returns paths of the three files
 * @throws {Error} if something is left to import
 */
export async function buildSampler(directory: string): Promise<string[]> {
  const { version, license } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const banner = `boltzflow ${version}, ${license} licence; made by "deno task build:sampler" from ${portableEntry}`;
  const script = `${directory}/boltzflow_sampler.js`;
  await Deno.writeFile(script, await bundleModule(portableEntry, root, banner));
  return [script, ...await copyKernels(directory)];
}

/**
 * Copies both builds of the kernels to a bundle's side.
 *
 * @param directory receives them; it must exist
 * @returns their paths
 */
export async function copyKernels(directory: string): Promise<string[]> {
  return await Promise.all(
    Object.entries(kernels).map(async ([name, source]) => {
      await Deno.copyFile(new URL(source, root), `${directory}/${name}`);
      return `${directory}/${name}`;
    }),
  );
}

async function gzippedSize(path: string): Promise<number> {
  const { body } = new Response(await Deno.readFile(path));
  return (await new Response(body!.pipeThrough(new CompressionStream("gzip"))).arrayBuffer()).byteLength;
}

if (import.meta.main) {
  requireOrExit("build_sampler.ts", { read: "the sources", write: "the bundle" });
  if (Deno.args[0] === "--check") {
    const faults = await checkWasmFresh(committed, buildSampler);
    for (const fault of faults) console.error(`Cannot trust examples/dist: ${fault}: run "deno task build:sampler"`);
    if (faults.length === 0) console.log("The bundle in examples/dist is that of the sources.");
    Deno.exit(faults.length === 0 ? 0 : 1);
  }
  await Deno.mkdir(committed, { recursive: true });
  for (const path of await buildSampler(Deno.args[0] ?? committed)) {
    console.log(`${path}: ${(await Deno.stat(path)).size} bytes, ${await gzippedSize(path)} gzipped`);
  }
}
