/**
 * Times boltzflow beside the tools that people would otherwise use, in one run, on the same numbers.
 *
 *     deno run -A scripts/bench_peers.ts
 *
 * @module
 */
import { compareFlows } from "./bench_peers/flow_section.ts";
import { isSingle, missingGcc, VARIANTS } from "./bench_peers/gcc.ts";
import { growthFigure } from "./bench_peers/growth_figure.ts";
import { type GrowthCurve, growthTable, measureGrowth, SIZES } from "./bench_peers/growth_section.ts";
import { describeMachine, type Machine } from "./bench_peers/machine.ts";
import type { Measurement } from "./bench_peers/measurement.ts";
import { compareMemory, memoryTable, type MemoryUse } from "./bench_peers/memory_section.ts";
import { compareParticles } from "./bench_peers/particle_section.ts";
import { DIMER } from "./bench_peers/particles.ts";
import { findFlowPeers, type FlowPeer, type PeerName } from "./bench_peers/peers.ts";
import { contenderList, markdownTable, speedTable, type Table } from "./bench_peers/report.ts";
import { type StepShare, stepTable, takeStepApart } from "./bench_peers/step_section.ts";
import { FLOW_TASKS, R8 } from "./bench_peers/workload.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { sameArguments } from "./interrupt.ts";
import type { Need } from "./permissions.ts";

const PEERS: readonly PeerName[] = ["torch", "gcc", "tfjs", "jax", "onnx"];
const PARTS = ["flow", "step", "memory", "particles", "growth"] as const;
type Part = typeof PARTS[number];

const command = {
  usage: "deno run -A scripts/bench_peers.ts",
  summary:
    "Times training, sampling, energies and Monte Carlo beside PyTorch, gcc, TensorFlow.js, jax-js and ONNX Runtime:\n" +
    "each in a process of its own, in turn, on the same weights and inputs, and only if all compute the same. Peers that\n" +
    "are missing are named. JavaScript peers are downloaded from npm when they are first asked for.",
  options: {
    peers: {
      kind: "text",
      placeholder: "LIST",
      default: PEERS.join(","),
      help: "with whom to compare, separated by commas; none for ours alone",
    },
    parts: {
      kind: "text",
      placeholder: "LIST",
      default: PARTS.join(","),
      help:
        "what to do: training and sampling, our step taken apart, memory, energies and Monte Carlo, growth with size",
    },
    rounds: { kind: "integer", minimum: 3, maximum: 1000, default: 7, help: "how often each is timed" },
    seconds: { kind: "number", above: 0, maximum: 60, default: 0.6, help: "of each in each round, at least one step" },
    quick: { kind: "flag", help: "a try in under a minute: a smaller flow, three short rounds; no numbers to quote" },
    out: {
      kind: "text",
      placeholder: "FILE",
      default: "runs/bench/bench.json",
      help: "all timings; tables and plots beside it",
    },
  },
  needs: ({ options }: { options: { out: string } }): readonly Need[] => [
    { name: "env", why: "d3-node, which draws, and where temporary folders are" },
    { name: "read", why: "what peers compute, and their libraries wherever they are" },
    { name: "write", path: folderOf(options.out), why: "timings, tables and plots" },
    { name: "write", path: temporaryFolder(), why: "what peers are given" },
    { name: "run", why: "peers are processes" },
    { name: "sys", kind: "osRelease", why: "the machine, for the tables" },
  ],
} as const;

/** The folder of a file, with a slash at its end. */
function folderOf(path: string): string {
  return path.replace(/[^/]*$/, "") || "./";
}

/** Where Deno makes temporary folders. */
function temporaryFolder(): string {
  return Deno.env.get(Deno.build.os === "windows" ? "TEMP" : "TMPDIR") || "/tmp";
}

/** Reads a list of names. */
function listOf<T extends string>(option: string, text: string, known: readonly T[]): Set<T> {
  const names = text === "none" ? [] : text.split(",").map((name) => name.trim());
  for (const name of names) {
    if ((known as readonly string[]).includes(name)) continue;
    throw new RangeError(`Cannot run bench_peers.ts: --${option} must name some of ${known.join(", ")}, got ${name}`);
  }
  return new Set(names as T[]);
}

/** What the parts found. */
interface Findings {
  /** Everybody on the same work. */
  readonly measurements: Measurement[];
  /** Our training step, kernel by kernel. */
  step?: StepShare;
  /** Peak memory of training. */
  memory?: readonly MemoryUse[];
  /** Work by size. */
  growth?: readonly GrowthCurve[];
}

/** The whole outcome as it is written. */
interface Bench extends Findings {
  readonly format: "boltzflow bench";
  readonly command: string;
  readonly machine: Machine;
  readonly quick: boolean;
  readonly missing: readonly string[];
}

