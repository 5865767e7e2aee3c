/**
 * The network of the CS-230 report.
 *
 * @module
 */
import { makeCouplings, runCouplings } from "../../flow/alternating_couplings.ts";
import type { Bijector } from "../../flow/bijector.ts";
import { splitChannels } from "../../flow/channels.ts";
import { affineCoupling } from "../../graph/affine_coupling.ts";
import type { Tensor } from "../../graph/graph.ts";
import { tanh } from "../../graph/operations.ts";
import type { Parameter } from "../../graph/parameter.ts";
import { Mlp } from "../../nn/mlp.ts";
import { RandomStream } from "../../random/random_stream.ts";

/** Networks of a coupling. */
interface Coupling {
  readonly s: Mlp;
  readonly t: Mlp;
}

/** Coordinates. The students' networks read both, one of them masked to zero. */
const DIM = 2;

/**
 * RealNVP of 3 blocks in two coordinates whose S networks end in tanh, |S| < 1, as the students wrote it in PyTorch.
 *
 *     z → x, per coupling: b ← b exp(tanh S(a)) + T(a), relu in the hidden layers of both
 *
 * All weights and biases start uniform in ±1/√inputs, PyTorch's default: unlike with zero biases, the kinks of the first
 * layer are spread over the line from the beginning, and a few hundred steps go farther.
 */
export class StudentRealNVP implements Bijector {
  readonly dim = DIM;
  readonly #channels = splitChannels(DIM, "even-odd");
  readonly #couplings: readonly Coupling[];

  /**
   * Makes a map with freshly initialised networks.
   *
   * @param options hidden layers, seed
   */
  constructor({ hidden, seed }: { readonly hidden: readonly number[]; readonly seed: number }) {
    this.#couplings = makeCouplings(3, this.#channels, (k, inputs, outputs) => {
      const net = (kind: string) =>
        new Mlp({ name: `student.${k}.${kind}`, inputs, hidden, outputs, activation: "relu", seed });
      return { s: net("s"), t: net("t") };
    });
    let stream = 0;
    for (const { s, t } of this.#couplings) {
      for (const net of [s, t]) startAsPyTorch(net.parameters(), seed, stream++);
    }
  }

  parameters(): readonly Parameter[] {
    return this.#couplings.flatMap(({ s, t }) => [...s.parameters(), ...t.parameters()]);
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const { value, logDet } = this.#run("forward", z);
    return { x: value, logDet };
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    const { value, logDet } = this.#run("inverse", x);
    return { z: value, logDet };
  }

  #run(direction: "forward" | "inverse", from: Tensor): { value: Tensor; logDet: Tensor } {
    const { value, logDet } = runCouplings(
      direction,
      from,
      this.#channels,
      this.#couplings,
      ({ s, t }, moved, kept) => {
        return affineCoupling(direction, moved, tanh(s.apply(kept)), t.apply(kept));
      },
    );
    return { value, logDet: logDet! };
  }
}

/** Sets weights and biases, layer by layer, to uniform numbers in ±1/√inputs. */
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
