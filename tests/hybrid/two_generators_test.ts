import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import { Flow } from "../../src/flow/flow.ts";
import { Scaling } from "../../src/flow/scaling.ts";
import { scaleShift } from "../../src/graph/operations.ts";
import {
  freeEnergyDifferenceBetween,
  type GeneratedState,
  type TwoGeneratorDifference,
} from "../../src/hybrid/two_generators.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { logDetFaults } from "../support/broken.ts";
import { FOUR_SIGMA } from "../support/statistics.ts";

await loadKernels();

const DIM = 2;
/** Widths and floors of two Gaussian wells. */
const WELLS = [{ width: 1, floor: 0 }, { width: 0.4, floor: 3 }] as const;

/** F₂ − F₁ at a temperature: floors over τ, and −DIM ln(width ratio), in which τ cancels. */
const exactDifference = (temperature = 1) =>
  (WELLS[1].floor - WELLS[0].floor) / temperature - DIM * Math.log(WELLS[1].width / WELLS[0].width);

/** KL(p ‖ Boltzmann) of a flow that is `factor` too wide. */
const divergence = (factor: number) => DIM * ((factor ** 2 - 1) / 2 - Math.log(factor));

interface StateOptions {
  readonly factor?: number;
  readonly frames?: number;
  readonly seed?: number;
  readonly temperature?: number;
  readonly spoil?: (of: Bijector) => Bijector;
}

/** A Gaussian well with a flow that is `factor` too wide, and independent frames. */
function stateOf(which: 0 | 1, options: StateOptions = {}): GeneratedState {
  const { factor = 1, frames = 2000, seed = 0, temperature = 1, spoil = (of) => of } = options;
  const { width, floor } = WELLS[which];
  const scaling = new Scaling({ dim: DIM, logScale: new Array(DIM).fill(Math.log(factor * width)) });
  const x = new RandomStream(1000 * seed + which, 5).fillNormals(new Float64Array(DIM * frames))
    .map((v) => width * Math.sqrt(temperature) * v);
  return {
    flow: new Flow(spoil(scaling)),
    system: {
      dim: DIM,
      energy: (at) =>
        Float64Array.from(
          { length: at.length / DIM },
          (_, i) => at.subarray(DIM * i, DIM * (i + 1)).reduce((sum, v) => sum + (v / width) ** 2 / 2, floor),
        ),
    },
    ...frames > 0 && { frames: { x } },
  };
}

const compare = (first: StateOptions, second: StateOptions, options: Partial<Parameters<typeof between>[2]> = {}) =>
  between(stateOf(0, first), stateOf(1, second), { samples: 2000, seed: 1, ...options });
const between = freeEnergyDifferenceBetween;

const exactOnes = ["reweighting", "bennett", "mapped"] as const;

/** Widths are stored in float32: ln R is off by a few 2⁻²⁴. */
const ROUNDING = 1e-6;

/** Throws unless an estimate lies within four of its standard errors. */
function assertNear({ value, standardError }: Estimate, truth: number, what: string): void {
  assert(
    Math.abs(value! - truth) <= FOUR_SIGMA * standardError! + ROUNDING,
    `${what}: ${value} ± ${standardError}, not ${truth}`,
  );
}

Deno.test("freeEnergyDifferenceBetween has no variance with exact flows, bounds included", () => {
  const found = compare({}, {});
  // Coordinates are rounded to float32: u of a few units moves by 2⁻²⁴ · |x ∂u/∂x| ≈ 1e-6 for each rounding.
  for (const name of [...exactOnes, "bounds"] as const) {
    const { value, standardError, reliable, reason } = found[name]!;
    assertAlmostEquals(value!, exactDifference(), 1e-5, name);
    assert(standardError! < 1e-5 && reliable, `${name}: ${standardError}, ${reason}`);
  }
  assertEquals([found.rejected, found.states[0].inside], [0, 1]);
  assertEquals(found.energyEvaluations, 3 * 2000 + 4 * 2000);
});

Deno.test("freeEnergyDifferenceBetween is right with poor flows, but for bounds: those err by the difference of divergences", () => {
  const [wide, narrow] = [1.3, 0.85];
  const found = compare({ factor: wide }, { factor: narrow }, { samples: 20_000 });
  for (const name of exactOnes) {
    assertNear(found[name]!, exactDifference(), name);
    assert(found[name]!.reliable, `${name}: ${found[name]!.reason}`);
  }
  const bias = divergence(narrow) - divergence(wide);
  assertNear(found.bounds, exactDifference() + bias, "bounds");
  // The law sees the bias: it is many standard errors.
  assert(Math.abs(bias) > 10 * found.bounds.standardError!);
  assert(!found.bounds.reliable);
  assert(/^a difference of upper bounds, which lie 0\.\d+ and 0\.\d+ k_BT above/.test(found.bounds.reason!));
  for (const [i, factor] of [wide, narrow].entries()) {
    const { bound, bennett } = found.states[i];
    const freeEnergy = WELLS[i].floor - DIM * Math.log(WELLS[i].width * Math.sqrt(2 * Math.PI));
    assertNear(bound, freeEnergy + divergence(factor), "bound");
    assertNear(bennett!, freeEnergy, "bennett");
  }
});

