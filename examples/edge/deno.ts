/**
 * The service on Deno and Deno Deploy:
 *
 *     deno serve --allow-read=examples examples/edge/deno.ts
 *     curl 'http://localhost:8000/sample?n=10&seed=1&format=xyz'
 *
 * @module
 */
import { handle, open } from "./service.ts";

const read = (path: string) => Deno.readFile(new URL(path, import.meta.url));

const model = await read("../models/dimer.onnx");
const kernels = await WebAssembly.compile(await read("../dist/boltzflow_kernels.wasm"));
await open({ model, kernels });

export default {
  fetch: (request: Request): Promise<Response> => handle(request, { model, kernels }),
};
