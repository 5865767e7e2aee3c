/**
 * Computes what the page compares its samples with: umbrella sampling for every model of `models/models.json`.
 *
 *     deno run -A examples/browser/make_references.ts              those that are missing
 *     deno run -A examples/browser/make_references.ts --all        all; the same numbers on the same kind of processor
 *
 * @module
 */
import { type FreeEnergyProfile, ParticleDimer, type ParticleDimerPreset, ThreadPool } from "../../mod.ts";
import { dimerReference } from "../../src/experiment/mod.ts";
import { type CatalogueEntry, readCatalogue, type Reference } from "./source/catalogue.ts";

const SETTINGS = { sweepsPerWindow: 250_000, bootstraps: 200, seed: 1 };

/** What the page needs of a reference; four digits after the point are a hundredth of its error. */
function referenceOf(profile: FreeEnergyProfile, difference: Reference["difference"]): Reference {
  const rounded = (values: readonly (number | null)[]) => values.map((value) => value === null ? null : round(value));
  return {
    edges: Array.from(profile.edges),
    freeEnergy: rounded(profile.freeEnergy),
    lower: rounded(profile.lower),
    upper: rounded(profile.upper),
    difference: { value: round(difference.value), standardError: round(difference.standardError) },
  };
}

function round(value: number): number {
  return Math.round(1e4 * value) / 1e4;
}

async function make({ preset, temperature, reference }: CatalogueEntry, pool: ThreadPool): Promise<void> {
  const system = new ParticleDimer({ preset: preset as ParticleDimerPreset });
  const { profile, freeEnergyDifference } = await dimerReference(system, { ...SETTINGS, temperature, pool });
  const { value, standardError, reliable, reason } = freeEnergyDifference;
  if (value === null || standardError === null || !reliable) {
    throw new Error(`Cannot make the reference of ${preset} at ${temperature}: it must be reliable, got ${reason}`);
  }
  const text = `${JSON.stringify(referenceOf(profile, { value, standardError }))}\n`;
  await Deno.writeTextFile(new URL(reference, import.meta.url), text);
  console.log(`${reference}: open − closed = ${value.toFixed(3)} ± ${standardError.toFixed(3)} kT`);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(new URL(path, import.meta.url)).then(() => true, () => false);
}

if (import.meta.main) {
  using pool = await ThreadPool.open(Math.min(4, navigator.hardwareConcurrency));
  const all = Deno.args.includes("--all");
  for (const entry of await readCatalogue(import.meta.url)) {
    if (all || !await isThere(entry.reference)) await make(entry, pool);
  }
}
