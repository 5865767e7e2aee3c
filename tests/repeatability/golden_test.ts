/**
 * The deterministic mode: the same bytes from data to model as on the day on which checksums were written down.
 *
 * When arithmetic is changed on purpose, write new ones:
 *
 *     deno run -A tests/repeatability/golden_runs.ts baseline 1 forbidden > tests/repeatability/golden_checksums.json
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { allocate, f32, kernels, release } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { long, record } from "../support/incidents.ts";
import { runDeno, tryDeno } from "../support/deno_process.ts";
import golden from "./golden_checksums.json" with { type: "json" };

const program = new URL("golden_runs.ts", import.meta.url).pathname;

/** Other processors, as far as one can play them: no fused multiply-add, no AVX, none of the newer instructions. */
const OLD_PROCESSOR = "--no-enable-fma3,--no-enable-avx,--no-enable-avx2,--no-enable-bmi1,--no-enable-bmi2," +
  "--no-enable-sse4-2";
/** Other compilers: only the quick one for kernels, only the interpreter for TypeScript. */
const OTHER_COMPILERS = "--liftoff-only,--no-opt,--no-maglev,--no-sparkplug";

async function checksums(
  build: "baseline" | "relaxed",
  threads: number,
  math: "forbidden" | "allowed",
  flags: string,
): Promise<Record<string, string>> {
  const options = flags === "" ? [] : [`--v8-flags=${flags}`];
  const { stdout } = await runDeno(["run", "-A", "--no-check", ...options, program, build, `${threads}`, math]);
  return JSON.parse(stdout);
}

const few = [
  { threads: 1, math: "forbidden", flags: "" },
  { threads: 2, math: "allowed", flags: OLD_PROCESSOR },
] as const;
const many = [
  ...few,
  { threads: 3, math: "forbidden", flags: "" },
  { threads: 2, math: "forbidden", flags: OTHER_COMPILERS },
  { threads: 1, math: "allowed", flags: `${OLD_PROCESSOR},${OTHER_COMPILERS}` },
] as const;
const cases = long ? many : few;

Deno.test("the deterministic mode gives the bytes that were written down, on any number of threads and on old processors, without functions that engines choose", async () => {
  const start = performance.now();
  let wrong = 0;
  for (const { threads, math, flags } of cases) {
    const found = await checksums("baseline", threads, math, flags);
    wrong += Object.keys(golden).filter((name) => found[name] !== (golden as Record<string, string>)[name]).length;
    assertEquals(found, golden, `${threads} threads, Math ${math}, ${flags || "as usual"}`);
  }
  const trials = cases.length * Object.keys(golden).length;
  record({
    incident: "another number of threads, processor or compiler, deterministic mode",
    trials,
    lost: 0,
    wrong,
    seconds: (performance.now() - start) / 1000,
  });
});

/** Whether this engine rounds once in a·x + y: then a rounded product less itself leaves the rounding error. */
function fusesMultiplyAdd(): boolean {
  const address = allocate(8);
  const a = Math.fround(1.1);
  f32(address, 2).set([a, -Math.fround(a * a)]);
  kernels.accumulateF32(1, a, address, address + 4);
  const rest = f32(address, 2)[1];
  release(address);
  return rest !== 0;
}

Deno.test("checksums tell builds apart: fused multiply-adds change what is trained, and nothing that needs no kernels", async () => {
  const found = await checksums("relaxed", 1, "allowed", "");
  await loadKernels();
  const fuses = fusesMultiplyAdd();
  for (const [name, sum] of Object.entries(golden)) {
    const needsNoKernels = name === "random numbers" || name === "Monte Carlo of a user's energy";
    if (!fuses || needsNoKernels) assertEquals(found[name], sum, name);
    // A fused step of a chain may move no particle otherwise: its bits are accepted or refused, and seldom on the edge.
    else if (!name.startsWith("Monte Carlo")) assertNotEquals(found[name], sum, name);
  }
});

Deno.test("a function that engines choose is found where it is forbidden", async () => {
  const module = `data:text/javascript,export const checksums=()=>({x:Math.exp(1)})`;
  const text = (await Deno.readTextFile(program)).replace("./golden_checksums.ts", module);
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, text);
    const { code, stderr } = await tryDeno(["run", "-A", "--no-check", path, "baseline", "1", "forbidden"]);
    assert(code !== 0 && stderr.includes("Math.exp is on the path from data to model bytes"), stderr);
  } finally {
    await Deno.remove(path);
  }
});
