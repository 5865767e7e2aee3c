/**
 * Least privilege: every script and every part of the library runs with exactly the flags of this table, which the README
 * repeats, and says in a sentence which one is missing. None reaches the network.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { exportBijector, randomRealNVP } from "./onnx/flow_example.ts";
import { type Finished, npmCache, runDeno, tryDeno } from "./support/deno_process.ts";
import { inTemporaryDirectory } from "./support/file_faults.ts";
import { long } from "./support/incidents.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

/** Runs a module with flags and no others; packages come from the cache. */
function runWith(flags: readonly string[], args: readonly string[], env: Record<string, string> = {}) {
  const common = ["run", "--no-prompt", "--no-check", "--cached-only", "--deny-net"];
  return tryDeno([...common, ...flags, ...args], { cwd: root, env });
}

/** The folder of onnxruntime-web in the cache, whose WebAssembly it reads when a model is opened. */
async function runtimeFolder(): Promise<string> {
  return `${await npmCache()}/registry.npmjs.org/onnxruntime-web`;
}

/** Flags by what they are for; words in capitals stand for paths. */
type Flags = { readonly [K in "read" | "write" | "env" | "run" | "sys"]?: readonly string[] | true };

function samplingProgram(backend: string): string {
  return `
    const { sampler } = b.exportFlow(new b.Flow(new b.RealNVP({ dim: 2, blocks: 1, hidden: [4] })), { system: "a",
      preset: "b", parameters: {}, particles: null, temperature: 1, units: {}, referenceDomain: "all", seed: 1 });
    await using model = await b.loadSampler(sampler, { backend: "${backend}" });
    await model.sample(3, { seed: 1 });`;
}

/** Parts of the library: what they need, and a program that does it and prints "done". */
const parts: Readonly<
  Record<string, { readonly needs: Flags; readonly program: string; readonly complaint?: RegExp }>
> = {
  "energies, Monte Carlo, one-thread training, estimators, files in memory": {
    needs: {},
    program: `
      const system = new b.DoubleWell();
      const { x } = b.metropolis(system, { start: new Float64Array(16), step: 0.5, burnIn: 10, steps: 40, stride: 4, seed: 1 });
      const flow = new b.Flow(new b.RealNVP({ dim: 2, blocks: 1, hidden: [4] }));
      const frames = new b.FrameBuffer({ dim: 2, capacity: x.length / 2, seed: 1 });
      frames.push(x);
      await b.train({
        parameters: flow.parameters(),
        stages: [{ name: "both", steps: 2, batch: 8, learningRate: { shape: "constant", initial: 1e-3 },
          weights: { maximumLikelihood: 1, energy: 0.1, reactionCoordinate: 0 } }],
        objective: b.boltzmannObjective({ flow, system, beta: 1, seed: 1,
          data: (n, stage, step) => frames.batch(n, stage, step) }),
      });
      const { logWeights } = new b.BoltzmannGenerator(flow, system).sample(64, { seed: 2 });
      b.logPartitionFunction(logWeights);
      const models = b.exportFlow(flow, { system: "a", preset: "b", parameters: {}, particles: null, temperature: 1,
        units: {}, referenceDomain: "all", seed: 1 });
      b.decodeModel(models.sampler);
      await b.decodeNpz(await b.encodeNpz({ x: { shape: [x.length], data: x } }));`,
  },
  "threads": {
    needs: { read: ["ROOT/src"] },
    program: `using pool = await b.ThreadPool.open(2);
      if (pool.threads !== 2) throw new Error("Cannot start threads: there must be 2, got 1");`,
    complaint: /read/,
  },
  "plots": {
    needs: { env: true },
    program: `await b.linePlot([{ label: "a", x: [0, 1], y: [0, 1] }], { x: { label: "x" }, y: { label: "y" } });`,
    complaint: /Cannot draw a plot: d3-node must see the environment, got no permission: run with --allow-env/,
  },
  "sampling a model": { needs: {}, program: samplingProgram("auto") },
  "sampling a model by onnxruntime-web": {
    needs: { read: ["RUNTIME"] },
    program: samplingProgram("onnxruntime"),
    complaint:
      /Cannot open ONNX model: onnxruntime-web must be allowed to read its own files, got a refusal: run with --allow-read/,
  },
  "checkpoints": {
    needs: { read: ["OUT"], write: ["OUT"] },
    program: `
      const path = Deno.args[0] + "/c.safetensors";
      for (const step of [1, 2]) await b.saveCheckpoint(path, { kind: "a", state: { step }, tensors: new Map() });
      if ((await b.loadCheckpoint(path)).state.step !== 2) throw new Error("other");`,
    complaint:
      /Cannot (write|load checkpoint) \S+: \S+ must be open to the program, got no permission \(\w+\): run it with --allow-/,
  },
};

