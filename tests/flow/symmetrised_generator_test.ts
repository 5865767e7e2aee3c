import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Chain } from "../../src/flow/chain.ts";
import { Flow, type Generator } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { SymmetrisedGenerator } from "../../src/flow/symmetrised_generator.ts";
import { Whitening } from "../../src/flow/whitening.ts";
import { composeSymmetries, symmetryImages, type SymmetryOperation } from "../../src/system/symmetry.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomiseParameters } from "../support/random_arrays.ts";
import { assertMeanIs, FOUR_SIGMA } from "../support/statistics.ts";
import { correlatedData } from "./bijector_examples.ts";

await loadKernels();

/** A flow off the origin, longer one way than the other and bent; wide, so that its weights have a few moments. */
function crookedFlow(): Flow {
  const net = new RealNVP({ dim: 2, blocks: 2, hidden: [6, 5] });
  randomiseParameters(net.parameters(), 4, 0.2);
  return new Flow(new Chain([net, Whitening.fit(correlatedData(200, 2).map((v) => 2 * v + 0.6), 2)]));
}

const flow = crookedFlow();

/** The symmetries of a square beside the identity; a quarter turn and a mirror do not commute. */
const turn: SymmetryOperation = { from: [1, 0], signs: [-1, 1] };
const mirror: SymmetryOperation = { from: [0, 1], signs: [-1, 1] };
const half = composeSymmetries(turn, turn);
const turns = [turn, half, composeSymmetries(turn, half)];
const square = [...turns, mirror, ...turns.map((operation) => composeSymmetries(operation, mirror))];
const symmetrised = new SymmetrisedGenerator(flow, square);

/** Midpoints of STEP × STEP squares of the plane, so far out that densities vanish; the square maps it onto itself. */
const [REACH, STEP] = [14, 1 / 8];
const SIDE = 2 * REACH / STEP;
const grid = Float64Array.from({ length: 2 * SIDE * SIDE }, (_, i) => {
  const cell = i >> 1;
  return ((i % 2 === 0 ? Math.floor(cell / SIDE) : cell % SIDE) + 0.5) * STEP - REACH;
});
const integrate = (values: Float64Array) => STEP * STEP * values.reduce((sum, value) => sum + value, 0);
const densityOf = ({ logProb }: Pick<Generator, "logProb">) => logProb(grid).map(Math.exp);
const [plain, average] = [flow, symmetrised].map((generator) => densityOf({ logProb: (x) => generator.logProb(x) }));

/** Flow densities err by about 1e-6 in float32. */
function assertNormalised(density: Float64Array): void {
  assertClose(integrate(density), 1, { absolute: 1e-5 }, "integral");
}

/** Images of an image are the images, so only the order of a sum of eight differs. */
function assertInvariant(logProb: (x: Float64Array) => Float64Array): void {
  const { x } = flow.sample(300, { seed: 8 });
  const expected = logProb(x);
  for (const operation of square) {
    assertClose(logProb(symmetryImages(operation, x)), expected, { absolute: 1e-12, relative: 1e-14 }, "at images");
  }
}

Deno.test("the average over images is a normalised density with all symmetries; the flow alone has none", () => {
  assertNormalised(average);
  assertInvariant((x) => symmetrised.logProb(x));
  assertThrows(() => assertInvariant((x) => flow.logProb(x)), Error, "at images");
});

Deno.test("the average over images is what its formula says", () => {
  const { x } = flow.sample(50, { seed: 2 });
  const images = [x, ...square.map((operation) => symmetryImages(operation, x))];
  const sum = images.map((image) => flow.logProb(image).map(Math.exp)).reduce((a, b) => a.map((v, i) => v + b[i]));
  assertClose(symmetrised.logProb(x), sum.map((v) => Math.log(v / 8)), { absolute: 1e-13 });
});

Deno.test("the laws reject a sum without 1/|G|, and an average over operations that are no group", () => {
  assertThrows(() => assertNormalised(average.map((p) => 8 * p)), Error, "integral");
  const noGroup = (x: Float64Array) => {
    const [a, b] = [flow.logProb(x), flow.logProb(symmetryImages(turn, x))];
    return a.map((value, i) => Math.log((Math.exp(value) + Math.exp(b[i])) / 2));
  };
  assertThrows(() => assertInvariant(noGroup), Error, "at images");
  assertThrows(() => new SymmetrisedGenerator(flow, [turn]), RangeError, "Cannot form a symmetry group");
  assertThrows(() => new SymmetrisedGenerator(flow, [{ from: [0, 1, 2], signs: [1, 1, 1] }]), RangeError, "from of");
});

