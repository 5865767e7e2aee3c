/**
 * The fluid run: from Monte Carlo to an absolute free energy, a report and pictures.
 *
 * @module
 */
import { kernelBuild } from "../backend/wasm.ts";
import { packageVersion } from "../sampler/version.ts";
import { LennardJonesFluid, type LennardJonesFluidOptions } from "../system/lennard_jones_fluid.ts";
import type { JsonObject } from "../format/json.ts";
import { fluidFigures } from "./fluid_figures.ts";
import { FLUID_PARTS, fluidFreeEnergy, type FluidFreeEnergyOptions } from "./fluid_free_energy.ts";
import { fluidReportJson } from "./fluid_report.ts";
import type { FluidFigure, FluidOutcome } from "./fluid_results.ts";
import type { FluidBudgetName, FluidSettings } from "./fluid_settings.ts";
import type { Progress } from "./progress.ts";
import { withOrigin } from "./run_origin.ts";
import { partFile, progressFile, type RunOptions, type RunParts, type RunResult } from "./run_parts.ts";
import { atWork } from "./workplace.ts";

/** What to run, and where to put it. */
export interface FluidRunOptions extends RunOptions {
  /** Preset, overrides, sites. */
  readonly system: LennardJonesFluidOptions;
  /** T in units of T₀. */
  readonly temperature: number;
  /** Seed of everything random. */
  readonly seed: number;
  /** Name of the budget, for the report. */
  readonly budget: FluidBudgetName;
  /** Its numbers. */
  readonly settings: FluidSettings;
}

const REPORT = "report.json";
const CHECKPOINT = "checkpoint.safetensors";
/** Kind of the checkpoint of training. */
const TRAINING_KIND = "fluid training";
const FIGURES: readonly FluidFigure["name"][] = ["energies", "pair_distribution"];

/**
 * Runs the fluid from data to report: `report.json`, pictures (SVG) and checkpoints (safetensors) in `out`.
 *
 * @param options what, where, whom to tell
 * @returns everything that was found, or during which part it was stopped
 * @throws {Error} with one sentence: the directory is not free, a loss is not finite, a file cannot be written
 */
export async function runFluid(options: FluidRunOptions): Promise<RunResult<FluidOutcome>> {
  const system = new LennardJonesFluid(options.system);
  const claim = {
    kind: "fluid",
    configuration: configurationOf(options, system),
    files: [
      REPORT,
      CHECKPOINT,
      ...FLUID_PARTS.map(partFile),
      progressFile("data", "chains"),
      progressFile("integration", "windows"),
      ...FIGURES.map(fileOf),
    ],
  };
  return await atWork(options, claim, async ({ directory, checkpoints, parts, pool }) => {
    const found = await fluidFreeEnergy(system, {
      ...options,
      pool,
      parts,
      keeper: checkpoints.training(CHECKPOINT, TRAINING_KIND),
      onProgress: progressOf(options.progress, parts),
    });
    const outcome = { run: describeRun(options, system, pool.threads), ...found };
    parts.now = "writing the report";
    for (const { name, svg } of await fluidFigures(outcome)) await directory.write(fileOf(name), svg);
    await directory.writeJson(REPORT, await withOrigin(fluidReportJson(outcome), options.origin));
    return outcome;
  });
}

/** Everything that the results depend on, for the claim of the directory. */
function configurationOf(options: FluidRunOptions, { preset, parameters, sites }: LennardJonesFluid): JsonObject {
  const { budget, temperature, seed, settings } = options;
  return {
    budget,
    system: preset,
    parameters,
    sites: [...sites],
    temperature,
    seed,
    settings,
  } as unknown as JsonObject;
}

/** Starts a line of progress with each part. */
function progressOf(progress: Progress, parts: RunParts): NonNullable<FluidFreeEnergyOptions["onProgress"]> {
  let shown: string = "";
  return (part, done, loss) => {
    if (part !== shown) parts.begin(shown = part);
    progress.update(Math.floor(100 * done), loss);
  };
}

function describeRun(options: FluidRunOptions, system: LennardJonesFluid, threads: number): FluidOutcome["run"] {
  const { temperature, seed, budget, command } = options;
  const { preset, parameters, particles } = system;
  return { preset, parameters, particles, temperature, seed, budget, threads, packageVersion, kernelBuild, command };
}

function fileOf(name: FluidFigure["name"]): string {
  return `figures/${name}.svg`;
}
