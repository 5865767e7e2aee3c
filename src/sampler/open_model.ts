import { decodeModel, sealedPart } from "../format/decode_model.ts";
import { showJson } from "../format/parse_json.ts";
import { checkGraph } from "./check_graph.ts";
import { planKey } from "./encode_plan.ts";
import { fetchBytes } from "./fetch_bytes.ts";
import { KernelSession, mostCoordinates } from "./kernel_session.ts";
import { type ModelMetadata, type ModelRole, parseMetadata } from "./metadata.ts";
import { type OnnxRuntime, OnnxSession } from "./onnx_session.ts";
import type { Backend, Session } from "./session.ts";

/** A model file: its bytes, or where they are to be had. */
export type ModelSource = Uint8Array | ArrayBuffer | URL;

/** How models are run. */
export interface RunOptions {
  /**
   * What runs the model: "kernels" of this package, "onnxruntime", or by default the kernels where the file and the host
   * allow it.
   */
  readonly backend?: Backend | "auto" | undefined;
  /** Ends loading. */
  readonly signal?: AbortSignal | undefined;
}

/** What a host has to run models with. */
export interface Host {
  /** Loads the kernels of this package, unless they are; undefined where there are none. */
  readonly kernels?: (() => Promise<void>) | undefined;
  /** Loads onnxruntime; undefined where there is none. */
  readonly onnxruntime?: (() => Promise<OnnxRuntime>) | undefined;
}

/**
 * Reads a model file, checks it and opens it.
 *
 * @param source the file
 * @param role which way it must go
 * @param options what runs it
 * @param host what there is to run it with
 * @throws {Error} if the file is damaged, foreign, or goes the other way, or if nothing here runs it
 */
export async function openModel(
  source: ModelSource,
  role: ModelRole,
  options: RunOptions,
  host: Host,
): Promise<Session> {
  const bytes = await readSource(source, options.signal);
  const model = decodeModel(bytes, await quickDigest(sealedPart(bytes)));
  const metadata = parseMetadata(model.metadata);
  if (metadata.role !== role) {
    throw new Error(
      `Cannot open ONNX model: file must be a ${role}, got a ${metadata.role}: use ${role}.onnx of the same run`,
    );
  }
  if (metadata.prior !== "normal") {
    throw new Error(`Cannot open ONNX model: prior must be "normal", got "${metadata.prior}"`);
  }
  checkGraph(model, metadata);
  const hasPlan = Object.hasOwn(model.metadata, planKey);
  const session = await withKernels(options.backend ?? "auto", metadata, hasPlan, host)
    ? new KernelSession(model, metadata)
    : await OnnxSession.open(bytes, model, metadata, await runtimeOf(host));
  if (options.signal?.aborted) {
    await session.close();
    options.signal.throwIfAborted();
  }
  return session;
}

/** SHA-256 by the host, which is much faster than TypeScript; undefined where it has none, such as a page without HTTPS. */
async function quickDigest(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    return undefined; // also for shared memory, which the host does not read
  }
}

/** Whether the kernels are to run a model; if so, they are loaded. */
async function withKernels(
  backend: Backend | "auto",
  { precision, dim }: ModelMetadata,
  hasPlan: boolean,
  host: Host,
): Promise<boolean> {
  if (backend === "onnxruntime") return false;
  if (backend !== "kernels" && backend !== "auto") {
    throw new RangeError(
      `Cannot open ONNX model: backend must be "auto", "kernels" or "onnxruntime", got ${showJson(backend)}`,
    );
  }
  const reason = precision !== "float32"
    ? "kernels compute in float32, and the model is float64"
    : !hasPlan
    ? "the file has no plan for kernels: export the flow again"
    : dim > mostCoordinates
    ? `kernels take at most ${mostCoordinates} coordinates, and the model has ${dim}`
    : host.kernels === undefined
    ? "no kernels were given: pass the .wasm module as options.kernels"
    : null;
  if (reason === null) {
    try {
      await host.kernels!();
      return true;
    } catch (error) {
      if (backend === "kernels" || host.onnxruntime === undefined) throw error;
      return false;
    }
  }
  if (backend === "auto" && host.onnxruntime !== undefined) return false;
  throw new Error(`Cannot open ONNX model: backend must be able to run it, got "${backend}": ${reason}`);
}

function runtimeOf({ onnxruntime }: Host): Promise<OnnxRuntime> {
  if (onnxruntime !== undefined) return onnxruntime();
  throw new Error(
    'Cannot open ONNX model: onnxruntime must be given, got none: pass the module "onnxruntime-web/wasm" as ' +
      "options.onnxruntime",
  );
}

async function readSource(source: ModelSource, signal: AbortSignal | undefined): Promise<Uint8Array> {
  signal?.throwIfAborted();
  // A view of our own: the slices of a Buffer of Node, which is a Uint8Array too, would share its memory.
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (!(source instanceof URL)) {
    throw new TypeError(`Cannot open ONNX model: source must be bytes or a URL, got ${typeof source}`);
  }
  return await fetchBytes(source, "open ONNX model", signal);
}
