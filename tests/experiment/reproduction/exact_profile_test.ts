import { assert, assertAlmostEquals } from "@std/assert";
import { doubleWell } from "../../../src/experiment/reproduction/double_well_basins.ts";
import { doubleWellProfile, equalBins, exactBins } from "../../../src/experiment/reproduction/exact_profile.ts";
import { profileWells } from "../../../src/experiment/reproduction/profile_wells.ts";
import { MuellerBrown } from "../../../src/system/mueller_brown.ts";

/** Mass of the bins of a range. */
function massOf(profile: (at: Float64Array) => Float64Array, low: number, high: number, bins: number): number {
  return exactBins(profile, equalBins(low, high, bins)).reduce((sum, f) => sum + Math.exp(-f) * (high - low) / bins, 0);
}

Deno.test("exactBins of the double well hold all mass, and the wells' shares that its own quadrature finds", () => {
  const profile = doubleWellProfile(doubleWell);
  const [left, right] = [massOf(profile, -4, 0, 200), massOf(profile, 0, 4, 200)];

  // Simpson's rule with 1600 panels on a smooth integrand that vanishes at both ends.
  assertAlmostEquals(left + right, 1, 1e-6);
  assertAlmostEquals(Math.log(left / right), doubleWell.exact(1).freeEnergyDifference, 1e-6);
});

Deno.test("exactBins averages densities, not free energies: the means differ where F is steep", () => {
  const steep = (at: Float64Array) => at.map((s) => 10 * s);

  // −ln ∫₀¹ exp(−10 s) ds = ln(10 / (1 − e⁻¹⁰)); Simpson with 8 panels of e^(−1.25): (1.25)⁴/180 = 1.4e-2 relative.
  assertAlmostEquals(exactBins(steep, Float64Array.of(0, 1))[0], Math.log(10 / (1 - Math.exp(-10))), 2e-2);
  assert(exactBins(steep, Float64Array.of(0, 1))[0] < 5 - 2);
  // In bins of a tenth the error is 10⁴ times smaller.
  assertAlmostEquals(exactBins(steep, Float64Array.of(0, 0.1))[0], -Math.log(1 - Math.exp(-1)), 1e-5);
});

Deno.test("profileWells finds the published difference of the minima", () => {
  const wells = profileWells(doubleWellProfile(doubleWell), [[-2.5, 0], [0, 2.5]], 1e-3);

  // U = −7.28934 and −10.75240 at the minima; the grid of 201 points is off by at most 0.00625, (½)(24.7)(0.00625)² = 5e-4.
  assertAlmostEquals(wells.exact, 3.46306, 1e-3);
  const labels = wells.labelsOf(Float64Array.of(-1.772, 1.689, 0, -2.5));
  assert(labels[2] === -1 && labels[3] === -1);
});

Deno.test("profileWells of Müller-Brown lie in s < −1 and s > 0", () => {
  const system = new MuellerBrown();
  const wells = profileWells((s) => system.exactProfile(1, s), [[-1.9, -1], [0, 0.9]], 0.05);

  assert(Array.from(wells.labelsOf(Float64Array.of(-1.43, 0.42))).join() === "0,1");
  assert(
    Math.abs(wells.exact - system.exact(1).freeEnergyDifference) < 1,
    "widths of the basins differ by less than e",
  );
});
