import { DoubleWell, type DoubleWellPreset } from "../system/double_well.ts";
import { HarmonicOscillatorBox, type HarmonicOscillatorBoxPreset } from "../system/harmonic_oscillator_box.ts";
import { LennardJonesFluid, type LennardJonesFluidPreset } from "../system/lennard_jones_fluid.ts";
import { ManyWell, type ManyWellPreset } from "../system/many_well.ts";
import { MuellerBrown, type MuellerBrownPreset } from "../system/mueller_brown.ts";
import { ParticleDimer, type ParticleDimerPreset } from "../system/particle_dimer.ts";
import type { System } from "../system/system.ts";
import type { ModelMetadata } from "./metadata.ts";

/** What log-weights need of a system. */
export type WeighedSystem = Pick<System, "dim" | "energy" | "inDomain">;

/**
 * The systems of this package by the names that models give them, made from preset and parameters. Files do not hold
 * sites: who trained with other ones than a square grid passes the system, or the domain would be another one.
 */
const makers: Readonly<Record<string, (metadata: ModelMetadata) => WeighedSystem>> = {
  ParticleDimer: ({ preset, parameters }) =>
    new ParticleDimer({ ...parameters, preset: preset as ParticleDimerPreset }),
  DoubleWell: ({ preset, parameters, dim }) =>
    new DoubleWell({ ...parameters, dim, preset: preset as DoubleWellPreset }),
  LennardJonesFluid: ({ preset, parameters }) =>
    new LennardJonesFluid({ ...parameters, preset: preset as LennardJonesFluidPreset }),
  ManyWell: ({ preset, parameters }) => new ManyWell({ ...parameters, preset: preset as ManyWellPreset }),
  MuellerBrown: ({ preset, parameters }) => new MuellerBrown({ ...parameters, preset: preset as MuellerBrownPreset }),
  HarmonicOscillatorBox: ({ preset, parameters }) =>
    new HarmonicOscillatorBox({ ...parameters, preset: preset as HarmonicOscillatorBoxPreset }),
};

/** Systems whose energies are computed by the kernels, whatever runs the model. */
const onKernels: ReadonlySet<string> = new Set(["ParticleDimer", "LennardJonesFluid"]);

/** Names that systems give themselves. */
const alternatives: Readonly<Record<string, string>> = {
  "particle-dimer": "ParticleDimer",
  "double-well": "DoubleWell",
  "lennard-jones-fluid": "LennardJonesFluid",
  "many-well": "ManyWell",
  "mueller-brown": "MuellerBrown",
  "harmonic-oscillator-box": "HarmonicOscillatorBox",
};

/**
 * Makes the system that a model was trained for from what the file says about it.
 *
 * @param metadata of the model
 * @param loadKernels loads the kernels, on which the energies of particles run; undefined where there are none
 * @returns the system
 * @throws {Error} if the package does not have it, the numbers are not those of such a system, or kernels are missing
 */
export async function systemOf(
  metadata: ModelMetadata,
  loadKernels: (() => Promise<void>) | undefined,
): Promise<WeighedSystem> {
  const { system: name, preset, dim } = metadata;
  const known = Object.hasOwn(alternatives, name) ? alternatives[name] : name;
  if (!Object.hasOwn(makers, known) || preset === "custom") {
    throw new Error(
      `Cannot compute log-weights: system must be one of this package, got ${JSON.stringify(name)} with preset ` +
        `${JSON.stringify(preset)}: pass its energy as options.system`,
    );
  }
  let system: WeighedSystem;
  try {
    system = makers[known](metadata);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`Cannot compute log-weights: the file must describe its system, got: ${message}`, { cause: error });
  }
  if (system.dim !== dim) {
    throw new Error(`Cannot compute log-weights: system must have dim = ${dim}, got ${system.dim}`);
  }
  if (onKernels.has(known)) {
    if (loadKernels === undefined) {
      throw new Error(
        `Cannot compute log-weights: kernels must be given for the energy of a ${known}, got none: pass the .wasm ` +
          "module as options.kernels, or an energy as options.system",
      );
    }
    await loadKernels();
  }
  return system;
}

/**
 * Computes the logarithms of importance weights.
 *
 *     log w(x) = −U(x)/T − log q(x),  −∞ outside the reference domain of the system
 *
 * @param system energy in units of k_BT₀
 * @param temperature in units of T₀
 * @param x [n, dim], row-major
 * @param logProb log q(x), [n]
 * @returns [n]
 * @throws {RangeError} if lengths do not match, or the temperature is not above 0
 */
export function logWeightsOf(
  system: WeighedSystem,
  temperature: number,
  x: Float64Array,
  logProb: Float64Array,
): Float64Array {
  if (x.length !== logProb.length * system.dim) {
    throw new RangeError(
      `Cannot compute log-weights: x must have ${system.dim} numbers for each of ${logProb.length} log-densities, ` +
        `got ${x.length}`,
    );
  }
  if (!(temperature > 0)) {
    throw new RangeError(`Cannot compute log-weights: temperature must be above 0, got ${temperature}`);
  }
  const [inDomain, energy] = [system.inDomain?.(x), system.energy(x)];
  for (const { length } of [energy, inDomain ?? energy]) {
    if (length === logProb.length) continue;
    throw new RangeError(
      `Cannot compute log-weights: system must return a number for each of ${logProb.length} configurations, got ${length}`,
    );
  }
  return Float64Array.from(energy, (u, i) => inDomain?.[i] === 0 ? -Infinity : -u / temperature - logProb[i]);
}
