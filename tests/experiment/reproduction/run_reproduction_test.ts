import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { NotFiniteError } from "../../../src/autodiff/not_finite.ts";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import type { Experiment, ExperimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import type { ReproductionOutcome } from "../../../src/experiment/reproduction/reproduction_results.ts";
import { exactly, type ReproducedRow } from "../../../src/experiment/reproduction/row.ts";
import { type ReproductionOptions, runReproduction } from "../../../src/experiment/reproduction/run_reproduction.ts";
import { inTemporaryDirectory } from "../../support/file_faults.ts";
import { silent } from "../../support/tiny_runs.ts";

await loadKernels();

function row(quantity: string, value: number): ReproducedRow {
  const reference = { value: 2, standardError: 0, method: "a|count" };
  const common = { unit: "k_BT", published: { value: "2.1", source: "a paper" }, reference, method: "a sum" };
  return { quantity, ...common, ours: exactly(value), energyEvaluations: 12, seconds: 0.5, note: "said once" };
}

/** What was done, in order. */
let done: string[] = [];

function experiment(name: string, rest: Partial<Experiment> = {}): Experiment {
  return {
    name,
    title: `Title of ${name}`,
    about: "What is done.",
    long: false,
    parts: () => [],
    figures: ["one"],
    run: ({ seed }) => {
      done.push(`${name} ${seed}`);
      const figures = [{ name: "one", svg: "<svg/>", caption: "A picture in k_BT" }];
      return Promise.resolve({ rows: [row(name, 2), row(`${name} again`, 2)], figures, remarks: ["Remarkable."] });
    },
    ...rest,
  };
}

const parts = ["first", "second", "shared well"];
const long = (stop?: AbortController) =>
  experiment("slow", {
    long: true,
    figures: [],
    parts: () => parts,
    async run(context: ExperimentContext) {
      for (const part of parts) {
        context.signal?.throwIfAborted();
        await context.kept(part, () => Promise.resolve({ done: done.push(`slow ${part}`) }));
        stop?.abort();
      }
      return { rows: [row("slow", 3)], figures: [], remarks: [] };
    },
  });

const broken = experiment("broken", {
  run: () => Promise.reject(new NotFiniteError("Cannot go on: the loss must be finite, got NaN")),
});

type Variation = Partial<ReproductionOptions>;

async function run(out: string, experiments: readonly Experiment[], variation: Variation = {}) {
  done = [];
  const common = { budget: "default", seed: 3, threads: 1, command: "reproduce", progress: silent } as const;
  return await runReproduction({ ...common, out, experiments, ...variation });
}

async function complete(...of: Parameters<typeof run>): Promise<ReproductionOutcome> {
  const result = await run(...of);
  assert(result.complete);
  return result.outcome;
}

const read = (out: string) => Deno.readTextFile(`${out}/reproduction.md`);

Deno.test("runReproduction runs what is not long, keeps it, and adds what is asked for", async () => {
  await inTemporaryDirectory(async (directory) => {
    const out = `${directory}/run`;
    const all = [experiment("a"), long(), experiment("b")];
    const first = await complete(out, all);
    assertEquals(done, ["a 3", "b 3"]);
    assertEquals(first.notRun, [{ name: "slow", title: "Title of slow", long: true }]);
    assertStringIncludes(
      await read(out),
      "- Title of slow: `--only slow --resume` (long; goes on from disk when it is stopped)",
    );

    const stop = new AbortController();
    const stopped = await run(out, [all[0], long(stop), all[2]], { only: ["slow"], resume: true, signal: stop.signal });
    assertEquals([stopped.complete, done], [false, ["slow first"]]);
    const second = await complete(out, all, { only: ["slow"], resume: true });
    assertEquals(done, ["slow second", "slow shared well"]);
    assertEquals([second.experiments.map(({ name }) => name), second.notRun], [["a", "slow", "b"], []]);

    const numbers = JSON.parse(await Deno.readTextFile(`${out}/reproduction.json`));
    assertEquals(numbers.experiments[1].rows[0].verdict, {
      kind: "differs",
      standardErrors: null,
      published: null,
      text: "differs, and both are exact",
    });
    assertEquals(numbers.summary, "5 rows: 4 agrees, 1 differs");
    assertEquals(await Deno.readTextFile(`${out}/figures/a_one.svg`), "<svg/>");
  });
});

Deno.test("the report holds a line for each quantity, and notes once", async () => {
  await inTemporaryDirectory(async (out) => {
    await complete(`${out}/run`, [experiment("a")]);
    const text = await read(`${out}/run`);
    assertStringIncludes(
      text,
      "| a / k\\_BT | 2.1 (a paper) | 2 (a\\|count) | 2 (a sum) | 12 | 500 ms | agrees to nine digits |",
    );
    assertStringIncludes(text, "\n- a; a again: said once\n");
    assertStringIncludes(text, "![A picture in kBT](figures/a_one.svg)");
    assertMatch(text, /^2 rows: 2 agrees\./m);
  });
});

Deno.test("an experiment whose numbers are not finite has failed, and the others go on", async () => {
  await inTemporaryDirectory(async (directory) => {
    const { experiments } = await complete(`${directory}/run`, [broken, experiment("b")]);
    assertEquals(experiments.map(({ failure }) => failure), [
      "Cannot go on: the loss must be finite, got NaN",
      null,
    ]);
    assertStringIncludes(await read(`${directory}/run`), "**Failed:** Cannot go on: the loss must be finite, got NaN");
    const dead = experiment("dead", {
      run: () => Promise.reject(new Error("Cannot run kernels on 2 threads: one died")),
    });
    await assertRejects(
      () => run(`${directory}/other`, [dead]),
      Error,
      "Cannot run kernels on 2 threads: one died; no checkpoint had been written yet",
    );
  });
});

Deno.test("runReproduction refuses names that it does not know, before it makes a directory", async () => {
  await inTemporaryDirectory(async (directory) => {
    await assertRejects(
      () => run(`${directory}/run`, [experiment("a"), long()], { only: ["a", "c"] }),
      RangeError,
      'Cannot reproduce: only must name experiments (a, slow), got "c"',
    );
    assertEquals([...Deno.readDirSync(directory)], []);
  });
});
