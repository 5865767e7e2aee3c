/**
 * Asks every runtime for samples of models, each in the way that suits it.
 *
 * @module
 */
import { startChromium } from "./chromium.ts";
import { askFunction, bundleFunction } from "./edge_runtime.ts";
import { find, type Need } from "./installed.ts";
import { runProgram } from "./programs.ts";
import { serveFolder } from "./static_server.ts";
import { bundleWorker, serveWorker } from "./workerd.ts";

/** What computes: one of our own kernels, or onnxruntime. */
export type Engine = "baseline" | "relaxed" | "onnxruntime-web" | "onnxruntime-node";

/** What is asked of a runtime. */
export interface Question {
  /** Name of the model on the stage. */
  readonly model: string;
  /** How many samples. */
  readonly n: number;
  /** Their seed. */
  readonly seed: number;
  /** Whether log-weights are wanted; the model must be of a system of ours. */
  readonly weigh?: boolean;
  /** Whether log-densities of the samples are wanted from the density model. */
  readonly density?: boolean;
  /** How often sampling is timed. Default 0. */
  readonly rounds?: number;
}

/** What a runtime says. */
export interface Answer {
  /** What `sampler.backend` was. */
  readonly backend: string;
  /** Milliseconds from `loadSampler` to the first sample. */
  readonly startUpMs: number;
  /** Samples per second of each round. */
  readonly rates: readonly number[];
  /** Configurations, [n, dim]. */
  readonly x: Float64Array;
  /** log q(x), [n], as drawn. */
  readonly logProb: Float64Array;
  /** log-weights, [n]; empty unless they were wanted. */
  readonly logWeights: Float64Array;
  /** log q(x), [n], from the density model; empty unless they were wanted. */
  readonly again: Float64Array;
}

/** A runtime: what it needs, which engines it runs, and how to ask it. */
export interface Runtime {
  /** What must be installed. */
  readonly needs: readonly Need[];
  /** Engines that work. */
  readonly engines: readonly Engine[];
  /** Answers questions on a stage, in order, in one process: kernels that were loaded stay. */
  ask(stage: string, engine: Engine, questions: readonly Question[]): Promise<Answer[]>;
}

