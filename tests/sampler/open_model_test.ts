/**
 * Opening models: what runs them, where they come from, and what ends it.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { loadDensity, loadSampler } from "../../src/sampler/load.ts";
import type { OnnxRuntime } from "../../src/sampler/onnx_session.ts";
import { openModel, type RunOptions } from "../../src/sampler/open_model.ts";
import { openSampler } from "../../src/sampler/sampler.ts";
import { exportBijector, noise, randomRealNVP } from "../onnx/flow_example.ts";
import { assertClose } from "../support/assert_close.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { exactWithTolerance } from "../support/float32_emulation.ts";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { withMetadata, withPlan } from "./plans.ts";

await loadKernels();

const dim = 4;
const flow = randomRealNVP({ dim, blocks: 2, hidden: [8] });
const single = exportBijector(flow, "float32");
const double = exportBijector(flow, "float64");
const planless = withMetadata(single.sampler, { plan: undefined });

async function refusal(call: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(call, Error)).message;
}

/** onnxruntime that only says that it was asked. */
const asked: OnnxRuntime = {
  InferenceSession: { create: () => Promise.reject(new Error("asked")) },
  Tensor: class {
    readonly data = null;
  },
};

/** What runs a file. */
async function backendOf(file: Uint8Array, options: RunOptions = {}): Promise<string> {
  await using sampler = await loadSampler(file, options);
  await sampler.sample(2, { seed: 1 });
  return sampler.backend;
}

Deno.test("loadSampler() takes kernels where the file has a plan of float32, else onnxruntime, unless it is told", async () => {
  assertEquals(await backendOf(single.sampler), "kernels");
  assertEquals(await backendOf(single.sampler, { backend: "auto" }), "kernels");
  assertEquals(await backendOf(single.sampler, { backend: "kernels" }), "kernels");
  assertEquals(await backendOf(single.sampler, { backend: "onnxruntime" }), "onnxruntime");
  assertEquals(await backendOf(double.sampler), "onnxruntime");
  assertEquals(await backendOf(planless), "onnxruntime");
  await using density = await loadDensity(single.density);
  assertEquals(density.backend, "kernels");
});

Deno.test("loadSampler() says why a backend cannot run a file", async () => {
  const refuses = (file: Uint8Array, options: object) => refusal(() => loadSampler(file, options as RunOptions));
  assertEquals(
    await refuses(double.sampler, { backend: "kernels" }),
    'Cannot open ONNX model: backend must be able to run it, got "kernels": kernels compute in float32, and the model ' +
      "is float64",
  );
  assertEquals(
    await refuses(planless, { backend: "kernels" }),
    'Cannot open ONNX model: backend must be able to run it, got "kernels": the file has no plan for kernels: export ' +
      "the flow again",
  );
  assertEquals(
    await refuses(single.sampler, { backend: "webgpu" }),
    'Cannot open ONNX model: backend must be "auto", "kernels" or "onnxruntime", got "webgpu"',
  );
  const future = withPlan(single.sampler, (plan) => ({ ...plan, version: 2 }));
  assertEquals(
    await refuses(future, {}),
    "Cannot open ONNX model: plan must have version 1, got 2: update boltzflow, or choose backend " + '"onnxruntime"',
  );
  assertEquals(await backendOf(future, { backend: "onnxruntime" }), "onnxruntime");
});

