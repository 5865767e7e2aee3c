import { assert, assertEquals, assertThrows } from "@std/assert";
import { moveSpins } from "../../src/backend/ising_kernels.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { IsingChains } from "../../src/sampling/ising_chains.ts";
import { isingSample, type IsingSampleOptions } from "../../src/sampling/ising_sample.ts";
import { IsingLattice } from "../../src/system/ising_lattice.ts";
import { enumerateIsing } from "../../src/system/ising_states.ts";
import { assertMeanIs } from "../support/statistics.ts";
import { exportedOpcodes, simdArithmetic } from "../support/wasm_opcodes.ts";
import { frequencyExcess } from "../support/spin_frequencies.ts";

await loadKernels();

const moves = ["metropolis", "wolff"] as const;
const temperature = 2.269;

/** Boltzmann probabilities of all 2^dim configurations, by the binary digits of their numbers. */
function probabilities(system: IsingLattice, t: number): Float64Array {
  const { dim } = system;
  const all = Float64Array.from({ length: dim * 2 ** dim }, (_, k) => Math.floor(k / dim) >> k % dim & 1 ? 1 : -1);
  const { logPartition } = enumerateIsing(system, t);
  return system.energy(all).map((u) => Math.exp(-u / t - logPartition));
}

for (const move of moves) {
  Deno.test(`independent chains of ${move} moves end as often in each configuration as its probability says`, () => {
    for (const [side, chains] of [[2, 8192], [3, 32_768]]) {
      const system = new IsingLattice({ side, coupling: 0.9 });
      for (const t of [1.2, temperature, 5]) {
        const walk = new IsingChains(system, { chains, temperature: t, seed: 1 });
        walk[move](60);
        // Four standard deviations; χ² has a longer tail than a normal number: a correct program fails for 1 seed in 1000.
        const here = frequencyExcess(walk.spins(), system.dim, probabilities(system, t));
        assert(here < 4, `${side} ${t}: ${here}`);
        const warmer = frequencyExcess(walk.spins(), system.dim, probabilities(system, 1.3 * t));
        assert(warmer > 8, `${side} ${t}: ${warmer} at a temperature of 30 % more`);
      }
    }
  });

  Deno.test(`chains of ${move} moves have the exact energies and heat capacities of larger lattices`, () => {
    const few = { frames: 40, every: 4, burnIn: 200, chains: 256, seed: 3, move };
    for (const [side, t] of [[5, temperature], [8, 2], [8, temperature], [8, 3], [16, 3]]) {
      const system = new IsingLattice({ side });
      const { energy, chain } = isingSample(system, { ...few, temperature: t });
      const { meanEnergy, heatCapacity } = system.exact(t);
      // Chains are independent: their means say what the error is, whatever they remember.
      const of = (f: (u: number) => number) => {
        const means = new Float64Array(few.chains);
        energy.forEach((u, s) => means[chain[s]] += f(u) / few.frames);
        return means;
      };
      assertMeanIs(of((u) => u), meanEnergy, `${side} ${t}`);
      assertMeanIs(of((u) => (u - meanEnergy) ** 2 / t ** 2), heatCapacity, `${side} ${t}`);
      const other = system.exact(1.03 * t).meanEnergy;
      assertThrows(() => assertMeanIs(of((u) => u), other), Error, "expected");
    }
  });
}

Deno.test("the mean size of Wolff's clusters is L² ⟨m²⟩, and that of Metropolis' turns is not", () => {
  const system = new IsingLattice({ side: 4 });
  const { magnetisation } = enumerateIsing(system, temperature);
  const expected = magnetisation.reduce((sum, p, k) => sum + p * (k / 8 - 1) ** 2, 0) * system.dim;
  const sizes = (move: typeof moves[number]) =>
    Array.from({ length: 64 }, (_, seed) => {
      const settled = new IsingChains(system, { chains: 16, temperature, seed });
      settled.wolff(50);
      const { position } = settled;
      const chains = new IsingChains(system, { chains: 16, temperature, seed, start: settled.spins(), position });
      chains[move](200);
      return chains.meanTurns();
    });
  assertMeanIs(sizes("wolff"), expected);
  assertThrows(() => assertMeanIs(sizes("metropolis"), expected), Error, "expected");
});

