import { assertEquals } from "@std/assert";
import { checkLayers } from "../../scripts/check_layers.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";

/** Checks a little repository made of these files. */
async function check(files: Record<string, string>): Promise<string[]> {
  return await inTemporaryDirectory(async (root) => {
    for (const [name, content] of Object.entries(files)) {
      await Deno.mkdir(`${root}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${root}/${name}`, content);
    }
    return await checkLayers(root);
  });
}

const good: Record<string, string> = {
  "deno.json":
    '{ "name": "@x/y", "version": "0.0.1", "exports": "./mod.ts", "imports": { "@std/assert": "npm:deno-std@1.4.0/assert/mod.js" } }',
  "mod.ts": 'export * from "./src/flow/flow.ts"; export * from "./src/experiment/run.ts";',
  "src/backend/wasm.ts": 'export const memory = 1; export { open } from "./pool.ts";',
  "src/backend/pool.ts": "export const open = 1;",
  "src/backend/loaded.ts": 'import "./wasm.ts";',
  "src/random/normal.ts": 'export const draw = 1; import "node:fs";',
  "src/graph/record.ts": 'import { memory } from "../backend/wasm.ts"; export type T = 1; export const t = memory;',
  "src/autodiff/tape.ts": 'export { t } from "../graph/record.ts";',
  "src/nn/mlp.ts": 'export { t } from "../graph/record.ts"; export { draw } from "../random/normal.ts";',
  "src/flow/mod.ts": 'import "../backend/loaded.ts"; export { flow } from "./flow.ts";',
  "src/flow/flow.ts":
    'import { t } from "../nn/mlp.ts"; import "../backend/pool.ts"; export const flow = t; export type Flow = 1;',
  "src/loss/energy.ts": 'import type { Flow } from "../flow/flow.ts"; export type Loss = Flow; export const loss = 1;',
  "src/system/from_autodiff.ts": 'export { t } from "../autodiff/tape.ts";',
  "src/reweighting/bar.ts": 'import { later } from "./later.ts"; export const bar = later; export type Bar = 1;',
  "src/reweighting/later.ts": 'import type { Bar } from "./bar.ts"; export const later: Bar = 1;',
  "src/plot/figure.ts": 'export const draw = async () => await import("npm:d3-node@4.0.2");',
  "src/experiment/run.ts": 'export { loss } from "../loss/energy.ts"; export { draw } from "../plot/figure.ts";',
  "scripts/run.ts": 'import "../mod.ts"; import "./tool.ts"; import "@std/assert"; import "npm:fflate@0.8.3";',
  "scripts/tool.ts": "export const tool = 1;",
  "examples/one.ts": 'import "@x/y"; import "npm:fflate@0.8.3";',
};

Deno.test("checkLayers() accepts a tree in order", async () => {
  assertEquals(await check(good), []);
});

