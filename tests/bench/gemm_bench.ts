/**
 * How close the matrix kernels come to the arithmetic limit of 128-bit SIMD, and what they gain over plain TypeScript.
 *
 * Run with `deno bench -A tests/bench/gemm_bench.ts`. The machine may be shared, so processor time is counted and nothing
 * is compared across runs: in every round each kernel is timed for a millisecond between two such timings of `fmaPeakF32`,
 * and the ratio to their mean is kept. Printed are the median and the quartiles over rounds. Aim of the project: at least
 * 0.85 for the forward product, 0.5 for all.
 */
import process from "node:process";
import { packedLength } from "../../src/backend/dense_layout.ts";

const rounds = 75;
const millisecondsPerTiming = 1;

const build = Deno.args[0] ?? "relaxed";
const wasm = await WebAssembly.compile(
  await Deno.readFile(new URL(`../../src/backend/kernels_${build}.wasm`, import.meta.url)),
);
const memory = new WebAssembly.Memory({ initial: 1024, maximum: 16384, shared: true });
const kernels = (await WebAssembly.instantiate(wasm, { "./shared_memory.ts": { memory } }))
  .exports as unknown as Record<
    string,
    (...args: number[]) => void
  >;

/** Something to time, and how many floating-point operations one call is. */
interface Task {
  readonly name: string;
  readonly flop: number;
  readonly run: () => void;
}

let top = 1 << 16;
/** Reserves floats on a cache line and fills them with numbers in [−½, ½). */
function reserve(length: number): number {
  const address = top;
  top += Math.ceil(length / 16) * 64;
  const view = new Float32Array(memory.buffer, address, length);
  for (let i = 0; i < length; ++i) view[i] = Math.random() - 0.5;
  return address;
}

function kernelTasks(panels: number, k: number, n: number): Task[] {
  const x = reserve(panels * k * 32), y = reserve(panels * n * 32), w = reserve(n * k), bias = reserve(n);
  const dx = reserve(panels * k * 32), dw = reserve(n * k);
  const packed = reserve(packedLength(n, k)), packedT = reserve(packedLength(k, n));
  kernels.packF32(n, k, w, packed);
  kernels.packTransposeF32(n, k, w, packedT);
  const flop = 2 * panels * 32 * k * n;
  const shape = `${panels * 32} × ${k} → ${n}`;
  return [
    { name: `linearF32            ${shape}`, flop, run: () => kernels.linearF32(panels, k, n, x, packed, bias, y) },
    {
      name: `linearInputGradF32   ${shape}`,
      flop,
      run: () => kernels.linearInputGradF32(panels, n, k, 0, y, packedT, dx),
    },
    {
      name: `linearWeightGradF32  ${shape}`,
      flop,
      run: () => kernels.linearWeightGradF32(panels, k, n, 0, k, 0, x, dx, dw),
    },
  ];
}

/** The product a programmer would write: row-major float32 arrays and three loops. */
function plainTask(samples: number, k: number, n: number): Task {
  const x = new Float32Array(samples * k).fill(0.5), w = new Float32Array(n * k).fill(0.25);
  const bias = new Float32Array(n), y = new Float32Array(samples * n);
  const run = () => {
    for (let sample = 0; sample < samples; ++sample) {
      for (let j = 0; j < n; ++j) {
        let sum = bias[j];
        for (let i = 0; i < k; ++i) sum += w[j * k + i] * x[sample * k + i];
        y[sample * n + j] = sum;
      }
    }
  };
  return { name: `plain TypeScript     ${samples} × ${k} → ${n}`, flop: 2 * samples * k * n, run };
}

/** Processor time of this process in microseconds: what other processes take away does not count. */
function clock(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Speed in flop per nanosecond of so many calls. */
function measure({ run, flop }: Task, calls: number): number {
  const start = clock();
  for (let i = 0; i < calls; ++i) run();
  return calls * flop / (clock() - start) / 1e3;
}

/** Runs until the optimising compiler has taken over and returns the calls that fill a timing. */
async function warmUp(task: Task): Promise<number> {
  const until = performance.now() + 120;
  while (performance.now() < until) {
    task.run();
    await new Promise((resolve) => setTimeout(resolve));
  }
  return Math.max(1, Math.round(millisecondsPerTiming * 1e6 * measure(task, 3) / task.flop));
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.round(q * (sorted.length - 1))];
}

const chains = reserve(8);
new Float32Array(memory.buffer, chains, 8).set([0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1]);
const peak: Task = { name: "fmaPeakF32", flop: 96 * 20_000, run: () => kernels.fmaPeakF32(20_000, chains) };

const tasks = [
  ...kernelTasks(8, 200, 200),
  ...kernelTasks(8, 38, 200),
  ...kernelTasks(8, 200, 38),
  ...kernelTasks(32, 200, 200),
  ...kernelTasks(8, 64, 64),
  plainTask(256, 200, 200),
];
const peakCalls = await warmUp(peak);
const calls: number[] = [];
for (const task of tasks) calls.push(await warmUp(task));

const ratios: number[][] = tasks.map(() => []);
const speeds: number[][] = tasks.map(() => []);
const peaks: number[] = [];
for (let round = 0; round < rounds; ++round) {
  let before = measure(peak, peakCalls);
  tasks.forEach((task, i) => {
    const speed = measure(task, calls[i]);
    const after = measure(peak, peakCalls);
    ratios[i].push(2 * speed / (before + after));
    speeds[i].push(speed);
    peaks.push(after);
    before = after;
  });
}

console.log(`${build} build, ${rounds} rounds; share of the 128-bit multiply-add peak: median [quartiles]`);
console.log(`${"fmaPeakF32".padEnd(40)} ${quantile(peaks.sort((a, b) => a - b), 0.5).toFixed(1)} Gflop/s`);
tasks.forEach(({ name }, i) => {
  const r = ratios[i].sort((a, b) => a - b);
  const speed = quantile(speeds[i].sort((a, b) => a - b), 0.5);
  const spread = `[${quantile(r, 0.25).toFixed(2)}, ${quantile(r, 0.75).toFixed(2)}]`;
  console.log(`${name.padEnd(40)} ${quantile(r, 0.5).toFixed(2)} ${spread}  ${speed.toFixed(1)} Gflop/s`);
});
const plain = quantile(speeds[tasks.length - 1], 0.5);
console.log(`linearF32 is ${(quantile(speeds[0], 0.5) / plain).toFixed(0)} times plain TypeScript at 256 × 200 → 200`);
