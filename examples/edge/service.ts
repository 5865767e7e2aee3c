/**
 * A web service that draws weighted equilibrium samples: one function from a request to its answer, the same on Deno,
 * Deno Deploy and Cloudflare Workers.
 *
 *     GET /                                        what this is, its model and its limits
 *     GET /sample?n=100&seed=1&format=json         100 samples of seed 1; also npz (NumPy) and xyz (OVITO, ASE)
 *     GET /sample?n=100&seed=1&first=100           the next 100 of them
 *
 * Nothing is kept between requests but the opened model. `deno.ts` and `worker.js` call it with what their hosts have.
 *
 * @module
 */
// @ts-types="../../src/sampler/portable.ts"
import { loadSampler } from "../dist/boltzflow_sampler.js";
import type { ModelSampler } from "../../src/sampler/portable.ts";
import { contentTypes, streamOf, writeSamples } from "./bodies.ts";
import { formats, type Limits, parseSampleQuery, Refusal, type SampleQuery } from "./query.ts";

/** What a host has for the service. */
export interface Environment {
  /** Content of a `sampler.onnx`; the same object in every request, since its model is opened once. */
  readonly model: Uint8Array | ArrayBuffer;
  /** The kernels, compiled or to be compiled. */
  readonly kernels: WebAssembly.Module | BufferSource;
  /** Most samples of one answer. Default 100,000; no archive holds more than 10,000. */
  readonly maximumSamples?: number;
  /** Where answers with a seed are kept, if anywhere. */
  readonly cache?: Pick<Cache, "match" | "put">;
  /** Lets the host wait for work that goes on after the answer. */
  readonly waitUntil?: (work: Promise<unknown>) => void;
}

/** Largest answer by default, a minute of work. */
const MAXIMUM_SAMPLES = 100_000;

/** Largest archive: it is complete in memory, 6 MB, before it is sent. */
const MAXIMUM_ARCHIVE = 10_000;

/** Larger answers are drawn again rather than kept: 8 MB of JSON. */
const MAXIMUM_KEPT = 5000;

/** Samples between two looks at other requests. */
const CHUNK = 128;

/** A day: the samples of a seed stay the same, but the model behind the address may be replaced. */
const CACHING = "public, max-age=86400";

/** Every page may ask; errors can be read as well. */
const COMMON = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "etag, content-disposition, x-seed",
  "x-content-type-options": "nosniff",
};

const METHODS = "GET, HEAD, OPTIONS";

const opened = new WeakMap<object, Promise<ModelSampler>>();

/**
 * Opens the model, once; a failure is not remembered. Hosts that count the time of requests, but not that of starting
 * up, call it there.
 *
 * @param environment what the host has
 * @returns the opened model
 * @throws {Error} if the file is none, or the kernels do not run
 */
export function open({ model, kernels }: Pick<Environment, "model" | "kernels">): Promise<ModelSampler> {
  let sampler = opened.get(model);
  if (sampler === undefined) {
    sampler = loadSampler(model, { backend: "kernels", kernels, chunk: CHUNK });
    opened.set(model, sampler);
    sampler.catch(() => opened.delete(model));
  }
  return sampler;
}

/**
 * Answers a request.
 *
 * @param request what is asked
 * @param environment what the host has
 * @returns the answer: never throws, errors are `{ "error": "Cannot …" }`
 */
export async function handle(request: Request, environment: Environment): Promise<Response> {
  try {
    const url = new URL(request.url);
    const answer = { "/": describe, "/sample": sample }[url.pathname];
    if (answer === undefined) {
      throw new Refusal(404, `Cannot find a page: path must be / or /sample, got ${JSON.stringify(url.pathname)}`);
    }
    if (request.method === "OPTIONS") return preflight();
    if (request.method !== "GET" && request.method !== "HEAD") {
      const message = `Cannot answer: method must be one of ${METHODS}, got ${request.method}`;
      throw new Refusal(405, message, { allow: METHODS });
    }
    return await answer(url, request, environment);
  } catch (error) {
    if (error instanceof Refusal) return refusal(error);
    console.error(error);
    return refusal(new Refusal(500, "Cannot answer: the service must work, got an error of its own: ask again later"));
  }
}

function refusal({ status, message, headers }: Refusal): Response {
  const fixed = { ...COMMON, "content-type": contentTypes.json, "cache-control": "no-store" };
  return new Response(`${JSON.stringify({ error: message })}\n`, { status, headers: { ...fixed, ...headers } });
}