/** Paths by the words that stand for them. */
type Paths = Readonly<Record<"OUT" | "ROOT" | "RUNTIME" | "MODEL" | "REPORT" | "TEMPORARY", string>>;

/** A script: what it needs, and its shortest run to the end. */
interface Script {
  readonly needs: Flags;
  readonly args: readonly string[];
  /** A file that is there at the end. */
  readonly leaves?: string;
  /** Whether it takes a moment only. */
  readonly short?: true;
  /** Makes what it reads. */
  readonly before?: (paths: Paths) => Promise<unknown>;
}

const runs: Flags = { read: ["OUT", "ROOT"], write: ["OUT"], env: true };
const smoke = ["--budget", "smoke", "--out", "OUT"];

const scripts: Readonly<Record<string, Script>> = {
  "train_dimer.ts": { needs: { ...runs, read: ["OUT", "ROOT", "RUNTIME"] }, args: smoke, leaves: "OUT/report.html" },
  "compare_dimer.ts": { needs: runs, args: ["--minutes", "0.001", "--out", "OUT"], leaves: "OUT/comparison.html" },
  "dimer_temperatures.ts": {
    needs: runs,
    args: [...smoke, "--temperatures", "2", "--steps", "20"],
    leaves: "OUT/report.html",
  },
  "fluid_free_energy.ts": { needs: runs, args: smoke, leaves: "OUT/report.json" },
  "reproduce.ts": { needs: runs, args: [...smoke, "--only", "coverage"], leaves: "OUT/reproduction.md" },
  "rerun.ts": {
    needs: { read: ["REPORT", "OUT"], run: true },
    args: ["REPORT", "--out", "OUT"],
    leaves: "OUT/report.json",
    before: ({ REPORT }) => {
      const out = REPORT.replace(/\/[^/]*$/, "");
      return runDeno(["run", "-A", "--no-check", "scripts/fluid_free_energy.ts", ...smoke.with(-1, out)], {
        cwd: root,
      });
    },
  },
  "sample_onnx.ts": {
    needs: { read: ["MODEL", "OUT"], write: ["OUT"] },
    args: ["MODEL", "--n", "5", "--out", "OUT/s.npz"],
    leaves: "OUT/s.npz",
    short: true,
    before: ({ OUT }) => Deno.mkdir(OUT),
  },
  "bench_peers.ts": {
    needs: { read: true, write: ["OUT", "TEMPORARY"], env: true, run: true, sys: ["osRelease"] },
    args: ["--quick", "--peers", "none", "--parts", "particles", "--seconds", "0.01", "--out", "OUT/bench.json"],
    leaves: "OUT/bench.md",
    short: true,
  },
  "audit.ts": { needs: { read: true, run: true }, args: [], short: true },
};

function flagsOf(needs: Flags, paths: Partial<Paths>): string[] {
  return Object.entries(needs).map(([name, what]) =>
    what === true ? `--allow-${name}` : `--allow-${name}=${what.map((path) => replace(path, paths)).join(",")}`
  );
}

function replace(text: string, paths: Partial<Paths>): string {
  return Object.entries(paths).reduce((result, [name, path]) => result.replace(name, path), text);
}

/** One sentence of ours, and nothing of the engine's. */
function assertSentence({ code, stderr }: Pick<Finished, "code" | "stderr">, what: string): void {
  assertEquals(code, 1, `${what}: ${stderr}`);
  assertMatch(stderr, /^Cannot [^:\n]+: [^\n]* must [^\n]*, got [^\n]*\n$/, what);
  assertMatch(stderr, /--allow-\w+\n$/, what);
}

