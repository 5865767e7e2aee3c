/**
 * boltzflow: Boltzmann generators. A normalizing flow, trained on data and on an energy U(x), turns independent normal
 * numbers z into independent equilibrium samples x with known density; reweighting makes averages and free energies
 * exact.
 *
 * The exports follow the pipeline: system → sampling → flow → loss → training → reweighting → onnx → plot. Whole runs,
 * such as that of the particle dimer, are an entry of their own: `@boltzflow/boltzflow/experiment`.
 *
 * ```ts
 * import { BoltzmannGenerator, boltzmannObjective, DoubleWell, Flow, RealNVP, train } from "@boltzflow/boltzflow";
 *
 * const system = new DoubleWell({ dim: 2 });
 * const flow = new Flow(new RealNVP({ dim: 2, blocks: 4, hidden: [32, 32] }));
 * await train({
 *   parameters: flow.parameters(),
 *   stages: [{
 *     name: "energy",
 *     steps: 20,
 *     batch: 256,
 *     learningRate: { shape: "constant", initial: 1e-3 },
 *     weights: { maximumLikelihood: 0, energy: 1, reactionCoordinate: 0 },
 *   }],
 *   objective: boltzmannObjective({ flow, system, beta: 1, seed: 1 }),
 * });
 * const { x, logWeights } = new BoltzmannGenerator(flow, system).sample(100, { seed: 2 });
 * console.log(x.length, logWeights.length); // 200 100
 * ```
 *
 * @module
 */
import "./src/backend/loaded.ts";

export { loadKernels } from "./src/backend/wasm_deno.ts";
export type { KernelBuild } from "./src/backend/wasm.ts";
export { type Executor } from "./src/backend/executor.ts";
export { ThreadPool } from "./src/backend/pool.ts";
export type { BaseKind, KernelCall, Program } from "./src/backend/program.ts";
export * from "./src/random/mod.ts";
export * from "./src/autodiff/mod.ts";
export * from "./src/nn/mod.ts";
export * from "./src/optim/mod.ts";
export * from "./src/system/mod.ts";
export * from "./src/sampling/mod.ts";
export * from "./src/flow/mod.ts";
export * from "./src/loss/mod.ts";
export * from "./src/training/mod.ts";
export * from "./src/reweighting/mod.ts";
export * from "./src/onnx/mod.ts";
export * from "./src/sampler/mod.ts";
export * from "./src/plot/mod.ts";
export * from "./src/hybrid/mod.ts";
