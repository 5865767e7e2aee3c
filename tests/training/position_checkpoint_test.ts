import { assertEquals, assertThrows } from "@std/assert";
import { Parameter } from "../../src/graph/parameter.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/training/checkpoint.ts";
import type { JsonObject } from "../../src/format/json.ts";
import { packPosition, unpackPosition } from "../../src/training/position_checkpoint.ts";
import type { TrainingPosition } from "../../src/training/train.ts";

await loadKernels();

const position: TrainingPosition = {
  stage: 1,
  step: 7,
  optimiser: { steps: 7, tensors: new Map([["m.w", Float32Array.of(1, 2)], ["v.w", Float32Array.of(3, 4)]]) },
  history: [{ stage: "first", step: 5, losses: { loss: 2, energy: -1 }, validation: null }],
  running: { sums: [0.1, 0.2], count: 2 },
  bestValidation: 1.5,
  best: new Map([["w", Float32Array.of(5, 6)]]),
};

const parameter = (...values: number[]) => new Parameter("w", [values.length], Float32Array.from(values));

/** A position as it comes back from a file. */
async function through(at: TrainingPosition) {
  const checkpoint = await decodeCheckpoint(
    await encodeCheckpoint({ kind: "k", ...packPosition([parameter(8, 9)], at) }),
  );
  const target = parameter(0, 0);
  return { position: unpackPosition([target], checkpoint, "file"), values: target.values() };
}

Deno.test("packPosition() and unpackPosition() keep parameters and every field of a position", async () => {
  assertEquals(await through(position), { position, values: Float32Array.of(8, 9) });
  const first = {
    ...position,
    optimiser: null,
    history: [],
    running: { sums: [], count: 0 },
    bestValidation: Infinity,
    best: new Map<string, Float32Array>(),
  };
  assertEquals((await through(first)).position, first);
});

Deno.test("unpackPosition() refuses what is no position before it changes a parameter", () => {
  const { state, tensors } = packPosition([parameter(8, 9)], position);
  const good = state.position as JsonObject;
  const broken: readonly JsonObject[] = [
    {},
    { position: { ...good, stage: -1 } },
    { position: { ...good, step: 1.5 } },
    { position: { ...good, optimiserSteps: "7" } },
    { position: { ...good, history: [{ ...(good.history as JsonObject[])[0], losses: { loss: "2" } }] } },
    { position: { ...good, history: {} } },
    { position: { ...good, running: { sums: [1], count: null } } },
    { position: { ...good, bestValidation: "low" } },
  ];
  const target = parameter(0, 0);
  for (const content of broken) {
    assertThrows(
      () => unpackPosition([target], { state: content, tensors }, "file"),
      RangeError,
      "Cannot resume from file: its position must be that of a training, got other content",
    );
  }
  assertThrows(
    () => unpackPosition([parameter(0, 0, 0)], { state, tensors }, "file"),
    Error,
    "Cannot restore parameters: w must hold 3 numbers, got 2",
  );
  assertEquals(target.values(), Float32Array.of(0, 0));
});
