/** The package imported by URL, by a program elsewhere that may import from that host and do nothing else. */
import { assert, assertEquals } from "@std/assert";
import { ParticleDimer } from "../mod.ts";
import { makeCache, runDeno, tryDeno } from "./support/deno_process.ts";
import { inTemporaryDirectory } from "./support/file_faults.ts";
import { FOUR_SIGMA } from "./support/statistics.ts";

const root = new URL("..", import.meta.url);

/** What servers say about files whose names they do not understand as Deno does. */
const servers = [
  { name: "a plain static server", ts: "video/mp2t", wasm: "application/wasm" },
  { name: "a host of raw files", ts: "text/plain; charset=utf-8", wasm: "application/octet-stream" },
] as const;
type Server = typeof servers[number];

/** Serves the repository while `body` runs, and gives it the host. */
async function serving<T>(types: Server, body: (host: string) => Promise<T>): Promise<T> {
  await using server = Deno.serve({ hostname: "localhost", port: 0, onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname;
    const content = await Deno.readFile(new URL(`.${path}`, root)).catch(() => null);
    if (content === null) return new Response("Not found", { status: 404 });
    const headers = { "content-type": path.endsWith(".wasm") ? types.wasm : types.ts };
    return new Response(content, { headers });
  });
  return await body(`localhost:${server.addr.port}`);
}

/** Energies, Monte Carlo, training, estimators: what a program can do that has no permission. */
const program = (entry: string) => `
import {
  BoltzmannGenerator,
  boltzmannObjective,
  Flow,
  kishEffectiveSampleSize,
  logPartitionFunction,
  metropolis,
  MetropolisChains,
  ParticleDimer,
  RealNVP,
  systemFromEnergy,
  square,
  sumFeatures,
  ThreadPool,
  train,
} from ${JSON.stringify(entry)};

const dimer = new ParticleDimer();
const { energy, gradient } = dimer.energyAndGradient(dimer.initialConfiguration(2));
const chains = new MetropolisChains(dimer, { chains: 2, seed: 1 });
chains.tune(400);
chains.advance(200);

const system = systemFromEnergy((x) => sumFeatures(square(x)), { dim: 2 });
const walk = metropolis(system, { start: new Float64Array(2), steps: 50, step: 0.5, seed: 1 });

const trained = async (threads: number) => {
  using pool = await ThreadPool.open(threads);
  const flow = new Flow(new RealNVP({ dim: 2, blocks: 2, hidden: [16] }));
  await train({
    parameters: flow.parameters(),
    stages: [{
      name: "energy",
      steps: 100,
      batch: 512,
      learningRate: { shape: "constant", initial: 5e-3 },
      weights: { maximumLikelihood: 0, energy: 1, reactionCoordinate: 0 },
    }],
    objective: boltzmannObjective({ flow, system, beta: 1, seed: 1 }),
    pool,
  });
  const { logWeights } = new BoltzmannGenerator(flow, system).sample(2000, { seed: 2 });
  return { threads: pool.threads, logWeights };
};
const one = await trained(1);
const two = await trained(2);

console.log(JSON.stringify({
  energy: energy[0],
  force: Math.hypot(...gradient),
  chainEnergies: [...dimer.energy(chains.positions())],
  walk: walk.x.at(-1),
  threads: [one.threads, two.threads],
  sameForTwoThreads: one.logWeights.every((logWeight, i) => logWeight === two.logWeights[i]),
  effectiveSamples: kishEffectiveSampleSize(one.logWeights),
  logPartition: logPartitionFunction(one.logWeights),
}));
`;

interface Output {
  readonly energy: number;
  readonly force: number;
  readonly chainEnergies: readonly number[];
  readonly walk: number;
  readonly threads: readonly number[];
  readonly sameForTwoThreads: boolean;
  readonly effectiveSamples: number;
  readonly logPartition: { readonly value: number; readonly standardError: number };
}

/** Runs a program in an empty directory with the permission to import from a host and no other. */
async function runElsewhere(source: string, directory: string, host: string, cache: string) {
  const path = `${directory}/program.ts`;
  await Deno.writeTextFile(path, source);
  return await runDeno(["run", "--no-prompt", `--allow-import=${host}`, path], { cwd: directory, cache });
}

