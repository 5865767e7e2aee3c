/**
 * Single-particle Monte Carlo of the particle dimer in float64: ours, plain TypeScript, and C compiled by gcc.
 *
 * Run with `deno bench -A tests/bench/metropolis_bench.ts`. Aims of the project: half of `gcc -O3 -march=native` with chains in
 * lanes (vectors of up to 512 bits, ours have 128), three times plain TypeScript.
 */
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { MetropolisChains } from "../../src/sampling/metropolis_chains.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { compare, compilePeer, peer, timed } from "./compare.ts";

const build = await loadKernels();
const dimer = new ParticleDimer();
const { particles, dim } = dimer;
const step = 0.2;

/** Tuned by hand: one chain, products for powers, Math.random and Math.exp. */
function plainSweeps(p: Float64Array, sweeps: number): number {
  const { sigma, tether, d0, c1, c2, c4, halfBox, boxConstant, epsilon } = dimer.coefficients;
  const s2 = sigma * sigma;
  const wall = (v: number) => {
    const beyond = Math.abs(v) - halfBox;
    return beyond > 0 ? boxConstant * beyond * beyond : 0;
  };
  const bond = (x: number, y: number, xo: number, yo: number) => {
    const q = Math.sqrt((x - xo) * (x - xo) + (y - yo) * (y - yo)) - d0;
    return c1 * q + (c2 + c4 * q * q) * q * q + tether * ((x + xo) * (x + xo) + y * y);
  };
  let accepted = 0;
  for (let s = 0; s < sweeps; s++) {
    for (let i = 0; i < particles; i++) {
      const x = p[2 * i], y = p[2 * i + 1];
      const xn = x + step * (2 * Math.random() - 1), yn = y + step * (2 * Math.random() - 1);
      let change = 0;
      for (let j = i < 2 ? 2 : 0; j < particles; j++) {
        if (j === i) continue;
        const ax = x - p[2 * j], ay = y - p[2 * j + 1], bx = xn - p[2 * j], by = yn - p[2 * j + 1];
        const a = s2 / (ax * ax + ay * ay), b = s2 / (bx * bx + by * by);
        const a3 = a * a * a, b3 = b * b * b;
        change += b3 * b3 - a3 * a3;
      }
      change = epsilon * change + wall(xn) + wall(yn) - wall(x) - wall(y);
      if (i < 2) change += bond(xn, yn, p[2 - 2 * i], p[3 - 2 * i]) - bond(x, y, p[2 - 2 * i], p[3 - 2 * i]);
      if (Math.random() < Math.exp(-change)) {
        p[2 * i] = xn;
        p[2 * i + 1] = yn;
        accepted++;
      }
    }
  }
  return accepted;
}

const chains = new MetropolisChains(dimer, { chains: 16, step, seed: 1 });
chains.advance(2000);
const positions = chains.positions().slice(0, dim);
chains.resetAcceptance();
chains.advance(500);
const accepted = plainSweeps(positions, 8000) / 8000 / particles;
if (Math.abs(accepted - chains.acceptance()) > 0.02) {
  throw new Error(`the contenders accept ${accepted} and ${chains.acceptance()}`);
}

const sweeps = 50;
const contenders = [
  await timed(`Wasm f64x2 (${build}), 16 chains`, sweeps * particles * 16, () => void chains.advance(sweeps)),
  await timed("plain TypeScript, tuned by hand", sweeps * particles, () => void plainSweeps(positions, sweeps)),
];
for (const flags of [["-O3", "-march=native"], ["-O3", "-march=native", "-ffast-math"]]) {
  const program = await compilePeer(flags);
  if (program) contenders.push(peer(`gcc ${flags.join(" ")}, 16 chains`, program, ["metropolis", "1500"]));
}
compare("Single-particle Monte Carlo of the dimer", "moves", contenders);

Deno.bench("MetropolisChains.advance, 16 chains, 50 sweeps", () => void chains.advance(sweeps));
Deno.bench("MetropolisChains.frames, 16 chains", () => void chains.frames());
