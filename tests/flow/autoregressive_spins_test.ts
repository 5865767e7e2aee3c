import { assert, assertEquals, assertThrows } from "@std/assert";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { AutoregressiveSpins, type AutoregressiveSpinsOptions } from "../../src/flow/autoregressive_spins.ts";
import { placeSpins } from "../../src/flow/spin_order.ts";
import { Graph } from "../../src/graph/graph.ts";
import { input, sum } from "../../src/graph/operations.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { IsingLattice, type SpinBond } from "../../src/system/ising_lattice.ts";
import { assertClose } from "../support/assert_close.ts";
import { frequencyExcess } from "../support/spin_frequencies.ts";

await loadKernels();

/** All configurations of so many spins, one after the other. */
function allConfigurations(dim: number): Float64Array {
  return Float64Array.from({ length: dim * 2 ** dim }, (_, k) => Math.floor(k / dim) >> k % dim & 1 ? 1 : -1);
}

/** A density whose weights are all random. */
function randomSpins(options: AutoregressiveSpinsOptions, seed: number): AutoregressiveSpins {
  const spins = new AutoregressiveSpins(options);
  spins.parameters().forEach((parameter, k) => {
    parameter.set(new RandomStream(seed, k).fillNormals(new Float64Array(parameter.length)));
  });
  return spins;
}

const lattice = new IsingLattice({ side: 3 });
const everything = allConfigurations(9);
const lattices = [2, 3].map((side) => new IsingLattice({ side }));
const spinsOn = (system: IsingLattice, seed: number, hidden = [6]) =>
  randomSpins({ dim: system.dim, bonds: system.bonds(), hidden }, seed);

Deno.test("probabilities of all configurations add up to one, and those of a spin that sees itself do not", () => {
  for (const hidden of [[6], [5, 4], []]) {
    const spins = spinsOn(lattice, 1, hidden);
    const p = spins.logProb(everything).map(Math.exp);
    // Logits are the same numbers wherever spins are, so that only float64 rounds: 512 terms of 9 roundings each.
    assert(Math.abs(p.reduce((sum, v) => sum + v, 0) - 1) < 512 * 20 * 2 ** -53);
    const seesItself = spins.logProb(everything.map((s, k) => k % 9 === 3 ? everything[k + 1] : s)).map(Math.exp);
    assert(Math.abs(seesItself.reduce((sum, v) => sum + v, 0) - 1) > 0.01);
  }
});

Deno.test("a configuration and its mirror image are equally likely to the last bit, whatever the weights", () => {
  for (const side of [2, 3, 8]) {
    const spins = spinsOn(new IsingLattice({ side }), 2, [7]);
    const { x, logProb } = spins.sample(200, { seed: 3 });
    assertEquals(spins.logProb(x.map((s) => -s)), logProb);
    assert(spins.logProb(x.map((s, k) => k % side === 0 ? -s : s)).some((log, i) => log !== logProb[i]));
  }
});

/** Whether frequencies are those of probabilities: χ² within four of its standard deviations. */
const follows = (x: Float64Array, dim: number, p: Float64Array): boolean => frequencyExcess(x, dim, p) < 4;

Deno.test("samples are as frequent as their probabilities, and not as those of other weights", () => {
  for (const system of lattices) {
    const { dim } = system;
    const spins = spinsOn(system, 4);
    const { x } = spins.sample(20_000, { seed: 5 });
    const states = allConfigurations(dim);
    assert(follows(x, dim, spins.logProb(states).map(Math.exp)), `${dim}`);
    assert(!follows(x, dim, spinsOn(system, 6).logProb(states).map(Math.exp)), `${dim}`);
  }
});

Deno.test("samples come with the density that they were drawn from, on any number of threads and in any pieces", async () => {
  using pool = await ThreadPool.open(2);
  for (const side of [3, 8]) {
    const spins = spinsOn(new IsingLattice({ side }), 7);
    const whole = spins.sample(700, { seed: 8 });
    assertEquals(spins.logProb(whole.x), whole.logProb);
    assertEquals(spins.logProb(whole.x, { pool }), whole.logProb);
    assertEquals(spins.sample(700, { seed: 8, pool }), whole);
    const rest = spins.sample(600, { seed: 8, first: 100 });
    const dim = side * side;
    assertEquals([rest.x, rest.logProb], [whole.x.slice(100 * dim), whole.logProb.slice(100)]);
    spins.release();
    assertEquals(spins.sample(700, { seed: 8 }), whole);
  }
});

Deno.test("the density in a graph is that of samples, in kernels and in float64", () => {
  const spins = spinsOn(lattice, 9);
  const x = input(new Graph(), "x", 9);
  const outputs = [spins.logProbOf(x)];
  using run = new KernelRun(outputs, { n: 512 });
  const expected = spins.logProb(everything);
  // Logits of up to 30 in float32, from sums of 30 terms with a tanh each; nine of them.
  const options = { absolute: 9 * 60 * 30 * 2 ** -24 };
  assertClose(run.forward([everything])[0], expected, options);
  assertClose(evaluateReference(outputs, [everything], 512)[0], expected, options);
});

