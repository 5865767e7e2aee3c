/** Configurations of fluids for tests: near their sites, and anywhere. */
import { RandomStream } from "../../src/random/random_stream.ts";
import type { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";

/** n configurations with every coordinate moved off its site by a normal number times `width`. */
export function shakenSites(fluid: LennardJonesFluid, n: number, width: number, seed = 1): Float64Array {
  const random = new RandomStream(seed, 97);
  const { sites } = fluid;
  return Float64Array.from({ length: n * fluid.dim }, (_, i) => sites[i % fluid.dim] + width * random.normal());
}

/** n configurations of independent uniform positions in a box twice as wide as the walls. */
export function scatteredParticles(fluid: LennardJonesFluid, n: number, seed = 2): Float64Array {
  const random = new RandomStream(seed, 96);
  return new Float64Array(n * fluid.dim).map(() => 4 * fluid.halfBox * (random.uniform() - 0.5));
}
