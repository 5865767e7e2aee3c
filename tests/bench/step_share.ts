/**
 * Where the time of a training step goes, and how close its matrix products come to the arithmetic limit of 128-bit SIMD.
 *
 * `scripts/bench_peers.ts` runs it; by hand: `deno run -A tests/bench/step_share.ts FOLDER TASK ROUNDS`, with the folder of
 * a workload. Every kernel is wrapped in a clock, so that products are timed where they stand, with the caches as the
 * kernels before them leave them; the peak, `fmaPeakF32`, is timed before and after each step. Prints one JSON object.
 *
 * @module
 */
import process from "node:process";
import { makeOurTask } from "../../scripts/bench_peers/our_task.ts";
import { flopPerSample, type FlowTask, readWorkload } from "../../scripts/bench_peers/workload.ts";
import { allocate, f32, kernelBuild, kernels, useKernels } from "../../src/backend/wasm.ts";

/** Processor time in milliseconds: what other programs take from the machine does not count. */
function clock(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

type Kernel = (...args: number[]) => unknown;

/** Multiplications and additions of one call of a matrix product, from its arguments. */
const FLOP: Readonly<Record<string, (args: readonly number[]) => number>> = {
  linearF32: ([panels, k, n]) => 64 * panels * k * n,
  linearInputGradF32: ([panels, n, k]) => 64 * panels * n * k,
  linearWeightGradF32: ([panels, , n, from, to]) => 64 * panels * n * (to - from),
};
/** Padding of batches to panels adds a little; gradients that nobody needs, by the inputs, are a little less. */
const EXPECTED = { least: 0.98, most: 1.2 };
const PEAK = { iterations: 100_000, flopPerIteration: 96 };

/** What one kernel took in one step. */
interface Share {
  calls: number;
  milliseconds: number;
  flop: number;
}

const shares = new Map<string, Share>();

function wrapped(name: string, kernel: Kernel): Kernel {
  const flopOf = FLOP[name];
  return (...args) => {
    const begin = clock();
    const result = kernel(...args);
    const milliseconds = clock() - begin;
    const share = shares.get(name);
    const flop = flopOf === undefined ? 0 : flopOf(args);
    if (share === undefined) shares.set(name, { calls: 1, milliseconds, flop });
    else share.calls++, share.milliseconds += milliseconds, share.flop += flop;
    return result;
  };
}

const [folder, task, rounds] = Deno.args;
const raw = kernels as unknown as Record<string, unknown>;
const clocked = Object.fromEntries(
  Object.entries(raw).map(([name, value]) => {
    return [name, typeof value === "function" ? wrapped(name, value as Kernel) : value];
  }),
);
useKernels(clocked as unknown as typeof kernels, kernelBuild);

const chains = allocate(32);
f32(chains, 8).set([0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1]);

/** Speed of independent multiply-adds in flop/s. */
function peak(): number {
  const begin = clock();
  (raw.fmaPeakF32 as Kernel)(PEAK.iterations, chains);
  return 1e3 * PEAK.iterations * PEAK.flopPerIteration / (clock() - begin);
}

const workload = await readWorkload(folder);
const { step } = await makeOurTask(folder, task as FlowTask);
for (let warm = 0; warm < 5; warm++) step(), peak();

const results = Array.from({ length: Number(rounds) }, () => {
  shares.clear();
  const before = peak();
  const begin = clock();
  step();
  const milliseconds = clock() - begin;
  return { peak: (before + peak()) / 2, milliseconds, kernels: Object.fromEntries(shares) };
});

const counted = Object.values(results[0].kernels).reduce((sum, { flop }) => sum + flop, 0);
const share = counted / workload.batch / flopPerSample(workload, task as FlowTask);
if (!(share >= EXPECTED.least && share <= EXPECTED.most)) {
  throw new Error(
    `Cannot tell the share of the peak: flop of all products must be known, got ${share} times as many`,
  );
}
console.log(JSON.stringify({ build: kernelBuild, rounds: results }));
