/**
 * Configurations that nobody wants and every flow makes at some time: overlaps, coincidences, particles far out.
 *
 * @module
 */
import { DoubleWell } from "../../src/system/double_well.ts";
import { HarmonicOscillatorBox } from "../../src/system/harmonic_oscillator_box.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { ManyWell } from "../../src/system/many_well.ts";
import { MuellerBrown } from "../../src/system/mueller_brown.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import type { System } from "../../src/system/system.ts";

/** "cusp": a finite energy without a gradient. */
export type Kind = "finite" | "infinite" | "cusp";

/** A system with an ordinary configuration and extreme ones. */
export interface Extremes {
  readonly name: string;
  readonly system: System;
  readonly start: Float64Array;
  readonly configurations: readonly (readonly [what: string, x: Float64Array, kind: Kind])[];
}

/** A copy of a configuration with some coordinates replaced. */
export function placed(x: Float64Array, coordinates: Readonly<Record<number, number>>): Float64Array {
  const copy = x.slice();
  for (const [k, value] of Object.entries(coordinates)) copy[Number(k)] = value;
  return copy;
}

/** What two particles, of coordinates i, i + 1 and j, j + 1, and one coordinate k can do. */
function disasters(start: Float64Array, i: number, j: number): Extremes["configurations"] {
  const together = { [i]: start[j], [i + 1]: start[j + 1] };
  return [
    ["two particles at one place", placed(start, together), "infinite"],
    ["two particles 1e-30 apart", placed(start, { [i]: 0, [i + 1]: 0, [j]: 1e-30, [j + 1]: 0 }), "infinite"],
    ["two particles 1e-12 apart", placed(start, { ...together, [i]: start[j] + 1e-12 }), "finite"],
    ["two particles 0.01 apart", placed(start, { ...together, [i]: start[j] + 0.01 }), "finite"],
    ["all particles at one place", start.map((_, k) => 0.1 * (k % 2)), "infinite"],
    ["all particles at 1e30", start.map(() => 1e30), "infinite"],
    ["a coordinate at 1e30", placed(start, { [i]: 1e30 }), "finite"],
    ["a coordinate at the largest float32", placed(start, { [i]: -3.4e38 }), "finite"],
    ["a coordinate at 1e200", placed(start, { [i]: 1e200 }), "infinite"],
  ];
}

/** All systems with their presets. */
export function extremes(): Extremes[] {
  const dimers = (["noe2019", "noe2019-class", "printed"] as const).map((preset): Extremes => {
    const system = new ParticleDimer({ preset });
    const start = system.initialConfiguration(1);
    return {
      name: `ParticleDimer ${preset}`,
      system,
      start,
      configurations: [
        ...disasters(start, 4, 6),
        ["a bond of length zero", placed(start, { 0: start[2], 1: start[3] }), "cusp"],
        ["a bond of length 1e-30", placed(start, { 0: 0, 1: 0, 2: 1e-30, 3: 0 }), "finite"],
        ["a bond of length 2e30", placed(start, { 0: -1e30, 2: 1e30 }), "finite"],
      ],
    };
  });
  const fluids = (["liquid", "soft-discs"] as const).map((preset): Extremes => {
    const system = new LennardJonesFluid({ preset });
    const [start] = system.startConfigurations();
    return { name: `LennardJonesFluid ${preset}`, system, start, configurations: disasters(start, 0, 2) };
  });
  const wells = (["noe2019", "paper-si", "cs230-printed", "snf"] as const).map((preset): Extremes => ({
    name: `DoubleWell ${preset}`,
    system: new DoubleWell({ preset, dim: 3 }),
    start: Float64Array.of(1, 0.5, -0.5),
    configurations: [
      ["1e30 along the well", Float64Array.of(1e30, 0, 0), "finite"],
      ["−1e30 along the well", Float64Array.of(-1e30, 1e30, 0), "finite"],
      ["the largest float32", Float64Array.of(3.4e38, -3.4e38, 3.4e38), "finite"],
      ["±1e200", Float64Array.of(-1e200, 1e200, 0), "infinite"],
    ],
  }));
  return [...dimers, ...fluids, ...wells, ...others()];
}

/** Systems of two or four coordinates, in one preset each. */
function others(): Extremes[] {
  const box = new HarmonicOscillatorBox();
  const mueller = new MuellerBrown();
  const many = new ManyWell({ wells: 2 });
  return [
    {
      name: "HarmonicOscillatorBox",
      system: box,
      start: Float64Array.of(1, 2),
      configurations: [
        ["on the walls", Float64Array.of(4, -1), "finite"],
        ["far along the spring", Float64Array.of(0, 1e30), "finite"],
        ["beyond a wall", Float64Array.of(-1e-300, 0), "infinite"],
        ["far beyond a wall", Float64Array.of(1e200, -1e200), "infinite"],
        ["a spring of 1e200", Float64Array.of(1, -1e200), "infinite"],
      ],
    },
    {
      name: "MuellerBrown",
      system: mueller,
      start: Float64Array.of(-0.5, 1.4),
      configurations: [
        ["(−20, 20)", Float64Array.of(-20, 20), "finite"],
        ["(1e30, 1e30)", Float64Array.of(1e30, 1e30), "infinite"],
        ["(1e200, 1e200)", Float64Array.of(1e200, 1e200), "infinite"],
        ["(−1e200, 1e200)", Float64Array.of(-1e200, 1e200), "infinite"],
      ],
    },
    {
      name: "ManyWell",
      system: many,
      start: Float64Array.of(1, 0.5, -1, 0),
      configurations: [
        ["1e30 in two places", Float64Array.of(1e30, 0, 0, -1e30), "finite"],
        ["±1e200", Float64Array.of(0, 0, 1e200, -1e200), "infinite"],
      ],
    },
  ];
}
