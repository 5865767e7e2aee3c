/**
 * The run over temperatures: one flow, and the free energy of opening the dimer at every temperature of a range.
 *
 * @module
 */
import { kernelBuild } from "../backend/wasm.ts";
import { packageVersion } from "../sampler/version.ts";
import { ParticleDimer, type ParticleDimerOptions } from "../system/particle_dimer.ts";
import type { JsonObject } from "../format/json.ts";
import { withOrigin } from "./run_origin.ts";
import { partFile, progressFile, type RunOptions, type RunResult } from "./run_parts.ts";
import { temperatureFigureNames, temperatureFigures } from "./temperature_figures.ts";
import { temperatureFreeEnergies, temperatureParts } from "./temperature_free_energies.ts";
import { temperaturesReportHtml } from "./temperature_report.ts";
import { temperaturesReportJson } from "./temperature_report_json.ts";
import type { TemperaturesOutcome } from "./temperature_results.ts";
import type { TemperatureBudgetName, TemperatureSettings } from "./temperature_settings.ts";
import { atWork } from "./workplace.ts";

/** What to run, and where to put it. */
export interface DimerTemperaturesOptions extends RunOptions {
  /** Preset and overrides of the system. */
  readonly system: ParticleDimerOptions;
  /** Lowest and highest T in units of T₀. */
  readonly range: readonly [number, number];
  /** Temperatures that the flow is trained at; between each two there is one more at which it is only judged. */
  readonly rungs: number;
  /** Seed of everything random. */
  readonly seed: number;
  /** Name of the budget, for the report. */
  readonly budget: TemperatureBudgetName;
  /** Its numbers. */
  readonly settings: TemperatureSettings;
}

/** Kind of the checkpoint of training. */
const TRAINING_KIND = "dimer temperatures training";
/** Names of the files of a run in its directory, beside its figures and parts. */
const FILES = { training: "checkpoint.safetensors", json: "report.json", html: "report.html" } as const;

/**
 * Computes F(open) − F(closed) of the dimer at every temperature of a range with one flow, from data to report.
 *
 * Writes into `out`: the checkpoint with the trained flow and found parts (safetensors), figures (SVG), `report.html` and
 * `report.json`.
 * For one seed all numbers are the same for any number of threads.
 *
 * @param options what, where, whom to tell
 * @returns the outcome, or during which part it was stopped
 * @throws {Error} with one sentence: the directory is not free, a loss is not finite, a file cannot be written
 */
export async function runDimerTemperatures(options: DimerTemperaturesOptions): Promise<RunResult<TemperaturesOutcome>> {
  const system = new ParticleDimer(options.system);
  const names = temperatureParts(options);
  const claim = {
    kind: "dimer temperatures",
    configuration: configurationOf(options, system),
    files: [
      ...Object.values(FILES),
      ...names.kept.map(partFile),
      progressFile("data", "chains"),
      ...names.references.map((part) => progressFile(part, "umbrella")),
      ...temperatureFigureNames.map((name) => `figures/${name}.svg`),
    ],
  };
  return await atWork(options, claim, async ({ directory, checkpoints, parts, pool }) => {
    const keeper = checkpoints.training(FILES.training, TRAINING_KIND);
    const found = await temperatureFreeEnergies(system, { ...options, pool, parts, keeper });
    const outcome = { run: describeRun(options, system, pool.threads), ...found };
    parts.now = "writing the report";
    const figures = await temperatureFigures(outcome);
    for (const { name, svg } of figures) await directory.write(`figures/${name}.svg`, svg);
    await directory.writeJson(FILES.json, await withOrigin(temperaturesReportJson(outcome), options.origin));
    await directory.write(FILES.html, temperaturesReportHtml(outcome, figures));
    return outcome;
  });
}

/** Everything that the results depend on, for the claim of the directory. */
function configurationOf(options: DimerTemperaturesOptions, { preset, parameters }: ParticleDimer): JsonObject {
  const { range, rungs, seed, budget, settings } = options;
  return { budget, system: preset, parameters, range, rungs, seed, settings } as unknown as JsonObject;
}

function describeRun(
  { range, rungs, seed, budget, command }: DimerTemperaturesOptions,
  { preset, parameters, dim }: ParticleDimer,
  threads: number,
): TemperaturesOutcome["run"] {
  return { preset, parameters, dim, range, rungs, seed, budget, threads, packageVersion, kernelBuild, command };
}
