import { assertGreater, assertThrows } from "@std/assert";
import { logAbsDeterminant } from "../../src/flow/audit_jacobian.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { logDetFaults, mapFaults } from "../support/broken.ts";
import {
  assertEveryParameterLearns,
  assertIntegratesToOne,
  assertKernelsAgree,
  assertLogDetIsJacobian,
  assertLogDetsCancel,
  assertRoundTrip,
} from "../support/laws.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { bijectorExamples, realNVP } from "./bijector_examples.ts";

await loadKernels();

for (const [name, { make, tolerance, smooth }] of Object.entries(bijectorExamples)) {
  Deno.test(`${name}: forward and inverse undo each other and log-dets are those of the Jacobian`, () => {
    const bijector = make();
    const points = normals(6 * bijector.dim, 21);

    assertRoundTrip(bijector, points, tolerance);
    assertLogDetsCancel(bijector, points, tolerance);
    assertLogDetIsJacobian(bijector, points, tolerance);
  });

  Deno.test(`${name}: every element of every parameter learns`, () => {
    const bijector = make();

    assertEveryParameterLearns(bijector, normals(40 * bijector.dim, 22));
  });

  Deno.test(`${name}: kernels agree with float64`, () => {
    const bijector = make();
    for (const n of smooth ? [1, 33, 300] : [1, 33]) assertKernelsAgree(bijector, normals(n * bijector.dim, 23 + n));
  });

  if (smooth && make().dim <= 2) {
    Deno.test(`${name}: the density integrates to one`, () => assertIntegratesToOne(make()));
  }
}

const good = () => realNVP({ dim: 2 });
const points = normals(6 * 2, 24);

for (const [fault, spoil] of Object.entries(logDetFaults)) {
  Deno.test(`laws reject a bijector with its ${fault}; round trip and cancelling log-dets alone accept it`, () => {
    const broken = spoil(good());

    assertRoundTrip(broken, points);
    assertLogDetsCancel(broken, points);
    assertThrows(() => assertLogDetIsJacobian(broken, points), Error, "log-det against the Jacobian");
    assertThrows(() => assertIntegratesToOne(broken), Error, "integral of the density");
  });
}

for (const [fault, spoil] of Object.entries(mapFaults)) {
  Deno.test(`the round trip rejects a bijector whose ${fault}`, () => {
    assertThrows(() => assertRoundTrip(spoil(good()), points), Error, "inverse(forward(z))");
  });
}

Deno.test("the law of learning rejects a bijector with a parameter that it does not use", () => {
  const bijector = good();
  const idle: Bijector = {
    dim: 2,
    parameters: () => [...bijector.parameters(), ...new Scaling({ dim: 2 }).parameters()],
    forward: (z) => bijector.forward(z),
    inverse: (x) => bijector.inverse(x),
  };

  assertThrows(() => assertEveryParameterLearns(idle, points), Error, "forward: scaling.logScale[0] has gradient 0");
});

Deno.test("the law of learning rejects networks whose last layer hides the layers before", () => {
  const untrained = new RealNVP({ dim: 2, blocks: 1, hidden: [4] }); // every S ends in zeros
  assertThrows(
    () => assertEveryParameterLearns(untrained, points),
    Error,
    "forward: realnvp.0.s.0.weight[0] has gradient 0",
  );
});

Deno.test("the law of kernels rejects parameters that differ by one in a thousand", () => {
  const other = good();
  other.parameters().forEach((parameter) => parameter.set(parameter.values().map((v) => v * (1 + 1e-3))));

  assertKernelsAgree(good(), points);
  assertThrows(() => assertKernelsAgree(good(), points, other), Error, "differs by");
});

Deno.test("log|det| by elimination: triangular, permuted and singular matrices", () => {
  assertClose(logAbsDeterminant(Float64Array.of(0, 2, 3, 5), 2), Math.log(6), { absolute: 1e-15 });
  assertClose(logAbsDeterminant(Float64Array.of(1, 2, 3, 0, -4, 5, 0, 0, 6), 3), Math.log(24), { absolute: 1e-15 });
  assertGreater(-30, logAbsDeterminant(Float64Array.of(1, 2, 2, 4), 2));
});
