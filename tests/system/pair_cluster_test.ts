/** What clusters tell flows of particles: the parts of their energy. */
import { assertThrows } from "@std/assert";
import { DoubleWellCluster } from "../../src/system/double_well_cluster.ts";
import { LennardJonesCluster } from "../../src/system/lennard_jones_cluster.ts";
import type { PairCluster } from "../../src/system/pair_cluster.ts";
import type { ParticleInteractions } from "../../src/system/particle_interactions.ts";
import { assertClose } from "../support/assert_close.ts";
import { nearStart } from "../support/cluster_laws.ts";

/** Σ pair terms + Σ one-body energies is U. */
function assertPartsSum(system: PairCluster, parts: Pick<ParticleInteractions, "pairTerm" | "oneBodyEnergy">): void {
  const { particles, spatialDim, dim } = system;
  const n = 20;
  const x = nearStart(system, n, 0.1);
  // Additions of energies: Σ|terms| is that of the sums below.
  const magnitude = { of: 0 };
  const sums = Float64Array.from({ length: n }, (_, s) => {
    const r = x.subarray(s * dim, (s + 1) * dim);
    const terms: number[] = [];
    for (let i = 0; i < particles; i++) {
      for (let c = 0; c < spatialDim; c++) terms.push(parts.oneBodyEnergy(i, c, r[i * spatialDim + c]));
      for (let j = 0; j < i; j++) {
        let squared = 0;
        for (let c = 0; c < spatialDim; c++) squared += (r[i * spatialDim + c] - r[j * spatialDim + c]) ** 2;
        terms.push(parts.pairTerm(i, j)!.energy(Math.sqrt(squared)));
      }
    }
    magnitude.of = Math.max(magnitude.of, terms.reduce((sum, term) => sum + Math.abs(term), 0));
    return terms.reduce((sum, term) => sum + term, 0);
  });
  // Twelfth powers of distances lose a few dozen roundings, sums as many as there are terms.
  assertClose(sums, system.energy(x), { absolute: 200 * 2 ** -53 * magnitude.of }, "sum of the parts");
}

const clusters: readonly PairCluster[] = [
  new LennardJonesCluster({ centreOfMass: "pinned" }),
  new LennardJonesCluster({ centreOfMass: "pinned", preset: "efm", centreConstant: 2.5, oscillator: 0.5 }),
  new DoubleWellCluster({ centreOfMass: "pinned" }),
  new DoubleWellCluster({ centreOfMass: "pinned", preset: "eacf-fab", centreConstant: 0.3 }),
];

Deno.test("pairTerm and oneBodyEnergy of a pinned cluster sum to its energy", () => {
  for (const system of clusters) assertPartsSum(system, system);
});

Deno.test("the law of parts notices a spring of the centre that is left out", () => {
  const system = clusters[2];
  const parts = { pairTerm: () => system.pairTerm(), oneBodyEnergy: () => 0 };
  assertThrows(() => assertPartsSum(system, parts), Error, "sum of the parts");
});
