/**
 * What the kernels of energy-tilted densities cost, beside the float64 reference: training (log p with its score) and
 * sampling, with the pair energies of eight neighbours and without.
 *
 * Run with `deno bench -A tests/bench/tilted_bench.ts`. D = 2, 49 polynomials, 64 samples; a particle of the dimer's fluid
 * in its cage, tables of 1024 cells, 17 × 17 nodes for training and 33 × 17 for sampling.
 *
 * @module
 */
import { primitives } from "../../src/autodiff/primitives.ts";
import { type Tilt, TILT_KNOTS } from "../../src/graph/tilt.ts";
import { tiltedLayout } from "../../src/graph/tilted_layout.ts";
import { allocate, f32, i32, kernels } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { panelsOf } from "../backend/tilted_calls.ts";
import { normals, uniforms } from "../support/random_arrays.ts";
import { compare, timed } from "./compare.ts";

await loadKernels();
const samples = 64;
const cutoffSquared = 1.785 ** 2;
const repulsion = (k: number) => Math.min(200, (1.21 / (cutoffSquared * Math.max(k, 0.5) / 1024)) ** 6);
const table = { cutoffSquared, values: Float32Array.from({ length: 1025 }, (_, k) => repulsion(k)) };
const sites = [-1, 0, -1, -1, 0, -1, 1, -1, -2, 0, -2, -1, 0, -2, 1, -2];
const knots = Float64Array.from({ length: 4 * TILT_KNOTS }, (_, i) => i < 258 ? 2.6 * (i % TILT_KNOTS) / 128 - 1.3 : 0);

/** Inputs in the kernels' memory, and as the reference wants them. */
function setup(fine: number, neighbours: number) {
  const pairs = new Array<number>(neighbours).fill(0);
  const tilt: Tilt = { spatialDim: 2, basis: 7, fine, coarse: 17, tailRate: 100, tables: [table], pairs };
  const q = normals(2 * neighbours * samples, 3, 0.25).map((v, i) => v + sites[i % (2 * neighbours)]);
  const rows = [normals(49 * samples, 1, 0.3), uniforms(2 * samples, 2, -0.5, 0.5), new Float64Array(samples).fill(1)];
  const put = (values: Float32Array) => {
    const address = allocate(4 * Math.max(values.length, 1));
    f32(address, values.length).set(values);
    return address;
  };
  const [features, place, scale] = rows.map((row) => put(panelsOf(row, samples, row.length / samples)));
  const { sizes, constants, scratchBytes } = tiltedLayout(tilt);
  const list = allocate(4 * sizes.length);
  i32(list, sizes.length).set(sizes);
  const earlier = neighbours === 0 ? 0 : put(panelsOf(q, samples, 2 * neighbours));
  const before = [samples / 32, list, put(constants), features, place, scale, put(Float32Array.from(knots)), earlier];
  const shapes = [["n", 49], ["n", 2], ["n", 1], [4, TILT_KNOTS], ["n", 2 * neighbours]] as const;
  const inputs = [...rows, knots, q].slice(0, neighbours === 0 ? 4 : 5);
  const at = { inputs, shapes: shapes.slice(0, inputs.length), attributes: { tilt }, n: samples };
  return { operands: [...before, allocate(scratchBytes)], at };
}

type Kernel = (...args: number[]) => void;
const { tiltedLogProbF32, tiltedDecodeF32 } = kernels as unknown as Record<string, Kernel>;
const [column, score, out] = [8, 4 * 49, 4 * 3].map((bytes) => allocate(bytes * samples));
const training = setup(17, 8), alone = setup(17, 0), sampling = setup(33, 8);

compare("log p with its score, D = 2, 17 × 17 nodes, 49 polynomials", "densities", [
  await timed("kernel, 8 neighbours", samples, () => tiltedLogProbF32(...training.operands, column, score)),
  await timed("kernel, none", samples, () => tiltedLogProbF32(...alone.operands, column, score)),
  await timed("float64 reference, 8 neighbours", samples, () => {
    const at = { ...training.at, shape: ["n"] as const };
    const output = primitives.tiltedLogProb.forward(at);
    primitives.tiltedLogProb.vjp({ ...at, output }, new Float64Array(samples).fill(1));
  }),
]);
compare("samples with log p, D = 2, 33 × 17 nodes", "densities", [
  await timed("kernel, 8 neighbours", samples, () => tiltedDecodeF32(...sampling.operands, out)),
  await timed("float64 reference, 8 neighbours", samples, () => {
    primitives.tiltedDecode.forward({ ...sampling.at, shape: ["n", 3] });
  }),
]);
