/**
 * Times what runs model files: the package's own kernels beside onnxruntime-web and onnxruntime-node.
 *
 *     deno run -A scripts/bench_sampler.ts
 *
 * @module
 */
import { exportFlow, Flow, RealNVP } from "../mod.ts";
import { describeMachine } from "./bench_peers/machine.ts";
import { type Measurement, timedOf } from "./bench_peers/measurement.ts";
import { PeerProcess } from "./bench_peers/peer_process.ts";
import type { Contender } from "./bench_peers/peers.ts";
import { figures, markdownTable, speedTable, spreadText, type Table } from "./bench_peers/report.ts";
import { timeInTurn } from "./bench_peers/rounds.ts";
import type { SamplerBackend } from "./bench_peers/sampler_peer.ts";
import { spreadOf } from "./bench_peers/statistics.ts";
import { NAMELESS, readNumbers } from "./bench_peers/workload.ts";
import { runCommand } from "./command_line.ts";
import type { Need } from "./permissions.ts";

const PEER = new URL("./bench_peers/sampler_peer.ts", import.meta.url).pathname;

/** What is timed: backend, threads, and its name in tables. */
const BACKENDS: readonly { readonly backend: SamplerBackend; readonly threads: number; readonly name: string }[] = [
  { backend: "kernels", threads: 1, name: "own kernels" },
  { backend: "web", threads: 1, name: "onnxruntime-web" },
  { backend: "web", threads: 2, name: "onnxruntime-web" },
  { backend: "node", threads: 1, name: "onnxruntime-node" },
];

/** Largest difference of x, and of log q per coordinate, that two float32 runs of one model may have. */
const TOLERANCE = 2e-3;

const command = {
  usage: "deno run -A scripts/bench_sampler.ts",
  summary:
    "Times samples per second and the way to the first sample of our own kernels, onnxruntime-web on one and two\n" +
    "threads and onnxruntime-node: each in a process of its own, in turn, on the same model and the same z, and only if all\n" +
    "compute the same. The models: RealNVP of the dimer's size, and --model.",
  options: {
    model: { kind: "text", placeholder: "FILE", default: "examples/models/dimer.onnx", help: "a sampler.onnx" },
    "model-only": { kind: "flag", help: "leave RealNVP out" },
    batches: { kind: "text", placeholder: "LIST", default: "1,64,1024,8192", help: "samples per call" },
    rounds: { kind: "integer", minimum: 3, maximum: 1000, default: 7, help: "how often each is timed" },
    seconds: { kind: "number", above: 0, maximum: 60, default: 0.5, help: "of each in each round, at least one call" },
  },
  needs: (): readonly Need[] => [
    { name: "env", why: "where temporary folders are" },
    { name: "read", why: "models and libraries" },
    { name: "write", why: "a temporary folder" },
    { name: "run", why: "everybody is a process" },
    { name: "sys", kind: "osRelease", why: "the machine, for the tables" },
  ],
} as const;

function contender(folder: string, k: number, batch: string): Contender {
  const { backend, threads, name } = BACKENDS[k];
  const args = ["run", "-A", "--no-check", PEER, folder, backend, String(threads), batch];
  return { peer: backend === "kernels" ? "ours" : "onnx", name, threads, program: Deno.execPath(), args } as Contender;
}

/** Refuses to time programs that compute different samples. */
function requireSame(name: string, own: Float64Array, theirs: Float64Array): void {
  const far = own.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - theirs[i]) / Math.max(1, Math.abs(value))),
    0,
  );
  if (own.length !== theirs.length || !(far < TOLERANCE)) {
    throw new Error(`Cannot time ${name}: it must compute the samples of our kernels, got a difference of ${far}`);
  }
}

async function measure(
  folder: string,
  title: string,
  batch: number,
  timing: { rounds: number; seconds: number },
): Promise<Measurement> {
  await using running = new AsyncDisposableStack();
  const contenders = BACKENDS.map((_, k) => contender(folder, k, String(batch)));
  const processes: PeerProcess[] = [];
  let own: Float64Array | undefined;
  for (const { name, ...how } of contenders) {
    const process = running.use(await PeerProcess.start({ name, ...how }));
    await process.check(`${folder}/outcome`);
    const numbers = Float64Array.from(await readNumbers(`${folder}/outcome`));
    requireSame(name, own ??= numbers, numbers);
    processes.push(process);
  }
  const rounds = await timeInTurn(processes, timing);
  const timed = contenders.map((one, k) => timedOf(one, processes[k]));
  return { title: `${title}, ${batch} per call`, unit: "samples", unitsPerStep: batch, contenders: timed, rounds };
}

/** Milliseconds from a fresh process with nothing loaded to the first sample. */
async function firstSamples(folder: string, title: string, rounds: number): Promise<Table> {
  const times = BACKENDS.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const k of BACKENDS.keys()) {
      const { args } = contender(folder, k, "first");
      const { stdout } = await new Deno.Command(Deno.execPath(), { args: [...args], stderr: "inherit" }).output();
      times[k].push(Number(new TextDecoder().decode(stdout)));
    }
  }
  const rows = BACKENDS.map(({ name, threads }, k) => [
    name,
    String(threads),
    spreadText(spreadOf(times[k])),
    k === 0
      ? ""
      : spreadText(spreadOf(times[0].map((own, round) => own / times[k][round])), (ratio) => ratio.toFixed(2)),
  ]);
  const columns = ["program", "threads", "ms to the first sample", "ours ÷ this"];
  return { title: `${title}, first sample`, columns, rows, note: `Median [quartiles] of ${rounds} processes.` };
}

/** RealNVP as large as that of the dimer, with random weights. */
function realNVP(): Uint8Array {
  const flow = new Flow(new RealNVP({ dim: 76, blocks: 8, hidden: [200, 200, 200] }));
  return exportFlow(flow, NAMELESS).sampler;
}

await runCommand(command, async ({ options }) => {
  const batches = options.batches.split(",").map(Number);
  const { processor, cores, deno, commit, date } = await describeMachine();
  console.log(`${processor}, ${cores} cores, ${deno}, commit ${commit}, ${date.slice(0, 10)}\n`);
  const models: [string, Uint8Array][] = [
    ...(options["model-only"] ? [] : [["RealNVP, 3 million weights", realNVP()] as [string, Uint8Array]]),
    [options.model.replace(/^.*\//, ""), await Deno.readFile(options.model)],
  ];
  for (const [title, bytes] of models) {
    const folder = await Deno.makeTempDir({ prefix: "boltzflow_bench_" });
    try {
      await Deno.writeFile(`${folder}/model.onnx`, bytes);
      const tables = [await firstSamples(folder, title, options.rounds)];
      for (const batch of batches) tables.push(speedTable(await measure(folder, title, batch, options)));
      for (const table of tables) console.log(`### ${table.title}\n\n${markdownTable(table)}\n`);
      console.log(`The file holds ${figures(bytes.length)} bytes.\n`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
});
