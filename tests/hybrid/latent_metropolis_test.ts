import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { Flow } from "../../src/flow/flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { latentMetropolis, type LatentMoveOptions, type LatentTarget } from "../../src/hybrid/latent_metropolis.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { realNVP } from "../flow/bijector_examples.ts";
import { logDetFaults } from "../support/broken.ts";
import { assertObserved, flatWell, flatWellMeans, flatWellSamples } from "../support/flat_double_well.ts";

await loadKernels();

const well = flatWell;
const BETA = 0.8;
const WALKERS = 20_000;
const MOVES = 12;

function moved(target: LatentTarget, from: Float64Array, options: Partial<LatentMoveOptions> = {}) {
  let walkers: { x: Float64Array; reducedEnergy?: Float64Array } = { x: from };
  let acceptance = 0;
  for (let iteration = 0; iteration < MOVES; iteration++) {
    const move = latentMetropolis(target, walkers, { step: 0.8, seed: 9, iteration, ...options });
    walkers = move;
    acceptance += move.acceptance / MOVES;
  }
  return { x: walkers.x, acceptance };
}

/** A map that has learnt nothing and changes volumes. */
const untaught = () => realNVP({ dim: 2 }, 3);

Deno.test("latentMetropolis leaves the Boltzmann distribution as it is, whatever the flow", () => {
  const target = { flow: new Flow(untaught()), system: well, beta: BETA };
  const start = flatWellSamples(WALKERS, BETA);
  assertObserved(start, flatWellMeans(BETA));

  const { x, acceptance } = moved(target, start);

  // Most walkers have moved more than once: the distribution is not kept by standing still.
  assert(acceptance > 0.3, `acceptance ${acceptance}`);
  assertObserved(x, flatWellMeans(BETA));
});

Deno.test("the law of latentMetropolis rejects wrong log-determinants and a wrong temperature", () => {
  const start = flatWellSamples(WALKERS, BETA);
  for (const [name, broken] of Object.entries(logDetFaults) as [string, (of: Bijector) => Bijector][]) {
    const { x } = moved({ flow: new Flow(broken(untaught())), system: well, beta: BETA }, start);
    assertThrows(() => assertObserved(x, flatWellMeans(BETA)), Error, "expected", name);
  }
  const { x } = moved({ flow: new Flow(untaught()), system: well, beta: 1 }, start);
  assertThrows(() => assertObserved(x, flatWellMeans(BETA)), Error, "expected");
});

/** Two alike coordinates; the domain holds those in order. */
const alike = {
  dim: 2,
  energy: (x: Float64Array) =>
    Float64Array.from({ length: x.length / 2 }, (_, i) => (x[2 * i] ** 2 + x[2 * i + 1] ** 2) / 2),
  inDomain: (x: Float64Array) => Uint8Array.from({ length: x.length / 2 }, (_, i) => x[2 * i] <= x[2 * i + 1] ? 1 : 0),
  canonicalize: (x: Float64Array) => x.map((_, i) => i % 2 === 0 ? Math.min(x[i], x[i + 1]) : Math.max(x[i - 1], x[i])),
};

Deno.test("latentMetropolis keeps the distribution on a reference domain if it rejects, and not if it relabels", () => {
  const start = alike.canonicalize(new RandomStream(6).fillNormals(new Float64Array(2 * WALKERS)));
  const target = { flow: new Flow(untaught()), system: alike, beta: 1 };
  // Of two normals in order: E min = −1/√π, E min² = E max² = 1, E min·max = 0.
  const check = (x: Float64Array) => {
    const means = { x: -1 / Math.sqrt(Math.PI), "x²": 1, y: 1 / Math.sqrt(Math.PI), "y²": 1, xy: 0, right: 0.25 };
    assertObserved(x, means);
  };
  check(start);

  const rejected = moved(target, start);
  check(rejected.x);
  assert(rejected.acceptance > 0.3, `acceptance ${rejected.acceptance}`);
  assertEquals(alike.inDomain(rejected.x).indexOf(0), -1);

  const relabelled = moved(target, start, { outside: "relabel" });
  assertEquals(alike.inDomain(relabelled.x).indexOf(0), -1);
  assertThrows(() => check(relabelled.x), Error, "expected");
});

