/** The shipped umbrella table of the dimer: it agrees with itself, and with a short run of its command's method. */
import { assert, assertEquals } from "@std/assert";
import { serialPool } from "../../src/backend/executor.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { profileEdges } from "../../src/experiment/dimer_bins.ts";
import { dimerUmbrella } from "../../src/experiment/dimer_umbrella.ts";
import { dimerReferences, dimerReferencesCommand } from "../../src/system/dimer_references.ts";
import type { DimerReferenceRow } from "../../src/system/dimer_reference.ts";
import { DIMER_BOUNDARY, ParticleDimer } from "../../src/system/particle_dimer.ts";

await loadKernels();

/** −ln of the weight of the open side over that of the closed one, from the profile alone. */
function differenceOf({ profile: { from, width, freeEnergy } }: DimerReferenceRow): number {
  const sums = [0, 0];
  freeEnergy.forEach((f, b) => {
    if (f !== null) sums[from + (b + 0.5) * width < DIMER_BOUNDARY ? 0 : 1] += Math.exp(-f);
  });
  return Math.log(sums[0] / sums[1]);
}

Deno.test("the dimer's table holds ΔF that its profiles have, too", () => {
  assert(dimerReferencesCommand.startsWith("deno run -A scripts/dimer_references.ts --runs "));
  assertEquals(dimerReferences.map(({ preset, temperature }) => `${preset} ${temperature}`), [
    "noe2019 0.5",
    "noe2019 1",
    "noe2019 2",
    "noe2019-class 1",
  ]);
  for (const row of dimerReferences) {
    const { value, error } = row.freeEnergyDifference;
    // Bins end 16 k_BT above the minima: what is left out changes ΔF by e^−16; profiles are rounded to 1e-4.
    assert(Math.abs(differenceOf(row) - value) < error, `${differenceOf(row)} and ${value} ± ${error}`);
    assert(error < 0.05 && row.profile.error.every((e) => e === null || e < 0.15));
  }
  // The law sees a sign, and a table at another temperature.
  const [cold, warm] = dimerReferences;
  assert(Math.abs(differenceOf(cold) + cold.freeEnergyDifference.value) > 1);
  assert(Math.abs(differenceOf(cold) - warm.freeEnergyDifference.value) > 1);
});

Deno.test("a short run of umbrella sampling agrees with the dimer's table", async () => {
  const row = dimerReferences[2];
  const system = new ParticleDimer({ preset: row.preset });
  const { temperature } = row;
  const { freeEnergyDifference } = await dimerUmbrella(system, {
    temperature,
    sweeps: 3000,
    bootstraps: 50,
    edges: profileEdges(system, temperature),
    seed: 91,
    pool: serialPool,
  });
  const difference = Math.abs(freeEnergyDifference.value! - row.freeEnergyDifference.value);
  const error = Math.hypot(freeEnergyDifference.standardError!, row.freeEnergyDifference.error);
  // The short run's bootstrap has few chains: its error may be a third too small.
  assert(difference < 5 * error && error < 0.4, `${freeEnergyDifference.value} ± ${error}`);
});
