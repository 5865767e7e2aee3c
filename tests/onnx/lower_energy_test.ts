import { assert, assertRejects, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { external } from "../../src/graph/operations.ts";
import { decodeModel } from "../../src/format/decode_model.ts";
import type { WritableSystem } from "../../src/onnx/lower_energy.ts";
import { DoubleWell, type DoubleWellPreset } from "../../src/system/double_well.ts";
import { systemFromEnergy } from "../../src/system/from_autodiff.ts";
import { HarmonicOscillatorBox } from "../../src/system/harmonic_oscillator_box.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { ManyWell } from "../../src/system/many_well.ts";
import { MuellerBrown } from "../../src/system/mueller_brown.ts";
import { ParticleDimer, type ParticleDimerPreset } from "../../src/system/particle_dimer.ts";
import { scattered, shakenStarts } from "../support/dimer_configurations.ts";
import { extremes } from "../support/extreme_configurations.ts";
import { scatteredParticles, shakenSites } from "../support/fluid_configurations.ts";
import { normals } from "../support/random_arrays.ts";
import { ownSystem, systemModel, writesSystem } from "./written_systems.ts";

await loadKernels();

/** Ordinary configurations, overlapping ones, and some far out. */
function dimerBatch(dimer: ParticleDimer): Float64Array {
  const near = [0.02, 0.1, 0.5].flatMap((width, seed) => [...shakenStarts(dimer, 5, width, seed)]);
  return Float64Array.of(...near, ...scattered(dimer, 4), ...scattered(dimer, 2).map((v) => 1e3 * v));
}

function fluidBatch(fluid: LennardJonesFluid): Float64Array {
  const near = [0.02, 0.1, 0.5].flatMap((width, seed) => [...shakenSites(fluid, 5, width, seed)]);
  return Float64Array.of(...near, ...scatteredParticles(fluid, 4), ...scatteredParticles(fluid, 2).map((v) => 1e3 * v));
}

const dimerPresets: readonly ParticleDimerPreset[] = ["noe2019", "noe2019-class", "printed"];
const wellPresets: readonly DoubleWellPreset[] = ["noe2019", "paper-si", "cs230-printed", "snf"];

for (const preset of dimerPresets) {
  Deno.test(`models hold energy and domain of the dimer ${preset}`, async () => {
    const dimer = new ParticleDimer({ preset });
    for (const precision of ["float32", "float64"] as const) {
      await writesSystem(dimer, dimer, dimerBatch(dimer), precision);
    }
  });
}

Deno.test("models hold energy and domain of fluids, attractive or not", async () => {
  const sites = Float64Array.of(-1, 0, 1, 0, 0, 1.5);
  for (
    const fluid of [
      new LennardJonesFluid(),
      new LennardJonesFluid({ preset: "soft-discs", boxConstant: 17 }),
      new LennardJonesFluid({ particles: 3, sites }),
      new LennardJonesFluid({ particles: 1, density: 0.1 }),
      new LennardJonesFluid({ repulsion: 0, attraction: 0 }),
    ]
  ) {
    for (const precision of ["float32", "float64"] as const) {
      await writesSystem(fluid, fluid, fluidBatch(fluid), precision);
    }
  }
});

Deno.test("models hold energies of wells, of Müller and Brown, of the oscillator, and of one's own", async () => {
  const wells = wellPresets.flatMap((preset) => [1, 2, 5].map((dim) => new DoubleWell({ preset, dim, k: 0.7 })));
  const others = [
    new ManyWell(),
    new ManyWell({ wells: 1, c: 0.3 }),
    new MuellerBrown(),
    new MuellerBrown({ preset: "mueller1979" }),
    new HarmonicOscillatorBox(),
    new HarmonicOscillatorBox({ preset: "cs230-trained", boxLength: 1 }),
  ];
  for (const system of [...wells, ...others, ownSystem]) {
    for (const precision of ["float32", "float64"] as const) {
      await writesSystem(system, system, normals(20 * system.dim, 3, 2), precision);
    }
  }
});

for (const { name, system, start, configurations } of extremes()) {
  Deno.test(`models of ${name} hold extreme configurations, and keep what is no number to its own sample`, async () => {
    const bad = [0, 1, system.dim - 1].map((k) => start.with(k, NaN));
    const infinite = [Infinity, -Infinity].map((v) => start.with(0, v));
    const batch = [start, ...configurations.map(([, x]) => x), ...bad, ...infinite, start].flatMap((x) => [...x]);
    await writesSystem(system as WritableSystem, system as WritableSystem, Float64Array.from(batch));
  });
}

Deno.test("the law notices every number of an energy that is off by a millionth", async () => {
  const dimer = new ParticleDimer();
  const fluid = new LennardJonesFluid();
  const batches = { dimer: dimerBatch(dimer), fluid: fluidBatch(fluid) };
  for (const name of ["epsilon", "sigma", "tether", "slope", "a", "b", "d0", "halfBox", "boxConstant"] as const) {
    const wrong = new ParticleDimer({ [name]: dimer.parameters[name] * (1 + 1e-6) });
    await assertRejects(() => writesSystem(wrong, dimer, batches.dimer), Error, "energies", name);
  }
  for (const name of ["sigma", "repulsion", "attraction", "density", "boxConstant"] as const) {
    const wrong = new LennardJonesFluid({ [name]: fluid.parameters[name] * (1 + 1e-6) });
    await assertRejects(() => writesSystem(wrong, fluid, batches.fluid), Error, "energies", name);
  }
  for (const name of ["a", "b", "c", "k"] as const) {
    const [well, many] = [new DoubleWell(), new ManyWell()];
    const wrong = new DoubleWell({ [name]: well.parameters[name] * (1 + 1e-6) });
    const wrongs = new ManyWell({ [name]: many.parameters[name] * (1 + 1e-6) });
    await assertRejects(() => writesSystem(wrong, well, normals(20, 3, 2)), Error, "energies", name);
    await assertRejects(() => writesSystem(wrongs, many, normals(320, 3, 2)), Error, "energies", name);
  }
  const [mueller, oscillator] = [new MuellerBrown(), new HarmonicOscillatorBox()];
  const [scaled, stiff, short] = [
    new MuellerBrown({ scale: 0.1 + 1e-7 }),
    new HarmonicOscillatorBox({ k: 1 + 1e-6 }),
    new HarmonicOscillatorBox({ boxLength: 4 - 1e-6 }),
  ];
  await assertRejects(() => writesSystem(scaled, mueller, normals(20, 3, 2)), Error, "energies");
  await assertRejects(() => writesSystem(stiff, oscillator, normals(20, 3, 2)), Error, "energies");
  await assertRejects(() => writesSystem(short, oscillator, Float64Array.of(4, 4)), Error, "energies");
});

Deno.test("the law notices a coefficient that was rounded to float32", async () => {
  const dimer = new ParticleDimer();
  const wrong = new ParticleDimer({ sigma: Math.fround(dimer.parameters.sigma) });

  await assertRejects(() => writesSystem(wrong, dimer, dimerBatch(dimer)), Error, "energies");
});

Deno.test("energy and domain of the dimer take some hundred nodes and 11 kB", () => {
  const bytes = systemModel(new ParticleDimer(), "float32");
  const { nodes } = decodeModel(bytes);

  assert(nodes.length < 120 && bytes.length < 12_000, `${nodes.length} nodes, ${bytes.length} bytes`);
});

Deno.test("an energy with an operation written in TypeScript is refused", () => {
  const operation = {
    name: "my energy",
    forward: ([x]: readonly Float64Array[]) => ({ value: x, saved: null }),
    vjp: (cotangent: Float64Array) => [cotangent],
  };
  const system = systemFromEnergy((x) => external(operation, [x], ["n"]), { dim: 1 });

  assertThrows(() => systemModel(system, "float64"), TypeError, 'got the external operation "my energy"');
});
