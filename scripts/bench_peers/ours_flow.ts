/**
 * boltzflow as a peer: a training step or a batch of samples of the workload's RealNVP.
 *
 * @module
 */
import { loadKernels, ThreadPool } from "../../mod.ts";
import { makeOurTask } from "./our_task.ts";
import { serve } from "./serve.ts";
import type { FlowTask } from "./workload.ts";

await serve(async (folder, task, threads) => {
  const build = await loadKernels();
  const pool = threads > 1 ? await ThreadPool.open(threads) : undefined;
  const made = await makeOurTask(folder, task as FlowTask, pool);
  const version = `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`;
  return { ...made, version, settings: `${pool ? `${pool.threads} threads` : "1 thread"}, ${build} SIMD build` };
});
