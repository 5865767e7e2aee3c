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

/** Kinds of incidents by how their names begin, for the table that README quotes. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^SIGKILL/, "runs that are killed or interrupted"],
  [/^worker/, "runs whose worker dies"],
  [/^(disk|directory|limit)/, "disks full, read-only or limited"],
  [/^a second process/, "second processes on the directory of a run"],
  [/^run done again/, "runs done again from their reports"],
  [/^(damaged|newest|hostile|wrong)/, "damaged or hostile files and command lines"],
  [/^flow/, "results of bad flows"],
  [/^95 %/, "experiments with a 95 % interval"],
  [/./, "steps, calls, openings that must leave nothing behind"],
];

/** Adds up incidents of one kind. */
function inShort(incidents: readonly Incident[]): Incident[] {
  const kindOf = ({ incident }: Incident) => KINDS.find(([begin]) => begin.test(incident))![1];
  const kinds = Map.groupBy(incidents, kindOf);
  return [...kinds].map(([incident, members]) => {
    const total = (count: (one: Incident) => number) => members.reduce((sum, one) => sum + count(one), 0);
    return {
      incident: incident + coverage(members),
      trials: total(({ trials }) => trials),
      lost: total(({ lost }) => lost),
      wrong: total(({ wrong }) => wrong),
      seconds: total(({ seconds }) => seconds),
    };
  });
}

/** Least and greatest coverage among experiments whose names tell it. */
function coverage(members: readonly Incident[]): string {
  const covers = members.flatMap(({ incident }) => /covers ([\d.]+) of 200/.exec(incident)?.[1] ?? []).map(Number);
  if (covers.length === 0) return "";
  return `, ${covers.length} kinds: ${Math.min(...covers)} to ${Math.max(...covers)} of 200 cover the truth`;
}

function print(incidents: readonly Incident[]): void {
  console.log("\n| incident | trials | lost | wrong | seconds |\n| --- | ---: | ---: | ---: | ---: |");
  for (const { incident, trials, lost, wrong, seconds } of incidents) {
    console.log(`| ${incident} | ${trials.toLocaleString("en")} | ${lost} | ${wrong} | ${seconds.toFixed(0)} |`);
  }
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
print(incidents);
print(inShort(incidents));
Deno.exit(code);
