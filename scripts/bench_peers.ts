/**
 * Times boltzflow beside the tools that people would otherwise use, in one run, on the same numbers.
 *
 *     deno run -A scripts/bench_peers.ts
 *
 * @module
 */
import { compareFlows } from "./bench_peers/flow_section.ts";
import { missingGcc } from "./bench_peers/gcc.ts";
import { describeMachine, type Machine } from "./bench_peers/machine.ts";
import type { Measurement } from "./bench_peers/measurement.ts";
import { compareParticles } from "./bench_peers/particle_section.ts";
import { DIMER } from "./bench_peers/particles.ts";
import { findFlowPeers, type PeerName } from "./bench_peers/peers.ts";
import { contenderList, markdownTable, speedTable, type Table } from "./bench_peers/report.ts";
import { FLOW_TASKS, R8 } from "./bench_peers/workload.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { sameArguments } from "./interrupt.ts";

const PEERS: readonly PeerName[] = ["torch", "gcc", "tfjs", "jax", "onnx"];
const PARTS = ["flow", "particles"] as const;
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
    parts: { kind: "text", placeholder: "LIST", default: PARTS.join(","), help: "what to compare" },
    rounds: { kind: "integer", minimum: 3, maximum: 1000, default: 9, help: "how often each is timed" },
    seconds: { kind: "number", above: 0, maximum: 60, default: 0.8, help: "of each in each round, at least one step" },
    quick: { kind: "flag", help: "a try in under a minute: a smaller flow, three short rounds; no numbers to quote" },
    out: {
      kind: "text",
      placeholder: "FILE",
      default: "runs/bench/bench.json",
      help: "all timings; tables and plots beside it",
    },
  },
} as const;

/** Reads a list of names. */
function listOf<T extends string>(option: string, text: string, known: readonly T[]): Set<T> {
  const names = text === "none" ? [] : text.split(",").map((name) => name.trim());
  for (const name of names) {
    if ((known as readonly string[]).includes(name)) continue;
    throw new RangeError(`Cannot run bench_peers.ts: --${option} must name some of ${known.join(", ")}, got ${name}`);
  }
  return new Set(names as T[]);
}

/** The whole outcome as it is written. */
interface Bench {
  readonly format: "boltzflow bench";
  readonly command: string;
  readonly machine: Machine;
  readonly quick: boolean;
  readonly missing: readonly string[];
  readonly measurements: readonly Measurement[];
}

function markdownOf(bench: Bench, tables: readonly Table[]): string {
  const { machine, missing, measurements } = bench;
  return [
    `Made by \`${bench.command}\` on ${machine.date.slice(0, 10)}: ${machine.processor}, ${machine.cores} cores, ` +
    `${machine.system}, ${machine.deno}, commit ${machine.commit}. One thread: processor time; several: wall time.` +
    (bench.quick ? " **A quick try: not for quoting.**" : ""),
    ...tables.map((table) => `### ${table.title}\n\n${markdownTable(table)}`),
    `### Who was compared\n\n${contenderList(measurements).join("\n")}`,
    missing.length === 0 ? "No peer was missing." : `Missing:\n\n${missing.map((line) => `- ${line}`).join("\n")}`,
  ].join("\n\n") + "\n";
}

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const wanted = listOf("peers", options.peers, PEERS);
  const parts = listOf<Part>("parts", options.parts, PARTS);
  const machine = await describeMachine();
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.deno}, commit ${machine.commit}`);
  const timing = options.quick ? { rounds: 3, seconds: 0.1 } : { rounds: options.rounds, seconds: options.seconds };
  const size = options.quick ? { ...R8, hidden: [64, 64, 64], batch: 256 } : R8;
  const missing: string[] = [];
  const measurements: Measurement[] = [];
  const tables: Table[] = [];
  if (parts.has("flow")) {
    const search = await findFlowPeers(wanted);
    missing.push(...search.missing);
    const peers = [...search.found.values()];
    const flows = await compareFlows({ size, tasks: FLOW_TASKS, threads: [1, 2], peers, log: console.log, ...timing });
    measurements.push(...flows);
    tables.push(...flows.map(speedTable));
  }
  if (parts.has("particles")) {
    const fault = wanted.has("gcc") ? await missingGcc() : null;
    if (fault !== null) missing.push(fault);
    const gcc = wanted.has("gcc") && fault === null ? "all" : "none";
    const particles = await compareParticles({ size: DIMER, gcc, log: console.log, ...timing });
    measurements.push(...particles);
    tables.push(...particles.map(speedTable));
  }
  const usage = [command.usage, ...sameArguments()].join(" ");
  const bench: Bench = {
    format: "boltzflow bench",
    command: usage,
    machine,
    quick: options.quick,
    missing,
    measurements,
  };
  const text = markdownOf(bench, tables);
  await Deno.mkdir(options.out.replace(/[^/]*$/, "") || ".", { recursive: true });
  await Deno.writeTextFile(options.out, JSON.stringify(bench, null, 1));
  await Deno.writeTextFile(options.out.replace(/(\.json)?$/, ".md"), text);
  console.log(`\n${text}`);
}

await runCommand(command, main);
