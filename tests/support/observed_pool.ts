/** A pool whose worker a test can kill, or play. */
import { ThreadPool } from "../../src/backend/pool.ts";
import { i32 } from "../../src/backend/wasm.ts";

/**
 * Opens a pool of two threads; tells the worker, and where the pool and the worker talk to each other.
 *
 * @param patience seconds without a sign of life after which the worker counts as dead
 */
export async function observedPool(
  patience: number,
): Promise<{ pool: ThreadPool; worker: Worker; control: Int32Array }> {
  const OwnWorker = globalThis.Worker;
  const seen: { worker: Worker; address: number }[] = [];
  globalThis.Worker = class extends OwnWorker {
    override postMessage(message: unknown): void {
      seen.push({ worker: this, address: (message as { address: number }).address });
      super.postMessage(message);
    }
  };
  try {
    const pool = await ThreadPool.open(2, { patience });
    const [{ worker, address }] = seen;
    return { pool, worker, control: i32(address, 12) };
  } finally {
    globalThis.Worker = OwnWorker;
  }
}