for (const server of servers) {
  Deno.test(`mod.ts works by URL from ${server.name} with the permission to import alone`, async () => {
    await inTemporaryDirectory((directory) =>
      serving(server, async (host) => {
        const cache = await makeCache(directory);
        const { stdout } = await runElsewhere(program(`http://${host}/mod.ts`), directory, host, cache);
        const local = await runElsewhere(program(new URL("mod.ts", root).href), directory, host, cache);
        const output: Output = JSON.parse(stdout);

        const dimer = new ParticleDimer();
        const { energy, gradient } = dimer.energyAndGradient(dimer.initialConfiguration(2));
        assertEquals(output.energy, energy[0]);
        assertEquals(output.force, Math.hypot(...gradient));
        // Relaxed chains, one closed and one open: published histograms end at 32 and 87 k_BT, the start is in the thousands.
        for (const u of output.chainEnergies) assert(u > 30 && u < 90, `energy of a chain: ${u}`);
        // ∫ exp(−x² − y²) = π.
        const { value, standardError } = output.logPartition;
        assert(Math.abs(value - Math.log(Math.PI)) < FOUR_SIGMA * standardError, stdout);
        // Untrained, the flow is wider by √2 in each direction: 3 samples of 4 would be effective.
        assert(output.effectiveSamples > 1950, stdout);
        // Threads of a module from a URL need no permission of their own; from a file they need --allow-read.
        assertEquals(output.threads, [1, 2]);
        assert(output.sameForTwoThreads);
        const { threads: localThreads, ...localOutput } = JSON.parse(local.stdout);
        const { threads: _, ...urlOutput } = output;
        assertEquals(localThreads, [1, 1]);
        assertEquals(urlOutput, localOutput);
      })
    );
  });
}

Deno.test("mod.ts type-checks by URL", async () => {
  await inTemporaryDirectory((directory) =>
    serving(servers[0], async (host) => {
      const cache = await makeCache(directory);
      const path = `${directory}/program.ts`;
      await Deno.writeTextFile(path, program(`http://${host}/mod.ts`));
      await runDeno(["check", `--allow-import=${host}`, path], { cwd: directory, cache });

      await Deno.writeTextFile(
        path,
        `import { DoubleWell } from "http://${host}/mod.ts"; new DoubleWell({ dim: "2" });`,
      );
      const { code, stderr } = await tryDeno(["check", `--allow-import=${host}`, path], { cwd: directory, cache });
      assert(code !== 0 && stderr.includes("TS2322"), "types must reach the program");
    })
  );
});

const stages: readonly [entry: string, source: string, expected: string][] = [
  ["system", "new m.DoubleWell().energy(Float64Array.of(1, 2))[0]", "-2"],
  ["system", "Math.round(new m.ParticleDimer().energy(new m.ParticleDimer().initialConfiguration(2))[0])", "425"],
  ["sampling", "m.statisticalInefficiency(Float64Array.from({ length: 100 }, (_, i) => i % 2)) ", "1"],
  ["flow", "new m.Flow(new m.Scaling({ dim: 1, logScale: [Math.LN2] })).decode(Float64Array.of(1)).x[0]", "2"],
  ["loss", "m.linLogCut(5, { highEnergy: 10, maxEnergy: 20 }).value", "5"],
  ["training", "new m.FrameBuffer({ dim: 2, capacity: 3, seed: 0 }).length", "0"],
  ["reweighting", "m.kishEffectiveSampleSize(Float64Array.of(2, 2, 2))", "3"],
  ["onnx", "typeof m.exportFlow", "function"],
  ["sampler", "m.encodeNpy({ shape: [1], data: Float64Array.of(1) }).length % 8", "0"],
  ["plot", "typeof m.linePlot", "function"],
  ["experiment", 'm.dimerSettings("autoregressive", "smoke").flow.kind', "autoregressive"],
];

Deno.test("every entry of deno.json works on its own", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const exports: Record<string, string> = config.exports;
  assertEquals(Object.keys(exports).sort(), [".", ...new Set(stages.map(([entry]) => `./${entry}`))].sort());
  await inTemporaryDirectory((directory) =>
    serving(servers[1], async (host) => {
      const cache = await makeCache(directory);
      for (const [entry, expression, expected] of stages) {
        const url = `http://${host}/${exports[`./${entry}`].slice(2)}`;
        const source = `import * as m from ${JSON.stringify(url)}; console.log(String(${expression}));`;
        const { stdout } = await runElsewhere(source, directory, host, cache);
        assertEquals(stdout.trim(), expected, `${entry}: ${expression}`);
      }
    })
  );
});

Deno.test("importing by URL takes a moment (times are printed, not judged)", async () => {
  await inTemporaryDirectory((directory) =>
    serving(servers[0], async (host) => {
      const cache = await makeCache(directory);
      const time = async (source: string) => Math.round((await runElsewhere(source, directory, host, cache)).ms);
      const importing = (entry: string) => `import "http://${host}/${entry}";`;
      const empty = await time("");
      const times = {
        "mod.ts, first time": await time(importing("mod.ts")),
        "mod.ts, cached": await time(importing("mod.ts")),
        "reweighting, cached": await time(importing("src/reweighting/mod.ts")),
      };
      console.log(`empty program ${empty} ms;`, ...Object.entries(times).map(([name, ms]) => `${name} ${ms} ms;`));
    })
  );
});
