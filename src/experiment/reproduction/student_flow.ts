/**
 * The network of the CS-230 report.
 *
 * @module
 */
import type { Bijector } from "../../flow/bijector.ts";
import { RealNVP } from "../../flow/real_nvp.ts";
import type { Tensor } from "../../graph/graph.ts";
import { gather } from "../../graph/operations.ts";
import type { Parameter } from "../../graph/parameter.ts";
import { RandomStream } from "../../random/random_stream.ts";

/** Coordinates. The students' networks read both, one of them masked to zero. */
const DIM = 2;

/**
 * Makes a RealNVP of 3 blocks in two coordinates whose S networks end in tanh, |S| < 1, as the students wrote it in
 * PyTorch.
 *
 *     z → x, per coupling: b ← b exp(tanh S(a)) + T(a), relu in the hidden layers of both; b is the first coordinate in
 *     the first coupling and the second one in the last
 *
 * All weights and biases start uniform in ±1/√inputs, PyTorch's default: unlike with zero biases, the kinks of the first
 * layer are spread over the line from the beginning, and a few hundred steps go farther.
 *
 * @param options hidden layers, seed
 * @returns the map
 */
export function studentRealNVP(
  { hidden, seed }: { readonly hidden: readonly number[]; readonly seed: number },
): Bijector {
  const activations = { scaleActivation: "relu", shiftActivation: "relu", boundedScales: true } as const;
  const map = new RealNVP({ dim: DIM, blocks: 3, hidden, ...activations, seed, name: "student" });
  const parameters = map.parameters();
  // A weight and a bias for each layer of a network.
  const perNetwork = 2 * (hidden.length + 1);
  for (let first = 0; first < parameters.length; first += perNetwork) {
    startAsPyTorch(parameters.slice(first, first + perNetwork), seed, first / perNetwork);
  }
  return exchanged(map);
}

/** The same map with its coordinates exchanged: a RealNVP of ours moves the second one first, the students' the first. */
function exchanged(map: RealNVP): Bijector {
  const turn = (x: Tensor) => gather(x, [1, 0]);
  return {
    dim: DIM,
    parameters: () => map.parameters(),
    forward(z) {
      const { x, logDet } = map.forward(turn(z));
      return { x: turn(x), logDet };
    },
    inverse(x) {
      const { z, logDet } = map.inverse(turn(x));
      return { z: turn(z), logDet };
    },
  };
}

/** Sets weights and biases of a network, layer by layer, to uniform numbers in ±1/√inputs. */
function startAsPyTorch(parameters: readonly Parameter[], seed: number, stream: number): void {
  const random = new RandomStream(seed, stream);
  let inputs = DIM;
  for (const parameter of parameters) {
    // A weight [outputs, inputs] comes before its bias.
    if (parameter.shape.length === 2) inputs = Math.max(DIM, parameter.shape[1]);
    const bound = 1 / Math.sqrt(inputs);
    parameter.set(random.fillUniforms(new Float64Array(parameter.length)).map((u) => bound * (2 * u - 1)));
  }
}
