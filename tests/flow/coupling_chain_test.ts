/** Chains in the papers' notation: the published layers, sizes and order, and what cannot be read. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { Chain, Inverse } from "../../src/flow/chain.ts";
import { couplingChain, type CouplingChainOptions } from "../../src/flow/coupling_chain.ts";
import { NICE } from "../../src/flow/nice.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { assertClose } from "../support/assert_close.ts";
import {
  assertKernelsAgree,
  assertLogDetIsJacobian,
  assertRoundTrip,
  ROUNDED_CONSTANTS,
  SHARED_PARAMETERS,
} from "../support/laws.ts";
import { normals, randomiseParameters } from "../support/random_arrays.ts";

await loadKernels();

const size = (bijector: Bijector) =>
  bijector.parameters().filter(({ trainable }) => trainable).reduce((sum, { length }) => sum + length, 0);

/** x → z in float64. */
function encode(bijector: Bijector, x: Float64Array): { z: Float64Array; logDet: Float64Array } {
  const { z, logDet } = bijector.inverse(input(new Graph(), "x", bijector.dim));
  const [values, logs] = evaluateReference([z, logDet], [x], x.length / bijector.dim);
  return { z: values, logDet: logs };
}

/** An affine map, an activation and so on, as in any textbook: weights in the order of an Mlp. */
function network(weights: Float32Array[], activation: (v: number) => number, x: number[]): number[] {
  for (let layer = 0; layer < weights.length; layer += 2) {
    const [weight, bias] = [weights[layer], weights[layer + 1]];
    const y = Array.from(bias, (b, row) => x.reduce((sum, v, k) => sum + weight[row * x.length + k] * v, b));
    x = layer + 2 < weights.length ? y.map(activation) : y;
  }
  return x;
}

const relu = (v: number) => Math.max(0, v);

/** Networks of a chain by the prefix of their names. */
function networksOf(chain: Chain): Map<string, Float32Array[]> {
  const networks = new Map<string, Float32Array[]>();
  for (const parameter of chain.parameters()) {
    const prefix = parameter.name.split(".").slice(0, -2).join(".");
    networks.set(prefix, [...networks.get(prefix) ?? [], parameter.values()]);
  }
  return networks;
}

Deno.test("couplingChain() has as many parameters as the published networks, counted layer by layer from the code", () => {
  const dimer = { dim: 76, shiftActivation: "tanh" } as const;
  const cases: [string, CouplingChainOptions, number][] = [
    ["RRRR", { dim: 2 }, 166_416],
    ["NNNNS", { dim: 2 }, 83_210],
    ["RRRRR", { dim: 2 }, 208_020],
    ["R8", { ...dimer, hidden: [200, 200] }, 1_780_416],
    ["R8", { dim: 76, hidden: [200, 200, 200] }, 3_066_816],
    ["R8", { dim: 76, hidden: [100, 100, 100] }, 894_016],
  ];
  for (const [notation, options, expected] of cases) {
    assertEquals(size(couplingChain(notation, options)), expected, notation);
  }
  // Trap 5: nl_layers = 4 taken for four hidden layers is another network.
  assert(size(couplingChain("R8", { dim: 76, hidden: [200, 200, 200, 200] })) !== 3_066_816);
});

Deno.test("a whitening is constant: W adds nothing that is trained, and fits the data", () => {
  const data = normals(60, 3).map((v, i) => i % 3 === 0 ? 5 * v + 1 : v);
  const chain = couplingChain("W R2", { dim: 3, hidden: [4], data });
  assertEquals(size(chain), size(couplingChain("R2", { dim: 3, hidden: [4] })));
  const white = encode(couplingChain("W", { dim: 3, data }), data).z;
  for (const j of [0, 1, 2]) {
    const column = white.filter((_, i) => i % 3 === j);
    assertClose(column.reduce((sum, v) => sum + v * v, 0) / 19, 1, { absolute: 0.06 }, "variance, over n or n − 1");
  }
  // The data meet W first: the rest of the chain sees white coordinates.
  const rest = couplingChain("R2", { dim: 3, hidden: [4] });
  randomiseParameters(rest.parameters(), 4, 0.3);
  const trained = chain.parameters().filter(({ trainable }) => trainable);
  rest.parameters().forEach((parameter, i) => trained[i].set(parameter.values()));
  assertClose(encode(chain, data).z, encode(rest, white).z, { absolute: 1e-12 });
});

Deno.test("R and N are the published couplings, x → z, channel 0 the even coordinates; S multiplies at the z end", () => {
  const x = normals(2, 5);
  const { exp, tanh } = Math;
  const r = couplingChain("R", { dim: 2, hidden: [3, 4] });
  randomiseParameters(r.parameters(), 6, 0.6);
  const nets = networksOf(r);
  const net = (name: string, activation: (v: number) => number, at: number) =>
    network(nets.get(`chain.0.realnvp.${name}`)!, activation, [at])[0];
  const z1 = x[1] * exp(net("0.s", tanh, x[0])) + net("0.t", relu, x[0]);
  const z0 = x[0] * exp(net("1.s", tanh, z1)) + net("1.t", relu, z1);
  const { z, logDet } = encode(r, x);
  assertClose(z, [z0, z1], { absolute: 1e-12 });
  assertClose(logDet, net("0.s", tanh, x[0]) + net("1.s", tanh, z1), { absolute: 1e-12 });

  const ns = couplingChain("NS", { dim: 2, hidden: [3, 4], name: "ns" });
  randomiseParameters(ns.parameters(), 7, 0.6);
  const shifts = networksOf(ns);
  const shift = (k: number, at: number) => network(shifts.get(`ns.0.nice.${k}.t`)!, relu, [at])[0];
  const y0 = x[0] - shift(1, x[1]);
  const y1 = x[1] - shift(0, y0);
  const k = ns.parameters().find(({ name }) => name === "ns.1.scaling.logScale")!.values();
  assertClose(encode(ns, x).z, [y0 * exp(-k[0]), y1 * exp(-k[1])], { absolute: 1e-12 });
  // S before N, in the sense of x → z, is another map.
  const sn = couplingChain("SN", { dim: 2, hidden: [3, 4] });
  const others = sn.parameters();
  for (const parameter of ns.parameters()) {
    others.find(({ name }) => name.endsWith(parameter.name.replace(/^ns\.[01]/, "")))!.set(parameter.values());
  }
  assert(encode(sn, x).z.some((v, i) => Math.abs(v - encode(ns, x).z[i]) > 1e-3));
});

