import { assert, assertEquals } from "@std/assert";
import { serialPool } from "../../src/backend/executor.ts";
import { densityDoubt, doubtedBy, headlineOf } from "../../src/experiment/estimates.ts";
import { evaluatePartition } from "../../src/experiment/partition_evaluation.ts";
import { BoltzmannGenerator } from "../../src/hybrid/boltzmann_generator.ts";
import { basinFreeEnergies } from "../../src/reweighting/basin_free_energies.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { kishEffectiveSampleSize } from "../../src/reweighting/effective_sample_size.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { logPartitionFunction } from "../../src/reweighting/exponential_averaging.ts";
import { freeEnergyDifferenceByReweighting } from "../../src/reweighting/reweighted_difference.ts";
import { weightDoubt } from "../../src/reweighting/weight_doubt.ts";
import { long, record, trials } from "../support/incidents.ts";
import { DOUBLE_WELL_TRUTHS, FAULTS, type KnownTarget, type MixtureGenerator, SOUND, TARGETS } from "./bad_flows.ts";

const SAMPLES = 3000;
/** Chains in each basin, as many as the dimer's. */
const CHAINS = 32;
const LENGTH = 25;
const TRIALS = trials(2, 60);
const names = ["left", "right"];

/** What is known beside an estimate. */
interface Judged {
  readonly estimate: Estimate;
  readonly truth: number;
}

function framesOf(target: KnownTarget, random: CounterRandom) {
  const states = target.freeEnergies.length;
  const x = new Float64Array(states * CHAINS * LENGTH * target.dim);
  for (let c = 0; c < states * CHAINS; c++) {
    x.set(target.chain(c % states, LENGTH, random), c * LENGTH * target.dim);
  }
  return { x, chain: Int32Array.from({ length: states * CHAINS * LENGTH }, (_, i) => Math.floor(i / LENGTH)) };
}

const systemOf = ({ dim, potential }: KnownTarget) => ({
  dim,
  energy: (x: Float64Array) =>
    new Float64Array(x.length / dim).map((_, i) => potential(x.subarray(i * dim, (i + 1) * dim))),
});

/** Everything that is reported of a flow for one target: by the pipeline for one state, or as for the dimer for two. */
async function report(target: KnownTarget, flow: MixtureGenerator, trial: number): Promise<Record<string, Judged>> {
  const frames = framesOf(target, new CounterRandom(77, trial));
  const generator = new BoltzmannGenerator(flow, systemOf(target));
  const logZ = Math.log(target.freeEnergies.reduce((sum, f) => sum + Math.exp(-f), 0));
  if (target.freeEnergies.length === 1) {
    const { logPartition } = await evaluatePartition(generator, frames, {
      samples: SAMPLES,
      bootstraps: 60,
      framesRelaxed: true,
      seed: trial,
      pool: serialPool,
    });
    return Object.fromEntries(
      Object.entries(logPartition).map(([name, estimate]) => [`ln Z, ${name}`, { estimate, truth: logZ }]),
    );
  }
  const samples = generator.sample(SAMPLES, { seed: trial });
  const basins = (x: Float64Array) =>
    new Int32Array(x.length / target.dim).map((_, i) => target.basin(x.subarray(i * target.dim, (i + 1) * target.dim)));
  const drawn = { logWeights: samples.logWeights, basins: basins(samples.x) };
  const data = { logWeights: generator.logWeights(frames.x), basins: basins(frames.x), chains: frames.chain };
  const options = { names, replicates: 60, seed: trial };
  const unsound = densityDoubt(samples, (x) => flow.logProb(x));
  const free = basinFreeEnergies(drawn, data, options);
  const [bar, reweighting] = [
    free.difference(0, 1),
    freeEnergyDifferenceByReweighting(drawn.logWeights, drawn.basins, { ...options, frames: data }),
  ].map((estimate) => doubtedBy(estimate, unsound));
  const difference = target.freeEnergies[1] - target.freeEnergies[0];
  return {
    "F(left), bar": { estimate: doubtedBy(free.basins[0], unsound), truth: target.freeEnergies[0] },
    "F(right), bar": { estimate: doubtedBy(free.basins[1], unsound), truth: target.freeEnergies[1] },
    "ΔF, bar": { estimate: bar, truth: difference },
    "ΔF, reweighting": { estimate: reweighting, truth: difference },
    "ΔF, headline": { estimate: headlineOf({ bar, reweighting }), truth: difference },
    "ln Z, reweighting": {
      estimate: doubtedBy(
        logPartitionFunction(drawn.logWeights, { frames: data, replicates: 60, seed: trial }),
        unsound,
      ),
      truth: logZ,
    },
  };
}

/** How many standard errors an estimate lies from the truth. */
const distance = ({ estimate: { value, standardError }, truth }: Judged) => Math.abs(value! - truth) / standardError!;

