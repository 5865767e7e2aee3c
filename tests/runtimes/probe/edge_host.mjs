/**
 * Runs an edge function in Vercel's edge-runtime.
 *
 *     node edge_host.mjs PACKAGES SCRIPT NAME=FILE.wasm … -- URL …        prints each answer as a line of JSON
 *
 * The simulator compiles WebAssembly at run time, production does not: here it refuses as well, after the modules that
 * the script imports were compiled.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const [packages, script, ...rest] = process.argv.slice(2);
const modules = rest.slice(0, rest.indexOf("--")).map((pair) => pair.split("="));
const urls = rest.slice(rest.indexOf("--") + 1);

const { EdgeRuntime } = createRequire(`${packages}/index.js`)("edge-runtime");
const runtime = new EdgeRuntime({
  extend: (context) =>
    Object.assign(context, {
      wasmFiles: Object.fromEntries(modules.map(([name, path]) => [name, readFileSync(path)])),
    }),
});
runtime.evaluate(`{
  globalThis.wasmModules = {};
  for (const [name, bytes] of Object.entries(wasmFiles)) wasmModules[name] = new WebAssembly.Module(bytes);
  const refuse = () => { throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder"); };
  const { Module, instantiate } = WebAssembly;
  WebAssembly.Module = new Proxy(Module, { construct: refuse });
  WebAssembly.compile = async () => refuse();
  WebAssembly.instantiate = async (source, imports) => source instanceof Module ? instantiate(source, imports) : refuse();
}`);
runtime.evaluate(readFileSync(script, "utf8"));
for (const url of urls) {
  const start = performance.now();
  const response = await runtime.dispatchFetch(url);
  const text = await response.text();
  console.log(JSON.stringify({ status: response.status, text, ms: performance.now() - start }));
}
