/**
 * Chains of layers in the notation of the Boltzmann generator papers.
 *
 * @module
 */
import type { Activation } from "../nn/mlp.ts";
import type { Bijector } from "./bijector.ts";
import { Chain, Inverse } from "./chain.ts";
import { NICE } from "./nice.ts";
import { RealNVP } from "./real_nvp.ts";
import { Scaling } from "./scaling.ts";
import { Whitening } from "./whitening.ts";

/** Size and form of the layers of a {@link couplingChain}. */
export interface CouplingChainOptions {
  /** Number of coordinates, ≥ 2. */
  readonly dim: number;
  /** Hidden layers of every network; the output layer is not counted. Default [100, 100]. */
  readonly hidden?: readonly number[];
  /** Activation of the hidden layers of S in blocks "R". Default "tanh". */
  readonly scaleActivation?: Activation;
  /** Activation of the hidden layers of T in blocks "R" and "N". Default "relu". */
  readonly shiftActivation?: Activation;
  /** What "W" is fitted to: configurations [n, dim], row-major, n > dim. */
  readonly data?: Float64Array;
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
  /** Prefix of the names of the parameters. Default "chain". */
  readonly name?: string;
}

/** A kind of layer. */
type Letter = "R" | "N" | "S" | "W";

/** Layers of one kind one after the other; only couplings are counted together. */
interface Layers {
  readonly letter: Letter;
  readonly count: number;
}

/** Most layers of one chain: far more than can be trained, few enough to write down. */
const MOST_LAYERS = 1000;

/**
 * Makes the chain of layers that the papers write as letters, from the side of x to the side of z.
 *
 * | letter | layer, x → z | |
 * |---|---|---|
 * | R | y₂ = x₂ exp S₁(x₁) + T₁(x₁), z₂ = y₂; z₁ = x₁ exp S₂(y₂) + T₂(y₂) | {@link RealNVP}, two couplings |
 * | N | z₁ = x₁ − M₂(x₂); z₂ = x₂ − M₁(z₁) | {@link NICE}, two couplings |
 * | S | z = x exp(−k) | {@link Scaling}, starts with k = 0 |
 * | W | principal components of `data` in units of their deviations | {@link Whitening}, constant; first letter only |
 *
 * A number repeats what stands before it, parentheses group, blanks mean nothing: "RRRR" is "R4", "(RN)7" has 14 layers.
 *
 * As published, x₁ are the coordinates 0, 2, 4, … and x₂ the others, the same in every block; S and T are networks of
 * their own without a bound, the last layer of S starts at zero. The defaults are those of the notebooks of the Science
 * paper for systems of two coordinates: two hidden layers of 100, relu in T, tanh in S. The earlier scripts have tanh in
 * both. Careful with published layer counts: `nl_layers = 3` of the code is two hidden layers and the output.
 *
 * Reference: Noé et al. 2019 and the code published with it (`invertible_model`, `networks/invertible.py`).
 *
 * @param notation letters, from x to z
 * @param options sizes, activations, data for "W"
 * @returns the chain, prior side first as every {@link Chain}
 * @throws {RangeError} if the notation cannot be read, "W" is not the first letter, or a size is not possible
 * @throws {TypeError} if there is a "W" but no `data`
 *
 * @example The two networks that the double well was published with
 * ```ts
 * import { couplingChain } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const size = (notation: string) =>
 *   couplingChain(notation, { dim: 2 }).parameters().reduce((sum, { length }) => sum + length, 0);
 *
 * assertEquals([size("RRRR"), size("NNNNS")], [166_416, 83_210]);
 * ```
 */
export function couplingChain(notation: string, options: CouplingChainOptions): Chain {
  const layers = new Notation(notation).read();
  const name = options.name ?? "chain";
  let position = 0;
  const parts = layers.map((run, i) => {
    if (run.letter === "W" && i > 0) {
      throw new RangeError(
        `Cannot make the chain "${notation}": W must be the first letter, got one as layer ${position + 1}`,
      );
    }
    const part = makeLayers(run, `${name}.${position}`, notation, options);
    position += run.count;
    return part;
  });
  return new Chain(parts.reverse());
}

