/**
 * Models without permissions, on hosts that give little: what can only be seen in another process.
 */
import { assert, assertEquals } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import { exportBijector, randomRealNVP } from "../onnx/flow_example.ts";
import { runDeno } from "../support/deno_process.ts";

const { sampler, density } = exportBijector(randomRealNVP({ dim: 2, blocks: 1, hidden: [4] }));
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const root = new URL("../../", import.meta.url);
const withoutPermissions = ["run", "--no-prompt", "--no-check", "--cached-only", "--deny-net"];

/** What this process draws with the baseline kernels. */
async function expected() {
  await loadKernels({ deterministic: true });
  await using model = await loadSampler(sampler, { backend: "kernels" });
  const { x, logProb } = await model.sample(40, { seed: 5 });
  return { backend: "kernels", x: [...x], logProb: [...logProb] };
}

Deno.test("the entry of the bundle runs without permissions: kernels, onnxruntime where they cannot be had, or a sentence", async () => {
  const wasm = base64(await Deno.readFile(new URL("src/backend/sampler_baseline.wasm", root)));
  const program = new URL("portable_program.ts", import.meta.url).pathname;
  const args = [...withoutPermissions, program, base64(sampler), base64(density), wasm];
  const { stdout } = await runDeno(args, { cwd: root, seconds: 60 });
  const said = JSON.parse(stdout);

  const own = await expected();
  const load = "Cannot load the kernels: the .wasm must be one of this package that the host compiles, got: ";
  assertEquals(
    said["nothing given"],
    'Cannot open ONNX model: backend must be able to run it, got "auto": no kernels were given: pass the .wasm module ' +
      "as options.kernels",
  );
  assertEquals(said["compiling refused"], `${load}Wasm code generation disallowed by embedder`);
  assertEquals(said["compiling refused, onnxruntime given"].backend, "onnxruntime");
  assert(said["other bytes"].startsWith(load), said["other bytes"]);
  assert(said["another module"].startsWith(load), said["another module"]);
  assertEquals(
    said["a place that is not there"].slice(0, 79),
    "Cannot load the kernels: data:application/wasm;base64,x must be readable, got: ",
  );
  assertEquals(said["only onnxruntime"].backend, "onnxruntime");
  assertEquals(said.module, own);
  assertEquals(said["loaded before"], own);
  assertEquals(said.density, "kernels");
});

Deno.test("the entry for Deno opens bytes without any permission, by kernels that it finds itself", async () => {
  const entry = new URL("src/sampler/mod.ts", root).href;
  const program = `
    import { loadSampler } from ${JSON.stringify(entry)};
    const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const [sampler, density] = ${JSON.stringify([base64(sampler), base64(density)])}.map(bytes);
    await using model = await loadSampler(sampler, { density });
    const { x, logProb } = await model.sample(40, { seed: 5 });
    const again = await model.logProb(x);
    console.log(JSON.stringify({ backend: model.backend, x: [...x], logProb: [...logProb], again: [...again] }));`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const { stdout } = await runDeno([...withoutPermissions, file], { cwd: root, seconds: 60 });
    const { backend, x, logProb, again } = JSON.parse(stdout);
    const own = await expected();
    // Relaxed kernels there, baseline here: a few roundings of numbers below 10.
    const near = (a: number[], b: number[]) =>
      assert(a.length === b.length && a.every((v, i) => Math.abs(v - b[i]) < 1e-4));

    assertEquals(backend, "kernels");
    near(x, own.x);
    near(logProb, own.logProb);
    near(again, own.logProb);
  } finally {
    await Deno.remove(file);
  }
});
