/**
 * Whether an energy is that of the flow that it is exported with.
 *
 * @module
 */
import type { ModelDescription } from "../sampler/metadata.ts";
import type { WritableSystem } from "./lower_energy.ts";
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
  if (!("formula" in system) && !("coefficients" in system) && !plainSystems.has(system.name)) {
    const { name } = system as { readonly name?: unknown };
    throw new TypeError(
      `Cannot export flow: system must be one of this package, got ${JSON.stringify(name)}: write its energy with ` +
        "systemFromEnergy",
    );
  }
  if (system.dim !== dim) {
    throw new RangeError(`Cannot export flow: system must have dim = ${dim}, got ${system.dim}`);
  }
  if (!(description.temperature > 0)) {
    throw new RangeError(`Cannot export flow: temperature must be positive, got ${description.temperature}`);
  }
  if ("formula" in system) return;
  if (system.preset !== description.preset) {
    throw new RangeError(
      `Cannot export flow: preset of the system must be "${description.preset}" as described, got "${system.preset}"`,
    );
  }
  const names = new Set([...Object.keys(system.parameters), ...Object.keys(description.parameters)]);
  for (const name of names) {
    const [described, own] = [description.parameters[name], system.parameters[name]];
    if (described === own) continue;
    throw new RangeError(
      `Cannot export flow: ${name} of the system must be ${described} as described, got ${own}`,
    );
  }
  if ("coefficients" in system && system.sites.length > 2 * MOST_LABELLED) {
    throw new RangeError(
      `Cannot export flow: system must have at most ${MOST_LABELLED} labels, got ${system.sites.length / 2}`,
    );
  }
}
