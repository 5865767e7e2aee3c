import { assertEquals, assertStringIncludes } from "@std/assert";
import { inTemporaryDirectory } from "../support/file_faults.ts";

const script = new URL("../../.ci/run", import.meta.url);
const needed = ["bash", "env", "dirname", "id", "rm", "mktemp", "timeout", "tee", "grep", "tail"];
const checks = ["format", "lint", "docs", "types", "layers", "wasm", "sampler"];

const passing = 'Deno.test("a", async (t) => { await t.step("b", () => {}); });\nDeno.test("c", () => {});\n';
const failing = 'Deno.test("d", () => { throw new Error("no"); });\n';

interface Project {
  /** Content of test files. */
  readonly tests: readonly string[];
  /** What `deno task check:lint` runs; default a command that succeeds. */
  readonly lint?: string;
  /** Whether deno must be installed first. */
  readonly withoutDeno?: boolean;
}

/** Runs .ci/run in a little repository, from another directory, where nothing can really be installed. */
async function runCi({ tests, lint = "true", withoutDeno = false }: Project) {
  return await inTemporaryDirectory(async (root) => {
    await Deno.mkdir(`${root}/repo/.ci`, { recursive: true });
    await Deno.copyFile(script, `${root}/repo/.ci/run`);
    await Deno.chmod(`${root}/repo/.ci/run`, 0o755);
    const tasks = Object.fromEntries(checks.map((name) => [`check:${name}`, name === "lint" ? lint : "true"]));
    const config = { tasks: { ...tasks, test: "deno test -A" } };
    await Deno.writeTextFile(`${root}/repo/deno.json`, JSON.stringify(config));
    for (const [i, content] of tests.entries()) await Deno.writeTextFile(`${root}/repo/${i}_test.ts`, content);
    const path = await makePath(root, withoutDeno);
    const { code, stdout } = await new Deno.Command(`${root}/repo/.ci/run`, {
      cwd: "/",
      clearEnv: true,
      env: { PATH: path, HOME: root, DENO_DIR: `${root}/deno`, FORCE_COLOR: "1", TMPDIR: root },
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    return { code, last: lines.at(-1), output: lines.join("\n") };
  });
}

/** A search path with the few programs the script may use, and an npm and apt-get that install nothing from outside. */
async function makePath(root: string, withoutDeno: boolean): Promise<string> {
  const bin = `${root}/bin`;
  await Deno.mkdir(bin);
  for (const name of needed) {
    const place = (await Promise.all(["/usr/bin", "/bin"].map((folder) =>
      Deno.stat(`${folder}/${name}`).then(() =>
        `${folder}/${name}`, () =>
        undefined)
    ))).find((path) =>
      path !== undefined
    );
    await Deno.symlink(place!, `${bin}/${name}`);
  }
  const npm = `#!/bin/bash
    if [ "$1" = install ]; then echo "npm $*" >&1; /bin/mkdir -p ${root}/npm/bin; /bin/ln -s ${Deno.execPath()} ${root}/npm/bin/deno; fi
    if [ "$1" = prefix ]; then echo ${root}/npm; fi\n`;
  await Deno.writeTextFile(`${bin}/npm`, npm, { mode: 0o755 });
  for (const name of ["apt-get", "sudo"]) {
    await Deno.writeTextFile(`${bin}/${name}`, "#!/bin/bash\nexit 1\n", { mode: 0o755 });
  }
  if (!withoutDeno) await Deno.symlink(Deno.execPath(), `${bin}/deno`);
  return bin;
}

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: ".ci/run counts tests, not their steps, and succeeds if all pass",
  ignore,
  async fn() {
    const { code, last, output } = await runCi({ tests: [passing, passing] });
    assertEquals([code, last], [0, "4 passed, 0 failed"], output);
  },
});

Deno.test({
  name: ".ci/run fails and counts when tests fail",
  ignore,
  async fn() {
    const { code, last, output } = await runCi({ tests: [passing, failing, 'throw new Error("at once");'] });
    assertEquals([code, last], [1, "2 passed, 2 failed"], output);
  },
});

Deno.test({
  name: ".ci/run fails when another check fails, though every test passes",
  ignore,
  async fn() {
    const { code, last, output } = await runCi({ tests: [passing], lint: "false" });
    assertEquals([code, last], [1, "2 passed, 1 failed"]);
    assertStringIncludes(output, "FAILED: deno task check:lint\n");
  },
});

Deno.test({
  name: ".ci/run fails when tests do not compile, and when there are none",
  ignore,
  async fn() {
    const broken = await runCi({ tests: [passing, 'const x: number = "x";'] });
    const none = await runCi({ tests: [] });
    assertEquals([broken.code, broken.last], [1, "0 passed, 1 failed"], broken.output);
    assertEquals([none.code, none.last], [1, "0 passed, 1 failed"], none.output);
  },
});

Deno.test({
  name: ".ci/run installs deno through npm where there is none",
  ignore,
  async fn() {
    const { code, last, output } = await runCi({ tests: [passing], withoutDeno: true });
    assertStringIncludes(output, "npm install --global deno@2.9.6\n");
    assertEquals([code, last], [0, "2 passed, 0 failed"], output);
  },
});