Deno.test("latentMetropolis tells which walkers moved, with their energies, the same for any number of threads", async () => {
  const target = { flow: new Flow(untaught()), system: well, beta: BETA };
  const x = flatWellSamples(1000, BETA);
  const before = x.slice();
  const options = { step: 0.5, seed: 2, iteration: 3 };
  const move = latentMetropolis(target, { x }, options);

  assertEquals(x, before);
  assertEquals(move.acceptance, move.accepted.filter((is) => is === 1).length / 1000);
  assertEquals(move.reducedEnergy, well.energy(move.x).map((u) => BETA * u));
  move.accepted.forEach((is, i) => assertEquals(move.x[2 * i] !== x[2 * i], is === 1));
  assertNotEquals(latentMetropolis(target, { x }, { ...options, iteration: 4 }).x, move.x);

  using pool = await ThreadPool.open(2);
  assertEquals(latentMetropolis(target, { x }, { ...options, pool }), move);
});

Deno.test("latentMetropolis refuses walkers and proposals that have no density", () => {
  const flow = new Flow(new Scaling({ dim: 1 }));
  const wall = { dim: 1, energy: (x: Float64Array) => x.map((v) => v > 0 ? Infinity : 0) };
  const broken = { dim: 1, energy: (x: Float64Array) => x.map((v) => v > 0 ? NaN : 0) };
  const options = { step: 1, seed: 1, iteration: 0 };
  const x = new Float64Array(100);

  // An infinite energy is no fault: nobody goes there.
  const { x: kept, notFinite } = latentMetropolis({ flow, system: wall, beta: 1 }, { x }, options);
  assert(kept.every((v) => v <= 0) && notFinite === 0);

  const nan = { flow, system: broken, beta: 1 };
  const error = assertThrows(() => latentMetropolis(nan, { x }, options), NotFiniteError);
  const count = /got (\d+) of 100/.exec(error.message)![1];
  assertEquals(
    error.message.replace(/got \d+ .*index \d+/, "…"),
    "Cannot make latent moves: coordinates, log-determinants and energies of proposals must be finite, …: take shorter " +
      "steps, or skip them, skipNotFinite",
  );
  const skipped = latentMetropolis(nan, { x }, { ...options, skipNotFinite: true });
  assertEquals(skipped.notFinite, Number(count));
  assert(skipped.x.every((v) => v <= 0));

  const lost = () => latentMetropolis(nan, { x: Float64Array.of(-1, 1) }, { ...options, skipNotFinite: true });
  assertThrows(
    lost,
    NotFiniteError,
    "of walkers must be finite, got 1 of 2 for which one is not, the first with index 1",
  );
});

Deno.test("latentMetropolis refuses sizes that do not fit and numbers that are not positive", () => {
  const flow = new Flow(new Scaling({ dim: 1 }));
  const system = { dim: 1, energy: (x: Float64Array) => x };
  const target = { flow, system, beta: 1 };
  const walkers = { x: new Float64Array(3) };
  const options = { step: 1, seed: 1, iteration: 0 };
  const message = (run: () => unknown) => assertThrows(run, RangeError).message;
  assertEquals(
    message(() => latentMetropolis({ ...target, system: well }, walkers, options)),
    "Cannot make latent moves: flow and system must have one dim, got 1 and 2",
  );
  assertEquals(
    message(() => latentMetropolis({ ...target, beta: 0 }, walkers, options)),
    "Cannot make latent moves: beta must be a positive number, got 0",
  );
  assertEquals(
    message(() => latentMetropolis(target, walkers, { ...options, step: NaN })),
    "Cannot make latent moves: step must be a positive number, got NaN",
  );
  assertEquals(
    message(() => latentMetropolis(target, { x: new Float64Array() }, options)),
    "Cannot make latent moves: there must be a walker, got none",
  );
  assertEquals(
    message(() => latentMetropolis(target, { ...walkers, reducedEnergy: new Float64Array(2) }, options)),
    "Cannot make latent moves: reducedEnergy must have length 3, got 2",
  );
});
