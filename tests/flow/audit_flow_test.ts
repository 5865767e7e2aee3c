/** The audit passes every correct flow and fails each that lies: wrong log-determinants, maps, kernels, densities. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { multiply } from "../../src/graph/operations.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { type AuditCheck, type AuditName, checkOf, type FlowAudit } from "../../src/flow/audit_checks.ts";
import { auditFlow } from "../../src/flow/audit_flow.ts";
import { integrate } from "../../src/flow/audit_integral.ts";
import { compareLogDet, logAbsDeterminant } from "../../src/flow/audit_jacobian.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { Flow } from "../../src/flow/flow.ts";
import { assertClose } from "../support/assert_close.ts";
import { logDetFaults, mapFaults } from "../support/broken.ts";
import { normals } from "../support/random_arrays.ts";
import { bijectorExamples, realNVP } from "./bijector_examples.ts";

await loadKernels();

const named = ({ checks }: FlowAudit, name: AuditName): AuditCheck => checks.find((check) => check.name === name)!;
const failing = ({ checks }: FlowAudit) => checks.filter(({ verdict }) => verdict === "failed").map(({ name }) => name);

for (const [name, { make }] of Object.entries(bijectorExamples)) {
  Deno.test(`auditFlow() passes ${name}, by every check that is possible`, async () => {
    const bijector = make();
    const audit = await auditFlow(new Flow(bijector), { data: normals(6 * bijector.dim, 31) });

    assertEquals(failing(audit), [], JSON.stringify(audit.checks));
    assert(audit.passed);
    for (const { name, error, tolerance, verdict, points } of audit.checks) {
      const possible = name !== "integral" || bijector.dim <= 2;
      assertEquals(verdict, possible ? "passed" : "not possible", name);
      // Tolerances follow the flow; those that say nothing would be of order one.
      if (possible) assert(error! <= tolerance! && tolerance! < 2e-3 && points > 0, `${name}: ${error}, ${tolerance}`);
    }
    assertEquals(named(audit, "round trip").points, 4 + 8, "samples one way; samples and data the other");
  });
}

for (const [fault, spoil] of Object.entries(logDetFaults)) {
  Deno.test(`auditFlow() fails a flow with its ${fault}, by differences and by the integral`, async () => {
    const audit = await auditFlow(new Flow(spoil(realNVP({ dim: 2 }))));
    assertEquals(audit.passed, false);
    assertEquals(failing(audit), ["log-determinant", "integral"]);
    // In more dimensions no integral helps; differences do.
    assertEquals(failing(await auditFlow(new Flow(spoil(realNVP({ dim: 5 }))))), ["log-determinant"]);
  });
}

for (const [fault, spoil] of Object.entries(mapFaults)) {
  Deno.test(`auditFlow() fails a flow whose ${fault}, by its round trip`, async () => {
    const audit = await auditFlow(new Flow(spoil(realNVP({ dim: 2 }))));
    assert(failing(audit).includes("round trip"), `${failing(audit)}`);
  });
}

/** A bijector with one method replaced. */
function variant(bijector: Bijector, changes: Partial<Bijector>): Bijector {
  return {
    dim: bijector.dim,
    parameters: () => bijector.parameters(),
    forward: (z) => bijector.forward(z),
    inverse: (x) => bijector.inverse(x),
    ...changes,
  };
}

Deno.test("auditFlow() fails a direct density that is not the one of the map", async () => {
  const good = realNVP({ dim: 3 });
  const density = (factor: number) =>
    variant(good, { normalLogProb: (x) => multiply(new Flow(good).logProbOf(x), factor) });
  assert((await auditFlow(new Flow(density(1)))).passed);
  const audit = await auditFlow(new Flow(density(1.001)));
  assertEquals(failing(audit), ["both directions"]);
  assertEquals(named(audit, "both directions").reason, "inverse and direct");
});

Deno.test("auditFlow() fails kernels that are off by one in ten thousand", async () => {
  class OffKernels extends Flow {
    override decode(z: Float64Array) {
      const { x, logProb } = super.decode(z);
      return { x: x.map((v) => v * (1 + 1e-4)), logProb };
    }
  }
  const audit = await auditFlow(new OffKernels(realNVP({ dim: 3 })));
  assertEquals(failing(audit), ["kernels"]);
  assertEquals(named(audit, "kernels").reason, "samples");
});

Deno.test("auditFlow() fails densities of samples that are not those at the samples", async () => {
  class OffDensities extends Flow {
    override decode(z: Float64Array) {
      const { x, logProb } = super.decode(z);
      return { x, logProb: logProb.map((v) => v * (1 + 1e-3)) };
    }
  }
  const audit = await auditFlow(new OffDensities(realNVP({ dim: 3 })));
  assertEquals(failing(audit), ["kernels"]);
  assertEquals(named(audit, "kernels").reason, "log-densities of samples");
});

Deno.test("auditFlow() fails a flow with NaN or infinite parameters by every check that uses them", async () => {
  for (const bad of [NaN, Infinity]) {
    const bijector = realNVP({ dim: 2 });
    const parameter = bijector.parameters().find(({ name }) => name === "realnvp.1.t.2.bias")!;
    parameter.set(parameter.values().fill(bad));
    const audit = await auditFlow(new Flow(bijector));
    assertEquals(audit.passed, false);
    assert(failing(audit).length >= 4, `${failing(audit)}`);
  }
});

