/**
 * Computes the reference numbers of DW4 and LJ13, which no closed form gives, and writes them as a module.
 *
 *     deno run -A scripts/cluster_references.ts --out src/system/cluster_references.ts
 *
 * @module
 */
import { descendLadder } from "./cluster_ladder.ts";
import { integrateDoubleWellCluster, type QuadratureGrid } from "./cluster_quadrature.ts";
import { runCommand } from "./command_line.ts";

/** Temperatures of DW4, and grids that resolve the narrowest wells there: the error is measured, by a coarser step. */
const coarse: QuadratureGrid = { points: 256, spacing: 0.1, step: 0.1 };
const quadratures = [
  { preset: "koehler2020", temperature: 0.5, grid: { ...coarse, step: 0.08 } },
  { preset: "koehler2020", temperature: 1, grid: coarse },
  { preset: "koehler2020", temperature: 2, grid: coarse },
  { preset: "eacf-fab", temperature: 1, grid: { points: 512, spacing: 0.05, step: 0.04 } },
] as const;
/** How much coarser the step is that errors are measured by. */
const COARSER = 1.25;
/** Relative step of the derivative by β. */
const STEP = 1e-3;

/** One row of the table. */
interface Row {
  readonly system: string;
  readonly preset: string;
  readonly temperature: number;
  readonly values: Readonly<Record<string, readonly [value: number, error: number]>>;
}

/** ln Z, ⟨U⟩ = −∂ ln Z/∂β and P(d < d₀). */
function doubleWellRow({ preset, temperature, grid }: typeof quadratures[number]): Row {
  const at = (beta: number) => integrateDoubleWellCluster(preset, 1 / beta, grid);
  const beta = 1 / temperature;
  const { logPartition, closeProbability } = at(beta);
  const other = integrateDoubleWellCluster(preset, temperature, { ...grid, step: COARSER * grid.step });
  const error = (value: number, coarser: number) => Math.max(1e-8, Math.abs(value - coarser));
  const [lower, upper] = [at(beta * (1 - STEP)), at(beta * (1 + STEP))].map((near) => near.logPartition);
  const meanEnergy = (lower - upper) / (2 * STEP * beta);
  return {
    system: "double-well-cluster",
    preset,
    temperature,
    values: {
      logPartition: [logPartition, error(logPartition, other.logPartition)],
      // That of the difference quotient, STEP² β²/6 times a third cumulant of some tens, beside that of ln Z.
      meanEnergy: [meanEnergy, 1e-3],
      closeProbability: [closeProbability, error(closeProbability, other.closeProbability)],
    },
  };
}

/** Mean of independent runs and its standard error. */
function meanOf(values: readonly number[]): [number, number] {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / (values.length - 1) / values.length)];
}

function lennardJonesRows(runs: number, sweeps: number): Row[] {
  const results = Array.from({ length: runs }, (_, seed) => descendLadder({ sweeps, frames: 200, seed }));
  return (["eacf", "efm"] as const).map((preset, f) => ({
    system: "lennard-jones-cluster",
    preset,
    temperature: 1,
    values: {
      logPartition: meanOf(results.map((result) => result.logPartition[f])),
      meanEnergy: meanOf(results.map((result) => result.meanEnergy[f])),
    },
  }));
}

/** A number to a digit beyond its error. */
function digits(value: number, error: number): string {
  return value.toFixed(Math.max(0, Math.ceil(-Math.log10(error)) + 1)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

function moduleText(rows: readonly Row[], command: string): string {
  const lines = rows.map(({ system, preset, temperature, values }) => {
    const fields = Object.entries(values).map(([name, [value, error]]) =>
      `${name}: { value: ${digits(value, error)}, error: ${Number(error.toPrecision(2))} }`
    );
    return `  { system: "${system}", preset: "${preset}", temperature: ${temperature}, ${fields.join(", ")} },`;
  });
  return `/**
 * What DW4 and LJ13 are at some temperatures, where no closed form says so. Made by the command below; do not edit.
 *
 * @module
 */

import type { ClusterReference } from "./cluster_reference.ts";

/** The command that made the table. */
export const clusterReferencesCommand = "${command}";

/**
 * ln Z, ⟨U⟩ and populations of clusters: those of DW4 by quadrature, those of LJ13 by Monte Carlo from the ideal gas to the
 * cluster and MBAR, with errors from independent runs.
 *
 * @example
 * \`\`\`ts
 * import { clusterReferences } from "@boltzflow/boltzflow";
 * const dw4 = clusterReferences.find(({ preset, temperature }) => preset === "koehler2020" && temperature === 1);
 * if (dw4?.logPartition.value.toFixed(4) !== "29.6672") throw new Error("ln Z of DW4");
 * \`\`\`
 */
export const clusterReferences: readonly ClusterReference[] = [
${lines.join("\n")}
];
`;
}

await runCommand({
  usage: "deno run -A scripts/cluster_references.ts",
  summary:
    "Computes ln Z, mean energies and populations of DW4 by quadrature and of LJ13 by Monte Carlo and MBAR, and " +
    "writes them as a module. Takes about three minutes on one core.",
  options: {
    runs: {
      kind: "integer",
      minimum: 2,
      default: 16,
      help: "independent runs of LJ13, whose scatter gives the errors",
    },
    sweeps: { kind: "integer", minimum: 1000, default: 20000, help: "sweeps of each rung of a run" },
    out: { kind: "text", placeholder: "FILE.ts", default: "cluster_references.ts", help: "module to write" },
  },
  needs: ({ options: { out } }) => [{ name: "write", path: out, why: "the numbers" }],
}, async ({ options: { runs, sweeps, out } }) => {
  const rows = [...quadratures.map(doubleWellRow), ...lennardJonesRows(runs, sweeps)];
  const command = `deno run -A scripts/cluster_references.ts --runs ${runs} --sweeps ${sweeps}`;
  await Deno.writeTextFile(out, moduleText(rows, command));
  console.log(`${rows.length} rows: ${out}`);
});
