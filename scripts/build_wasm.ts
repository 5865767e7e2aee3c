/**
 * Compiles wasm/index.ts into the two kernel modules that are committed in src/backend.
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
const commonFlags = "--runtime stub --importMemory --noExportMemory --sharedMemory --initialMemory 16 " +
  "--maximumMemory 65536 -O1 --noAssert";

const builds = [
  { file: "kernels_relaxed.wasm", features: "simd,relaxed-simd,threads" },
  { file: "kernels_baseline.wasm", features: "simd,threads" },
];

async function compile(features: string): Promise<Uint8Array> {
  const entry = new URL("../wasm/index.ts", import.meta.url);
  // Loaded here, because it asks for the environment as it loads, before anybody could say so in a sentence.
  const { default: asc } = await import("npm:assemblyscript@0.28.20/asc");
  let output: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ["index.ts", "-o", "kernels.wasm", "--enable", features, ...commonFlags.split(" ")],
    {
      readFile: (name) => Deno.readTextFile(new URL(name, entry)).catch(() => null),
      writeFile: (name, contents) => {
        if (name === "kernels.wasm") output = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || !output) throw new Error(`Cannot compile wasm/index.ts:\n${stderr.toString()}`);
  return output;
}

/**
 * Compiles both kernel modules and writes them into a directory. The same sources give the same bytes.
 *
 * @param outputDirectory Directory that receives kernels_relaxed.wasm and kernels_baseline.wasm; it must exist.
 * @returns Paths of the two files.
 * @throws {Error} If the sources do not compile; the message holds the compiler's.
 */
export async function buildWasm(outputDirectory: string | URL): Promise<string[]> {
  const directory = typeof outputDirectory === "string"
    ? outputDirectory
    : decodeURIComponent(outputDirectory.pathname);
  const paths: string[] = [];
  for (const { file, features } of builds) {
    const path = `${directory.replace(/\/$/, "")}/${file}`;
    await Deno.writeFile(path, renameImportModule(await compile(features), "env", memoryModule));
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
