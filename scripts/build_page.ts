/**
 * Bundles the page of examples/browser and puts the kernels and models beside it, so that the folder can be served alone.
 *
 * `deno task build:sampler` writes, `deno task check:sampler` proves that what is committed is what the sources give.
 *
 * @module
 */
import { bundleModule, copyKernels } from "./build_sampler.ts";
import { checkWasmFresh } from "./check_wasm_fresh.ts";
import { requireOrExit } from "./permissions.ts";

const root = new URL("..", import.meta.url);
const page = decodeURIComponent(new URL("examples/browser", root).pathname);
const models = new URL("examples/models/", root);

/** Bundles the page and its worker, and copies the kernels. */
async function buildPage(directory: string): Promise<string[]> {
  const { version, license } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const scripts: string[] = [];
  for (const name of ["app", "worker"]) {
    const entry = `examples/browser/source/${name}.ts`;
    const banner = `boltzflow ${version}, ${license} licence; made by "deno task build:sampler" from ${entry}`;
    await Deno.writeFile(`${directory}/${name}.js`, await bundleModule(entry, root, banner));
    scripts.push(`${directory}/${name}.js`);
  }
  return [...scripts, ...await copyKernels(directory)];
}

/** Copies the samplers of examples/models with what is known about them, and lists them. */
async function copyModels(directory: string): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(models))).map(({ name }) => name);
  const copied: string[] = [];
  const copy = async (name: string) => {
    await Deno.copyFile(new URL(name, models), `${directory}/${name}`);
    copied.push(`${directory}/${name}`);
    return `models/${name}`;
  };
  const list: { preset: string; temperature: number; sampler: string; notes: string }[] = [];
  for (const name of names.filter((name) => name.endsWith(".json")).sort()) {
    const { sampler, preset, temperature } = JSON.parse(await Deno.readTextFile(new URL(name, models)));
    list.push({ preset, temperature, sampler: await copy(sampler), notes: await copy(name) });
  }
  list.sort((a, b) => a.preset === b.preset ? a.temperature - b.temperature : a.preset < b.preset ? -1 : 1);
  await Deno.writeTextFile(`${directory}/models.json`, `${JSON.stringify(list)}\n`);
  return [...copied, `${directory}/models.json`];
}

const parts = [[page, buildPage], [`${page}/models`, copyModels]] as const;

if (import.meta.main) {
  requireOrExit("build_page.ts", { read: "the sources", write: "the bundle" });
  if (Deno.args[0] === "--check") {
    const faults = (await Promise.all(parts.map(([directory, build]) => checkWasmFresh(directory, build)))).flat();
    for (const fault of faults) console.error(`Cannot trust examples/browser: ${fault}: run "deno task build:sampler"`);
    if (faults.length === 0) console.log("The page in examples/browser is that of the sources.");
    Deno.exit(faults.length === 0 ? 0 : 1);
  }
  for (const [directory, build] of parts) {
    for (const path of await build(directory)) console.log(`${path}: ${(await Deno.stat(path)).size} bytes`);
  }
}
