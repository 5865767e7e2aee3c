/** What lies behind `./sampler`: nothing that trains, differentiates or draws, and nothing that waits while it loads. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bundleModule } from "../../scripts/build_sampler.ts";
import { type ModuleGraph, readModuleGraph } from "../../scripts/module_graph.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";

const root = new URL("../../", import.meta.url);

/** Folders of src/ that a sampler has no use for. */
const foreign = ["autodiff", "training", "plot", "optim", "loss", "flow", "nn", "hybrid", "experiment", "sampling"];

/** Every file that a module loads, at once or later. */
function reach(graph: ModuleGraph, entry: string): string[] {
  const found = new Set([entry]);
  for (const file of found) {
    for (const { target, isTypeOnly } of graph.get(file) ?? []) {
      if (target !== undefined && !isTypeOnly) found.add(target);
    }
  }
  return [...found];
}

const isForeign = (file: string) => foreign.some((folder) => file.startsWith(`src/${folder}/`));

/** Lines of a module that wait while it loads: those that are in no block, as the formatter writes them. */
function waitingLines(source: string): string[] {
  return source.split("\n").filter((line) => /^(?!\s|\/|\*|(export )?(default )?async function).*\bawait\b/.test(line));
}

const entries = ["src/sampler/mod.ts", "src/sampler/portable.ts", "src/onnx/mod.ts"];
const graph = await readModuleGraph(decodeURIComponent(root.pathname), entries);

for (const entry of entries.slice(0, 2)) {
  Deno.test(`${entry} reaches no file that trains, differentiates or draws, and none with a top-level await`, async () => {
    const files = reach(graph, entry);

    assert(files.length > 20, `${files}`);
    assertEquals(files.filter(isForeign), []);
    for (const file of files.filter((file) => file.endsWith(".ts"))) {
      assertEquals(waitingLines(await Deno.readTextFile(new URL(file, root))), [], file);
    }
  });
}

Deno.test("what looks for foreign files and top-level awaits finds them", async () => {
  assert(reach(graph, "src/onnx/mod.ts").some(isForeign));
  const loader = await Deno.readTextFile(new URL("src/backend/loaded.ts", root));
  assertEquals(waitingLines(loader), ["if (kernelBuild === undefined) await loadKernels();"]);
  assertEquals(waitingLines("const a = await b;\nasync function f() {\n  await g();\n}\n"), ["const a = await b;"]);
});

Deno.test("bundleModule() gives the same bytes wherever the sources lie, and one module that imports nothing", async () => {
  const write = (folder: string, name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
  const bundles: string[] = [];
  for (const place of ["here", "a place with a longer name"]) {
    await inTemporaryDirectory(async (directory) => {
      const folder = `${directory}/${place}`;
      await Deno.mkdir(folder);
      await write(folder, "a.ts", 'import { one } from "./b.ts";\nexport const two: number = one + 1;\n');
      await write(folder, "b.ts", 'export const one = 1;\nexport const later = () => import("npm:fflate@0.8.3");\n');
      bundles.push(new TextDecoder().decode(await bundleModule("a.ts", new URL(`file://${folder}/`), "a banner")));
    });
  }

  assertEquals(bundles[0], bundles[1]);
  assert(bundles[0].startsWith("/* a banner */\n"), bundles[0].slice(0, 40));
  assertEquals((await import(`data:text/javascript,${encodeURIComponent(bundles[0])}`)).two, 2);
});

Deno.test("bundleModule() refuses what other runtimes could not load", async () => {
  const refusals = [
    ['import fs from "node:fs"; export { fs };', /everything it imports must be a file of ours, got node:fs/],
    ['export const f = () => import("npm:onnxruntime-web@1.30.0");', /must be a file of ours, got npm:onnxruntime-web/],
    ["export const a = await 1;", /Top-level await is not available/],
    ['import "./missing.ts";', /missing\.ts/],
  ] as const;
  await inTemporaryDirectory(async (folder) => {
    for (const [source, rule] of refusals) {
      await Deno.writeTextFile(`${folder}/a.ts`, source);
      const { message } = await assertRejects(() => bundleModule("a.ts", new URL(`file://${folder}/`), ""), Error);
      assert(rule.test(message), message);
    }
  });
});
