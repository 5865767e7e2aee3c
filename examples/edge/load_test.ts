/**
 * Loads the service on this machine for a bounded time, and says what it does: answers and samples per second, latencies,
 * memory.
 *
 *     deno run -A examples/edge/load_test.ts                        8 clients, 20 seconds
 *     deno run -A examples/edge/load_test.ts --clients 32 --seconds 60 --n 1000 --format npz
 *     deno run -A examples/edge/load_test.ts --origin http://localhost:8787        a service that runs already
 *
 * @module
 */
// @ts-types="../../scripts/types/parse_args.d.ts"
import { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";

/** What the load is. */
export interface Load {
  /** Where the service answers. */
  readonly origin: string;
  /** Requests at any time. */
  readonly clients: number;
  /** How long, in seconds. */
  readonly seconds: number;
  /** Most requests. */
  readonly requests: number;
  /** Samples per request. */
  readonly n: number;
  /** Form of the answers. */
  readonly format: string;
  /** Told every quarter of a second. */
  readonly onTick?: () => void;
}

/** What came of it. */
export interface LoadReport {
  /** Answers that were whole. */
  readonly answers: number;
  /** Answers that were not: another status, or broken off. */
  readonly failures: number;
  /** Bytes of all answers. */
  readonly bytes: number;
  /** How long it took, in seconds. */
  readonly seconds: number;
  /** Milliseconds to the last byte of each answer, rising. */
  readonly latencies: Float64Array;
}

/**
 * Asks as many times as time and number allow, each time for another seed, so that no answer is kept anywhere.
 *
 * @param load what to ask, how often, how long
 * @returns what came of it
 */
export async function runLoad({ origin, clients, seconds, requests, n, format, onTick }: Load): Promise<LoadReport> {
  const [start, latencies] = [performance.now(), [] as number[]];
  let [asked, failures, bytes] = [0, 0, 0];
  const client = async () => {
    while (asked < requests && performance.now() - start < 1000 * seconds) {
      const [seed, sent] = [asked++, performance.now()];
      try {
        const answer = await fetch(`${origin}/sample?n=${n}&seed=${seed}&format=${format}`);
        const { byteLength } = await answer.arrayBuffer();
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        bytes += byteLength;
        latencies.push(performance.now() - sent);
      } catch {
        failures++;
      }
    }
  };
  const ticking = setInterval(() => onTick?.(), 250);
  try {
    await Promise.all(Array.from({ length: clients }, client));
  } finally {
    clearInterval(ticking);
  }
  const elapsed = (performance.now() - start) / 1000;
  return {
    answers: latencies.length,
    failures,
    bytes,
    seconds: elapsed,
    latencies: Float64Array.from(latencies).sort(),
  };
}

/** Value below which a share of rising values lies. */
function quantile(values: Float64Array, share: number): number {
  return values.length === 0 ? NaN : values[Math.min(values.length - 1, Math.floor(share * values.length))];
}

/** What the operating system says of a process; Linux only, NaN elsewhere. */
function statusOf(pid: number): { readonly residentMB: number; readonly processorSeconds: number } {
  try {
    const resident = /VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
    const [user, system] = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ").slice(11, 13);
    return { residentMB: Number(resident?.[1]) / 1024, processorSeconds: (Number(user) + Number(system)) / 100 };
  } catch {
    return { residentMB: NaN, processorSeconds: NaN };
  }
}

/** Starts the service with the permissions that it needs. */
async function startService(): Promise<{ readonly origin: string; readonly process: Deno.ChildProcess }> {
  const folder = decodeURIComponent(new URL("..", import.meta.url).pathname);
  const process = new Deno.Command(Deno.execPath(), {
    args: ["serve", "--port", "0", "--host", "127.0.0.1", `--allow-read=${folder}`, `${folder}edge/deno.ts`],
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  let said = "";
  for await (const piece of process.stderr.pipeThrough(new TextDecoderStream())) {
    said += piece;
    const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
    if (origin !== undefined) return { origin, process };
  }
  throw new Error(`Cannot test the load: the service must start, got: ${said}`);
}

const row = (...cells: readonly string[]) => console.log(`| ${cells.join(" | ")} |`);

/** Mean of part of a list. */
function mean(values: readonly number[], from: number, to: number): number {
  const part = values.slice(Math.floor(from * values.length), Math.ceil(to * values.length));
  return part.reduce((sum, value) => sum + value, 0) / part.length;
}

function print(report: LoadReport, { n, clients, format }: Load, resident: readonly number[], processor: number): void {
  const { answers, failures, bytes, seconds, latencies } = report;
  const share = (part: number) => `${quantile(latencies, part).toFixed(0)} ms`;
  const memory = [0, 1, 2, 3].map((k) => `${mean(resident, k / 4, (k + 1) / 4).toFixed(0)}`).join(", ");
  row(`${clients} clients, n = ${n}, ${format}`, "");
  row("---", "---");
  row("answers, failures", `${answers}, ${failures} in ${seconds.toFixed(1)} s`);
  row("answers/s, samples/s", `${(answers / seconds).toFixed(1)}, ${(answers * n / seconds).toFixed(0)}`);
  row("MB/s", (bytes / 1e6 / seconds).toFixed(1));
  row("latency, 50 / 90 / 99 % / largest", [0.5, 0.9, 0.99, 1].map(share).join(" / "));
  row(
    "processor time per answer, per sample",
    `${(1000 * processor / answers).toFixed(1)} ms, ${(1000 * processor / answers / n).toFixed(2)} ms`,
  );
  row("resident memory in each quarter, MB", memory);
}

if (import.meta.main) {
  const options = parseArgs(Deno.args, { string: ["origin", "clients", "seconds", "requests", "n", "format"] });
  const { clients = "8", seconds = "20", requests = "100000", n = "100", format = "json" } = options;
  for (const [name, text] of Object.entries({ clients, seconds, requests, n })) {
    if (Number(text) > 0 && Number(text) <= 1e6) continue;
    console.error(`Cannot test the load: --${name} must be a number from 1 to 1000000, got ${text}`);
    Deno.exit(1);
  }
  const started = options.origin === undefined ? await startService() : null;
  try {
    const origin = started?.origin ?? String(options.origin);
    const status = () => statusOf(started?.process.pid ?? 0);
    const load = {
      origin,
      clients: Number(clients),
      seconds: Number(seconds),
      requests: Number(requests),
      n: Number(n),
      format: String(format),
    };
    await runLoad({ ...load, seconds: 2 });
    const resident: number[] = [];
    const before = status().processorSeconds;
    const report = await runLoad({ ...load, onTick: () => resident.push(status().residentMB) });
    print(report, load, resident, status().processorSeconds - before);
  } finally {
    started?.process.kill();
    await started?.process.status;
  }
}
