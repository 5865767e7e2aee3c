/**
 * Log-weights of samples by the energy that the file describes, or that the caller brings.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { exportFlow, type FlowModels } from "../../src/onnx/export_flow.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import type { ModelMetadata } from "../../src/sampler/metadata.ts";
import { logWeightsOf, systemOf, type WeighedSystem } from "../../src/sampler/system_energy.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { HarmonicOscillatorBox } from "../../src/system/harmonic_oscillator_box.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { ManyWell } from "../../src/system/many_well.ts";
import { MuellerBrown } from "../../src/system/mueller_brown.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import type { System } from "../../src/system/system.ts";
import { description, noise, randomRealNVP } from "../onnx/flow_example.ts";
import { withMetadata } from "./plans.ts";

await loadKernels();

/** Systems with parameters of their own, and two configurations of each, the second outside the domain if there is one. */
const systems: Readonly<Record<string, { readonly system: System; readonly x: Float64Array }>> = {
  ParticleDimer: swapped(new ParticleDimer({ preset: "noe2019", epsilon: 1.5 })),
  LennardJonesFluid: swapped(new LennardJonesFluid({ particles: 4, repulsion: 3 })),
  DoubleWell: { system: new DoubleWell({ preset: "snf", dim: 3, a: 2 }), x: noise(6, 1, 2) },
  ManyWell: { system: new ManyWell({ b: 5 }), x: noise(64, 3) },
  MuellerBrown: { system: new MuellerBrown({ preset: "mueller1979" }), x: noise(4, 4) },
  // The second one is beyond the wall.
  HarmonicOscillatorBox: { system: new HarmonicOscillatorBox({ k: 3 }), x: Float64Array.of(1, 2, -1, 2) },
};

/** The reference configuration, somewhat moved, and the same with its last two particles exchanged. */
function swapped(system: ParticleDimer | LennardJonesFluid): { system: System; x: Float64Array } {
  const { dim } = system;
  const inside = system.referencePositions.map((v, i) => v + 0.05 * noise(dim, 2)[i]);
  const outside = inside.slice();
  outside.set(inside.subarray(dim - 2), dim - 4);
  outside.set(inside.subarray(dim - 4, dim - 2), dim - 2);
  return { system, x: Float64Array.of(...inside, ...outside) };
}

/** Files of some flow that says it is for a system. */
function filesFor(name: string, { dim, preset, parameters }: System): FlowModels {
  const bijector = randomRealNVP({ dim, blocks: 1, hidden: [3] });
  return exportFlow({ bijector, prior: new NormalPrior(dim) }, {
    ...description,
    system: name,
    preset: preset!,
    parameters: parameters!,
    temperature: 1.25,
  });
}

for (const [name, { system, x }] of Object.entries(systems)) {
  Deno.test(`logWeights() of a model of a ${name} are −U/T − log q, and −∞ outside the domain`, async () => {
    const logProb = Float64Array.of(-3, 4);
    const energy = system.energy(x);
    const outside = system.inDomain === undefined ? -energy[1] / 1.25 - 4 : -Infinity;
    for (const called of [name, system.name]) {
      await using sampler = await loadSampler(filesFor(called, system).sampler);

      const logWeights = await sampler.logWeights(x, logProb);

      assertEquals(logWeights, Float64Array.of(-energy[0] / 1.25 + 3, outside));
    }
    assertEquals([...(system.inDomain?.(x) ?? [1, 1])], system.inDomain === undefined ? [1, 1] : [1, 0]);
  });
}

Deno.test("logWeights() takes log q from the density where none is given", async () => {
  const { system, x } = systems.DoubleWell;
  const { sampler: file, density } = filesFor("DoubleWell", system);
  await using sampler = await loadSampler(file, { density });
  await using alone = await loadSampler(file);

  const logWeights = await sampler.logWeights(x);

  assertEquals(logWeights, await alone.logWeights(x, await sampler.logProb(x)));
  await assertRejects(() => alone.logWeights(x), Error, "sampler must be loaded with its density, got none");
});

