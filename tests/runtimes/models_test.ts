/** The models that examples ship: small, whole, and worth what is written beside them. */
import { assert, assertEquals } from "@std/assert";
import { measureModel } from "../../examples/models/measure_model.ts";
import { loadSampler, ParticleDimer, type ParticleDimerPreset } from "../../mod.ts";

const folder = new URL("../../examples/models/", import.meta.url);
const names = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name))
  .filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length)).sort();

const read = (name: string) => Deno.readFile(new URL(name, folder));

Deno.test("every model that is shipped has its sampler, its density and its description", async () => {
  const files = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const models = files.filter((name) => name.endsWith(".onnx")).sort();

  assert(names.includes("dimer"));
  assertEquals(models, names.flatMap((name) => [`${name}.onnx`, `${name}_density.onnx`]).sort());
  const page = await Deno.readTextFile(new URL("README.md", folder));
  for (const name of names) assert(page.includes(`\`${name}.onnx\``), `README.md lacks ${name}`);
});

for (const name of names) {
  Deno.test(`${name}.onnx is what its description says`, async () => {
    const about = JSON.parse(new TextDecoder().decode(await read(`${name}.json`)));
    const [model, density] = [await read(about.sampler), await read(about.density)];
    for (const { length } of [model, density]) assert(length <= 1e6, `${length} bytes`);

    await using sampler = await loadSampler(model, { density });
    const { preset, temperature } = sampler.metadata;
    assertEquals([preset, temperature, sampler.backend], [about.preset, about.temperature, "kernels"]);
    const { x, logProb } = await sampler.sample(256, { seed: 5 });
    const again = await sampler.logProb(x);
    // Both maps are float32; what one rounding does to a sum of 76 steep log-densities is below 0.01 for most samples,
    // while another flow would be off by nats in all of them.
    const apart = again.map((value, i) => Math.abs(value - logProb[i])).sort();
    assert(
      apart[128] < 0.01 && apart[250] < 0.3,
      `log-densities of both files are ${apart[128]} and ${apart[250]} apart`,
    );

    const system = new ParticleDimer({ preset: preset as ParticleDimerPreset });
    const { value, standardError } = (await measureModel(model, system, 4000)).difference;
    const reference = about.difference;
    const error = Math.hypot(standardError!, reference.standardError);
    assert(Math.abs(value! - reference.value) < 5 * error, `${value} ± ${standardError}, reference ${reference.value}`);

    const ends = await sampler.map(Float64Array.from([...about.latent.closed, ...about.latent.open]));
    const [closed, open] = system.distance(ends.x);
    assert(closed < 1.5 && open > 1.5, `ends of the path have d = ${closed} and ${open}`);
    assertEquals(about.freeEnergy.length, about.edges.length - 1);
  });
}
