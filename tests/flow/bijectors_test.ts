import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { Chain, Inverse } from "../../src/flow/chain.ts";
import { splitChannels } from "../../src/flow/channels.ts";
import { NICE } from "../../src/flow/nice.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/training/snapshot.ts";
import { assertClose } from "../support/assert_close.ts";
import { apply, assertRoundTrip } from "../support/laws.ts";
import { normals } from "../support/random_arrays.ts";
import { nice, realNVP, whitening } from "./bijector_examples.ts";

const points = normals(8 * 5, 1);

Deno.test("splitChannels(): each coordinate in one channel, odd dimensions give the first one more", () => {
  assertEquals(splitChannels(5, "even-odd"), { first: [0, 2, 4], second: [1, 3], merge: [0, 3, 1, 4, 2] });
  assertEquals(splitChannels(5, "halves"), { first: [0, 1, 2], second: [3, 4], merge: [0, 1, 2, 3, 4] });
  assertEquals(splitChannels(2, "even-odd"), splitChannels(2, "halves"));
});

Deno.test("RealNVP starts volume-preserving but not as the identity", () => {
  const { value, logDet } = apply(new RealNVP({ dim: 5, hidden: [7], blocks: 3 }), "forward", points);

  assertEquals([...logDet], new Array(8).fill(0));
  assertNotEquals([...value], [...points]);
});

Deno.test("RealNVP changes volume once its scales are not zero, differently for each sample", () => {
  const { logDet } = apply(realNVP({ dim: 5 }), "forward", points);

  assertEquals(new Set(logDet).size, 8);
});

Deno.test("RealNVP with one block: the first coupling moves the second channel by networks of the first", () => {
  const flow = new RealNVP({ dim: 3, hidden: [], blocks: 1, channels: "halves" });
  const byName = new Map(flow.parameters().map((parameter) => [parameter.name, parameter]));
  // Channels (0, 1) and (2). Coupling 0: x₂ ← x₂ e^(x₀ + 2 x₁) + 3 x₀ + 0.5; coupling 1 leaves (0, 1) unscaled, adds x₂.
  byName.get("realnvp.0.s.0.weight")!.set([1, 2]);
  byName.get("realnvp.0.t.0.weight")!.set([3, 0]);
  byName.get("realnvp.0.t.0.bias")!.set([0.5]);
  byName.get("realnvp.1.t.0.weight")!.set([1, 1]);

  const { value, logDet } = apply(flow, "forward", Float64Array.of(0.1, -0.2, 0.7));

  const x2 = 0.7 * Math.exp(-0.3) + 0.8;
  assertClose(value, [0.1 + x2, -0.2 + x2, x2], { relative: 1e-14 });
  assertClose(logDet, [-0.3], { relative: 1e-14 });
});

Deno.test("NICE preserves volume exactly, whatever its parameters", () => {
  const { value, logDet } = apply(nice({ dim: 5 }), "forward", points);

  assertEquals([...logDet], new Array(8).fill(0));
  assertNotEquals([...value], [...points]);
  assertRoundTrip(nice({ dim: 5 }), points, { roundTrip: 1e-14, logDet: 0 });
});

Deno.test("Scaling is the identity at k = 0 and multiplies by e^k", () => {
  const identity = apply(new Scaling({ dim: 5 }), "forward", points);
  assertEquals(identity.value, points);
  assertEquals([...identity.logDet], new Array(8).fill(0));

  const { value, logDet } = apply(new Scaling({ dim: 2, logScale: [1, -2] }), "forward", Float64Array.of(3, 5));
  assertClose(value, [3 * Math.E, 5 * Math.exp(-2)], { relative: 1e-15 });
  assertEquals([...logDet], [-1]);
});

Deno.test("Chain applies its parts from the prior outwards and adds their log-determinants", () => {
  const parts = [realNVP({ dim: 5 }), new Scaling({ dim: 5, logScale: [1, 2, 3, 4, 5] }), nice({ dim: 5 })];
  const chain = new Chain(parts);
  let [value, logDet]: [Float64Array, Float64Array] = [points, new Float64Array(8)];
  for (const part of parts) {
    const next = apply(part, "forward", value);
    value = next.value;
    logDet = logDet.map((sum, i) => sum + next.logDet[i]);
  }

  const whole = apply(chain, "forward", points);

  assertClose(whole.value, value, { relative: 1e-14 });
  assertClose(whole.logDet, logDet, { relative: 1e-14 });
  assertEquals(chain.parameters(), parts.flatMap((part) => part.parameters()));
});

