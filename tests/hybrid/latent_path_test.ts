import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { latentPath, lowestLatentPath } from "../../src/hybrid/latent_path.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { DoubleWell } from "../../src/system/double_well.ts";

await loadKernels();

/** A flow whose networks are not zero: its paths are curved. */
function curvedFlow(): Flow {
  const bijector = new RealNVP({ dim: 2, blocks: 2, hidden: [8], seed: 3 });
  bijector.parameters().forEach((parameter, k) => {
    const random = new RandomStream(5, k);
    parameter.set(random.fillNormals(new Float64Array(parameter.length)).map((v) => 0.4 * v));
  });
  return new Flow(bijector);
}

const well = new DoubleWell();
const left = Float64Array.of(-1.8, 0, -1.6, 0.7, -2, -1);
const right = Float64Array.of(1.7, 0.1, 1.5, -0.8);
const row = (x: Float64Array, i: number) => x.subarray(2 * i, 2 * i + 2);

Deno.test("the lowest path is the one that walking each pair for itself finds, bit for bit and on any threads", async () => {
  const flow = curvedFlow();
  for (const throughOrigin of [false, true]) {
    const found = await lowestLatentPath(flow, well, left, right, { points: 33, throughOrigin });
    const paths = [0, 1, 2].flatMap((i) =>
      [0, 1].map((j) => {
        const x = latentPath(flow, row(left, i), row(right, j), 33, { throughOrigin });
        return { pair: [i, j], x, energy: well.energy(x) };
      })
    );
    const highest = paths.map(({ energy }) => Math.max(...energy));
    const best = highest.indexOf(Math.min(...highest));
    assertEquals([...found.barriers], highest);
    assertEquals(found.barrier, highest[best]);
    assertEquals([...found.pair], paths[best].pair);
    assertEquals(found.x, paths[best].x);
    assertEquals(found.energy, paths[best].energy);
    assertEquals(found.energies, Float64Array.of(...paths.flatMap(({ energy }) => [...energy])));
    assertEquals(found.energyEvaluations, 6 * 33);
    // Pairs must differ, or any of them would do; by way of the origin they share the middle.
    assert(throughOrigin || new Set(highest).size > 3, `${highest}`);
    using pool = await ThreadPool.open(2);
    assertEquals(await lowestLatentPath(flow, well, left, right, { points: 33, throughOrigin, pool }), found);
  }
});

Deno.test("chunks do not show: many pairs, of which the last is the lowest", async () => {
  // 3 000 paths of 9 points are decoded in four portions; heights fall with the number of the pair.
  const flow = new Flow(new Scaling({ dim: 1 }));
  const from = Float64Array.from({ length: 3000 }, (_, i) => -1 - i / 3000);
  const system = { dim: 1, energy: (x: Float64Array) => x.map((v) => v < 0 ? 5 + v : v) };
  const { pair, barrier, barriers } = await lowestLatentPath(flow, system, from, Float64Array.of(-1), { points: 9 });
  assertEquals([...pair], [0, 0]);
  assertEquals(barrier, 4);
  assertEquals(new Set(barriers).size, 1);
  const towards = await lowestLatentPath(flow, system, from, Float64Array.of(-2), { points: 9 });
  assertEquals([...towards.pair], [2999, 0]);
});

Deno.test("a path through the origin passes it, a straight one does not", () => {
  const flow = new Flow(new Scaling({ dim: 2 }));
  const [from, to] = [Float64Array.of(-2, 1), Float64Array.of(2, 3)];
  assertEquals(
    latentPath(flow, from, to, 5, { throughOrigin: true }),
    Float64Array.of(-2, 1, -1, 0.5, 0, 0, 1, 1.5, 2, 3),
  );
  assertEquals(latentPath(flow, from, to, 5), Float64Array.of(-2, 1, -1, 1.5, 0, 2, 1, 2.5, 2, 3));
});

Deno.test("energies that are no numbers make a path infinitely high, and are counted", async () => {
  const flow = new Flow(new Scaling({ dim: 1 }));
  const system = { dim: 1, energy: (x: Float64Array) => x.map((v) => v > 1.9 ? NaN : v > 1.4 ? Infinity : v * v) };
  const ends = Float64Array.of(2, 1.5, 1);
  const found = await lowestLatentPath(flow, system, Float64Array.of(-1), ends, { points: 5 });
  assertEquals([...found.barriers], [Infinity, Infinity, 1]);
  assertEquals([found.notFinite, ...found.pair], [1, 0, 2]);
  const none = await lowestLatentPath(flow, system, Float64Array.of(-1), ends.subarray(0, 1), { points: 5 });
  assertEquals([none.barrier, none.notFinite], [Infinity, 1]);
});

Deno.test("latent paths refuse what cannot be walked", async () => {
  const flow = curvedFlow();
  assertThrows(
    () => latentPath(flow, left, right, 1),
    RangeError,
    "Cannot walk a latent path: points must be a whole number ≥ 2, got 1",
  );
  const refused = (message: string, ...[from, to, options]: [Float64Array, Float64Array, object?]) =>
    assertRejects(() => lowestLatentPath(flow, well, from, to, options), RangeError, message);
  const empty = new Float64Array(0);
  await refused("Cannot search the lowest latent path: points must be a whole number ≥ 2, got 2.5", left, right, {
    points: 2.5,
  });
  await refused(
    "Cannot search the lowest latent path: from must hold one or more rows of 2, got 0 numbers",
    empty,
    right,
  );
  await refused(
    "Cannot search the lowest latent path: to must hold one or more rows of 2, got 3 numbers",
    left,
    new Float64Array(3),
  );
  await assertRejects(
    () => lowestLatentPath(flow, new DoubleWell({ dim: 3 }), left, right),
    RangeError,
    "Cannot search the lowest latent path: flow and system must have one dim, got 2 and 3",
  );
  await assertRejects(() => lowestLatentPath(flow, well, left, right, { signal: AbortSignal.abort() }), DOMException);
});
