import { assertEquals, assertThrows } from "@std/assert";
import { Parameter } from "../../src/graph/parameter.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/training/snapshot.ts";

Deno.test("takeSnapshot() copies, restoreSnapshot() brings back", () => {
  const parameters = [new Parameter("a", [2], [1, 2]), new Parameter("b", [1, 1], [3], { trainable: false })];
  const snapshot = takeSnapshot(parameters);
  parameters.forEach((parameter) => parameter.set(new Float32Array(parameter.length).fill(9)));

  restoreSnapshot(parameters, snapshot);

  assertEquals(parameters.map((parameter) => [...parameter.values()]), [[1, 2], [3]]);
});

Deno.test("takeSnapshot() refuses two parameters of one name", () => {
  assertThrows(
    () => takeSnapshot([new Parameter("a", [1]), new Parameter("a", [1])]),
    Error,
    "Cannot copy parameters: names must be unique, got a twice",
  );
});

Deno.test("restoreSnapshot() refuses a missing parameter or another length, and changes nothing then", () => {
  const parameters = [new Parameter("a", [2], [1, 2]), new Parameter("b", [1], [3])];
  for (const [b, got] of [[undefined, "none"], [new Float32Array(2), "2"]] as const) {
    const snapshot = new Map([["a", Float32Array.of(7, 7)]]);
    if (b !== undefined) snapshot.set("b", b);
    assertThrows(
      () => restoreSnapshot(parameters, snapshot),
      Error,
      `Cannot restore parameters: b must hold 1 numbers, got ${got}`,
    );
  }
  assertEquals(parameters.map((parameter) => [...parameter.values()]), [[1, 2], [3]]);
});