Deno.test("Inverse exchanges the directions and is its own inverse", () => {
  const flow = realNVP({ dim: 5 });

  assertEquals(apply(new Inverse(flow), "forward", points), apply(flow, "inverse", points));
  assertEquals(apply(new Inverse(new Inverse(flow)), "forward", points), apply(flow, "forward", points));
});

Deno.test("the same seed gives the same networks, another seed and another name others", () => {
  const numbers = (options: { seed?: number; name?: string }) =>
    new RealNVP({ dim: 4, hidden: [5], blocks: 1, ...options }).parameters().flatMap((p) => [...p.values()]);

  assertEquals(numbers({ seed: 3 }), numbers({ seed: 3 }));
  assertNotEquals(numbers({ seed: 3 }), numbers({ seed: 4 }));
  assertNotEquals(numbers({ name: "a" }), numbers({ name: "b" }));
});

Deno.test("parameters have unique names, and are all that is needed to rebuild a flow", () => {
  const make = (seed: number) =>
    new Chain([realNVP({ dim: 4, seed }), nice({ dim: 4, seed }), new Scaling({ dim: 4 }), whitening(4)]);
  const [first, second] = [make(1), make(2)];
  const saved = takeSnapshot(first.parameters());
  second.parameters().forEach((parameter, i) => parameter.set(normals(parameter.length, i)));

  restoreSnapshot(second.parameters(), saved);

  const at = normals(4 * 4, 2);
  assertEquals(apply(second, "forward", at), apply(first, "forward", at));
  assertEquals(apply(second, "inverse", at), apply(first, "inverse", at));
  assertEquals(saved.size, first.parameters().length);
});

Deno.test("a graph that was traced before parameters are restored uses the restored ones", () => {
  const fitted = whitening(3);
  const empty = whitening(3, { name: "whitening" });
  empty.parameters().forEach((parameter) => parameter.set(new Float32Array(parameter.length)));
  const graph = new Graph();
  const { logDet } = empty.forward(input(graph, "z", 3));

  restoreSnapshot(empty.parameters(), takeSnapshot(fitted.parameters()));

  assert(logDet.graph === graph);
  const at = normals(3, 4);
  assertEquals(apply(empty, "forward", at), apply(fitted, "forward", at));
});

Deno.test("bijectors refuse impossible sizes", () => {
  const messages: [() => unknown, string][] = [
    [() => new RealNVP({ dim: 1 }), "Cannot make a RealNVP: dim must be a whole number ≥ 2, got 1"],
    [() => new RealNVP({ dim: 2.5 }), "Cannot make a RealNVP: dim must be a whole number ≥ 2, got 2.5"],
    [() => new RealNVP({ dim: 2, blocks: 0 }), "Cannot make a RealNVP: blocks must be a whole number ≥ 1, got 0"],
    [() => new NICE({ dim: 1 }), "Cannot make a NICE: dim must be a whole number ≥ 2, got 1"],
    [() => new NICE({ dim: 2, blocks: 1.5 }), "Cannot make a NICE: blocks must be a whole number ≥ 1, got 1.5"],
    [() => new Scaling({ dim: 0 }), "Cannot make a scaling: dim must be a whole number ≥ 1, got 0"],
    [
      () => new Scaling({ dim: 2, logScale: [1] }),
      "Cannot set parameter scaling.logScale: values must have length 2, got 1",
    ],
    [() => new Chain([]), "Cannot chain bijectors: parts must be one or more of equal dim, got dims []"],
    [
      () => new Chain([new Scaling({ dim: 1 }), new Scaling({ dim: 2 })]),
      "Cannot chain bijectors: parts must be one or more of equal dim, got dims [1,2]",
    ],
    [
      () => new RealNVP({ dim: 2, hidden: [0] }),
      "Cannot make the network realnvp.0.s: hidden[0] must be a whole number ≥ 1, got 0",
    ],
  ];
  messages.forEach(([action, message]) => assertThrows(action, RangeError, message));
});
