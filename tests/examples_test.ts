/** Every example, with a small budget: what it says must agree with exact values within the errors that it states. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { estimate, exact } from "../examples/double_well.ts";
import { estimate as estimateSpins } from "../examples/ising.ts";
import { estimate as estimateIons, exact as exactIons } from "../examples/trapped_ions.ts";
import { DoubleWell, enumerateIsing, IsingLattice, logPartitionFunction } from "../mod.ts";
import { inTemporaryDirectory } from "./support/file_faults.ts";
import { FOUR_SIGMA } from "./support/statistics.ts";
import { integrateTrappedIons } from "./support/trapped_ions.ts";

const root = new URL("..", import.meta.url).pathname;

interface Stated {
  readonly value: number | null;
  readonly standardError: number | null;
}

/** Whether an estimate is compatible with a number: a correct one is not for 1 seed in 15 787. */
function agrees({ value, standardError }: Stated, expected: number): boolean {
  return value !== null && standardError !== null && Math.abs(value - expected) <= FOUR_SIGMA * standardError;
}

/** The numbers "a ± b" of an output, in order. */
function statedIn(output: string): Stated[] {
  return Array.from(output.matchAll(/(-?\d+\.\d+) ± (\d+\.\d+)/g), ([, value, standardError]) => ({
    value: Number(value),
    standardError: Number(standardError),
  }));
}

async function runExample(name: string, args: readonly string[], permissions: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, `${root}examples/${name}`, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assert(success, text.decode(stderr));
  return text.decode(stdout);
}

Deno.test("every example is run by a test in this file", async () => {
  const names = await Array.fromAsync(Deno.readDir(`${root}examples`), ({ name }) => name);

  assertEquals(names.filter((name) => name.endsWith(".ts")).sort(), [
    "dimer_energy.ts",
    "double_well.ts",
    "ising.ts",
    "sample_model.ts",
    "trapped_ions.ts",
  ]);
});

Deno.test("double_well.ts quotes the quadrature of its energy", () => {
  const { freeEnergyDifference, logPartition } = new DoubleWell({ preset: "noe2019" }).exact(1);

  assertEquals(exact.freeEnergyDifference.toFixed(5), freeEnergyDifference.toFixed(5));
  assertEquals(exact.logPartition.toFixed(5), logPartition.toFixed(5));
});

Deno.test({
  name: "double_well.ts finds ΔF and log Z of a user's energy within its errors, without any permission",
  permissions: "none",
  async fn() {
    const { freeEnergyDifference, logPartition, drawn } = await estimate({ steps: 150, samples: 20_000 });

    assert(agrees(freeEnergyDifference, exact.freeEnergyDifference), JSON.stringify(freeEnergyDifference));
    assert(agrees(logPartition, exact.logPartition), JSON.stringify(logPartition));
    assert(freeEnergyDifference.reliable, `unreliable: ${freeEnergyDifference.reason}`);

    // What it must not agree with: other published forms of the energy, …
    for (const preset of ["paper-si", "cs230-printed", "snf"] as const) {
      const other = new DoubleWell({ preset }).exact(1);
      assert(!agrees(freeEnergyDifference, other.freeEnergyDifference), preset);
      assert(!agrees(logPartition, other.logPartition), preset);
    }
    // … and weights that leave out the Jacobian of the flow.
    const { x, z } = drawn;
    const energy = new DoubleWell().energy(x);
    const withoutJacobian = energy.map((u, i) => -u + (z[2 * i] ** 2 + z[2 * i + 1] ** 2) / 2 + Math.log(2 * Math.PI));
    assert(!agrees(logPartitionFunction(withoutJacobian), exact.logPartition));
  },
});

Deno.test("trapped_ions.ts quotes the quadrature of its energy", () => {
  const { logPartition, meanEnergy } = integrateTrappedIons([1, 2, 3]);

  assertEquals(exactIons.freeEnergy.toFixed(5), (-logPartition).toFixed(5));
  assertEquals(exactIons.meanEnergy.toFixed(5), meanEnergy.toFixed(5));
});

Deno.test({
  name:
    "trapped_ions.ts finds the absolute free energy of a user's particles within its errors, without any permission",
  permissions: "none",
  async fn() {
    const { logPartition, meanReducedEnergy, samplingEfficiency, samples } = await estimateIons({
      steps: 150,
      samples: 4096,
    });

    for (const estimate of [logPartition.bar, logPartition.reweighting]) {
      assert(estimate.reliable && agrees(estimate, -exactIons.freeEnergy), JSON.stringify(estimate));
      assert(estimate.standardError! < 0.02, JSON.stringify(estimate));
    }
    assert(agrees(meanReducedEnergy.flow, exactIons.meanEnergy), JSON.stringify(meanReducedEnergy));
    assert(samplingEfficiency > 0.8, `${samplingEfficiency}`);

    // What it must not agree with: ions of other charges, …
    const other = integrateTrappedIons([1, 2, 2.5]);
    assert(!agrees(logPartition.bar, other.logPartition), "charges");
    assert(!agrees(meanReducedEnergy.flow, other.meanEnergy), "charges");
    // … and a density that forgets its constant.
    const wrong = logPartitionFunction(samples.logWeights.map((log) => log + 0.1));
    assert(!agrees(wrong, -exactIons.freeEnergy), "density");
  },
});

