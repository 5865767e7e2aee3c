/**
 * A folder in which programs of other runtimes find the bundle, models, and packages by their names.
 *
 * @module
 */
import { find } from "./installed.ts";

const root = new URL("../../", import.meta.url);

/** The folder while it exists. */
export interface Stage extends AsyncDisposable {
  /** Its path. */
  readonly folder: string;
}

/** Entry of an edge worker that answers the questions of answer.js; `models` and `kernels` are imported with it. */
function workerEntry(models: readonly string[], builds: readonly string[], withRuntime: boolean): string {
  const files = models.flatMap((name) => [`${name}.onnx`, `${name}_density.onnx`]);
  const fileOf = (build: string) => build === "relaxed" ? "boltzflow_kernels" : `boltzflow_kernels_${build}`;
  return [
    `import { answer } from "./answer.js";`,
    `import { loadSampler } from "./examples/dist/boltzflow_sampler.js";`,
    ...builds.map((build) => `import ${build} from "./examples/dist/${fileOf(build)}.wasm?module";`),
    ...files.map((file, i) => `import file${i} from "./models/${file}";`),
    withRuntime ? `import { onnxruntime } from "./examples/onnxruntime_edge.js";` : "const onnxruntime = undefined;",
    `const files = { ${files.map((file, i) => `${JSON.stringify(file)}: file${i}`).join(", ")} };`,
    `const builds = { ${builds.join(", ")} };`,
    `export async function respond(url) {`,
    `  const host = { loadSampler, file: (name) => files[name], kernels: (build) => builds[build],`,
    `    onnxruntime: () => onnxruntime };`,
    `  try { return new Response(await answer(new URL(url).searchParams, host)); }`,
    `  catch (error) { return new Response(String(error?.stack ?? error), { status: 500 }); }`,
    `}`,
  ].join("\n");
}

const wranglerConfig = (main: string) =>
  JSON.stringify({
    name: "probe",
    main,
    compatibility_date: "2026-01-01",
    rules: [{ type: "Data", globs: ["**/*.onnx"], fallthrough: true }],
  });

/**
 * Sets the stage: `examples/` but the page and the service, `answer.js`, and for edge workers `workerd_BACKEND.js` with
 * `workerd_BACKEND.json` and `edge_BACKEND.js`, where BACKEND is "kernels" or "onnxruntime".
 *
 * @param models contents of sampler and density by name, for example "dimer": models/dimer.onnx, models/dimer_density.onnx
 * @returns the folder, gone when disposed of
 */
export async function setStage(
  models: Readonly<Record<string, { readonly sampler: Uint8Array; readonly density: Uint8Array }>>,
): Promise<Stage> {
  // Resolved, because Node tells a module its real path.
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "boltzflow_runtimes_" }));
  await copyFolder(new URL("examples/", root), `${folder}/examples`);
  await Deno.copyFile(new URL("tests/runtimes/probe/answer.js", root), `${folder}/answer.js`);
  await Deno.mkdir(`${folder}/models`);
  for (const [name, { sampler, density }] of Object.entries(models)) {
    await Deno.writeFile(`${folder}/models/${name}.onnx`, sampler);
    await Deno.writeFile(`${folder}/models/${name}_density.onnx`, density);
  }
  const names = Object.keys(models);
  for (const backend of ["kernels", "onnxruntime"]) {
    const write = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
    const withRuntime = backend === "onnxruntime";
    const worker = workerEntry(names, ["relaxed", "baseline"], withRuntime);
    await write(`workerd_${backend}.js`, `${worker}\nexport default { fetch: ({ url }) => respond(url) };\n`);
    await write(`workerd_${backend}.json`, wranglerConfig(`workerd_${backend}.js`));
    // Edge-runtime runs in Node, and Node 20 does not know relaxed SIMD.
    const edge = workerEntry(names, ["baseline"], withRuntime);
    await write(`edge_${backend}.js`, `${edge}\nexport default ({ url }) => respond(url);\n`);
  }
  const installed = find("packages");
  if (installed !== null) await Deno.symlink(installed, `${folder}/node_modules`);
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** Copies what tests here need: no packages that somebody installed to try an example, and not what others test. */
async function copyFolder(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (["node_modules", "images", "browser", "edge"].includes(name)) continue;
    if (isDirectory) await copyFolder(new URL(`${encodeURIComponent(name)}/`, from), `${to}/${name}`);
    else await Deno.copyFile(new URL(encodeURIComponent(name), from), `${to}/${name}`);
  }
}