/** How long and how large. */
function planOf(quick: boolean, rounds: number, seconds: number) {
  if (!quick) return { timing: { rounds, seconds }, size: R8, threads: [1, 2], steps: 15, sizes: SIZES };
  const size = { ...R8, blocks: 2, hidden: [64, 64, 64], batch: 256 };
  const sizes = { solvent: [4, 16, 36], widths: [16, 32, 64], batches: [32, 64, 128] };
  return { timing: { rounds: 3, seconds: 0.03 }, size, threads: [1], steps: 5, sizes };
}

/** Does the parts that were asked for. */
async function measure(
  parts: ReadonlySet<Part>,
  peers: readonly FlowPeer[],
  hasGcc: boolean,
  { timing, size, threads, steps, sizes }: ReturnType<typeof planOf>,
): Promise<Findings> {
  const log = console.log;
  const variants = hasGcc ? VARIANTS : [];
  const findings: Findings = { measurements: [] };
  if (parts.has("flow")) {
    findings.measurements.push(...await compareFlows({ size, tasks: FLOW_TASKS, threads, peers, log, ...timing }));
  }
  if (parts.has("step")) {
    log("\nOur training step taken apart");
    const step = await takeStepApart(size, "maximumLikelihood", steps);
    if (step !== null) findings.step = step;
    else log("  left out: tests/bench/step_share.ts is not there, or failed");
  }
  if (parts.has("memory")) {
    log("\nMemory of training");
    findings.memory = await compareMemory(size, threads, peers);
  }
  if (parts.has("particles")) {
    findings.measurements.push(...await compareParticles({ size: DIMER, variants, log, ...timing }));
  }
  if (parts.has("growth")) {
    const doubles = variants.filter((variant) => !isSingle(variant));
    const rounds = Math.min(5, timing.rounds);
    // The others would take hours for the large sizes.
    const fast = peers.filter(({ peer }) => peer === "torch");
    findings.growth = await measureGrowth({ size, sizes, variants: doubles, peers: fast, log, ...timing, rounds });
  }
  return findings;
}

function tablesOf({ measurements, step, memory, growth = [] }: Findings): Table[] {
  return [
    ...measurements.map(speedTable),
    ...(step === undefined ? [] : [stepTable("Our training step, maximum likelihood", step)]),
    ...(memory === undefined ? [] : [memoryTable(memory)]),
    ...growth.map(growthTable),
  ];
}

function markdownOf(bench: Bench, figure: string | null): string {
  const { machine, missing, growth = [] } = bench;
  const sizes = growth.flatMap(({ points }) => points.flatMap(({ measurement }) => measurement ?? []));
  return [
    `Made by \`${bench.command}\` on ${machine.date.slice(0, 10)}: ${machine.processor}, ${machine.cores} cores, ` +
    `${machine.system}, ${machine.deno}, commit ${machine.commit}. One thread: processor time; several: wall time.` +
    (bench.quick ? " **A quick try: not for quoting.**" : ""),
    ...tablesOf(bench).map((table) => `### ${table.title}\n\n${markdownTable(table)}`),
    ...(figure === null ? [] : [`![Time by particles, width and batch](${figure})`]),
    `### Who was compared\n\n${contenderList([...bench.measurements, ...sizes]).join("\n")}`,
    missing.length === 0 ? "No peer was missing." : `Missing:\n\n${missing.map((line) => `- ${line}`).join("\n")}`,
  ].join("\n\n") + "\n";
}

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const wanted = listOf("peers", options.peers, PEERS);
  const parts = listOf<Part>("parts", options.parts, PARTS);
  const machine = await describeMachine();
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.deno}, commit ${machine.commit}`);
  const search = await findFlowPeers(wanted);
  const faults = wanted.has("gcc") ? await missingGcc() : [];
  const missing = [...search.missing, ...faults];
  for (const line of missing) console.log(`Missing: ${line}`);
  const hasGcc = wanted.has("gcc") && faults.length === 0;
  const plan = planOf(options.quick, options.rounds, options.seconds);
  const findings = await measure(parts, search.found, hasGcc, plan);
  const usage = [command.usage, ...sameArguments()].join(" ");
  const bench: Bench = {
    format: "boltzflow bench",
    command: usage,
    machine,
    quick: options.quick,
    missing,
    ...findings,
  };
  await write(options.out, bench);
}

/** Writes all timings, the tables, and the figure if there is one. */
async function write(out: string, bench: Bench): Promise<void> {
  const folder = folderOf(out);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(out, JSON.stringify(bench, null, 1));
  const figure = bench.growth === undefined ? null : "growth.svg";
  if (bench.growth !== undefined) await Deno.writeTextFile(`${folder}growth.svg`, await growthFigure(bench.growth));
  const text = markdownOf(bench, figure);
  await Deno.writeTextFile(out.replace(/(\.json)?$/, ".md"), text);
  console.log(`\n${text}`);
}

await runCommand(command, main);