Deno.test("blocks in a row are one RealNVP: the same map as blocks one by one, in the right order only", () => {
  const x = normals(4 * 5, 8);
  const chain = couplingChain("R3", { dim: 4, hidden: [5] });
  randomiseParameters(chain.parameters(), 9, 0.4);
  const all = chain.parameters();
  const blocks = [0, 1, 2].map((k) => {
    const block = new RealNVP({ dim: 4, blocks: 1, hidden: [5], shiftActivation: "relu", name: `block.${k}` });
    block.parameters().forEach((parameter, i) => parameter.set(all[k * all.length / 3 + i].values()));
    return new Inverse(block);
  });
  const expected = encode(chain, x);
  // Prior side first: the first block meets x.
  const joined = encode(new Chain(blocks.toReversed()), x);
  assertClose(joined.z, expected.z, { absolute: 1e-12 });
  assertClose(joined.logDet, expected.logDet, { absolute: 1e-12 });
  assert(encode(new Chain(blocks), x).z.some((v, i) => Math.abs(v - expected.z[i]) > 1e-3), "another order");
  const own = new NICE({ dim: 4, blocks: 3, hidden: [5], activation: "relu" });
  const nice = couplingChain("NNN", { dim: 4, hidden: [5] });
  assertEquals(own.parameters().map(({ shape }) => shape), nice.parameters().map(({ shape }) => shape));
});

Deno.test("chains obey the laws of bijectors, and every parameter has a name of its own", () => {
  const data = normals(80, 1);
  for (const notation of ["R2", "N2S", "(RN)2 S", "W(RSN)2S2"]) {
    const chain = couplingChain(notation, { dim: 4, hidden: [5], data, shiftActivation: "tanh" });
    randomiseParameters(chain.parameters().filter(({ trainable }) => trainable), 2, 0.3);
    const names = chain.parameters().map(({ name }) => name);
    assertEquals(new Set(names).size, names.length, notation);
    const points = normals(4 * 3, 3);
    const tolerance = notation.includes("W") ? ROUNDED_CONSTANTS : SHARED_PARAMETERS;
    assertRoundTrip(chain, points, tolerance);
    assertLogDetIsJacobian(chain, points, tolerance);
    assertKernelsAgree(chain, points);
  }
  const [a, b] = [couplingChain("RNR", { dim: 2 }), couplingChain("RNR", { dim: 2, seed: 1 })];
  assert(a.parameters()[0].values().some((v, i) => v !== b.parameters()[0].values()[i]));
});

Deno.test("repetition, groups and blanks are read; what cannot be read is named with its position", () => {
  const shapes = (notation: string) =>
    couplingChain(notation, { dim: 2, hidden: [3] }).parameters().map(({ name, shape }) => `${name} ${shape}`);
  assertEquals(shapes("(RN)7"), shapes("RNRNRNRNRNRNRN"));
  assertEquals(shapes("R 8"), shapes("RRRR(R)4"));
  assertEquals(shapes("((RR)2N)2S"), shapes("R4NR4NS"));
  const wrong: [string, string][] = [
    ["", 'Cannot read the chain "": it must have a letter, got none'],
    ["RXR", 'Cannot read the chain "RXR": letters must be R, N, S or W, got "X" at position 2'],
    ["8R", 'Cannot read the chain "8R": letters must be R, N, S or W, got "8" at position 1'],
    ["R0", 'Cannot read the chain "R0": repetitions must be 1 or more, got 0 at position 2'],
    ["(RN", 'Cannot read the chain "(RN": parentheses must be closed, got "(" at position 1 that is not'],
    ["RN)2", 'Cannot read the chain "RN)2": parentheses must hold letters and be opened, got ")" at position 3'],
    ["R()2", 'Cannot read the chain "R()2": parentheses must hold letters and be opened, got ")" at position 3'],
    ["R999999999", 'Cannot read the chain "R999999999": it must have at most 1000 layers, got 1001 or more'],
    ["RW", 'Cannot make the chain "RW": W must be the first letter, got one as layer 2'],
    ["WW", 'Cannot make the chain "WW": W must be the first letter, got one as layer 2'],
  ];
  for (const [notation, message] of wrong) {
    const error = assertThrows(
      () => couplingChain(notation, { dim: 2, hidden: [3], data: normals(20, 1) }),
      RangeError,
    );
    assertEquals(error.message, message);
  }
  const { message } = assertThrows(() => couplingChain("WR", { dim: 2 }), TypeError);
  assertEquals(message, 'Cannot make the chain "WR": data must be given for W, got undefined');
});
