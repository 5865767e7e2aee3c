/**
 * Energy and gradient of the particle dimer in both precisions: ours, plain TypeScript, and C compiled by gcc.
 *
 * Run with `deno bench -A tests/bench/energy_bench.ts`. Ours are measured as users call them, with the copies into the
 * kernels' memory and back, and as kernels alone; C reads and writes its own memory. C has 16 or 32 configurations in
 * lanes (vectors of up to 512 bits, ours have 128); `-mprefer-vector-width=128` holds gcc to vectors as wide as ours.
 */
import { parameterBlock } from "../../src/backend/particle_coefficients.ts";
import { type GradientPrecision, particleEnergy, particleGradient } from "../../src/backend/particle_kernels.ts";
import { dimerGradientReference } from "../../src/backend/particle_reference.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { f64, kernels, scope } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { shakenStarts } from "../support/dimer_configurations.ts";
import { compare, compilePeer, type Contender, peer, timed } from "./compare.ts";

const build = await loadKernels();
const dimer = new ParticleDimer();
const { coefficients, particles, dim } = dimer;
const n = 512;
const x = shakenStarts(dimer, n, 0.015);

/** Tuned by hand: one configuration after the other, Newton's third law, products for powers, nothing allocated. */
function plainGradient(x: Float64Array, energy: Float64Array, gradient: Float64Array, withGradient: boolean): void {
  const { sigma, tether, d0, c1, c2, c4, halfBox, boxConstant, epsilon } = coefficients;
  gradient.fill(0);
  for (let s = 0; s < energy.length; s++) {
    const at = s * dim;
    let u = 0;
    for (let i = 0; i < particles; i++) {
      const xi = x[at + 2 * i], yi = x[at + 2 * i + 1];
      let gx = 0, gy = 0;
      for (let j = i < 2 ? 2 : i + 1; j < particles; j++) {
        const dx = xi - x[at + 2 * j], dy = yi - x[at + 2 * j + 1];
        const inverse = 1 / (dx * dx + dy * dy);
        const q = sigma * sigma * inverse, q3 = q * q * q, term = epsilon * q3 * q3;
        u += term;
        if (!withGradient) continue;
        const f = -12 * term * inverse;
        gx += f * dx;
        gy += f * dy;
        gradient[at + 2 * j] -= f * dx;
        gradient[at + 2 * j + 1] -= f * dy;
      }
      gradient[at + 2 * i] += gx;
      gradient[at + 2 * i + 1] += gy;
    }
    for (let k = at; k < at + dim; k++) {
      const beyond = Math.abs(x[k]) - halfBox;
      if (beyond <= 0) continue;
      u += boxConstant * beyond * beyond;
      gradient[k] += 2 * boxConstant * (x[k] > 0 ? beyond : -beyond);
    }
    const dx = x[at] - x[at + 2], dy = x[at + 1] - x[at + 3], sx = x[at] + x[at + 2];
    const d = Math.sqrt(dx * dx + dy * dy), q = d - d0;
    u += c1 * q + (c2 + c4 * q * q) * q * q;
    const f = (c1 + (2 * c2 + 4 * c4 * q * q) * q) / d;
    energy[s] = u + tether * (sx * sx + x[at + 1] * x[at + 1] + x[at + 3] * x[at + 3]);
    gradient[at] += f * dx + 2 * tether * sx;
    gradient[at + 1] += f * dy + 2 * tether * x[at + 1];
    gradient[at + 2] += -f * dx + 2 * tether * sx;
    gradient[at + 3] += -f * dy + 2 * tether * x[at + 3];
  }
}

const [energy, gradient] = [new Float64Array(n), new Float64Array(n * dim)];
plainGradient(x, energy, gradient, true);
const ours = particleGradient(coefficients, x);
const worst = ours.gradient.reduce((most, g, k) => Math.max(most, Math.abs(g - gradient[k]) / (1 + Math.abs(g))), 0);
if (!(worst < 1e-9)) throw new Error(`the contenders disagree by ${worst}`);

/** The kernel alone: 128 configurations that lie in its memory. */
function bareKernel(precision: GradientPrecision): Promise<Contender> {
  const rows = 128;
  const s = scope();
  const [block, at, value, slope] = [s.f64(12), s.f64(rows * dim), s.f64(rows), s.f64(rows * dim)];
  const scratch = s.f64(12 * particles);
  const run = precision === "float64" ? kernels.particleDimerGradientF64 : kernels.particleDimerGradientSingleF64;
  f64(block, 12).set(parameterBlock(coefficients));
  f64(at, rows * dim).set(x.subarray(0, rows * dim));
  return timed(`kernel alone, ${precision}`, rows, () => run(rows, particles, block, at, value, slope, scratch));
}

/** Ours in a precision, and every way to compile C in it. */
async function inPrecision(precision: GradientPrecision): Promise<Contender[]> {
  const ours = () => void particleGradient(coefficients, x, serialPool, precision);
  const contenders = [await timed(`Wasm SIMD (${build}), ${precision}`, n, ours), await bareKernel(precision)];
  const type = precision === "float64" ? [] : ["-DREAL=float"];
  for (const lanes of [16, 32]) {
    for (const extra of [[], ["-ffast-math"], ["-ffast-math", "-mprefer-vector-width=128"]]) {
      const program = await compilePeer(["-O3", "-march=native", ...extra, `-DLANES=${lanes}`, ...type]);
      const name = ["gcc", ...extra, `${lanes} lanes`].join(" ");
      if (program) contenders.push(peer(name, program, ["gradient", "60"]));
    }
  }
  return contenders;
}

compare("Energy and gradient of the dimer in float64", "configurations", [
  ...await inPrecision("float64"),
  await timed("plain TypeScript, as documented", 64, () => {
    for (let s = 0; s < 64; s++) dimerGradientReference(coefficients, x.subarray(s * dim, (s + 1) * dim));
  }),
  await timed("plain TypeScript, tuned by hand", n, () => plainGradient(x, energy, gradient, true)),
]);
compare("Energy and gradient of the dimer in float32", "configurations", await inPrecision("float32"));
compare("Energy of the dimer", "configurations", [
  await timed(`Wasm f64x2 (${build})`, n, () => void particleEnergy(coefficients, x)),
  await timed("plain TypeScript, tuned by hand", n, () => plainGradient(x, energy, gradient, false)),
]);

Deno.bench("particleGradient, 512 configurations", () => void particleGradient(coefficients, x));
Deno.bench("particleGradient in float32, 512 configurations", () => {
  particleGradient(coefficients, x, serialPool, "float32");
});
Deno.bench("particleEnergy, 512 configurations", () => void particleEnergy(coefficients, x));
Deno.bench("canonicalOrder, 512 near frames", () => void dimer.canonicalOrder(dimer.canonicalize(x)));
