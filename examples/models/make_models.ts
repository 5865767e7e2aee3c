/**
 * Makes the models of this folder: trains each one, copies its files here, and measures what the copies are worth.
 *
 *     deno run -A examples/models/make_models.ts                 all, ten minutes each on two cores
 *     deno run -A examples/models/make_models.ts dimer           one of them
 *     deno run -A examples/models/make_models.ts --runs DIR      keeps the runs in DIR; default runs/models
 *
 * A run that is there is not repeated: its models are exported anew, and nothing is trained again.
 *
 * @module
 */
import { ParticleDimer, type ParticleDimerPreset } from "../../mod.ts";
import { findLatentEnds } from "./latent_ends.ts";
import { measureModel } from "./measure_model.ts";

/** What a model is trained for; file names begin with its name. */
interface Recipe {
  readonly preset: ParticleDimerPreset;
  readonly temperature: number;
}

const recipes: Readonly<Record<string, Recipe>> = {
  "dimer": { preset: "noe2019", temperature: 1 },
  "dimer_t0.5": { preset: "noe2019", temperature: 0.5 },
  "dimer_t2": { preset: "noe2019", temperature: 2 },
  "dimer_class": { preset: "noe2019-class", temperature: 1 },
};

/** Networks of this size and weights of two bytes keep a file below 1 MB. */
const SIZE = ["--hidden", "24,24", "--storage", "float16"];

const here = new URL(".", import.meta.url);
const root = new URL("../../", import.meta.url);

/** The command that trains a model, without where it writes. */
function trainingCommand({ preset, temperature }: Recipe): string[] {
  return ["scripts/train_dimer.ts", "--system", preset, "--temperature", `${temperature}`, "--seed", "1", ...SIZE];
}

/** Trains a model in a directory, or exports that of a finished run again. */
async function train(recipe: Recipe, out: string): Promise<void> {
  const isThere = await Deno.stat(`${out}/run.json`).then(() => true, () => false);
  const args = ["run", "-A", ...trainingCommand(recipe), "--out", out, ...isThere ? ["--resume"] : []];
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).spawn().status;
  if (!success) throw new Error(`Cannot make models: the run in ${out} must end well, got a failure`);
}

/** Copies the models of a run here, and writes down what they are worth. */
async function publish(name: string, recipe: Recipe, out: string): Promise<void> {
  const report = JSON.parse(await Deno.readTextFile(`${out}/report.json`));
  const [sampler, density] = [`${name}.onnx`, `${name}_density.onnx`];
  await Deno.copyFile(`${out}/sampler.onnx`, new URL(sampler, here));
  await Deno.copyFile(`${out}/density.onnx`, new URL(density, here));
  const system = new ParticleDimer({ preset: recipe.preset });
  const file = await Deno.readFile(new URL(sampler, here));
  const { headline, reference } = report.freeEnergyDifference;
  const { profile } = report;
  const about = {
    sampler,
    density,
    preset: recipe.preset,
    temperature: recipe.temperature,
    command: ["deno", "run", "-A", ...trainingCommand(recipe)].join(" "),
    bond: { form: "slope y − a y² + b y⁴, y = 2 (d − d0), in k_BT₀", ...bondParameters(system) },
    edges: profile.edges,
    freeEnergy: profile.reference.map(rounded),
    lower: profile.referenceLower.map(rounded),
    upper: profile.referenceUpper.map(rounded),
    difference: differenceOf(reference),
    trained: { difference: differenceOf(headline), gap: report.gap, samplingEfficiency: report.samplingEfficiency },
    measured: await measureModel(file, system),
    latent: await findLatentEnds(file, system),
  };
  await Deno.writeTextFile(new URL(`${name}.json`, here), `${JSON.stringify(about)}\n`);
  console.log(name, about.measured, `reference ${about.difference.value} ± ${about.difference.standardError}`);
}

function bondParameters({ parameters: { slope, a, b, d0 } }: ParticleDimer) {
  return { slope, a, b, d0 };
}

/** Four digits after the point are a hundredth of the error. */
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(1e4 * value) / 1e4;
}

function differenceOf({ value, standardError }: { value: number | null; standardError: number | null }) {
  return { value: rounded(value), standardError: rounded(standardError) };
}

if (import.meta.main) {
  const args = [...Deno.args];
  const at = args.indexOf("--runs");
  const [, runs = "runs/models"] = at < 0 ? [] : args.splice(at, 2);
  const unknown = args.find((name) => !Object.hasOwn(recipes, name));
  if (unknown !== undefined) {
    console.error(`Cannot make models: name must be one of ${Object.keys(recipes).join(", ")}, got ${unknown}`);
    Deno.exit(1);
  }
  for (const name of args.length > 0 ? args : Object.keys(recipes)) {
    const out = `${runs}/${name}`;
    await train(recipes[name], out);
    await publish(name, recipes[name], out);
  }
}
