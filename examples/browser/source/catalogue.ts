/**
 * Which models the page has, and what umbrella sampling says about each of their systems.
 *
 * @module
 */

/** A model of the folder `models/`. */
export interface CatalogueEntry {
  /** Preset of the dimer. */
  readonly preset: string;
  /** Temperature in units of T₀. */
  readonly temperature: number;
  /** File of the sampler, relative to the page. */
  readonly sampler: string;
  /** File of what else is known about it, relative to the page. */
  readonly notes: string;
}

/** What `examples/models` knows about a model: the profile by umbrella sampling, and the ends of a good latent path. */
export interface Notes {
  /** Rising bin edges, [bins + 1]. */
  readonly edges: readonly number[];
  /** −ln of the mean density over a bin, in k_BT, [bins]; null where there is none. */
  readonly freeEnergy: readonly (number | null)[];
  /** Ends of its 95 % band, [bins]. */
  readonly lower: readonly (number | null)[];
  /** See `lower`. */
  readonly upper: readonly (number | null)[];
  /** F_open − F_closed in k_BT, and its standard error. */
  readonly difference: { readonly value: number; readonly standardError: number };
  /** Latent points whose images are closed and open, each [dim]. */
  readonly latent: { readonly closed: readonly number[]; readonly open: readonly number[] };
}

/** Where the list of models lies, relative to the page. */
export const CATALOGUE = "models/models.json";

/**
 * Fetches a file of the page's own folder.
 *
 * @param path relative to the page
 * @param what what it is, for the message
 * @param base address of the page
 * @returns the answer, which was a success
 * @throws {Error} if there is no such file, or no server
 */
export async function fetchPart(path: string, what: string, base: string): Promise<Response> {
  const answer = await fetch(new URL(path, base)).catch(() => null);
  if (answer?.ok) return answer;
  const got = answer === null ? "no answer" : `status ${answer.status}`;
  throw new Error(`Cannot load ${what}: the server must have ${path}, got ${got}: serve the whole folder`);
}

/**
 * Reads the list of models.
 *
 * @param base address of the page
 * @returns its entries, at least one
 * @throws {Error} if the list is missing or is not one
 */
export async function readCatalogue(base: string): Promise<CatalogueEntry[]> {
  const list: unknown = await (await fetchPart(CATALOGUE, "the list of models", base)).json().catch(() => null);
  if (Array.isArray(list) && list.length > 0 && list.every(isEntry)) return list;
  throw new Error(`Cannot load the list of models: ${CATALOGUE} must be a list of models, got something else`);
}

function isEntry(value: unknown): value is CatalogueEntry {
  const { preset, temperature, sampler, notes } = (value ?? {}) as Record<string, unknown>;
  return [preset, sampler, notes].every((text) => typeof text === "string") && typeof temperature === "number";
}

/**
 * Reads what is known about a model.
 *
 * @param entry the model
 * @param base address of the page
 * @returns reference and path
 * @throws {Error} if the file is missing or lacks something
 */
export async function readNotes(entry: CatalogueEntry, base: string): Promise<Notes> {
  const answer = await fetchPart(entry.notes, "the reference profile", base);
  const notes = await answer.json().catch(() => null) as Partial<Notes> | null;
  const { edges, freeEnergy, lower, upper, difference, latent } = notes ?? {};
  const bins = (edges?.length ?? 0) - 1;
  const sound = bins > 0 && [freeEnergy, lower, upper].every((values) => values?.length === bins) &&
    Number.isFinite(difference?.value) && Number.isFinite(difference?.standardError) &&
    [latent?.closed, latent?.open].every(Array.isArray);
  if (sound) return notes as Notes;
  throw new Error(`Cannot load the reference profile: ${entry.notes} must hold a profile, got something else`);
}
