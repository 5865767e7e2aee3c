/**
 * Reading the plan of an earlier comparison from its report.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../format/json.ts";
import { isJsonObject, parseJsonObject, showJson } from "../format/parse_json.ts";
import { readTextFile } from "../training/read_file.ts";
import { type ComparisonPlan, comparisonSettings, VALIDATIONS } from "./comparison_settings.ts";

/** Most steps and most sweeps that a plan may ask for. */
const MAXIMUM = 2 ** 40;

/**
 * Reads the plan of an earlier run, which must have been for the same minutes: data and samples depend on them.
 *
 * @param path its `comparison.json`
 * @param minutes of each way in the run to come
 * @param task what the caller is about to do, for messages
 * @returns the plan
 * @throws {Error} with one sentence if the file cannot be read, is another, or is for other minutes
 */
export async function readComparisonPlan(
  path: string,
  minutes: number,
  task = "read a plan",
): Promise<ComparisonPlan> {
  return parseComparisonPlan(await readTextFile(path, task), minutes, task);
}

/**
 * Takes the plan out of the text of a `comparison.json`; see {@link readComparisonPlan}.
 *
 * @param text the whole file
 * @param minutes of each way in the run to come
 * @param task what the caller is about to do, for messages
 * @returns the plan
 * @throws {RangeError} with one sentence if the file is another or is for other minutes
 */
export function parseComparisonPlan(text: string, minutes: number, task = "read a plan"): ComparisonPlan {
  const refuse = (rest: string): never => {
    throw new RangeError(`Cannot ${task}: ${rest}`);
  };
  const report = parseJsonObject(text, "the plan's file", refuse);
  if (report.format !== "boltzflow dimer comparison") {
    refuse(`the plan's file must be a comparison.json, got format ${showJson(report.format)}`);
  }
  const table = (value: JsonValue | undefined, name: string): JsonObject =>
    isJsonObject(value) ? value : refuse(`${name} must be a table, got ${showJson(value)}`);
  const whole = (value: JsonValue | undefined, name: string, multiple = 1): number => {
    const isWhole = typeof value === "number" && Number.isInteger(value / multiple) && value >= 1 && value <= MAXIMUM;
    return isWhole ? value : refuse(`${name} must be a whole multiple of ${multiple}, got ${showJson(value)}`);
  };

  const { minutes: recorded } = table(report.settings, "settings");
  if (recorded !== minutes) {
    refuse(`the plan must be that of ${minutes} min, got one of ${showJson(recorded)}: give --minutes as well`);
  }
  const plan = table(report.plan, "plan");
  const [steps, sweeps] = [table(plan.steps, "plan.steps"), table(plan.sweeps, "plan.sweeps")];
  const runs = comparisonSettings(minutes).referenceShares.length;
  const list = (value: JsonValue | undefined, name: string): number[] => {
    if (!Array.isArray(value) || value.length !== runs) {
      return refuse(`${name} must list ${runs} numbers, got ${showJson(value)}`);
    }
    return value.map((sweep, i) => whole(sweep, `${name}[${i}]`));
  };
  return {
    steps: {
      realnvp: whole(steps.realnvp, "plan.steps.realnvp", VALIDATIONS),
      tilted: whole(steps.tilted, "plan.steps.tilted", VALIDATIONS),
      mixture: whole(steps.mixture, "plan.steps.mixture", VALIDATIONS),
    },
    sweeps: {
      umbrella: list(sweeps.umbrella, "plan.sweeps.umbrella"),
      plain: list(sweeps.plain, "plan.sweeps.plain"),
    },
  };
}
