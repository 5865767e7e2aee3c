/**
 * What must hold for the files of a flow, whatever runs them. Each law throws if it does not.
 *
 * @module
 */
import * as ort from "npm:onnxruntime-web@1.30.0/wasm";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { kernelBuild } from "../../src/backend/wasm.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import type { FlowModels } from "../../src/onnx/export_flow.ts";
import type { OnnxRuntime } from "../../src/sampler/onnx_session.ts";
import { openModel } from "../../src/sampler/open_model.ts";
import type { Backend, Mapped } from "../../src/sampler/session.ts";
import { assertClose } from "../support/assert_close.ts";
import { exactWithTolerance } from "../support/float32_emulation.ts";

ort.env.wasm.numThreads = 1;

/** What runs a file. */
export interface Runner {
  /** For messages. */
  readonly name: string;
  /** Which backend. */
  readonly backend: Backend;
  /** For the backend "onnxruntime". */
  readonly runtime?: OnnxRuntime;
}

/** Our own kernels. */
export const kernels: Runner = { name: "kernels", backend: "kernels" };
/** onnxruntime-web. */
export const onnxruntimeWeb: Runner = { name: "onnxruntime-web", backend: "onnxruntime", runtime: ort as OnnxRuntime };

/** Opens a file, runs a batch and closes it. */
export async function runFile(
  { backend, runtime }: Runner,
  bytes: Uint8Array,
  role: "sampler" | "density",
  batch: Float64Array,
): Promise<Mapped> {
  const session = await openModel(bytes, role, { backend }, {
    kernels: async () => {
      if (kernelBuild === undefined) await loadKernels();
    },
    onnxruntime: () => Promise.resolve(runtime!),
  });
  try {
    if (session.backend !== backend) throw new Error(`${session.backend} runs the file instead of ${backend}`);
    return await session.run(batch);
  } finally {
    await session.close();
  }
}

/** The two directions of a bijector by the file that goes that way. */
export const directions: Readonly<
  Record<"sampler" | "density", (bijector: Bijector, from: Tensor) => { value: Tensor; logDet: Tensor }>
> = {
  sampler(bijector, from) {
    const { x, logDet } = bijector.forward(from);
    return { value: x, logDet };
  },
  density(bijector, from) {
    const { z, logDet } = bijector.inverse(from);
    return { value: z, logDet };
  },
};

/** Both files give what the bijector gives in float64, as far as rounding to float32 allows. */
export async function assertFilesAgree(
  runners: readonly Runner[],
  files: FlowModels,
  bijector: Bijector,
  batch: Float64Array,
): Promise<void> {
  for (const role of ["sampler", "density"] as const) {
    const { value, logDet } = directions[role](bijector, input(new Graph(), "from", bijector.dim));
    const [place, volume] = exactWithTolerance([value, logDet], [batch], batch.length / bijector.dim);
    for (const runner of runners) {
      const mapped = await runFile(runner, files[role], role, batch);
      const what = `${role} by ${runner.name}`;
      assertClose(mapped.value, place.value, { absolute: place.tolerance }, `values of the ${what}`);
      assertClose(mapped.logDet, volume.value, { absolute: volume.tolerance }, `log-determinants of the ${what}`);
    }
  }
}

/**
 * The density file takes the sampler file's x back to z, as far as rounding allows that to a run of both maps in one
 * graph, and the log-determinants cancel.
 */
export async function assertFilesInvert(
  runner: Runner,
  files: FlowModels,
  bijector: Bijector,
  z: Float64Array,
): Promise<void> {
  const { x, logDet } = bijector.forward(input(new Graph(), "z", bijector.dim));
  const back = bijector.inverse(x);
  const [place, there, andBack] = exactWithTolerance([back.z, logDet, back.logDet], [z], z.length / bijector.dim);
  const forward = await runFile(runner, files.sampler, "sampler", z);
  const inverse = await runFile(runner, files.density, "density", forward.value);
  assertClose(inverse.value, z, { absolute: place.tolerance }, `z again by ${runner.name}`);
  const sum = inverse.logDet.map((v, i) => v + forward.logDet[i]);
  const absolute = there.tolerance + andBack.tolerance;
  assertClose(sum, new Float64Array(sum.length), { absolute }, `sum of log-determinants by ${runner.name}`);
}
