import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Executor, serialPool } from "../../src/backend/executor.ts";
import { Control, ThreadPool } from "../../src/backend/pool.ts";
import { Base, decodeProgram, encodeProgram, type KernelCall, nextProgramId } from "../../src/backend/program.ts";
import type { Program } from "../../src/backend/program.ts";
import { allocate, allocatedBytes, f32, f64, release } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { observedPool } from "../support/observed_pool.ts";

await loadKernels();

const threadCounts = [1, 2, 3];

/** Runs a test on the calling thread alone and on pools of 1, 2 and 3 threads. */
async function onEveryExecutor(test: (executor: Executor) => void): Promise<void> {
  test(serialPool);
  for (const threads of threadCounts) {
    using pool = await ThreadPool.open(threads);
    test(pool);
  }
}

/** Runs a test on n zeroed float32. */
function withFloats(n: number, test: (address: number) => void): void {
  const address = allocate(4 * n);
  try {
    test(address);
  } finally {
    release(address);
  }
}

Deno.test("ThreadPool.open() has as many threads as asked for and refuses other than 1 to 256", async () => {
  for (const threads of threadCounts) {
    using pool = await ThreadPool.open(threads);
    assertEquals(pool.threads, threads);
  }
  for (const threads of [0, 1.5, NaN, 257]) {
    await assertRejects(
      () => ThreadPool.open(threads),
      RangeError,
      `Cannot open a thread pool: threads must be a whole number from 1 to 256, got ${threads}`,
    );
  }
});

Deno.test("run() makes each of any number of calls exactly once", async () => {
  await onEveryExecutor((pool) => {
    for (const count of [0, 1, 2, 3, 100]) {
      withFloats(2 * count + 1, (address) => {
        f32(address, 2 * count).fill(1);
        // Call k adds k times the first float, 1, to float count + k.
        pool.run(Array.from({ length: count }, (_, k): KernelCall => ({
          kernel: "accumulateF32",
          args: [1, k, address, address + 4 * (count + k)],
        })));

        const expected = Array.from({ length: count }, (_, k) => 1 + k);
        assertEquals([...f32(address + 4 * count, count)], expected);
      });
    }
  });
});

/**
 * Phase 0 adds 1 to a float of the slice and to one of the gradients, phase 1 to one of the executing thread, phases 2 to
 * 5 to one of the gradients each.
 */
function blocksProgram(slices: number, threads: number, address: number): Program {
  const at = (index: number) => address + 4 * index;
  const add = (base: 0 | 1 | 2 | 3, offset: number, stride: number): KernelCall => ({
    kernel: "accumulateF32",
    args: [1, 1, address, offset],
    bases: [Base.none, Base.none, Base.none, base],
    strides: [0, 0, 0, stride],
  });
  return {
    id: nextProgramId(),
    phases: [
      [add(Base.batch, 0, 4)],
      [add(Base.thread, 0, 0)],
      ...Array.from({ length: gradients }, (_, k) => [add(Base.gradient, 4 * k, 0)]),
    ],
    batch: at(1),
    gradient: at(1 + slices),
    threads: Array.from({ length: threads }, (_, t) => at(1 + slices + gradients + t)),
  };
}
const gradients = 4;

Deno.test("runPhase() runs the phase for each slice and runEach() each phase once, in their blocks", async () => {
  await onEveryExecutor((pool) => {
    const slices = 40;
    withFloats(1 + slices + gradients + pool.threads, (address) => {
      const program = blocksProgram(slices, pool.threads, address);
      f32(address, 1).fill(1);

      for (let round = 0; round < 3; round++) pool.runPhase(program, 0, slices);
      for (let round = 0; round < 2; round++) pool.runPhase(program, 1, slices);
      pool.runEach(program, gradients, 2);
      pool.runEach(program, 1, 3);
      pool.forget(program);

      assertEquals([...f32(address + 4, slices)], new Array(slices).fill(3));
      assertEquals([...f32(address + 4 * (1 + slices), gradients)], [1, 2, 1, 1]);
      const byThread = [...f32(address + 4 * (1 + slices + gradients), pool.threads)];
      assertEquals(byThread.reduce((a, b) => a + b), 2 * slices);
    });
  });
});

