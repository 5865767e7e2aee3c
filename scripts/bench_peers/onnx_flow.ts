/**
 * ONNX Runtime as a peer: samples from the `sampler.onnx` that we export, by its native library or by its WebAssembly.
 *
 *     onnx_flow.ts FOLDER node|web THREADS
 *
 * @module
 */
import { exportFlow } from "../../mod.ts";
import { type Checked, type FlowAnswer, serve } from "./serve.ts";
import { INPUTS, NAMELESS, readFlow, readNumbers, readWorkload } from "./workload.ts";

const VERSION = "1.30.0";

// deno-lint-ignore no-explicit-any -- the package is loaded when it is run; nobody else is to download its types
type Runtime = any;

/** The native library, or the WebAssembly that {@link exportFlow}'s files are tested with. */
async function loadRuntime(name: string): Promise<Runtime> {
  if (name === "node") return await import(`npm:onnxruntime-node@${VERSION}`);
  const runtime: Runtime = await import(`npm:onnxruntime-web@${VERSION}/wasm`);
  runtime.env.wasm.numThreads = 1;
  return runtime;
}

await serve(async (folder, name, threads) => {
  const workload = await readWorkload(folder);
  const { sampler } = exportFlow(await readFlow(folder), NAMELESS);
  const runtime = await loadRuntime(name);
  const session = await runtime.InferenceSession.create(sampler, {
    executionProviders: [name === "node" ? "cpu" : "wasm"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
  });
  const inputs = await readNumbers(`${folder}/${INPUTS.sampling}`);
  const z = new runtime.Tensor("float32", inputs, [workload.batch, workload.dim]);
  const check = async (): Promise<Checked<FlowAnswer>> => {
    const { x, logDet } = await session.run({ z });
    const numbers = [x, logDet].map(({ data }) => Float32Array.from(data as Float32Array | Float64Array));
    return { answer: { losses: [], gradientNorms: [] }, numbers };
  };
  return {
    check,
    step: async () => void await session.run({ z }),
    version: `onnxruntime-${name} ${VERSION}, Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    settings: `${name === "node" ? "native" : "wasm"}, ${threads} thread${threads > 1 ? "s" : ""}`,
  };
});
