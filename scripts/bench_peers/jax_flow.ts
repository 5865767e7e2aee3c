/**
 * jax-js as a peer, with its WebAssembly kernels: a compiled training step or batch of samples of the workload's RealNVP.
 *
 * Channels stay apart from the first coupling to the last. The library counts references: `.ref` marks every use of an
 * array but its last.
 *
 * @module
 */
import { type Checked, type FlowAnswer, serve } from "./serve.ts";
import { type FlowTask, INPUTS, readNumbers, readWorkload, type Workload } from "./workload.ts";

const VERSION = "0.1.25";

// deno-lint-ignore no-explicit-any -- the package is loaded when it is run; nobody else is to download its types
type Jax = any;
/** An array, or its stand-in while a function is recorded. */
// deno-lint-ignore no-explicit-any
type Tensor = any;

/** Added to the squared distance of pairs that feel nothing; its inverse, cubed and squared, is 0. */
const FAR = 1e20;

/** The flow and its losses, as functions of the parameters [outputs, inputs] or [outputs] in the order of the workload. */
class JaxFlow {
  readonly #np: Jax;
  readonly #workload: Workload;

  constructor(np: Jax, workload: Workload) {
    this.#np = np;
    this.#workload = workload;
  }

  #network(parameters: readonly Tensor[], k: number, kind: "s" | "t", kept: Tensor): Tensor {
    const count = 2 * (this.#workload.hidden.length + 1);
    const first = (2 * k + (kind === "s" ? 0 : 1)) * count;
    let h = kept;
    for (let at = first; at < first + count; at += 2) {
      h = this.#np.matmul(h, parameters[at].ref.transpose()).add(parameters[at + 1].ref);
      if (at < first + count - 2) h = this.#np.tanh(h);
    }
    return h;
  }

