/** DW4: both published energies, gradient, symmetries, and what removing or pinning the centre means. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { DoubleWellCluster, type DoubleWellClusterOptions } from "../../src/system/double_well_cluster.ts";
import {
  assertClusterInvariant,
  logIntegral,
  nearStart,
  reflection,
  relabelling,
  rotation,
} from "../support/cluster_laws.ts";
import { assertGradient, energyFaults } from "../support/system_laws.ts";

/** The formula over ordered pairs, each of which counts by `weight`. */
function formula(r: Float64Array, weight: number): number {
  let sum = 0;
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      if (i === j) continue;
      const e = Math.hypot(r[2 * i] - r[2 * j], r[2 * i + 1] - r[2 * j + 1]) - 4;
      sum += weight * (-4 * e ** 2 + 0.9 * e ** 4);
    }
  }
  return sum;
}

/** Each preset means its source: pairs once, and once over τ = 0.1. */
function assertConventions(make: (options: DoubleWellClusterOptions) => DoubleWellCluster): void {
  for (const centreOfMass of ["removed", "pinned"] as const) {
    for (const [preset, weight] of [["koehler2020", 1 / 2], ["eacf-fab", 1 / 2 / 0.1]] as const) {
      const system = make({ preset, centreOfMass, centreConstant: 3 });
      const x = nearStart(system, 5, 0.5);
      const r = system.positions(x);
      system.energy(x).forEach((u, s) => {
        const own = r.subarray(8 * s, 8 * s + 8);
        const centre = [0, 1].map((c) => (own[c] + own[2 + c] + own[4 + c] + own[6 + c]) / 4);
        const pin = centreOfMass === "pinned" ? 1.5 * 4 * (centre[0] ** 2 + centre[1] ** 2) : 0;
        // Twelve terms of up to a thousand, each rounded a few times.
        assertAlmostEquals(u, formula(own, weight) + pin, 1e-10, `${preset}, ${centreOfMass}`);
      });
    }
  }
}

Deno.test("DoubleWellCluster's presets are the published energies", () => {
  assertConventions((options) => new DoubleWellCluster(options));
  for (const fault of [{ pairFactor: 2 }, { d0: 1 }, { c: 0.9 / 4 }, { centreConstant: 1.5 }]) {
    assertThrows(() => assertConventions((options) => new DoubleWellCluster({ ...options, ...fault })), Error);
  }
});

Deno.test("DoubleWellCluster has the coordinates that its centre leaves", () => {
  assertEquals(new DoubleWellCluster().dim, 6);
  assertEquals(new DoubleWellCluster({ centreOfMass: "pinned" }).dim, 8);
  assertEquals(new DoubleWellCluster({ particles: 7, spatialDim: 3 }).dim, 18);
});

Deno.test("DoubleWellCluster.energyAndGradient equals central differences, with and without a centre", () => {
  for (const centreOfMass of ["removed", "pinned"] as const) {
    const system = new DoubleWellCluster({ centreOfMass, a: 0.7 });
    const x = nearStart(system, 4, 0.4);
    // Energies of some hundreds over h = 1e-4; fifth derivatives, from distances of about 2, of some hundreds.
    assertGradient(system, x, 1e-8);
    for (const [name, spoil] of Object.entries(energyFaults)) {
      assertThrows(() => assertGradient(spoil(system), x, 1e-8), Error, "gradient", name);
    }
  }
});

Deno.test("DoubleWellCluster does not change when it is turned, mirrored or relabelled, and unless pinned when shifted", () => {
  for (const centreOfMass of ["removed", "pinned"] as const) {
    const system = new DoubleWellCluster({ centreOfMass });
    const x = nearStart(system, 4, 0.4);
    for (const move of [rotation(2, 0.7), reflection(2), relabelling(2, [2, 0, 3, 1])]) {
      assertClusterInvariant(system, x, move, 1e-12);
    }
    assertThrows(() => assertClusterInvariant(system, x, (r) => r.map((v) => 1.001 * v), 1e-12), Error, "image");
    const shift = () => assertClusterInvariant(system, x, (r) => r.map((v) => v + 0.1), 1e-12);
    if (centreOfMass === "removed") shift();
    else assertThrows(shift, Error, "image");
  }
});

/** The volume of mean-free coordinates is that of positions without their centre, and a pin is a Gaussian factor. */
function assertVolumes(centreLog: (pinned: DoubleWellCluster) => number): void {
  // At distance 0, where the energy has a cusp, nothing is: exp(−55).
  const options = { particles: 3, spatialDim: 1, d0: 3, c: 0.9, b: -2 };
  const removed = new DoubleWellCluster(options);
  // dr₁ dr₂ dr₃ = √3 d(centre) dq: positions relative to the first one take √3 times the volume.
  const relative = (y: Float64Array) => {
    const r = new Float64Array(y.length / 2 * 3).map((_, i) => i % 3 === 0 ? 0 : y[Math.floor(i / 3) * 2 + i % 3 - 1]);
    return removed.energy(removed.coordinates(r));
  };
  const byAxes = logIntegral((q) => removed.energy(q), 2, 9, 500);
  assertAlmostEquals(byAxes, logIntegral(relative, 2, 13, 800) - 0.5 * Math.log(3), 1e-9);
  const two = { ...options, particles: 2, centreConstant: 2.5 };
  const pinned = new DoubleWellCluster({ ...two, centreOfMass: "pinned" });
  const both = logIntegral((r) => pinned.energy(r), 2, 9, 900);
  const alone = logIntegral((q) => new DoubleWellCluster(two).energy(q), 1, 9, 5000);
  assertAlmostEquals(both, alone + centreLog(pinned), 1e-9);
}

Deno.test("DoubleWellCluster: volumes of mean-free coordinates are those of the literature", () => {
  assertVolumes((pinned) => pinned.centreLogPartition(1));
  assertEquals(new DoubleWellCluster().centreLogPartition(1), 0);
  // Without the √N that the length of the centre's axis has.
  assertThrows(() => assertVolumes((pinned) => pinned.centreLogPartition(1) - 0.5 * Math.log(2)), Error);
});

Deno.test("DoubleWellCluster says what is wrong", () => {
  const make = (options: Record<string, unknown>) => () => new DoubleWellCluster(options);
  const what = "Cannot make a DoubleWellCluster:";
  assertThrows(make({ preset: "efm" }), RangeError, `${what} preset must be one of koehler2020, eacf-fab, got efm`);
  assertThrows(make({ c: 0 }), RangeError, `${what} c must be positive, got 0`);
  assertThrows(make({ particles: 1 }), RangeError, `${what} particles must be a whole number ≥ 2, got 1`);
  assertThrows(make({ spatialDim: 4 }), RangeError, `${what} spatialDim must be 1, 2 or 3, got 4`);
  assertThrows(
    make({ centreOfMass: "fixed" }),
    RangeError,
    `${what} centreOfMass must be "removed" or "pinned", got fixed`,
  );
  assertThrows(make({ centreConstant: 0 }), RangeError, `${what} centreConstant must be positive, got 0`);
  const system = new DoubleWellCluster();
  assertThrows(() => system.energy(new Float64Array(8)), RangeError, "multiple of dim = 6, got 8");
  assertThrows(() => system.coordinates(new Float64Array(6)), RangeError, "multiple of dim = 8, got 6");
});