Deno.test("freeEnergyDifferenceBetween asks flows for another temperature", () => {
  const temperature = 2.5;
  const at = { factor: 1.1, temperature };
  const found = compare(at, at, { temperature, samples: 5000 });
  for (const name of exactOnes) assertNear(found[name]!, exactDifference(temperature), name);
  // Flows that err equally: KL₂ − KL₁ = 0, though each bound is too high.
  assertNear(found.bounds, exactDifference(temperature), "bounds");
  assertAlmostEquals(found.states[1].bound.value! - found.states[1].bennett!.value!, divergence(1.1), 0.02);
});

Deno.test("freeEnergyDifferenceBetween rejects maps with wrong Jacobians", () => {
  const judged = (found: TwoGeneratorDifference) =>
    exactOnes.filter((name) => {
      const { value, standardError, reliable } = found[name]!;
      return reliable && Math.abs(value! - exactDifference()) <= FOUR_SIGMA * standardError!;
    });
  assertEquals(judged(compare({ factor: 1.2 }, { factor: 0.9 })), [...exactOnes]);
  for (const [fault, spoil] of Object.entries(logDetFaults)) {
    assertEquals(judged(compare({ factor: 1.2, spoil }, { factor: 0.9, spoil })), [], fault);
  }
});

/** The double well with each half as a state, and frames by rejection from the exact density on a grid. */
function halfWell(side: -1 | 1, frames: number, seed: number): GeneratedState {
  const system = new DoubleWell({ dim: 1 });
  const [centre, width] = side < 0 ? [-1.72, 0.2] : [1.62, 0.26];
  const random = new RandomStream(seed, 6 + side);
  const floor = system.energy(Float64Array.of(side < 0 ? -1.7723 : 1.6888))[0];
  const x = Float64Array.from({ length: frames }, () => {
    for (;;) {
      const [position, height] = random.fillUniforms(new Float64Array(2));
      const at = side * 3 * position;
      if (height < Math.exp(floor - system.energy(Float64Array.of(at))[0])) return at;
    }
  });
  return {
    flow: new Flow(new Shifted(centre, width)),
    system,
    basin: (at) => Uint8Array.from(at, (v) => v * side > 0 ? 1 : 0),
    frames: { x },
  };
}

