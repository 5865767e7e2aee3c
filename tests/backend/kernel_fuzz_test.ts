/**
 * Every kernel with random shapes and arguments, in both builds, against float64.
 *
 * BOLTZFLOW_FUZZ_ROUNDS asks for more rounds, BOLTZFLOW_FUZZ_SEED for others; a failure names the seed that repeats it.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { densities } from "./fuzz_densities.ts";
import { type Case, check, checkNaN, copies, Draw } from "./fuzz_draw.ts";
import { elementwise } from "./fuzz_elementwise.ts";
import { panels } from "./fuzz_panels.ts";
import { particles } from "./fuzz_particles.ts";
import { spins } from "./fuzz_spins.ts";
import { splines } from "./fuzz_splines.ts";
import { type Argument, builds, type Implementation } from "./kernel_harness.ts";

/** Which rounds: those that were asked for, and those in which broken kernels must be found. */
const usual = { seed: 1, rounds: 40 };
const setting = (name: string, otherwise: number) => Number(Deno.env.get(`BOLTZFLOW_FUZZ_${name}`) ?? otherwise);
const asked = { seed: setting("SEED", usual.seed), rounds: setting("ROUNDS", usual.rounds) };

/** Kernels whose references take about forty times as long as those of others. */
const slow = { ...densities, ...splines };

/** Seeds of a kernel. */
function seedsOf(kernel: string, { seed, rounds }: typeof usual): number[] {
  const count = Math.ceil(kernel in slow ? rounds / 40 : rounds);
  return Array.from({ length: count }, (_, i) => seed + i);
}

const generators = { ...elementwise, ...panels, ...particles, ...spins, ...slow };
const kernels = Object.keys(generators);

/** What `body` says about each round of a kernel, with the seed if it throws. */
function eachRound(kernel: string, which: typeof usual, body: (draw: Draw, generate: () => Case) => void): void {
  for (const seed of seedsOf(kernel, which)) {
    try {
      const draw = new Draw(seed, kernel);
      body(draw, () => generators[kernel](draw));
    } catch (error) {
      const repeat = `BOLTZFLOW_FUZZ_SEED=${seed} BOLTZFLOW_FUZZ_ROUNDS=1`;
      throw new Error(`${(error as Error).message} (again with ${repeat})`, { cause: error });
    }
  }
}

Deno.test("every exported kernel has a generator that gives all its arguments", () => {
  const [{ module, exports }] = builds;
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
  assertEquals(exported.filter((name) => !["abiVersion", "heapBase"].includes(name)).sort(), kernels.toSorted());
  for (const kernel of kernels) {
    assertEquals([kernel, generators[kernel](new Draw(1, kernel)).args.length], [kernel, exports[kernel].length]);
  }
});

for (const kernel of kernels) {
  Deno.test(`${kernel} agrees with float64 for random shapes and arguments`, () => {
    eachRound(kernel, asked, (draw, generate) => {
      const call = generate();
      for (const build of builds) {
        check(build, kernel, { ...call, args: copies(call.args) });
        if (call.batches !== undefined) checkNaN(build, kernel, call, draw);
      }
    });
  });
}

const good = builds[0];

/** The indices of what a call of the correct kernel changes. */
function outputsOf(kernel: string, { args, scratch }: Case): number[] {
  const after = copies(args);
  good.run(kernel, after);
  const changed = (k: number) =>
    (after[k] as Float64Array).some((value, i) => !Object.is(value, (args[k] as Float64Array)[i]));
  return args.flatMap((arg, k) => typeof arg !== "number" && k !== scratch && changed(k) ? [k] : []);
}

/** Ways to be wrong that every kernel can have, given one of its outputs. */
const faults: Record<string, (kernel: string, args: readonly Argument[], output: number) => number | void> = {
  "forgets the last of its results"(kernel, args, output) {
    const target = args[output] as Float64Array;
    const before = target.slice();
    const result = good.run(kernel, args);
    const last = target.findLastIndex((value, i) => !Object.is(value, before[i]));
    target[last] = before[last];
    return result;
  },
  "writes one element past the end"(kernel, args, output) {
    const target = args[output] as Float64Array;
    return good.run(kernel, args.map((arg) => arg === target ? target.subarray(0, -1) : arg));
  },
  "is a hundredth off in its largest result"(kernel, args, output) {
    const result = good.run(kernel, args);
    const target = args[output] as Float64Array;
    const largest = target.reduce((best, value, i) => Math.abs(value) > Math.abs(target[best]) ? i : best, 0);
    target[largest] = (args[output] as unknown) instanceof Int32Array ? target[largest] ^ 1 : target[largest] * 1.01;
    return result;
  },
};

/** The error of the first call that is refused with one of its outputs spoilt, or undefined; some compute but rounding. */
function refusal(kernel: string, fault: typeof faults[string]): Error | undefined {
  for (const seed of seedsOf(kernel, { ...usual, rounds: 200 })) {
    const call = generators[kernel](new Draw(seed, kernel));
    for (const output of outputsOf(kernel, call)) {
      const broken: Implementation = { name: "broken", run: (kernel, args) => fault(kernel, args, output) };
      try {
        check(broken, kernel, { ...call, args: copies(call.args) });
      } catch (error) {
        return error as Error;
      }
    }
  }
}

