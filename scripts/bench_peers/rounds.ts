/**
 * Timing peers in turn: one works while the others sleep, in many rounds, so that whatever the machine does besides meets
 * all of them.
 *
 * @module
 */
import type { PeerProcess } from "./peer_process.ts";
import type { GoAnswer } from "./serve.ts";

/** One round. */
export interface Round {
  /** `/proc/loadavg` at its begin; empty where there is none. */
  readonly load: string;
  /** Seconds per step of each peer. */
  readonly times: readonly GoAnswer[];
}

/** How long to time. */
export interface RoundOptions {
  /** Number of rounds. */
  readonly rounds: number;
  /** Wall seconds that each peer works in each round, at least one step. */
  readonly seconds: number;
}

const PAUSE_MS = 30;

/** Lets compilers finish, and finds how many steps fill the time. */
async function stepsFor(peer: PeerProcess, seconds: number): Promise<number> {
  let wall = (await peer.go(1)).wall;
  // Two goes at least: the first one is compilation; a step of many seconds is compiled by its end.
  for (let spent = 0; spent < Math.min(1, 3 * seconds);) {
    const steps = Math.max(1, Math.round(0.2 * seconds / wall));
    const answer = await peer.go(steps);
    wall = answer.wall / steps;
    spent += answer.wall;
  }
  return Math.max(1, Math.round(seconds / wall));
}

/** What the operating system says about other work. */
async function load(): Promise<string> {
  try {
    return (await Deno.readTextFile("/proc/loadavg")).trim();
  } catch {
    return "";
  }
}

/**
 * Times peers in turn, every second round backwards.
 *
 * @param peers running ones
 * @param options how long
 * @returns all rounds
 */
export async function timeInTurn(peers: readonly PeerProcess[], options: RoundOptions): Promise<Round[]> {
  const steps: number[] = [];
  for (const peer of peers) steps.push(await stepsFor(peer, options.seconds));
  const rounds: Round[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const before = await load();
    const times = new Array<GoAnswer>(peers.length);
    const order = [...peers.keys()];
    for (const k of round % 2 === 0 ? order : order.reverse()) {
      // Threads of the one before spin for a moment before they sleep.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const { processor, wall } = await peers[k].go(steps[k]);
      times[k] = { processor: processor / steps[k], wall: wall / steps[k] };
    }
    rounds.push({ load: before, times });
  }
  return rounds;
}