/** Targets by their energies: positive everywhere, narrower than the flow, and the same at all eight images. */
const targets: Readonly<Record<string, (x: number, y: number) => number>> = {
  "one well": (x, y) => 2 * (x * x + y * y),
  "four wells": (x, y) => 2 * ((x * x - 1) ** 2 + (y * y - 1) ** 2),
  "a ring with waves": (x, y) => 3 * (Math.hypot(x, y) - 1.5) ** 2 + Math.cos(4 * Math.atan2(y, x)),
};

function targetDensity(energy: (x: number, y: number) => number): { p: Float64Array; logPartition: number } {
  const boltzmann = Float64Array.from(
    { length: SIDE * SIDE },
    (_, i) => Math.exp(-energy(grid[2 * i], grid[2 * i + 1])),
  );
  const partition = integrate(boltzmann);
  return { p: boltzmann.map((v) => v / partition), logPartition: Math.log(partition) };
}

/** ∫ π²/p, the second moment of the weights: one over the efficiency of infinitely many samples. */
const secondMoment = (target: Float64Array, p: Float64Array) =>
  integrate(target.map((v, i) => v === 0 ? 0 : v * v / p[i]));

/** That the second moment does not rise is exact on this grid, too, which the operations map onto itself. */
function assertNeverWorse(target: Float64Array, before: Float64Array, after: Float64Array): void {
  const [first, second] = [before, after].map((p) => secondMoment(target, p));
  if (!(second <= first * (1 + 1e-6))) throw new Error(`the second moment rose from ${first} to ${second}`);
}

for (const [name, energy] of Object.entries(targets)) {
  Deno.test(`the second moment of the weights never rises for a symmetric target: ${name}`, () => {
    const { p: target, logPartition } = targetDensity(energy);
    assertNeverWorse(target, plain, average);
    const [before, after] = [plain, average].map((p) => secondMoment(target, p));
    assert(
      after < 0.8 * before && after >= 1,
      `this flow is far from symmetric, so there is something to gain: ${after}`,
    );

    // Samples agree with the quadrature: weights have the mean 1 and this second moment.
    for (const [generator, expected] of [[flow, before], [symmetrised, after]] as const) {
      const { x, logProb } = generator.sample(40_000, { seed: 3 });
      const weights = logProb.map((log, i) => Math.exp(-energy(x[2 * i], x[2 * i + 1]) - logPartition - log));
      assertMeanIs(weights, 1, "mean weight");
      assertMeanIs(weights.map((w) => w * w), expected, "second moment");
    }
  });
}

Deno.test("the law of the second moment rejects operations that are no symmetries of the target", () => {
  // The flow's own density as target: its weights are all one, and an average can only spoil them.
  assertClose(secondMoment(plain, plain), 1, { absolute: 1e-5 });
  assertThrows(() => assertNeverWorse(plain, plain, average), Error, "the second moment rose from ");
  const tilted = targetDensity((x, y) => (x - 2) ** 2 + y * y).p;
  const wide = targetDensity((x, y) => 0.3 * (x - 2) ** 2 + 0.3 * y * y).p;
  const both = wide.map((p, i) => (p + wide[wide.length - SIDE - i + 2 * (i % SIDE)]) / 2);
  assertNormalised(both);
  assertThrows(() => assertNeverWorse(tilted, wide, both), Error, "the second moment rose");
});

/** Throws unless counts in unit squares follow a density: χ² beyond ν + 5 √(2ν) happens once in 10⁴ at this ν. */
function assertFollows(x: Float64Array, density: Float64Array): void {
  const cells = 2 * REACH;
  const observed = new Float64Array(cells * cells + 1);
  const expected = new Float64Array(cells * cells + 1);
  const n = x.length / 2;
  const cellOf = (a: number, b: number) => {
    const [row, column] = [Math.floor(a + REACH), Math.floor(b + REACH)];
    return row < 0 || column < 0 || row >= cells || column >= cells ? cells * cells : row * cells + column;
  };
  for (let i = 0; i < n; i++) observed[cellOf(x[2 * i], x[2 * i + 1])]++;
  density.forEach((p, i) => expected[cellOf(grid[2 * i], grid[2 * i + 1])] += n * p * STEP * STEP);
  const rest = { observed: 0, expected: 0 };
  let [chiSquare, freedom] = [0, 0];
  expected.forEach((mean, k) => {
    if (mean < 10) {
      rest.observed += observed[k];
      rest.expected += mean;
    } else {
      chiSquare += (observed[k] - mean) ** 2 / mean;
      freedom++;
    }
  });
  chiSquare += (rest.observed - rest.expected) ** 2 / rest.expected;
  if (!(chiSquare < freedom + 5 * Math.sqrt(2 * freedom))) throw new Error(`χ² of ${freedom} cells is ${chiSquare}`);
}

