import { activeSamples, drawCounts } from "./active_samples.ts";
import { FermiTable, solveBennett, solveReplicate } from "./bar_equation.ts";
import { dot } from "./bar_sides.ts";
import { type Blocks, drawBlockWeights, groupIntoBlocks } from "./blocks.ts";
import { CounterRandom } from "./counter_random.ts";
import { integerLabels, requireLogWeights, requireSameLength, requireSamples, requireWork } from "./input_checks.ts";

/** Independent samples of a flow with a normalised density q. */
export interface BasinFlowSamples {
  /** ln w = −u(x) − ln q(x) of all samples, [n]; −Infinity outside the reference domain. */
  readonly logWeights: Float64Array;
  /** Basin of each sample, 0, 1, …, [n]; negative where it is in none: its weight is then zero whatever `logWeights` says. */
  readonly basins: ArrayLike<number>;
}

/** Samples of the target within its basins, from chains that neither trained nor selected the flow. */
export interface BasinDataSamples {
  /** ln w = −u(x) − ln q(x), [m]; +Infinity where the flow's density vanishes. */
  readonly logWeights: Float64Array;
  /** Basin of each frame by its own coordinate, 0, 1, …, [m]. */
  readonly basins: ArrayLike<number>;
  /** Chain of each frame, [m]; frames of one chain are correlated, chains are independent. */
  readonly chains: ArrayLike<number>;
}

/** Bennett's equation between the flow and the target restricted to one basin, solved. */
export interface SolvedBasin {
  /** Solution: F_b = c + ln(n / frames). */
  readonly c: number;
  /** Flow samples that matter, as indices into all of them, [a]. */
  readonly flowIndex: Int32Array;
  readonly flow: FermiTable;
  /** Frames of this basin, as indices into all of them, [m_b]. */
  readonly dataIndex: Int32Array;
  readonly data: FermiTable;
  /** Chain of each of those frames, [m_b]. */
  readonly chainOf: Int32Array;
  /** Number of frames in this basin of every chain, [chains]. */
  readonly chainSizes: Float64Array;
}

/** The equations of all basins, which share the flow samples and the chains. */
export interface BasinProblem {
  /** Number of all flow samples. */
  readonly n: number;
  /** One entry per basin: the solution, or why there is none. */
  readonly basins: readonly (SolvedBasin | string)[];
  /** The chains; a chain's stratum is the basin where most of its frames are. */
  readonly chains: Blocks;
}

/**
 * Checks samples of flow and target and solves Bennett's equation for every basin.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param flow samples of the flow
 * @param data samples of the target
 * @param names names of the basins, [basins]
 * @param cells finer cells than basins, within each of which no flow sample that matters may be dropped, [n]
 * @returns the solved problem
 * @throws {RangeError} if lists differ in length, or hold values or labels that they must not
 */
export function solveBasins(
  task: string,
  flow: BasinFlowSamples,
  data: BasinDataSamples,
  names: readonly string[],
  cells?: Int32Array,
): BasinProblem {
  requireLogWeights(task, flow.logWeights, "flow.logWeights");
  requireSamples(task, data.logWeights.length, "data.logWeights");
  requireWork(task, data.logWeights, "data.logWeights");
  const n = flow.logWeights.length;
  const frames = data.logWeights.length;
  requireSameLength(task, "flow.basins", flow.basins.length, "flow.logWeights", n);
  requireSameLength(task, "data.basins", data.basins.length, "data.logWeights", frames);
  requireSameLength(task, "data.chains", data.chains.length, "data.logWeights", frames);
  const maximum = names.length - 1;
  const flowBasins = integerLabels(task, "flow.basins", flow.basins, { maximum });
  const dataBasins = integerLabels(task, "data.basins", data.basins, { minimum: 0, maximum });
  const chains = groupIntoBlocks(task, data.chains, dataBasins);
  const basins = names.map((name, basin) => {
    const inFlow = indicesWhere(n, (i) => flowBasins[i] === basin && flow.logWeights[i] > -Infinity);
    const inData = indicesWhere(frames, (i) => dataBasins[i] === basin);
    return solveBasin(name, { inFlow, inData, flow, data, chains, cells });
  });
  return { n, basins, chains };
}

