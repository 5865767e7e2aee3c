import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { serialPool } from "../../src/backend/executor.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { comparisonSettings } from "../../src/experiment/comparison_settings.ts";
import { summarizeComparison } from "../../src/experiment/comparison_tables.ts";
import { ContenderTraining, stagesOf } from "../../src/experiment/comparison_training.ts";
import { sampleDimerData } from "../../src/experiment/dimer_data.ts";
import { type DimerSettings, dimerSettings } from "../../src/experiment/dimer_settings.ts";
import { type Costed, costed, openProcessorClock } from "../../src/experiment/processor_time.ts";
import { pairTermsOf, tiltedPairTerms } from "../../src/experiment/quadrature_work.ts";
import { AutoregressiveParticleFlow } from "../../src/flow/autoregressive_particle_flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import type { Progress } from "../../src/experiment/progress.ts";
import { RunParts } from "../../src/experiment/run_parts.ts";
import type { ProgressKeeper } from "../../src/sampling/keeper.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import {
  comparableReport,
  runTinyComparison,
  silent,
  tinyComparison as tiny,
  tinyComparisonPlan as plan,
} from "../support/tiny_runs.ts";

await loadKernels();

const file = "comparison.json";

/** A progress that notes the steps of training and stops a comparison after one of them. */
function stopAt(stage: string, last: number) {
  const controller = new AbortController();
  const steps: [string, number][] = [];
  let now = "";
  const progress: Progress = {
    ...silent,
    start: (begun) => void (now = begun),
    update(done, loss) {
      if (loss === undefined) return;
      steps.push([now, done]);
      if (now === stage && done === last) controller.abort();
    },
  };
  return { progress, signal: controller.signal, steps };
}