Deno.test("decodeProgram() gives back every number of a program, also −0, infinities and NaN", () => {
  const args = [-0, 0, Infinity, -Infinity, NaN, 0.1, 5e-324, 1.7976931348623157e308, -3];
  const program: Program = {
    id: 7,
    phases: [[{ kernel: "fillF32", args, bases: args.map(() => Base.none), strides: args.map(() => 0) }], []],
    batch: 1,
    gradient: 2,
    threads: [3, 4],
  };

  const decoded = decodeProgram(encodeProgram(program));

  assertEquals(decoded, program);
  decoded.phases[0][0].args.forEach((value, i) => assert(Object.is(value, args[i]), `argument ${i}`));
});

Deno.test("workers see the same numbers as the calling thread, also those that JSON cannot say", async () => {
  const values = [Infinity, -Infinity, NaN, -0, Math.fround(0.1)];
  const length = 2000; // long enough that workers get their share before the calling thread is done
  await onEveryExecutor((pool) => {
    withFloats(200 * length, (address) => {
      const start = (k: number) => address + 4 * length * k;

      pool.run(Array.from({ length: 200 }, (_, k) => ({ kernel: "fillF32", args: [length, values[k % 5], start(k)] })));

      for (let k = 0; k < 200; k++) assert(Object.is(f32(start(k), length)[length - 1], values[k % 5]), `call ${k}`);
    });
  });
});

Deno.test("workers reach memory that was added after they started", async () => {
  using pool = await ThreadPool.open(2);
  const megabytes = 96;
  const address = allocate(megabytes << 20);
  try {
    const calls = Array.from({ length: megabytes }, (_, k): KernelCall => ({
      kernel: "fillF32",
      args: [1 << 18, k + 1, address + (k << 20)],
    }));

    pool.run(calls);

    for (let k = 0; k < megabytes; k++) assertEquals(f32(address + (k << 20), 1 << 18)[(1 << 18) - 1], k + 1);
  } finally {
    release(address);
  }
});

Deno.test("a pool switches between more programs than its workers remember", async () => {
  using pool = await ThreadPool.open(2);
  const tasks = 4;
  withFloats(40 * 16, (address) => {
    const programs = Array.from({ length: 40 }, (_, k) => blocksProgram(tasks, 2, address + 64 * k));
    programs.forEach((_, k) => f32(address + 64 * k, 1).fill(1));

    for (let round = 0; round < 20; round++) programs.forEach((program) => pool.runPhase(program, 0, tasks));

    programs.forEach((program, k) => {
      assertEquals([...f32(address + 64 * k + 4, tasks)], new Array(tasks).fill(20));
      pool.forget(program);
    });
  });
});

Deno.test("an error in a task is thrown, and the pool works afterwards", async () => {
  using pool = await ThreadPool.open(2);
  const wrong = Array.from({ length: 8 }, (): KernelCall => ({ kernel: "noSuchKernel", args: [] }));
  // The worker that meets the error shows it on the console.
  assertThrows(() => pool.run(wrong), Error);

  withFloats(64, (address) => {
    pool.run(Array.from({ length: 64 }, (_, k) => ({ kernel: "fillF32", args: [1, k, address + 4 * k] })));
    assertEquals([...f32(address, 64)], Array.from({ length: 64 }, (_, k) => k));
  });
});

const fill = (count: number, address: number) =>
  Array.from({ length: count }, (_, k): KernelCall => ({ kernel: "fillF32", args: [1, k, address + 4 * k] }));

Deno.test("a worker that dies while it waits is not missed: the calling thread does its work", async () => {
  const { pool, worker } = await observedPool(60);
  worker.terminate();

  withFloats(64, (address) => {
    for (let round = 0; round < 3; round++) {
      f32(address, 64).fill(-1);
      pool.run(fill(64, address));
      assertEquals([...f32(address, 64)], Array.from({ length: 64 }, (_, k) => k));
    }
  });
  pool.close();
});