Deno.test({
  name: "ising.ts finds ln Z and the magnetisation of 16 spins within its errors, without any permission",
  permissions: "none",
  async fn() {
    const samples = 20_000;
    const lattice = new IsingLattice({ side: 4 });
    for (const temperature of [2.269, 3]) {
      const { logPartition, efficiency, magnetisation } = await estimateSpins({
        side: 4,
        temperature,
        steps: 150,
        samples,
      });
      const counted = enumerateIsing(lattice, temperature);
      assert(logPartition.reliable && agrees(logPartition, counted.logPartition), JSON.stringify(logPartition));
      assert(efficiency > 0.9, `${efficiency}`);
      assertEquals(magnetisation.generator, magnetisation.generator.toReversed());
      // Of 17 magnetisations three belong to the bin in the middle, one to each at an end, and two to all others.
      const bins = new Float64Array(9);
      counted.magnetisation.forEach((p, k) => bins[4 + Math.sign(k - 8) * Math.ceil(Math.abs(k - 8) / 2 - 0.5)] += p);
      bins.forEach((p, k) => {
        const error = Math.sqrt(p * (1 - p) / samples);
        assert(Math.abs(magnetisation.generator[k] - p) < FOUR_SIGMA * error, `${k}: ${magnetisation.generator}`);
        assert(Math.abs(magnetisation.clusters[k] - p) < FOUR_SIGMA * error, `${k}: ${magnetisation.clusters}`);
      });
      // What it must not agree with: another temperature by one in a hundred.
      assert(!agrees(logPartition, enumerateIsing(lattice, 1.01 * temperature).logPartition));
    }
  },
});

Deno.test("ising.ts keeps more than half of its samples of 8 × 8 spins next to the critical temperature", async () => {
  const printed = await runExample("ising.ts", ["--steps", "150"], []);
  const [logPartition] = statedIn(printed);
  const { logPartition: exact } = new IsingLattice({ side: 8 }).exact(2.269);

  assert(agrees(logPartition, exact), printed);
  assert(!printed.includes("unreliable") && logPartition.standardError! < 64 * 1e-3 / FOUR_SIGMA, printed);
  assertMatch(printed, /exact 60\.14522\n/);
  assert(Number(/samples: (\d\.\d+)/.exec(printed)![1]) > 0.5, printed);
});

Deno.test("double_well.ts hands over models that sample_model.ts reweights to the exact averages", async () => {
  await inTemporaryDirectory(async (directory) => {
    const out = `${directory}/well`;
    const printed = await runExample("double_well.ts", ["--steps", "150", "--out", out], [
      "--allow-read",
      "--allow-env",
      `--allow-write=${directory}`,
    ]);
    const [freeEnergyDifference, logPartition] = statedIn(printed);

    assert(agrees(freeEnergyDifference, exact.freeEnergyDifference), printed);
    assert(agrees(logPartition, exact.logPartition), printed);
    assertMatch(printed, /exact 3\.37990\n.*exact 11\.02047\n$/);
    assertMatch(await Deno.readTextFile(`${out}/free_energy.svg`), /^<svg [\s\S]*<\/svg>\s*$/);
    assert((await Deno.stat(`${out}/density.onnx`)).size > 0);

    const sampled = await runExample("sample_model.ts", [`${out}/sampler.onnx`], ["--allow-read"]);
    const [meanEnergy, again] = statedIn(sampled);
    assert(agrees(meanEnergy, new DoubleWell().exact(1).meanEnergy), sampled);
    assert(agrees(again, exact.logPartition), sampled);
    // Without weights it would be near −8.4: the flow has four samples in ten in the higher well.
    assert(!agrees(meanEnergy, -8.4), sampled);
  });
});

Deno.test("sample_model.ts says in one sentence that a model is missing", async () => {
  const refusals = await Promise.all([[], ["nowhere.onnx"]].map(async (args) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-read", `${root}examples/sample_model.ts`, ...args],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 1);
    return new TextDecoder().decode(stderr);
  }));
  assertEquals(refusals[0], "Cannot sample a model: the path of a sampler.onnx must be given, got nothing\n");
  assertMatch(refusals[1], /^Cannot sample a model: .*nowhere\.onnx.*\n$/);
});

Deno.test("dimer_energy.ts obeys the virial theorem, without any permission", async () => {
  const printed = await runExample("dimer_energy.ts", [], []);
  const [closed, open, virial] = statedIn(printed);

  assert(agrees(virial, 1), printed);
  // A gradient with r⁻¹¹ in place of r⁻¹², 1/12 of some 500 k_BT in 76 coordinates, would raise it by 0.5.
  assert(!agrees(virial, 1.5) && !agrees(virial, 0.5), printed);
  // Maxima of the published histograms of the energy; the distributions lean to the right by less than 3 k_BT.
  assert(closed.value! > 51.5 && closed.value! < 54.5, printed);
  assert(open.value! > 58 && open.value! < 61, printed);
});
