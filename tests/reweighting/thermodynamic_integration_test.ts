import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { thermodynamicIntegration } from "../../src/reweighting/thermodynamic_integration.ts";
import { couplingWindows } from "../../src/sampling/coupling_windows.ts";
import { coverage, isHonest, manyChains, messageOf } from "./statistics.ts";

/** u = ½ (1 + k s) x²: F(1) − F(0) = ½ ln (1 + k). */
const STIFFER = 6;
const TRUTH = 0.5 * Math.log(1 + STIFFER);

interface Twist {
  /** Forgets that a chain's samples belong together. */
  readonly single?: boolean;
  /** Derivative with the wrong sign. */
  readonly flip?: boolean;
  /** Weights as if nodes were equally spaced. */
  readonly equal?: boolean;
}

/** Six chains at each of six nodes. */
function experiment(random: CounterRandom, { single, flip, equal }: Twist = {}) {
  const { nodes, weights } = couplingWindows(6);
  const [values, at, blocks]: number[][] = [[], [], []];
  nodes.forEach((s, k) => {
    const chains = manyChains(6, 120, 0.8, random);
    chains.values.forEach((z, i) => {
      values.push((flip ? -0.5 : 0.5) * STIFFER * z * z / (1 + STIFFER * s));
      at.push(k);
      blocks.push(6 * k + chains.labels[i]);
    });
  });
  return thermodynamicIntegration(Float64Array.from(values), at, {
    nodes,
    weights: equal ? weights.map(() => 1 / 6) : weights,
    ...(single ? {} : { blocks }),
  });
}

Deno.test("thermodynamicIntegration() covers the free energy of a spring that stiffens, and twins of it do not", () => {
  const honest = coverage(200, TRUTH, (random) => experiment(random));
  assert(isHonest(honest), JSON.stringify(honest));
  for (const twist of [{ single: true }, { flip: true }, { equal: true }]) {
    const broken = coverage(200, TRUTH, (random) => experiment(random, twist));
    assert(!isHonest(broken), `${JSON.stringify(twist)}: ${JSON.stringify(broken)}`);
  }
});

/** One sample without noise in each of four blocks at each node. */
function exactly(f: (s: number) => number, count: number) {
  const { nodes, weights } = couplingWindows(count);
  const at = Int32Array.from({ length: 4 * count }, (_, i) => i >> 2);
  return thermodynamicIntegration(Float64Array.from(at, (k) => f(nodes[k])), at, {
    nodes,
    weights,
    blocks: at.map((_, i) => i),
  });
}

Deno.test("thermodynamicIntegration() integrates what the nodes resolve and doubts what they do not", () => {
  const smooth = exactly((s) => s ** 7 - 3 * s ** 2, 8);
  assertAlmostEquals(smooth.value!, 1 / 8 - 1, 1e-13);
  assert(smooth.reliable && smooth.standardError! < 1e-15);
  const resolved = exactly((s) => Math.exp(s), 12);
  assertAlmostEquals(resolved.value!, Math.E - 1, 1e-14);
  assert(resolved.reliable);
  const steep = exactly((s) => 1000 / (1 + 1000 * s), 6);
  assert(Math.abs(steep.value! - Math.log(1001)) > 0.1);
  assertEquals(
    steep.reason?.replace(/is [-0-9.]+, of.*/, "…"),
    "6 nodes do not resolve the integrand: its Legendre coefficient of degree 4 …",
  );
});

Deno.test("thermodynamicIntegration() leaves out samples that are at no node", () => {
  const { nodes, weights } = couplingWindows(2);
  const values = Float64Array.of(NaN, 1, 2, 3, 4, Infinity);
  const { value } = thermodynamicIntegration(values, [-1, 0, 0, 1, 1, 2], { nodes, weights });
  assertAlmostEquals(value!, 0.5 * 1.5 + 0.5 * 3.5, 1e-14);
});

Deno.test("thermodynamicIntegration() says when it has too little", () => {
  const { nodes, weights } = couplingWindows(2);
  const run = (at: number[], blocks?: number[]) =>
    thermodynamicIntegration(new Float64Array(at.length).fill(1), at, {
      nodes,
      weights,
      ...(blocks ? { blocks } : {}),
    });
  assertEquals(run([0, 0]).reason, "node 1 has no samples");
  assertEquals(run([0, 0]).value, null);
  assertEquals(run([0, 0, 1, 1], [0, 1, 2, 3]).reason, "only 2 independent chains of one node's samples, fewer than 4");
  const wide = thermodynamicIntegration(Float64Array.of(-9, 9, -9, 9), [0, 0, 1, 1], { nodes, weights });
  assertEquals(wide.reason, "its standard error of 6.4 k_BT is above 1 k_BT");
});

Deno.test("thermodynamicIntegration() refuses lists that do not fit", () => {
  const { nodes, weights } = couplingWindows(2);
  const what = "Cannot integrate along a path:";
  const values = Float64Array.of(1, 2);
  assertEquals(
    messageOf(() => thermodynamicIntegration(values, [0], { nodes, weights })),
    `${what} at must have one entry for each of the 2 derivatives, got 1`,
  );
  assertEquals(
    messageOf(() => thermodynamicIntegration(values, [0, 1], { nodes, weights: Float64Array.of(1) })),
    `${what} weights must have one entry for each of the 2 nodes, got 1`,
  );
  assertEquals(
    messageOf(() => thermodynamicIntegration(Float64Array.of(1, NaN), [0, 1], { nodes, weights })),
    `${what} derivatives at nodes must be finite, got NaN at index 1`,
  );
});
