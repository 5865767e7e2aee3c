import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Command, describeCommand, type OptionTable, parseCommandLine } from "../../scripts/command_line.ts";

const train = {
  usage: "deno run -A scripts/train.ts",
  summary: "Trains something.",
  options: {
    budget: {
      kind: "choice",
      choices: ["smoke", "default", "paper"],
      default: "default",
      help: "how long it may take",
    },
    seed: { kind: "integer", minimum: 0, default: 1, help: "seed of all random numbers" },
    slope: { kind: "number", help: "overrides the slope of the preset", whenAbsent: "as the preset has it" },
    temperature: { kind: "number", above: 0, maximum: 100, default: 1, help: "temperature in units of T₀" },
    threads: { kind: "integer", minimum: 1, maximum: 64, help: "threads", whenAbsent: "all cores" },
    out: { kind: "text", placeholder: "DIR", default: "runs/dimer", help: "directory for everything that is written" },
    resume: { kind: "flag", help: "go on with the run that is there" },
  },
} as const satisfies Command<OptionTable>;

const sample = {
  usage: "deno run -A scripts/sample_onnx.ts",
  summary: "Draws samples.",
  options: { n: { kind: "integer", minimum: 1, help: "number of samples" } },
  operands: [{ name: "MODEL", help: "path of the model" }],
} as const satisfies Command<OptionTable>;

function read(...args: string[]) {
  const line = parseCommandLine(train, args);
  if (line === "help") throw new Error("asked for help");
  return line.options;
}

const defaults = {
  budget: "default",
  seed: 1,
  slope: undefined,
  temperature: 1,
  threads: undefined,
  out: "runs/dimer",
  resume: false,
};

Deno.test("parseCommandLine() gives every option its default and its type", () => {
  const options = read();
  // These lines are a test by compiling.
  const budget: "smoke" | "default" | "paper" = options.budget;
  const seed: number = options.seed;
  const slope: number | undefined = options.slope;

  assertEquals(options as unknown, defaults);
  assertEquals([budget, seed, slope], ["default", 1, undefined]);
});

Deno.test("parseCommandLine() reads values in every spelling, negative ones too", () => {
  assertEquals(read("--slope", "-0.5", "--seed=7", "--resume", "--budget", "smoke") as unknown, {
    ...defaults,
    slope: -0.5,
    seed: 7,
    resume: true,
    budget: "smoke",
  });
  assertEquals(read("--slope=-.5e1").slope, -5);
  assertEquals(read("--seed", "1e5").seed, 100_000);
  assertEquals(read("--resume=false", "--out", "007").out, "007");
  assertEquals(read("--seed", "1", "--seed", "2").seed, 2);
  assertEquals(read("--temperature", "100").temperature, 100);
});

Deno.test("parseCommandLine() knows --help and -h", () => {
  assertEquals(parseCommandLine(train, ["--help"]), "help");
  assertEquals(parseCommandLine(sample, ["-h"]), "help");
});

Deno.test("parseCommandLine() takes operands as text, in order", () => {
  const line = parseCommandLine(sample, ["1e5.onnx", "--n", "3"]);
  const numeric = parseCommandLine(sample, ["--n=3", "--", "007"]);

  assertEquals(line, { options: { n: 3 }, operands: ["1e5.onnx"] });
  assertEquals(numeric, { options: { n: 3 }, operands: ["007"] });
});

const refused: [readonly string[], string][] = [
  [["--sed", "1"], "options must be known ones, got --sed: did you mean --seed? --help explains them all"],
  [["--sed=1"], "options must be known ones, got --sed: did you mean --seed? --help explains them all"],
  [["--xyzzy"], "options must be known ones, got --xyzzy: --help explains them all"],
  [["--no-resume"], "options must be known ones, got --no-resume: did you mean --resume? --help explains them all"],
  [["-x"], "options must be known ones, got -x: --help explains them all"],
  [["--_", "1"], "options must be known ones, got --_: --help explains them all"],
  [["--__proto__=1"], "options must be known ones, got --__proto__: --help explains them all"],
  [["--constructor"], "options must be known ones, got --constructor: --help explains them all"],
  [["--seed"], "--seed must have a value (an integer ≥ 0), got none"],
  [["--seed="], "--seed must have a value (an integer ≥ 0), got none"],
  [["--seed", "--resume"], "--seed must have a value (an integer ≥ 0), got none"],
  [["--out="], "--out must have a value (dir), got none"],
  [["--seed", "-1"], "--seed must be an integer ≥ 0, got -1"],
  [["--seed", "1.5"], "--seed must be an integer ≥ 0, got 1.5"],
  [["--seed", "1e300"], "--seed must be an integer ≥ 0, got 1e300"],
  [["--seed", "0x10"], "--seed must be an integer ≥ 0, got 0x10"],
  [["--seed", "one"], "--seed must be an integer ≥ 0, got one"],
  [["--slope", "NaN"], "--slope must be a number, got NaN"],
  [["--slope", "1e999"], "--slope must be a number, got 1e999"],
  [["--temperature", "0"], "--temperature must be a number > 0 and ≤ 100, got 0"],
  [["--temperature", "101"], "--temperature must be a number > 0 and ≤ 100, got 101"],
  [["--threads", "0"], "--threads must be an integer from 1 to 64, got 0"],
  [["--budget", "Smoke"], "--budget must be one of smoke, default, paper, got Smoke"],
  [["--resume=maybe"], "--resume must stand alone, got the value maybe"],
  [["smoke"], "arguments must be options, got smoke: --help explains them"],
];

