/**
 * The files of every bijector of the package, with random parameters, by whatever runs them: our kernels, which replay the
 * plan, and onnxruntime, which runs the graph beside it. Both against float64 in TypeScript.
 *
 * That log-determinants are those of the Jacobian needs files of float64, and is tested with every kind of them in
 * tests/onnx; that of the bijectors themselves in tests/flow.
 */
import { assert, assertRejects } from "@std/assert";
import { kernelBuild, kernels as loaded, useKernels } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { exportFlow, type FlowModels, roundWeights } from "../../src/onnx/export_flow.ts";
import { bijectorExamples, realNVP } from "../flow/bijector_examples.ts";
import type { PlanStep } from "../../src/sampler/encode_plan.ts";
import { description, exportBijector } from "../onnx/flow_example.ts";
import { requirePackage, runtimeTest } from "../runtimes/installed.ts";
import { normals } from "../support/random_arrays.ts";
import { assertFilesAgree, assertFilesInvert, kernels, onnxruntimeWeb, type Runner } from "./file_laws.ts";
import { type Plan, withPlan } from "./plans.ts";

await loadKernels();

for (const [name, { make }] of Object.entries(bijectorExamples)) {
  Deno.test(`files of ${name}: kernels and onnxruntime-web give what float64 gives, there and back`, async () => {
    const bijector = make();
    const files = exportBijector(bijector);
    const z = normals(12 * bijector.dim, 31);

    await assertFilesAgree([kernels, onnxruntimeWeb], files, bijector, z);
    await assertFilesInvert(kernels, files, bijector, z);
  });

  Deno.test(`files of ${name} with weights in float16 are those of the rounded flow`, async () => {
    const bijector = make();
    const files = exportHalf(bijector);
    roundWeights(bijector.parameters(), "float16");

    await assertFilesAgree([kernels, onnxruntimeWeb], files, bijector, normals(5 * bijector.dim, 32));
  });
}

/** Files whose trained weights are rounded. */
function exportHalf(bijector: Bijector): FlowModels {
  return exportFlow({ bijector, prior: new NormalPrior(bijector.dim) }, description, { storage: "float16" });
}

runtimeTest("files of every bijector in onnxruntime-node give what float64 gives", ["packages"], async () => {
  const native: Runner = {
    name: "onnxruntime-node",
    backend: "onnxruntime",
    runtime: requirePackage("onnxruntime-node"),
  };
  for (const { make } of Object.values(bijectorExamples)) {
    const bijector = make();
    await assertFilesAgree([native], exportBijector(bijector), bijector, normals(5 * bijector.dim, 34));
  }
});

/** The first step of a kind, changed. */
function changing(kind: string, change: (step: PlanStep) => PlanStep): (plan: Plan) => Plan {
  return (plan) => {
    const at = plan.steps.findIndex(([name]) => name === kind);
    assert(at >= 0, `no ${kind}`);
    return { ...plan, steps: plan.steps.with(at, change(plan.steps[at])) };
  };
}

/** Plans that are possible and wrong. */
const wrongPlans: Readonly<Record<string, (plan: Plan) => Plan>> = {
  "scales and shifts swapped": changing("affineForward", ([name, [x, s, t]]) => [name, [x, t, s]]),
  "a coupling turned round": changing("affineForward", ([, operands]) => ["affineInverse", operands]),
  "halves side by side in the other order": changing("concat", ([name, operands]) => [name, operands.toReversed()]),
  "other channels": changing("gather", ([name, operands]) => [name, operands, { indices: [1, 0] }]),
  "another activation": changing("tanh", ([, operands]) => ["sigmoid", operands]),
  "another log-determinant": ({ outputs: [x], steps, ...rest }) => ({
    ...rest,
    steps: [...steps, ["sumFeatures", [x]]],
    outputs: [x, steps.length],
  }),
  "the networks of scales and shifts swapped": ({ parameters, ...rest }) => ({
    ...rest,
    parameters: parameters.map((name) => name.replace(/\.[st]\./, (net) => net === ".s." ? ".t." : ".s.")),
  }),
};

const small = () => realNVP({ dim: 4, channels: "halves" });
const points = normals(12 * 4, 31);

for (const [what, change] of Object.entries(wrongPlans)) {
  Deno.test(`the law of files rejects a plan with ${what}`, async () => {
    const files = exportBijector(small());
    const broken = { ...files, sampler: withPlan(files.sampler, change) };

    await assertFilesAgree([onnxruntimeWeb], broken, small(), points); // it does not see the plan
    await assertRejects(() => assertFilesAgree([kernels], broken, small(), points), Error, "of the sampler by kernels");
  });
}

Deno.test("the law of files rejects kernels that compute another function, and files of another flow", async () => {
  const [files, other] = [exportBijector(small()), exportBijector(realNVP({ dim: 4, channels: "halves" }, 2))];
  const [right, build] = [loaded, kernelBuild];
  await assertFilesAgree([kernels], files, small(), points);
  try {
    useKernels({ ...right, tanhF32: right.sinF32 }, build);
    await assertRejects(() => assertFilesAgree([kernels], files, small(), points), Error, "by kernels");
  } finally {
    useKernels(right, build);
  }
  const mixed = { ...files, density: other.density };
  await assertRejects(() => assertFilesAgree([onnxruntimeWeb], mixed, small(), points), Error, "of the density");
  await assertRejects(() => assertFilesInvert(kernels, mixed, small(), points), Error, "z again by kernels");
});
