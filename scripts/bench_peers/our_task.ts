/**
 * boltzflow's side of the workload: a training step or a batch of samples of its RealNVP.
 *
 * @module
 */
import {
  Adam,
  energyLoss,
  type Flow,
  Graph,
  input,
  KernelRun,
  maximumLikelihoodLoss,
  ParticleDimer,
  reducedEnergyOperation,
  type ThreadPool,
} from "../../mod.ts";
import { type FlowTask, INPUTS, readFlow, readNumbers, readWorkload, type Workload } from "./workload.ts";
import type { Checked, FlowAnswer } from "./serve.ts";

/** Builds the loss of a task on an input of its graph. */
function lossOf(flow: Flow, task: FlowTask, workload: Workload) {
  const x = input(new Graph(), "x", workload.dim);
  if (task === "maximumLikelihood") return maximumLikelihoodLoss(flow, x);
  const dimer = new ParticleDimer({ solvent: workload.solvent });
  return energyLoss(flow.pushForward(x), reducedEnergyOperation(dimer, 1, workload.softening));
}

function training(flow: Flow, task: FlowTask, workload: Workload, inputs: Float64Array, pool?: ThreadPool): OurTask {
  const { checkedRate, timedRate, ...constants } = workload.adam;
  const parameters = flow.parameters();
  const run = new KernelRun([lossOf(flow, task, workload)], {
    n: workload.batch,
    gradient: true,
    ...(pool && { pool }),
  });
  const adam = new Adam(parameters, constants);
  const step = (rate: number, factor = 1) => {
    const [[loss]] = run.forward([inputs]);
    run.backward([Float64Array.of(factor)]);
    adam.step(run.gradients, rate);
    return loss;
  };
  const check = (): Checked<FlowAnswer> => {
    const gradientNorms: number[] = [];
    const before = parameters.map((parameter) => parameter.values());
    const losses = workload.checkedFactors.map((factor, k) => {
      const loss = step(checkedRate, factor);
      if (k === 0) gradientNorms.push(...parameters.map((parameter) => norm(run.gradientOf(parameter))));
      return loss;
    });
    const numbers = parameters.map((parameter, i) => parameter.values().map((v, k) => v - before[i][k]));
    return { answer: { losses, gradientNorms }, numbers };
  };
  return { check, step: () => void step(timedRate) };
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
}

function sampling(flow: Flow, { batch, dim }: Workload, inputs: Float64Array, pool?: ThreadPool) {
  const { x, logProb } = flow.pushForward(input(new Graph(), "z", dim));
  const run = new KernelRun([x, logProb], { n: batch, ...(pool && { pool }) });
  const check = (): Checked<FlowAnswer> => {
    const [values, logProbs] = run.forward([inputs]);
    // log p_X(x) = log p_Z(z) − log-det; peers answer with the log-det.
    const logDets = logProbs.map((log, s) => {
      const squares = inputs.subarray(s * dim, (s + 1) * dim).reduce((sum, z) => sum + z * z, 0);
      return -(squares + dim * Math.log(2 * Math.PI)) / 2 - log;
    });
    const numbers = [Float32Array.from(values), Float32Array.from(logDets)];
    return { answer: { losses: [], gradientNorms: [] }, numbers };
  };
  return { check, step: () => void run.forward([inputs]) };
}

/** What is timed and what is compared. */
export interface OurTask {
  /** Does what is compared. */
  check(): Checked<FlowAnswer>;
  /** Does one step. */
  step(): void;
}

/**
 * Sets a task up.
 *
 * @param folder of the workload
 * @param task what to do
 * @param pool threads; default the calling one
 * @returns the task, ready to run
 */
export async function makeOurTask(folder: string, task: FlowTask, pool?: ThreadPool): Promise<OurTask> {
  const workload = await readWorkload(folder);
  const flow = await readFlow(folder);
  const inputs = Float64Array.from(await readNumbers(`${folder}/${INPUTS[task]}`));
  return task === "sampling" ? sampling(flow, workload, inputs, pool) : training(flow, task, workload, inputs, pool);
}
