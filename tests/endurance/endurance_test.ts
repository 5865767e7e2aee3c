/**
 * Long work: memory, open files and threads of a process stay as they are, and its threads end with it.
 *
 * Heap and kernel memory, byte by byte, are in tests/training/steady_state_test.ts; here is what the system counts.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { runDeno } from "../support/deno_process.ts";
import { record, trials } from "../support/incidents.ts";
import type { Holding } from "./endurance_program.ts";

/** Without this V8 sizes its young generation by how busy it is, and resident memory jumps by 24 MiB now and then. */
const FIXED_YOUNG_GENERATION = "--min-semi-space-size=1,--max-semi-space-size=1";
/**
 * Bytes by which resident memory may grow between the two looks, however many steps lie between: a tenth of the process.
 * Measured: 1.0 MiB for 90,000 training steps, 0.8 for 900,000 calls of a sampler. A byte of each call would be 0.9.
 */
const ROOM = 8 << 20;
/** The same for pools: the engine itself keeps some 5 KiB of each worker that has ended. */
const ROOM_OF_POOLS = 16 << 20;
/**
 * The same where onnxruntime is young: the engine compiles its WebAssembly again and again in the first ten
 * thousand calls (measured: 232 MiB resident after 500, 250 after 3000, 219 after 10,000, 167 from 100,000 to a million),
 * and keeps code of the first models that it opens (192 after 5, 212 after 25 and after 150).
 */
const ROOM_OF_YOUNG_RUNTIME = 96 << 20;
/** Deno starts a helper thread when it is busy, which opens two files; it keeps a few. */
const HELPERS = 2;

async function holdings(what: string, ...steps: readonly number[]): Promise<Holding[]> {
  const program = new URL("endurance_program.ts", import.meta.url).pathname;
  const args = [
    "run",
    "-A",
    "--no-check",
    `--v8-flags=--expose-gc,${FIXED_YOUNG_GENERATION}`,
    program,
    what,
    ...steps.map(String),
  ];
  const { stdout } = await runDeno(args);
  const seen: Holding[] = JSON.parse(stdout);
  assertEquals(seen.map(({ step }) => step), steps);
  return seen;
}

/** Throws where the system counts more after the last step than after an early one. */
function assertFlat([early, late]: readonly Holding[], room = ROOM): void {
  assert(late.threads <= early.threads + HELPERS, `threads grow from ${early.threads} to ${late.threads}`);
  assert(late.files <= early.files + 2 * HELPERS, `open files grow from ${early.files} to ${late.files}`);
  const grown = late.resident - early.resident;
  assert(grown <= room, `resident memory grows by ${(grown / 2 ** 20).toFixed(1)} MiB`);
}

const BOTH: [number, number] = [ROOM, ROOM];

/** How often: in the usual tests, and in the long ones. */
const cases: Record<
  string,
  { early: [number, number]; late: [number, number]; incident: string; room?: [number, number] }
> = {
  training: { early: [500, 10_000], late: [2500, 100_000], incident: "training step on two threads" },
  sample: { early: [1000, 100_000], late: [10_000, 1_000_000], incident: "call of a flow's sampler" },
  onnx: {
    early: [500, 100_000],
    late: [3000, 1_000_000],
    incident: "call of a model's sampler in onnxruntime",
    room: [ROOM_OF_YOUNG_RUNTIME, ROOM],
  },
  sessions: {
    early: [25, 100],
    late: [100, 1000],
    incident: "model opened and closed in onnxruntime",
    room: [ROOM_OF_YOUNG_RUNTIME, ROOM_OF_YOUNG_RUNTIME],
  },
  kernels: { early: [1000, 100_000], late: [10_000, 1_000_000], incident: "call of a model's sampler, own kernels" },
  "kernel sessions": { early: [100, 10_000], late: [300, 60_000], incident: "model opened and closed by own kernels" },
  pools: {
    early: [3, 30],
    late: [10, 300],
    incident: "pool of three threads opened and closed",
    room: [ROOM_OF_POOLS, ROOM_OF_POOLS],
  },
};

for (const [what, { early, late, incident, room = BOTH }] of Object.entries(cases)) {
  Deno.test({
    name: `a process holds no more after many steps than after some: ${what}`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const start = performance.now();
      const count = trials(...late);
      const seen = await holdings(what, trials(...early), count);
      let lost = 1;
      try {
        assertFlat(seen, trials(...room));
        lost = 0;
      } finally {
        record({ incident, trials: count, lost, wrong: 0, seconds: (performance.now() - start) / 1000 });
        const [a, b] = seen.map(({ resident }) => (resident / 2 ** 20).toFixed(1));
        if (count === late[1]) console.log(`resident: ${a} MiB, then ${b} MiB after ${count}`);
      }
    },
  });
}

const leaks = { "leak of files": "open files", "leak of threads": "threads grow", "leak of memory": "resident memory" };

for (const [what, message] of Object.entries(leaks)) {
  Deno.test({
    name: `what a process must not hold is found: ${what}`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const [early, late] = what === "leak of memory" ? [100, 4000] : [2, 12];
      const seen = await holdings(what, early, late);
      assertThrows(() => assertFlat(seen), Error, message);
    },
  });
}
