import { assert, assertEquals } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { long, record, trials } from "../support/incidents.ts";
import { differingFiles, type Killed, type KillPlan, killUntilDone, runToEnd } from "../support/killed_runs.ts";

await loadKernels();

/** A run to be killed: tiny, or in the long test a real script. */
interface Victim {
  readonly name: string;
  readonly tiny: readonly string[];
  readonly real: readonly string[];
  /** Kills in the quick and the long test. */
  readonly kills: readonly [number, number];
}

const tiny = (name: string) => ["tests/support/tiny_run_program.ts", name, "--checkpoint-every", "0.02"];
const real = (name: string, ...args: string[]) => [`scripts/${name}.ts`, "--checkpoint-every", "0.3", ...args];

const victims: readonly Victim[] = [
  {
    name: "train_dimer",
    tiny: tiny("dimer"),
    real: real("train_dimer", "--budget", "smoke"),
    kills: [3, 50],
  },
  {
    name: "dimer_temperatures",
    tiny: tiny("temperatures"),
    real: real("dimer_temperatures", "--budget", "smoke", "--temperatures", "2", "--steps", "150"),
    kills: [1, 8],
  },
  {
    name: "fluid_free_energy",
    tiny: tiny("fluid"),
    real: real("fluid_free_energy", "--budget", "smoke"),
    kills: [1, 8],
  },
];

for (const { name, tiny, real, kills: [quick, many] } of victims) {
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
          lifeMs: long ? [0.02 * wholeMs, 0.3 * wholeMs] : [1, 0.05 * wholeMs],
          moments: long ? ["any", "writing"] : ["writing", "written"],
          kills: wanted - sum("kills"),
        };
        all.push(await killUntilDone({ args, out }, plan));
        wrong.push(...differingFiles(whole, out));
        await Deno.remove(out, { recursive: true });
      }
      record({
        incident: `SIGKILL of ${name} (${sum("duringWrite")} while a file was being written)`,
        trials: sum("kills"),
        lost: 0,
        wrong: wrong.length,
        seconds: (performance.now() - start) / 1000,
      });
      assertEquals(wrong, []);
      // What the test is about must have happened.
      assert(sum("withCheckpoint") > 0 && (wanted < 3 || sum("duringWrite") > 0), JSON.stringify(all));
    });
  });
}