Deno.test("samples follow the average density, those of the flow do not, and each follows its own", () => {
  const n = 40_000;
  const { x, logProb } = symmetrised.sample(n, { seed: 5 });
  const unmoved = flow.sample(n, { seed: 5 }).x;
  assertFollows(x, average);
  assertFollows(unmoved, plain);
  assertThrows(() => assertFollows(unmoved, average), Error, "χ²");
  assertThrows(() => assertFollows(x, plain), Error, "χ²");
  assertThrows(() => assertFollows(symmetryImages(turn, unmoved), average), Error, "χ²", "one operation for all");
  // Samples bring the density of the way there, logProb() computes that of the way back: float32 networks in between.
  assertClose(logProb.subarray(0, 2000), symmetrised.logProb(x.subarray(0, 4000)), { absolute: 1e-4 });
});

Deno.test("sample i is the same bytes for any number of samples, first sample and number of threads", async () => {
  const all = symmetrised.sample(600, { seed: 7 });
  for (const [first, n] of [[0, 1], [17, 33], [599, 1]]) {
    const part = symmetrised.sample(n, { seed: 7, first });
    assertEquals(part.x, all.x.slice(2 * first, 2 * (first + n)));
    assertEquals(part.z, all.z.slice(2 * first, 2 * (first + n)));
    assertEquals(part.logProb, all.logProb.slice(first, first + n));
  }
  using pool = await ThreadPool.open(2);
  assertEquals(symmetrised.sample(600, { seed: 7, pool }), all);
  assertEquals(symmetrised.logProb(all.x, { pool }), symmetrised.logProb(all.x));
  flow.release();
  assertNotEquals(symmetrised.sample(1, { seed: 8 }).x, all.x.slice(0, 2));
});

/** A generator of one configuration: samples show the operations that were drawn. */
const onePoint: Generator = {
  dim: 2,
  sample: (n) => ({
    x: Float64Array.from({ length: 2 * n }, (_, i) => 1 + i % 2),
    z: new Float64Array(2 * n),
    logProb: new Float64Array(n),
  }),
  logProb: (x) => new Float64Array(x.length / 2),
};

function countsOf({ x }: { readonly x: Float64Array }): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < x.length; i += 2) {
    const image = `${x[i]}, ${x[i + 1]}`;
    counts.set(image, (counts.get(image) ?? 0) + 1);
  }
  return counts;
}

function assertUniform(counts: Map<string, number>, kinds: number, n: number): void {
  assertEquals(counts.size, kinds);
  const error = Math.sqrt(n / kinds * (1 - 1 / kinds));
  for (const [image, count] of counts) {
    if (!(Math.abs(count - n / kinds) < FOUR_SIGMA * error)) throw new Error(`${image} came ${count} times of ${n}`);
  }
}

Deno.test("every operation is as likely as the others, also where symmetrised generators are inside each other", () => {
  const n = 8000;
  const one = new SymmetrisedGenerator(onePoint, square);
  assertUniform(countsOf(one.sample(n, { seed: 1 })), 8, n);
  const inner = new SymmetrisedGenerator(onePoint, [mirror]);
  const outer = new SymmetrisedGenerator(inner, [composeSymmetries(mirror, half)]);
  assertUniform(countsOf(outer.sample(n, { seed: 1 })), 4, n);
  // Were they to share their random numbers, only two of the four images would come.
  assertThrows(() => assertUniform(countsOf(inner.sample(n, { seed: 1 })), 4, n), Error);
});

Deno.test("a density that is zero or not a number stays what it is", () => {
  const strange: Generator = {
    ...onePoint,
    logProb: (x) => Float64Array.from([-Infinity, NaN, 0]).slice(0, x.length / 2),
  };
  const { logProb } = { logProb: (x: Float64Array) => new SymmetrisedGenerator(strange, [mirror]).logProb(x) };
  assertEquals([...logProb(new Float64Array(6))], [-Infinity, NaN, 0]);
});
