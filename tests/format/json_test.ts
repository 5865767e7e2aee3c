import { assertEquals, assertThrows } from "@std/assert";
import { firstDifference, writeJson } from "../../src/format/json.ts";

const value = { b: [1, "zwei", null], a: { d: 0.1, c: [] }, list: [[1, 2], { x: true }], none: undefined };

Deno.test("writeJson() agrees with JSON.stringify in one line", () => {
  assertEquals(writeJson(value), JSON.stringify(value));
  for (const plain of [null, true, -1.5e-300, '\u2028"\\\ud800', [], {}, [[[]]], 5e-324, 1e21]) {
    assertEquals(writeJson(plain), JSON.stringify(plain));
    assertEquals(JSON.parse(writeJson(plain, { indent: 2 })), JSON.parse(JSON.stringify(plain)));
  }
});

Deno.test("writeJson() sorts keys on every level when asked", () => {
  assertEquals(
    writeJson(value, { keys: "sorted" }),
    '{"a":{"c":[],"d":0.1},"b":[1,"zwei",null],"list":[[1,2],{"x":true}]}',
  );
  assertEquals(
    writeJson({ "10": 1, "9": 2, Z: 3, a: 4, ä: 5 }, { keys: "sorted" }),
    '{"10":1,"9":2,"Z":3,"a":4,"ä":5}',
  );
});

Deno.test("writeJson() indents objects and keeps lists of plain values in one line", () => {
  assertEquals(
    writeJson(value, { indent: 2 }),
    `{
  "b": [1, "zwei", null],
  "a": {
    "d": 0.1,
    "c": []
  },
  "list": [
    [1, 2],
    {
      "x": true
    }
  ]
}`,
  );
});

Deno.test("writeJson() takes typed arrays and objects without prototype", () => {
  const bare = Object.assign(Object.create(null), { x: Float32Array.of(0.5, 2) });
  assertEquals(writeJson(bare), '{"x":[0.5,2]}');
});

Deno.test("writeJson() names the place of what JSON would change", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = [cycle];
  const shared = { x: 1 };

  const number = assertThrows(() => writeJson({ a: [{ b: -Infinity }] }), RangeError);
  const inArray = assertThrows(() => writeJson({ a: Float64Array.of(1, NaN) }), RangeError);
  const missing = assertThrows(() => writeJson([undefined]), TypeError);
  const map = assertThrows(() => writeJson({ m: new Map() }), TypeError);
  const big = assertThrows(() => writeJson({ n: 1n }), TypeError);
  const circular = assertThrows(() => writeJson(cycle), TypeError);

  assertEquals(number.message, "Cannot write JSON: value.a[0].b must be a finite number or null, got -Infinity");
  assertEquals(inArray.message, "Cannot write JSON: value.a[1] must be a finite number or null, got NaN");
  assertEquals(missing.message, "Cannot write JSON: value[0] must have a JSON form, got undefined");
  assertEquals(map.message, "Cannot write JSON: value.m must be a plain object, got Map");
  assertEquals(big.message, "Cannot write JSON: value.n must have a JSON form, got bigint");
  assertEquals(circular.message, "Cannot write JSON: value.self[0] must not hold itself, got a cycle");
  assertEquals(writeJson([shared, shared]), '[{"x":1},{"x":1}]');
});

Deno.test("firstDifference() names the first differing place with both sides", () => {
  const left = { seed: 1, system: { slope: 2, list: [1, 2] } };

  assertEquals(firstDifference(left, { system: { list: [1, 2], slope: 2 }, seed: 1 }), undefined);
  assertEquals(firstDifference(left, { ...left, seed: 2 }), { path: "seed", expected: "1", actual: "2" });
  assertEquals(firstDifference(left, { seed: 1, system: { slope: 2, list: [1, 3] } }), {
    path: "system.list.1",
    expected: "2",
    actual: "3",
  });
  assertEquals(firstDifference(left, { seed: 1, system: { slope: 2 } }), {
    path: "system.list",
    expected: "[1,2]",
    actual: "nothing",
  });
  assertEquals(firstDifference({ a: null }, {}), { path: "a", expected: "null", actual: "nothing" });
  assertEquals(firstDifference({ a: [] }, { a: {} }), { path: "a", expected: "[]", actual: "{}" });
  assertEquals(firstDifference({ a: 1 }, { a: "1" }), { path: "a", expected: "1", actual: '"1"' });
});
