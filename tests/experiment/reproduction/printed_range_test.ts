import { assertEquals, assertThrows } from "@std/assert";
import { printedRange } from "../../../src/experiment/reproduction/printed_range.ts";

function assertRange(printed: readonly string[], range: readonly [number, number]) {
  assertEquals(printedRange(...printed), range);
}

Deno.test("printedRange() holds what rounds to a printed number, and all between several", () => {
  assertRange(["0.248"], [0.2475, 0.2485]);
  assertRange(["−7.20"], [-7.205, -7.195]);
  assertRange(["-7.2"], [-7.25, -7.15]);
  assertRange(["4"], [3.5, 4.5]);
  assertRange(["0.579", "0.773"], [0.5785, 0.7735]);
  assertRange(["0.088", "0.0895", "0.0505"], [0.05045, 0.08955]);
});

Deno.test("printedRange() refuses what is no decimal number", () => {
  assertThrows(() => printedRange("≈ 4"), RangeError, 'printed must be decimal numbers, got "≈ 4"');
  assertThrows(() => printedRange(), RangeError, "got none");
});