interface BasinInput {
  readonly inFlow: Int32Array;
  readonly inData: Int32Array;
  readonly flow: BasinFlowSamples;
  readonly data: BasinDataSamples;
  readonly chains: Blocks;
  readonly cells: Int32Array | undefined;
}

function solveBasin(name: string, { inFlow, inData, flow, data, chains, cells }: BasinInput): SolvedBasin | string {
  if (inFlow.length === 0) return `no flow sample lies in basin ${name}`;
  if (inData.length === 0) return `no evaluation sample lies in basin ${name}`;
  const dataWork = Float64Array.from(inData, (i) => data.logWeights[i]);
  const finite = dataWork.filter((value) => value < Infinity);
  if (finite.length === 0) return `the flow's density vanishes at every evaluation sample of basin ${name}`;
  const flowWork = Float64Array.from(inFlow, (i) => -flow.logWeights[i]);
  const c = solveBennett(flowWork, finite);
  const occupations = new FermiTable(flowWork, c).occupations();
  const cellOf = Int32Array.from(inFlow, (i) => cells ? cells[i] : 0);
  const kept = activeSamples(occupations, cellOf, cellOf.reduce((most, cell) => Math.max(most, cell), 0) + 1);
  const chainOf = Int32Array.from(inData, (i) => chains.blockOf[i]);
  const chainSizes = new Float64Array(chains.count);
  for (const chain of chainOf) chainSizes[chain]++;
  return {
    c,
    flowIndex: Int32Array.from(kept, (i) => inFlow[i]),
    flow: new FermiTable(Float64Array.from(kept, (i) => flowWork[i]), c),
    dataIndex: inData,
    data: new FermiTable(dataWork, -c),
    chainOf,
    chainSizes,
  };
}

/** One basin in one bootstrap replicate. */
export interface BasinReplicate {
  /** c of the replicate, NaN where it has no solution. */
  readonly c: number;
  /** F_b of the replicate. */
  readonly freeEnergy: number;
  /** exp(c − c of the data). */
  readonly factor: number;
  /** Multiplicity of each flow sample that matters, [a]. */
  readonly flowWeights: Float64Array;
  /** Weight of each frame of the basin, [m_b]. */
  readonly dataWeights: Float64Array;
  /** Weight of all frames of the basin. */
  readonly frames: number;
}

/**
 * Solves every basin on bootstrap replicates that resample flow samples and whole chains, jointly for all basins.
 *
 * @param problem the solved problem
 * @param options number of replicates and seed
 * @param visit called for every replicate with one entry per basin, null for basins without a solution; the arrays are
 *   overwritten by the next replicate
 */
export function replicateBasins(
  problem: BasinProblem,
  options: { replicates: number; seed: number },
  visit: (replicate: number, basins: readonly (BasinReplicate | null)[]) => void,
): void {
  const { n, basins, chains } = problem;
  const active = basins.map((basin) => typeof basin === "string" ? 0 : basin.flowIndex.length);
  const counts = new Float64Array(active.reduce((sum, length) => sum + length, 0));
  const chainWeights = new Float64Array(chains.count);
  const dataWeights = basins.map((b) => new Float64Array(typeof b === "string" ? 0 : b.dataIndex.length));
  for (let r = 0; r < options.replicates; r++) {
    const random = new CounterRandom(options.seed, r);
    drawCounts(n, counts.length / n, random, counts);
    drawBlockWeights(chains, random, chainWeights);
    let start = 0;
    visit(
      r,
      basins.map((basin, b) => {
        const flowWeights = counts.subarray(start, start += active[b]);
        if (typeof basin === "string") return null;
        dataWeights[b].forEach((_, j, weights) => weights[j] = chainWeights[basin.chainOf[j]]);
        const move = solveReplicate(basin.flow, flowWeights, basin.data, dataWeights[b]);
        const frames = dot(chainWeights, basin.chainSizes);
        const c = basin.c + move;
        const freeEnergy = c + Math.log(n / frames);
        return { c, freeEnergy, factor: Math.exp(move), flowWeights, dataWeights: dataWeights[b], frames };
      }),
    );
  }
}

function indicesWhere(n: number, test: (i: number) => boolean): Int32Array {
  const indices = new Int32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) if (test(i)) indices[count++] = i;
  return indices.slice(0, count);
}
