import { assertEquals, assertThrows } from "@std/assert";
import type { PrimitiveName } from "../../src/graph/attributes.ts";
import type { Primitive } from "../../src/autodiff/primitives/primitive.ts";
import type { Evaluation } from "../../src/graph/columns.ts";
import { primitiveOf, primitives } from "../../src/autodiff/primitives.ts";
import { type Shape, sizeOf } from "../../src/graph/graph.ts";
import { vjpFaults, withBrokenVjp } from "../support/broken.ts";
import { uniforms } from "../support/random_arrays.ts";
import { assertVjpIsDerivative, type Rule } from "../support/vjp_law.ts";
import { type PrimitiveSample, primitiveSamples } from "./primitive_samples.ts";

const given: readonly PrimitiveName[] = ["input", "parameter"];
const computed = (Object.keys(primitives) as PrimitiveName[]).filter((name) => !given.includes(name));

function sampleOf(name: PrimitiveName): PrimitiveSample<PrimitiveName> {
  return primitiveSamples[name] as unknown as PrimitiveSample<PrimitiveName>;
}

function evaluate(
  name: PrimitiveName,
  { n, d, shapes = sampleOf(name).inputs(d), shape = sampleOf(name).shape(d) }: {
    n: number;
    d: number;
    shapes?: readonly Shape[];
    shape?: Shape;
  },
): Evaluation<PrimitiveName> {
  const { attributes, range, values } = sampleOf(name);
  const inputs = values?.(n, d) ?? shapes.map((of, k) => uniforms(sizeOf(of, n), 7 + k, ...(range ?? [])));
  return { inputs, shapes, shape, attributes: attributes(d), n };
}

for (const name of computed) {
  Deno.test(`${name}: value has its shape and the vjp is its derivative in float64`, () => {
    for (const [n, d] of [[1, 1], [3, 5], [4, 2]]) {
      const at = evaluate(name, { n, d });

      assertEquals(primitiveOf(name).forward(at).length, sizeOf(at.shape, n));
      assertVjpIsDerivative(primitiveOf(name), at, { constants: sampleOf(name).constants });
    }
  });
}

for (const name of ["add", "subtract", "multiply", "divide"] as const) {
  Deno.test(`${name}: the vjp sums the cotangent of a scalar beside a column`, () => {
    for (const shapes of [[[], ["n"]], [["n"], []], [[], []]] as Shape[][]) {
      for (const n of [1, 4]) {
        const shape: Shape = shapes.some((of) => of.length === 1) ? ["n"] : [];
        const at = evaluate(name, { n, d: 1, shapes, shape });

        assertEquals(primitiveOf(name).forward(at).length, sizeOf(shape, n));
        assertVjpIsDerivative(primitiveOf(name), at);
      }
    }
  });
}

Deno.test("power: the derivative of x⁰ is 0, also at x = 0", () => {
  const at = { inputs: [Float64Array.of(0, 2)], shapes: [["n"]], shape: ["n"], n: 2 } as const;
  const [cotangent] = primitives.power.vjp(
    { ...at, attributes: { exponent: 0 }, output: Float64Array.of(1, 1) },
    Float64Array.of(1, 1),
  );

  assertEquals([...cotangent!], [0, 0]);
});

Deno.test("input and parameter: values are provided, never computed", () => {
  for (const name of given) {
    assertThrows(() => primitiveOf(name).forward(evaluate(name, { n: 2, d: 3 })), Error, "Internal error:");
    assertEquals(
      primitiveOf(name).vjp({ ...evaluate(name, { n: 2, d: 3 }), output: new Float64Array(6) }, new Float64Array(6)),
      [],
    );
  }
});

Deno.test("the law of derivatives rejects every fault of every primitive that has inputs", () => {
  let rejected = 0;
  for (const name of computed) {
    const at = evaluate(name, { n: 3, d: 5 });
    if (at.inputs.length === 0) continue;
    for (const [fault, spoil] of Object.entries(vjpFaults)) {
      const broken = withBrokenVjp(primitiveOf(name), spoil);
      const check = () => assertVjpIsDerivative(broken, at, { constants: sampleOf(name).constants });
      assertThrows(check, Error, "difference quotient", `${name}: ${fault}`);
      rejected++;
    }
  }
  assertEquals(rejected, (computed.length - 1) * Object.keys(vjpFaults).length); // all but constantColumn
});

Deno.test("the law of derivatives rejects a rule that forgets that a scalar was repeated", () => {
  const unsummed: Rule<"add"> = {
    forward: primitives.add.forward,
    vjp: (at, cotangent) => at.inputs.map((x) => cotangent.slice(0, x.length)),
  };
  const at = evaluate("add", { n: 3, d: 1, shapes: [[], ["n"]], shape: ["n"] }) as Evaluation<"add">;

  assertVjpIsDerivative(primitives.add, at);
  assertThrows(() => assertVjpIsDerivative(unsummed, at), Error, "difference quotient");
});

Deno.test("the law of derivatives rejects NaN and missing cotangents", () => {
  const at = evaluate("multiply", { n: 2, d: 2 }) as Evaluation<"multiply">;
  const notANumber = withBrokenVjp(primitives.multiply, (right) => right.map((x) => x!.fill(NaN)));
  const short = { ...primitives.multiply, vjp: () => [] } as unknown as Primitive<"multiply">;

  assertThrows(() => assertVjpIsDerivative(notANumber, at), Error, "difference quotient");
  assertThrows(() => assertVjpIsDerivative(short, at), Error, "0 cotangents for 2 inputs");
});
