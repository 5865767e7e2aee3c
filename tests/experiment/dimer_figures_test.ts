import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { dimerFigures } from "../../src/experiment/dimer_figures.ts";
import type { DimerFigure, DimerOutcome } from "../../src/experiment/dimer_results.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { all, type Element, parseSvg, textsOf } from "../plot/parse_svg.ts";
import { syntheticOutcome } from "../support/dimer_outcome.ts";

await loadKernels();

const outcome = syntheticOutcome();
const figures = await dimerFigures(outcome);

function named(list: readonly DimerFigure[], name: DimerFigure["name"]): Element {
  const figure = list.find((one) => one.name === name);
  assert(figure !== undefined, `${name} must be drawn`);
  return parseSvg(figure.svg);
}

/** The outcome with parts of its evaluation replaced. */
function withEvaluation(changes: Partial<DimerOutcome["evaluation"]>): DimerOutcome {
  return { ...outcome, evaluation: { ...outcome.evaluation, ...changes } };
}

function withSystem(options: ConstructorParameters<typeof ParticleDimer>[0], temperature = 1): DimerOutcome {
  const { preset, parameters, dim } = new ParticleDimer(options);
  return { ...outcome, run: { ...outcome.run, preset, parameters, dim, temperature } };
}

Deno.test("dimerFigures draws six pictures in the order of the report, each with a caption", () => {
  assertEquals(figures.map(({ name }) => name), [
    "potential",
    "configurations",
    "profile",
    "energies",
    "path",
    "losses",
  ]);
  for (const { svg, caption } of figures) {
    parseSvg(svg);
    assert(caption.length > 80 && caption.endsWith("."), caption);
    assert(!/NaN|Infinity|undefined|null/.test(svg + caption), "no programmer's words in a picture");
  }
});

Deno.test("dimerFigures gives the same bytes for the same outcome", async () => {
  assertEquals(await dimerFigures(syntheticOutcome()), figures);
});

/** Throws unless a curve is flat where the picture marks an extremum: its slope changes sign within the printed digits. */
function assertExtrema(texts: readonly string[], dimer: ParticleDimer, temperature: number): void {
  const slope = (d: number) => dimer.dimerEnergy(d + 1e-6) - dimer.dimerEnergy(d - 1e-6);
  let found = 0;
  for (const text of texts) {
    const match = /^(closed|open|barrier): d = ([\d.]+), (−?[\d.]+) kBT$/.exec(text);
    if (match === null) continue;
    found++;
    const d = Number(match[2]);
    const energy = Number(match[3].replace("−", "-"));
    if (slope(d - 0.02) * slope(d + 0.02) >= 0) throw new Error(`no extremum at ${d}`);
    if ((slope(d + 0.02) > 0) !== (match[1] !== "barrier")) throw new Error(`${match[1]} at ${d} is the other kind`);
    const curvature = Math.abs(slope(d + 0.02) / 2e-6) * 0.005;
    if (Math.abs(dimer.dimerEnergy(d) / temperature - energy) > 0.06 + curvature) throw new Error(`height of ${text}`);
  }
  if (found === 0) throw new Error("nothing is marked");
}

Deno.test("the potential marks both minima and the barrier of each preset", async () => {
  for (const preset of ["noe2019", "noe2019-class", "printed"] as const) {
    const texts = textsOf(named(await dimerFigures(withSystem({ preset }, 2)), "potential"));
    assertExtrema(texts, new ParticleDimer({ preset }), 2);
    for (const name of ["closed", "open", "barrier"]) {
      assert(texts.some((text) => text.startsWith(`${name}:`)), `${preset}: ${name}`);
    }
  }
  const texts = textsOf(named(figures, "potential"));
  const noe = new ParticleDimer();
  const shifted = texts.map((text) => text.replace(/d = (\d\.\d)/, (_, d) => `d = ${(Number(d) + 0.1).toFixed(1)}`));
  assertThrows(() => assertExtrema(shifted, noe, 1), Error);
  assertThrows(() => assertExtrema(texts.map((text) => text.replace("closed", "barrier")), noe, 1), Error);
  assertThrows(() => assertExtrema(texts, noe, 2), Error);
});

Deno.test("the potential of a bond with one well marks one", async () => {
  const texts = textsOf(named(await dimerFigures(withSystem({ slope: 60 })), "potential"));
  assertEquals(texts.filter((text) => /^(closed|open|barrier):/.test(text)).map((text) => text.split(":")[0]), [
    "closed",
  ]);
});

/** How many hollow and how many filled circles there are: hollow ones are white inside. */
function circles(figure: Element): { hollow: number; filled: number } {
  const data = all(figure, "svg circle").filter((circle) => circle.getAttribute("r") === "3");
  const hollow = data.filter((circle) => circle.getAttribute("fill") === "#ffffff").length;
  return { hollow, filled: data.length - hollow };
}

