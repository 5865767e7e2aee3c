/**
 * The flow of the dimer run.
 *
 * @module
 */
import type { Bijector } from "../flow/bijector.ts";
import { Chain } from "../flow/chain.ts";
import { Flow } from "../flow/flow.ts";
import { RealNVP } from "../flow/real_nvp.ts";
import { Whitening } from "../flow/whitening.ts";
import type { FlowSettings } from "./dimer_settings.ts";

/**
 * Builds the flow: RealNVP next to the prior, whitening next to the configurations.
 *
 * @param settings sizes
 * @param dim number of coordinates
 * @param seed of the initial weights
 * @param data configurations to whiten, [n, dim]; null to leave the whitening to a checkpoint
 */
export function dimerFlow(settings: FlowSettings, dim: number, seed: number, data: Float64Array | null): Flow {
  const { blocks, hidden, activation, channels, whiten } = settings;
  const network = new RealNVP({
    dim,
    blocks,
    hidden,
    scaleActivation: activation,
    shiftActivation: activation,
    channels: "even-odd",
    seed,
  });
  const parts: Bijector[] = [network];
  if (whiten) {
    // Principal components keep the places of their group, so even and odd places stay x and y when whitened apart.
    const groups = channels === "xy" ? { groups: [0, 1].map((axis) => axisCoordinates(dim, axis)) } : {};
    parts.push(data === null ? Whitening.identity(dim, groups) : Whitening.fit(data, dim, groups));
  }
  return new Flow(new Chain(parts));
}

function axisCoordinates(dim: number, axis: number): number[] {
  return Array.from({ length: dim / 2 }, (_, i) => 2 * i + axis);
}

/** One line that says what the flow is. */
export function describeFlow({ blocks, hidden, activation, channels, whiten }: FlowSettings): string {
  const layers = hidden.join("–");
  const split = channels === "xy" ? "x | y coordinates" : whiten ? "even | odd principal components" : "even | odd";
  return `RealNVP, ${blocks} blocks, S and T networks with hidden layers ${layers} (${activation}), channels ${split}` +
    (whiten ? ", whitened data" : "");
}
