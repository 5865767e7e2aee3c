/**
 * Proves that the committed kernels belong to the sources: builds them again elsewhere and compares every byte.
 *
 * @module
 */

import { buildWasm } from "./build_wasm.ts";
import { requireOrExit } from "./permissions.ts";

/**
 * Compares committed kernels with a fresh build.
 *
 * @param committed directory of the committed .wasm files
 * @param build builds into a directory and returns the paths of what it built
 * @returns one sentence for each file that differs, is missing or does not belong there; none if all is well
 */
export async function checkWasmFresh(
  committed: string,
  build: (directory: string) => Promise<readonly string[]> = buildWasm,
): Promise<string[]> {
  const fresh = await Deno.makeTempDir({ prefix: "boltzflow_wasm_" });
  try {
    const names = (await build(fresh)).map((path) => path.slice(path.lastIndexOf("/") + 1));
    const faults = await Promise.all(names.map((name) => compare(`${committed}/${name}`, `${fresh}/${name}`)));
    for await (const { name } of Deno.readDir(committed)) {
      if (name.endsWith(".wasm") && !names.includes(name)) {
        faults.push(`${name} must be a build of wasm/, got another file`);
      }
    }
    return faults.filter((fault) => fault !== undefined).sort();
  } finally {
    await Deno.remove(fresh, { recursive: true });
  }
}

async function compare(committed: string, fresh: string): Promise<string | undefined> {
  const name = committed.slice(committed.lastIndexOf("/") + 1);
  const expected = await Deno.readFile(fresh);
  const bytes = await Deno.readFile(committed).catch(() => undefined);
  if (bytes === undefined) return `${name} must be committed, got no such file`;
  const at = expected.findIndex((byte, i) => byte !== bytes[i]);
  if (at < 0 && bytes.length === expected.length) return undefined;
  return `${name} must equal a fresh build of ${expected.length} bytes, got ${bytes.length} bytes that differ from byte ${
    at < 0 ? expected.length : at
  } on`;
}

if (import.meta.main) {
  requireOrExit("check_wasm_fresh.ts", { read: "the sources", write: "a build beside them", env: "the compiler" });
  const faults = await checkWasmFresh(new URL("../src/backend", import.meta.url).pathname);
  for (const fault of faults) console.error(`Cannot trust the committed kernels: ${fault}: run "deno task build:wasm"`);
  if (faults.length === 0) console.log("The committed kernels are those of wasm/.");
  Deno.exit(faults.length === 0 ? 0 : 1);
}