/** x = centre + width z. */
class Shifted implements Bijector {
  readonly dim = 1;
  readonly #scaling: Scaling;
  readonly #centre: number;
  constructor(centre: number, width: number) {
    this.#scaling = new Scaling({ dim: 1, logScale: [Math.log(width)] });
    this.#centre = centre;
  }
  parameters = () => this.#scaling.parameters();
  forward: Bijector["forward"] = (z) => {
    const { x, logDet } = this.#scaling.forward(z);
    return { x: scaleShift(x, 1, this.#centre), logDet };
  };
  inverse: Bijector["inverse"] = (x) => this.#scaling.inverse(scaleShift(x, 1, -this.#centre));
}

Deno.test("freeEnergyDifferenceBetween keeps to the basins of one system", () => {
  const truth = new DoubleWell({ dim: 1 }).exact(1).freeEnergyDifference;
  const found = between(halfWell(-1, 2000, 1), halfWell(1, 2000, 1), { samples: 5000, seed: 2 });
  for (const name of exactOnes) assertNear(found[name]!, truth, name);
  // A flow over both wells: weights outside the basin must not count.
  const both = { ...halfWell(1, 2000, 1), flow: new Flow(new Shifted(0, 1.8)) };
  const leaky = between(halfWell(-1, 2000, 1), both, { samples: 20_000, seed: 2 });
  assert(leaky.states[1].inside > 0.45 && leaky.states[1].inside < 0.55);
  for (const name of exactOnes) assertNear(leaky[name]!, truth, name);
  // Without basins the answer is another one: both states are then the same system.
  const { basin: _1, ...left } = halfWell(-1, 2000, 1);
  const { basin: _2, ...right } = both;
  const whole = between(left, right, { samples: 5000, seed: 2 });
  assert(Math.abs(whole.reweighting.value! - truth) > 10 * whole.reweighting.standardError!);
});

Deno.test("freeEnergyDifferenceBetween covers the truth as often as its intervals say", () => {
  const REPEATS = 200;
  const truth = new DoubleWell({ dim: 1 }).exact(1).freeEnergyDifference;
  const held = { reweighting: 0, bennett: 0, mapped: 0 };
  const halfWidths = { reweighting: [], bennett: [], mapped: [] } as Record<typeof exactOnes[number], number[]>;
  for (let seed = 1; seed <= REPEATS; seed++) {
    const found = between(halfWell(-1, 150, seed), halfWell(1, 150, seed), { samples: 400, seed, replicates: 100 });
    for (const name of exactOnes) {
      const [low, high] = found[name]!.interval95!;
      halfWidths[name].push((high - low) / 2);
      if (low <= truth && truth <= high) held[name]++;
    }
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[REPEATS / 2];
  const told = exactOnes.map((name) => `${name} ${held[name]} (± ${median(halfWidths[name]).toFixed(3)})`).join(", ");
  console.log(`    intervals that hold the truth, of ${REPEATS}: ${told}`);
  // 190 ± 3.1: of correct intervals 1.3 % of counts leave the band.
  for (const name of exactOnes) assert(held[name] >= 183 && held[name] <= 197, told);
});

Deno.test("freeEnergyDifferenceBetween repeats itself, and says what it cannot know without frames", () => {
  const [first, second] = [stateOf(0, { factor: 1.1, frames: 0 }), stateOf(1, { factor: 1.1 })];
  const found = between(first, second, { samples: 500, seed: 4 });
  assertEquals([found.bennett, found.mapped, found.states[0].bennett], [null, null, null]);
  assertEquals(
    found.reweighting.reason,
    "first state: coverage of states is unchecked: no frames were scored",
  );
  assertEquals(
    found.bounds.reason,
    "a difference of upper bounds, and how far they lie above the free energies is not known (first state: coverage of " +
      "states is unchecked: no frames were scored)",
  );
  assertEquals(between(first, second, { samples: 500, seed: 4 }), found);
});

Deno.test("freeEnergyDifferenceBetween leaves pairs out of the bounds only if told to", () => {
  const spiked = stateOf(1, { factor: 1.1 });
  const wall = {
    ...spiked,
    system: { ...spiked.system, energy: (x: Float64Array) => spiked.system.energy(x).map((u) => u > 8 ? Infinity : u) },
    frames: { x: spiked.frames!.x.filter((_, i) => spiked.system.energy(spiked.frames!.x)[i >> 1] < 8) },
  };
  const options = { samples: 2000, seed: 3 };
  const infinite = between(stateOf(0), wall, options);
  assertEquals(infinite.bounds.value, null);
  assert(/^the bound is infinite: \d+ of 2000 samples have no finite energy or density$/.test(infinite.bounds.reason!));
  // exp(−∞) = 0: the other estimators do not mind. Truncating at 5 k_BT above the floor cuts e⁻⁵ of two dimensions.
  assertNear(infinite.bennett!, exactDifference() - Math.log(1 - Math.exp(-5)), "bennett");
  const cut = between(stateOf(0), wall, { ...options, rejectAbove: 50 });
  assert(cut.rejected > 0 && cut.rejected < 0.1);
  assert(cut.bounds.value !== null && cut.bounds.reason!.endsWith("which leaves no bounds"));
});

Deno.test("freeEnergyDifferenceBetween refuses what cannot be compared", () => {
  const options = { samples: 10, seed: 1 };
  const [first, second] = [stateOf(0), stateOf(1)];
  const line = { flow: new Flow(new Scaling({ dim: 1 })), system: new DoubleWell({ dim: 1 }) };
  assertThrows(
    () => between(first, line, options),
    RangeError,
    "Cannot compare two generators: both flows must have one dim, got 2 and 1",
  );
  assertThrows(
    () => between(first, second, { ...options, samples: 1 }),
    RangeError,
    "Cannot compare two generators: samples must be a whole number ≥ 2, got 1",
  );
  assertThrows(
    () => between(first, second, { ...options, rejectAbove: -1 }),
    RangeError,
    "Cannot compare two generators: rejectAbove must not be negative, got -1",
  );
  const none = { ...first, basin: (x: Float64Array) => new Uint8Array(x.length / 2) };
  assertThrows(
    () => between(none, second, options),
    RangeError,
    "Cannot compare two generators: frames of the first state must lie in its basin and in the reference domain, got " +
      "2000 of 2000 that do not: leave them out",
  );
  const short = { ...first, basin: () => new Uint8Array(3) };
  assertThrows(
    () => between(short, second, options),
    RangeError,
    "Cannot weigh a state: basin must return 2000 marks, got 3",
  );
  const torn = { ...second, frames: { x: new Float64Array(4), chain: [0] } };
  assertThrows(
    () => between(first, torn, options),
    RangeError,
    "Cannot compare two generators: frames of the second state must be one or more rows of 2, each with its chain, got " +
      "4 numbers and 1 chains",
  );
  const broken = {
    ...first,
    system: { dim: 2, energy: (x: Float64Array) => new Float64Array(x.length / 2).fill(NaN) },
  };
  assertThrows(() => between(broken, second, options), NotFiniteError, "first with index 0");
});
