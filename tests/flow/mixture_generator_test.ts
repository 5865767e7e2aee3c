import { assert, assertEquals, assertThrows } from "@std/assert";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Flow } from "../../src/flow/flow.ts";
import { MixtureGenerator } from "../../src/flow/mixture_generator.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertMeanIs } from "../support/statistics.ts";

await loadKernels();

const normal = (width: number, dim = 1) =>
  new Flow(new Scaling({ dim, logScale: new Array<number>(dim).fill(Math.log(width)) }));
const [narrow, wide, share] = [0.5, 2, 0.3];
const mixture = new MixtureGenerator(normal(narrow), normal(wide), { share });

const gauss = (x: number, width: number) => Math.exp(-0.5 * (x / width) ** 2) / (width * Math.sqrt(2 * Math.PI));
const density = (x: number, alpha: number) => (1 - alpha) * gauss(x, narrow) + alpha * gauss(x, wide);

Deno.test("a mixture has the density of its formula, not that with shares exchanged", () => {
  const x = Float64Array.from({ length: 200 }, (_, i) => -12 + 0.12 * i);
  const p = mixture.logProb(x).map(Math.exp);
  // Rounding of width and z to float32: 2⁻²⁴ (1 + |z|²), z up to 24.
  assertClose(p, x.map((v) => density(v, share)), { relative: 1e-4 });
  assertThrows(() => assertClose(p, x.map((v) => density(v, 1 - share)), { relative: 1e-4 }), Error, "differs by");
  assertClose(p.reduce((sum, v) => sum + 0.12 * v, 0), 1, { absolute: 1e-5 }, "integral");
});

Deno.test("samples of a mixture follow its density, in exact shares", () => {
  const n = 20_000;
  const { x, logProb } = mixture.sample(n, { seed: 1 });
  assertClose(logProb, x.map((v) => Math.log(density(v, share))), { absolute: 1e-4 });
  // Both the width of the samples and the mean weight of another density: shares of 0.25 or 0.35 would show.
  assertMeanIs(x.map((v) => v * v), (1 - share) * narrow ** 2 + share * wide ** 2, "second moment");
  assertMeanIs(logProb.map((log, i) => gauss(x[i], 1) / Math.exp(log)), 1, "mean weight");
  for (const wrong of [0.25, 0.35]) {
    const other = new MixtureGenerator(normal(narrow), normal(wide), { share: wrong }).sample(n, { seed: 1 });
    const expected = (1 - share) * narrow ** 2 + share * wide ** 2;
    assertThrows(() => assertMeanIs(other.x.map((v) => v * v), expected), Error, "expected");
  }
  const far = new MixtureGenerator(normal(1e-3), normal(1e3), { share });
  for (const [first, count] of [[0, 10], [5, 10], [7, 100]]) {
    const fromWide = far.sample(count, { seed: 2, first }).x.filter((v) => Math.abs(v) > 0.1).length;
    assertEquals(fromWide, Math.floor(share * (first + count)) - Math.floor(share * first));
  }
});

Deno.test("sample i of a mixture is the same bytes for any number of samples, first sample and number of threads", async () => {
  const both = new MixtureGenerator(normal(1, 2), normal(3, 2), { share: 0.4 });
  const all = both.sample(700, { seed: 3 });
  for (const [first, n] of [[0, 1], [1, 1], [2, 1], [17, 300], [699, 1]]) {
    const part = both.sample(n, { seed: 3, first });
    assertEquals(part.x, all.x.slice(2 * first, 2 * (first + n)));
    assertEquals(part.z, all.z.slice(2 * first, 2 * (first + n)));
    assertEquals(part.logProb, all.logProb.slice(first, first + n));
  }
  using pool = await ThreadPool.open(2);
  assertEquals(both.sample(700, { seed: 3, pool }), all);
  assertEquals(both.logProb(all.x, { pool }), both.logProb(all.x));
});

Deno.test("the generators of a mixture do not share random numbers, though flows of one prior and seed would", () => {
  const flow = normal(1);
  const { x } = new MixtureGenerator(flow, flow, { share: 0.5 }).sample(1000, { seed: 4 });
  assertEquals(new Set(x).size, 1000);
  assert(new Set(flow.sample(1000, { seed: 4 }).x).has(x[0]), "one half are samples of the flow");
});

Deno.test("a mixture refuses other dimensions, shares that are none, and numbers of samples that are none", () => {
  const message = (make: () => unknown) => assertThrows(make, RangeError).message;
  assertEquals(
    message(() => new MixtureGenerator(normal(1), normal(1, 2), { share: 0.5 })),
    "Cannot mix generators: both must have one dim, got 1 and 2",
  );
  for (const bad of [0, 1, -0.1, NaN]) {
    assertEquals(
      message(() => new MixtureGenerator(normal(1), normal(1), { share: bad })),
      `Cannot mix generators: share must lie between 0 and 1, got ${bad}`,
    );
  }
  assertEquals(
    message(() => mixture.sample(0, { seed: 1 })),
    "Cannot sample from the mixture: n must be a whole number ≥ 1, got 0",
  );
});
