/**
 * boltzflow as a peer: energies, gradients and Monte Carlo of the dimer.
 *
 * @module
 */
import { loadKernels, MetropolisChains } from "../../mod.ts";
import {
  type AcceptanceAnswer,
  CHAINS,
  makeDimer,
  type ParticleTask,
  readDoubles,
  STEP,
  sweepsOf,
} from "./particles.ts";
import { type Checked, serve } from "./serve.ts";

function metropolis(solvent: number) {
  const chains = new MetropolisChains(makeDimer(solvent), { chains: CHAINS, step: STEP, seed: 1 });
  const check = (): Checked<AcceptanceAnswer> => {
    const { burnIn, counted } = sweepsOf(solvent);
    chains.advance(burnIn);
    chains.resetAcceptance();
    chains.advance(counted);
    const offered = counted * chains.system.particles;
    return { numbers: [], answer: { acceptance: [...chains.state.arrays.accepted].map((count) => count / offered) } };
  };
  return { check, step: () => void chains.advance(1), steps: (count: number) => void chains.advance(count) };
}

function energies(solvent: number, x: Float64Array, withGradient: boolean) {
  const dimer = makeDimer(solvent);
  const compute = () =>
    withGradient ? dimer.energyAndGradient(x) : { energy: dimer.energy(x), gradient: new Float64Array(0) };
  const check = (): Checked<object> => {
    const { energy, gradient } = compute();
    return { answer: {}, numbers: [energy, gradient] as Float64Array<ArrayBuffer>[] };
  };
  return { check, step: () => void compute() };
}

await serve(async (folder, name, solvent) => {
  const task = name as ParticleTask;
  const build = await loadKernels();
  const made = task === "metropolis"
    ? metropolis(solvent)
    : energies(solvent, await readDoubles(`${folder}/frames.f64`), task === "gradient");
  const version = `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`;
  return { ...made, version, settings: `1 thread, 64-bit numbers, ${build} SIMD build` };
});
