import { showText } from "../format/parse_json.ts";

/**
 * Fetches a file.
 *
 * @param url where it is
 * @param task what cannot be done without it, as in "open ONNX model"
 * @param signal ends it
 * @returns its bytes
 * @throws {Error} if it is not there, cannot be reached, or breaks off; the signal's reason once it is aborted
 */
export async function fetchBytes(url: URL, task: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const name = showText(url.href, 200);
  const unreadable = (cause: unknown): never => {
    signal?.throwIfAborted();
    const said = showText(cause instanceof Error ? cause.message : String(cause), 200);
    throw new Error(`Cannot ${task}: ${name} must be readable, got: ${said}`, { cause });
  };
  const response = await fetch(url, { signal: signal ?? null }).catch(unreadable);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`Cannot ${task}: ${name} must be there, got status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer().catch(unreadable));
}
