/**
 * Spins at the critical temperature: a generator without data, without gradients of energies, and exact in its weights.
 *
 *     deno run examples/ising.ts [--side 8] [--temperature 2.269] [--steps 1000] [--samples 20000]
 *
 * Networks give each spin a probability that depends on those before it; they learn by lowering the variational free
 * energy of their own samples. Weights then correct what is left, and clusters of Wolff, which know nothing of the
 * networks, show whether any configurations are missing. All is compared with Kaufman's solution of the finite lattice.
 *
 * @module
 */
import { parseArgs } from "node:util";
import {
  AutoregressiveSpins,
  BoltzmannGenerator,
  type Estimate,
  IsingLattice,
  isingSample,
  logPartitionFunction,
  samplingEfficiency,
  train,
  variationalObjective,
} from "../mod.ts";

/** Bins of the magnetisation from −1 to 1. */
const BINS = 9;

/** The bin of a magnetisation; what lies between two belongs to the one nearer to 0, so that bins are symmetric. */
function binOf(m: number): number {
  return (BINS - 1) / 2 + Math.sign(m) * Math.ceil(Math.abs(m) * (BINS - 1) / 2 - 0.5);
}

/** Shares of magnetisations in bins around −1, −3/4, … 1. */
function histogram(magnetisation: Float64Array, weights: Float64Array): Float64Array {
  const shares = new Float64Array(BINS);
  const total = weights.reduce((sum, w) => sum + w, 0);
  magnetisation.forEach((m, s) => shares[binOf(m)] += weights[s] / total);
  return shares;
}

/** Trains a generator, draws from it and weighs. */
export async function estimate(
  { side = 8, temperature = 2.269, steps = 1000, samples = 20_000, seed = 1 } = {},
) {
  const system = new IsingLattice({ side });
  const beta = 1 / temperature;
  const spins = new AutoregressiveSpins({ dim: system.dim, bonds: system.bonds(), beta, hidden: [32], seed });
  await train({
    parameters: spins.parameters(),
    stages: [{ name: "fit", steps, batch: 256, learningRate: { shape: "cosine", initial: 0.01 } }],
    objective: variationalObjective({ generator: spins, system, beta, seed }),
  });

  const generator = new BoltzmannGenerator(spins, system, { beta });
  const drawn = generator.sample(samples, { seed: seed + 1 });
  const frames = isingSample(system, { temperature, chains: 512, frames: 40, every: 5, burnIn: 200, seed: seed + 2 });
  const logPartition = logPartitionFunction(drawn.logWeights, {
    frames: { logWeights: generator.logWeights(frames.x), chains: frames.chain },
  });
  const weights = drawn.logWeights.map((log) => Math.exp(log - drawn.logWeights[0]));
  const shares = histogram(system.magnetisation(drawn.x), weights);
  return {
    exact: system.exact(temperature),
    logPartition,
    efficiency: samplingEfficiency(drawn.logWeights),
    drawn,
    magnetisation: {
      // A configuration has the weight of its mirror image, to the last bit: each sample stands for both.
      generator: shares.map((share, k) => (share + shares[BINS - 1 - k]) / 2),
      clusters: histogram(system.magnetisation(frames.x), new Float64Array(frames.chain.length).fill(1)),
    },
  };
}

function describe({ value, standardError, reason }: Estimate): string {
  if (value === null || standardError === null) return `unknown (${reason})`;
  return `${value.toFixed(5)} ± ${standardError.toFixed(5)}${reason === null ? "" : ` (unreliable: ${reason})`}`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      side: { type: "string", default: "8" },
      temperature: { type: "string", default: "2.269" },
      steps: { type: "string", default: "1000" },
      samples: { type: "string", default: "20000" },
    },
  });
  const [side, temperature, steps, samples] = [values.side, values.temperature, values.steps, values.samples].map(
    Number,
  );
  const { exact, logPartition, efficiency, magnetisation } = await estimate({ side, temperature, steps, samples });
  console.log(`ln Z = ${describe(logPartition)}, exact ${exact.logPartition.toFixed(5)}`);
  console.log(`per spin: off by ${((logPartition.value! - exact.logPartition) / side ** 2).toExponential(1)}`);
  console.log(`effective share of the samples: ${efficiency.toFixed(4)}`);
  console.log("magnetisation   generator, weighted   Wolff's clusters");
  magnetisation.generator.forEach((share, k) => {
    const m = (2 * k / (BINS - 1) - 1).toFixed(2).padStart(9);
    console.log(`${m}${share.toFixed(4).padStart(19)}${magnetisation.clusters[k].toFixed(4).padStart(20)}`);
  });
}
