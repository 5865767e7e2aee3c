import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { parseCommandLine, parseNumbers } from "../../scripts/command_line.ts";
import { parseComparisonPlan } from "../../src/experiment/comparison_plan.ts";
import { readMarker, type RunMarker, writeMarker } from "../../src/experiment/run_marker.ts";
import { metadataEntries, type ModelMetadata, parseMetadata } from "../../src/sampler/metadata.ts";
import { decodeNpz, encodeNpz } from "../../src/format/npz.ts";
import { type JsonObject, writeJson } from "../../src/format/json.ts";
import { parseJson } from "../../src/format/parse_json.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/training/checkpoint.ts";
import { description } from "../onnx/flow_example.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { trials } from "../support/incidents.ts";
import { damage } from "./mutate.ts";
import { assertReaderHolds, errorFault } from "./reader_law.ts";

const runs = (quick: number) => ({ numRuns: trials(quick, 10_000), seed: 1 });
const refuse = (rest: string): never => {
  throw new RangeError(`Cannot read it: ${rest}`);
};

/** Objects of JSON with hostile keys among others; −0, which JSON has no word for, left out. */
const object = fc.dictionary(
  fc.oneof(fc.string(), fc.constantFrom("constructor", "toString", "7", "", "ü")),
  fc.jsonValue({ maxDepth: 4 }),
  { maxKeys: 6, noNullPrototype: true },
).map((value) => JSON.parse(JSON.stringify(value).replaceAll("__proto__", "proto")) as JsonObject);

const f64 = fc.float64Array({ maxLength: 20 });
const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength).join();

Deno.test("checkpoints of any state and any numbers come back as they were", async () => {
  await fc.assert(
    fc.asyncProperty(object, f64, fc.string(), async (state, data, kind) => {
      const tensors = new Map([["t", { shape: [data.length], data }]]);
      const read = await decodeCheckpoint(await encodeCheckpoint({ kind, state, tensors }));
      assertEquals([read.kind, writeJson(read.state, { keys: "sorted" })], [
        kind,
        writeJson(state, { keys: "sorted" }),
      ]);
      assertEquals(bytes(read.tensors.get("t")!.data), bytes(data));
    }),
    runs(150),
  );
});

Deno.test("arrays of any numbers come back from a .npz file, packed or not", async () => {
  await fc.assert(
    fc.asyncProperty(f64, fc.boolean(), async (data, compress) => {
      const read = await decodeNpz(await encodeNpz({ x: { shape: [data.length], data } }, { compress }));
      assertEquals(bytes(read.get("x")!.data), bytes(data));
    }),
    runs(100),
  );
});

Deno.test("metadata with any plain text and any finite numbers come back as they were", () => {
  const line = fc.string().filter((text) => !/\p{Cc}/u.test(text));
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0 === 0 ? 0 : value);
  fc.assert(
    fc.property(
      line,
      line,
      finite,
      fc.dictionary(fc.stringMatching(/^[a-z]\w{0,8}$/), finite, { noNullPrototype: true }),
      (
        system,
        referenceDomain,
        temperature,
        parameters,
      ) => {
        const metadata: ModelMetadata = {
          ...description,
          ...{ role: "sampler", precision: "float64", dim: 4, prior: "normal", weights: "0", packageVersion: "1" },
          ...{ system, referenceDomain, temperature, parameters },
        };
        assertEquals(parseMetadata(metadataEntries(metadata)), metadata);
      },
    ),
    runs(150),
  );
});

Deno.test("parseJson() accepts nothing that JSON.parse refuses, changes nothing, and pollutes nothing", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.json(), fc.string(), fc.jsonValue().map((value) => JSON.stringify({ a: value }))),
      (text) => {
        let value: unknown;
        try {
          value = parseJson(text, "the text", refuse);
        } catch (error) {
          assertEquals(errorFault(error, /^Cannot read it$/), undefined);
          return;
        }
        assertEquals(value, JSON.parse(text));
      },
    ),
    runs(400),
  );
});

Deno.test("every damaged JSON text is read as JSON.parse reads it or refused in a sentence of ours", async () => {
  const good = new TextEncoder().encode(
    '{"a":[1,-2.5e-3,{"b":null,"c":"text \\u00fc \\" {"}],"list":[[],[{}],[[1]]],"n":12345678901}',
  );
  const { loaded, refused } = await assertReaderHolds({
    incident: "damaged JSON text",
    trials: trials(1500, 20_000),
    make: (trial) => new TextDecoder().decode(damage(good, trial)),
    read: (text) => parseJson(text, "the text", refuse),
    faultOf: (value, text) =>
      JSON.stringify(value) === JSON.stringify(JSON.parse(text)) ? undefined : "was read as something else",
    task: /^Cannot read it$/,
  });
  assert(loaded > 0 && refused > 0);
});

