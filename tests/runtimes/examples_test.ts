/** The examples of every runtime, run as their first lines say: all print the same mean energy and efficiency. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { summary } from "../../examples/summary.js";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import { askFunction, bundleFunction } from "./edge_runtime.ts";
import { find, type Need, runtimeTest } from "./installed.ts";
import { runProgram } from "./programs.ts";
import { setStage } from "./stage.ts";
import { serveFolder } from "./static_server.ts";
import { bundleWorker, serveWorker } from "./workerd.ts";

const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** What the examples print, computed here. */
async function expectedText(model = "dimer"): Promise<string> {
  await loadKernels({ deterministic: true });
  await using sampler = await loadSampler(await Deno.readFile(`${root}/examples/models/${model}.onnx`));
  const { x, logProb } = await sampler.sample(1000, { seed: 1 });
  return summary(sampler.metadata, logProb, await sampler.logWeights(x, logProb));
}

/** Two texts agree up to one in the last digit of the two numbers that are computed: float32 rounds below that. */
function assertSameSummary(actual: string, expected: string): void {
  const computed = /(efficiency |energy: )(-?\d+\.\d+)/g;
  assertEquals(actual.trim().replace(computed, "$1"), expected.replace(computed, "$1"));
  const [got, wanted] = [actual, expected].map((text) => Array.from(text.matchAll(computed), ([, , number]) => number));
  assertEquals(got.length, 2);
  got.forEach((number, i) => {
    const unit = 10 ** -number.split(".")[1].length;
    assert(Math.abs(Number(number) - Number(wanted[i])) < 1.5 * unit, `${actual}\ninstead of\n${expected}`);
  });
}

/** Runs an example in a process of its own, on a stage where packages are found. */
function inProcess(program: Need, args: readonly string[]): () => Promise<string> {
  return async () => {
    await using stage = await setStage({});
    return await runProgram(find(program)!, args, { cwd: stage.folder });
  };
}

/** Runs the example in Deno with flags and no others. */
const inDeno = (...args: readonly string[]) => () =>
  runProgram(Deno.execPath(), ["run", "--no-prompt", "--cached-only", "--deny-net", ...args], { cwd: root });

const inWorkerd = (config: string) => async () => {
  await using stage = await setStage({});
  const bundle = await bundleWorker(`${stage.folder}/examples/workers/${config}`, `${stage.folder}/out`);
  await using worker = await serveWorker(bundle);
  return await (await fetch(worker.origin)).text();
};

const inEdgeRuntime = (handler: string) => async () => {
  await using stage = await setStage({});
  await using server = serveFolder(stage.folder);
  // Where Vercel's builder puts the model beside the function, this serves it at the same place.
  const url = `${server.origin}/examples/vercel/api/${handler}`;
  const folder = `${stage.folder}/examples/vercel`;
  const bundled = await bundleFunction(folder, `api/${handler}`, `${stage.folder}/handler.js`, url);
  const [{ text }] = await askFunction(bundled, ["http://localhost/api/sample"]);
  return text;
};

/** Folder of examples, what it needs, and a run of it with each backend. */
const examples: Readonly<
  Record<string, { readonly needs: readonly Need[]; readonly runs: Readonly<Record<string, () => Promise<string>>> }>
> = {
  deno: {
    needs: [],
    runs: {
      kernels: inDeno("--allow-read=examples", "examples/deno/sample.ts"),
      onnxruntime: inDeno("--allow-read", "examples/deno/sample.ts", "onnxruntime"),
    },
  },
  node: {
    needs: ["node", "packages"],
    runs: {
      kernels: inProcess("node", ["examples/node/sample.mjs"]),
      onnxruntime: inProcess("node", ["examples/node/sample.mjs", "onnxruntime"]),
    },
  },
  bun: {
    needs: ["bun", "packages"],
    runs: {
      kernels: inProcess("bun", ["examples/bun/sample.js"]),
      onnxruntime: inProcess("bun", ["examples/bun/sample.js", "onnxruntime"]),
    },
  },
  workers: {
    needs: ["node", "packages"],
    runs: { kernels: inWorkerd("wrangler.jsonc"), onnxruntime: inWorkerd("wrangler.onnxruntime.jsonc") },
  },
  vercel: {
    needs: ["node", "packages"],
    runs: { kernels: inEdgeRuntime("sample.js"), onnxruntime: inEdgeRuntime("sample_onnxruntime.js") },
  },
};

for (const [name, { needs, runs }] of Object.entries(examples)) {
  for (const [backend, run] of Object.entries(runs)) {
    runtimeTest(`examples/${name} prints the energy and the efficiency, by ${backend}`, needs, async () => {
      assertSameSummary(await run(), await expectedText());
    });
  }
}

Deno.test("every folder of examples for a runtime is run by a test", async () => {
  const folders = await Array.fromAsync(
    Deno.readDir(`${root}/examples`),
    ({ name, isDirectory }) => isDirectory ? name : "",
  );
  // Of the page, the service and the models tests are elsewhere.
  const others = ["", "browser", "dist", "edge", "images", "models"];

  assertEquals(folders.filter((name) => !others.includes(name)).sort(), Object.keys(examples).sort());
});

Deno.test("assertSameSummary() accepts rounding of the last digit and rejects other samples", async () => {
  const right = "1000 samples of A (b, T = 1 T₀), efficiency 0.500\nMean energy: 12.34 k_BT₀";
  assertSameSummary(`${right}\n`, right);
  assertSameSummary(right.replace("12.34", "12.35"), right);
  for (const [from, to] of [["12.34", "12.36"], ["0.500", "0.502"], ["T = 1", "T = 2"], ["Mean", "Error"]]) {
    assertThrows(() => assertSameSummary(right.replace(from, to), right), Error);
  }
  const [cold, warm] = [await expectedText("dimer_t0.5"), await expectedText()];
  assertThrows(() => assertSameSummary(cold.replace("0.5 T₀", "1 T₀"), warm), Error);
});
