/**
 * Timings that mean something on a shared machine: processor time, everything measured side by side in many rounds, and
 * ratios within a round.
 */
import process from "node:process";

/** Something to time. */
export interface Contender {
  /** Name in the table. */
  readonly name: string;
  /** Does the work for about 20 ms and returns processor nanoseconds per unit of work. */
  readonly nanoseconds: () => number;
}

/** Processor nanoseconds of this process so far. */
function clock(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

/** Makes a contender of a function that does `units` of work per call; calls it until the optimising compilers are done. */
export async function timed(name: string, units: number, run: () => void): Promise<Contender> {
  const until = performance.now() + 300;
  while (performance.now() < until) {
    run();
    await new Promise((resolve) => setTimeout(resolve));
  }
  const start = clock();
  for (let i = 0; i < 5; i++) run();
  const calls = Math.max(1, Math.round(20e6 * 5 / (clock() - start)));
  return {
    name,
    nanoseconds: () => {
      const begin = clock();
      for (let i = 0; i < calls; i++) run();
      return (clock() - begin) / calls / units;
    },
  };
}

/** Compiles the C peer, or returns null where there is no gcc. */
export async function compilePeer(flags: readonly string[]): Promise<string | null> {
  const source = new URL("../../scripts/bench_peers/dimer_peer.c", import.meta.url).pathname;
  const program = `${await Deno.makeTempDir({ prefix: "boltzflow_bench_" })}/peer`;
  try {
    const { success } = await new Deno.Command("gcc", { args: [...flags, source, "-o", program, "-lm"] }).output();
    return success ? program : null;
  } catch {
    return null;
  }
}

/** Makes a contender of the C peer. */
export function peer(name: string, program: string, args: readonly string[]): Contender {
  return {
    name,
    nanoseconds: () => {
      const { stdout } = new Deno.Command(program, { args: [...args] }).outputSync();
      return Number(new TextDecoder().decode(stdout).split(" ")[0]);
    },
  };
}

/** The value of nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}

/** Prints speeds, and how many times as fast as each of the others the first one is. */
function show(title: string, unit: string, names: readonly string[], times: readonly (readonly number[])[]): void {
  console.log(`\n${title}: median [quartiles] of ${times.length} rounds`);
  // Units that take longer than 20 μs are counted in thousands.
  const slow = quantile(times.map((row) => row[0]), 0.5) > 2e4;
  names.forEach((name, k) => {
    const speeds = times.map((row) => (slow ? 1e6 : 1e3) / row[k]);
    const ratios = times.map((row) => row[k] / row[0]);
    const text = (values: readonly number[], digits: number) =>
      `${quantile(values, 0.5).toFixed(digits)} [${quantile(values, 0.25).toFixed(digits)}, ${
        quantile(values, 0.75).toFixed(digits)
      }]`;
    const ratio = k === 0 ? "" : `   ours is ${text(ratios, 2)} times as fast`;
    console.log(
      `  ${name.padEnd(34)} ${text(speeds, 3).padStart(24)} ${slow ? "thousand" : "million"} ${unit}/s${ratio}`,
    );
  });
}

/**
 * Times contenders in turn and prints speeds, and how many times as fast as each of the others the first one is.
 *
 * @param title what is compared
 * @param unit what is counted, such as "moves"
 * @param contenders ours first
 */
export function compare(title: string, unit: string, contenders: readonly Contender[]): void {
  const times = Array.from({ length: 25 }, () => contenders.map(({ nanoseconds }) => nanoseconds()));
  show(title, unit, contenders.map(({ name }) => name), times);
}

/** Something to time that may answer later: another process. */
export interface LateContender {
  /** Name in the table. */
  readonly name: string;
  /** Does some work and returns processor nanoseconds per unit of work. */
  readonly nanoseconds: () => number | Promise<number>;
}

/**
 * Like `compare`, for contenders that answer later; one waits while the other works.
 *
 * @param title what is compared
 * @param unit what is counted
 * @param contenders ours first
 * @param rounds how often each is timed
 */
export async function compareInTurn(
  title: string,
  unit: string,
  contenders: readonly LateContender[],
  rounds: number,
): Promise<void> {
  const times: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    const row: number[] = [];
    for (const { nanoseconds } of contenders) row.push(await nanoseconds());
    times.push(row);
  }
  show(title, unit, contenders.map(({ name }) => name), times);
}