function preflight(): Response {
  const headers = {
    ...COMMON,
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "if-none-match",
    "access-control-max-age": "86400",
    "allow": METHODS,
  };
  return new Response(null, { status: 204, headers });
}

function limitsOf({ maximumSamples = MAXIMUM_SAMPLES }: Environment): Limits {
  return { json: maximumSamples, npz: Math.min(maximumSamples, MAXIMUM_ARCHIVE), xyz: maximumSamples };
}

/** The page that says what this is. */
async function describe(_: URL, request: Request, environment: Environment): Promise<Response> {
  const { metadata } = await open(environment);
  const limits = limitsOf(environment);
  const page = {
    service: "independent, weighted equilibrium samples of a Boltzmann generator",
    sample: "/sample?n=100&seed=1&format=json",
    parameters: {
      n: `how many samples, 1 to ${limits.json} (npz: ${limits.npz}); default ${Math.min(100, limits.json)}`,
      seed: "0 to 2^53 - 1; sample i belongs to seed and i alone. Default: drawn at random, see the header x-seed",
      first: "number of the first sample in the sequence of the seed; default 0",
      format: `${formats.join(", ")}; default json`,
    },
    samples: {
      x: "configuration, the coordinates of one particle after the other",
      logProb: "log q(x), natural logarithm of the normalised density that x was drawn from",
      logWeight: "-U(x)/T - log q(x); averages with weights exp(logWeight) are those of the Boltzmann distribution. " +
        "null or absent outside of the reference domain: weight zero",
    },
    model: metadata,
  };
  const headers = { ...COMMON, "content-type": contentTypes.json, "cache-control": "public, max-age=3600" };
  return new Response(request.method === "HEAD" ? null : `${JSON.stringify(page, null, 2)}\n`, { headers });
}

/** Samples: from the cache, not at all where the client has them, or drawn. */
async function sample(url: URL, request: Request, environment: Environment): Promise<Response> {
  const query = parseSampleQuery(url.searchParams, limitsOf(environment));
  const sampler = await open(environment);
  const { particles, weights } = sampler.metadata;
  if (query.format === "xyz" && particles === null) {
    throw new Refusal(400, "Cannot sample: format must be json or npz for a system without particles, got xyz");
  }
  const name = nameOf(query, weights);
  // Two hosts may differ in the last digits of a sample, so that the tag is a weak one.
  const tag = `W/"${name}"`;
  const headers = new Headers({
    ...COMMON,
    "content-type": contentTypes[query.format],
    "content-disposition": `${query.format === "json" ? "inline" : "attachment"}; filename="${name}"`,
    "cache-control": query.isSeeded ? CACHING : "no-store",
    "x-seed": `${query.seed}`,
    ...query.isSeeded && { etag: tag },
  });
  if (query.isSeeded && isKnown(request.headers.get("if-none-match"), tag)) {
    return new Response(null, { status: 304, headers });
  }
  if (request.method === "HEAD") return new Response(null, { headers });
  const key = new URL(`/sample/${name}`, url);
  const { cache } = environment;
  const isKept = cache !== undefined && query.isSeeded && query.n <= MAXIMUM_KEPT;
  const kept = isKept ? await cache.match(key) : undefined;
  if (kept !== undefined) return kept;
  const response = new Response(draw(sampler, query), { headers });
  if (isKept) keep(cache.put(key, response.clone()), environment);
  return response;
}

/** A file name that says which samples of which model these are; equal names, equal samples. */
function nameOf({ n, seed, first, format }: SampleQuery, weights: string): string {
  return `samples_${weights.slice(0, 16)}_seed${seed}_${first}-${first + n - 1}.${format}`;
}

/** Whether a client that names these tags has the answer already. */
function isKnown(tags: string | null, tag: string): boolean {
  if (tags === null) return false;
  const opaque = (text: string) => text.trim().replace(/^W\//, "");
  return tags.split(",").some((one) => one.trim() === "*" || opaque(one) === opaque(tag));
}

/** Samples while they are drawn. A client that goes away cancels the stream, and the drawing with it. */
function draw(sampler: ModelSampler, query: SampleQuery): ReadableStream {
  const stop = new AbortController();
  return streamOf(writeSamples(sampler, { ...query, signal: stop.signal }), () => stop.abort());
}

/** An answer that cannot be kept is no fault of the request. */
function keep(work: Promise<void>, { waitUntil }: Environment): void {
  const done = work.catch((error) => console.error(error));
  waitUntil?.(done);
}