Deno.test("logWeights() weighs by the caller's system, with or without a domain", async () => {
  const { system, x } = systems.DoubleWell;
  const file = withMetadata(filesFor("DoubleWell", system).sampler, { system: "a spring", preset: "custom" });
  const spring: WeighedSystem = { dim: 3, energy: (x) => Float64Array.of(x[0] ** 2, Infinity) };
  const walled = { ...spring, inDomain: () => Uint8Array.of(0, 1) };
  const logProb = Float64Array.of(-1, -2);
  await using free = await loadSampler(file, { system: spring });
  await using bounded = await loadSampler(file, { system: walled });
  await using other = await loadSampler(file, { system: { dim: 3, energy: () => new Float64Array(3) } });

  assertEquals(await free.logWeights(x, logProb), Float64Array.of(-(x[0] ** 2) / 1.25 + 1, -Infinity));
  assertEquals(await bounded.logWeights(x, logProb), Float64Array.of(-Infinity, -Infinity));
  await assertRejects(
    () => other.logWeights(x, logProb),
    RangeError,
    "Cannot compute log-weights: system must return a number for each of 2 configurations, got 3",
  );
  await assertRejects(
    () => loadSampler(file, { system: { ...spring, dim: 2 } }),
    RangeError,
    "Cannot open ONNX model: system must have dim = 3, got 2",
  );
});

Deno.test("logWeights() says what it does not know, and what does not fit", async () => {
  const { system, x } = systems.DoubleWell;
  const file = filesFor("DoubleWell", system).sampler;
  const logProb = Float64Array.of(-1, -2);
  const refusal = async (changes: Record<string, string>, places = x) => {
    await using sampler = await loadSampler(withMetadata(file, changes));
    return (await assertRejects(() => sampler.logWeights(places, logProb), Error)).message
      .replace(/^Cannot compute log-weights: /, "");
  };
  const unknown = (name: string, preset: string) =>
    `system must be one of this package, got "${name}" with preset "${preset}": pass its energy as options.system`;

  assertEquals(await refusal({ preset: "custom" }), unknown("DoubleWell", "custom"));
  assertEquals(await refusal({ system: "a spring" }), unknown("a spring", "snf"));
  assertEquals(await refusal({ system: "constructor" }), unknown("constructor", "snf"));
  const described = "the file must describe its system, got: Cannot make a DoubleWell: ";
  for (const changes of [{ preset: "constructor" }, { parameters: '{"speed":1}' }, { parameters: '{"a":-1}' }]) {
    const message = await refusal(changes);
    assertEquals(message.slice(0, described.length), described, message);
  }
  assertEquals(
    await refusal({ system: "LennardJonesFluid", preset: "liquid", parameters: "{}" }),
    "system must have dim = 3, got 32",
  );
  assertEquals(await refusal({ temperature: "0" }), "temperature must be above 0, got 0");
  assertEquals(await refusal({ temperature: "-1" }), "temperature must be above 0, got -1");
  assertEquals(
    await refusal({}, new Float64Array(5)),
    "x must have 3 numbers for each of 2 log-densities, got 5",
  );
});

Deno.test("systemOf() asks for kernels where an energy runs on them, and for none where not", async () => {
  const metadata = (name: string): ModelMetadata => {
    const { dim, preset, parameters } = systems[name].system;
    return {
      ...description,
      role: "sampler",
      precision: "float32",
      prior: "normal",
      weights: "",
      packageVersion: "",
      system: name,
      dim,
      preset: preset!,
      parameters: parameters!,
    };
  };
  assertEquals((await systemOf(metadata("DoubleWell"), undefined)).dim, 3);
  await assertRejects(
    () => systemOf(metadata("ParticleDimer"), undefined),
    Error,
    "Cannot compute log-weights: kernels must be given for the energy of a ParticleDimer, got none",
  );
  let asked = 0;
  await systemOf(metadata("LennardJonesFluid"), () => Promise.resolve(void asked++));
  assertEquals(asked, 1);
});

Deno.test("the law of log-weights sees a temperature, a sign and a domain that are wrong", () => {
  const { system, x } = systems.LennardJonesFluid;
  const logProb = Float64Array.of(-3, 4);
  const right = logWeightsOf(system, 1.25, x, logProb);
  const { dim } = system;
  const energy = (x: Float64Array) => system.energy(x);
  const inDomain = (x: Float64Array) => system.inDomain!(x);
  const wrong = [
    logWeightsOf(system, 1.3, x, logProb),
    logWeightsOf({ dim, inDomain, energy: (x) => energy(x).map((u) => -u) }, 1.25, x, logProb),
    logWeightsOf({ dim, energy }, 1.25, x, logProb),
    logWeightsOf(system, 1.25, x, logProb.map((p) => -p)),
  ];
  assertEquals(wrong.map((numbers) => numbers.some((v, i) => v !== right[i])), [true, true, true, true]);
});
