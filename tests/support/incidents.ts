/**
 * Trials of a kind of incident: few in the usual tests, many with BOLTZFLOW_LONG=1, and a line for the summary that
 * `deno task test:long` prints.
 */
import type { Incident } from "../../scripts/test_long.ts";

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
