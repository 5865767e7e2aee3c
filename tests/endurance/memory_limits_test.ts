/** What happens when memory ends: the kernels', what a program may have, and JavaScript's heap. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { input } from "../../src/graph/operations.ts";
import { allocatedBytes } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { loadCheckpoint } from "../../src/training/checkpoint.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";

await loadKernels();
const source = (path: string) => new URL(`../../src/${path}`, import.meta.url).href;

Deno.test("a batch that is too large for the kernels' memory is refused, leaves nothing behind, and smaller ones work", () => {
  const flow = new Flow(new RealNVP({ dim: 8, blocks: 2, hidden: [16] }));
  const run = (n: number) => {
    const x = input(new Graph(), "x", 8);
    return new KernelRun([flow.logProbOf(x)], { n, gradient: true });
  };
  run(10)[Symbol.dispose](); // the packed forms of weights stay with the flow
  const before = allocatedBytes();

  const { message } = assertThrows(() => run(1e8), RangeError);

  assertMatch(
    message,
    /^Cannot allocate memory: the total must be at most 4 GiB, got \d+ MiB: use a smaller batch or network, or dispose /,
  );
  assertEquals(allocatedBytes(), before);
  using small = run(100);
  assert(small.forward([new Float64Array(800)])[0].every(Number.isFinite));
});

Deno.test("more samples than an array holds are refused before anything is computed", () => {
  const flow = new Flow(new RealNVP({ dim: 8, blocks: 1, hidden: [8] }));
  assertThrows(
    () => flow.sample(2 ** 27 + 1, { seed: 1 }),
    RangeError,
    "Cannot sample from the flow: n must be at most 134217728 in one call, got 134217729: draw pieces, each with its own " +
      "first",
  );
});

/** Runs a program in a process of its own; its end, and what it wrote. */
async function run(program: string, flags: readonly string[], limits = "true") {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, program);
    const command = `${limits}; exec "$0" "$@"`;
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", command, Deno.execPath(), "run", "-A", "--no-check", ...flags, path],
      env: { NO_COLOR: "1" },
    }).output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test({
  name: "memory that the system does not give is an error that says so, and what was there works on",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const program = `
      const { allocate, f32, release } = await import("${source("backend/wasm.ts")}");
      const { loadKernels } = await import("${source("backend/wasm_deno.ts")}");
      await loadKernels();
      const first = allocate(400);
      f32(first, 100).fill(3);
      try {
        for (;;) allocate(100 << 20);
      } catch (error) {
        console.log(String(error));
      }
      const again = allocate(4096);
      console.log(f32(first, 100).every((v) => v === 3), f32(again, 1024).every((v) => v === 0));
    `;
    const { code, stdout, stderr } = await run(program, [], "ulimit -d 1500000");

    assertEquals(code, 0, stderr);
    const [message, works] = stdout.split("\n");
    assertMatch(
      message,
      /^RangeError: Cannot allocate memory: the total must be what the system has left for this program, got \d+ MiB: use /,
    );
    assertEquals(works, "true true");
  },
});

Deno.test({
  name: "an exhausted heap ends the program, which cannot be caught: at once, loudly, and the checkpoint is whole",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await inTemporaryDirectory(async (directory) => {
      const program = `
        const { saveCheckpoint } = await import("${source("training/checkpoint.ts")}");
        const kept = [];
        try {
          for (let step = 0;; step++) {
            if (step < 3) await saveCheckpoint("${directory}/c.safetensors", { kind: "test", state: { step }, tensors: new Map() });
            for (let k = 0; k < 1000; k++) kept.push(new Array(1000).fill(step));
          }
        } catch (error) {
          console.log("caught");
        }
      `;
      const { code, stdout, stderr } = await run(program, ["--v8-flags=--max-old-space-size=60"], "ulimit -c 0");

      assert(code !== 0 && stdout === "", `${code} ${stdout}`);
      assertMatch(stderr, /heap|out of memory/i);
      const { state } = await loadCheckpoint(`${directory}/c.safetensors`);
      assert(Number(state.step) <= 2);
    });
  },
});
