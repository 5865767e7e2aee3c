/**
 * The law of readers: whatever they are given, they return something sound or throw one of our sentences.
 *
 * @module
 */
import { assert } from "@std/assert";
import { record } from "../support/incidents.ts";

/** What is promised for a broken file. */
export interface ReaderLaw<T> {
  /** Name of the kind of file, for the summary; empty for trials that are none. */
  readonly incident: string;
  /** How many damaged files. */
  readonly trials: number;
  /** The file of a trial. */
  readonly make: (trial: number) => T;
  /** Reads it. */
  readonly read: (input: T) => unknown | Promise<unknown>;
  /** Tells what is wrong with what was read, if anything: a damaged file that is read must still mean the same. */
  readonly faultOf?: (result: unknown, input: T) => string | undefined;
  /** Tells what is wrong after a trial, however it ended. */
  readonly always?: () => string | undefined;
  /** What the sentences begin with. */
  readonly task: RegExp;
  /** Longest time in milliseconds that one file may take; default 10 000: a watch for what never ends, not a bench. */
  readonly patience?: number;
}

/** Words of engines and libraries that say that a message is not ours. */
const foreign = new RegExp(
  [
    "Unexpected (token|end|non-whitespace)",
    "Invalid (typed array|array|string|DataView|time)",
    "is not (a function|iterable|defined|valid JSON)",
    "Cannot (read|set|destructure|convert|mix) (propert|undefined|null|object|BigInt)",
    "call stack",
    "out of (bounds|memory|range)",
    "Offset is outside",
    "Array buffer allocation",
    "undefined",
    "\\[object",
    "\\bORT\\b|ERROR_CODE|protobuf|onnxruntime::",
    "byte length of",
    "start offset",
    "The encoded data",
    "premature EOF|invalid wire type|illegal tag",
    "\\bat .+\\.(ts|js):\\d+",
  ].join("|"),
);

/**
 * Says what is wrong with an error that a reader threw, or nothing when it is one of our sentences:
 * "Cannot <do what>: <name> must <rule>, got <value>", one line of at most 600 characters.
 */
export function errorFault(error: unknown, task: RegExp): string | undefined {
  if (!(error instanceof Error)) return `threw ${typeof error}`;
  const { message } = error;
  const [start, ...rest] = message.split(": ");
  if (!task.test(start)) return `begins otherwise: ${error.name}: ${message.slice(0, 300)}`;
  const sentence = rest.join(": ");
  if (!/ must /.test(sentence) || !/, got /.test(sentence)) return `names no rule: ${message.slice(0, 300)}`;
  if (message.length > 600) return `is ${message.length} characters long`;
  if (/\p{Cc}/u.test(message)) return `holds control characters: ${JSON.stringify(message)}`;
  // What a message quotes is the file's, not ours.
  const ours = message.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').replace(/, got [^:]*$/, "");
  if (foreign.test(ours)) return `is foreign: ${message}`;
  return undefined;
}

/** The state of the prototypes that every object shares. */
function prototypeKeys(): string {
  return [Object.prototype, Array.prototype, Map.prototype, Function.prototype]
    .map((prototype) => Reflect.ownKeys(prototype).length).join();
}

/**
 * Reads damaged files, records the incident, and fails with the number of the first trial that broke the law.
 *
 * Broken is the law by an error that is not ours, by a result that is not sound, by a prototype that was changed, and by a
 * file that takes too long.
 */
export async function assertReaderHolds<T>(law: ReaderLaw<T>): Promise<{ loaded: number; refused: number }> {
  const { incident, trials, make, read, faultOf, always, task, patience = 10_000 } = law;
  const prototypes = prototypeKeys();
  const faults: string[] = [];
  let [loaded, slowest] = [0, 0];
  const started = performance.now();
  for (let trial = 0; trial < trials; trial++) {
    const input = make(trial);
    const start = performance.now();
    let fault: string | undefined;
    try {
      const result = await read(input);
      loaded++;
      fault = faultOf?.(result, input);
    } catch (error) {
      fault = errorFault(error, task);
    }
    fault ??= always?.();
    slowest = Math.max(slowest, performance.now() - start);
    if (performance.now() - start > patience) fault ??= `took ${Math.round(performance.now() - start)} ms`;
    if (prototypeKeys() !== prototypes) fault ??= "changed a prototype";
    if (fault !== undefined) faults.push(`trial ${trial} ${fault}`);
  }
  if (incident !== "") {
    record({ incident, trials, lost: 0, wrong: faults.length, seconds: (performance.now() - started) / 1000 });
  }
  assert(faults.length === 0, `${incident}: ${faults.length} of ${trials} wrong\n${faults.slice(0, 8).join("\n")}`);
  return { loaded, refused: trials - loaded };
}
