import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { reordered } from "../../src/system/relabelling.ts";
import { shakenStarts } from "../support/dimer_configurations.ts";
import { shakenSites } from "../support/fluid_configurations.ts";
import { writesSystem } from "./written_systems.ts";

await loadKernels();

/** Sites on a circle, and a fluid of particles that have moved along it by a share of the way to the next site. */
function carousel(m: number, share: number): { fluid: LennardJonesFluid; x: Float64Array } {
  const at = (k: number) => [2 * Math.cos(2 * Math.PI * k / m), 2 * Math.sin(2 * Math.PI * k / m)];
  const places = (shift: number) => Float64Array.from(Array.from({ length: m }, (_, k) => at(k + shift)).flat());
  return { fluid: new LennardJonesFluid({ particles: m, density: 0.1, sites: places(0) }), x: places(share) };
}

/** Configurations whose labels `exchange` of each other's. */
function relabelled(x: Float64Array, particles: number, exchange: (order: number[], random: RandomStream) => void) {
  const random = new RandomStream(5, 6);
  const n = x.length / (2 * particles);
  const orders = Array.from({ length: n }, () => {
    const order = Array.from({ length: particles }, (_, k) => k);
    exchange(order, random);
    return order;
  });
  return reordered(x, Int32Array.from(orders.flat()), particles);
}

/** A cycle of so many labels, from `first` on. */
function cycle(length: number, first: number) {
  return (order: number[], random: RandomStream) => {
    const chosen = new Set<number>();
    while (chosen.size < length) chosen.add(first + Math.floor(random.uniform() * (order.length - first)));
    const places = [...chosen];
    const labels = places.map((place) => order[place]);
    places.forEach((place, i) => order[place] = labels[(i + 1) % length]);
  };
}

Deno.test("models see in which order particles belong, however many change places", async () => {
  const dimer = new ParticleDimer();
  const x = [0.05, 0.2, 0.4, 1].flatMap((width) => [...shakenStarts(dimer, 12, width)]);
  const starts = Float64Array.from(x);
  const others = [2, 3, 7, 36].map((length) => relabelled(starts, 38, cycle(length, 2)));
  const swapped = relabelled(starts, 38, (order) => order.splice(0, 2, 1, 0));

  for (const batch of [starts, ...others, swapped, dimer.canonicalize(starts)]) x.push(...batch);
  await writesSystem(dimer, dimer, Float64Array.from(x));
});

Deno.test("models see exchanges of which every shorter one loses", async () => {
  for (const m of [3, 4, 7, 12, 25]) {
    const [below, above] = [0.49, 0.51].map((share) => carousel(m, share));
    assertEquals([...below.fluid.inDomain(below.x), ...above.fluid.inDomain(above.x)], [1, 0], `${m} particles`);
    // Both alone, and beside samples that come to rest sooner and later.
    await writesSystem(below.fluid, below.fluid, below.x);
    await writesSystem(above.fluid, above.fluid, above.x);
    await writesSystem(above.fluid, above.fluid, Float64Array.of(...below.x, ...above.x, ...above.fluid.sites));
  }
});

Deno.test("models see that a queue, in which each would gain by moving up, is in order", async () => {
  const m = 25;
  const places = (shift: number) => Float64Array.from({ length: 2 * m }, (_, i) => i % 2 === 0 ? i / 2 + shift : 0);
  const fluid = new LennardJonesFluid({ particles: m, density: 0.01, sites: places(0) });

  assertEquals([...fluid.inDomain(places(0.6))], [1]);
  await writesSystem(fluid, fluid, places(0.6));
});

Deno.test("models leave labels alone where an exchange gains nothing", async () => {
  const fluid = new LennardJonesFluid();
  const x = fluid.sites;
  // Particles 0 and 1 at one place between their sites.
  [0, 1].forEach((axis) => x[axis] = x[2 + axis] = 0.4 * x[axis] + 0.6 * x[2 + axis]);
  const half = carousel(6, 0.5);

  assertEquals([...fluid.inDomain(x), ...half.fluid.inDomain(half.x)], [1, 1]);
  await writesSystem(fluid, fluid, x);
  await writesSystem(half.fluid, half.fluid, half.x);
});

Deno.test("half of the configurations in these tests lie inside, half outside", () => {
  const fluid = new LennardJonesFluid();
  const inside = fluid.inDomain(shakenSites(fluid, 200, 0.45));
  const share = inside.reduce((sum, value) => sum + value, 0) / inside.length;

  assert(share > 0.2 && share < 0.8, `${share}`);
});

Deno.test("the law notices sites that are others, and labels that nobody looks at", async () => {
  const fluid = new LennardJonesFluid();
  const x = shakenSites(fluid, 200, 0.45);
  const turned = new LennardJonesFluid({ sites: fluid.sites.reverse() });
  const unlabelled = new LennardJonesFluid({ sites: fluid.sites.map(() => 0) });

  await writesSystem(fluid, fluid, x);
  await assertRejects(() => writesSystem(turned, fluid, x), Error, "domain");
  await assertRejects(() => writesSystem(unlabelled, fluid, x), Error, "domain");
});
