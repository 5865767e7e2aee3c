/**
 * TensorFlow.js as a peer, with its WebAssembly kernels: a training step or a batch of samples of the workload's RealNVP.
 *
 * @module
 */
import { type Checked, type FlowAnswer, serve } from "./serve.ts";
import { type FlowTask, INPUTS, readNumbers, readWorkload, type Workload } from "./workload.ts";

/** Exact versions, so that a rerun measures the same. */
const VERSION = "4.22.0";
const BACKEND = `npm:@tensorflow/tfjs-backend-wasm@${VERSION}`;

/** Added to the squared distance of pairs that feel nothing; its inverse, cubed and squared, is 0. */
const FAR = 1e20;

// deno-lint-ignore no-explicit-any -- the package is loaded when it is run; nobody else is to download its types
type Tf = any;
// deno-lint-ignore no-explicit-any
type Tensor = any;

interface Layer {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** The networks: variables that multiply rows from the right, [inputs, outputs]; files hold [outputs, inputs]. */
async function readNetworks(tf: Tf, folder: string, { parameters }: Workload) {
  const numbers = await readNumbers(`${folder}/weights.f32`);
  const variables: Tensor[] = [];
  const networks = new Map<string, Layer[]>();
  let at = 0;
  for (const { name, shape } of parameters) {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = tf.tensor(numbers.slice(at, at += length), [...shape]);
    const variable = tf.variable(shape.length === 2 ? values.transpose() : values);
    variables.push(variable);
    const [, coupling, kind] = name.split(".");
    const key = `${coupling}.${kind}`;
    const layers = networks.get(key) ?? [];
    if (shape.length === 2) layers.push({ weight: variable, bias: null });
    else layers[layers.length - 1] = { weight: layers.at(-1)!.weight, bias: variable };
    networks.set(key, layers);
  }
  return { variables, networks };
}

/** The flow and its losses. */
class TfFlow {
  readonly #tf: Tf;
  readonly #workload: Workload;
  readonly #networks: ReadonlyMap<string, readonly Layer[]>;
  readonly #excluded: Tensor;

  constructor(tf: Tf, workload: Workload, networks: ReadonlyMap<string, readonly Layer[]>) {
    this.#tf = tf;
    this.#workload = workload;
    this.#networks = networks;
    const { particles } = workload.coefficients;
    const excluded = Array.from({ length: particles ** 2 }, (_, k) => {
      const [i, j] = [Math.floor(k / particles), k % particles];
      return i === j || i + j === 1 ? FAR : 0;
    });
    this.#excluded = tf.tensor3d(excluded, [particles, particles, 1]);
  }

  #network(k: number, kind: "s" | "t", kept: Tensor): Tensor {
    const layers = this.#networks.get(`${k}.${kind}`)!;
    return layers.reduce((h, { weight, bias }, i) => {
      const y = h.matMul(weight).add(bias);
      return i < layers.length - 1 ? y.tanh() : y;
    }, kept);
  }

