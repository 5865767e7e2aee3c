import type { JsonValue } from "../format/json.ts";
import { isJsonObject, parseJson, showJson, showText } from "../format/parse_json.ts";
import type { XyzLayout } from "../format/xyz.ts";

/** Element type of batches in a model; columns are float64 in either case. */
export type Precision = "float32" | "float64";

/** Which way a model goes: `sampler` z → (x, logDet), `density` x → (z, logDet). */
export type ModelRole = "sampler" | "density";

/** How coordinates belong to particles, in x₀ y₀ x₁ y₁ … order. */
export type ParticleLayout = Pick<XyzLayout, "species" | "spatialDim" | "box">;

/** What a flow was trained for, as it travels in the metadata of its models. */
export interface ModelDescription {
  /** Name of the system, for example "ParticleDimer". */
  readonly system: string;
  /** Name of the preset, or "custom" for an energy of the user's own. */
  readonly preset: string;
  /** Every parameter of the energy, after overrides. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Which coordinates belong to which particle; null where there are no particles. */
  readonly particles: ParticleLayout | null;
  /** Temperature in units of T₀. */
  readonly temperature: number;
  /** Units by quantity, for example `{ length: "reduced", energy: "k_B T₀" }`. */
  readonly units: Readonly<Record<string, string>>;
  /** In words, the part of configuration space that samples are meant for; others count as outside. */
  readonly referenceDomain: string;
  /** Seed of the training run. */
  readonly seed: number;
}

/** All metadata of a flow's model. */
export interface ModelMetadata extends ModelDescription {
  /** Which way it goes. */
  readonly role: ModelRole;
  /** Element type of x and z; logDet is float64 in either case. */
  readonly precision: Precision;
  /** Number of coordinates of a configuration. */
  readonly dim: number;
  /** Density of z; "normal" is the standard normal. */
  readonly prior: string;
  /** SHA-256 of names, shapes and float32 values of all weights: equal for models of one flow, whatever precision. */
  readonly weights: string;
  /** Version of the package that wrote the file. */
  readonly packageVersion: string;
  /**
   * Whether the graph holds the system's energy and returns `logWeight` too, for users of onnxruntime alone: −U(x)/T −
   * log q(x), −∞ outside the reference domain of a system of this package. (`ModelSampler` computes weights of any file,
   * see its `logWeights`.) Absent if not.
   */
  readonly logWeight?: true;
  /**
   * Whether the graph of a sampler draws z itself, from a generator of the runtime: it takes the number of samples instead
   * and returns z too. Absent if not.
   */
  readonly draws?: true;
}

/**
 * Writes metadata as entries of a model file: plain text, numbers in decimal, tables as JSON.
 *
 * @param metadata what to write
 * @returns entries in a fixed order
 * @throws {RangeError} if a number is not finite, a text is no plain line, or the particles do not have `dim` coordinates
 */
export function metadataEntries(metadata: ModelMetadata): Record<string, string> {
  const numbers = { temperature: metadata.temperature, seed: metadata.seed, ...metadata.parameters };
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value)) throw new RangeError(`Cannot export flow: ${name} must be finite, got ${value}`);
  }
  const { system, preset, referenceDomain } = metadata;
  for (const [name, text] of Object.entries({ system, preset, referenceDomain })) {
    if (!isPlain(text)) throw new RangeError(`Cannot export flow: ${name} must be ${plainRule}, got ${showJson(text)}`);
  }
  const { dim, particles } = metadata;
  if (particles !== null && particles.species.length * particles.spatialDim !== dim) {
    const { species, spatialDim } = particles;
    throw new RangeError(
      `Cannot export flow: particles must have dim = ${dim} coordinates, got ${species.length} in ${spatialDim} D`,
    );
  }
  return {
    role: metadata.role,
    precision: metadata.precision,
    dim: String(dim),
    prior: metadata.prior,
    weights: metadata.weights,
    packageVersion: metadata.packageVersion,
    system: metadata.system,
    preset: metadata.preset,
    parameters: JSON.stringify(metadata.parameters),
    particles: JSON.stringify(particles),
    temperature: String(metadata.temperature),
    units: JSON.stringify(metadata.units),
    referenceDomain: metadata.referenceDomain,
    seed: String(metadata.seed),
    ...metadata.logWeight && { logWeight: "true" },
    ...metadata.draws && { draws: "true" },
  };
}

/**
 * Reads the entries that {@linkcode metadataEntries} wrote.
 *
 * @param entries metadata of a decoded model
 * @returns the metadata
 * @throws {Error} if an entry is missing or is not what it should be
 */
