import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { compareReports, describeComparison, parseRerun } from "../../src/experiment/rerun.ts";
import { commitOf, runEnvironment, withOrigin } from "../../src/experiment/run_origin.ts";
import { damage } from "../fuzz/mutate.ts";
import { assertReaderHolds } from "../fuzz/reader_law.ts";
import { type Finished, tryDeno } from "../support/deno_process.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { long, record, trials } from "../support/incidents.ts";

const options = { budget: "smoke", head: "mixture", seed: 7, slope: -0.5, deterministic: true, quick: false };

/** A report of a run, as short as may be. */
function report(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    format: "boltzflow dimer report",
    version: 1,
    packageVersion: "0.1.0",
    kernelBuild: "baseline",
    threads: 2,
    value: 1.5,
    list: [1, { deep: null }],
    empty: [],
    wallTimeMs: { data: 3 },
    onnx: { samplesPerSecond: 1000, file: "sampler.onnx" },
    checksums: { "sampler.onnx": "ab" },
    rerun: { script: "train_dimer.ts", options },
    environment: { deno: "2.9.6", v8: "15", platform: "linux x86_64", processor: null, commit: null },
    ...changes,
  });
}

Deno.test("parseRerun() hands on the options that results depend on, each as one argument", () => {
  const { script, arguments: args, file } = parseRerun(report(), "a/report.json");

  assertEquals([script, file], ["train_dimer.ts", "report.json"]);
  assertEquals(args, ["--budget=smoke", "--head=mixture", "--seed=7", "--slope=-0.5", "--deterministic"]);
});

Deno.test("parseRerun() has a comparison take its plan from the report itself", () => {
  const text = report({
    format: "boltzflow dimer comparison",
    rerun: { script: "compare_dimer.ts", options: { minutes: 1 } },
  });
  assertEquals(parseRerun(text, "a b/comparison.json").arguments, ["--minutes=1", "--plan=a b/comparison.json"]);
});

const refused: Record<string, [text: string, sentence: string]> = {
  "what is no JSON": ["{", "the report must be JSON, got text that does not parse"],
  "another program's JSON": ["{}", "the report must be one of boltzflow's, got format none"],
  "the name of something inherited": [
    report({ format: "constructor" }),
    `the report must be one of boltzflow's, got format "constructor"`,
  ],
  "a later layout": [report({ version: 2 }), "version of the report must be 1, got 2"],
  "a run that a program started": [
    report({ rerun: null }),
    "the report must say which options made it, got null for rerun: runs that a program started are started again by " +
    "that program",
  ],
  "another script": [
    report({ rerun: { script: "../../evil.ts", options: {} } }),
    `rerun.script must be train_dimer.ts, got "../../evil.ts"`,
  ],
  "no table of options": [
    report({ rerun: { script: "train_dimer.ts", options: ["--out=/"] } }),
    `rerun.options must be a table, got ["--out=/"]`,
  ],
  "a directory": [
    report({ rerun: { script: "train_dimer.ts", options: { out: "/etc" } } }),
    `rerun.options must hold options that results depend on, got "out"`,
  ],
  "a name that is none": [
    report({ rerun: { script: "train_dimer.ts", options: { "seed=1 --out": 1 } } }),
    `rerun.options must hold options that results depend on, got "seed=1 --out"`,
  ],
  "a list": [
    report({ rerun: { script: "train_dimer.ts", options: { hidden: [8] } } }),
    "rerun.options.hidden must be a number, true, false or a short text, got [8]",
  ],
  "characters that control a terminal": [
    report({ rerun: { script: "train_dimer.ts", options: { hidden: "\u001b[2J" } } }),
    `rerun.options.hidden must be a number, true, false or a short text, got "\\u001b[2J"`,
  ],
  "too many options": [
    report({
      rerun: {
        script: "train_dimer.ts",
        options: Object.fromEntries(Array.from({ length: 65 }, (_, k) => [`o${k}`, k])),
      },
    }),
    "rerun.options must be at most 64, got 65",
  ],
  "a prototype": [
    report().replace('"value":1.5', '"__proto__":{"seed":1}'),
    `the report must not hold a key "__proto__"`,
  ],
};

