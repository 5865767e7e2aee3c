/**
 * A thread of the pool: waits for work, takes tasks, waits again.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { memorySlot } from "./memory_slot.ts";
import type { Program } from "./program.ts";
import type { KernelBuild } from "./wasm.ts";

interface Start {
  readonly memory: WebAssembly.Memory;
  readonly address: number;
  readonly thread: number;
  readonly build: KernelBuild;
}

self.onmessage = async (event: MessageEvent<Start>) => {
  const { memory, address, thread, build } = event.data;
  memorySlot.memory = memory;
  const { loadKernels } = await import("./wasm_deno.ts");
  await loadKernels({ deterministic: build === "baseline" });
  const { Control, CONTROL_LENGTH, joinIn, waitForChange } = await import("./pool.ts");
  const { decodeProgram } = await import("./program.ts");
  const control = new Int32Array(memory.buffer, address, CONTROL_LENGTH);
  const decoded = new Map<number, Program>();
  let epoch = Atomics.load(control, Control.epoch);
  self.postMessage("ready");

  const programInMemory = (): Program => {
    const id = control[Control.programId];
    let program = decoded.get(id);
    if (program === undefined) {
      const bytes = new Uint8Array(memory.buffer, control[Control.programAddress], control[Control.programBytes]);
      program = decodeProgram(new TextDecoder().decode(bytes.slice()));
      if (decoded.size >= 16) decoded.delete(decoded.keys().next().value!);
      decoded.set(id, program);
    }
    return program;
  };

  for (;;) {
    while (Atomics.load(control, Control.epoch) === epoch) waitForChange(control, Control.epoch, epoch);
    epoch = Atomics.load(control, Control.epoch);
    if (Atomics.load(control, Control.closing) === 1) return;
    if (epoch % 2 !== 0) joinIn(control, epoch, programInMemory, thread);
  }
};
