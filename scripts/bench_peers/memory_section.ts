/**
 * Peak resident memory of processes that train and do nothing else.
 *
 * @module
 */
import { PeerProcess } from "./peer_process.ts";
import { type FlowPeer, ourFlow } from "./peers.ts";
import type { Table } from "./report.ts";
import { type FlowSize, writeWorkload } from "./workload.ts";

/** Memory of one process. */
export interface MemoryUse {
  /** Who. */
  readonly name: string;
  /** Threads. */
  readonly threads: number;
  /** Bytes; null where the operating system does not tell. */
  readonly peak: number | null;
}

/** Steps until memory no longer grows. */
const STEPS = 3;

/**
 * Lets everybody do a few steps of maximum likelihood, one after the other.
 *
 * @param size of the flow
 * @param threads numbers of threads
 * @param peers those that are there
 * @returns what each took
 */
export async function compareMemory(
  size: FlowSize,
  threads: readonly number[],
  peers: readonly FlowPeer[],
): Promise<MemoryUse[]> {
  const folder = await Deno.makeTempDir({ prefix: "boltzflow_bench_" });
  try {
    await writeWorkload(folder, size);
    const task = "maximumLikelihood";
    const uses: MemoryUse[] = [];
    for (
      const contender of [ourFlow, ...peers.map((peer) => peer.contenders)].flatMap((f) => f(folder, task, threads))
    ) {
      await using process = await PeerProcess.start(contender);
      await process.go(STEPS);
      uses.push({ name: contender.name, threads: contender.threads, peak: await process.peakMemory() });
    }
    return uses;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes the table. */
export function memoryTable(uses: readonly MemoryUse[]): Table {
  const title = "Peak resident memory, training by maximum likelihood";
  const rows = uses.map(({ name, threads, peak }) => [
    name,
    String(threads),
    peak === null ? "unknown" : String(Math.round(peak / 1e6)),
  ]);
  return { title, columns: ["program", "threads", "MB"], rows, note: `The whole process after ${STEPS} steps.` };
}
