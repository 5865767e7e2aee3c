/**
 * Training and sampling for a long time: what they use after the first steps, they use for ever.
 *
 * BOLTZFLOW_STEADY_STEPS=100000 asks for as many steps, with optimising compilers as in daily use; they keep notes on the
 * code that they watch, 0.1 to 0.2 MB, most of it in the first ten thousand steps. The usual test interprets all code, so
 * that the heap shows what the code itself keeps: after the first thousand steps nothing.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { runDeno } from "../support/deno_process.ts";
import type { MemoryAtStep } from "./steady_state_program.ts";

const asked = Deno.env.get("BOLTZFLOW_STEADY_STEPS");
const STEPS = [1, 1000, Number(asked ?? 3000)];
/** Options of V8: daily use, and interpreted. */
const COMPILED = "--expose-gc";
const INTERPRETED = `${COMPILED},--no-opt,--no-maglev,--no-sparkplug`;
const FLAGS = asked === undefined ? INTERPRETED : COMPILED;
/** Bytes of heap and array buffers for each step: as much as a single number that is kept. */
const PER_STEP = 8;
/** The limit of the project for a whole training process. */
const PEAK = 400e6;

/** Runs `steady_state_program.ts`. */
async function memoryOf(
  what: string,
  threads: number,
  steps: readonly number[],
  flags: string,
): Promise<MemoryAtStep[]> {
  const program = new URL("steady_state_program.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", `--v8-flags=${flags}`, program, what, threads, ...steps];
  const { stdout } = await runDeno(args.map(String));
  const seen: MemoryAtStep[] = JSON.parse(stdout);
  assertEquals(seen.map(({ step }) => step), steps);
  return seen;
}

/** Throws where memory grows: the kernels' after the first step, JavaScript's after the first thousand. */
function assertSteady([first, early, late]: readonly MemoryAtStep[]): void {
  assertEquals([early.wasm, late.wasm], [first.wasm, first.wasm], "size of the kernels' memory");
  assertEquals([early.allocated, late.allocated], [first.allocated, first.allocated], "use of the kernels' memory");
  const grown = (late.heap + late.external - early.heap - early.external) / (late.step - early.step);
  assert(grown <= PER_STEP, `heap and array buffers grow by ${grown} bytes in each step`);
  if (asked !== undefined) {
    const seconds = (late.milliseconds - early.milliseconds) / 1000;
    console.log(
      `steps ${early.step} to ${late.step}: heap ${early.heap} to ${late.heap} bytes, ${seconds.toFixed(1)} s`,
    );
  }
}

const cases = {
  "maximum likelihood": ["ml", 1],
  "an energy in the graph, two threads": ["kl", 2],
  "an energy outside of the graph": ["external", 1],
  "sampling": ["sample", 1],
} as const;

for (const [name, [what, threads]] of Object.entries(cases)) {
  Deno.test(`memory stays as it is, step after step: ${name}`, async () => {
    assertSteady(await memoryOf(what, threads, STEPS, FLAGS));
  });
}

Deno.test("a list of one number that each step keeps is found", async () => {
  const seen = await memoryOf("leak", 1, STEPS, FLAGS);
  assertThrows(() => assertSteady(seen), Error, "heap and array buffers grow by");
});

Deno.test("kernel memory that grows by a page, or that is reserved and not given back, is found", () => {
  const usual = { wasm: 2 ** 24, allocated: 1000, heap: 4e6, external: 10, peak: 5e7, milliseconds: 1 };
  const steady = STEPS.map((step) => ({ ...usual, step }));
  assertSteady(steady);
  const grown = (change: Partial<MemoryAtStep>) => [...steady.slice(0, 2), { ...steady[2], ...change }];
  assertThrows(() => assertSteady(grown({ wasm: 2 ** 24 + 65536 })), Error, "size of the kernels' memory");
  assertThrows(() => assertSteady(grown({ allocated: 1064 })), Error, "use of the kernels' memory");
  assertThrows(() => assertSteady(grown({ external: 10 + 9 * STEPS[2] })), Error, "heap and array buffers grow");
});

for (const threads of [1, 2]) {
  Deno.test({
    name: `training RealNVP of 76 coordinates on batches of 1024 stays below 400 MB, ${threads} threads`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const [first, second] = await memoryOf("both", threads, [1, 2], COMPILED);
      assertEquals([second.wasm, second.allocated], [first.wasm, first.allocated]);
      assert(second.peak > second.wasm && second.peak <= PEAK, `${second.peak} bytes`);
    },
  });
}