Deno.test("every damaged plan of a comparison is a plan or refused in a sentence of ours", async () => {
  const plan = {
    steps: { realnvp: 32, tilted: 64, mixture: 96 },
    sweeps: { umbrella: [1, 2, 3], plain: [10, 20, 30] },
  };
  const good = { format: "boltzflow dimer comparison", settings: { minutes: 5 }, plan };
  assertEquals(parseComparisonPlan(JSON.stringify(good), 5), plan);
  const text = new TextEncoder().encode(JSON.stringify(good));
  await assertReaderHolds({
    incident: "damaged comparison.json",
    trials: trials(1500, 20_000),
    make: (trial) => new TextDecoder().decode(damage(text, trial)),
    read: (damaged) => parseComparisonPlan(damaged, 5),
    faultOf(result) {
      const { steps, sweeps } = result as typeof plan;
      const numbers = [...Object.values(steps), ...sweeps.umbrella, ...sweeps.plain];
      return numbers.length === 9 && numbers.every((n) => Number.isInteger(n) && n > 0) ? undefined : "is no plan";
    },
    task: /^Cannot read a plan$/,
  });
});

Deno.test("every damaged run.json describes a run inside its directory or is refused in a sentence of ours", async () => {
  await inTemporaryDirectory(async (directory) => {
    const marker: RunMarker = {
      kind: "dimer",
      configuration: { seed: 1, list: [1, { a: null }] },
      files: ["report.json", "figures/potential.svg"],
    };
    await writeMarker(directory, marker);
    const path = `${directory}/run.json`;
    const good = await Deno.readFile(path);
    await assertReaderHolds({
      incident: "damaged run.json",
      trials: trials(400, 10_000),
      make: (trial) => damage(good, trial),
      read: async (bytes) => {
        await Deno.writeFile(path, bytes);
        return await readMarker(directory, "look");
      },
      faultOf(result) {
        const { files } = result as RunMarker;
        const leaves = files.some((name) =>
          name.split("/").some((part) => part === ".." || part === "") || name === "run.json"
        );
        return leaves ? `has files outside: ${files}` : undefined;
      },
      task: /^Cannot look$/,
    });
  });
});

const command = {
  usage: "deno run x.ts",
  summary: "X.",
  options: {
    n: { kind: "integer", minimum: 1, maximum: 100, help: "a number" },
    rate: { kind: "number", above: 0, default: 1, help: "another" },
    name: { kind: "text", default: "a", help: "text" },
    kind: { kind: "choice", choices: ["one", "two"], default: "one", help: "choice" },
    force: { kind: "flag", help: "flag" },
  },
  operands: [{ name: "FILE", help: "a file" }],
} as const;

Deno.test("every command line gives values within their rules or is refused in a sentence of ours", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "--n",
      "--n=",
      "--rate",
      "--name",
      "--kind",
      "--force",
      "--force=true",
      "--no-force",
      "--",
      "-",
      "--help=1",
    ),
    fc.constantFrom(
      "--__proto__",
      "--__proto__.x=1",
      "--constructor.prototype.x",
      "--n.x=1",
      "--name=../..",
      "-n",
      "-abc",
      "--=1",
    ),
    fc.constantFrom("3", "1e999", "0x10", "NaN", "one", "-5", "1e-400", "1_000", "٣", "", "two "),
    fc.string({ unit: "binary" }),
    fc.string().map((text) => `--${text}`),
    fc.string().map((text) => `--n=${text}`),
  );
  const lines = fc.sample(fc.array(piece, { maxLength: 7 }), { numRuns: trials(500, 20_000), seed: 1 });
  lines[0] = Array.from({ length: 300 }, () => "a");
  lines[1] = ["x".repeat(1e6)];
  await assertReaderHolds({
    incident: "wrong command line",
    trials: lines.length,
    make: (trial) => lines[trial],
    read: (line) => parseCommandLine(command, line),
    faultOf(result) {
      if (result === "help") return undefined;
      const { options: { n, rate, name, kind, force }, operands } = result as Exclude<
        ReturnType<typeof parseCommandLine<typeof command.options>>,
        "help"
      >;
      const isSound = (n === undefined || Number.isInteger(n) && n >= 1 && n <= 100) && rate > 0 && rate < Infinity &&
        typeof name === "string" && ["one", "two"].includes(kind) && typeof force === "boolean" &&
        operands.length === 1;
      return isSound ? undefined : `was read as ${JSON.stringify(result)}`;
    },
    task: /^Cannot run x\.ts$/,
  });
});

Deno.test("parseNumbers() takes plain decimals only", () => {
  assertEquals(parseNumbers("0.5,-2,1e3"), [0.5, -2, 1000]);
  assertEquals(parseNumbers("1,, 2,0x1,Infinity"), [1, NaN, NaN, NaN, NaN]);
});
