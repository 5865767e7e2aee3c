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

/** What is asked of a runtime. */
export interface Question {
  /** Name of the model on the stage. */
  readonly model: string;
  /** Which of our own kernels, or onnxruntime. */
  readonly engine: "baseline" | "relaxed" | "onnxruntime-web" | "onnxruntime-node";
  /** How many samples. */
  readonly n: number;
  /** Their seed. */
  readonly seed: number;
  /** How often sampling is timed; 0 asks for log-densities of the samples instead. */
  readonly rounds: number;
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
  /** log-weights, [n]. */
  readonly logWeights: Float64Array;
  /** log q(x), [n], from the density model. */
  readonly again: Float64Array;
}

/** A runtime: what it needs, which engines it runs, and how to ask it. */
export interface Runtime {
  /** What must be installed. */
  readonly needs: readonly Need[];
  /** Engines that work. */
  readonly engines: readonly Question["engine"][];
  /** Answers questions on a stage, in order, in one process. */
  ask(stage: string, questions: readonly Question[]): Promise<Answer[]>;
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

function toQuery({ model, engine, n, seed, rounds }: Question): string {
  const own = engine === "baseline" || engine === "relaxed";
  const choice = own ? { backend: "kernels", build: engine } : {
    backend: "onnxruntime",
    runtime: engine === "onnxruntime-web" ? "onnxruntime-web/wasm" : engine,
  };
  return `${new URLSearchParams({ model, ...choice, n: `${n}`, seed: `${seed}`, rounds: `${rounds}` })}`;
}

const isOwn = ({ engine }: Question) => engine === "baseline" || engine === "relaxed";

/** Runs the same program under Node, Bun or Deno. */
async function askProgram(program: string, args: readonly string[], stage: string, questions: readonly Question[]) {
  await Deno.copyFile(new URL("probe/local.mjs", import.meta.url), `${stage}/local.mjs`);
  const output = await runProgram(program, [...args, `${stage}/local.mjs`, stage, ...questions.map(toQuery)], {
    cwd: stage,
  });
  return output.trim().split("\n").map(parseAnswer);
}

async function askWorkerd(stage: string, questions: readonly Question[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const question of questions) {
    const name = isOwn(question) ? "workerd_kernels" : "workerd_onnxruntime";
    await using worker = await serveWorker(await bundleWorker(`${stage}/${name}.json`, `${stage}/${name}`));
    const response = await fetch(`${worker.origin}/?${toQuery(question)}`);
    answers.push(parseAnswer(await okText(response)));
  }
  return answers;
}

async function okText(response: { readonly status: number; text(): Promise<string> }): Promise<string> {
  const text = await response.text();
  if (response.status !== 200) throw new Error(`Cannot ask a worker: it must answer, got ${response.status}: ${text}`);
  return text;
}

async function askEdge(stage: string, questions: readonly Question[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const question of questions) {
    const name = isOwn(question) ? "edge_kernels" : "edge_onnxruntime";
    const bundled = await bundleFunction(stage, `${name}.js`, `${stage}/${name}.iife.js`);
    const [{ status, text }] = await askFunction(bundled, [`http://localhost/?${toQuery(question)}`]);
    answers.push(parseAnswer(await okText({ status, text: () => Promise.resolve(text) })));
  }
  return answers;
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

async function askChromium(stage: string, questions: readonly Question[]): Promise<Answer[]> {
  await Deno.writeTextFile(`${stage}/index.html`, "<!doctype html><title>boltzflow</title>");
  await using server = serveFolder(stage);
  await using browser = await startChromium();
  const answers: Answer[] = [];
  for (const question of questions) {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/`);
    const call = `(${pageProgram})(${JSON.stringify(toQuery(question))})`;
    answers.push(parseAnswer(await page.evaluate(call)));
    await page.close();
  }
  return answers;
}

/** All runtimes by name; "deno, bundle" is Deno with what the others load. */
export const runtimes: Readonly<Record<string, Runtime>> = {
  "deno, bundle": {
    needs: ["packages"],
    engines: ["baseline", "relaxed"],
    ask: (stage, questions) => askProgram(Deno.execPath(), ["run", "-A", "--no-config", "--no-lock"], stage, questions),
  },
  node: {
    needs: ["node", "packages"],
    engines: ["baseline", "onnxruntime-web", "onnxruntime-node"],
    ask: (stage, questions) => askProgram(find("node")!, [], stage, questions),
  },
  bun: {
    needs: ["bun", "packages"],
    engines: ["baseline", "relaxed", "onnxruntime-web", "onnxruntime-node"],
    ask: (stage, questions) => askProgram(find("bun")!, [], stage, questions),
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
