import { assertEquals, assertThrows } from "@std/assert";
import { isJsonObject, type JsonLimits, parseJson, parseJsonObject, showJson } from "../../src/format/parse_json.ts";

const refuse = (rest: string): never => {
  throw new RangeError(`Cannot read it: ${rest}`);
};

function messageOf(text: string, limits?: JsonLimits): string {
  return assertThrows(() => parseJson(text, "the file", refuse, limits), RangeError).message;
}

Deno.test("parseJson() returns what JSON.parse returns for sound text", () => {
  const text = ' {"a": [1, -0.5e-3, true, null, "}{][,:\\"\\\\"], "ü": {"a": {}}, "constructor": 1} ';

  assertEquals(parseJson(text, "the file", refuse), JSON.parse(text));
});

Deno.test("parseJson() refuses what JSON.parse accepts and changes, and what costs too much", () => {
  const deep = "[".repeat(1e6) + "]".repeat(1e6);

  assertEquals(
    [
      messageOf("{,}"),
      messageOf(""),
      messageOf('{"a":1,"\\u0061":2}'),
      messageOf('{"a":[{"__proto__":{}}]}'),
      messageOf('{"a":1e999}'),
      messageOf(deep),
      messageOf("[[1]]", { maximumDepth: 1 }),
      messageOf('{"a":[1,2]}', { maximumValues: 4 }),
      messageOf("12345", { maximumLength: 4 }),
      messageOf('"never closed \\'),
    ],
    [
      "must be JSON, got text that does not parse",
      "must be JSON, got text that does not parse",
      'must name everything once, got "a" twice',
      'must not hold reserved keys, got "__proto__"',
      "must hold numbers within float64, got one beyond ±1.8e308",
      "must be at most 32 levels deep, got more",
      "must be at most 1 levels deep, got more",
      "must hold at most 4 values, got more",
      "must have at most 4 characters, got 5",
      "must be JSON, got text that does not parse",
    ].map((rest) => `Cannot read it: the file ${rest}`),
  );
});

Deno.test("parseJsonObject() refuses lists, null and plain values", () => {
  for (const text of ["[]", "null", "1", '"a"']) {
    const error = assertThrows(() => parseJsonObject(text, "the file", refuse), RangeError);
    assertEquals(error.message, "Cannot read it: the file must be a JSON object, got another value");
  }
  assertEquals([isJsonObject({}), isJsonObject([]), isJsonObject(null)], [true, false, false]);
});

Deno.test("showJson() is short whatever it is given", () => {
  assertEquals([showJson("x"), showJson(undefined), showJson("y".repeat(1e6)).length], ['"x"', "none", 80]);
});