export function parseMetadata(entries: Readonly<Record<string, string>>): ModelMetadata {
  const read = new EntryReader(entries);
  const dim = read.number("dim", isDimension, `a whole number from 1 to ${maximumDim}`);
  return {
    role: read.oneOf("role", ["sampler", "density"]),
    precision: read.oneOf("precision", ["float32", "float64"]),
    dim,
    prior: read.text("prior"),
    weights: read.text("weights"),
    packageVersion: read.text("packageVersion"),
    system: read.text("system"),
    preset: read.text("preset"),
    parameters: read.table("parameters", "number"),
    particles: read.particles("particles", dim),
    temperature: read.number("temperature", Number.isFinite, "a finite number"),
    units: read.table("units", "string"),
    referenceDomain: read.text("referenceDomain"),
    seed: read.number("seed", Number.isFinite, "a finite number"),
    ...read.flag("logWeight") && { logWeight: true },
    ...read.flag("draws") && { draws: true },
  };
}

/** Largest number of coordinates that a model is opened for. */
const maximumDim = 2 ** 20;

/** Most characters of a text, most entries of a table, and most edges of a box. */
const limits = { text: 4096, table: 256, box: 3 } as const;

const plainRule = `text of at most ${limits.text} characters in one line`;

/** Text that can be printed as it is: what scripts show of a file must not control a terminal. */
function isPlain(text: string): boolean {
  return text.length <= limits.text && !/\p{Cc}/u.test(text);
}

function isDimension(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= maximumDim;
}

/** Reads entries by name and says which one is wrong. */
class EntryReader {
  readonly #entries: Readonly<Record<string, string>>;

  constructor(entries: Readonly<Record<string, string>>) {
    this.#entries = entries;
  }

  text(name: string): string {
    const text = this.#text(name);
    return isPlain(text) ? text : this.#refuse(name, plainRule);
  }

  #text(name: string): string {
    if (!Object.hasOwn(this.#entries, name)) {
      throw new Error(`Cannot read ONNX model: metadata must have "${name}", got none: export it with exportFlow`);
    }
    return this.#entries[name];
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const text = this.text(name);
    const found = choices.find((choice) => choice === text);
    return found ?? this.#refuse(name, choices.map((choice) => `"${choice}"`).join(" or "));
  }

  /** Whether an entry is there, which then says "true": files written before it was thought of have none. */
  flag(name: string): boolean {
    if (!Object.hasOwn(this.#entries, name)) return false;
    return this.#entries[name] === "true" || this.#refuse(name, '"true" or left out');
  }

  /** A number in the one spelling that the exporter gives it. */
  number(name: string, accepts: (value: number) => boolean, rule: string): number {
    const text = this.text(name);
    const value = Number(text);
    return String(value) === text && accepts(value) ? value : this.#refuse(name, rule);
  }

  table(name: string, kind: "number"): Record<string, number>;
  table(name: string, kind: "string"): Record<string, string>;
  table(name: string, kind: "number" | "string"): Record<string, unknown> {
    const table = this.#json(name);
    const sound = isJsonObject(table) && Object.keys(table).length <= limits.table &&
      Object.values(table).every((value) => typeof value === kind);
    return sound ? table : this.#refuse(name, `a JSON table of ${kind}s`);
  }

  particles(name: string, dim: number): ParticleLayout | null {
    const layout = this.#json(name);
    if (layout === null) return null;
    if (isParticleLayout(layout) && layout.species.length * layout.spatialDim === dim) return layout;
    return this.#refuse(name, `null or a layout of ${dim} coordinates`);
  }

  #json(name: string): JsonValue {
    return parseJson(this.#text(name), `metadata "${name}"`, (rest) => {
      throw new Error(`Cannot read ONNX model: ${rest}`);
    });
  }

  #refuse(name: string, rule: string): never {
    const got = showText(this.#entries[name], 200);
    throw new Error(`Cannot read ONNX model: metadata "${name}" must be ${rule}, got "${got}"`);
  }
}

function isParticleLayout(value: unknown): value is ParticleLayout {
  if (!isJsonObject(value)) return false;
  const { species, spatialDim, box = [], ...others } = value;
  return Array.isArray(species) && species.every(isSpecies) && [1, 2, 3].includes(spatialDim as number) &&
    Array.isArray(box) && box.length <= limits.box && box.every((edge) => typeof edge === "number") &&
    Object.keys(others).length === 0;
}

/** A species is a word, as files of particles want it. */
function isSpecies(value: unknown): boolean {
  return typeof value === "string" && value.length <= 64 && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value);
}
