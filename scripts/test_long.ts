/**
 * Runs the tests with as many trials as the promises of the README need, and prints what became of every kind of incident.
 *
 *     deno run -A scripts/test_long.ts [files or folders, default: tests]
 *
 * The same tests run with few trials in `deno task test`. Exits with the code of `deno test`.
 */
import { requireOrExit } from "./permissions.ts";

/** What became of the trials of one kind of incident: a line that a test writes, see tests/support/incidents.ts. */
export interface Incident {
  /** What happened to the program or its files, in a few words. */
  readonly incident: string;
  /** How often. */
  readonly trials: number;
  /** Trials after which more was lost than the documentation says. */
  readonly lost: number;
  /** Trials after which something was wrong and nothing said so. */
  readonly wrong: number;
  /** Seconds that the trials took. */
  readonly seconds: number;
}

requireOrExit("test_long.ts", { read: "the list of incidents", write: "the list of incidents", run: "deno test" });
const list = await Deno.makeTempFile({ prefix: "boltzflow_incidents_", suffix: ".jsonl" });
const paths = Deno.args.length > 0 ? Deno.args : ["tests"];
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", ...paths],
  env: { BOLTZFLOW_LONG: "1", BOLTZFLOW_INCIDENTS: list },
}).spawn().status;
const lines = (await Deno.readTextFile(list)).split("\n").filter((line) => line !== "");
await Deno.remove(list);
const incidents = lines.map((line) => JSON.parse(line) as Incident);
console.log("\n| incident | trials | lost | wrong | seconds |\n| --- | ---: | ---: | ---: | ---: |");
for (const { incident, trials, lost, wrong, seconds } of incidents) {
  console.log(`| ${incident} | ${trials} | ${lost} | ${wrong} | ${seconds.toFixed(0)} |`);
}
Deno.exit(code);
