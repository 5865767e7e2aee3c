/**
 * What a comparison leaves behind: every timing of every round, from which tables and plots are made.
 *
 * @module
 */
import type { Deviation } from "./agreement.ts";
import type { Contender } from "./peers.ts";
import type { PeerProcess } from "./peer_process.ts";
import type { Round } from "./rounds.ts";
import type { GoAnswer } from "./serve.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/** Somebody who was timed. */
export interface Timed extends Pick<Contender, "peer" | "name" | "threads"> {
  /** Names and versions of what computed. */
  readonly version: string;
  /** Threads and libraries, as the peer itself tells. */
  readonly settings: string;
  /** Environment variables that were set for it. */
  readonly env: Readonly<Record<string, string>>;
  /** Distance of what it computed from ours; none where it was compared otherwise. */
  readonly deviation?: Deviation;
}

/** Peers that did the same work in turn. */
export interface Measurement {
  /** What was done. */
  readonly title: string;
  /** What is counted, plural. */
  readonly unit: string;
  /** Units in one step. */
  readonly unitsPerStep: number;
  /** Multiplications and additions in a unit, where it makes sense to count them. */
  readonly flopPerUnit?: number;
  /** Largest deviation that rounding explains. */
  readonly tolerance?: Deviation;
  /** In the order of the times of a round. */
  readonly contenders: readonly Timed[];
  /** All rounds. */
  readonly rounds: readonly Round[];
}

/** Describes a running peer. */
export function timedOf(contender: Contender, process: PeerProcess, deviation?: Deviation): Timed {
  const { peer, name, threads, env = {} } = contender;
  return { peer, name, threads, ...process.about, env, ...(deviation && { deviation }) };
}

/**
 * The clock that counts: processor time on one thread, which other work on the machine does not touch; wall time on
 * several, since to wait for each other is part of the price.
 */
function secondsOf(threads: number, time: GoAnswer): number {
  return threads === 1 ? time.processor : time.wall;
}

/** Units per second of one contender. */
export function speedOf({ contenders, rounds, unitsPerStep }: Measurement, k: number): Spread {
  return spreadOf(rounds.map(({ times }) => unitsPerStep / secondsOf(contenders[k].threads, times[k])));
}

/**
 * How many times as fast one contender is as another, round by round. Where their numbers of threads differ both are
 * taken by wall time.
 *
 * @param measurement what was timed
 * @param fast index of the one
 * @param slow index of the other
 * @returns ratios of speeds
 */
export function ratioOf({ contenders, rounds }: Measurement, fast: number, slow: number): Spread {
  const threads = contenders[fast].threads === contenders[slow].threads ? contenders[fast].threads : Infinity;
  return spreadOf(rounds.map(({ times }) => secondsOf(threads, times[slow]) / secondsOf(threads, times[fast])));
}

/** Cores that one contender kept busy: processor time over wall time. Below its threads, it waited or was kept waiting. */
export function coresOf({ rounds }: Measurement, k: number): number {
  return spreadOf(rounds.map(({ times }) => times[k].processor / times[k].wall)).median;
}

/** Ours with as many threads as a peer: what the peer is compared with. */
export function ourCounterpart({ contenders }: Measurement, k: number): number {
  return contenders.findIndex(({ peer, threads }) => peer === "ours" && threads === contenders[k].threads);
}
