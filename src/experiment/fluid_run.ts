/**
 * The fluid run: from Monte Carlo to an absolute free energy, a report and pictures.
 *
 * @module
 */
import { ThreadPool } from "../backend/pool.ts";
import { kernelBuild } from "../backend/wasm.ts";
import { packageVersion } from "../onnx/version.ts";
import { LennardJonesFluid, type LennardJonesFluidOptions } from "../system/lennard_jones_fluid.ts";
import type { JsonObject } from "../training/json.ts";
import { fluidFigures } from "./fluid_figures.ts";
import { fluidFreeEnergy } from "./fluid_free_energy.ts";
import { fluidReportJson } from "./fluid_report.ts";
import type { FluidFigure, FluidOutcome } from "./fluid_results.ts";
import type { FluidBudgetName, FluidSettings } from "./fluid_settings.ts";
import type { Progress } from "./progress.ts";
import { RunDirectory } from "./run_directory.ts";

/** What to run, and where to put it. */
export interface FluidRunOptions {
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
  /** Number of threads. */
  readonly threads: number;
  /** Directory for everything that is written. */
  readonly out: string;
  /** Replace the run that is there. */
  readonly force?: boolean;
  /** Told how far the run is. */
  readonly progress: Progress;
  /** Stops the run. */
  readonly signal?: AbortSignal;
  /** The command line, for the outcome. */
  readonly command: string;
}

const REPORT = "report.json";
const FIGURES: readonly FluidFigure["name"][] = ["energies", "pair_distribution"];

/**
 * Runs the fluid from data to report: `report.json` and pictures (SVG) in `out`.
 *
 * @param options what, where, whom to tell
 * @returns everything that was found
 * @throws {Error} with one sentence: the directory is not free, a loss is not finite, a file cannot be written
 * @throws {DOMException} "AbortError" if the signal says so
 */
export async function runFluid(options: FluidRunOptions): Promise<FluidOutcome> {
  const { temperature, seed, budget, settings, progress, signal, command } = options;
  const system = new LennardJonesFluid(options.system);
  const { preset, parameters, particles } = system;
  const configuration = { budget, system: preset, parameters, sites: [...system.sites], temperature, seed, settings };
  await using directory = await RunDirectory.claim(options.out, {
    kind: "fluid",
    configuration: configuration as unknown as JsonObject,
    files: [REPORT, ...FIGURES.map(fileOf)],
    force: options.force ?? false,
    resumable: false,
  });
  using pool = await ThreadPool.open(options.threads);
  let part = "";
  try {
    const found = await fluidFreeEnergy(system, {
      temperature,
      settings,
      seed,
      pool,
      onProgress(now, done, loss) {
        if (now !== part) progress.start(now, 100, "%");
        part = now;
        progress.update(Math.floor(100 * done), loss);
      },
      ...signal && { signal },
    });
    const { threads } = pool;
    const run = {
      ...{ preset, parameters, particles, temperature, seed, budget, threads },
      ...{ packageVersion, kernelBuild, command },
    };
    const outcome: FluidOutcome = { run, ...found };
    for (const { name, svg } of await fluidFigures(outcome)) await directory.write(fileOf(name), svg);
    await directory.writeJson(REPORT, fluidReportJson(outcome));
    return outcome;
  } finally {
    progress.finish();
  }
}

function fileOf(name: FluidFigure["name"]): string {
  return `figures/${name}.svg`;
}