Deno.test("a host with less says what is missing, and falls back from kernels that do not load", async () => {
  const broken = () => Promise.reject(new Error("Cannot load the kernels: code generation must be allowed, got none"));
  const runtime = () => Promise.resolve(asked);
  const open = (host: Parameters<typeof openModel>[3], options: RunOptions = {}) =>
    refusal(() => openModel(single.sampler, "sampler", options, host));

  assertEquals(
    await open({}),
    'Cannot open ONNX model: backend must be able to run it, got "auto": no kernels were given: pass the .wasm module ' +
      "as options.kernels",
  );
  assertEquals(
    await open({}, { backend: "onnxruntime" }),
    'Cannot open ONNX model: onnxruntime must be given, got none: pass the module "onnxruntime-web/wasm" as ' +
      "options.onnxruntime",
  );
  const refused =
    "Cannot open ONNX model: the graph must be one that onnxruntime-web opens, got one that it refuses: export the " +
    "model again";
  assertEquals(await open({ onnxruntime: runtime }), refused);
  assertEquals(await open({ kernels: broken, onnxruntime: runtime }), refused);
  const unallowed = "Cannot load the kernels: code generation must be allowed, got none";
  assertEquals(await open({ kernels: broken }), unallowed);
  assertEquals(await open({ kernels: broken, onnxruntime: runtime }, { backend: "kernels" }), unallowed);
});

Deno.test("sample() gives sample i of a seed whatever the backend, the chunk and the first sample", async () => {
  const n = 300;
  const z = new NormalPrior(dim).sample(n, 3).map(Math.fround);
  const { x, logDet } = flow.forward(input(new Graph(), "z", dim));
  const [place, volume] = exactWithTolerance([x, logDet], [z], n);
  await using whole = await loadSampler(single.sampler);
  await using pieces = await loadSampler(single.sampler, { chunk: 7 });
  await using theirs = await loadSampler(single.sampler, { backend: "onnxruntime" });

  const own = await whole.sample(n, { seed: 3 });
  const parts = await pieces.sample(n, { seed: 3 });
  const tail = await pieces.sample(50, { seed: 3, first: 250 });
  const other = await theirs.sample(n, { seed: 3 });
  const mapped = await pieces.map(z);

  assertEquals(parts, own); // kernels compute every sample alone: the same bits
  assertEquals(tail, { x: own.x.slice(250 * dim), logProb: own.logProb.slice(250) });
  assertEquals(mapped, own);
  assertClose(own.x, place.value, { absolute: place.tolerance }, "x by kernels");
  assertClose(other.x, place.value, { absolute: place.tolerance }, "x by onnxruntime");
  assertClose(other.logProb, own.logProb, { absolute: 2 * volume.tolerance }, "log q");
});

Deno.test("sample() and map() refuse numbers that no array holds, and positions beyond the generator's", async () => {
  await using sampler = await loadSampler(single.sampler);
  assertEquals(
    await refusal(() => sampler.sample(2 ** 40, { seed: 1 })),
    "Cannot draw samples: n must be at most 536870912, got 1099511627776: take them in chunks()",
  );
  assertEquals(
    await refusal(() => sampler.sample(1, { seed: 1, first: 2 ** 52 })),
    "Cannot draw samples: first + n must be at most 1125899906842623, got 4503599627370497",
  );
  assertEquals(
    await refusal(() => sampler.map(new Float64Array(7))),
    "Cannot map latent points: z must have a multiple of 4 numbers, got 7",
  );
});

/** Serves the models on localhost, one of them late. */
function serve() {
  const waiting = Promise.withResolvers<void>();
  const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/sampler.onnx") return new Response(single.sampler);
    if (pathname === "/density.onnx") return new Response(single.density);
    if (pathname !== "/slow.onnx") return new Response("nothing here", { status: 404 });
    await waiting.promise;
    return new Response(single.sampler);
  });
  return {
    url: (path: string) => new URL(path, `http://localhost:${server.addr.port}/`),
    async [Symbol.asyncDispose]() {
      waiting.resolve();
      await server.shutdown();
    },
  };
}

