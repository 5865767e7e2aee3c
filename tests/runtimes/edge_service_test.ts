/** The edge service: the same function answers on Deno and in workerd. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { streamOf } from "../../examples/edge/bodies.ts";
import { runLoad } from "../../examples/edge/load_test.ts";
import { type Environment, handle } from "../../examples/edge/service.ts";
import { decodeNpz, loadSampler } from "../../mod.ts";
import { runtimeTest } from "./installed.ts";
import { bundleWorker, serveWorker } from "./workerd.ts";

const read = (path: string) => Deno.readFile(new URL(`../../examples/${path}`, import.meta.url));

const model = await read("models/dimer.onnx");
const kernels = await WebAssembly.compile(await read("dist/boltzflow_kernels.wasm"));
const environment: Environment = { model, kernels };

/** Asks the function itself. */
function ask(path: string, init: RequestInit = {}, changed: Partial<Environment> = {}): Promise<Response> {
  return handle(new Request(`http://localhost${path}`, init), { ...environment, ...changed });
}

/** What JSON holds of a sample. */
interface Sample {
  readonly x: readonly number[];
  readonly logProb: number;
  readonly logWeight: number | null;
}

async function samplesOf(response: Response): Promise<Sample[]> {
  assertEquals(response.status, 200);
  return (await response.json()).samples;
}

/** The same samples from the package itself: other memory and other chunks, but the same kernels and processor. */
async function expected(n: number, seed: number, first = 0): Promise<Sample[]> {
  await using sampler = await loadSampler(model);
  const { x, logProb } = await sampler.sample(n, { seed, first });
  const logWeights = await sampler.logWeights(x, logProb);
  return Array.from(logProb, (value, i) => ({
    logProb: value,
    logWeight: logWeights[i] === -Infinity ? null : logWeights[i],
    x: [...x.subarray(i * sampler.dim, (i + 1) * sampler.dim)],
  }));
}

Deno.test("the edge service sends the samples of a seed as JSON, whatever the piece", async () => {
  const wanted = await expected(300, 7);
  const [all, tail] = [await ask("/sample?n=300&seed=7"), await ask("/sample?n=100&seed=7&first=200&format=json")];

  assertEquals(await samplesOf(all), wanted);
  assertEquals(await samplesOf(tail), wanted.slice(200));
  assert(wanted.some(({ logWeight }) => logWeight === null), "all samples lie in the reference domain");
  assert((await samplesOf(await ask("/sample?n=300&seed=8")))[0].logProb !== wanted[0].logProb);
});

Deno.test("the edge service sends archives that hold the same samples", async () => {
  const wanted = await expected(150, 3);
  const response = await ask("/sample?n=150&seed=3&format=npz");
  const arrays = await decodeNpz(new Uint8Array(await response.arrayBuffer()));
  const [x, logProb, logWeight] = ["x", "logProb", "logWeight"].map((name) => arrays.get(name)!);

  assertEquals([x.shape, logProb.shape, logWeight.shape], [[150, 76], [150], [150]]);
  assertEquals([...x.data], wanted.flatMap((sample) => sample.x));
  assertEquals([...logProb.data], wanted.map((sample) => sample.logProb));
  assertEquals([...logWeight.data], wanted.map((sample) => sample.logWeight ?? -Infinity));
  assertMatch(response.headers.get("content-disposition")!, /^attachment; filename="samples_\w{16}_seed3_0-149\.npz"$/);
});

Deno.test("the edge service sends frames that hold the same samples", async () => {
  const wanted = await expected(40, 3);
  const lines = (await (await ask("/sample?n=40&seed=3&format=xyz")).text()).split("\n");

  assertEquals(lines.length, 40 * 40 + 1);
  wanted.forEach(({ x, logProb, logWeight }, k) => {
    const [count, comment, ...particles] = lines.slice(40 * k, 40 * (k + 1));
    assertEquals(count, "38");
    const weight = logWeight === null ? "" : ` logWeight=${logWeight}`;
    assertEquals(comment, `Properties=species:S:1:pos:R:3 pbc="F F F" logProb=${logProb}${weight}`);
    assertEquals(particles.flatMap((line) => line.split(" ").slice(1, 3).map(Number)), x);
  });
});

