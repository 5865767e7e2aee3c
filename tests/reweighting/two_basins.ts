/** A one-dimensional target with two basins, a flow that covers it roughly, and frames from correlated chains. */
import type { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { autoregressiveChain, normals } from "./statistics.ts";

/**
 * e^−u is a normal density of width 0.5 at −1.5 times 3 on the left of 0, and of width 0.4 at 1.5 times 0.5 on the right:
 * a jump at 0, where neither has mass.
 */
const WELLS = [{ center: -1.5, width: 0.5, mass: 3 }, { center: 1.5, width: 0.4, mass: 0.5 }];

/** Mass of a normal density beyond 3 and beyond 3.75 widths: what 0 cuts off. */
const CUT = [1.3498980316300957e-3, 8.841728520081471e-5];

/** F of the left basin. */
export const F_LEFT = -Math.log(WELLS[0].mass * (1 - CUT[0]));

/** F of the right basin. */
export const F_RIGHT = -Math.log(WELLS[1].mass * (1 - CUT[1]));

/** F(right) − F(left). */
export const TRUTH = F_RIGHT - F_LEFT;

/** u(x). */
export function potential(x: number): number {
  const { center, width, mass } = WELLS[x < 0 ? 0 : 1];
  return (x - center) ** 2 / (2 * width * width) + Math.log(width * Math.sqrt(2 * Math.PI) / mass);
}

/** The flow: a normal density of width 1.6; |x| > 3.5 is outside the domain. */
const FLOW_WIDTH = 1.6;
const logFlow = (x: number) => -x * x / (2 * FLOW_WIDTH ** 2) - Math.log(FLOW_WIDTH * Math.sqrt(2 * Math.PI));
const logWeight = (x: number) => -potential(x) - logFlow(x);
const basinOf = (x: number) => Math.abs(x) > 3.5 ? -1 : x < 0 ? 0 : 1;

/** Samples of the flow. */
export function drawFlow(n: number, random: CounterRandom) {
  const coordinate = normals(n, random).map((z) => FLOW_WIDTH * z);
  return { coordinate, logWeights: coordinate.map(logWeight), basins: Int32Array.from(coordinate, basinOf) };
}

/** Frames of both basins from ten chains each, 60 frames long. */
export function drawData(random: CounterRandom, correlation = 0.8) {
  const coordinate: number[] = [];
  const chains: number[] = [];
  for (let chain = 0; chain < 20; chain++) {
    const { center, width } = WELLS[chain % 2];
    for (const z of autoregressiveChain(60, correlation, random)) {
      const x = center + width * z;
      if (basinOf(x) !== chain % 2) continue;
      coordinate.push(x);
      chains.push(chain);
    }
  }
  const positions = Float64Array.from(coordinate);
  return {
    coordinate: positions,
    logWeights: positions.map(logWeight),
    basins: Int32Array.from(positions, basinOf),
    chains: Int32Array.from(chains),
  };
}
