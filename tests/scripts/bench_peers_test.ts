import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  deviationOf,
  leastTolerance,
  type Outcome,
  requireAgreement,
  toleranceOf,
} from "../../scripts/bench_peers/agreement.ts";
import { type Measurement, ratioOf, speedOf } from "../../scripts/bench_peers/measurement.ts";
import { makeOurTask } from "../../scripts/bench_peers/our_task.ts";
import { compareResults } from "../../scripts/bench_peers/particle_section.ts";
import { PeerProcess } from "../../scripts/bench_peers/peer_process.ts";
import { figures, speedTable } from "../../scripts/bench_peers/report.ts";
import { fitExponent, spreadOf } from "../../scripts/bench_peers/statistics.ts";
import {
  flopPerSample,
  FLOW_TASKS,
  type FlowSize,
  type FlowTask,
  INPUTS,
  R8,
  readFlow,
  readNumbers,
  readWorkload,
  type Workload,
  writeNumbers,
  writeRoundedWorkload,
  writeWorkload,
} from "../../scripts/bench_peers/workload.ts";
import { evaluateReference } from "../../src/autodiff/reference_run.ts";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { maximumLikelihoodLoss } from "../../src/loss/maximum_likelihood.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";

const SMALL: FlowSize = { solvent: 4, blocks: 2, hidden: [12, 12], batch: 64 };

Deno.test("spreadOf interpolates between sorted values", () => {
  assertEquals(spreadOf([5, 1, 3, 2, 4]), { low: 2, median: 3, high: 4 });
  assertEquals(spreadOf([0, 1]), { low: 0.25, median: 0.5, high: 0.75 });
  assertEquals(spreadOf([7]), { low: 7, median: 7, high: 7 });
});

Deno.test("fitExponent finds powers, and errors that cover them", () => {
  const x = [38, 102, 402, 1602];
  const exact = fitExponent(x, x.map((v) => 3e-9 * v ** 1.7));
  assertAlmostEquals(exact.exponent, 1.7, 1e-12);
  assertAlmostEquals(exact.error, 0, 1e-12);
  // Residuals ±0.1 about a line: the textbook formula by hand for u = 0, 1, 2, 3 and v = 0.1, 0.9, 2.1, 2.9.
  const { exponent, error } = fitExponent([0, 1, 2, 3].map(Math.exp), [0.1, 0.9, 2.1, 2.9].map(Math.exp));
  assertAlmostEquals(exponent, 0.96, 1e-12);
  assertAlmostEquals(error, Math.sqrt(0.032 / 2 / 5), 1e-12);
});

Deno.test("flop of the published flow are those of 32 networks", () => {
  const network = 2 * (38 * 200 + 200 * 200 + 200 * 200 + 200 * 38);
  assertEquals(flopPerSample(R8, "sampling"), 32 * network);
  assertEquals(flopPerSample(R8, "energy"), 3 * 32 * network);
});

Deno.test("figures writes three digits and groups thousands", () => {
  assertEquals([0.012345, 12.34, 1234.5, 23_456_789, NaN].map(figures), ["0.0123", "12.3", "1 235", "23 460 000", "–"]);
});

Deno.test("speeds and ratios use processor time on one thread, wall time on several, ratios within a round", () => {
  const contenders = [1, 2, 1].map((threads, k) => ({
    peer: k < 2 ? "ours" as const : "torch" as const,
    name: "",
    threads,
    version: "",
    settings: "",
    env: {},
  }));
  const round = (slow: number) => ({
    load: "",
    times: [
      { processor: 2 * slow, wall: 3 * slow },
      { processor: 2 * slow, wall: slow },
      { processor: slow, wall: slow },
    ],
  });
  const measurement: Measurement = {
    title: "",
    unit: "samples",
    unitsPerStep: 10,
    contenders,
    rounds: [round(1), round(5), round(9)],
  };
  assertEquals(speedOf(measurement, 0).median, 10 / (2 * 5));
  assertEquals(speedOf(measurement, 1).median, 10 / 5);
  assertEquals(ratioOf(measurement, 0, 2), { low: 0.5, median: 0.5, high: 0.5 });
  assertEquals(ratioOf(measurement, 1, 0), { low: 3, median: 3, high: 3 });
  const { rows, note } = speedTable(measurement);
  assertEquals(rows.map(([, , cores]) => cores), ["0.7", "2.0", "1.0"]);
  assertStringIncludes(note!, "got down to 0.67 of a core): times on several threads are not for quoting");
  const quiet = measurement.rounds.map(({ times: [one, ...others] }) => ({
    load: "",
    times: [{ ...one, processor: one.wall }, ...others],
  }));
  assert(!speedTable({ ...measurement, rounds: quiet }).note!.includes("busy"));
});