const broken: [string, Record<string, string>, string[]][] = [
  [
    "an import up the line",
    { "src/random/normal.ts": 'import "../nn/mlp.ts"; export const draw = 1;' },
    [
      "src/nn/mlp.ts → src/random/normal.ts → src/nn/mlp.ts: files must not import each other in a circle",
      "src/random/normal.ts must not import src/nn/mlp.ts: random may import nothing of ours",
    ],
  ],
  [
    "a type where no types are allowed",
    { "src/plot/figure.ts": 'import type { Flow } from "../flow/flow.ts"; export const draw = 1 as Flow;' },
    ["src/plot/figure.ts must not import src/flow/flow.ts: plot may import nothing of ours"],
  ],
  [
    "a value where only types are allowed",
    { "src/loss/energy.ts": 'import { flow } from "../flow/flow.ts"; export const loss = flow;' },
    ["src/loss/energy.ts must not import src/flow/flow.ts: loss may import only types of flow (import type)"],
  ],
  [
    "the exception of one file taken by another",
    { "src/system/double_well.ts": 'export { t } from "../autodiff/tape.ts";' },
    ["src/system/double_well.ts must not import src/autodiff/tape.ts: system may import backend, random/elementary.ts, random/elementary_sine.ts"],
  ],
  [
    "more of the backend than its pool",
    { "src/flow/flow.ts": 'import "../backend/wasm.ts"; export const flow = 1; export type Flow = 1;' },
    [
      "src/flow/flow.ts must not import src/backend/wasm.ts: flow may import graph, autodiff, nn, random, " +
      "backend/executor.ts, backend/pool.ts, system/symmetry.ts, types of system",
    ],
  ],
  [
    "kernels loaded by what is not an entry",
    { "src/system/from_autodiff.ts": 'import "../backend/loaded.ts";' },
    ["src/system/from_autodiff.ts must not import src/backend/loaded.ts: only entries load the kernels"],
  ],
  [
    "a dynamic import that hides a forbidden layer",
    { "src/plot/figure.ts": 'export const draw = async () => await import("../flow/flow.ts");' },
    ["src/plot/figure.ts must not import src/flow/flow.ts: plot may import nothing of ours"],
  ],
  [
    "a circle of three files in one folder",
    {
      "src/reweighting/bar.ts": 'import "./later.ts"; export type Bar = 1; export const bar = 1;',
      "src/reweighting/later.ts": 'import "./third.ts"; export const later = 1;',
      "src/reweighting/third.ts": 'export { bar } from "./bar.ts";',
    },
    [
      "src/reweighting/bar.ts → src/reweighting/later.ts → src/reweighting/third.ts → src/reweighting/bar.ts" +
      ": files must not import each other in a circle",
    ],
  ],
  [
    "a heavy package that mod.ts reaches",
    { "src/plot/figure.ts": 'import { D3Node } from "npm:d3-node@4.0.2"; export const draw = D3Node;' },
    ["mod.ts → src/experiment/run.ts → src/plot/figure.ts must load npm:d3-node by dynamic import on first use"],
  ],
  [
    "another heavy package by a subpath",
    { "src/experiment/run.ts": 'import "npm:onnxruntime-web@1.30.0/wasm"; export const run = 1;' },
    ["mod.ts → src/experiment/run.ts must load npm:onnxruntime-web by dynamic import on first use"],
  ],
  [
    "a bare specifier, though the import map knows it",
    { "src/nn/mlp.ts": 'import "@std/assert"; export const t = 1;' },
    ["src/nn/mlp.ts must not import @std/assert: bare specifiers do not resolve when the package is imported by URL"],
  ],
  [
    "a package without its exact version",
    { "src/nn/mlp.ts": 'import "npm:fflate@0.8"; export const t = 1;' },
    ["src/nn/mlp.ts must not import npm:fflate@0.8: npm packages need an exact version"],
  ],
  [
    "the public surface used from inside",
    {
      "src/experiment/run.ts": 'export { flow } from "../../mod.ts";',
      "mod.ts": 'export * from "./src/flow/flow.ts";',
    },
    ["src/experiment/run.ts must not import mod.ts: src/ must not depend on what is outside it"],
  ],
  [
    "a folder's own mod.ts used from inside",
    {
      "src/nn/mod.ts": 'export * from "./mlp.ts";',
      "src/flow/flow.ts": 'export * from "../nn/mod.ts"; export type Flow = 1;',
    },
    ["src/flow/flow.ts must not import src/nn/mod.ts: inside src/ import the file that defines the thing"],
  ],
  [
    "a script that reaches behind mod.ts",
    { "scripts/tool.ts": 'import "../src/nn/mlp.ts";' },
    ["scripts/tool.ts must not import src/nn/mlp.ts: scripts use mod.ts, src/experiment/mod.ts, src/sampler/mod.ts, src/sampler/portable.ts and each other"],
  ],
  [
    "an example that uses a script",
    { "examples/one.ts": 'import "../scripts/tool.ts";' },
    ["examples/one.ts must not import scripts/tool.ts: examples use mod.ts, src/experiment/mod.ts, src/sampler/mod.ts, src/sampler/portable.ts and each other"],
  ],
  [
    "a folder of odds and ends",
    { "src/nn/utils/x.ts": "export const x = 1;" },
    ["src/nn/utils/x.ts must have a name that says what is in it"],
  ],
  [
    "a folder that nobody made a rule for",
    { "src/extra/x.ts": "export const x = 1;" },
    ["src/extra/x.ts must lie in a folder with a rule in scripts/check_layers.ts, got src/extra"],
  ],
];

for (const [what, changes, expected] of broken) {
  Deno.test(`checkLayers() rejects ${what}`, async () => {
    assertEquals(await check({ ...good, ...changes }), expected);
  });
}

Deno.test("checkLayers() rejects an import that leads nowhere", async () => {
  const [violation, ...more] = await check({ ...good, "src/nn/mlp.ts": 'import "./gone.ts"; export const t = 1;' });
  assertEquals(more, []);
  assertEquals(
    violation.startsWith("src/nn/mlp.ts must not import src/nn/gone.ts: it does not resolve (Module not found"),
    true,
  );
});
