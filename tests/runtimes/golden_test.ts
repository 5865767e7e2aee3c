/**
 * The same samples everywhere: every runtime and backend draws the shipped model, and our kernels one of every bijector.
 *
 * Our baseline kernels give the same bits in every runtime, and those that golden.json has the checksums of. Relaxed
 * kernels and onnxruntime fuse and order operations of float32 in other ways: they stay within what rounding can do by
 * `expectedSamples`, for the dimer 4e-4 in x and 3e-3 in log q. Seen were 1.4e-5 and 6.1e-5.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { assertClose } from "../support/assert_close.ts";
import { type Engine, type Question, runtimes } from "./ask.ts";
import {
  dimer,
  type Expected,
  expectedSamples,
  goldenModels,
  samples,
  seed,
  smallOfEachKind,
} from "./golden_models.ts";
import { checksums, drawHere, type Samples } from "./golden_samples.ts";
import golden from "./golden.json" with { type: "json" };
import { runtimeTest } from "./installed.ts";
import { setStage } from "./stage.ts";

const models = await goldenModels();
const here = await drawHere(models);

let remembered: Readonly<Record<string, Expected>> | undefined;

/** What rounding allows, by model: computed when the first test asks. */
function expected(): Readonly<Record<string, Expected>> {
  return remembered ??= Object.fromEntries(
    Object.entries(models).map(([name, files]) => [name, expectedSamples(files)]),
  );
}

const system = new ParticleDimer();

/** Log-weights are −U(x) − log q(x) of the numbers that came with them: energies are sums in float64, at T = 1. */
function assertWeights({ x, logProb, logWeights }: Samples, what: string): void {
  const energy = system.energy(x);
  const inDomain = system.inDomain(x);
  // Some 700 pairs with 20 operations each; no term but that of the bond, above −3, is negative.
  const rounding = 700 * 20 * 2 ** -52;
  const tolerance = energy.map((u, i) => rounding * (Math.abs(u) + Math.abs(logProb[i]) + 6));
  assertClose(logWeights, energy.map((u, i) => inDomain[i] ? -u - logProb[i] : -Infinity), tolerance, `${what}: log w`);
}

/** Numbers are those of another run to the last bit. */
function assertSameBits(actual: Samples, wanted: Samples, what: string): void {
  for (const key of ["x", "logProb", "logWeights", "again"] as const) {
    const at = actual[key].findIndex((value, i) => !Object.is(value, wanted[key][i]));
    assertEquals([actual[key].length, at], [wanted[key].length, -1], `${what}: ${key}`);
  }
}

/** Numbers are those of float64 as far as rounding to float32 allows. */
function assertRounded(actual: Samples, model: string, what: string): void {
  const wanted = expected()[model];
  for (const key of ["x", "logProb", "again"] as const) {
    if (key === "again" && actual.again.length === 0) continue;
    assertClose(actual[key], wanted[key].value, wanted[key].tolerance, `${what}: ${key}`);
  }
  if (model === dimer) assertWeights(actual, what);
}

/** Where onnxruntime opens the dimer here; examples_test.ts has it do that in every runtime, which takes seconds in each. */
const patient = ["chromium, onnxruntime-web", "node, onnxruntime-node"];

/** The dimer and a model of every bijector, each with its density; by onnxruntime, which tests/onnx holds against all, less. */
function questionsFor(runtime: string, engine: Engine): Question[] {
  const isOwn = engine === "baseline" || engine === "relaxed";
  const names = isOwn
    ? Object.keys(models)
    : [...smallOfEachKind, ...(patient.includes(`${runtime}, ${engine}`) ? [dimer] : [])];
  return names.map((model) => ({ model, n: samples, seed, weigh: model === dimer, density: model !== dimer || isOwn }));
}

for (const [name, { engines, needs, ask }] of Object.entries(runtimes)) {
  for (const engine of engines) {
    const promise = engine === "baseline" ? "to the last bit" : "within float32 rounding";
    runtimeTest(`${name}, ${engine}: the golden samples, ${promise}`, needs, async () => {
      await using stage = await setStage(models);
      const questions = questionsFor(name, engine);

      const answers = await ask(stage.folder, engine, questions);

      const backend = engine.startsWith("onnxruntime") ? "onnxruntime" : "kernels";
      assertEquals(answers.map((answer) => answer.backend), questions.map(() => backend));
      questions.forEach(({ model }, i) => {
        const what = `${name}, ${engine}, ${model}`;
        if (engine === "baseline") assertSameBits(answers[i], here[model], what);
        else assertRounded(answers[i], model, what);
      });
    });
  }
}

Deno.test("baseline kernels draw from the shipped model what was written down", () => {
  assertEquals({ seed, samples, [dimer]: checksums(here[dimer]) }, golden);
});

Deno.test("baseline kernels are within float32 rounding of float64 for every model", () => {
  for (const model of Object.keys(models)) assertRounded(here[model], model, model);
});

Deno.test("what tells runtimes apart rejects another last bit, seed, density and energy", () => {
  const right = here[dimer];
  const change = (key: keyof Samples, f: (value: number) => number, count = 1): Samples => ({
    ...right,
    [key]: right[key].map((value, i) => i < count ? f(value) : value),
  });
  const lastBit = (value: number) => value * (1 + 2 ** -52);

  for (const key of ["x", "logProb", "logWeights", "again"] as const) {
    assertThrows(() => assertSameBits(change(key, lastBit), right, key), Error, key);
    assertThrows(() => assertRounded(change(key, (value) => value + 0.5), dimer, "spoilt"), Error, "spoilt");
  }
  assertRounded(change("again", (value) => value + 1e-5), dimer, "rounded");
  // Samples one on: as another seed, or another place in the stream.
  const shifted = { ...right, x: Float64Array.of(...right.x.slice(76), ...right.x.slice(0, 76)) };
  assertThrows(() => assertRounded(shifted, dimer, "shifted"), Error, "shifted");
  const unsigned = change("logProb", (value) => -value, samples);
  assertThrows(() => assertRounded(unsigned, dimer, "unsigned"), Error, "unsigned");
});
