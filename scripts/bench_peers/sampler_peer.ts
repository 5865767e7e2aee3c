/**
 * A model file run by one backend, as a peer: `sampler_peer.ts FOLDER BACKEND THREADS BATCH`, FOLDER holding `model.onnx`.
 *
 * The kernels are timed through the sampler that users call; of onnxruntime the bare session is timed, which is as fast as
 * it can be. With `first` as the last argument it prints the milliseconds from nothing loaded to the first sample instead.
 *
 * @module
 */
import { loadSampler } from "../../src/sampler/mod.ts";
import { RandomStream } from "../../mod.ts";
import { type Checked, serve } from "./serve.ts";

const VERSION = "1.30.0";

/** What runs a model file. */
export type SamplerBackend = "kernels" | "web" | "node";

// deno-lint-ignore no-explicit-any -- the package is loaded when it is run; nobody else is to download its types
type Runtime = any;

async function loadRuntime(backend: SamplerBackend, threads: number): Promise<Runtime> {
  if (backend === "node") return await import(`npm:onnxruntime-node@${VERSION}`);
  // The build for Node is the one that has threads; the other one starts faster.
  const runtime: Runtime = await import(`npm:onnxruntime-web@${VERSION}${threads > 1 ? "" : "/wasm"}`);
  runtime.env.wasm.numThreads = threads;
  return runtime;
}

/** Maps latent points; returns x and the log-determinant or log-density. */
type MapPoints = (z: Float64Array<ArrayBuffer>) => Promise<Float64Array<ArrayBuffer>[]>;

async function open(path: string, backend: SamplerBackend, threads: number): Promise<{ map: MapPoints; dim: number }> {
  const bytes = await Deno.readFile(path);
  if (backend === "kernels") {
    const sampler = await loadSampler(bytes, { backend });
    const map: MapPoints = async (z) => {
      const { x, logProb } = await sampler.map(z);
      return [x as Float64Array<ArrayBuffer>, logProb as Float64Array<ArrayBuffer>];
    };
    return { map, dim: sampler.dim };
  }
  const runtime = await loadRuntime(backend, threads);
  const session = await runtime.InferenceSession.create(bytes, {
    executionProviders: [backend === "node" ? "cpu" : "wasm"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
  });
  const dim = session.inputMetadata[0].shape[1];
  const map: MapPoints = async (z) => {
    const tensor = new runtime.Tensor("float32", Float32Array.from(z), [z.length / dim, dim]);
    const { x, logDet } = await session.run({ z: tensor });
    return [Float64Array.from(x.data), standardNormal(z, dim).map((p, i) => p - logDet.data[i])];
  };
  return { map, dim };
}

function standardNormal(z: Float64Array, dim: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: z.length / dim }, (_, row) => {
    const squares = z.subarray(row * dim, (row + 1) * dim).reduce((sum, c) => sum + c * c, 0);
    return -0.5 * (squares + dim * Math.log(2 * Math.PI));
  });
}

/** Latent points that float32 holds exactly, the same for everybody. */
function latent(n: number, dim: number): Float64Array<ArrayBuffer> {
  return new RandomStream(1).fillNormals(new Float64Array(n * dim)).map(Math.fround) as Float64Array<ArrayBuffer>;
}

const batch = Deno.args[3];
if (batch === "first") {
  const [folder, backend, threads] = Deno.args;
  const start = performance.now();
  const { map, dim } = await open(`${folder}/model.onnx`, backend as SamplerBackend, Number(threads));
  await map(latent(1, dim));
  console.log(performance.now() - start);
  Deno.exit(0);
}
await serve(async (folder, backend, threads) => {
  const { map, dim } = await open(`${folder}/model.onnx`, backend as SamplerBackend, threads);
  const z = latent(Number(batch), dim);
  return {
    check: async (): Promise<Checked<object>> => ({
      answer: {},
      numbers: (await map(z)).map((values) => Float32Array.from(values)),
    }),
    step: async () => void await map(z),
    version: backend === "kernels" ? "boltzflow kernels" : `onnxruntime-${backend} ${VERSION}`,
    settings: `${threads} thread${threads > 1 ? "s" : ""}, Deno ${Deno.version.deno}`,
  };
});