Deno.test("runDimerComparison() judges every flow on the way, and with one plan gives the same numbers for any number of threads", async (t) => {
  await inTemporaryDirectory(async (root) => {
    const result = await runTinyComparison({ out: `${root}/one` });
    assert(result.complete);
    const { contenders, references, data } = result.outcome;
    assertEquals(contenders.map(({ name }) => name), ["realnvp", "tilted", "mixture"]);
    for (const { name, points, batch, audit } of contenders) {
      assertEquals([audit.passed, audit.checks.length], [true, 5], name);
      assertEquals(points.map(({ steps }) => steps), [plan.steps[name] / 2, plan.steps[name]]);
      assert(points[1].minutes.training > points[0].minutes.training && points[0].minutes.data === data.minutes);
      assertEquals(batch, name === "realnvp" ? 256 : 64);
      // Whoever has no energies inside its density has no quadrature; frames and samples are judged once each.
      assertEquals(points.every(({ quadrature }) => (quadrature > 0) === (name === "tilted")), true);
      assertEquals(points.map(({ densities }) => densities.plain.energies), [100 + 64, 200 + 64]);
    }
    assertEquals([references.umbrella, references.plain].map((points) => points.map(({ sweeps }) => sweeps)), [
      [40, 80],
      [40, 80],
    ]);
    assert(references.plain.every(({ freeEnergyDifference }) => freeEnergyDifference.value === null));

    const html = await Deno.readTextFile(`${root}/one/comparison.html`);
    for (const text of ["reaction coordinate", "umbrella sampling", "RealNVP", "autoregressive, tilted"]) {
      assert(html.includes(text), `the page lacks ${text}`);
    }
    assert(summarizeComparison(result.outcome).includes("autoregressive, mixture, symmetrised"));

    assert((await runTinyComparison({ out: `${root}/two`, threads: 2 })).complete);
    assertEquals(await comparableReport(`${root}/two`, file), await comparableReport(`${root}/one`, file));

    await t.step("it goes on from the step at which it was stopped", async () => {
      const out = `${root}/stopped`;
      // RealNVP has been judged by then, and draws fresh frames; the tilted flow is on its coarser grid.
      for (const [name, step, from] of [["realnvp", 20, 1], ["tilted", 10, 21]] as const) {
        const { progress, signal, steps } = stopAt(`training ${name}`, step);
        const stopped = await runTinyComparison({ out, signal, progress, resume: from > 1 });
        assertEquals(stopped, { complete: false, during: `training ${name}` });
        assertEquals(steps[0], ["training realnvp", from]);
      }
      const { progress, steps } = stopAt("never", 0);
      assert((await runTinyComparison({ out, resume: true, progress })).complete);
      assertEquals([steps[0], steps.at(-1)], [["training tilted", 11], ["training mixture", 32]]);
      assertEquals(await comparableReport(out, file), await comparableReport(`${root}/one`, file));
    });

    await t.step("it does not judge a flow that has gone on since it was to be judged", async () => {
      const [out, { signal, progress }] = [`${root}/damaged`, stopAt("training realnvp", 20)];
      await runTinyComparison({ out, signal, progress });
      await Deno.remove(`${out}/parts/realnvp_judged_at_0.5.safetensors`);
      const error = await assertRejects(() => runTinyComparison({ out, resume: true }), Error);
      assertEquals(
        error.message,
        "Cannot resume the comparison: parts/realnvp_judged_at_0.5.safetensors must be whole, for the flow has been " +
          "trained from step 16 to 20 since: put the file back, or start anew with --force",
      );
    });

    await t.step("it counts Monte Carlo, energies and the terms of the quadrature", () => {
      const [realnvp, tilted] = contenders;
      // Frames of the data, and those that RealNVP drew since: 8 chains, one frame of each in every second step.
      const fresh = (steps: number) => 2 * 8 * (steps / 2) * data.stride.train;
      assertEquals(
        realnvp.points.map(({ energies }) => energies.data),
        [16, 32].map((n) => data.energyEvaluations + fresh(n)),
      );
      assertEquals(tilted.points[1].energies, { data: data.energyEvaluations, training: 0 });
      // 26 of 32 parts on 9 × 9 nodes, 6 on 17 × 9; a symmetrised density takes four.
      const [plain, all] = [tilted.points[1].densities.plain, tilted.points[1].densities.symmetrised];
      assertAlmostEquals(all.quadrature, 4 * plain.quadrature, 1e-9);
      const finer = plain.quadrature / plain.energies;
      const coarser = finer * (9 * 9 + 9) / (17 * 9 + 17);
      assertAlmostEquals(tilted.points[1].quadrature, coarser * (52 * 64 + 26 * 32) + finer * (12 * 64 + 6 * 32), 1e-6);
      assertAlmostEquals(tilted.points[0].quadrature, coarser * (32 * 64 + 16 * 32), 1e-6);
    });
  });
});

Deno.test("runDimerComparison() fits its steps into the time, and leaves a finished one alone", async () => {
  await inTemporaryDirectory(async (root) => {
    const result = await runTinyComparison({ out: `${root}/measured`, plan: undefined });
    assert(result.complete);
    for (const steps of Object.values(result.outcome.plan.steps)) assert(steps >= 32 && steps % 32 === 0);
    await assertRejects(
      () => runTinyComparison({ out: `${root}/measured` }),
      Error,
      "the directory must be empty or new",
    );
  });
});

Deno.test("judging a flow on the way does not change its training", async () => {
  const clock = await openProcessorClock();
  const system = new ParticleDimer();
  const around = { system, temperature: 1, seed: 3, pool: serialPool, clock, parts: new RunParts("training") };
  const data = await costed(clock, () => sampleDimerData({ ...around, settings: { ...tiny.data, freshPerStep: 0 } }));
  const end = async (name: "realnvp" | "tilted", shares: readonly number[]) => {
    const settings = { ...tiny, shares, samples: { onTheWay: 50, atTheEnd: 50 } };
    const { points } = await new ContenderTraining(name, { ...around, settings, data }).run(32);
    const { quadrature, energies, densities: { plain: { evaluationNll, samplingEfficiency } } } =
      points[points.length - 1];
    return { quadrature, energies, evaluationNll, samplingEfficiency };
  };
  // RealNVP draws fresh frames, the tilted head changes its grid: both must go on as if nobody had looked.
  for (const name of ["realnvp", "tilted"] as const) {
    assertEquals(await end(name, [0.25, 0.875, 1]), await end(name, [1]));
  }
});