Deno.test("auditFlow() is a function of flow, seed and data, and leaves out what was not asked for", async () => {
  const flow = new Flow(realNVP({ dim: 4 }));
  assertEquals(await auditFlow(flow, { seed: 3 }), await auditFlow(flow, { seed: 3 }));
  const other = named(await auditFlow(flow, { seed: 4 }), "kernels").error;
  assert(other !== named(await auditFlow(flow, { seed: 3 }), "kernels").error);
  const { verdict, reason, error } = named(await auditFlow(flow, { jacobians: 0 }), "log-determinant");
  assertEquals([verdict, reason, error], ["not possible", "none was asked for", null]);
});

Deno.test("auditFlow() stops when told to, and refuses what is no audit", async () => {
  const flow = new Flow(realNVP({ dim: 4 }));
  await assertRejects(() => auditFlow(flow, { signal: AbortSignal.abort(new Error("enough")) }), Error, "enough");
  for (
    const [options, expected] of [
      [{ samples: 0 }, "samples must be a whole number ≥ 1, got 0"],
      [{ jacobians: 0.5 }, "jacobians must be a whole number ≥ 0, got 0.5"],
      [{ data: new Float64Array(5) }, "data must hold rows of 4, got 5 numbers"],
      [{ data: new Float64Array(8).fill(NaN, 7) }, "data must be finite, got 1 of 2 rows that are not"],
    ] as const
  ) {
    const { message } = await assertRejects(() => auditFlow(flow, options), RangeError);
    assertEquals(message, `Cannot audit a flow: ${expected}`);
  }
});

Deno.test("integrate() has a tolerance that says so where a density is too narrow for its grid", () => {
  // Two peaks of width 1e-4 a distance of 100 apart.
  const { tolerance } = integrate({
    dim: 1,
    decode: (z) => z.map((v) => v * 1e-4 + (v > 0 ? 50 : -50)),
    logProb: (x) => x.map((v) => -0.5 * ((Math.abs(v) - 50) / 1e-4) ** 2 - Math.log(2e-4 * Math.sqrt(2 * Math.PI))),
    rounding: 0,
  });
  assert(tolerance > 0.01, `${tolerance}`);
});

Deno.test("integrate() finds one for densities that it resolves, and how far others are from it", () => {
  const normal = (factor: number, dim: number) =>
    integrate({
      dim,
      decode: (z) => z,
      logProb: (x) =>
        Float64Array.from({ length: x.length / dim }, (_, i) => {
          const row = x.subarray(i * dim, (i + 1) * dim);
          return Math.log(factor) - row.reduce((sum, v) => sum + v * v, dim * Math.log(2 * Math.PI)) / 2;
        }),
      rounding: 0,
    });
  for (const dim of [1, 2]) {
    const { error, tolerance } = normal(1, dim);
    assert(error <= tolerance && tolerance < 1e-7, `${dim}: ${error} ${tolerance}`);
    assertClose(normal(1.01, dim).error, 0.01, { absolute: 1e-7 });
  }
});

Deno.test("compareLogDet(): linear maps to rounding, curved ones within what either side says, wrong ones not", async () => {
  const matrix = normals(16, 41).map((v, i) => v + (i % 5 === 0 ? 3 : 0));
  const linear = (x: Float64Array) =>
    Float64Array.from({ length: x.length }, (_, k) => {
      const row = Math.floor(k / 4) * 4;
      return [0, 1, 2, 3].reduce((sum, j) => sum + matrix[k % 4 * 4 + j] * x[row + j], 0);
    });
  const cubes = (x: Float64Array) => x.map((v) => v ** 3);
  const x = Float64Array.of(0.7, -1.2, 2, 0.4);
  const scale = new Float64Array(4).fill(1);
  const cubic = x.reduce((sum, v) => sum + Math.log(3 * v * v), 0);
  for (const [map, logDet] of [[linear, logAbsDeterminant(matrix, 4)], [cubes, cubic]] as const) {
    const compare = (logDet: number) => compareLogDet(map, { x, image: map(x), logDet, scale }, async () => {});
    const { error, tolerance } = await compare(logDet);
    assert(error <= tolerance && tolerance < 1e-4, `${error}, ${tolerance}`);
    for (const wrong of [logDet + 1e-3, -logDet, 0]) {
      const found = await compare(wrong);
      assert(found.error > found.tolerance);
    }
  }
  assertClose(logAbsDeterminant(Float64Array.of(0, 2, 3, 5), 2), Math.log(6), { absolute: 1e-15 });
});

Deno.test("checkOf(): the worst comparison speaks, and NaN is worse than any number", () => {
  const one = (error: number, tolerance: number) => ({ what: `${error}`, error, tolerance });
  const check = (...measured: ReturnType<typeof one>[]) => checkOf("kernels", "", 1, measured);
  assertEquals(check(one(0, 0), one(1, 2), one(1, 4)).tolerance, 2);
  assertEquals(check(one(0, 0)).verdict, "passed");
  for (const bad of [one(NaN, 1), one(1, NaN), one(3, 1), one(Infinity, 1)]) {
    const { verdict, reason } = check(one(1, 1), bad, one(0, 1));
    assertEquals([verdict, reason], ["failed", bad.what]);
  }
});
