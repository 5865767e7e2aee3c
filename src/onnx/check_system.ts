/**
 * Whether an energy is that of the flow that it is exported with.
 *
 * @module
 */
import type { ModelDescription } from "../sampler/metadata.ts";
import type { AutodiffSystem } from "../system/from_autodiff.ts";
import { isParticleSystem, type WritableSystem } from "./lower_energy.ts";
import { plainSystems } from "./lower_plain_energy.ts";

/** Most particles with sites of their own: as many as relabelling takes. */
const MOST_LABELLED = 400;

/**
 * Checks that a system can be written into the models of a flow.
 *
 * @param system the system
 * @param description of the flow
 * @param dim coordinates of the flow
 * @throws {TypeError} if its energy is none that can be written
 * @throws {RangeError} if it has other coordinates or other numbers than described, or too many particles
 */
export function checkSystem(system: WritableSystem, description: ModelDescription, dim: number): void {
  const own = "formula" in system;
  if (!own && !isParticleSystem(system) && !plainSystems.has(system.name)) {
    const name = JSON.stringify((system as { readonly name?: unknown }).name);
    throw new TypeError(
      `Cannot export flow: system must be one whose energy models can hold, got ${name}: write it with systemFromEnergy`,
    );
  }
  if (system.dim !== dim) {
    throw new RangeError(`Cannot export flow: system must have dim = ${dim}, got ${system.dim}`);
  }
  if (!(description.temperature > 0)) {
    throw new RangeError(`Cannot export flow: temperature must be positive, got ${description.temperature}`);
  }
  if (own) return;
  checkDescribed(system, description);
  if (isParticleSystem(system) && system.sites.length > 2 * MOST_LABELLED) {
    throw new RangeError(
      `Cannot export flow: system must have at most ${MOST_LABELLED} labels, got ${system.sites.length / 2}`,
    );
  }
}

/** Preset and all parameters must be those that the file will name. */
function checkDescribed(
  { preset, parameters }: Exclude<WritableSystem, AutodiffSystem>,
  description: ModelDescription,
): void {
  if (preset !== description.preset) {
    throw new RangeError(
      `Cannot export flow: preset of the system must be "${description.preset}" as described, got "${preset}"`,
    );
  }
  for (const name of new Set([...Object.keys(parameters), ...Object.keys(description.parameters)])) {
    const [described, value] = [description.parameters[name], parameters[name]];
    if (described === value) continue;
    throw new RangeError(`Cannot export flow: ${name} of the system must be ${described} as described, got ${value}`);
  }
}
