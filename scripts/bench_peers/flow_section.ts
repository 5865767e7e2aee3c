/**
 * RealNVP: training steps and samples, everybody on the same weights and inputs.
 *
 * @module
 */
import {
  type Deviation,
  deviationOf,
  leastTolerance,
  type Outcome,
  requireAgreement,
  toleranceOf,
} from "./agreement.ts";
import { type Measurement, type Timed, timedOf } from "./measurement.ts";
import { PeerProcess } from "./peer_process.ts";
import { type Contender, type FlowPeer, ourFlow } from "./peers.ts";
import type { FlowAnswer } from "./serve.ts";
import { type RoundOptions, timeInTurn } from "./rounds.ts";
import {
  flopPerSample,
  type FlowSize,
  type FlowTask,
  readNumbers,
  readWorkload,
  writeRoundedWorkload,
  writeWorkload,
} from "./workload.ts";

/** How the tasks are called in tables. */
export const TASK_TITLES: Readonly<Record<FlowTask, string>> = {
  maximumLikelihood: "Training step, maximum likelihood",
  energy: "Training step, energy",
  sampling: "Sampling z → (x, log-determinant)",
};

/** How thoroughly outcomes are compared. */
export interface Checks {
  /** Training steps. */
  readonly steps: number;
  /** Rounded copies of the workload that tell the tolerance. */
  readonly draws: number;
}

const USUAL_CHECKS: Checks = { steps: 3, draws: 3 };

/** What to compare. */
export interface FlowSectionOptions extends RoundOptions {
  /** Sizes of flow and batch. */
  readonly size: FlowSize;
  /** Tasks. */
  readonly tasks: readonly FlowTask[];
  /** Numbers of threads. */
  readonly threads: readonly number[];
  /** Peers that are there. */
  readonly peers: readonly FlowPeer[];
  /** How thoroughly outcomes are compared. Default: three steps, three rounded copies. */
  readonly checks?: Checks;
  /** Told what happens. */
  readonly log: (line: string) => void;
}

/**
 * Makes a workload in a temporary folder, lets everybody compute it, compares what they computed and times them.
 *
 * @param options what and how long
 * @returns a measurement for each task
 * @throws {Error} if a peer computes something else
 */
export async function compareFlows(options: FlowSectionOptions): Promise<Measurement[]> {
  const folder = await Deno.makeTempDir({ prefix: "boltzflow_bench_" });
  try {
    const exact = `${folder}/exact`;
    await Deno.mkdir(exact);
    const { steps, draws } = options.checks ?? USUAL_CHECKS;
    await writeWorkload(exact, options.size, steps);
    for (let draw = 0; draw < draws; draw++) {
      await Deno.mkdir(`${folder}/rounded${draw}`);
      await writeRoundedWorkload(exact, `${folder}/rounded${draw}`, draw);
    }
    const measurements: Measurement[] = [];
    for (const task of options.tasks) measurements.push(await compareTask(folder, task, options));
    return measurements;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function compareTask(folder: string, task: FlowTask, options: FlowSectionOptions): Promise<Measurement> {
  const { size, threads, peers, log } = options;
  const exact = `${folder}/exact`;
  log(`\n${TASK_TITLES[task]}: comparing what is computed`);
  const reference = await outcomeOf(ourFlow(exact, task, [1])[0], `${folder}/reference`);
  const tolerance = await findTolerance(folder, task, reference, (options.checks ?? USUAL_CHECKS).draws);
  const contenders = [
    ...ourFlow(exact, task, threads),
    ...peers.flatMap((peer) => peer.contenders(exact, task, threads)),
  ];
  await using running = new AsyncDisposableStack();
  const processes: PeerProcess[] = [];
  const timed: Timed[] = [];
  for (const contender of contenders) {
    const process = running.use(await PeerProcess.start(contender));
    const deviation = await checked(contender, process, { folder, task, reference, tolerance });
    log(`  ${contender.name}, ${process.about.settings}: ${describe(deviation)}`);
    processes.push(process);
    timed.push(timedOf(contender, process, deviation));
  }
  log(`  rounding explains up to ${describe(tolerance)}`);
  const rounds = await timeInTurn(processes, options);
  const flopPerUnit = flopPerSample(size, task);
  const title = TASK_TITLES[task];
  return { title, unit: "samples", unitsPerStep: size.batch, flopPerUnit, tolerance, contenders: timed, rounds };
}

/** What a running contender computes. */
async function askOutcome(process: PeerProcess, path: string): Promise<Outcome> {
  const answer = await process.check<FlowAnswer>(path);
  return { ...answer, numbers: await readNumbers(path) };
}

/** What a contender computes in a process that is used for nothing else. */
async function outcomeOf(contender: Contender, path: string): Promise<Outcome> {
  await using process = await PeerProcess.start(contender);
  return await askOutcome(process, path);
}

async function findTolerance(
  folder: string,
  task: FlowTask,
  reference: Outcome,
  draws: number,
): Promise<Deviation> {
  const workload = await readWorkload(`${folder}/exact`);
  const deviations: Deviation[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const rounded = await outcomeOf(ourFlow(`${folder}/rounded${draw}`, task, [1])[0], `${folder}/outcome`);
    deviations.push(deviationOf(task, workload, rounded, reference));
  }
  const weights = await readNumbers(`${folder}/exact/weights.f32`);
  return toleranceOf(deviations, leastTolerance(workload, weights, reference));
}

interface Comparison {
  readonly folder: string;
  readonly task: FlowTask;
  readonly reference: Outcome;
  readonly tolerance: Deviation;
}

async function checked(contender: Contender, process: PeerProcess, comparison: Comparison): Promise<Deviation> {
  const { folder, task, reference, tolerance } = comparison;
  const outcome = await askOutcome(process, `${folder}/outcome`);
  const deviation = deviationOf(task, await readWorkload(`${folder}/exact`), outcome, reference);
  requireAgreement(contender.name, deviation, tolerance);
  return deviation;
}

function describe(deviation: Deviation): string {
  return Object.entries(deviation).map(([name, value]) => `${name} ${value.toExponential(1)}`).join(", ");
}
