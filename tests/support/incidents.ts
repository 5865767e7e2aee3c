/**
 * Trials of a kind of incident: few in the usual tests, many with BOLTZFLOW_LONG=1, and a line for the summary that
 * `deno task test:long` prints.
 */

/** What became of the trials of one kind of incident. */
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

/** Whether the long versions of tests run. */
export const long = Deno.env.get("BOLTZFLOW_LONG") === "1";

/** The number of trials for the version of the test that runs. */
export function trials(quick: number, many: number): number {
  return long ? many : quick;
}

/** Adds a line to the file that BOLTZFLOW_INCIDENTS names, if it names one. */
export function record(incident: Incident): void {
  const path = Deno.env.get("BOLTZFLOW_INCIDENTS");
  if (path) Deno.writeTextFileSync(path, JSON.stringify(incident) + "\n", { append: true });
}
