/**
 * What a request for samples asks for, read strictly: whatever is not understood is refused in one sentence.
 *
 * @module
 */

/** Forms in which samples are sent. */
export const formats = ["json", "npz", "xyz"] as const;

/** One of them. */
export type Format = (typeof formats)[number];

/** A request that was understood. */
export interface SampleQuery {
  /** How many samples, ≥ 1. */
  readonly n: number;
  /** Their seed. */
  readonly seed: number;
  /** Whether the request named the seed: only then is its answer the same every time. */
  readonly isSeeded: boolean;
  /** Number of the first sample in the sequence of the seed. */
  readonly first: number;
  /** Form of the answer. */
  readonly format: Format;
}

/** Most samples of an answer, by its form. */
export type Limits = Readonly<Record<Format, number>>;

/** Samples of an answer whose request does not say how many. */
const DEFAULT_SAMPLES = 100;

/** Largest number of the first sample: what the generator can reach, and more than a year of sampling. */
const LARGEST_FIRST = 1e12;

/** A request that cannot be answered as it is. */
export class Refusal extends Error {
  /** HTTP status. */
  readonly status: number;
  /** Further headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * Refuses.
   *
   * @param status HTTP status
   * @param message one sentence for whoever asked
   * @param headers further headers of the answer
   */
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * Reads the parameters of `/sample`.
 *
 * @param parameters of the address
 * @param limits most samples by format
 * @returns the request, with a seed drawn at random where none is given
 * @throws {Refusal} 400 with the first thing that is wrong
 */
export function parseSampleQuery(parameters: URLSearchParams, limits: Limits): SampleQuery {
  const known = ["n", "seed", "first", "format"];
  for (const name of new Set(parameters.keys())) {
    if (!known.includes(name)) refuse(`parameters must be ${known.join(", ")}, got ${show(name)}`);
    const { length } = parameters.getAll(name);
    if (length > 1) refuse(`${name} must be given once, got ${length} times`);
  }
  const format = parameters.get("format") ?? "json";
  if (!isFormat(format)) return refuse(`format must be ${formats.join(", ")}, got ${show(format)}`);
  const whole = (name: string, least: number, most: number) => readWhole(parameters, name, least, most);
  const n = whole("n", 1, limits[format]) ?? Math.min(DEFAULT_SAMPLES, limits[format]);
  const seed = whole("seed", 0, Number.MAX_SAFE_INTEGER);
  const first = whole("first", 0, LARGEST_FIRST) ?? 0;
  return { n, seed: seed ?? randomSeed(), isSeeded: seed !== undefined, first, format };
}

function refuse(rest: string): never {
  throw new Refusal(400, `Cannot sample: ${rest}`);
}

/** What somebody wrote, as messages show it. */
function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function isFormat(text: string): text is Format {
  return (formats as readonly string[]).includes(text);
}

/** A whole number in decimal digits; undefined if it is not given. */
function readWhole(parameters: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  return refuse(`${name} must be a whole number from ${least} to ${most}, got ${show(text)}`);
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
