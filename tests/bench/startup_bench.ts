/**
 * What it takes to start: an import and the energy of one configuration, beyond an empty program, in units of Deno's own
 * start-up.
 *
 * Run with `deno bench -A tests/bench/startup_bench.ts`. Aim of the project for `mod.ts`: at most three times, better one
 * and a half. Each time is the wall time of a new process, the programs in turn. They lie in an empty directory, as a
 * user's program would, and run with a cache of their own: warm, where everything has been compiled once, and new,
 * where Deno transpiles each module first. Packages from npm are there in both.
 */
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { makeCache, runDeno } from "../support/deno_process.ts";
import { quantile } from "./compare.ts";

const root = new URL("../..", import.meta.url).href;
const ROUNDS = { warm: 25, new: 3 };

const energyOfOne = (entry: string) =>
  `import { ParticleDimer } from "${root}${entry}";
const dimer = new ParticleDimer();
console.log(dimer.energy(dimer.initialConfiguration(1))[0]);`;

/** Programs by name, the empty one first. */
const programs: Readonly<Record<string, string>> = {
  "empty program": "",
  "mod.ts, one energy": energyOfOne("mod.ts"),
  "system/mod.ts, one energy": energyOfOne("src/system/mod.ts"),
  ...Object.fromEntries(
    ["sampling", "flow", "training", "reweighting", "onnx", "plot", "experiment"]
      .map((stage) => [`${stage}/mod.ts, import alone`, `import "${root}src/${stage}/mod.ts";`]),
  ),
};

/** Times [round][program] in milliseconds. */
async function timesOf(rounds: number, run: (file: string) => Promise<number>): Promise<number[][]> {
  const times: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    const row: number[] = [];
    for (let k = 0; k < Object.keys(programs).length; k++) row.push(await run(`${k}.ts`));
    times.push(row);
  }
  return times;
}

function quartiles(values: readonly number[]): readonly number[] {
  return [0.25, 0.5, 0.75].map((q) => quantile(values, q));
}

/** Number of modules and their bytes: what Deno looks up, reads and links. */
async function sizeOf(file: string, directory: string, cache: string): Promise<string> {
  const { stdout } = await runDeno(["info", "--json", file], { cwd: directory, cache });
  const modules: { size?: number }[] = JSON.parse(stdout).modules;
  const bytes = modules.reduce((sum, { size = 0 }) => sum + size, 0);
  return `${modules.length} modules, ${Math.round(bytes / 1024)} KiB`;
}

function show(title: string, sizes: readonly string[], times: readonly (readonly number[])[]): void {
  console.log(`\n${title}: median [quartiles] of ${times.length} rounds`);
  Object.keys(programs).forEach((name, k) => {
    const [low, middle, high] = quartiles(times.map((row) => row[k])).map((ms) => ms.toFixed(0));
    const ratios = quartiles(times.map((row) => (row[k] - row[0]) / row[0])).map((ratio) => ratio.toFixed(2));
    const extra = k === 0 ? "" : `   extra ${ratios[1]} [${ratios[0]}, ${ratios[2]}] of the empty program`;
    console.log(`  ${name.padEnd(34)} ${`${middle} [${low}, ${high}]`.padStart(18)} ms${extra.padEnd(54)} ${sizes[k]}`);
  });
}

/** Asks nobody for packages or newer versions, so that a network's moods stay out of the times. */
const offline = (file: string) => ["run", "-A", "--cached-only", file];

await inTemporaryDirectory(async (directory) => {
  const warm = await makeCache(directory);
  const sizes: string[] = [];
  for (const [k, source] of Object.values(programs).entries()) {
    await Deno.writeTextFile(`${directory}/${k}.ts`, source);
    sizes.push(await sizeOf(`${k}.ts`, directory, warm));
    // V8 writes compiled code in the second run, which the third one reads.
    for (let run = 0; run < 2; run++) await runDeno(offline(`${k}.ts`), { cwd: directory, cache: warm });
  }
  show(
    "New process, warm cache",
    sizes,
    await timesOf(ROUNDS.warm, async (file) => {
      return (await runDeno(offline(file), { cwd: directory, cache: warm })).ms;
    }),
  );
  show(
    "New process, new cache",
    sizes,
    await timesOf(ROUNDS.new, (file) =>
      inTemporaryDirectory(async (elsewhere) => {
        const cache = await makeCache(elsewhere);
        return (await runDeno(offline(file), { cwd: directory, cache })).ms;
      })),
  );
});
