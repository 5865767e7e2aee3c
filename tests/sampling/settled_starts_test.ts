import { assert, assertEquals } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { MetropolisChains } from "../../src/sampling/metropolis_chains.ts";
import { settledStarts } from "../../src/sampling/settled_starts.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";

await loadKernels();

const system = new ParticleDimer();
/** About one of fifty closed chains jumps: that none of 256 does is a chance of 1 in 150, whatever the kernels round. */
const common = { chains: 512, temperature: 0.5, seed: 1 };

/** Chains that are not in the basin that they began in, after tuning and a thousand sweeps. */
function lost(start?: Float64Array): number {
  const chains = new MetropolisChains(system, { ...common, stream: 1000, start });
  chains.tune(400);
  chains.advance(400);
  return chains.distances().reduce((count, d, c) => count + ((d >= 1.5) === (c % 2 === 1) ? 0 : 1), 0);
}

Deno.test("settledStarts() keeps cold chains in their basins; without it some jump while their starts settle", () => {
  const start = settledStarts(system, { ...common, stream: 2 });
  assertEquals(start.length, common.chains * system.dim);
  assertEquals(lost(start), 0);
  assert(lost() > 0, "the twin jumps");
});

Deno.test("settledStarts() ends at energies of its temperature, with closed and open chains in turn", () => {
  const start = settledStarts(system, { ...common, chains: 64, stream: 2 });
  const d = system.distance(start);
  assertEquals(Array.from(d, (v) => v >= 1.5), Array.from(d, (_, c) => c % 2 === 1));
  const before = system.energy(new MetropolisChains(system, { ...common, chains: 64 }).positions());
  const after = system.energy(start);
  const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
  // About 39 k_BT₀ at T = 0.5 after long chains.
  assert(mean(after) < mean(before) && Math.abs(mean(after) - 39) < 3, `${mean(before)} to ${mean(after)}`);
});