/** Makes couplings of one kind in a row as one part, so that channels are split and merged once. */
function makeLayers(
  { letter, count }: Layers,
  prefix: string,
  notation: string,
  options: CouplingChainOptions,
): Bijector {
  const { dim, hidden = [100, 100], scaleActivation = "tanh", shiftActivation = "relu", seed = 0, data } = options;
  const sizes = { dim, hidden, blocks: count, seed };
  switch (letter) {
    case "R":
      // The published couplings are affine from x to z; turned round, ours are.
      return new Inverse(new RealNVP({ ...sizes, scaleActivation, shiftActivation, name: `${prefix}.realnvp` }));
    case "N":
      return new NICE({ ...sizes, activation: shiftActivation, name: `${prefix}.nice` });
    case "S":
      return new Scaling({ dim, name: `${prefix}.scaling` });
    case "W":
      if (data === undefined) {
        throw new TypeError(`Cannot make the chain "${notation}": data must be given for W, got undefined`);
      }
      return Whitening.fit(data, dim, { name: `${prefix}.whitening` });
  }
}

/** A reader of the notation. */
class Notation {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** All layers, x side first. */
  read(): Layers[] {
    const layers = this.#sequence(null);
    if (layers.length === 0) this.#refuse("it must have a letter", "none");
    return layers;
  }

  /** Layers up to the parenthesis that closes one opened at `opened`, or to the end. */
  #sequence(opened: number | null): Layers[] {
    const all: Layers[] = [];
    for (;;) {
      this.#skipBlanks();
      const at = this.#at;
      const letter = this.#text[at];
      if (letter === undefined) {
        if (opened !== null) this.#refuse("parentheses must be closed", `"(" at position ${opened + 1} that is not`);
        return all;
      }
      this.#at++;
      if (letter === ")") {
        if (opened !== null && all.length > 0) return all;
        this.#refuse("parentheses must hold letters and be opened", `")" at position ${at + 1}`);
      }
      const one = letter === "(" ? this.#sequence(at) : [{ letter: this.#letter(letter, at), count: 1 }];
      for (let k = this.#count(); k > 0; k--) {
        one.forEach((run) => append(all, run));
        const total = all.reduce((sum, { count }) => sum + count, 0);
        if (total > MOST_LAYERS) this.#refuse(`it must have at most ${MOST_LAYERS} layers`, `${total} or more`);
      }
    }
  }

  #letter(letter: string, at: number): Letter {
    if (letter === "R" || letter === "N" || letter === "S" || letter === "W") return letter;
    return this.#refuse("letters must be R, N, S or W", `"${letter}" at position ${at + 1}`);
  }

  /** A number of repetitions, 1 where there is none. */
  #count(): number {
    this.#skipBlanks();
    const from = this.#at;
    while (this.#at < this.#text.length && "0123456789".includes(this.#text[this.#at])) this.#at++;
    const digits = this.#text.slice(from, this.#at);
    if (digits === "") return 1;
    if (Number(digits) === 0) this.#refuse("repetitions must be 1 or more", `${digits} at position ${from + 1}`);
    return Number(digits);
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  #refuse(rule: string, got: string): never {
    throw new RangeError(`Cannot read the chain "${this.#text}": ${rule}, got ${got}`);
  }
}

/** Adds layers behind others; couplings join those of their kind. */
function append(all: Layers[], { letter, count }: Layers): void {
  const last = all.at(-1);
  const coupling = letter === "R" || letter === "N";
  if (coupling && last?.letter === letter) all[all.length - 1] = { letter, count: last.count + count };
  else all.push({ letter, count });
}
