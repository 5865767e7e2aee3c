/**
 * Systems as models hold them: energy and reference domain alone, x → (energy, inside).
 *
 * @module
 */
import { add, column, cos, exp, power, scaleShift, square, sumFeatures } from "../../src/graph/operations.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import { Algebra } from "../../src/onnx/algebra.ts";
import { lowerDomain } from "../../src/onnx/lower_domain.ts";
import { lowerEnergy, type WritableSystem } from "../../src/onnx/lower_energy.ts";
import { toFloat64 } from "../../src/onnx/lowerings.ts";
import { batchSize, ModelBuilder } from "../../src/onnx/model_builder.ts";
import type { Precision } from "../../src/sampler/metadata.ts";
import type { ModelDescription } from "../../src/sampler/metadata.ts";
import { systemFromEnergy } from "../../src/system/from_autodiff.ts";
import { assertClose } from "../support/assert_close.ts";
import { TestSession } from "./runtime.ts";

/** A model of the system alone; `inside` is 1 or 0. */
export function systemModel(system: WritableSystem, precision: Precision): Uint8Array<ArrayBuffer> {
  const builder = new ModelBuilder(precision);
  const x = toFloat64(builder, builder.input("x", precision, [system.dim]));
  const [energy, inside] = builder.inFloat64(() => {
    const algebra = new Algebra(builder, "float64");
    const domain = lowerDomain(algebra, system, x);
    const rows = [lowerEnergy(algebra, system, x), domain === null ? null : algebra.toNumber(domain)];
    return rows.map((row) => row === null ? null : algebra.reshape(row, [-1]));
  });
  builder.output("energy", energy!, "float64", [batchSize]);
  if (inside !== null) builder.output("inside", inside, "float64", [batchSize]);
  return encodeModel(builder.build("system", "0", {}));
}

/**
 * The model of one system has the energies and the domain of another.
 *
 * Each pair term takes some 50 roundings, and 700 are summed: 1e-13 of the sum of all terms without signs, which exceeds
 * |U| by less than 300, twice what wells of pairs and bonds are deep in all systems here.
 */
export async function writesSystem(
  written: WritableSystem,
  system: WritableSystem & { inDomain?(x: Float64Array): Uint8Array },
  x: Float64Array,
  precision: Precision = "float64",
): Promise<void> {
  await using session = await TestSession.open(systemModel(written, precision), precision);
  const { values } = await session.run({ x }, x.length / system.dim);
  const seen = precision === "float32" ? x.map(Math.fround) : x;
  const energy = system.energy(seen);
  assertClose(values.energy, energy, energy.map((u) => 1e-13 * (Math.abs(u) + 300)), "energies");
  if (system.inDomain !== undefined) assertClose(values.inside, system.inDomain(seen), { absolute: 0 }, "domain");
}

/** An energy of one's own that uses columns, batches and constants of many sizes. */
export const ownSystem = systemFromEnergy((x) => {
  const [a, b] = [column(x, 0), column(x, 1)];
  const well = add(add(power(a, 4), scaleShift(square(a), -6, 0)), scaleShift(cos(b), 1 / 3, 1e-3));
  return add(well, add(sumFeatures(exp(scaleShift(x, -0.1, 0))), scaleShift(square(b), 0.5, 0)));
}, { dim: 3, name: "own energy" });

/** What a model says of a system. */
export function describe(system: WritableSystem, temperature: number): ModelDescription {
  const own = "formula" in system;
  return {
    system: system.name,
    preset: own ? "custom" : system.preset,
    parameters: own ? {} : system.parameters,
    particles: null,
    temperature,
    units: { energy: "k_B T₀" },
    referenceDomain: "as the system says",
    seed: 7,
  };
}
