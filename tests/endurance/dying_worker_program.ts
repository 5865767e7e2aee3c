/**
 * A tiny run as the scripts do theirs, in which the worker dies: as soon as a checkpoint is there, in the middle of a task;
 * in a comparison, as soon as its first flow is trained.
 *
 * Arguments: those of tests/support/tiny_run_program.ts, `--out=DIR` among them.
 */
import { Control, ThreadPool } from "../../src/backend/pool.ts";
import { i32 } from "../../src/backend/wasm.ts";

/** Seconds without a sign of life after which the pool gives up; usually 60. */
const PATIENCE = 2;
/** What a run writes first while it trains. */
const CHECKPOINTS = ["checkpoint.safetensors", "parts/realnvp.safetensors"];

const out = Deno.args.find((argument) => argument.startsWith("--out="))!.slice("--out=".length);
const begun = () =>
  CHECKPOINTS.some((name) => {
    try {
      return Deno.statSync(`${out}/${name}`).isFile;
    } catch {
      return false;
    }
  });

const open = ThreadPool.open.bind(ThreadPool);
ThreadPool.open = (threads) => open(threads, { patience: PATIENCE });

const Alive = globalThis.Worker;
globalThis.Worker = class extends Alive {
  override postMessage(message: { readonly address: number }): void {
    super.postMessage(message);
    const timer = setInterval(() => {
      if (!begun()) return;
      clearInterval(timer);
      this.terminate();
      // What it leaves behind when it dies between two tasks of a dispatch.
      Atomics.add(i32(message.address, 12), Control.active, 1);
    }, 5);
    Deno.unrefTimer(timer);
  }
};

await import("../support/tiny_run_program.ts");