for (const [name, fault] of Object.entries(faults)) {
  Deno.test(`the fuzz test rejects every kernel that ${name}`, () => {
    assertEquals(kernels.filter((kernel) => refusal(kernel, fault) === undefined), []);
  });
}

type Change = (args: readonly Argument[]) => void;

/** A kernel whose arguments are changed before it runs, or whose results are afterwards. */
function altered(kernel: string, before: (args: Argument[]) => Argument[], after: Change = () => {}): Implementation {
  return {
    name: "broken",
    run(name, args) {
      assertEquals(name, kernel);
      const result = good.run(kernel, before([...args]));
      after(args);
      return result;
    },
  };
}

const rotated = (array: Argument) => {
  const source = array as Float32Array;
  return source.map((_, i) => source[(i + 1) % source.length]);
};

/** Tables of ten rows of four words, the thresholds' lower ones zero. */
const withoutLowerWords = (tables: Argument) =>
  (tables as Int32Array).map((word, k) => [5, 7, 9].includes((k >> 2) % 10) ? 0 : word);

const mistakes: Record<string, { readonly kernel: string; readonly broken: Implementation }> = {
  "shifts its bias by one": {
    kernel: "linearF32",
    broken: altered("linearF32", (args) => args.with(5, rotated(args[5]))),
  },
  "forgets what does not fill a vector": {
    kernel: "tanhF32",
    broken: altered("tanhF32", ([count, ...rest]) => [(count as number) & ~3, ...rest]),
  },
  "adds where it should overwrite": {
    kernel: "linearWeightGradF32",
    broken: altered("linearWeightGradF32", (args) => args.with(5, 1)),
  },
  "leaves the last block of panels out": {
    kernel: "biasGradF32",
    broken: altered("biasGradF32", ([count, ...rest]) => [Math.min(count as number, 8), ...rest]),
  },
  "fills up panels with zeros": {
    kernel: "rowsToPanelsF32",
    broken: altered("rowsToPanelsF32", (args) => args, ([n, f, , target]) => {
      const lanes = target as Float32Array;
      for (let i = 0; i < lanes.length; i++) {
        if (32 * Math.floor(i / (32 * (f as number))) + i % 32 >= (n as number)) lanes[i] = 0;
      }
    }),
  },
  "turns NaN into 0": {
    kernel: "affineForwardF32",
    broken: altered("affineForwardF32", (args) => args, (args) => {
      const y = args[5] as Float32Array;
      y.forEach((value, i) => y[i] = Number.isNaN(value) ? 0 : value);
    }),
  },
  "forgets a particle": {
    kernel: "particleFluidEnergyF64",
    broken: altered("particleFluidEnergyF64", (args) => args.with(1, Math.max(args[1] as number - 1, 1))),
  },
  "moves the chains of a pair at the wrong temperatures": {
    kernel: "dimerMetropolisF64",
    broken: altered("dimerMetropolisF64", (args) => args.with(5, rotated(args[5]))),
  },
  "draws the random numbers of another sweep": {
    kernel: "isingMetropolisI32",
    broken: altered("isingMetropolisI32", (args) => args.with(3, args[3] as number + 1)),
  },
  "compares the upper words of probabilities alone": {
    kernel: "isingMetropolisI32",
    broken: altered("isingMetropolisI32", (args) => args.with(4, withoutLowerWords(args[4]))),
  },
  "adds to clusters by upper words alone": {
    kernel: "isingWolffI32",
    broken: altered("isingWolffI32", (args) => args.with(4, withoutLowerWords(args[4]))),
  },
  "turns one cluster less": {
    kernel: "isingWolffI32",
    broken: altered("isingWolffI32", (args) => args.with(2, Math.max(args[2] as number - 1, 0))),
  },
};

for (const [name, { kernel, broken }] of Object.entries(mistakes)) {
  Deno.test(`the fuzz test rejects a ${kernel} that ${name}`, () => {
    const run = () => eachRound(kernel, usual, (_, generate) => check(broken, kernel, generate()));
    assertThrows(run, Error, "again with");
  });
}

Deno.test("the fuzz test rejects NaN that is swallowed, and NaN that reaches other samples", () => {
  const kernel = "mixtureEncodeF32";
  const spread = (value: (clean: number) => number): Implementation => ({
    name: "broken",
    run(_, args) {
      const result = good.run(kernel, args);
      const out = args[5] as Float32Array;
      if (out.some(Number.isNaN)) out.forEach((v, i) => out[i] = value(v));
      return result;
    },
  });
  for (const broken of [spread((v) => Number.isNaN(v) ? 0 : v), spread(() => NaN)]) {
    const draw = new Draw(usual.seed, kernel);
    const call = generators[kernel](draw);
    assertThrows(() => checkNaN(broken, kernel, call, draw), Error, "NaN in element");
  }
});