Deno.test("the targets of these tests have the free energies that quadrature gives", () => {
  for (const { dim, freeEnergies } of TARGETS.filter(({ name }) => name.startsWith("double well"))) {
    const rest = (dim - 1) * 0.5 * Math.log(2 * Math.PI);
    assert(Math.abs(freeEnergies[1] - freeEnergies[0] - DOUBLE_WELL_TRUTHS.difference) < 1e-12);
    const logZ = Math.log(freeEnergies.reduce((sum, f) => sum + Math.exp(-f), 0));
    assert(Math.abs(logZ - DOUBLE_WELL_TRUTHS.logZ - rest) < 1e-9);
  }
});

for (const [fault, spoil] of Object.entries(FAULTS)) {
  Deno.test(`nothing is called reliable that is wrong: flow ${fault}`, async () => {
    const start = performance.now();
    const counts = { reported: 0, reliable: 0, wrong: 0 };
    const complaints: string[] = [];
    for (const target of TARGETS) {
      const flow = spoil(target);
      if (flow === null) continue;
      for (let trial = 0; trial < TRIALS; trial++) {
        for (const [name, judged] of Object.entries(await report(target, flow, trial))) {
          counts.reported++;
          if (!judged.estimate.reliable) continue;
          counts.reliable++;
          if (distance(judged) <= 4) continue;
          counts.wrong++;
          complaints.push(`${target.name}, ${name}, trial ${trial}: ${distance(judged).toFixed(1)} errors off`);
        }
      }
    }
    if (long) console.log(`${fault}: ${JSON.stringify(counts)}`);
    const seconds = (performance.now() - start) / 1000;
    record({
      incident: `flow ${fault}: results (${counts.reliable} called reliable)`,
      trials: counts.reported,
      lost: 0,
      wrong: counts.wrong,
      seconds,
    });
    assertEquals(complaints, []);
  });
}

Deno.test("effective samples and the tail of the weights alone would call wrong values reliable", () => {
  for (
    const [fault, target] of [
      ["collapsed onto one state", TARGETS[3]],
      ["too narrow by 0.3", TARGETS[0]],
      ["log-det flipped", TARGETS[1]],
    ] as const
  ) {
    const flow = FAULTS[fault](target)!;
    const truth = Math.log(target.freeEnergies.reduce((sum, f) => sum + Math.exp(-f), 0));
    let wrong = 0;
    for (let trial = 0; trial < 30; trial++) {
      const { logWeights } = new BoltzmannGenerator(flow, systemOf(target)).sample(SAMPLES, { seed: trial });
      const estimate = logPartitionFunction(logWeights, { replicates: 60 });
      const trusted = weightDoubt(logWeights, kishEffectiveSampleSize(logWeights), "") === null;
      if (trusted && distance({ estimate, truth }) > 4) wrong++;
      assert(!estimate.reliable);
    }
    assert(wrong > 0, fault);
  }
});

Deno.test("a collapse is told from frames of both basins, and without frames coverage is said to be unchecked", async () => {
  for (const target of TARGETS.filter(({ freeEnergies }) => freeEnergies.length === 2)) {
    const flow = FAULTS["collapsed onto one state"](target)!;
    for (let trial = 0; trial < TRIALS; trial++) {
      const found = await report(target, flow, trial);
      for (const name of ["ΔF, bar", "ΔF, reweighting", "ΔF, headline"]) assertEquals(found[name].estimate.value, null);
      assert(/^the flow misses \d+ % of the frames/.test(found["ln Z, reweighting"].estimate.reason!));
      // The state that it covers is known all the same.
      assert(found["F(left), bar"].estimate.reliable);
      const { logWeights } = new BoltzmannGenerator(flow, systemOf(target)).sample(SAMPLES, { seed: trial });
      assertEquals(logPartitionFunction(logWeights).reason, "coverage of states is unchecked: no frames were scored");
    }
  }
});

for (const [kind, make] of Object.entries(SOUND)) {
  Deno.test(`a flow ${kind} is allowed to be reliable, and its values are right`, async () => {
    for (const target of TARGETS) {
      const reliable = new Map<string, number>();
      for (let trial = 0; trial < TRIALS; trial++) {
        for (const [name, judged] of Object.entries(await report(target, make(target), trial))) {
          if (!judged.estimate.reliable) continue;
          reliable.set(name, (reliable.get(name) ?? 0) + 1);
          assert(distance(judged) <= 4.5, `${target.name}, ${name}, trial ${trial}: ${distance(judged)}`);
        }
      }
      for (const name of ["headline", "bar"]) {
        for (const [result, count] of reliable) {
          if (result.endsWith(name)) assert(count >= 0.9 * TRIALS, `${target.name}, ${result}: ${count} of ${TRIALS}`);
        }
        assert([...reliable.keys()].some((result) => result.endsWith(name)), `${target.name} has no ${name}`);
      }
    }
  });
}
