/** Particles that do not feel each other in a soft box, drawn independently: averages over them are exact references. */
import { RandomStream } from "../../src/random/random_stream.ts";
import type { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { mean, variance } from "./statistics.ts";

/** Draws n configurations of the ideal gas in the box of a fluid, [n, dim]. */
export function idealGas(fluid: LennardJonesFluid, temperature: number, n: number, seed = 17): Float64Array {
  const random = new RandomStream(seed);
  const { halfBox, parameters: { boxConstant } } = fluid;
  const tail = Math.sqrt(Math.PI * temperature / boxConstant);
  return new Float64Array(n * fluid.dim).map(() => {
    const u = random.uniform() * (2 * halfBox + tail) - halfBox;
    if (u <= halfBox) return u;
    // Beyond the walls: half a Gaussian of variance T/(2 k) on either side.
    const beyond = random.normal() * Math.sqrt(temperature / (2 * boxConstant));
    return beyond + Math.sign(beyond) * halfBox;
  });
}

/** ln ⟨e^(−pair energy/T)⟩ over n independent configurations of the ideal gas in the soft box, and its error. */
export function idealAverage(
  fluid: LennardJonesFluid,
  temperature: number,
  n: number,
): { readonly value: number; readonly error: number } {
  const weights = fluid.pairEnergy(idealGas(fluid, temperature, n)).map((energy) => Math.exp(-energy / temperature));
  const average = mean(weights);
  return { value: Math.log(average), error: Math.sqrt(variance(weights) / n) / average };
}
