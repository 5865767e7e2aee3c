/**
 * Particles of your own: from their interactions to an absolute free energy.
 *
 *     deno run examples/trapped_ions.ts
 *
 * Three ions of charge 1, 2 and 3 in a harmonic trap in the plane. For other particles change `pairEnergy`, `trapEnergy`,
 * and what is symmetric about them. Particles that are alike also need `canonicalize` and `inDomain`, so that labels have
 * one meaning: see LennardJonesFluid.
 *
 * @module
 */
import { type Estimate, metropolis, type SymmetryOperation } from "../mod.ts";
import { type ParticleFlowSettings, particleFreeEnergy } from "../src/experiment/mod.ts";

const charges = [1, 2, 3];
const particles = charges.length;
const dim = 2 * particles;

/** Energies in k_BT. */
const pairEnergy = (i: number, j: number, r: number) => charges[i] * charges[j] / r;
const trapEnergy = (x: number) => x * x / 2;

/** By quadrature over the three coordinates that are left without centre and rotation, to compare with. */
export const exact = { freeEnergy: 0.16303, meanEnergy: 9.69372 };

/** The exact energy of configurations x0 y0 x1 y1 …, and the parts of it that the flow builds in. */
const system = {
  name: "trapped ions",
  dim,
  particles,
  spatialDim: 2 as const,
  referencePositions: Float64Array.of(2, 0, -1, 1.5, -0.5, -1),
  energy(x: Float64Array): Float64Array {
    return Float64Array.from({ length: x.length / dim }, (_, row) => {
      const r = x.subarray(row * dim, (row + 1) * dim);
      let sum = r.reduce((energy, coordinate) => energy + trapEnergy(coordinate), 0);
      for (let i = 0; i < particles; i++) {
        for (let j = 0; j < i; j++) {
          sum += pairEnergy(i, j, Math.hypot(r[2 * i] - r[2 * j], r[2 * i + 1] - r[2 * j + 1]));
        }
      }
      return sum;
    });
  },
  energyAndGradient(): never {
    throw new Error("Cannot differentiate: neither Monte Carlo nor maximum likelihood needs forces");
  },
  /** What acts between two particles; the trap never lets them farther apart than the cutoff. */
  pairTerm: (i: number, j: number) => ({
    cutoff: 12,
    energy: (r: number) => r < 12 ? pairEnergy(i, j, r) : 0,
  }),
  oneBodyEnergy: (_particle: number, _axis: number, x: number) => trapEnergy(x),
};

/** Mirrors and quarter turns of the plane: whatever leaves the energy as it is and exchanges or flips coordinates. */
const symmetries: SymmetryOperation[] = [false, true].flatMap((exchange) =>
  [[1, 1], [1, -1], [-1, 1], [-1, -1]].map((signs) => ({
    from: Array.from({ length: dim }, (_, i) => exchange ? i ^ 1 : i),
    signs: Array.from({ length: dim }, (_, i) => signs[i % 2]),
  }))
).slice(1);

/** A little Monte Carlo, 64 chains of it. */
function monteCarlo(seed: number, frames: number) {
  const start = Float64Array.from({ length: 64 * dim }, (_, i) => system.referencePositions[i % dim]);
  const stride = 20;
  return metropolis(system, { start, step: 0.35, burnIn: 1000, steps: stride * Math.ceil(frames / 64), stride, seed });
}

/** Data, flow, free energy: F = −ln ∫ e^(−U/k_BT) dx, in k_BT. */
export async function estimate({ steps = 600, samples = 16_384, seed = 1 } = {}) {
  const settings: Partial<ParticleFlowSettings> = {
    hidden: [32, 32],
    training: { name: "fit", steps, batch: 128, learningRate: { shape: "cosine", initial: 4e-3, final: 4e-5 } },
    samples,
  };
  return await particleFreeEnergy(system, {
    train: monteCarlo(3 * seed, 8000).x,
    validate: monteCarlo(3 * seed + 1, 500).x,
    evaluate: monteCarlo(3 * seed + 2, 4000),
  }, { symmetries, settings, seed });
}

if (import.meta.main) {
  const { logPartition, meanReducedEnergy, samplingEfficiency } = await estimate();
  const describe = ({ value, standardError, reason }: Estimate, sign: number) =>
    value === null || standardError === null
      ? `unknown (${reason})`
      : `${(sign * value).toFixed(4)} ± ${standardError.toFixed(4)}${
        reason === null ? "" : ` (unreliable: ${reason})`
      }`;
  console.log(`F = ${describe(logPartition.bar, -1)} k_BT, exact ${exact.freeEnergy}`);
  console.log(`mean energy = ${describe(meanReducedEnergy.flow, 1)} k_BT, exact ${exact.meanEnergy}`);
  console.log(`effective share of the samples: ${samplingEfficiency.toFixed(2)}`);
}
