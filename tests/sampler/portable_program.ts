/**
 * A program without any permission on a host that at first compiles no WebAssembly: opens a model in every way that the
 * entry of the bundle has, and prints what came of it. Run by portable_test.ts, which appends bytes as base64.
 *
 * @module
 */
import { loadDensity, loadSampler } from "../../src/sampler/portable.ts";
import type { GivenHost } from "../../src/sampler/portable.ts";

const [sampler, density, wasm] = Deno.args.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));

/** An onnxruntime that gives zeros. */
const onnxruntime = {
  InferenceSession: {
    create: () =>
      Promise.resolve({
        run: ({ z }: Record<string, { readonly data: unknown }>) =>
          Promise.resolve({ x: z, logDet: { data: new Float64Array((z.data as Float32Array).length / 2) } }),
        release: () => Promise.resolve(),
      }),
  },
  Tensor: class {
    readonly data: unknown;
    constructor(_type: string, data: unknown) {
      this.data = data;
    }
  },
};

const said: Record<string, unknown> = {};

async function attempt(name: string, host: GivenHost): Promise<void> {
  try {
    await using model = await loadSampler(sampler, host);
    const { x, logProb } = await model.sample(40, { seed: 5 });
    said[name] = { backend: model.backend, x: [...x], logProb: [...logProb] };
  } catch (error) {
    said[name] = (error as Error).message;
  }
}

const { compile } = WebAssembly;
WebAssembly.compile = () => {
  throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
};
await attempt("nothing given", {});
await attempt("compiling refused", { kernels: wasm });
await attempt("compiling refused, onnxruntime given", { kernels: wasm, onnxruntime });
WebAssembly.compile = compile;
await attempt("other bytes", { kernels: Uint8Array.of(1, 2, 3) });
await attempt("another module", { kernels: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0) });
await attempt("a place that is not there", { kernels: new URL("data:application/wasm;base64,x") });
await attempt("only onnxruntime", { onnxruntime });
await attempt("module", { kernels: await compile(wasm), onnxruntime });
await attempt("loaded before", {});
await using model = await loadDensity(density, { kernels: Uint8Array.of(1) }); // the first kernels stay
said.density = model.backend;
console.log(JSON.stringify(said));
