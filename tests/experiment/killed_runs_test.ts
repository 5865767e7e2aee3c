import { assert, assertEquals } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { long, record, trials } from "../support/incidents.ts";
import {
  differingFiles,
  type Killed,
  type KillPlan,
  killUntilDone,
  runToEnd,
  startProgram,
} from "../support/killed_runs.ts";

await loadKernels();

/** A run to be killed: tiny, or in the long test a real script. */
interface Victim {
  readonly name: string;
  readonly tiny: readonly string[];
  readonly real: readonly string[];
  /** Kills in the quick and the long test. */
  readonly kills: readonly [number, number];
  /** Moments of the quick test; those of the long one are the same for all. */
  readonly moments: KillPlan["moments"];
}

const LONG_MOMENTS: KillPlan["moments"] = [
  ["sampling", "SIGKILL"],
  ["any", "SIGKILL"],
  ["writing", "SIGKILL"],
  ["any", "SIGKILL"],
  ["writing", "SIGKILL"],
  ["written", "SIGINT"],
  ["any", "SIGKILL"],
  ["written", "SIGTERM"],
];

const tiny = (name: string) => ["tests/support/tiny_run_program.ts", name, "--checkpoint-every", "0.02"];
const real = (name: string, ...args: string[]) => [`scripts/${name}.ts`, "--checkpoint-every", "0.3", ...args];

const victims: readonly Victim[] = [
  {
    name: "train_dimer",
    tiny: tiny("dimer"),
    real: real("train_dimer", "--budget", "smoke"),
    kills: [5, 70],
    moments: [
      ["sampling", "SIGKILL"],
      ["writing", "SIGKILL"],
      ["written", "SIGINT"],
      ["written", "SIGKILL"],
      ["written", "SIGTERM"],
    ],
  },
  {
    name: "dimer_temperatures",
    tiny: tiny("temperatures"),
    real: real("dimer_temperatures", "--budget", "smoke", "--temperatures", "2", "--steps", "150"),
    kills: [2, 8],
    moments: [["sampling", "SIGKILL"], ["written", "SIGKILL"]],
  },
  {
    name: "fluid_free_energy",
    tiny: tiny("fluid"),
    real: real("fluid_free_energy", "--budget", "smoke"),
    kills: [2, 8],
    moments: [["sampling", "SIGKILL"], ["writing", "SIGKILL"]],
  },
];

for (const { name, tiny, real, kills: [quick, many], moments } of victims) {
  Deno.test(`${name} ends with the same bytes however often it is killed`, async () => {
    await inTemporaryDirectory(async (root) => {
      const args = long ? real : tiny;
      const whole = `${root}/whole`;
      const start = performance.now();
      await runToEnd({ args, out: whole });
      const wholeMs = performance.now() - start;
      const wanted = trials(quick, many);
      const all: Killed[] = [];
      const wrong: string[] = [];
      const sum = (of: keyof Killed) => all.reduce((total, killed) => total + killed[of], 0);
      // A run may end before it was killed often enough: then another one is begun.
      while (sum("kills") < wanted) {
        const out = `${root}/killed${all.length}`;
        const plan: KillPlan = {
          random: new RandomStream(31, 7, all.length),
          lifeMs: long ? [0.01 * wholeMs, 0.1 * wholeMs] : [1, 0.05 * wholeMs],
          moments: long ? LONG_MOMENTS : moments,
          kills: wanted - sum("kills"),
        };
        all.push(await killUntilDone({ args, out }, plan));
        wrong.push(...differingFiles(whole, out));
        await Deno.remove(out, { recursive: true });
      }
      record({
        incident: `SIGKILL, SIGINT or SIGTERM for ${name}, ${sum("duringWrite")} of them while it wrote a file, ` +
          `${sum("duringData")} while it sampled data`,
        trials: sum("kills"),
        lost: 0,
        wrong: wrong.length,
        seconds: (performance.now() - start) / 1000,
      });
      assertEquals(wrong, []);
      // What the test is about must have happened; a single kill may come a moment after the file was whole.
      assert(
        sum("withCheckpoint") > 0 && sum("duringData") > 0 && (!long || sum("duringWrite") > 0),
        JSON.stringify(all),
      );
    });
  });
}

Deno.test("a second process on the directory of a run is refused while the first one lives", async () => {
  await inTemporaryDirectory(async (root) => {
    const start = performance.now();
    const count = trials(1, 10);
    for (let i = 0; i < count; i++) {
      const program = { args: tiny("dimer"), out: `${root}/run${i}` };
      const first = startProgram(program);
      // The lock is signed once it is held.
      const isSigned = () => Deno.readTextFile(`${program.out}/run.lock`).then((text) => text !== "", () => false);
      while (!await isSigned()) await new Promise((resolve) => setTimeout(resolve, 1));
      const { code, stderr } = await startProgram(program).output();
      first.kill("SIGKILL");
      await first.output();
      assertEquals(code, 1);
      assertEquals(
        new TextDecoder().decode(stderr).replace(/^Cannot (start a|resume the) run in .*\/run\d: /, ""),
        `the directory must not be in use, got process ${first.pid} at work in it: wait for it or choose another ` +
          "directory\n",
      );
    }
    const seconds = (performance.now() - start) / 1000;
    record({ incident: "a second process on the directory of a run", trials: count, lost: 0, wrong: 0, seconds });
  });
});

Deno.test("differingFiles() finds what differs, and nothing else", async () => {
  await inTemporaryDirectory((root) => {
    const write = (run: string, wallTimeMs: number, seed: number, model: string) => {
      Deno.mkdirSync(`${root}/${run}/figures`, { recursive: true });
      Deno.writeTextFileSync(`${root}/${run}/report.json`, JSON.stringify({ wallTimeMs, numbers: { seed } }));
      Deno.writeTextFileSync(`${root}/${run}/figures/a.svg`, model);
      Deno.writeTextFileSync(`${root}/${run}/report.html`, `${wallTimeMs}`);
    };
    write("a", 1, 1, "x");
    write("b", 2, 1, "x");
    write("c", 1, 2, "y");
    Deno.writeTextFileSync(`${root}/c/sampler.onnx`, "");
    assertEquals(differingFiles(`${root}/a`, `${root}/b`), []);
    assertEquals(differingFiles(`${root}/a`, `${root}/c`), ["/figures/a.svg", "/report.json", "/sampler.onnx"]);
    return Promise.resolve();
  });
});