function decode(base64: string): Float64Array {
  return new Float64Array(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
}

/** Reads what answer.js writes. */
export function parseAnswer(text: string): Answer {
  const { x, logProb, logWeights, again, ...rest } = JSON.parse(text);
  const arrays = { x: decode(x), logProb: decode(logProb), logWeights: decode(logWeights), again: decode(again) };
  return { ...rest, ...arrays };
}

const isOwn = (engine: Engine) => engine === "baseline" || engine === "relaxed";

/** Writes a question as answer.js reads it. Energies run on kernels too, on the baseline ones beside onnxruntime. */
function toQuery(engine: Engine, { model, n, seed, weigh = false, density = false, rounds = 0 }: Question): string {
  return `${new URLSearchParams({
    model,
    n: `${n}`,
    seed: `${seed}`,
    rounds: `${rounds}`,
    ...(weigh ? { weigh: "yes" } : {}),
    ...(density ? { density: "yes" } : {}),
    backend: isOwn(engine) ? "kernels" : "onnxruntime",
    build: isOwn(engine) ? engine : "baseline",
    runtime: engine === "onnxruntime-web" ? "onnxruntime-web/wasm" : engine,
  })}`;
}

/** What runtimes load that are not Deno, relative to the stage. */
const bundle = "examples/dist/boltzflow_sampler.js";

/** Runs the same program under Node, Bun or Deno. */
function askProgram(program: string, args: readonly string[], loader = bundle): Runtime["ask"] {
  return async (stage, engine, questions) => {
    await Deno.copyFile(new URL("probe/local.mjs", import.meta.url), `${stage}/local.mjs`);
    const queries = questions.map((question) => toQuery(engine, question));
    const output = await runProgram(program, [...args, `${stage}/local.mjs`, stage, loader, ...queries], {
      cwd: stage,
    });
    return output.trim().split("\n").map(parseAnswer);
  };
}

async function askWorkerd(stage: string, engine: Engine, questions: readonly Question[]): Promise<Answer[]> {
  const name = isOwn(engine) ? "workerd_kernels" : "workerd_onnxruntime";
  await using worker = await serveWorker(await bundleWorker(`${stage}/${name}.json`, `${stage}/${name}`));
  const answers: Answer[] = [];
  for (const question of questions) {
    const response = await fetch(`${worker.origin}/?${toQuery(engine, question)}`);
    answers.push(parseAnswer(requireOk(response.status, await response.text())));
  }
  return answers;
}

function requireOk(status: number, text: string): string {
  if (status === 200) return text;
  throw new Error(`Cannot ask a worker: it must answer, got ${status}: ${text.slice(0, 2000)}`);
}

async function askEdge(stage: string, engine: Engine, questions: readonly Question[]): Promise<Answer[]> {
  const name = isOwn(engine) ? "edge_kernels" : "edge_onnxruntime";
  const bundled = await bundleFunction(stage, `${name}.js`, `${stage}/${name}.iife.js`);
  const urls = questions.map((question) => `http://localhost/?${toQuery(engine, question)}`);
  return (await askFunction(bundled, urls)).map(({ status, text }) => parseAnswer(requireOk(status, text)));
}

/** Runs in the page: everything comes from the file server, as it would from any host of static files. */
const pageProgram = `async (query) => {
  const { answer } = await import("/answer.js");
  const { loadSampler } = await import("/examples/dist/boltzflow_sampler.js");
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const suffix = { relaxed: "", baseline: "_baseline" };
  return await answer(new URLSearchParams(query), {
    loadSampler,
    file: (name) => bytes("/models/" + name),
    kernels: (build) => bytes("/examples/dist/boltzflow_kernels" + suffix[build] + ".wasm"),
    onnxruntime: () => import("/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs"),
  });
}`;

async function askChromium(stage: string, engine: Engine, questions: readonly Question[]): Promise<Answer[]> {
  await Deno.writeTextFile(`${stage}/index.html`, "<!doctype html><title>boltzflow</title>");
  await using server = serveFolder(stage);
  await using browser = await startChromium();
  const page = await browser.newPage();
  await page.goto(`${server.origin}/`);
  const answers: Answer[] = [];
  for (const question of questions) {
    answers.push(parseAnswer(await page.evaluate(`(${pageProgram})(${JSON.stringify(toQuery(engine, question))})`)));
  }
  return answers;
}

const denoFlags = ["run", "-A", "--no-check", "--no-config", "--no-lock"];

/** All runtimes by name; "deno, bundle" is Deno with what the others load. */
export const runtimes: Readonly<Record<string, Runtime>> = {
  deno: {
    needs: [],
    // The package chooses the relaxed kernels by itself.
    engines: ["relaxed", "onnxruntime-web"],
    ask: askProgram(Deno.execPath(), denoFlags, new URL("../../src/sampler/load.ts", import.meta.url).href),
  },
  "deno, bundle": {
    needs: [],
    engines: ["baseline", "relaxed"],
    ask: askProgram(Deno.execPath(), denoFlags),
  },
  node: {
    needs: ["node", "packages"],
    // Node 20 does not know relaxed SIMD.
    engines: ["baseline", "onnxruntime-web", "onnxruntime-node"],
    ask: askProgram(find("node") ?? "node", []),
  },
  bun: {
    needs: ["bun", "packages"],
    engines: ["baseline", "relaxed", "onnxruntime-web", "onnxruntime-node"],
    ask: askProgram(find("bun") ?? "bun", []),
  },
  chromium: {
    needs: ["chromium", "packages"],
    engines: ["baseline", "relaxed", "onnxruntime-web"],
    ask: askChromium,
  },
  workerd: {
    needs: ["node", "packages"],
    engines: ["baseline", "relaxed", "onnxruntime-web"],
    ask: askWorkerd,
  },
  "edge-runtime": {
    needs: ["node", "packages"],
    engines: ["baseline", "onnxruntime-web"],
    ask: askEdge,
  },
};