/** Runs jobs two at a time: processes start slowly, and there may be no more processors. */
async function inPairs(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = jobs.slice();
  const work = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job();
  };
  await Promise.all([work(), work()]);
}

for (const [name, { needs, program, complaint }] of Object.entries(parts)) {
  Deno.test(`permissions of ${name}: exactly these, and a sentence without each`, async () => {
    await inTemporaryDirectory(async (directory) => {
      const [out, file] = [`${directory}/out`, `${directory}/program.ts`];
      await Deno.mkdir(out);
      const paths = { OUT: out, ROOT: root, RUNTIME: await runtimeFolder() };
      await Deno.writeTextFile(
        file,
        `import * as b from ${
          JSON.stringify(`file://${root}/mod.ts`)
        };\ntry {${program}\nconsole.log("done"); } catch (error) {
          console.log((error as Error).message); }`,
      );
      // The first use of a package downloads it; what is tested is every later one.
      await runDeno(["run", "-A", "--no-check", file, out]);
      const good = await runWith(flagsOf(needs, paths), [file, out]);
      assertEquals([good.stdout, good.code], ["done\n", 0], good.stderr);
      await inPairs(
        Object.keys(needs).map((missing) => async () => {
          const fewer = Object.fromEntries(Object.entries(needs).filter(([flag]) => flag !== missing));
          const { stdout, stderr } = await runWith(flagsOf(fewer, paths), [file, out]);
          assert(!stdout.includes("done"), `ran without ${missing}`);
          assertMatch(name === "threads" ? stderr : stdout, complaint!, `without ${missing}`);
        }),
      );
    });
  });
}

/** What a script is to do: run to its end with all its flags, and say a sentence without any one of them. */
function trialsOf(name: string, paths: Paths): (() => Promise<void>)[] {
  const { needs, args, leaves, short, before } = scripts[name];
  const line = [`scripts/${name}`, ...args.map((arg) => replace(arg, paths))];
  const env = { TMPDIR: paths.TEMPORARY };
  const complete = async () => {
    await before?.(paths);
    const { code, stderr } = await runWith(flagsOf(needs, paths), line, env);
    assertEquals(code, 0, `${name}: ${stderr}`);
    if (leaves !== undefined) assert((await Deno.stat(replace(leaves, paths))).isFile);
  };
  const without = Object.keys(needs).map((missing) => async () => {
    const fewer = Object.fromEntries(Object.entries(needs).filter(([flag]) => flag !== missing));
    assertSentence(await runWith(flagsOf(fewer, paths), line, env), `${name} without ${missing}`);
  });
  const help = async () => assertEquals((await runWith([], [`scripts/${name}`, "--help"])).code, 0, name);
  return [...without, ...(short || long ? [complete] : [help])];
}

Deno.test("scripts run with exactly their permissions, and name in one sentence the one that is missing", async () => {
  await inTemporaryDirectory(async (directory) => {
    const [model, temporary] = [`${directory}/model.onnx`, `${directory}/temporary`];
    await Deno.mkdir(temporary);
    await Deno.writeFile(model, exportBijector(randomRealNVP({ dim: 2, blocks: 1, hidden: [3] })).sampler);
    const fixed = {
      MODEL: model,
      ROOT: root,
      RUNTIME: await runtimeFolder(),
      REPORT: `${directory}/first/report.json`,
      TEMPORARY: temporary,
    };
    await inPairs(Object.keys(scripts).flatMap((name, i) => trialsOf(name, { ...fixed, OUT: `${directory}/${i}` })));
  });
});

Deno.test("tools without options name the permission that is missing", async () => {
  await inPairs(
    ["build_wasm.ts", "check_layers.ts", "check_wasm_fresh.ts", "test_long.ts"].map((script) => async () =>
      assertSentence(await runWith([], [`scripts/${script}`]), script)
    ),
  );
});

Deno.test("assertSentence() rejects a stack trace and silence", () => {
  const trace = 'error: Uncaught (in promise) NotCapable: Requires read access to "/x"\n    at file:///x.ts:1:1\n';
  for (const stderr of [trace, "", "Cannot run x.ts: it must be, got it\n"]) {
    let passed = true;
    try {
      assertSentence({ code: 1, stderr }, "");
    } catch {
      passed = false;
    }
    assertEquals(passed, false, stderr);
  }
});