Deno.test("the profile shows unreliable bins hollow, in both panels, and leaves out bins without a value", async () => {
  const { freeEnergy, reliable } = outcome.evaluation.profile!;
  const known = freeEnergy.filter((value) => value !== null).length;
  const doubtful = freeEnergy.filter((value, k) => value !== null && !reliable[k]).length;
  assert(doubtful > 3 && known > 2 * doubtful);
  assertEquals(circles(named(figures, "profile")), { hollow: 2 * doubtful, filled: 2 * (known - doubtful) });
  const flow = outcome.evaluation.profile!;
  const sure: (number | null)[] = flow.standardError.map((error) => error ?? 0.1);
  const redrawn = async (standardError: (number | null)[]) => {
    const profile = { ...flow, reliable: reliable.map(() => true), standardError };
    return circles(named(await dimerFigures(withEvaluation({ profile })), "profile"));
  };
  assertEquals(await redrawn(sure), { hollow: 0, filled: 2 * known });
  assertEquals(await redrawn(sure.with(5, 1.01).with(6, null)), { hollow: 4, filled: 2 * known - 4 });
});

Deno.test("the profile is not squeezed by bins that cannot be read", async () => {
  const flow = outcome.evaluation.profile!;
  const wild = flow.freeEnergy.map((value, k) => flow.reliable[k] ? value : 300);
  const drawn = named(await dimerFigures(withEvaluation({ profile: { ...flow, freeEnergy: wild } })), "profile");
  const tall = textsOf(drawn).filter((text) => /^\d+$/.test(text)).map(Number);
  assert(Math.max(...tall) <= 25, `ticks up to ${Math.max(...tall)}`);
});

Deno.test("energies are shown as logarithms where the flow is far above the data", async () => {
  const { data, flow } = outcome.evaluation.reducedEnergies;
  assert(!named(figures, "energies").textContent.includes("log"));
  const far = withEvaluation({ reducedEnergies: { data, flow: { ...flow, open: flow.open.map((u) => 100 * u) } } });
  assert(textsOf(named(await dimerFigures(far), "energies")).includes("log10(U / kBT)"));
  const negative = { ...data, closed: data.closed.with(0, -1) };
  const linear = withEvaluation({
    reducedEnergies: { data: negative, flow: { ...flow, open: flow.open.map((u) => 100 * u) } },
  });
  assert(!named(await dimerFigures(linear), "energies").textContent.includes("log"));
});

Deno.test("configurations and path are drawn with all particles, the path in its order", () => {
  assertEquals(all(named(figures, "configurations"), "circle").length, 3 * 38);
  const path = named(figures, "path");
  assertEquals(all(path, "circle").length, 9 * 38);
  const distances = textsOf(path).flatMap((text) => /^d = ([\d.]+)$/.exec(text)?.[1] ?? []);
  assertEquals(distances, Array.from(outcome.path.d, (d) => d.toFixed(2)));
});

Deno.test("losses show every stage, and a panel for each term that was used", async () => {
  const texts = textsOf(named(figures, "losses"));
  for (const text of ["maximum likelihood", "mixture", "training frames", "validation frames", "JKL / nats", "JRC"]) {
    assert(texts.includes(text), text);
  }
  const short = { ...outcome, history: outcome.history.slice(0, 10), stages: outcome.stages.slice(0, 1) };
  const fewer = textsOf(named(await dimerFigures(short), "losses"));
  assert(!fewer.includes("JRC") && fewer.includes("NLL / nats"));
});

Deno.test("dimerFigures draws what there is when the rest is missing", async () => {
  const empty = new Float64Array(0);
  const nothing: DimerOutcome = {
    ...withEvaluation({
      profile: null,
      pictures: { closed: outcome.evaluation.pictures.closed, transition: null, open: null },
      reducedEnergies: { data: { closed: empty, open: empty }, flow: { closed: empty, open: empty } },
    }),
    history: [],
    path: { x: empty, d: empty, reducedEnergy: empty },
  };
  const few = await dimerFigures(nothing);
  assertEquals(few.map(({ name }) => name), ["potential", "configurations", "profile"]);
  assert(few[1].caption.endsWith("The flow made none of: transition, open."));
  const none = { closed: null, transition: null, open: null };
  const fewer = await dimerFigures({ ...nothing, evaluation: { ...nothing.evaluation, pictures: none } });
  assertEquals(fewer.map(({ name }) => name), ["potential", "profile"]);
});

Deno.test("dimerFigures survives energies, losses and profiles without bounds", async () => {
  const { reducedEnergies, profile } = outcome.evaluation;
  const wild = {
    ...withEvaluation({
      reducedEnergies: {
        data: { ...reducedEnergies.data, open: Float64Array.of(58) },
        flow: { closed: Float64Array.of(NaN, Infinity, 1e9, 55, 70), open: Float64Array.of(Infinity) },
      },
      profile: { ...profile!, standardError: profile!.standardError.map(() => null) },
    }),
    path: { ...outcome.path, reducedEnergy: outcome.path.reducedEnergy.map((u, k) => k === 4 ? Infinity : 1e12 * u) },
    history: outcome.history.map((entry, k) => k === 0 ? { ...entry, losses: { loss: NaN } } : entry),
  };
  const drawn = await dimerFigures(wild);
  assertEquals(drawn.length, 6);
  for (const { svg } of drawn) assert(!svg.includes("NaN"));
});
