/**
 * Prints the README's table of runtimes: start-up, samples per second, and size against the limit of the host.
 *
 *     deno run -A tests/bench/runtimes.ts [ROUNDS]
 *
 * Every round starts every runtime afresh, one after the other, so that a machine that slows down slows all of them.
 * Start-up goes from `loadSampler` to the first sample, in a process that has just begun; samples per second are those of
 * batches of 1024. Medians over rounds. Both are wall times of this machine: only ratios within a table mean something.
 *
 * @module
 */
import { type Answer, type Engine, runtimes } from "../runtimes/ask.ts";
import { dimer } from "../runtimes/golden_models.ts";
import { packages, reasonToSkip } from "../runtimes/installed.ts";
import { setStage } from "../runtimes/stage.ts";

const root = new URL("../../", import.meta.url);
const ort = new URL(`file://${packages}/node_modules/onnxruntime-web/dist/`);
const dist = new URL("examples/dist/", root);

/** What travels with a model: files by engine. */
const code: Readonly<Record<Engine, readonly URL[]>> = {
  relaxed: [new URL("boltzflow_sampler.js", dist), new URL("boltzflow_kernels.wasm", dist)],
  baseline: [new URL("boltzflow_sampler.js", dist), new URL("boltzflow_kernels_baseline.wasm", dist)],
  "onnxruntime-web": [
    new URL("boltzflow_sampler.js", dist),
    new URL("boltzflow_kernels.wasm", dist),
    new URL("ort.wasm.bundle.min.mjs", ort),
    new URL("ort-wasm-simd-threaded.wasm", ort),
  ],
  // Native code, which nobody sends to a browser.
  "onnxruntime-node": [],
};

/** Names as readers know them, and what the host takes, gzipped, by the vendors' documentation. */
const hosts: Readonly<
  Record<string, { readonly label: string; readonly limit: string; readonly megabytes?: number[] }>
> = {
  deno: { label: `Deno ${Deno.version.deno}, package`, limit: "—" },
  "deno, bundle": { label: `Deno ${Deno.version.deno}, bundle`, limit: "—" },
  node: { label: "Node 20", limit: "—" },
  bun: { label: "Bun 1.4", limit: "—" },
  chromium: { label: "Chromium 156", limit: "—" },
  workerd: { label: "Cloudflare workerd", limit: "3 MB free, 10 MB paid", megabytes: [3, 10] },
  "edge-runtime": { label: "Vercel edge-runtime 4", limit: "1, 2 or 4 MB by plan", megabytes: [1, 2, 4] },
};

/** What does not work, and why: tried on this machine. */
const failures: Readonly<Record<string, string>> = {
  "node, relaxed": "does not: V8 11.3 of Node 20 has no relaxed SIMD",
  "edge-runtime, relaxed": "does not here: it runs in Node 20",
};

/** What must be done for it to work. */
const conditions: Readonly<Record<string, string>> = {
  "node, onnxruntime-web": "works with `numThreads = 1`",
  "workerd, relaxed": "works with the `.wasm` imported",
  "workerd, baseline": "works with the `.wasm` imported",
  "workerd, onnxruntime-web": "works with `examples/onnxruntime_edge.js`",
  "edge-runtime, baseline": "works with `.wasm?module` imported",
  "edge-runtime, onnxruntime-web": "works with `examples/onnxruntime_edge.js`",
};

async function gzippedBytes(file: URL): Promise<number> {
  const stream = (await Deno.open(file)).readable.pipeThrough(new CompressionStream("gzip"));
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

async function total(files: readonly URL[]): Promise<number> {
  return (await Promise.all(files.map(gzippedBytes))).reduce((sum, bytes) => sum + bytes, 0);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Which plans take something of a size. */
function verdict(key: string, bytes: number, limits: readonly number[] | undefined): string {
  const works = conditions[key] ?? "works";
  const fits = limits?.filter((limit) => bytes <= limit * 1e6);
  if (limits === undefined || fits?.length === limits.length) return works;
  return fits?.length === 0 ? `${works}; too large for every plan` : `${works}; needs the plan of ${fits?.[0]} MB`;
}

const rounds = Number(Deno.args[0] ?? 3);
const model = new URL("examples/models/dimer.onnx", root);
const [sampler, density] = await Promise.all(
  [model, new URL("examples/models/dimer_density.onnx", root)].map((url) => Deno.readFile(url)),
);
await using stage = await setStage({ [dimer]: { sampler, density } });

const contenders = Object.entries(runtimes).flatMap(([name, runtime]) =>
  runtime.engines.map((engine) => ({ name, engine, runtime, key: `${name}, ${engine}`, answers: [] as Answer[] }))
);
for (let round = 0; round < rounds; round++) {
  for (const { runtime, engine, answers, key } of contenders) {
    const reason = reasonToSkip(runtime.needs);
    if (reason !== null) {
      if (round === 0) console.error(`${key}: ${reason}`);
      continue;
    }
    answers.push(...await runtime.ask(stage.folder, engine, [{ model: dimer, n: 1024, seed: round, rounds: 3 }]));
  }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);
const modelBytes = await total([model]);
console.log(`Model: ${megabytes(modelBytes)} MB gzipped, included in the sizes. ${rounds} rounds.\n`);
console.log("| runtime | backend | start-up, ms | samples/s | MB gzipped | the host takes | |");
console.log("| --- | --- | ---: | ---: | ---: | --- | --- |");
for (const { name, engine, answers, key } of contenders) {
  if (answers.length === 0) continue;
  const { label, limit, megabytes: limits } = hosts[name];
  const bytes = code[engine].length === 0 ? 0 : modelBytes + await total(code[engine]);
  const startUp = median(answers.map(({ startUpMs }) => startUpMs)).toFixed(0);
  const rate = Number(median(answers.flatMap(({ rates }) => rates)).toPrecision(2));
  const size = bytes === 0 ? "native" : megabytes(bytes);
  console.log(`| ${label} | ${engine} | ${startUp} | ${rate} | ${size} | ${limit} | ${verdict(key, bytes, limits)} |`);
}
for (const [key, reason] of Object.entries(failures)) {
  const [name, engine] = key.split(", ");
  console.log(`| ${hosts[name].label} | ${engine} | | | | | ${reason} |`);
}