Deno.test("the edge service refuses in one sentence whatever it does not understand", async () => {
  const whole = (name: string, least: number, most: number) =>
    `Cannot sample: ${name} must be a whole number from ${least} to ${most}, got `;
  const faults: readonly [query: string, message: string][] = [
    ...["0", "-1", "1.5", "1e3", "", " 5", "0x10", "100001", "99999999999999999", "NaN"].map((n): [string, string] => [
      `n=${encodeURIComponent(n)}`,
      `${whole("n", 1, 100_000)}${JSON.stringify(n)}`,
    ]),
    ["n=10001&format=npz", `${whole("n", 1, 10_000)}"10001"`],
    ["seed=-1", `${whole("seed", 0, Number.MAX_SAFE_INTEGER)}"-1"`],
    ["seed=9007199254740992", `${whole("seed", 0, Number.MAX_SAFE_INTEGER)}"9007199254740992"`],
    ["first=1000000000001", `${whole("first", 0, 1e12)}"1000000000001"`],
    ["format=csv", 'Cannot sample: format must be json, npz, xyz, got "csv"'],
    [`format=${"x".repeat(99)}`, `Cannot sample: format must be json, npz, xyz, got "${"x".repeat(40)}…"`],
    ["N=5", 'Cannot sample: parameters must be n, seed, first, format, got "N"'],
    ["n=5&n=6", "Cannot sample: n must be given once, got 2 times"],
  ];
  for (const [query, message] of faults) {
    const response = await ask(`/sample?${query}`);

    assertEquals([response.status, await response.json()], [400, { error: message }], query);
    assertEquals(response.headers.get("cache-control"), "no-store");
    assertEquals(response.headers.get("access-control-allow-origin"), "*");
  }
  assertEquals((await ask("/sample?n=11", {}, { maximumSamples: 10 })).status, 400);
  assertEquals((await samplesOf(await ask("/sample", {}, { maximumSamples: 10 }))).length, 10);
});

