/**
 * Cloudflare's workerd: bundled by wrangler as for an upload, run by miniflare.
 *
 * @module
 */
import { find, packages, requirePackage } from "./installed.ts";
import { runProgram } from "./programs.ts";

/** A worker as wrangler uploads it. */
export interface BundledWorker {
  /** Folder with all of its modules. */
  readonly folder: string;
  /** Name of the first one. */
  readonly main: string;
  /** Bytes that count against the limit of a plan: all modules, gzipped, as wrangler reports them. */
  readonly gzippedBytes: number;
}

/**
 * Bundles a worker. Tests that call this need "node" and "packages" (installed.ts).
 *
 * @param config path of its wrangler.jsonc; what it imports from npm must be found from there
 * @param folder receives the modules
 * @returns what would be uploaded
 */
export async function bundleWorker(config: string, folder: string): Promise<BundledWorker> {
  const wrangler = `${packages}/node_modules/wrangler/bin/wrangler.js`;
  const args = [wrangler, "deploy", "--dry-run", "--outdir", folder, "--config", config];
  const output = await runProgram(find("node")!, args, { cwd: config.slice(0, config.lastIndexOf("/")) });
  const [, size] = /gzip: ([\d.]+) KiB/.exec(output) ?? [];
  const [main] = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".js"));
  return { folder, main, gzippedBytes: Math.round(Number(size) * 1024) };
}

/** A running worker. */
export interface Worker extends AsyncDisposable {
  /** Its address, for example "http://127.0.0.1:4507", without a slash at the end. */
  readonly origin: string;
}

/**
 * Starts workerd with a worker.
 *
 * @param worker what {@linkcode bundleWorker} returned
 * @returns the server
 */
export async function serveWorker({ folder, main }: BundledWorker): Promise<Worker> {
  const { Miniflare } = requirePackage("miniflare");
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => !/\.(map|md)$/.test(name));
  const modules = names.sort((a, b) => Number(b === main) - Number(a === main)).map((name) => ({
    type: name.endsWith(".js") ? "ESModule" : name.endsWith(".wasm") ? "CompiledWasm" : "Data",
    path: `${folder}/${name}`,
  }));
  const server = new Miniflare({ modules, modulesRoot: folder, compatibilityDate: "2026-01-01", port: 0 });
  const { origin } = await server.ready;
  return { origin, [Symbol.asyncDispose]: () => server.dispose() };
}
