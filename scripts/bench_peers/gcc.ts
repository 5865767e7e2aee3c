/**
 * C compiled by gcc as a peer: energies and Monte Carlo of the dimer.
 *
 * @module
 */
import { halfBoxOf, type ParticleSize, type ParticleTask, sweepsOf } from "./particles.ts";
import { type Contender, outputOf } from "./peers.ts";

/** What to compile. */
export interface Variant {
  /** Name in tables. */
  readonly name: string;
  /** Options of the compiler. */
  readonly flags: readonly string[];
}

const FAST = ["-O3", "-march=native"];
const SINGLE = "-DREAL=float";

/** Every program that is compared: two ways to round, two types. */
export const VARIANTS: readonly Variant[] = [
  { name: "gcc -O3 -march=native, float64", flags: FAST },
  { name: "gcc -O3 -march=native -ffast-math, float64", flags: [...FAST, "-ffast-math"] },
  { name: "gcc -O3 -march=native, float32", flags: [...FAST, SINGLE] },
  { name: "gcc -O3 -march=native -ffast-math, float32", flags: [...FAST, "-ffast-math", SINGLE] },
];

/** Whether a variant computes in float32. */
export function isSingle({ flags }: Variant): boolean {
  return flags.includes(SINGLE);
}

/** What to do without gcc; nothing if it is there. */
export async function missingGcc(): Promise<string[]> {
  return await outputOf("gcc", ["--version"]) === null
    ? ["gcc: not found (Debian: apt-get install gcc libc6-dev)"]
    : [];
}

/**
 * Compiles a variant.
 *
 * @param folder where the program and the numbers lie
 * @param variant which
 * @param size number of particles and of configurations, constants for the compiler
 * @returns how to start it for a task
 * @throws {Error} with what gcc says if it fails
 */
export async function compileVariant(
  folder: string,
  variant: Variant,
  { solvent, batch }: ParticleSize,
): Promise<(task: ParticleTask) => Contender> {
  const program = `${folder}/${variant.name.replaceAll(/\W+/g, "_")}`;
  const source = new URL("dimer_peer.c", import.meta.url).pathname;
  const { burnIn, counted } = sweepsOf(solvent);
  const sweeps = [`-DBURN_IN=${burnIn}`, `-DCOUNTED=${counted}`];
  const sizes = [`-DPARTICLES=${2 + solvent}`, `-DHALF=${halfBoxOf(solvent)}`, `-DBATCH=${batch}`];
  const args = [...variant.flags, ...sizes, ...sweeps, source, "-o", program, "-lm"];
  const { success, stderr } = await new Deno.Command("gcc", { args }).output();
  if (!success) throw new Error(`Cannot compile dimer_peer.c: ${new TextDecoder().decode(stderr).split("\n")[0]}`);
  return (task) => ({ peer: "gcc", name: variant.name, threads: 1, program, args: [folder, task, "1"] });
}
