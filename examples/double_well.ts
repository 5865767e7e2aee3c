/**
 * An energy of your own: from its formula to a free energy with an error bar.
 *
 *     deno run examples/double_well.ts                       prints, needs no permission
 *     deno run -A examples/double_well.ts --out runs/well    also draws a figure and exports ONNX models
 *
 * To use another energy, change `system`, `basinOf`, and where Monte Carlo starts.
 *
 * @module
 */
import { parseArgs } from "node:util";
import {
  add,
  basinFreeEnergies,
  BoltzmannGenerator,
  boltzmannObjective,
  Chain,
  column,
  type Estimate,
  exportFlow,
  Flow,
  FrameBuffer,
  freeEnergyProfile,
  linePlot,
  logPartitionFunction,
  metropolis,
  power,
  RealNVP,
  scaleShift,
  square,
  systemFromEnergy,
  train,
  Whitening,
} from "../mod.ts";

/** U(x, y) = x⁴ − 6x² + x + y²/2, in k_BT. */
const system = systemFromEnergy((configuration) => {
  const [x, y] = [column(configuration, 0), column(configuration, 1)];
  const well = add(add(power(x, 4), scaleShift(square(x), -6, 0)), x);
  return add(well, scaleShift(square(y), 0.5, 0));
}, { dim: 2, name: "double well" });

/** By quadrature, to compare with. */
export const exact = { freeEnergyDifference: 3.37990, logPartition: 11.02047 };

const basins = ["left", "right"];
const basinOf = (x: Float64Array) => Int32Array.from({ length: x.length / 2 }, (_, i) => x[2 * i] < 0 ? 0 : 1);

/**
 * A little Monte Carlo, half of it started in each well. Chains hardly ever cross the barrier of 7 to 11 k_BT, so
 * they know the shape of each well, but not how the wells compare.
 */
function monteCarlo(seed: number) {
  const start = Float64Array.from({ length: 2 * 200 }, (_, i) => [-1.8, 0, 1.7, 0][i % 4]);
  return metropolis(system, { start, step: 0.4, burnIn: 100, steps: 500, stride: 10, seed });
}

/** Trains a flow on data and energy. */
async function trainFlow(steps: number, seed: number): Promise<Flow> {
  const data = monteCarlo(seed).x;
  const frames = new FrameBuffer({ dim: 2, capacity: data.length / 2, seed });
  frames.push(data);
  const flow = new Flow(
    new Chain([new RealNVP({ dim: 2, blocks: 6, hidden: [32, 32], seed }), Whitening.fit(data, 2)]),
  );
  const stages = [{
    name: "data",
    steps,
    batch: 256,
    learningRate: { shape: "constant", initial: 5e-3 },
    weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 },
  }, {
    name: "data and energy",
    steps,
    batch: 512,
    learningRate: { shape: "cosine", initial: 2e-3 },
    weights: { maximumLikelihood: 1, energy: 0.2, reactionCoordinate: 0.05 },
  }] as const;
  await train({
    parameters: flow.parameters(),
    stages,
    objective: boltzmannObjective({
      flow,
      system,
      beta: 1,
      seed,
      data: (n, stage, step) => frames.batch(n, stage, step),
      reactionCoordinate: { of: (x) => column(x, 0), bounds: [-2.5, 2.5] },
    }),
  });
  return flow;
}

/**
 * Trains, then compares independent samples of the flow with Monte Carlo that training has not seen: for each well, the
 * Bennett acceptance ratio between the two gives its free energy.
 */
export async function estimate({ steps = 500, samples = 100_000, seed = 1 } = {}) {
  const flow = await trainFlow(steps, seed);
  const generator = new BoltzmannGenerator(flow, system);
  const drawn = generator.sample(samples, { seed });
  const fresh = monteCarlo(seed + 1);
  const frames = { logWeights: generator.logWeights(fresh.x), basins: basinOf(fresh.x), chains: fresh.chain };
  const freeEnergies = basinFreeEnergies(
    { logWeights: drawn.logWeights, basins: basinOf(drawn.x) },
    frames,
    { names: basins },
  );
  return {
    flow,
    drawn,
    seed,
    freeEnergyDifference: freeEnergies.difference(0, 1),
    logPartition: logPartitionFunction(drawn.logWeights, { frames }),
  };
}

function describe({ value, standardError, reason }: Estimate): string {
  if (value === null || standardError === null) return `unknown (${reason})`;
  return `${value.toFixed(4)} ± ${standardError.toFixed(4)}${reason === null ? "" : ` (unreliable: ${reason})`}`;
}

/** Draws F(x) of the samples beside the exact one, and exports the flow. */
export async function write(directory: string, { flow, drawn, seed }: Awaited<ReturnType<typeof estimate>>) {
  const edges = Float64Array.from({ length: 81 }, (_, i) => -2.5 + i / 16);
  const x = drawn.x.filter((_, i) => i % 2 === 0);
  const profile = freeEnergyProfile(x, drawn.logWeights, { edges });
  const energies = system.energy(Float64Array.from({ length: 160 }, (_, i) => i % 2 ? 0 : profile.centers[i / 2]));
  const constant = exact.logPartition - 0.5 * Math.log(2 * Math.PI);
  const figure = await linePlot([
    { label: "exact", x: profile.centers, y: energies.map((u) => u + constant), line: "dashed" },
    {
      label: "flow, reweighted",
      x: profile.centers,
      y: profile.freeEnergy.map((f) => f ?? NaN),
      error: profile.standardError.map((e) => 1.96 * (e ?? NaN)),
      unreliable: profile.reliable.map((ok) => !ok),
      markers: "filled",
      line: "none",
    },
  ], { x: { label: "*x*" }, y: { label: "*F*(*x*) / *k*_BT" } });
  const { sampler, density } = exportFlow(flow, {
    // The formula above is one that the package has: whoever opens the files needs no other energy for weights.
    system: "DoubleWell",
    preset: "noe2019",
    parameters: { a: 1, b: 6, c: 1, k: 1 },
    particles: null,
    temperature: 1,
    units: { energy: "k_BT" },
    referenceDomain: "everywhere",
    seed,
  });
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${directory}/free_energy.svg`, figure);
  await Deno.writeFile(`${directory}/sampler.onnx`, sampler);
  await Deno.writeFile(`${directory}/density.onnx`, density);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string" }, steps: { type: "string", default: "500" } } });
  const result = await estimate({ steps: Number(values.steps) });
  const { freeEnergyDifference, logPartition } = result;
  console.log(
    `F(right) − F(left) = ${describe(freeEnergyDifference)} k_BT, exact ${exact.freeEnergyDifference.toFixed(5)}`,
  );
  console.log(`log Z = ${describe(logPartition)}, exact ${exact.logPartition.toFixed(5)}`);
  if (values.out !== undefined) await write(values.out, result);
}