for (const [what, [text, sentence]] of Object.entries(refused)) {
  Deno.test(`parseRerun() refuses ${what}`, () => {
    const { message } = assertThrows(() => parseRerun(text, "report.json"), RangeError);
    if (what === "a prototype") assert(message.startsWith("Cannot rerun: the report "), message);
    else assertEquals(message, `Cannot rerun: ${sentence}`);
  });
}

Deno.test("parseRerun() reads or refuses damaged reports, and asks for our scripts with plain options only", async () => {
  const bytes = new TextEncoder().encode(report());
  await assertReaderHolds<string>({
    incident: "damaged report given to rerun.ts",
    trials: trials(400, 10_000),
    make: (trial) => new TextDecoder().decode(damage(bytes, trial)),
    read: (text) => parseRerun(text, "report.json"),
    faultOf(result) {
      const { script, arguments: args } = result as ReturnType<typeof parseRerun>;
      if (script !== "train_dimer.ts") return `asks for ${script}`;
      const odd = args.find((argument) => !/^--[a-z][a-z0-9-]*(=\P{Cc}{0,1000})?$/u.test(argument));
      if (odd !== undefined) return `has the argument ${odd}`;
      const own = args.find((argument) => /^--(out|resume|force|threads|plan)(=|$)/.test(argument));
      return own === undefined ? undefined : `decides ${own}`;
    },
    task: /^Cannot rerun$/,
  });
});

const compared = (changes: Record<string, unknown>) =>
  compareReports(JSON.parse(report()), JSON.parse(report(changes)));

Deno.test("compareReports() finds every number, text and checksum that differs, and by how much", () => {
  const { differences } = compared({
    value: 1.25,
    list: [1, { deep: 0 }],
    empty: {},
    checksums: { "sampler.onnx": "ac" },
    more: true,
  });
  assertEquals(differences, [
    { path: "value", first: "1.5", second: "1.25", by: 0.25 },
    { path: "list.1.deep", first: "null", second: "0", by: null },
    { path: "empty", first: '"[]"', second: '"{}"', by: null },
    { path: "checksums.sampler.onnx", first: '"ab"', second: '"ac"', by: null },
    { path: "more", first: "nothing", second: "true", by: null },
  ]);
});

Deno.test("compareReports() takes no difference from times and threads, and sets apart what a run ran on", () => {
  const { differences, surroundings } = compared({
    threads: 1,
    wallTimeMs: { data: 5, more: 1 },
    onnx: { samplesPerSecond: 1, file: "sampler.onnx" },
    kernelBuild: "relaxed",
    environment: { deno: "2.9.7", v8: "15", platform: "linux x86_64", processor: null, commit: null },
    rerun: null,
  });
  assertEquals(differences, []);
  assertEquals(surroundings.map(({ path }) => path), ["kernelBuild", "environment.deno"]);
});

Deno.test("describeComparison() shows the largest differences first, and no terminal codes", () => {
  assertEquals(describeComparison(compared({})), "identical: 8 values");
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, k) => [`n\u0007${k}`, k]));
  const less = Object.fromEntries(Object.entries(many).map(([name, k]) => [name, k + k / 100]));
  const text = describeComparison(compareReports(many, less));
  const lines = text.split("\n");
  assertEquals(lines[0], "differs in n\ufffd29 by 0.29: was 29, is 29.29");
  assertEquals(lines.slice(20), ["differs in 9 other places", "29 of 30 values differ"]);
});

Deno.test("commitOf() reads what is checked out, from a branch, packed references or a hash alone, and nothing else", async () => {
  const hash = "0123456789abcdef0123456789abcdef01234567";
  await inTemporaryDirectory(async (directory) => {
    const root = new URL(`file://${directory}/`);
    assertEquals(await commitOf(root), null);
    await Deno.mkdir(`${directory}/.git/refs/heads`, { recursive: true });
    const write = (name: string, text: string) => Deno.writeTextFile(`${directory}/.git/${name}`, text);
    await write("HEAD", `${hash}\n`);
    assertEquals(await commitOf(root), hash);
    await write("HEAD", "ref: refs/heads/main\n");
    assertEquals(await commitOf(root), null);
    await write("packed-refs", `# pack-refs with: peeled\n${hash} refs/heads/main\n`);
    assertEquals(await commitOf(root), hash);
    await write("refs/heads/main", `${hash.replace("0", "f")}\n`);
    assertEquals(await commitOf(root), hash.replace("0", "f"));
    await write("secret", hash);
    await write("HEAD", "ref: refs/../secret\n");
    assertEquals(await commitOf(root), null);
  });
  assertEquals(await commitOf(new URL("https://example.com/package/")), null);
});

