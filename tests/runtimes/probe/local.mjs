/**
 * Answers questions in runtimes with a file system: Node, Bun, Deno.
 *
 *     node local.mjs FOLDER LOADER "model=…&backend=…" …        prints one line for each question
 *
 * LOADER is the URL of the module with `loadSampler`: the bundle, or in Deno the package.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { answer } from "./answer.js";

const [folder, loader, ...questions] = process.argv.slice(2);
const base = new URL(`${pathToFileURL(folder).href}/`);
const { loadSampler } = await import(new URL(loader, base).href);

const names = { relaxed: "boltzflow_kernels.wasm", baseline: "boltzflow_kernels_baseline.wasm" };
const host = (runtime) => ({
  loadSampler,
  file: (name) => readFile(new URL(`models/${name}`, base)),
  kernels: (build) => readFile(new URL(`examples/dist/${names[build]}`, base)),
  async onnxruntime() {
    if (globalThis.Deno) return undefined; // the package loads it by itself
    const module = await import(runtime);
    if (module.env.wasm) module.env.wasm.numThreads = 1; // in Node and Bun more fail
    return module;
  },
});

for (const text of questions) {
  const question = new URLSearchParams(text);
  console.log(await answer(question, host(question.get("runtime") ?? "onnxruntime-web/wasm")));
}
