/**
 * Computes reference numbers of the particle dimer by umbrella sampling along its distance, and writes them as a module.
 *
 *     deno run -A scripts/dimer_references.ts --out src/system/dimer_references.ts
 *
 * @module
 */
import { ParticleDimer, type ParticleDimerPreset, ThreadPool } from "../mod.ts";
import { dimerUmbrella, profileEdges } from "../src/experiment/mod.ts";
import { runCommand } from "./command_line.ts";

/** What is computed; colder solvents relax slowly and get more sweeps. */
const questions: readonly { preset: ParticleDimerPreset; temperature: number; longer: number }[] = [
  { preset: "noe2019", temperature: 0.5, longer: 3 },
  { preset: "noe2019", temperature: 1, longer: 1 },
  { preset: "noe2019", temperature: 2, longer: 1 },
  { preset: "noe2019-class", temperature: 1, longer: 1 },
];

/** Replicates of the bootstrap over chains. */
const BOOTSTRAPS = 200;

/** A number with its error; null where a run has none. */
type Value = readonly [value: number, error: number] | null;

/**
 * Mean of independent runs of one length. Its error is what their own errors give, or more where they scatter more: chains
 * of a cold solvent may hide how slow they are.
 */
function meanOf(values: readonly Value[]): Value {
  const known = values.filter((value) => value !== null);
  if (known.length < values.length) return null;
  const mean = known.reduce((sum, [value]) => sum + value, 0) / known.length;
  const own = Math.hypot(...known.map(([, error]) => error)) / known.length;
  return [mean, own * Math.sqrt(Math.max(1, chiSquareOf(known, mean) / (known.length - 1)))];
}

function chiSquareOf(values: readonly NonNullable<Value>[], mean: number): number {
  return values.reduce((sum, [value, error]) => sum + ((value - mean) / error) ** 2, 0);
}

/** One run. */
async function once(question: typeof questions[number], sweeps: number, seed: number, pool: ThreadPool) {
  const { preset, temperature, longer } = question;
  const system = new ParticleDimer({ preset });
  const edges = profileEdges(system, temperature);
  const { freeEnergyDifference: difference, profile } = await dimerUmbrella(system, {
    temperature,
    sweeps: longer * sweeps,
    bootstraps: BOOTSTRAPS,
    edges,
    seed,
    pool,
  });
  if (!difference.reliable) {
    throw new Error(
      `Cannot make a reference: umbrella sampling must be reliable, got seed ${seed}: ${difference.reason}`,
    );
  }
  const valueOf = (value: number | null, error: number | null): Value =>
    value === null || error === null ? null : [value, error];
  return {
    edges,
    difference: valueOf(difference.value, difference.standardError),
    profile: profile.freeEnergy.map((value, b) => valueOf(value, profile.standardError[b])),
  };
}

/** Runs that differ by more than chance allows would make their mean a lie. */
function requireAgreement(values: readonly Value[], what: string): void {
  const chiSquare = chiSquareOf(values.map((value) => value!), meanOf(values)![0]);
  const limit = values.length - 1 + 4 * Math.sqrt(2 * (values.length - 1));
  console.log(
    `${what}: ${values.map((v) => `${v![0].toFixed(4)} ± ${v![1].toFixed(4)}`).join(", ")}; χ² ${chiSquare.toFixed(2)}`,
  );
  if (chiSquare <= limit) return;
  throw new Error(`Cannot make a reference: independent runs must agree, got χ² ${chiSquare.toFixed(1)} for ${what}`);
}

const numberText = (value: number, decimals: number) => String(Number(value.toFixed(decimals)));

async function rowText(question: typeof questions[number], runs: number, sweeps: number, pool: ThreadPool) {
  const { preset, temperature } = question;
  const results: Awaited<ReturnType<typeof once>>[] = [];
  for (let seed = 1; seed <= runs; seed++) results.push(await once(question, sweeps, seed, pool));
  requireAgreement(results.map(({ difference }) => difference), `${preset}, T = ${temperature}`);
  const [value, error] = meanOf(results.map(({ difference }) => difference))!;
  const { edges } = results[0];
  const bins = results[0].profile.map((_, b) => meanOf(results.map(({ profile }) => profile[b])));
  const list = (index: 0 | 1) => bins.map((bin) => bin === null ? "null" : numberText(bin[index], 4)).join(", ");
  return `  {
    preset: "${preset}",
    temperature: ${temperature},
    freeEnergyDifference: { value: ${numberText(value, 4)}, error: ${numberText(error, 4)} },
    profile: {
      from: ${numberText(edges[0], 4)},
      width: ${numberText(edges[1] - edges[0], 4)},
      freeEnergy: [${list(0)}],
      error: [${list(1)}],
    },
  },`;
}

function moduleText(rows: readonly string[], command: string): string {
  return `/**
 * ΔF and F(d) of the particle dimer by umbrella sampling. Made by the command below; do not edit.
 *
 * @module
 */

import type { DimerReferenceRow } from "./dimer_reference.ts";

/** The command that made the table. */
export const dimerReferencesCommand = "${command}";

/**
 * F(open) − F(closed) and F(d) of the dimer: umbrella sampling along d with the bond taken out of the sampling, MBAR over
 * windows, means of independent runs that agree, errors from chains.
 *
 * @example
 * \`\`\`ts
 * import { dimerReferences } from "@boltzflow/boltzflow";
 * const row = dimerReferences.find(({ preset, temperature }) => preset === "noe2019" && temperature === 1);
 * if (row?.freeEnergyDifference.value.toFixed(1) !== "6.7") throw new Error("open − closed in k_BT");
 * \`\`\`
 */
export const dimerReferences: readonly DimerReferenceRow[] = [
${rows.join("\n")}
];
`;
}

await runCommand({
  usage: "deno run -A scripts/dimer_references.ts",
  summary:
    "Computes ΔF and F(d) of the particle dimer at T = 0.5, 1 and 2 by umbrella sampling and MBAR, and writes them\n" +
    "as a module. Takes about a quarter of an hour on two cores.",
  options: {
    runs: { kind: "integer", minimum: 2, default: 3, help: "independent runs, which must agree" },
    sweeps: { kind: "integer", minimum: 1000, default: 400_000, help: "sweeps of each chain; thrice at T = 0.5" },
    out: { kind: "text", placeholder: "FILE.ts", default: "dimer_references.ts", help: "module to write" },
  },
  needs: ({ options: { out } }) => [
    { name: "write", path: out, why: "the numbers" },
    { name: "read", path: new URL("..", import.meta.url), why: "modules of worker threads" },
  ],
}, async ({ options: { runs, sweeps, out } }) => {
  using pool = await ThreadPool.open(navigator.hardwareConcurrency);
  const rows: string[] = [];
  for (const question of questions) rows.push(await rowText(question, runs, sweeps, pool));
  const command = `deno run -A scripts/dimer_references.ts --runs ${runs} --sweeps ${sweeps}`;
  await Deno.writeTextFile(out, moduleText(rows, command));
  console.log(`${rows.length} rows: ${out}`);
});
