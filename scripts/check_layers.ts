/**
 * Checks who imports whom: the layers of src/, no cycles, nothing heavy behind mod.ts, nothing that breaks by URL.
 *
 * `deno task check:layers` prints what is wrong and exits with 1; CONTRIBUTING.md explains the layers.
 *
 * @module
 */

import { type Import, type ModuleGraph, readModuleGraph } from "./module_graph.ts";
import { requireOrExit } from "./permissions.ts";

interface Layer {
  /** Folders of src/, or single files of one, that it may import. */
  readonly code: readonly string[];
  /** Folders of src/ it may import types from, besides. */
  readonly types?: readonly string[];
}

/** Where work runs. Whatever evaluates a graph hands it on, so it is let through to layers that know no kernels. */
const POOL = ["backend/executor.ts", "backend/pool.ts"];

/** What a symmetry is: training shows frames under them, flows average over them; neither knows more of systems. */
const SYMMETRY = "system/symmetry.ts";

/** Functions that are the same bits in every engine: foundations of whatever leads from data to the bytes of a model. */
const ELEMENTARY = ["random/elementary.ts", "random/elementary_sine.ts"];

/** What every folder of src/ may import besides itself, in the order of the pipeline. */
const LAYERS: { readonly [folder: string]: Layer } = {
  backend: { code: [] },
  random: { code: [] },
  format: { code: [] },
  graph: { code: ["backend", ...ELEMENTARY] },
  autodiff: { code: ["graph", "backend", ...ELEMENTARY] },
  nn: { code: ["graph", "random"] },
  optim: { code: ["graph", "autodiff", "backend", ...ELEMENTARY] },
  system: { code: ["backend", ...ELEMENTARY] },
  sampling: { code: ["system", "random", "backend"] },
  flow: { code: ["graph", "autodiff", "nn", "random", ...POOL, SYMMETRY], types: ["system"] },
  loss: { code: ["graph", "autodiff", ...ELEMENTARY], types: ["flow", "system"] },
  training: { code: ["graph", "autodiff", "optim", "random", "format", ...POOL, SYMMETRY], types: ["loss"] },
  reweighting: { code: ELEMENTARY },
  // Whoever only samples loads nothing of derivatives and training.
  sampler: { code: ["graph", "format", "random", "backend", "system"] },
  onnx: { code: ["graph", "sampler", "format", "flow", "random", "backend"], types: ["system"] },
  plot: { code: [] },
  hybrid: {
    code: [
      "graph",
      "autodiff",
      "flow",
      "system",
      "sampling",
      "loss",
      "training",
      "reweighting",
      "random",
      ...POOL,
    ],
  },
};
/** Loads the kernels for whoever imports an entry of the package: a folder's mod.ts, which nothing of ours imports. */
const LOADER = "src/backend/loaded.ts";
/** May import every layer. */
const TOP_LAYER = "experiment";

/** Single files that may import more than their folder. */
const EXCEPTIONS: { readonly [file: string]: readonly string[] } = {
  // Users write energies with autodiff operations; this file alone makes systems of them.
  "src/system/from_autodiff.ts": ["graph", "autodiff"],
};

/** The entry for whole runs, which mod.ts does not load. */
const EXPERIMENT = "src/experiment/mod.ts";

/** The page in the browser is bundled: it picks single files, so that nothing else comes along. */
const PAGE = "examples/browser/source/";

/** What scripts and examples may import. */
const ENTRIES = ["mod.ts", EXPERIMENT, "src/sampler/mod.ts", "src/sampler/portable.ts"];

/** Packages that mod.ts must not load before someone draws or runs a model. */
const ON_FIRST_USE = ["d3-node", "onnxruntime-web"];

const PINNED_NPM = /^npm:(@[^/@]+\/)?[^/@]+@\d+\.\d+\.\d+(\/|$)/;

/**
 * Checks the imports of a repository.
 *
 * @param root its path
 * @returns one sentence for each violation, sorted; none if all is well
 */
export async function checkLayers(root: string): Promise<string[]> {
  const graph = await readModuleGraph(root, ["mod.ts", "src", "scripts", "examples"]);
  const violations = [...graph.keys()].flatMap(checkPlace);
  for (const [file, imports] of graph) {
    for (const imported of imports) {
      const fault = checkImport(file, imported);
      if (fault !== undefined) {
        violations.push(`${file} must not import ${imported.target ?? imported.specifier}: ${fault}`);
      }
    }
  }
  violations.push(
    ...findCycles(graph).map((cycle) => `${cycle.join(" → ")}: files must not import each other in a circle`),
  );
  violations.push(...findEagerPackages(graph));
  return [...new Set(violations)].sort();
}

function folderOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}

function checkPlace(file: string): string[] {
  const faults: string[] = [];
  const folder = folderOf(file);
  if (folder !== undefined && folder !== TOP_LAYER && !Object.hasOwn(LAYERS, folder)) {
    faults.push(`${file} must lie in a folder with a rule in scripts/check_layers.ts, got src/${folder}`);
  }
  if (folder === undefined && file.startsWith("src/")) faults.push(`${file} must lie in one of the folders of src/`);
  if (/(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file)) {
    faults.push(`${file} must have a name that says what is in it`);
  }
  return faults;
}

/** Says why a file may not import something, or nothing if it may. */
function checkImport(file: string, { specifier, target, error, isTypeOnly }: Import): string | undefined {
  const isPublic = file === "mod.ts" || file.startsWith("src/");
  if (isPublic && !/^(\.\.?\/|npm:|node:)/.test(specifier)) {
    return "bare specifiers do not resolve when the package is imported by URL";
  }
  if (isPublic && specifier.startsWith("npm:") && !PINNED_NPM.test(specifier)) {
    return "npm packages need an exact version";
  }
  if (error !== undefined) return `it does not resolve (${error})`;
  if (target === undefined) return undefined;
  const isEntry = ENTRIES.includes(target);
  if (file.startsWith("examples/")) {
    const own = target.startsWith("examples/") || file.startsWith(PAGE) && target.startsWith("src/");
    return isEntry || own ? undefined : `examples use ${ENTRIES.join(", ")} and each other`;
  }
  if (file.startsWith("scripts/")) {
    return isEntry || target.startsWith("scripts/") ? undefined : `scripts use ${ENTRIES.join(", ")} and each other`;
  }
  return file.startsWith("src/") ? checkInside(file, target, isTypeOnly) : undefined;
}

function checkInside(file: string, target: string, isTypeOnly: boolean): string | undefined {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (to === undefined) return "src/ must not depend on what is outside it";
  if (target.endsWith("/mod.ts")) return "inside src/ import the file that defines the thing";
  if (target === LOADER) return file.endsWith("/mod.ts") ? undefined : "only entries load the kernels";
  if (from === to || from === undefined) return undefined;
  if (target.endsWith(".wasm")) return "only src/backend knows the .wasm files";
  if (from === TOP_LAYER || EXCEPTIONS[file]?.includes(to) || !Object.hasOwn(LAYERS, from)) return undefined;
  const { code, types = [] } = LAYERS[from];
  if (code.includes(to) || code.includes(target.slice("src/".length)) || isTypeOnly && types.includes(to)) {
    return undefined;
  }
  if (types.includes(to)) return `${from} may import only types of ${to} (import type)`;
  const allowed = [...code, ...types.map((name) => `types of ${name}`)];
  return `${from} may import ${allowed.join(", ") || "nothing of ours"}`;
}

/** One cycle for every strongly connected group of files, by loaded imports. */
function findCycles(graph: ModuleGraph): string[][] {
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string) => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push([...path.slice(path.indexOf(file)), file]);
      return;
    }
    state.set(file, "open");
    path.push(file);
    for (const { target, isTypeOnly } of graph.get(file) ?? []) {
      if (target !== undefined && !isTypeOnly) visit(target);
    }
    path.pop();
    state.set(file, "done");
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}

function findEagerPackages(graph: ModuleGraph): string[] {
  const cameFrom = new Map<string, string | undefined>([["mod.ts", undefined], [EXPERIMENT, undefined]]);
  const violations: string[] = [];
  for (const file of cameFrom.keys()) {
    for (const { specifier, target, isTypeOnly, isDynamic } of graph.get(file) ?? []) {
      if (isTypeOnly || isDynamic) continue;
      if (target !== undefined && !cameFrom.has(target)) cameFrom.set(target, file);
      const name = ON_FIRST_USE.find((name) => new RegExp(`^npm:/?${name}(@|/|$)`).test(specifier));
      if (name === undefined) continue;
      const route = [file];
      for (let step = cameFrom.get(file); step !== undefined; step = cameFrom.get(step)) route.unshift(step);
      violations.push(`${route.join(" → ")} must load npm:${name} by dynamic import on first use`);
    }
  }
  return violations;
}

if (import.meta.main) {
  requireOrExit("check_layers.ts", { read: "the sources", write: "a temporary file", run: "deno info" });
  const violations = await checkLayers(new URL("..", import.meta.url).pathname);
  for (const violation of violations) console.error(violation);
  console.log(violations.length === 0 ? "Layers are in order." : `${violations.length} violations.`);
  Deno.exit(violations.length === 0 ? 0 : 1);
}