/** A server whose answer breaks off. */
function serveHalf() {
  const listener = Deno.listen({ hostname: "localhost", port: 0 });
  const head = new TextEncoder().encode(`HTTP/1.1 200 OK\r\ncontent-length: ${single.sampler.length}\r\n\r\n`);
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(head);
      await connection.write(single.sampler.subarray(0, 100));
      connection.close();
    }
  })();
  return {
    url: new URL(`http://localhost:${(listener.addr as Deno.NetAddr).port}/sampler.onnx`),
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

Deno.test("loadSampler() reads bytes in any form, files and URLs", async () => {
  await using server = serve();
  const buffer = new Uint8Array(single.sampler.length + 3);
  buffer.set(single.sampler, 3);
  await inTemporaryDirectory(async (directory) => {
    await Deno.writeFile(`${directory}/sampler.onnx`, single.sampler);
    const sources = [
      single.sampler,
      single.sampler.buffer,
      buffer.subarray(3),
      server.url("sampler.onnx"),
      new URL(`file://${directory}/sampler.onnx`),
    ];
    const drawn = [];
    for (const source of sources) {
      await using sampler = await loadSampler(source, { density: server.url("density.onnx") });
      drawn.push([await sampler.sample(3, { seed: 1 }), await sampler.logProb(noise(dim, 1))]);
    }
    for (const batch of drawn) assertEquals(batch, drawn[0]);
  });
});

Deno.test("loadSampler() says what is wrong with a source", async () => {
  await using server = serve();
  await using half = serveHalf();
  const nowhere = "http://localhost:1/sampler.onnx";
  assertEquals(
    await refusal(() => loadSampler(server.url("other.onnx"))),
    `Cannot open ONNX model: ${server.url("other.onnx")} must be there, got status 404`,
  );
  for (const url of [new URL(nowhere), new URL("file:///nowhere/sampler.onnx"), half.url]) {
    const message = await refusal(() => loadSampler(url));
    assert(message.startsWith(`Cannot open ONNX model: ${url} must be readable, got: `), message);
  }
  assertEquals(
    await refusal(() => loadSampler("sampler.onnx" as unknown as URL)),
    "Cannot open ONNX model: source must be bytes or a URL, got string",
  );
});

Deno.test("a signal ends loading, with its own reason", async () => {
  await using server = serve();
  const reason = new Error("enough");
  const opening = (signal: AbortSignal, source: URL | Uint8Array) => refusal(() => loadSampler(source, { signal }));

  assertEquals(await opening(AbortSignal.abort(reason), single.sampler), "enough");
  assertEquals(await opening(AbortSignal.abort(reason), server.url("sampler.onnx")), "enough");
  const controller = new AbortController();
  const slow = opening(controller.signal, server.url("slow.onnx"));
  setTimeout(() => controller.abort(reason), 20);
  assertEquals(await slow, "enough");

  // While kernels load: the model is closed again.
  const late = new AbortController();
  const host = { kernels: () => Promise.resolve(late.abort(reason)) };
  assertEquals(await refusal(() => openSampler(single.sampler, { signal: late.signal }, host)), "enough");
});

Deno.test("a timer's signal ends sample() and chunks(), although kernels do all their work on this thread", async () => {
  await using sampler = await loadSampler(single.sampler);
  const reason = new Error("enough");
  const soon = () => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(reason), 20);
    return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
  };
  let rows = 0;
  const many = 2 ** 21;

  assertEquals(await refusal(() => sampler.sample(5, { seed: 1, signal: AbortSignal.abort(reason) })), "enough");
  using first = soon();
  assertEquals(
    await refusal(async () => {
      for await (const { logProb } of sampler.chunks(many, { seed: 1, signal: first.signal })) rows += logProb.length;
    }),
    "enough",
  );
  assert(rows > 0 && rows < many, `${rows}`);
  using second = soon();
  assertEquals(await refusal(() => sampler.sample(many, { seed: 1, signal: second.signal })), "enough");
});

Deno.test("a closed sampler refuses to go on, in the middle of chunks too", async () => {
  const sampler = await loadSampler(single.sampler, { chunk: 10 });
  const closed = "Cannot run ONNX model: session must be open, got a closed one: load the model again";
  const chunks = sampler.chunks(30, { seed: 1 });
  await chunks.next();
  await sampler.close();

  assertEquals(await refusal(() => chunks.next()), closed);
  assertEquals(await refusal(() => sampler.map(new Float64Array(dim))), closed);
});