/** What ours computes of a workload, in this process. */
async function outcomeOf(folder: string, task: FlowTask): Promise<Outcome> {
  const { check } = await makeOurTask(folder, task);
  const { numbers, answer } = check();
  await writeNumbers(`${folder}/outcome`, numbers);
  return { ...answer, numbers: await readNumbers(`${folder}/outcome`) };
}

/** A workload with what ours computes and by how much others may differ. */
async function reference(folder: string, task: FlowTask) {
  const exact = `${folder}/exact`;
  await Deno.mkdir(exact);
  await writeWorkload(exact, SMALL);
  const workload = await readWorkload(exact);
  const outcome = await outcomeOf(exact, task);
  const deviations = [];
  for (let draw = 0; draw < 3; draw++) {
    await Deno.mkdir(`${folder}/${draw}`);
    await writeRoundedWorkload(exact, `${folder}/${draw}`, draw);
    deviations.push(deviationOf(task, workload, await outcomeOf(`${folder}/${draw}`, task), outcome));
  }
  const least = leastTolerance(workload, await readNumbers(`${exact}/weights.f32`), outcome);
  return { exact, workload, outcome, tolerance: toleranceOf(deviations, least) };
}

/** What a program with another workload.json or other weights would compute. */
async function brokenOutcome(
  folder: string,
  from: string,
  task: FlowTask,
  change: (workload: Workload) => Partial<Workload>,
  changeWeights: (weights: Float32Array, workload: Workload) => void = () => {},
): Promise<Outcome> {
  const broken = await Deno.makeTempDir({ dir: folder });
  for (const name of Object.values(INPUTS)) await Deno.copyFile(`${from}/${name}`, `${broken}/${name}`);
  const workload = await readWorkload(from);
  await Deno.writeTextFile(`${broken}/workload.json`, JSON.stringify({ ...workload, ...change(workload) }));
  const weights = await readNumbers(`${from}/weights.f32`);
  changeWeights(weights, workload);
  await writeNumbers(`${broken}/weights.f32`, [weights]);
  return await outcomeOf(broken, task);
}

const same = () => ({});

Deno.test("the comparison of samples accepts float64 and rejects a lost bias or a wrong log-determinant", async () => {
  await inTemporaryDirectory(async (folder) => {
    const { exact, workload, outcome, tolerance } = await reference(folder, "sampling");
    const { batch, dim } = workload;
    const flow = await readFlow(exact);
    const { x, logDet } = flow.bijector.forward(input(new Graph(), "z", dim));
    const z = Float64Array.from(await readNumbers(`${exact}/${INPUTS.sampling}`));
    const values = evaluateReference([x, logDet], [z], batch);
    const double = { losses: [], gradientNorms: [], numbers: Float32Array.from(values.flatMap((v) => [...v])) };
    const judge = (other: Outcome) =>
      requireAgreement("the peer", deviationOf("sampling", workload, other, outcome), tolerance);
    judge(double);

    const last = await brokenOutcome(folder, exact, "sampling", same, (weights) => weights[weights.length - 1] = 0);
    assertThrows(() => judge(last), Error, "Cannot compare with the peer: its x must agree with ours");
    const negative = Float32Array.from(double.numbers, (v, k) => k < batch * dim ? v : -v);
    assertThrows(() => judge({ ...double, numbers: negative }), Error, "its log-determinant must agree with ours");
    const short = double.numbers.slice(1);
    assertThrows(() => judge({ ...double, numbers: short }), Error, "one of the two computes something else");
    const holed = Float32Array.from(double.numbers, (v, k) => k === 5 ? NaN : v);
    assertThrows(() => judge({ ...double, numbers: holed }), Error, "got a deviation of NaN");
  });
});

