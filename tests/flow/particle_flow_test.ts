import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  AutoregressiveParticleFlow,
  type AutoregressiveParticleFlowOptions,
} from "../../src/flow/autoregressive_particle_flow.ts";
import { input } from "../../src/graph/operations.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { Flow } from "../../src/flow/flow.ts";
import { maximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { train } from "../../src/training/train.ts";
import { sha256 } from "../../src/format/sha256.ts";
import { normals, randomiseParameters } from "../support/random_arrays.ts";
import { particleFlow } from "./bijector_examples.ts";

// The baseline build rounds alike on every processor: the golden run is one for all.
await loadKernels({ deterministic: true });

const repulsion = { cutoff: 2, energy: (r: number) => 3 * (1 - r / 2) ** 2 };
const interactions = {
  spatialDim: 2 as const,
  pairTerm: () => repulsion,
  oneBodyEnergy: (_particle: number, _axis: number, x: number) => 0.2 * x * x,
};
const heads: Readonly<Record<string, AutoregressiveParticleFlowOptions["head"]>> = {
  mixture: { kind: "mixture", components: 4 },
  tilted: { kind: "tilted", interactions, basis: 3, grid: { fine: 17, coarse: 9 } },
};

/** Three particles around the corners of a triangle. */
function triangle(n: number, seed: number): Float64Array {
  const corners = [-1, -0.5, 1, -0.5, 0, 1];
  return normals(6 * n, seed, 0.4).map((v, i) => corners[i % 6] + v);
}

/** Counts in the cells of a grid over [−reach, reach]², and outside. */
function cellOf(x: number, y: number, reach: number, cells: number): number {
  const [i, j] = [x, y].map((v) => Math.floor(cells * (v + reach) / (2 * reach)));
  return i < 0 || j < 0 || i >= cells || j >= cells ? cells * cells : i * cells + j;
}

const CELLS = 6;
const REACH = 3;

/** Probability of each cell by a fine midpoint rule; the last number is what is left outside. */
function cellProbabilities(flow: Flow): Float64Array {
  const fine = 40; // points per cell and axis: the error of the rule is far below the noise of the counts
  const step = 2 * REACH / (CELLS * fine);
  const side = CELLS * fine;
  const points = Float64Array.from(
    { length: 2 * side * side },
    (_, k) => -REACH + step * (0.5 + (k % 2 === 0 ? Math.floor(k / 2 / side) : Math.floor(k / 2) % side)),
  );
  const probabilities = new Float64Array(CELLS * CELLS + 1);
  flow.logProb(points).forEach((log, k) => {
    probabilities[cellOf(points[2 * k], points[2 * k + 1], REACH, CELLS)] += Math.exp(log) * step * step;
  });
  probabilities[CELLS * CELLS] = Math.max(0, 1 - probabilities.reduce((a, b) => a + b, 0));
  return probabilities;
}

/** Pearson's χ² of counts against probabilities, and the number of cells that are expected at least ten times. */
function chiSquare(counts: Float64Array, probabilities: Float64Array, n: number): { value: number; cells: number } {
  let [value, cells, rareCount, rare] = [0, 0, 0, 0];
  probabilities.forEach((p, k) => {
    if (n * p < 10) {
      rareCount += counts[k];
      rare += p;
      return;
    }
    value += (counts[k] - n * p) ** 2 / (n * p);
    cells++;
  });
  if (n * rare >= 10) [value, cells] = [value + (rareCount - n * rare) ** 2 / (n * rare), cells + 1];
  return { value, cells };
}

for (const [name, head] of Object.entries(heads)) {
  Deno.test(`sampling frequencies of a ${name} head match its density, and not another one`, () => {
    const flow = new Flow(particleFlow({ particles: 1, spatialDim: 2, head }, 4));
    const n = 200_000;
    const { x } = flow.sample(n, { seed: 9 });
    const counts = new Float64Array(CELLS * CELLS + 1);
    for (let i = 0; i < n; i++) counts[cellOf(x[2 * i], x[2 * i + 1], REACH, CELLS)]++;
    const { value, cells } = chiSquare(counts, cellProbabilities(flow), n);

    // χ² has mean cells − 1 and variance 2 (cells − 1): five standard deviations.
    assert(cells > 8, `only ${cells} cells`);
    assertLess(value, cells - 1 + 5 * Math.sqrt(2 * (cells - 1)));

    const other = new Flow(particleFlow({ particles: 1, spatialDim: 2, head }, 4));
    other.parameters().filter((p) => p.trainable).forEach((p) => p.set(p.values().map((v) => 1.2 * v)));
    const wrong = chiSquare(counts, cellProbabilities(other), n);
    assert(wrong.value > wrong.cells + 20 * Math.sqrt(2 * wrong.cells), `χ² ${wrong.value} of ${wrong.cells} cells`);
  });

  Deno.test(`a million draws from ${name} heads are numbers with finite densities`, () => {
    const flow = new Flow(particleFlow({ particles: 4, spatialDim: 2, head }, 5));
    for (let first = 0; first < 250_000; first += 50_000) {
      const { x, logProb } = flow.sample(50_000, { seed: 3, first });
      assert(x.every(Number.isFinite) && logProb.every(Number.isFinite), `block ${first}`);
    }
  });

  Deno.test(`training ${name} heads gives the same bytes for one and two threads, and those of the golden run`, async () => {
    const hashes: string[] = [];
    for (const threads of [1, 2]) {
      using pool = await ThreadPool.open(threads);
      const data = triangle(512, 1);
      const flow = new Flow(AutoregressiveParticleFlow.fit(data, { particles: 3, spatialDim: 2, hidden: [8], head }));
      await train({
        parameters: flow.parameters().filter((p) => p.trainable),
        stages: [{ name: "fit", steps: 12, batch: 128, learningRate: { shape: "constant", initial: 0.01 } }],
        objective: (graph) => ({
          loss: maximumLikelihoodLoss(flow, input(graph, "x", 6)),
          metrics: {},
          batch: (step) => [data.subarray(6 * 128 * (step % 4), 6 * 128 * (step % 4 + 1))],
        }),
        pool,
      });
      const numbers = flow.parameters().flatMap((p) => [...p.values()]);
      hashes.push(sha256(new Uint8Array(Float32Array.from(numbers).buffer)));
    }
    assertEquals(hashes, [GOLDEN[name], GOLDEN[name]]);
  });

  Deno.test(`fit() of a flow with ${name} heads finds places: data are likelier than before it`, () => {
    const data = triangle(400, 2).map((v) => 10 * v);
    const options = { particles: 3, spatialDim: 2 as const, hidden: [8], head };
    const mean = (flow: Flow) => flow.logProb(data).reduce((sum, v) => sum + v, 0) / 400;
    const fitted = mean(new Flow(AutoregressiveParticleFlow.fit(data, options)));
    const unfitted = mean(new Flow(new AutoregressiveParticleFlow(options)));
    assert(fitted > unfitted + 250, `fitted ${fitted}, unfitted ${unfitted}`);
  });
}

const GOLDEN: Readonly<Record<string, string>> = {
  mixture: "06dc4f634fb4d20957f5212aae2f95b0cc970069c7f3c804efe1fb04ea1d6a43",
  tilted: "9181e1455bc263d573d0d51513e40a99d2acba5b38f8bf59e5b8d9c18b8416c4",
};

Deno.test("a finer grid of tilted heads changes the density a little, and never its parameters", () => {
  const bijector = particleFlow({ particles: 2, spatialDim: 2, head: heads.tilted }, 6);
  const flow = new Flow(bijector);
  const x = normals(4 * 50, 7);
  const mean = () => flow.logProb(x).reduce((sum, v) => sum + v, 0) / 50;
  const [coarse, before] = [mean(), bijector.parameters().map((p) => p.values())];
  bijector.setGrid({ fine: 65, coarse: 33 });
  flow.release();
  const fine = mean();
  assert(fine !== coarse && Math.abs(fine - coarse) < 0.1, `${coarse} → ${fine}`);
  assertEquals(bijector.parameters().map((p) => p.values()), before);
});

Deno.test("fit() refuses data that do not fit, and the constructor impossible sizes", () => {
  const options = { particles: 2, spatialDim: 2 as const, head: heads.mixture };
  assertThrows(
    () => AutoregressiveParticleFlow.fit(new Float64Array(6), options),
    RangeError,
    "Cannot fit a particle flow: data must hold two or more rows of 4, got 6 numbers",
  );
  assertThrows(
    () => AutoregressiveParticleFlow.fit(new Float64Array(8), options),
    RangeError,
    "Cannot fit a frame: data must vary in every coordinate, got variance 0 of 0",
  );
  assertThrows(
    () => new AutoregressiveParticleFlow({ ...options, particles: 0 }),
    RangeError,
    "Cannot make a particle flow: particles must be a whole number ≥ 1, got 0",
  );
  assertThrows(
    () => new AutoregressiveParticleFlow({ ...options, temperature: -1 }),
    RangeError,
    "Cannot make a particle flow: temperature must be a positive number, got -1",
  );
  assertThrows(
    () => new AutoregressiveParticleFlow({ ...options, head: { kind: "mixture", components: 0 } }),
    RangeError,
    "Cannot make a particle flow: head.components must be a whole number ≥ 1, got 0",
  );
  const wrongGrid = { kind: "tilted", interactions, grid: { fine: 20, coarse: 17 } } as const;
  assertThrows(
    () => new AutoregressiveParticleFlow({ ...options, head: wrongGrid }),
    RangeError,
    "Cannot make a particle flow: grid.fine must be one of 9, 17, 33, 65, 129, got 20",
  );
  assertThrows(
    () => new AutoregressiveParticleFlow({ ...options, head: { kind: "tilted", interactions, neighbours: [[1], []] } }),
    RangeError,
    "Cannot make a particle flow: neighbours of particle 0 must be placed before it, got 1",
  );
  const random = new Flow(new AutoregressiveParticleFlow(options));
  randomiseParameters(random.parameters(), 1);
  assert(random.sample(3, { seed: 1 }).logProb.every(Number.isFinite));
});