  forward(parameters: readonly Tensor[], even: Tensor, odd: Tensor): [Tensor, Tensor, Tensor] {
    const channels = [even, odd];
    let logDet: Tensor | null = null;
    for (let k = 0; k < 2 * this.#workload.blocks; k++) {
      const kept = channels[k % 2];
      const s = this.#network(parameters, k, "s", kept.ref);
      const t = this.#network(parameters, k, "t", kept.ref);
      channels[1 - k % 2] = channels[1 - k % 2].mul(this.#np.exp(s.ref)).add(t);
      logDet = logDet === null ? s.sum(1) : logDet.add(s.sum(1));
    }
    return [channels[0], channels[1], logDet];
  }

  /** −log p_X(x), averaged. */
  maximumLikelihood(parameters: readonly Tensor[], even: Tensor, odd: Tensor): Tensor {
    const channels = [even, odd];
    let scales: Tensor | null = null;
    for (let k = 2 * this.#workload.blocks - 1; k >= 0; k--) {
      const kept = channels[k % 2];
      const s = this.#network(parameters, k, "s", kept.ref);
      const t = this.#network(parameters, k, "t", kept.ref);
      channels[1 - k % 2] = channels[1 - k % 2].sub(t).mul(this.#np.exp(s.ref.mul(-1)));
      scales = scales === null ? s.sum(1) : scales.add(s.sum(1));
    }
    return this.#minusLogPrior(channels[0], channels[1]).add(scales).mean();
  }

  energyLoss(parameters: readonly Tensor[], even: Tensor, odd: Tensor): Tensor {
    const [x, y, logDet] = this.forward(parameters, even.ref, odd.ref);
    return this.#soft(this.energy(x, y)).sub(this.#minusLogPrior(even, odd)).sub(logDet).mean();
  }

  #minusLogPrior(even: Tensor, odd: Tensor): Tensor {
    const squares = this.#np.square(even).sum(1).add(this.#np.square(odd).sum(1));
    return squares.add(this.#workload.dim * Math.log(2 * Math.PI)).mul(0.5);
  }

  #soft(u: Tensor): Tensor {
    const { highEnergy: a, maxEnergy: b } = this.#workload.softening;
    const over = this.#np.clip(u.ref, a, b).sub(a);
    return this.#np.minimum(u, a).add(this.#np.log1p(over));
  }

  /** U of [n, particles] abscissae and ordinates. */
  energy(x: Tensor, y: Tensor): Tensor {
    const np = this.#np;
    const { particles, epsilon, sigma, tether, c1, c2, c4, d0, halfBox, boxConstant } = this.#workload.coefficients;
    const { batch } = this.#workload;
    const excluded = Array.from({ length: particles ** 2 }, (_, k) => {
      const [i, j] = [Math.floor(k / particles), k % particles];
      return i === j || i + j === 1 ? FAR : 0;
    });
    const differences = (p: Tensor) =>
      np.square(p.ref.reshape([batch, particles, 1]).sub(p.ref.reshape([batch, 1, particles])));
    const apart = np.array(new Float32Array(excluded)).reshape([1, particles, particles]);
    const inverse = np.reciprocal(differences(x).add(differences(y)).add(apart));
    const sixth = np.square(np.square(inverse.ref).mul(inverse));
    const pairs = sixth.sum([1, 2]).mul(epsilon * sigma ** 12 / 2);
    const wall = (p: Tensor) => np.square(np.maximum(np.abs(p.ref).sub(halfBox), 0)).sum(1).mul(boxConstant);
    const pick = (p: Tensor, i: number) => p.ref.slice([], i);
    const [x0, x1, y0, y1] = [pick(x, 0), pick(x, 1), pick(y, 0), pick(y, 1)];
    const q = np.sqrt(np.square(x0.ref.sub(x1.ref)).add(np.square(y0.ref.sub(y1.ref)))).sub(d0);
    const q2 = np.square(q.ref);
    const bond = q.mul(c1).add(q2.ref.mul(c4).add(c2).mul(q2));
    const tethers = np.square(x0.add(x1)).add(np.square(y0)).add(np.square(y1)).mul(tether);
    return pairs.add(wall(x)).add(wall(y)).add(bond).add(tethers);
  }
}

/** Parameters and moments, lists in the order of the workload. */
type State = readonly [parameters: Tensor[], means: Tensor[], squares: Tensor[]];

async function numbersOf(value: Tensor): Promise<Float32Array<ArrayBuffer>> {
  return Float32Array.from(await value.ref.data());
}

/** Even and odd columns. */
function halves(values: Float32Array): [Float32Array, Float32Array] {
  const half = (offset: number) => Float32Array.from({ length: values.length / 2 }, (_, k) => values[2 * k + offset]);
  return [half(0), half(1)];
}

function training(jax: Jax, flow: JaxFlow, task: FlowTask, workload: Workload, start: Tensor[], inputs: Tensor[]) {
  const { numpy: np, jit, valueAndGrad } = jax;
  const { beta1, beta2, epsilon, checkedRate, timedRate } = workload.adam;
  const loss = (p: Tensor[], even: Tensor, odd: Tensor, factor: Tensor) =>
    (task === "energy" ? flow.energyLoss(p, even, odd) : flow.maximumLikelihood(p, even, odd)).mul(factor);
  const compute = jit((p: Tensor[], even: Tensor, odd: Tensor, factor: Tensor) =>
    valueAndGrad(loss)(p, even, odd, factor)
  );
  const gradients = (factor: number) =>
    compute(state[0].map((x) => x.ref), ...inputs.map((x) => x.ref), np.array(factor));
  /**
   * Adam for one parameter; scalars are the rate over 1 − β₁ᵗ, and 1 / (1 − β₂ᵗ). It is compiled by itself, once for each
   * shape: in one function for all parameters, or together with the gradients, the library takes several times as long.
   */
  const update = jit((p: Tensor, m: Tensor, v: Tensor, g: Tensor, rate: Tensor, correction: Tensor) => {
    const mean = m.mul(beta1).add(g.ref.mul(1 - beta1));
    const square = v.mul(beta2).add(np.square(g).mul(1 - beta2));
    const root = np.sqrt(square.ref.mul(correction)).add(epsilon);
    return [p.sub(mean.ref.mul(rate).div(root)), mean, square];
  });
  const zeros = () => start.map((x) => np.zeros(x.shape));
  let state: State = [start, zeros(), zeros()];
  let count = 0;
  const step = async (rate: number, factor = 1): Promise<number> => {
    count++;
    const scalars = [rate / (1 - beta1 ** count), 1 / (1 - beta2 ** count)].map((value) => np.array(value));
    const [value, g] = gradients(factor);
    const [p, m, v] = state;
    const updated: Tensor[][] = p.map((x, i) => update(x, m[i], v[i], g[i], ...scalars.map((scalar) => scalar.ref)));
    scalars.forEach((scalar) => scalar.dispose());
    state = [0, 1, 2].map((k) => updated.map((triple) => triple[k])) as unknown as State;
    await jax.blockUntilReady(state);
    return (await value.data())[0] / factor;
  };
  const check = async (): Promise<Checked<FlowAnswer>> => {
    const before = await Promise.all(state[0].map(numbersOf));
    const [value, g] = gradients(workload.checkedFactors[0]);
    value.dispose();
    const norm = async (x: Tensor) => Math.sqrt((await x.data()).reduce((sum: number, v: number) => sum + v * v, 0));
    const gradientNorms: number[] = await Promise.all(g.map(norm));
    const losses: number[] = [];
    for (const factor of workload.checkedFactors) losses.push(await step(checkedRate, factor));
    const after = await Promise.all(state[0].map(numbersOf));
    const numbers = after.map((values, i) => values.map((v, k) => v - before[i][k]));
    return { answer: { losses, gradientNorms }, numbers };
  };
  return { check, step: async () => void await step(timedRate) };
}

function sampling(jax: Jax, flow: JaxFlow, parameters: Tensor[], inputs: Tensor[]) {
  const forward = jax.jit((p: Tensor[], even: Tensor, odd: Tensor) => flow.forward(p, even, odd));
  const run = async () => {
    const outputs: Tensor[] = forward(parameters.map((p) => p.ref), ...inputs.map((x) => x.ref));
    return await Promise.all(outputs.map((x) => x.data() as Promise<Float32Array>));
  };
  const check = async (): Promise<Checked<FlowAnswer>> => {
    const [even, odd, logDet] = await run();
    const x = Float32Array.from({ length: 2 * even.length }, (_, k) => (k % 2 === 0 ? even : odd)[k >> 1]);
    return { answer: { losses: [], gradientNorms: [] }, numbers: [x, Float32Array.from(logDet)] };
  };
  return { check, step: async () => void await run() };
}

await serve(async (folder, name, threads) => {
  // The library starts as many threads as there are cores and asks nobody else.
  Object.defineProperty(navigator, "hardwareConcurrency", { value: threads });
  const jax: Jax = await import(`npm:@jax-js/jax@${VERSION}`);
  await jax.init();
  jax.defaultDevice("wasm");
  const { numpy: np } = jax;
  const workload = await readWorkload(folder);
  const numbers = await readNumbers(`${folder}/weights.f32`);
  let at = 0;
  const parameters = workload.parameters.map(({ shape }) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return np.array(numbers.slice(at, at += length)).reshape([...shape]);
  });
  const task = name as FlowTask;
  const inputs = halves(await readNumbers(`${folder}/${INPUTS[task]}`))
    .map((half) => np.array(half).reshape([workload.batch, workload.dim / 2]));
  const flow = new JaxFlow(np, workload);
  const made = task === "sampling"
    ? sampling(jax, flow, parameters, inputs)
    : training(jax, flow, task, workload, parameters, inputs);
  const version = `jax-js ${VERSION}, Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`;
  return { ...made, version, settings: `wasm device, ${threads} thread${threads > 1 ? "s" : ""}` };
});
