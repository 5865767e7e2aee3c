/**
 * Our own training step taken apart: what each kernel takes, and the share of the arithmetic limit that products reach.
 *
 * @module
 */
import { outputOf } from "./peers.ts";
import { figures, spreadText, type Table } from "./report.ts";
import { spreadOf } from "./statistics.ts";
import { type FlowSize, type FlowTask, writeWorkload } from "./workload.ts";

/** What one kernel did in one step. */
interface KernelShare {
  readonly calls: number;
  readonly milliseconds: number;
  /** Multiplications and additions of matrix products; 0 for other kernels. */
  readonly flop: number;
}

/** What `tests/bench/step_share.ts` prints. */
export interface StepShare {
  /** SIMD build of the kernels. */
  readonly build: string;
  /** Steps, each with the speed of independent multiply-adds (flop/s) around it. */
  readonly rounds: readonly {
    readonly peak: number;
    readonly milliseconds: number;
    readonly kernels: Readonly<Record<string, KernelShare>>;
  }[];
}

/** Kernels that take less than this share of a step are counted together. */
const SMALL = 0.005;

/**
 * Takes steps apart on one thread.
 *
 * @param size of the flow
 * @param task which step
 * @param rounds number of steps
 * @returns all timings; null where the repository's tests are missing, as in a published package
 */
export async function takeStepApart(size: FlowSize, task: FlowTask, rounds: number): Promise<StepShare | null> {
  const folder = await Deno.makeTempDir({ prefix: "boltzflow_bench_" });
  try {
    await writeWorkload(folder, size);
    const program = new URL("../../tests/bench/step_share.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--quiet", "--no-lock", program, folder, task, String(rounds)];
    const text = await outputOf(Deno.execPath(), args);
    return text === null ? null : JSON.parse(text);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes the table of a step: products one by one and together, other kernels, and what is not in a kernel. */
export function stepTable(title: string, { rounds, build }: StepShare): Table {
  const total = spreadOf(rounds.map(({ milliseconds }) => milliseconds)).median;
  const row = (name: string, kernels: (name: string, share: KernelShare) => boolean): string[] => {
    const sums = rounds.map((round) => {
      const chosen = Object.entries(round.kernels).filter(([name, share]) => kernels(name, share));
      const sum = (key: keyof KernelShare) => chosen.reduce((sum, [, share]) => sum + share[key], 0);
      return { milliseconds: sum("milliseconds"), flop: sum("flop"), peak: round.peak };
    });
    const speeds = sums.map(({ milliseconds, flop }) => 1e3 * flop / milliseconds);
    const time = spreadOf(sums.map(({ milliseconds }) => milliseconds)).median;
    const isProduct = sums[0].flop > 0;
    return [
      name,
      figures(time),
      `${(100 * time / total).toFixed(1)} %`,
      isProduct ? figures(spreadOf(speeds).median / 1e9) : "",
      isProduct ? spreadText(spreadOf(speeds.map((speed, i) => speed / sums[i].peak)), (v) => v.toFixed(2)) : "",
    ];
  };
  const names = Object.keys(rounds[0].kernels);
  const timeOf = (name: string) => spreadOf(rounds.map(({ kernels }) => kernels[name].milliseconds)).median;
  const isSmall = (name: string) => timeOf(name) < SMALL * total;
  const large = names.filter((name) => !isSmall(name)).sort((a, b) => timeOf(b) - timeOf(a));
  const outside = spreadOf(rounds.map(({ milliseconds, kernels }) => {
    return milliseconds - Object.values(kernels).reduce((sum, share) => sum + share.milliseconds, 0);
  })).median;
  const peak = spreadOf(rounds.map(({ peak }) => peak / 1e9));
  return {
    title,
    columns: ["kernel", "ms", "share of the step", "Gflop/s", "share of the peak"],
    rows: [
      row("all matrix products", (_, { flop }) => flop > 0),
      ...large.map((name) => row(name, (other) => other === name)),
      row("smaller kernels", (name) => isSmall(name)),
      ["outside kernels", figures(outside), `${(100 * outside / total).toFixed(1)} %`, "", ""],
      ["step", figures(total), "100 %", "", ""],
    ],
    note:
      `Median [quartiles] of ${rounds.length} steps on one thread, ${build} SIMD build. Peak of 128-bit multiply-adds ` +
      `beside them: ${spreadText(peak)} Gflop/s.`,
  };
}