Deno.test("withOrigin() records script, options, versions and checksums", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/model`, "abc");
    const origin = { script: "train_dimer.ts", options: { seed: 1 } };
    const found = await withOrigin({ value: 1 }, origin, { model: `${directory}/model` });
    assertEquals(found, {
      value: 1,
      checksums: { model: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
      rerun: origin,
      environment: { ...await runEnvironment() },
    });
    assertEquals((await withOrigin({}, undefined)).rerun, null);
  });
  const { deno, v8 } = await runEnvironment();
  assertEquals([deno, v8], [Deno.version.deno, Deno.version.v8]);
});

/** Runs a script; output and exit code. */
function script(name: string, ...args: readonly string[]): Promise<Finished> {
  return tryDeno(["run", "-A", new URL(`../../scripts/${name}`, import.meta.url).pathname, ...args]);
}

const runs = [
  {
    name: "fluid_free_energy.ts",
    file: "report.json",
    args: ["--budget", "smoke", "--head", "mixture", "--seed", "3"],
  },
  { name: "train_dimer.ts", file: "report.json", args: ["--budget", "smoke", "--head", "mixture", "--slope", "-0.5"] },
  { name: "train_dimer.ts", file: "report.json", args: ["--budget", "smoke", "--flow", "realnvp", "--hidden", "16"] },
  {
    name: "dimer_temperatures.ts",
    file: "report.json",
    args: ["--budget", "smoke", "--temperatures", "2", "--steps", "20", "--range", "0.7,1.4"],
  },
  { name: "reproduce.ts", file: "reproduction.json", args: ["--budget", "smoke", "--only", "coverage"] },
  { name: "compare_dimer.ts", file: "comparison.json", args: ["--minutes", "0.001"] },
];

for (const { name, file, args } of long ? runs : runs.slice(0, 1)) {
  Deno.test(`rerun.ts does ${name} ${args.join(" ")} again: one changed number is all that differs`, async () => {
    await inTemporaryDirectory(async (directory) => {
      const start = performance.now();
      const first = await script(name, ...args, "--threads", "2", "--deterministic", "--out", `${directory}/first`);
      assertEquals(first.code, 0, first.stderr);
      const path = `${directory}/first/${file}`;
      const text = await Deno.readTextFile(path);
      const changed = text.replace(/"version": 1,/, '"version": 1,\n  "changed": 42,');
      await Deno.writeTextFile(path, changed);

      const again = await script("rerun.ts", path, "--threads", "1", "--out", `${directory}/second`);

      assertEquals(again.code, 1, again.stderr);
      assertMatch(again.stdout, /\ndiffers in changed: was 42, is nothing\n1 of \d{3,} values differ\n$/);
      const seconds = (performance.now() - start) / 1000;
      record({ incident: `run done again from its report, ${name}`, trials: 1, lost: 0, wrong: 0, seconds });
      if (!long) return;
      await Deno.writeTextFile(path, text);
      const same = await script("rerun.ts", path, "--out", `${directory}/second`, "--force");
      assertEquals(same.code, 0, same.stderr);
      assertMatch(same.stdout, /\nidentical: \d{3,} values\n$/);
    });
  });
}

Deno.test("rerun.ts says in one sentence what it cannot rerun, and which option a script refuses", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/report.json`;
    const run = () => script("rerun.ts", path, "--out", `${directory}/new`);
    const { code: missing, stderr: message } = await run();
    assertEquals(missing, 1);
    assertMatch(message, /^Cannot rerun: .+report\.json must exist, got .+\n$/);
    await Deno.writeTextFile(path, report({ rerun: { script: "train_dimer.ts", options: { "no-such-option": 1 } } }));
    const { code, stderr } = await run();
    assertEquals(code, 1);
    assertMatch(stderr, /Cannot run train_dimer\.ts: options must be known ones, got --no-such-option: /);
    assertMatch(stderr, /Cannot rerun: train_dimer\.ts must end well, got exit code 1: its message is above\n$/);
  });
});