Deno.test("stagesOf() stretches the stages of maximum likelihood and leaves out those with energies", () => {
  const names = (settings: DimerSettings) => stagesOf(settings, 320).map(({ name, steps }) => `${name} ${steps}`);
  assertEquals(names(dimerSettings("realnvp", "default")), ["maximum likelihood 320"]);
  assertEquals(names(dimerSettings("autoregressive", "default")), ["maximum likelihood 260", "on the finer grid 60"]);
});

Deno.test("tiltedPairTerms() counts each neighbour at each node", () => {
  const interactions = {
    spatialDim: 2 as const,
    pairTerm: (i: number, j: number) => i + j === 1 ? null : { cutoff: 2, energy: (r: number) => r ** -12 },
    oneBodyEnergy: () => 0,
  };
  const grid = { fine: 17, coarse: 9 };
  const head = { kind: "tilted" as const, interactions, grid };
  const flow = new AutoregressiveParticleFlow({ particles: 4, spatialDim: 2, head });
  // Particles 2 and 3 have 2 and 3 earlier neighbours; particles 0 and 1 do not act on each other.
  assertEquals(tiltedPairTerms(flow, grid), 5 * (17 * 9 + 17));
  assertEquals(tiltedPairTerms(flow, { fine: 9, coarse: 9 }), 5 * (9 * 9 + 9));
  const near = new AutoregressiveParticleFlow({
    particles: 4,
    spatialDim: 2,
    head: { ...head, neighbours: [[], [], [1], [2]] },
  });
  assertEquals(tiltedPairTerms(near, grid), 2 * (17 * 9 + 17));
  const mixture = new AutoregressiveParticleFlow({ particles: 4, spatialDim: 2, head: { kind: "mixture" } });
  assertEquals([tiltedPairTerms(mixture, grid), tiltedPairTerms(new Scaling({ dim: 2 }), grid)], [0, 0]);
  assertEquals(pairTermsOf(new ParticleDimer()), 702);
});

Deno.test("costed() counts what work had cost before it was interrupted, and hands on where it stood", async () => {
  let [now, kept]: [number, Costed<string> | null] = [0, null];
  const keeper = {
    load: () => Promise.resolve(kept),
    offer: (state: () => Costed<string>) => Promise.resolve(void (kept = state())),
  };
  const work = async (own?: ProgressKeeper<string>) => {
    const found = await own!.load();
    now += 60_000;
    await own!.offer(() => `${found} more`);
    now += 30_000;
    return found;
  };
  assertEquals(await costed(() => now, work, keeper), { result: null, minutes: 1.5 });
  assertEquals(kept, { result: "null more", minutes: 1 });
  assertEquals(await costed(() => now, work, keeper), { result: "null more", minutes: 2.5 });
});

Deno.test("openProcessorClock() runs while threads compute and stands still while they wait", async () => {
  const clock = await openProcessorClock();
  const [begin, wall] = [clock(), performance.now()];
  while (performance.now() - wall < 100);
  const busy = clock() - begin;
  const middle = clock();
  await new Promise((resolve) => setTimeout(resolve, 300));
  // Other programs may take the processor away from us, but not add to our time more than threads of the engine do.
  assert(busy > 5 && clock() - middle < 150, `${busy} ms busy, ${clock() - middle} ms asleep`);
});

Deno.test("comparisonSettings() refuses what is no time", () => {
  for (const minutes of [0, -1, NaN, Infinity]) {
    let message = "";
    try {
      comparisonSettings(minutes);
    } catch (error) {
      message = (error as Error).message;
    }
    assertEquals(message, `Cannot compare flows: minutes must be a positive number, got ${minutes}`);
  }
});
