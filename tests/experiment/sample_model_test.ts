import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { sampleModel } from "../../src/experiment/sample_model.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { exportFlow } from "../../src/onnx/export_flow.ts";
import { decodeNpz } from "../../src/format/npz.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import { description, randomRealNVP } from "../onnx/flow_example.ts";

const bijector = randomRealNVP({ dim: 4, blocks: 1, hidden: [5] });
const flow = { bijector, prior: new NormalPrior(4) };
const particles = { species: ["D", "S"], spatialDim: 2, box: [6, 6] } as const;
const { sampler, density } = exportFlow(flow, { ...description, particles });

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/sampler.onnx`, sampler);
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function refusal(call: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(call, Error)).message;
}

function names(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

Deno.test("sampleModel() writes the sampler's samples as archive and as XYZ", () =>
  inFolder(async (folder) => {
    const order = { model: `${folder}/sampler.onnx`, n: 3, seed: 4, out: `${folder}/a.b.npz` };
    await using reference = await loadSampler(sampler);
    const { x, logProb } = await reference.sample(3, { seed: 4 });

    const { files, metadata } = await sampleModel(order);

    assertEquals(files, [`${folder}/a.b.npz`, `${folder}/a.b.xyz`]);
    assertEquals(metadata.particles, { species: ["D", "S"], spatialDim: 2, box: [6, 6] });
    const arrays = await decodeNpz(await Deno.readFile(files[0]));
    assertEquals(arrays.get("x"), { shape: [3, 4], data: x });
    assertEquals(arrays.get("logProb"), { shape: [3], data: logProb });
    const lines = (await Deno.readTextFile(files[1])).split("\n");
    assertEquals(lines.length, 3 * 4 + 1);
    assertMatch(lines[1], /^Lattice="6 0 0 0 6 0 0 0 1" .* logProb=/);
    assertEquals(lines[2], `D ${x[0]} ${x[1]} 0`);
    assertEquals(names(folder), ["a.b.npz", "a.b.xyz", "sampler.onnx"]);
  }));

Deno.test("sampleModel() goes on with a sequence, and replaces files only when told", () =>
  inFolder(async (folder) => {
    const order = { model: `${folder}/sampler.onnx`, seed: 4, out: `${folder}/x.npz` };
    const read = async () => (await decodeNpz(await Deno.readFile(order.out))).get("x")!.data;
    await sampleModel({ ...order, n: 5 });
    const whole = await read();

    assertEquals(
      await refusal(() => sampleModel({ ...order, n: 2, first: 3 })),
      `Cannot sample the model: ${order.out} must not exist yet, got a file: choose another name or replace it with --force`,
    );
    assertEquals(await read(), whole);
    // Who mistyped the model wants to hear of that, not of a file that another command left.
    const mistyped = `${folder}/sampel.onnx`;
    assertEquals(
      await refusal(() => sampleModel({ ...order, n: 2, model: mistyped })),
      `Cannot read ${mistyped}: ${mistyped} must exist, got "No such file or directory"`,
    );
    await sampleModel({ ...order, n: 2, first: 3, force: true });
    assertEquals(await read(), whole.slice(12));
  }));

Deno.test("sampleModel() writes no XYZ for a system without particles", () =>
  inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/sampler.onnx`, exportFlow(flow, description).sampler);

    const { files } = await sampleModel({ model: `${folder}/sampler.onnx`, n: 1, seed: 0, out: `${folder}/x.npz` });

    assertEquals(files, [`${folder}/x.npz`]);
    assertEquals(names(folder), ["sampler.onnx", "x.npz"]);
  }));

Deno.test("sampleModel() refuses impossible orders in one sentence and leaves nothing behind", () =>
  inFolder(async (folder) => {
    const order = { model: `${folder}/sampler.onnx`, n: 1, seed: 0, out: `${folder}/x.npz` };
    await Deno.writeFile(`${folder}/density.onnx`, density);

    assertEquals(
      await refusal(() => sampleModel({ ...order, out: "x.txt" })),
      'Cannot sample the model: out must end in ".npz", got x.txt',
    );
    assertEquals(
      await refusal(() => sampleModel({ ...order, n: 1e9 })),
      "Cannot sample the model: n must be at most 33554432, got 1000000000: draw several files, each with its own --first",
    );
    assertEquals(
      await refusal(() => sampleModel({ ...order, model: `${folder}/none.onnx` })),
      `Cannot read ${folder}/none.onnx: ${folder}/none.onnx must exist, got "No such file or directory"`,
    );
    assertEquals(
      await refusal(() => sampleModel({ ...order, model: `${folder}/density.onnx` })),
      "Cannot open ONNX model: file must be a sampler, got a density: use sampler.onnx of the same run",
    );
    assertMatch(
      await refusal(() => sampleModel({ ...order, out: `${folder}/missing/x.npz` })),
      /^Cannot write .*\/missing\/x\.npz: .*\/missing must exist, got "No such file or directory"/,
    );
    assertEquals(names(folder), ["density.onnx", "sampler.onnx"]);
  }));
