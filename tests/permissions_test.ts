/**
 * Least privilege: every script and every part of the library runs with exactly the flags of this table, which the README
 * repeats, and says in a sentence which one is missing. None reaches the network.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { exportBijector, randomRealNVP } from "./onnx/flow_example.ts";
import { inTemporaryDirectory } from "./support/file_faults.ts";
import { long } from "./support/incidents.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

/** What became of a program. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a module with flags and no others; packages come from the cache. */
async function runWith(flags: readonly string[], args: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--cached-only", "--deny-net", ...flags, ...args],
    env: { NO_COLOR: "1" },
    cwd: root,
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** The folder of onnxruntime-web in the cache, whose WebAssembly it reads when a model is opened. */
async function runtimeFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return `${JSON.parse(new TextDecoder().decode(stdout)).npmCache}/registry.npmjs.org/onnxruntime-web`;
}

/** Flags by what they are for; OUT, MODEL and RUNTIME stand for paths. */
type Flags = { readonly [K in "read" | "write" | "env" | "run"]?: readonly string[] | true };

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
  "sampling a model": {
    needs: { read: ["RUNTIME"] },
    program: `
      const { sampler } = b.exportFlow(new b.Flow(new b.RealNVP({ dim: 2, blocks: 1, hidden: [4] })), { system: "a",
        preset: "b", parameters: {}, particles: null, temperature: 1, units: {}, referenceDomain: "all", seed: 1 });
      await using model = await b.loadSampler(sampler);
      await model.sample(3, { seed: 1 });`,
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

const runs: Flags = { read: ["OUT", "ROOT", "RUNTIME"], write: ["OUT"], env: true };

/** Scripts: what they need, and arguments for the shortest run. */
const scripts: Readonly<
  Record<string, { readonly needs: Flags; readonly args: readonly string[]; readonly short?: true }>
> = {
  "train_dimer.ts": { needs: runs, args: ["--budget", "smoke", "--out", "OUT"] },
  "compare_dimer.ts": { needs: runs, args: ["--minutes", "0.02", "--out", "OUT"] },
  "dimer_temperatures.ts": { needs: runs, args: ["--budget", "smoke", "--out", "OUT"] },
  "fluid_free_energy.ts": { needs: runs, args: ["--budget", "smoke", "--out", "OUT"] },
  "sample_onnx.ts": {
    needs: { read: ["MODEL", "OUT", "RUNTIME"], write: ["OUT"] },
    args: ["MODEL", "--n", "5", "--out", "OUT/s.npz"],
    short: true,
  },
  "audit.ts": { needs: { read: true, run: true }, args: [], short: true },
};

function flagsOf(needs: Flags, paths: Readonly<Record<string, string>>): string[] {
  return Object.entries(needs).map(([name, what]) =>
    what === true ? `--allow-${name}` : `--allow-${name}=${what.map((path) => replace(path, paths)).join(",")}`
  );
}

function replace(text: string, paths: Readonly<Record<string, string>>): string {
  return Object.entries(paths).reduce((result, [name, path]) => result.replace(name, path), text);
}

/** One sentence of ours, and nothing of the engine's. */
function assertSentence({ code, stderr }: Ended, what: string): void {
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
      await new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--no-check", file, out] }).output();
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

Deno.test("scripts run with exactly their permissions, and name in one sentence the one that is missing", async () => {
  await inTemporaryDirectory(async (directory) => {
    const model = `${directory}/model.onnx`;
    await Deno.writeFile(model, exportBijector(randomRealNVP({ dim: 2, blocks: 1, hidden: [3] })).sampler);
    const runtime = await runtimeFolder();
    const jobs = Object.entries(scripts).flatMap(([script, { needs, args, short }], i) => {
      const paths = { OUT: `${directory}/${i}`, MODEL: model, ROOT: root, RUNTIME: runtime };
      const line = [`scripts/${script}`, ...args.map((arg) => replace(arg, paths))];
      const complete = async () => {
        if (script === "sample_onnx.ts") await Deno.mkdir(paths.OUT, { recursive: true });
        const { code, stderr } = await runWith(flagsOf(needs, paths), line);
        assertEquals(code, 0, `${script}: ${stderr}`);
      };
      const without = Object.keys(needs).map((missing) => async () => {
        const fewer = Object.fromEntries(Object.entries(needs).filter(([flag]) => flag !== missing));
        assertSentence(await runWith(flagsOf(fewer, paths), line), `${script} without ${missing}`);
      });
      const help = async () => assertEquals((await runWith([], [`scripts/${script}`, "--help"])).code, 0, script);
      return [...without, ...(short || long ? [complete] : [help])];
    });
    await inPairs(jobs);
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
      assertSentence({ code: 1, stdout: "", stderr }, "");
    } catch {
      passed = false;
    }
    assertEquals(passed, false, stderr);
  }
});