Deno.test("chains do not depend on threads, on pauses, on how many they are or on the build", async () => {
  const system = new IsingLattice({ side: 7 });
  const options = { chains: 20, temperature, seed: 2 ** 40 + 5, stream: 3 };
  const run = (chains: IsingChains, pool?: ThreadPool) => {
    chains.metropolis(7, { pool });
    chains.wolff(11, { pool });
    return chains.spins();
  };
  const whole = run(new IsingChains(system, options));
  using pool = await ThreadPool.open(2);
  assertEquals(run(new IsingChains(system, options), pool), whole);
  assertEquals(run(new IsingChains(system, { ...options, chains: 4 })), whole.slice(0, 4 * 49));
  const first = new IsingChains(system, options);
  first.metropolis(3);
  const second = new IsingChains(system, { ...options, start: first.spins(), position: first.position });
  second.metropolis(4);
  second.wolff(0);
  second.wolff(11);
  assertEquals(second.spins(), whole);
  await loadKernels({ deterministic: true });
  assertEquals(run(new IsingChains(system, options)), whole);
  await loadKernels();
  for (const other of [{ seed: 6 }, { stream: 4 }, { position: 1 }]) {
    assert(run(new IsingChains(system, { ...options, ...other })).some((spin, k) => spin !== whole[k]));
  }
});

Deno.test("what does not fit one call is moved by several, with the same result", () => {
  // 256 × 256 spins: a group is 1.3 MB; sweeps of 13 groups are cut to stay below a tenth of a second.
  const system = new IsingLattice({ side: 256 });
  const chains = { groups: 3, side: 256, turns: new Float64Array(12) };
  const tables = Uint32Array.from({ length: 120 }, (_, k) => k < 40 && k >= 16 ? 2 ** 31 : k % 40);
  const make = () => ({
    ...chains,
    turns: new Float64Array(12),
    tables,
    spins: new Int32Array(12 * system.dim).fill(1),
  });
  const [whole, parts] = [make(), make()];
  const end = moveSpins(whole, "metropolis", 100, 5);
  let block = 5;
  for (const sweeps of [1, 2, 97]) block = moveSpins(parts, "metropolis", sweeps, block);
  assertEquals(block, end);
  assert(whole.spins.every((spin, k) => spin === parts.spins[k]));
  assertEquals(whole.turns, parts.turns);
});

Deno.test("Metropolis moves four chains in the lanes of vectors", async () => {
  for (const build of ["relaxed", "baseline"]) {
    const file = new URL(`../../src/backend/kernels_${build}.wasm`, import.meta.url);
    assert(simdArithmetic(exportedOpcodes(await Deno.readFile(file)).get("isingMetropolisI32")!) > 20);
  }
});

Deno.test("isingSample orders frames by time and chain and goes on from where its chains are", () => {
  const system = new IsingLattice({ side: 3 });
  const options = { temperature, frames: 5, every: 2, burnIn: 4, chains: 8, seed: 1 };
  const { x, energy, chain, chains } = isingSample(system, options);
  assertEquals([x.length, energy.length, chain[9]], [5 * 8 * 9, 40, 1]);
  assertEquals(energy, system.energy(x));
  assertEquals(chains.spins(), x.slice(-8 * 9));
  const same = new IsingChains(system, options);
  same.wolff(6);
  assertEquals(same.spins(), x.slice(0, 8 * 9));
});

Deno.test("Ising chains say what is wrong", () => {
  const system = new IsingLattice({ side: 3 });
  const make = (changes: Record<string, unknown>) => () => new IsingChains(system, changes);
  const what = "Cannot make Ising chains:";
  for (const chains of [0, 6, 4.5]) {
    assertThrows(make({ chains }), RangeError, `${what} chains must be a multiple of 4, got ${chains}`);
  }
  assertThrows(make({ temperature: 0 }), RangeError, `${what} temperature must be a positive number, got 0`);
  assertThrows(make({ position: -1 }), RangeError, `${what} position must be a whole number ≥ 0, got -1`);
  assertThrows(make({ seed: -1 }), RangeError, "seed must be a whole number from 0 to 2^53 - 1, got -1");
  assertThrows(
    make({ chains: 4, start: new Float64Array(36) }),
    RangeError,
    `${what} start must be 36 spins, each −1 or 1, got 36 numbers`,
  );
  assertThrows(
    () => new IsingChains(new IsingLattice({ side: 300 })),
    RangeError,
    `${what} side must be at most 256, got 300`,
  );
  assertThrows(
    () => new IsingChains(system).wolff(0.5),
    RangeError,
    "Cannot move spins: clusters must be a whole number ≥ 0, got 0.5",
  );
  const sample = (changes: Partial<IsingSampleOptions>) => () => isingSample(system, { frames: 1, ...changes });
  assertThrows(sample({ frames: 0 }), RangeError, "Cannot draw spins: frames must be a whole number ≥ 1, got 0");
  assertThrows(sample({ every: 0 }), RangeError, "Cannot draw spins: every must be a whole number ≥ 1, got 0");
  assertThrows(sample({ burnIn: -1 }), RangeError, "Cannot move spins: clusters must be a whole number ≥ 0, got -1");
});
