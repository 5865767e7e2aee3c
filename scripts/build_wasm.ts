/**
 * Compiles wasm/index.ts and wasm/sampler.ts into the kernel modules that are committed in src/backend.
 *
 * `deno task build:wasm` writes them there; `buildWasm(directory)` writes them anywhere, which is how
 * scripts/check_wasm_fresh.ts proves that the committed files belong to the sources.
 *
 * @module
 */
import { requireOrExit } from "./permissions.ts";
import { renameImportModule } from "./rename_wasm_import.ts";

/** The module that kernels import their memory from, relative to src/backend, where the files live. */
const memoryModule = "./shared_memory.ts";

// -O1 keeps the order of the multiply-adds; -O3 costs a quarter of the speed (wasm/README.md)
const commonFlags = "--runtime stub --importMemory --noExportMemory --initialMemory 16 -O1 --noAssert";
const threadFlags = "--sharedMemory --maximumMemory 65536";

/** A module: its file, what it exports, and what the engine must have. */
interface Build {
  readonly file: string;
  readonly entry: "index.ts" | "sampler.ts";
  readonly features: string;
  readonly flags?: string;
}

// The kernels of samplers work in a memory that is not shared: every host has it, also pages that are not isolated.
const builds: readonly Build[] = [
  { file: "kernels_relaxed.wasm", entry: "index.ts", features: "simd,relaxed-simd,threads", flags: threadFlags },
  { file: "kernels_baseline.wasm", entry: "index.ts", features: "simd,threads", flags: threadFlags },
  { file: "sampler_relaxed.wasm", entry: "sampler.ts", features: "simd,relaxed-simd" },
  { file: "sampler_baseline.wasm", entry: "sampler.ts", features: "simd" },
];

async function compile({ entry, features, flags = "" }: Build): Promise<Uint8Array> {
  const sources = new URL("../wasm/", import.meta.url);
  // Loaded here, because it asks for the environment as it loads, before anybody could say so in a sentence.
  const { default: asc } = await import("npm:assemblyscript@0.28.20/asc");
  let output: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [entry, "-o", "kernels.wasm", "--enable", features, ...`${commonFlags} ${flags}`.trim().split(" ")],
    {
      readFile: (name) => Deno.readTextFile(new URL(name, sources)).catch(() => null),
      writeFile: (name, contents) => {
        if (name === "kernels.wasm") output = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || !output) throw new Error(`Cannot compile wasm/${entry}:\n${stderr.toString()}`);
  return output;
}

/**
 * Compiles all kernel modules and writes them into a directory. The same sources give the same bytes.
 *
 * @param outputDirectory Directory that receives the modules; it must exist.
 * @returns Paths of the files.
 * @throws {Error} If the sources do not compile; the message holds the compiler's.
 */
export async function buildWasm(outputDirectory: string | URL): Promise<string[]> {
  const directory = typeof outputDirectory === "string"
    ? outputDirectory
    : decodeURIComponent(outputDirectory.pathname);
  const paths: string[] = [];
  for (const build of builds) {
    const path = `${directory.replace(/\/$/, "")}/${build.file}`;
    await Deno.writeFile(path, renameImportModule(await compile(build), "env", memoryModule));
    paths.push(path);
  }
  return paths;
}

if (import.meta.main) {
  requireOrExit("build_wasm.ts", { read: "the sources", write: "the modules", env: "the compiler" });
  for (const path of await buildWasm(Deno.args[0] ?? new URL("../src/backend", import.meta.url))) {
    console.log(`${path}: ${(await Deno.stat(path)).size} bytes`);
  }
}