for (const [args, message] of refused) {
  Deno.test(`parseCommandLine() refuses ${args.join(" ")}`, () => {
    const error = assertThrows(() => parseCommandLine(train, args), RangeError);
    assertEquals(error.message, `Cannot run train.ts: ${message}`);
  });
}

Deno.test("parseCommandLine() wants every operand and no more", () => {
  const none = assertThrows(() => parseCommandLine(sample, []), RangeError);
  const two = assertThrows(() => parseCommandLine(sample, ["a", "b"]), RangeError);

  assertEquals(none.message, "Cannot run sample_onnx.ts: MODEL must be given (path of the model), got nothing");
  assertEquals(
    two.message,
    "Cannot run sample_onnx.ts: arguments must be MODEL and options, got b: --help explains them",
  );
});

Deno.test("describeCommand() aligns every option with its default", () => {
  assertEquals(
    describeCommand(train),
    `Trains something.

Usage: deno run -A scripts/train.ts [options]

Options:
  --budget smoke|default|paper  how long it may take (default: default)
  --seed N                      seed of all random numbers (default: 1)
  --slope X                     overrides the slope of the preset (default: as the preset has it)
  --temperature X               temperature in units of T₀ (default: 1)
  --threads N                   threads (default: all cores)
  --out DIR                     directory for everything that is written (default: runs/dimer)
  --resume                      go on with the run that is there
  --help                        print this text`,
  );
  assertStringIncludes(
    describeCommand(sample),
    "sample_onnx.ts MODEL [options]\n\nArguments:\n  MODEL   path of the model",
  );
});

Deno.test("describeCommand() wraps long lines", () => {
  const help = "word ".repeat(40).trim();
  const options = {
    "a-name-that-is-much-too-long-for-the-column": { kind: "flag", help },
    b: { kind: "flag", help },
  } as const;
  const lines = describeCommand({ ...train, options }).split("\n");

  assertEquals(Math.max(...lines.map((line) => line.length)) <= 100, true);
  assertEquals(lines.join(" ").split("word").length, 81);
});

/** Runs a little script in a process of its own. */
async function runScript(main: string, ...args: string[]) {
  const module = new URL("../../scripts/command_line.ts", import.meta.url).href;
  const code = `import { runCommand } from ${JSON.stringify(module)};
    await runCommand({ usage: "x.ts", summary: "X.", options: { n: { kind: "integer", help: "n" } } }, ${main}, ${
    JSON.stringify(args)
  });`;
  const { code: exitCode, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { exitCode, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("runCommand() ends with one sentence on standard error and exit code 1", async () => {
  const cannot = `() => { setInterval(() => {}, 1000); throw new Error("Cannot do it: n must be 1, got 2"); }`;
  const [good, wrongOption, failed, bug, help] = await Promise.all([
    runScript("({ options }) => console.log(options.n)", "--n", "3"),
    runScript("() => console.log('ran')", "--m", "3"),
    runScript(cannot),
    runScript("() => { null.x; }"),
    runScript("() => console.log('ran')", "--help"),
  ]);

  assertEquals(good, { exitCode: 0, stdout: "3\n", stderr: "" });
  assertEquals(wrongOption, {
    exitCode: 1,
    stdout: "",
    stderr: "Cannot run x.ts: options must be known ones, got --m: --help explains them all\n",
  });
  assertEquals(failed, { exitCode: 1, stdout: "", stderr: "Cannot do it: n must be 1, got 2\n" });
  assertEquals(bug.exitCode, 1);
  assertStringIncludes(bug.stderr, "TypeError");
  assertStringIncludes(bug.stderr, "    at ");
  assertEquals([help.exitCode, help.stdout.startsWith("X.\n\nUsage: x.ts [options]")], [0, true]);
});