Deno.test("the edge service knows its paths and methods, and answers other origins", async () => {
  const missing = await ask("/samples");
  assertEquals([missing.status, await missing.json()], [404, {
    error: 'Cannot find a page: path must be / or /sample, got "/samples"',
  }]);
  const posted = await ask("/sample", { method: "POST", body: "n=1" });
  assertEquals([posted.status, posted.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  const preflight = await ask("/sample", { method: "OPTIONS", headers: { origin: "https://example.org" } });
  assertEquals([preflight.status, preflight.body], [204, null]);
  assertEquals(preflight.headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS");
  assertEquals(preflight.headers.get("access-control-allow-headers"), "if-none-match");

  const page = await (await ask("/")).json();
  assertEquals([page.model.system, page.model.temperature, page.model.dim], ["ParticleDimer", 1, 76]);
  assertMatch(page.parameters.n, /1 to 100000 \(npz: 10000\)/);
  const head = await ask("/", { method: "HEAD" });
  assertEquals([head.status, head.body], [200, null]);
});

Deno.test("answers with a seed are named and may be kept; others say which seed they drew", async () => {
  const first = await ask("/sample?seed=1&n=5");
  const tag = first.headers.get("etag")!;
  assertEquals(first.headers.get("cache-control"), "public, max-age=86400");
  await first.body?.cancel();

  for (const tags of [tag, `"other", ${tag}`, tag.replace("W/", ""), "*"]) {
    const again = await ask("/sample?n=5&seed=1", { headers: { "if-none-match": tags } });
    assertEquals([again.status, again.body, again.headers.get("etag")], [304, null, tag]);
  }
  for (const other of ["n=6&seed=1", "n=5&seed=2", "n=5&seed=1&first=1", "n=5&seed=1&format=xyz"]) {
    const response = await ask(`/sample?${other}`, { headers: { "if-none-match": tag } });
    assertEquals(response.status, 200, other);
    await response.body?.cancel();
  }
  const head = await ask("/sample?n=5&seed=1", { method: "HEAD" });
  assertEquals([head.status, head.body, head.headers.get("etag")], [200, null, tag]);

  const unseeded = await ask("/sample?n=2");
  assertEquals([unseeded.headers.get("etag"), unseeded.headers.get("cache-control")], [null, "no-store"]);
  const seed = unseeded.headers.get("x-seed")!;
  assertEquals(await samplesOf(unseeded), await samplesOf(await ask(`/sample?n=2&seed=${seed}`)));
  const another = await ask("/sample?n=2");
  assert(another.headers.get("x-seed") !== seed);
  await another.body?.cancel();
});

/** A cache as hosts have it, which also counts. */
class CountingCache {
  readonly kept = new Map<string, Response>();
  found = 0;

  match(key: RequestInfo | URL): Promise<Response | undefined> {
    const response = this.kept.get(String(key))?.clone();
    if (response !== undefined) this.found++;
    return Promise.resolve(response);
  }

  async put(key: RequestInfo | URL, response: Response): Promise<void> {
    this.kept.set(String(key), new Response(await response.arrayBuffer(), response));
  }
}

Deno.test("small answers with a seed are kept once, however they are asked for", async () => {
  const cache = new CountingCache();
  const work: Promise<unknown>[] = [];
  const host = { cache, waitUntil: (one: Promise<unknown>) => void work.push(one) };
  const get = async (path: string) => {
    const response = await ask(path, {}, host);
    const body = await response.text();
    await Promise.all(work);
    return { body, tag: response.headers.get("etag") };
  };

  const drawn = await get("/sample?n=20&seed=1");
  assertEquals([work.length, cache.kept.size, cache.found], [1, 1, 0]);
  assertEquals(await get("/sample?format=json&seed=1&n=20&first=0"), drawn);
  assertEquals([work.length, cache.kept.size, cache.found], [1, 1, 1]);
  assert((await get("/sample?n=20&seed=2")).body !== drawn.body);
  await get("/sample?n=20");
  assertEquals([work.length, cache.kept.size, cache.found], [2, 2, 1]);
  const large = await ask("/sample?n=5001&seed=1", {}, host);
  await large.body?.cancel();
  assertEquals([work.length, cache.kept.size], [2, 2]);
});

Deno.test("a cache that fails costs nothing but itself", async () => {
  const logged: unknown[] = [];
  const { error } = console;
  console.error = (...what: unknown[]) => void logged.push(...what);
  try {
    const cache = { match: () => Promise.resolve(undefined), put: () => Promise.reject(new Error("full")) };
    assertEquals((await samplesOf(await ask("/sample?n=5&seed=1", {}, { cache }))).length, 5);
    assertEquals(logged.map(String), ["Error: full"]);
  } finally {
    console.error = error;
  }
});

Deno.test("a model that cannot be opened is an error of the service, tried again by the next request", async () => {
  const logged: unknown[] = [];
  const { error } = console;
  console.error = (...what: unknown[]) => void logged.push(...what);
  try {
    const broken = model.slice(0, 1000);
    for (const attempt of [1, 2]) {
      const response = await ask("/sample?n=1", {}, { model: broken });
      assertEquals([response.status, (await response.json()).error.slice(0, 15)], [500, "Cannot answer: "]);
      assertEquals(logged.length, attempt);
      assertMatch(String(logged[0]), /Cannot read ONNX model/);
    }
  } finally {
    console.error = error;
  }
});

Deno.test("streamOf() makes a piece when it is asked for, and ends when the reader goes away", async () => {
  let made = 0;
  let [ended, stopped] = [false, false];
  async function* pieces() {
    try {
      while (true) yield await Promise.resolve(Uint8Array.of(made++));
    } finally {
      ended = true;
    }
  }
  const reader = streamOf(pieces(), () => stopped = true).getReader();

  assertEquals(made, 0);
  await reader.read();
  const { value } = await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals([value, made], [Uint8Array.of(1), 2]);
  await reader.cancel();
  assertEquals([ended, stopped], [true, true]);
});

/** What a server must do over HTTP: whole answers, caching, refusals, and readers that leave in the middle. */
async function assertServes(origin: string): Promise<void> {
  const answers = await Promise.all([1, 2, 3, 4].map((seed) => fetch(`${origin}/sample?n=260&seed=${seed}`)));
  for (const [i, answer] of answers.entries()) assertEquals(await samplesOf(answer), await expected(260, i + 1));
  const tag = answers[0].headers.get("etag")!;
  const again = await fetch(`${origin}/sample?n=260&seed=1`, { headers: { "if-none-match": tag } });
  assertEquals([again.status, await again.text()], [304, ""]);
  const kept = await fetch(`${origin}/sample?n=260&seed=1`);
  assertEquals(await samplesOf(kept), await expected(260, 1));
  const archive = await fetch(`${origin}/sample?n=10&seed=1&format=npz`);
  assertEquals((await decodeNpz(new Uint8Array(await archive.arrayBuffer()))).get("x")!.shape, [10, 76]);
  const refused = await fetch(`${origin}/sample?n=0`);
  assertEquals([refused.status, refused.headers.get("access-control-allow-origin")], [400, "*"]);
  await refused.body?.cancel();

  await leaveEarly(origin);
  assertEquals((await samplesOf(await fetch(`${origin}/sample?n=3&seed=9`))).length, 3);
}

/** Asks for twenty seconds of work and goes away after the first piece. */
async function leaveEarly(origin: string): Promise<void> {
  const leaving = new AbortController();
  const { body } = await fetch(`${origin}/sample?n=50000&seed=9`, { signal: leaving.signal });
  await body!.getReader().read();
  leaving.abort();
}

/** Share of a processor that this program takes within half a second in which nobody asks it for anything. */
async function idleLoad(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [start, before] = [performance.now(), process.cpuUsage()];
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / (performance.now() - start);
}

/** Serves on this machine. */
function serve(fetch: (request: Request) => Promise<Response>) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, fetch);
}

/** Load above which somebody is drawing: a stopped service takes a thousandth, on a busy machine one that goes on a third. */
const IDLE = 0.1;

Deno.test("the edge service runs on Deno, and stops to draw for a reader that has left", async () => {
  const { default: service } = await import("../../examples/edge/deno.ts");
  await using server = serve(service.fetch);
  await assertServes(`http://127.0.0.1:${server.addr.port}`);

  const load = await idleLoad();
  assert(load < IDLE, `it takes ${load} of a processor`);
});

Deno.test("the load tells when a service goes on to draw for a reader that has left", async () => {
  const stop = new AbortController();
  const work: Promise<unknown>[] = [];
  /** Reads an answer whoever is there to hear it. */
  const readAhead = async ({ body, headers }: Response) => {
    const { readable, writable } = new TransformStream<Uint8Array>(undefined, { highWaterMark: Infinity });
    const [first, rest] = body!.tee();
    work.push(rest.pipeTo(new WritableStream(), { signal: stop.signal }).catch(() => {}));
    work.push(first.pipeTo(writable).catch(() => {}));
    return await Promise.resolve(new Response(readable, { headers }));
  };
  await using server = serve(async (request) => await readAhead(await handle(request, environment)));
  await leaveEarly(`http://127.0.0.1:${server.addr.port}`);

  const load = await idleLoad();
  stop.abort();
  await Promise.all(work);
  assert(load > IDLE, `it takes ${load} of a processor`);
});

runtimeTest("the edge service runs in workerd, and is small enough for the smallest plan of each host", [
  "node",
  "packages",
], async () => {
  const folder = await Deno.makeTempDir({ prefix: "boltzflow_edge_" });
  try {
    const config = new URL("../../examples/edge/wrangler.toml", import.meta.url).pathname;
    const bundled = await bundleWorker(config, folder);
    assert(bundled.gzippedBytes < 1_000_000, `${bundled.gzippedBytes} bytes gzipped`);
    await using worker = await serveWorker(bundled);
    await assertServes(worker.origin);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the load test counts whole answers, and those that are not", async () => {
  await using server = serve((request) =>
    new URL(request.url).searchParams.get("seed") === "3"
      ? Promise.resolve(new Response(null, { status: 503 }))
      : handle(request, environment)
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const load = { origin, clients: 3, seconds: 20, requests: 8, n: 2, format: "xyz" };
  const { answers, failures, bytes, latencies } = await runLoad(load);

  assertEquals([answers, failures, latencies.length], [7, 1, 7]);
  const lengths = await Promise.all([0, 1, 2, 4, 5, 6, 7].map(async (seed) => {
    return (await (await ask(`/sample?n=2&seed=${seed}&format=xyz`)).arrayBuffer()).byteLength;
  }));
  assertEquals(bytes, lengths.reduce((a, b) => a + b));
  assertEquals(latencies, latencies.toSorted());
  assert((await runLoad({ ...load, seconds: 0.2, requests: 1e6 })).seconds < 5);
});