Deno.test("the comparison of training accepts a float64 loss and rejects other constants, optimisers and losses", async () => {
  for (const task of FLOW_TASKS.filter((name) => name !== "sampling")) {
    await inTemporaryDirectory(async (folder) => {
      const { exact, workload, outcome, tolerance } = await reference(folder, task);
      const deviation = (other: Outcome) => deviationOf(task, workload, other, outcome);
      const judge = (other: Outcome) => requireAgreement("the peer", deviation(other), tolerance);
      judge(outcome);
      if (task === "maximumLikelihood") {
        const flow = await readFlow(exact);
        const x = Float64Array.from(await readNumbers(`${exact}/${INPUTS[task]}`));
        const loss = maximumLikelihoodLoss(flow, input(new Graph(), "x", workload.dim));
        const [[value]] = evaluateReference([loss], [x], workload.batch);
        assert(Math.abs(value / outcome.losses[0] - 1) <= tolerance.losses, "the loss in float64");
      }
      const adam = (changed: Partial<Workload["adam"]>) => () => ({ adam: { ...workload.adam, ...changed } });
      const broken: Record<string, (w: Workload) => Partial<Workload>> = {
        "a decay of 0.8": adam({ beta1: 0.8 }),
        "a decay of 0.9": adam({ beta2: 0.9 }),
        "a rate of 0.98": adam({ checkedRate: 0.98 * workload.adam.checkedRate }),
      };
      if (task === "energy") broken["no logarithm"] = () => ({ softening: { highEnergy: 1e9, maxEnergy: 1e10 } });
      for (const [name, change] of Object.entries(broken)) {
        const other = await brokenOutcome(folder, exact, task, change);
        assertThrows(() => judge(other), Error, "one of the two computes something else", name);
      }
      const half = { ...outcome, gradientNorms: outcome.gradientNorms.map((g, k) => k === 3 ? g * 1.01 : g) };
      assertThrows(() => judge(half), Error, "its gradient norms must agree with ours");
    });
  }
});

Deno.test("acceptance rates and energies of particles are compared by chance and by rounding", () => {
  const none = new Float64Array(0);
  const chains = (mean: number) => ({
    numbers: none,
    acceptance: Array.from({ length: 16 }, (_, c) => mean + (c % 2 === 0 ? 0.01 : -0.01)),
  });
  // Standard error of a mean of 16 numbers ±0.01: 0.01 / √15 = 0.00258; of a difference 0.00365.
  const near = compareResults("C", chains(0.33), chains(0.32), 0);
  assertAlmostEquals(near["acceptance in standard errors"], 0.01 / (0.01 * Math.sqrt(2 / 15)), 1e-9);
  assertThrows(
    () => compareResults("C", chains(0.335), chains(0.32), 0),
    Error,
    "Cannot compare with C: its acceptance",
  );
  const numbers = (scale: number) => ({ numbers: Float64Array.of(3, 4).map((v) => scale * v), acceptance: [] });
  assertAlmostEquals(compareResults("C", numbers(1 + 1e-10), numbers(1), 1e-9).numbers, 1e-10, 1e-15);
  assertThrows(() => compareResults("C", numbers(1 + 1e-8), numbers(1), 1e-9), Error, "its numbers must agree");
  assertThrows(() => compareResults("C", numbers(NaN), numbers(1), 1e-9), Error, "got a deviation of NaN");
});

/** A peer in a line of TypeScript. */
function peerOf(program: string) {
  return { name: "Fake", program: Deno.execPath(), args: ["eval", "--quiet", "--no-lock", program] };
}

Deno.test("PeerProcess skips what libraries print and passes on why a peer stops", async () => {
  const ready = `console.log("hello"); console.log('{"version":"1","settings":"none"}');`;
  const answers = `${ready} for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream()))
    console.log("working\\n" + JSON.stringify({ processor: Number(text.split(" ")[1]), wall: 2 }));`;
  await using peer = await PeerProcess.start(peerOf(answers));
  assertEquals(peer.about, { version: "1", settings: "none" });
  assertEquals(await peer.go(7), { processor: 7, wall: 2 });
  assert((await peer.peakMemory())! > 1e7);

  const start = (program: string) => () =>
    PeerProcess.start(peerOf(program)).then((peer) => peer[Symbol.asyncDispose]());
  await assertRejects(start(`console.log('{"error":"no memory"}')`), Error, "Cannot time Fake: no memory");
  await assertRejects(start(`console.error("first\\nlast")`), Error, "Cannot time Fake: last");
  await assertRejects(start(""), Error, "Cannot time Fake: it ended without a word");
});
