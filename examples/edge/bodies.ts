/**
 * Samples as bytes: JSON and XYZ are written while they are drawn, an archive is sent when it is complete.
 *
 * @module
 */
// @ts-types="../../src/sampler/portable.ts"
import { encodeNpz, encodeXyz } from "../dist/boltzflow_sampler.js";
import type { ModelSampler } from "../../src/sampler/portable.ts";
import type { Format, SampleQuery } from "./query.ts";

/** Samples with their densities and weights. */
interface WeighedBatch {
  /** Configurations, [n, dim]. */
  readonly x: Float64Array;
  /** log q(x), [n]. */
  readonly logProb: Float64Array;
  /** −U(x)/T − log q(x), [n]; −∞ outside the reference domain. */
  readonly logWeights: Float64Array;
}

/** How a form is named to clients. */
export const contentTypes: Readonly<Record<Format, string>> = {
  json: "application/json; charset=utf-8",
  npz: "application/octet-stream",
  xyz: "chemical/x-xyz; charset=utf-8",
};

/**
 * Draws samples and writes them down.
 *
 * @param sampler the model
 * @param query what was asked for; `signal` ends the work between two batches
 * @returns the bytes in pieces
 */
export function writeSamples(
  sampler: ModelSampler,
  query: SampleQuery & { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (query.format === "npz") return archive(sampler, query);
  return encoded(query.format === "json" ? jsonText(sampler, query) : xyzText(sampler, query));
}

async function* encoded(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  for await (const piece of pieces) yield encoder.encode(piece);
}

/** Batch after batch; other requests have their turn between two, since sampling itself never waits for anything. */
async function* batches(
  sampler: ModelSampler,
  { n, seed, first, signal }: SampleQuery & { readonly signal: AbortSignal },
): AsyncGenerator<WeighedBatch> {
  for await (const { x, logProb } of sampler.chunks(n, { seed, first, signal })) {
    yield { x, logProb, logWeights: await sampler.logWeights(x, logProb) };
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** One object; `logWeight` of a sample outside the reference domain is null, since JSON knows no −∞. */
async function* jsonText(sampler: ModelSampler, query: SampleQuery & { readonly signal: AbortSignal }) {
  const { system, preset, temperature, weights } = sampler.metadata;
  const { n, seed, first } = query;
  const head = JSON.stringify({ system, preset, temperature, weights, dim: sampler.dim, n, seed, first });
  yield `${head.slice(0, -1)},"samples":[`;
  let separator = "\n";
  for await (const { x, logProb, logWeights } of batches(sampler, query)) {
    let text = "";
    for (let i = 0; i < logProb.length; i++) {
      const configuration = x.subarray(i * sampler.dim, (i + 1) * sampler.dim).join();
      const logWeight = logWeights[i] === -Infinity ? null : logWeights[i];
      text += `${separator}{"logProb":${logProb[i]},"logWeight":${logWeight},"x":[${configuration}]}`;
      separator = ",\n";
    }
    yield text;
  }
  yield "\n]}\n";
}

/** Frame after frame; one outside the reference domain has no `logWeight`, since XYZ knows no −∞. */
async function* xyzText(sampler: ModelSampler, query: SampleQuery & { readonly signal: AbortSignal }) {
  const { dim, metadata: { particles } } = sampler;
  for await (const { x, logProb, logWeights } of batches(sampler, query)) {
    let text = "";
    for (let i = 0; i < logProb.length; i++) {
      const own = (values: Float64Array) => values.subarray(i, i + 1);
      const perFrame = { logProb: own(logProb), ...logWeights[i] > -Infinity && { logWeight: own(logWeights) } };
      text += [...encodeXyz(x.subarray(i * dim, (i + 1) * dim), { ...particles!, perFrame })].join("");
    }
    yield text;
  }
}

/** Arrays x [n, dim], logProb [n] and logWeight [n] of float64 for `numpy.load`. */
async function* archive(sampler: ModelSampler, query: SampleQuery & { readonly signal: AbortSignal }) {
  const { n } = query;
  const { dim } = sampler;
  const [x, logProb, logWeight] = [n * dim, n, n].map((length) => new Float64Array(length));
  let at = 0;
  for await (const batch of batches(sampler, query)) {
    x.set(batch.x, at * dim);
    logProb.set(batch.logProb, at);
    logWeight.set(batch.logWeights, at);
    at += batch.logProb.length;
  }
  const column = (data: Float64Array) => ({ shape: [n], data });
  yield await encodeNpz({ x: { shape: [n, dim], data: x }, logProb: column(logProb), logWeight: column(logWeight) });
}

/**
 * Sends pieces as they are asked for: a slow reader keeps the next ones from being made.
 *
 * @param pieces what to send
 * @param stop called when the reader goes away
 * @returns the stream
 */
export function streamOf(
  pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  stop: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      stop();
      await pieces.return(undefined);
    },
  }, { highWaterMark: 0 });
}