Deno.test("the mean score is zero: derivatives belong to a normalised density", () => {
  const spins = spinsOn(lattice, 10);
  const p = spins.logProb(everything).map(Math.exp);
  const graph = new Graph();
  const logProb = spins.logProbOf(input(graph, "x", 9));
  using run = new KernelRun([logProb, sum(logProb)], { n: 512, gradient: true });
  const scores = (weights: Float64Array) => {
    run.forward([everything]);
    run.backward([weights, null]);
    return spins.parameters().map((parameter) => Math.hypot(...run.gradientOf(parameter)));
  };
  // Each gradient adds 512 terms of at most p · (1 + |weights|) in float32.
  for (const size of scores(p)) assert(size < 1e-4, `${size}`);
  for (const size of scores(p.map(() => 1 / 512))) assert(size > 1e-3, `${size}`);
});

/** Probability of s_i = 1 given the spins before, by enumeration. */
function exactConditional(bonds: readonly SpinBond[], dim: number, before: readonly number[]): number {
  const weights = [0, 0];
  const states = allConfigurations(dim);
  for (let k = 0; k < 2 ** dim; k++) {
    const s = states.subarray(k * dim, (k + 1) * dim);
    if (before.some((spin, i) => spin !== s[i])) continue;
    const weight = Math.exp(bonds.reduce((sum, { i, j, strength }) => sum + strength * s[i] * s[j], 0));
    weights[s[before.length] === 1 ? 1 : 0] += weight;
  }
  return weights[1] / (weights[0] + weights[1]);
}

Deno.test("placeSpins sees the spins that matter and no others", () => {
  const random = new RandomStream(11);
  const ring = [[0, 4], [4, 2], [2, 5], [5, 0], [1, 3], [6, 3], [1, 6]];
  const cases: [number, readonly { i: number; j: number }[]][] = [
    ...lattices.map((system): [number, SpinBond[]] => [system.dim, system.bonds()]),
    [7, ring.map(([i, j]) => ({ i, j }))],
    [5, [{ i: 0, j: 3 }]],
  ];
  for (const [dim, pairs] of cases) {
    const bonds = pairs.map(({ i, j }) => ({ i, j, strength: 0.3 + random.uniform() }));
    for (const { site, seen } of placeSpins(dim, bonds)) {
      const before: number[] = Array.from({ length: site }, () => random.uniform() < 0.5 ? 1 : -1);
      const p = exactConditional(bonds, dim, before);
      before.forEach((spin, k) => {
        const difference = Math.abs(exactConditional(bonds, dim, before.with(k, -spin)) - p);
        assertEquals([dim, site, k, difference > 1e-10], [dim, site, k, seen.includes(k)]);
      });
    }
  }
  const most = placeSpins(64, new IsingLattice({ side: 8 }).bonds()).map(({ seen }) => seen.length);
  assertEquals(Math.max(...most), 16);
});

Deno.test("an open chain is exact from the start, at its temperature alone", () => {
  const bonds = Array.from({ length: 5 }, (_, i) => ({ i, j: i + 1, strength: 0.8 - 0.3 * i }));
  const states = allConfigurations(6);
  const excess = (beta: number) => {
    const logProb = new AutoregressiveSpins({ dim: 6, bonds, beta }).logProb(states);
    const sums = logProb.map((log, k) =>
      log - bonds.reduce((sum, { i, j, strength }) => sum + 1.3 * strength * states[6 * k + i] * states[6 * k + j], 0)
    );
    return Math.max(...sums) - Math.min(...sums);
  };
  // Five weights rounded to float32.
  assert(excess(1.3) < 5 * 4 * 2 ** -24);
  assert(excess(1.2) > 0.1);
});

Deno.test("spins without bonds are independent", () => {
  const spins = new AutoregressiveSpins({ dim: 3, bonds: [] });
  assertEquals(spins.parameters(), []);
  const { x, logProb } = spins.sample(1000, { seed: 12 });
  assert(logProb.every((log) => log === -3 * Math.LN2));
  assert(follows(x, 3, new Float64Array(8).fill(1 / 8)));
  const [inGraph] = evaluateReference([spins.logProbOf(input(new Graph(), "x", 3))], [x], 1000);
  assertEquals(inGraph, logProb);
});

Deno.test("AutoregressiveSpins say what is wrong", () => {
  const make = (changes: Partial<AutoregressiveSpinsOptions>) => () =>
    new AutoregressiveSpins({ dim: 4, bonds: [], ...changes });
  assertThrows(make({ dim: 0 }), RangeError, "Cannot make AutoregressiveSpins: dim must be a whole number ≥ 1, got 0");
  assertThrows(
    make({ beta: NaN }),
    RangeError,
    "Cannot make AutoregressiveSpins: beta must be a finite number, got NaN",
  );
  for (const bond of [{ i: 0, j: 4, strength: 1 }, { i: 1, j: 1, strength: 1 }, { i: 0, j: 1, strength: Infinity }]) {
    assertThrows(
      make({ bonds: [bond] }),
      RangeError,
      "Cannot place spins: a bond must join two of 4 spins with a finite strength, got " +
        `${bond.i}, ${bond.j}, ${bond.strength}`,
    );
  }
  const spins = spinsOn(lattice, 13);
  assertThrows(
    () => spins.sample(0, { seed: 1 }),
    RangeError,
    "Cannot sample spins: n must be a whole number ≥ 1, got 0",
  );
  assertThrows(
    () => spins.logProb(Float64Array.of(1, 1, 0, 1, 1, 1, 1, 1, 1)),
    RangeError,
    "Cannot compute densities of spins: they must be −1 or 1, got 0 at 2",
  );
  spins.parameters()[0].set([NaN]);
  for (const compute of [() => spins.sample(2, { seed: 1 }), () => spins.logProb(everything)]) {
    assertThrows(compute, NotFiniteError, "Cannot compute probabilities of spins: logits must be finite");
  }
});