Deno.test("a worker that dies at work is an error and no hang, and the pool is not used again", async () => {
  const message =
    "Cannot run kernels on threads: a worker must give a sign of life within 2 s, got none: open another " +
    "pool and go on from the last checkpoint";
  const { pool, worker, control } = await observedPool(2);
  worker.terminate();
  Atomics.add(control, Control.active, 1); // what it leaves behind when it dies between two tasks

  withFloats(64, (address) => {
    assertThrows(() => pool.run(fill(64, address)), Error, message);
    assertThrows(() => pool.run(fill(64, address)), Error, message);
  });
  pool.close();
});

Deno.test("a worker that takes long but shows signs of life is waited for", async () => {
  const { pool, control } = await observedPool(2);
  Atomics.add(control, Control.active, 1); // a worker that another one plays
  const player = new Worker(
    URL.createObjectURL(
      new Blob([`onmessage = ({ data: control }) => {
        let left = 5;
        const timer = setInterval(() => {
          Atomics.add(control, ${Control.done}, 1);
          if (--left > 0) return;
          clearInterval(timer);
          Atomics.sub(control, ${Control.active}, 1);
          Atomics.notify(control, ${Control.active});
        }, 800);
        postMessage(null);
      }`]),
    ),
    { type: "module" },
  );
  await new Promise((resolve) => {
    player.onmessage = resolve;
    player.postMessage(control);
  });

  withFloats(64, (address) => {
    const start = performance.now();
    pool.run(fill(64, address));
    assert(performance.now() - start > 2500, "it did not wait");
    assertEquals([...f32(address, 64)], Array.from({ length: 64 }, (_, k) => k));
  });
  player.terminate();
  pool.close();
});

Deno.test("forget() and close() give back what programs took", async () => {
  const pool = await ThreadPool.open(2);
  const address = allocate(4 * 64);
  const before = allocatedBytes();
  const programs = [0, 1].map(() => blocksProgram(4, 2, address));
  programs.forEach((program) => pool.runPhase(program, 0, 4));
  pool.run([{ kernel: "fillF64", args: [1, 0, address] }, { kernel: "fillF64", args: [1, 0, address + 8] }]);
  assert(allocatedBytes() > before);

  pool.forget(programs[0]);
  pool.forget(programs[0]);
  pool.close();

  assertEquals(allocatedBytes(), before);
  assertEquals(f64(address, 2)[1], 0);
  release(address);
});

Deno.test("a pool refuses to mix builds of the kernels", async () => {
  using pool = await ThreadPool.open(2);
  await loadKernels({ deterministic: true });
  try {
    assertThrows(
      () => pool.run([]),
      Error,
      "Cannot run kernels on threads: the pool must be opened after the kernels are loaded, got a pool of the relaxed " +
        "and kernels of the baseline build: open another pool",
    );
  } finally {
    await loadKernels();
  }
});

Deno.test("ThreadPool.open() goes on with one thread where workers may not start, and says so once", async () => {
  const source = new URL("../../src/backend/", import.meta.url);
  const program = `
    const { ThreadPool } = await import("${new URL("pool.ts", source)}");
    const { loadKernels } = await import("${new URL("wasm_deno.ts", source)}");
    await loadKernels();
    for (const threads of [2, 3]) {
      using pool = await ThreadPool.open(threads);
      console.log(pool.threads);
    }
  `;
  const main = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(main, program);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--allow-import", main],
      stdout: "piped",
      stderr: "piped",
    }).output();

    assertEquals(new TextDecoder().decode(stdout), "1\n1\n");
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    assertEquals(lines.length, 1, lines.join("\n"));
    assertEquals(lines[0], "boltzflow runs on one thread: workers could not be started (--allow-read is missing)");
  } finally {
    await Deno.remove(main);
  }
});