  /** The channels: coordinates 0, 2, 4 … and 1, 3, 5 … */
  #split(x: Tensor): Tensor[] {
    const { batch, dim } = this.#workload;
    return x.reshape([batch, dim / 2, 2]).unstack(2);
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const { batch, dim, blocks } = this.#workload;
    const channels = this.#split(z);
    let logDet = this.#tf.zeros([batch]);
    for (let k = 0; k < 2 * blocks; k++) {
      const kept = channels[k % 2];
      const s = this.#network(k, "s", kept);
      channels[1 - k % 2] = channels[1 - k % 2].mul(s.exp()).add(this.#network(k, "t", kept));
      logDet = logDet.add(s.sum(1));
    }
    return { x: this.#tf.stack(channels, 2).reshape([batch, dim]), logDet };
  }

  inverse(x: Tensor): { halves: Tensor[]; logDet: Tensor } {
    const { batch, blocks } = this.#workload;
    const channels = this.#split(x);
    let logDet = this.#tf.zeros([batch]);
    for (let k = 2 * blocks - 1; k >= 0; k--) {
      const kept = channels[k % 2];
      const s = this.#network(k, "s", kept);
      channels[1 - k % 2] = channels[1 - k % 2].sub(this.#network(k, "t", kept)).mul(s.neg().exp());
      logDet = logDet.sub(s.sum(1));
    }
    return { halves: channels, logDet };
  }

  maximumLikelihood(x: Tensor): Tensor {
    const { halves: [a, b], logDet } = this.inverse(x);
    const squares = a.square().sum(1).add(b.square().sum(1));
    return squares.add(this.#workload.dim * Math.log(2 * Math.PI)).div(2).sub(logDet).mean();
  }

  energyLoss(z: Tensor): Tensor {
    const { x, logDet } = this.forward(z);
    const logPrior = z.square().sum(1).add(this.#workload.dim * Math.log(2 * Math.PI)).div(-2);
    return this.#soft(this.energy(x)).add(logPrior).sub(logDet).mean();
  }

  #soft(u: Tensor): Tensor {
    const { highEnergy: a, maxEnergy: b } = this.#workload.softening;
    // Without a comparison, of which this library knows no gradient.
    return u.minimum(a).add(u.clipByValue(a, b).sub(a).log1p());
  }

  energy(x: Tensor): Tensor {
    const { particles, epsilon, sigma, tether, c1, c2, c4, d0, halfBox, boxConstant } = this.#workload.coefficients;
    const [px, py] = x.transpose().reshape([particles, 2, -1]).unstack(1);
    // All pairs twice: there is no kernel for the gradient of a choice of rows.
    const difference = (p: Tensor) => p.expandDims(0).sub(p.expandDims(1));
    const inverse = difference(px).square().add(difference(py).square()).add(this.#excluded).reciprocal();
    const sixth = inverse.square().mul(inverse).square();
    const walls = x.abs().sub(halfBox).relu().square().sum(1).mul(boxConstant);
    const [x0, x1] = [px.slice(0, 1).squeeze([0]), px.slice(1, 1).squeeze([0])];
    const [y0, y1] = [py.slice(0, 1).squeeze([0]), py.slice(1, 1).squeeze([0])];
    const q = x0.sub(x1).square().add(y0.sub(y1).square()).sqrt().sub(d0);
    const q2 = q.square();
    const bond = q.mul(c1).add(q2.mul(c4).add(c2).mul(q2));
    const tethers = x0.add(x1).square().add(y0.square()).add(y1.square()).mul(tether);
    return sixth.sum([0, 1]).mul(epsilon * sigma ** 12 / 2).add(walls).add(bond).add(tethers);
  }
}

/** The tensor as the files have it. */
function numbersOf(value: Tensor): Float32Array<ArrayBuffer> {
  const ordered = value.rank === 2 ? value.transpose() : value;
  return Float32Array.from(ordered.dataSync());
}

function training(tf: Tf, flow: TfFlow, task: FlowTask, workload: Workload, variables: Tensor[], inputs: Tensor) {
  const { beta1, beta2, epsilon, checkedRate, timedRate } = workload.adam;
  const optimiser = tf.train.adam(timedRate, beta1, beta2, epsilon);
  const compute = () => task === "energy" ? flow.energyLoss(inputs) : flow.maximumLikelihood(inputs);
  const step = (factor: number, norms?: number[]): number =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => compute().mul(factor), variables);
      if (norms?.length === 0) norms.push(...variables.map(({ name }) => grads[name].norm().dataSync()[0]));
      optimiser.applyGradients(grads);
      return value.dataSync()[0] / factor;
    });
  const check = (): Checked<FlowAnswer> => {
    const before = variables.map(numbersOf);
    const gradientNorms: number[] = [];
    optimiser.learningRate = checkedRate;
    const losses = workload.checkedFactors.map((factor) => step(factor, gradientNorms));
    optimiser.learningRate = timedRate;
    const numbers = variables.map((variable, i) => numbersOf(variable).map((v, k) => v - before[i][k]));
    return { answer: { losses, gradientNorms }, numbers };
  };
  return { check, step: () => void step(1) };
}

await serve(async (folder, name, threads) => {
  const tf: Tf = await import(`npm:@tensorflow/tfjs@${VERSION}`);
  const wasm: Tf = await import(BACKEND);
  // The package finds its binaries relative to a script that does not exist here.
  const at = new URL(import.meta.resolve(`${BACKEND}/dist/tfjs-backend-wasm-simd.wasm`));
  wasm.setWasmPaths(new URL(".", at).pathname);
  wasm.setThreadsCount(threads);
  await tf.setBackend("wasm");
  await tf.ready();
  const workload = await readWorkload(folder);
  const { variables, networks } = await readNetworks(tf, folder, workload);
  const flow = new TfFlow(tf, workload, networks);
  const task = name as FlowTask;
  const inputs = tf.tensor2d(await readNumbers(`${folder}/${INPUTS[task]}`), [workload.batch, workload.dim]);
  const sample = () => {
    return tf.tidy(() => {
      const { x, logDet } = flow.forward(inputs);
      return [x.dataSync(), logDet.dataSync()].map((values) => Float32Array.from(values));
    });
  };
  const sampling = {
    check: (): Checked<FlowAnswer> => ({ answer: { losses: [], gradientNorms: [] }, numbers: sample() }),
    step: () => void sample(),
  };
  const made = task === "sampling" ? sampling : training(tf, flow, task, workload, variables, inputs);
  const version = `TensorFlow.js ${tf.version_core}, Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`;
  return { ...made, version, settings: `${tf.getBackend()} backend, ${wasm.getThreadsCount()} thread` };
});
