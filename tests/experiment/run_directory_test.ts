import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type RunClaim, RunDirectory } from "../../src/experiment/run_directory.ts";
import { inTemporaryDirectory, namesIn, noSpace, withFaults } from "../support/file_faults.ts";

const claim: RunClaim = {
  kind: "dimer",
  configuration: { seed: 1, system: { preset: "noe2019", slope: 2 } },
  files: ["report.json", "checkpoint.safetensors", "figures/loss.svg"],
  room: 1000,
};

/** Claims, runs `body`, releases. */
async function withRun(
  path: string,
  changes: Partial<RunClaim> = {},
  body = (_run: RunDirectory) => Promise.resolve(),
) {
  await using run = await RunDirectory.claim(path, { ...claim, ...changes });
  await body(run);
}

async function refusal(path: string, changes: Partial<RunClaim> = {}): Promise<string> {
  const error = await assertRejects(() => withRun(path, changes), Error);
  return error.message.replaceAll(path, "OUT");
}

Deno.test("RunDirectory.claim() makes the directory, records the run and releases the lock", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/deep/run`;

    await withRun(path + "//", {}, async (run) => {
      assertEquals([run.path, run.resumed], [path, false]);
      assertEquals(await namesIn(path), ["run.json", "run.lock"]);
      await run.writeJson("report.json", { b: [1, 2], a: { x: null } });
      await run.write("figures/loss.svg", "<svg/>");
    });

    assertEquals(await namesIn(path), ["figures", "report.json", "run.json"]);
    assertEquals(
      await Deno.readTextFile(`${path}/report.json`),
      '{\n  "b": [1, 2],\n  "a": {\n    "x": null\n  }\n}\n',
    );
    const { files, configuration } = JSON.parse(await Deno.readTextFile(`${path}/run.json`));
    assertEquals({ files, configuration }, { files: claim.files, configuration: claim.configuration });
  });
});

Deno.test("RunDirectory.claim() refuses a directory that holds a run or other files", async () => {
  await inTemporaryDirectory(async (directory) => {
    await withRun(`${directory}/run`);
    await Deno.mkdir(`${directory}/other`);
    for (const name of ["a", "b", "c", "d"]) await Deno.writeTextFile(`${directory}/other/${name}`, name);

    assertEquals(
      await refusal(`${directory}/run`),
      "Cannot start a run in OUT: the directory must be empty or new, got one that holds a dimer run" +
        ": go on with it (--resume), replace it (--force) or choose another directory (--out)",
    );
    assertEquals(
      await refusal(`${directory}/other`),
      "Cannot start a run in OUT: the directory must be empty or new, got other files (a, b, c, …)" +
        ": choose another directory (--out)",
    );
    assertEquals(
      await refusal(`${directory}/other/a`),
      "Cannot start a run in OUT: OUT must be a directory, got a file: choose another directory",
    );
    assertEquals(await namesIn(`${directory}/other`), ["a", "b", "c", "d"]);
    assertEquals(await namesIn(`${directory}/run`), ["run.json"]);
  });
});

Deno.test("RunDirectory.claim() with force removes the files of the old run and no others", async () => {
  await inTemporaryDirectory(async (path) => {
    const files = ["old.json", "deep/er/old.svg", "report.json"];
    await withRun(path, { files }, async (run) => {
      for (const name of files) await run.write(name, "old");
    });
    await Deno.writeTextFile(`${path}/old.json.previous`, "");
    await Deno.writeTextFile(`${path}/.old.json.1234abcd.tmp`, "half");
    await Deno.writeTextFile(`${path}/.mine.tmp`, "");
    await Deno.writeTextFile(`${path}/notes.txt`, "mine");

    await withRun(path, { force: true, configuration: { seed: 2 } });

    assertEquals(await namesIn(path), [".mine.tmp", "notes.txt", "run.json"]);
    assertEquals(JSON.parse(await Deno.readTextFile(`${path}/run.json`)).configuration, { seed: 2 });
  });
});

Deno.test("RunDirectory.claim() with force removes nothing behind a link that leads out of the directory", async () => {
  await inTemporaryDirectory(async (root) => {
    const [path, elsewhere] = [`${root}/run`, `${root}/elsewhere`];
    await withRun(path, { files: ["figures/a.svg"] });
    await Deno.mkdir(elsewhere);
    await Deno.writeTextFile(`${elsewhere}/a.svg`, "mine");
    await Deno.symlink(elsewhere, `${path}/figures`);

    assertEquals(
      (await refusal(path, { force: true })).replaceAll(path, "OUT"),
      "Cannot use OUT for a run: its files must lie inside it, got figures/a.svg behind a link: remove the link",
    );
    assertEquals(await Deno.readTextFile(`${elsewhere}/a.svg`), "mine");
  });
});

Deno.test("RunDirectory.claim() with force spares a directory of something else", async () => {
  await inTemporaryDirectory(async (path) => {
    await Deno.writeTextFile(`${path}/notes.txt`, "mine");
    await withRun(path, { force: true });
    assertEquals(await namesIn(path), ["notes.txt", "run.json"]);

    await Deno.remove(`${path}/run.json`);
    await Deno.writeTextFile(`${path}/report.json`, "mine");
    assertEquals(
      await refusal(path, { force: true }),
      "Cannot start a run in OUT: report.json must belong to a run, got a file of something else: move it away",
    );
    assertEquals(await Deno.readTextFile(`${path}/report.json`), "mine");
  });
});

Deno.test("RunDirectory.claim() with resume wants the same run and names the first difference", async () => {
  await inTemporaryDirectory(async (path) => {
    const resume = true;
    assertEquals(
      await refusal(path, { resume }),
      "Cannot resume the run in OUT: the directory must hold a run, got none: start one without --resume",
    );
    assertEquals(
      await refusal(`${path}/none`, { resume }),
      "Cannot resume the run in OUT: OUT must hold a run, got no such directory: start one without --resume",
    );
    await withRun(path, {}, (run) => run.write("report.json", "kept"));
    await Deno.writeTextFile(`${path}/.report.json.1234abcd.tmp`, "half");

    await withRun(path, { resume, files: ["report.json", "new.json"] }, (run) => Promise.resolve(assert(run.resumed)));

    assertEquals(await namesIn(path), ["report.json", "run.json"]);
    assertEquals(JSON.parse(await Deno.readTextFile(`${path}/run.json`)).files, [...claim.files, "new.json"]);
    assertEquals(
      await refusal(path, { resume, configuration: { seed: 1, system: { preset: "noe2019", slope: 3 } } }),
      "Cannot resume the run in OUT: system.slope must be 2 as recorded, got 3" +
        ": repeat the options of that run, or start anew with --force or in another directory",
    );
    assertEquals(
      await refusal(path, { resume, kind: "double well" }),
      "Cannot resume the run in OUT: kind must be dimer as recorded, got double well: choose its directory",
    );
    assertEquals(
      await refusal(path, { resume, force: true }),
      "Cannot resume the run in OUT: resume and force must not both be set, got both",
    );
    assertEquals(await Deno.readTextFile(`${path}/report.json`), "kept");
  });
});

Deno.test("RunDirectory.claim() does not follow a forged run.json out of the directory", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/run`;
    await withRun(path);
    await Deno.writeTextFile(`${directory}/precious`, "");
    const marker = JSON.parse(await Deno.readTextFile(`${path}/run.json`));

    for (const content of [{ ...marker, files: ["../precious"] }, { ...marker, version: 2 }, null, []]) {
      await Deno.writeTextFile(`${path}/run.json`, JSON.stringify(content));
      assertEquals(
        await refusal(path, { force: true }),
        "Cannot start a run in OUT: OUT/run.json must describe a run of this release, got other content" +
          ": choose another directory",
      );
    }
    assertEquals(await namesIn(directory), ["precious", "run"]);
  });
});

Deno.test("RunDirectory accepts only files inside it, and only those it claimed", async () => {
  await inTemporaryDirectory(async (path) => {
    for (const name of ["../x", "/x", "a//b", "", ".hidden", "a/./b", "run.json", "run.lock", "a\\b"]) {
      await assertRejects(
        () => RunDirectory.claim(path, { ...claim, files: [name] }),
        RangeError,
        "must stay inside it",
      );
    }
    await withRun(path, {}, async (run) => {
      assertThrows(() => run.pathOf("other.json"), RangeError, "must be one that the run claimed");
      await assertRejects(() => run.write("other.json", ""), RangeError);
      await assertRejects(
        () => run.writeJson("report.json", { value: NaN }),
        RangeError,
        "value.value must be a finite",
      );
    });
    assertEquals(await namesIn(path), ["run.json"]);
  });
});

Deno.test("RunDirectory.claim() tries room and permission before it changes anything", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/run`;
    const full = await withFaultsMessage("write", noSpace(), () => withRun(`${path}/new`));
    assertEquals(
      full.replaceAll(path, "OUT"),
      'Cannot start a run in OUT/new: the disk must have room, got "No space left on device"' +
        ": free some space or choose another directory",
    );
    const denied = Object.assign(new Error("Permission denied (os error 13): open"), { code: "EACCES" });
    assertEquals(
      (await withFaultsMessage("open", denied, () => withRun(`${path}/new`))).replaceAll(path, "OUT"),
      'Cannot start a run in OUT/new: OUT/new must be open to us, got "Permission denied"' +
        ": change its permissions or choose another directory",
    );
    assertEquals(await namesIn(path), []);

    await withRun(path, {}, (run) => run.write("report.json", "kept"));
    await withFaultsMessage("sync", noSpace(), () => withRun(path, { force: true }));
    assertEquals(await namesIn(path), ["report.json", "run.json"]);
    assertEquals(await refusal(`${path}/report.json/below`), "Cannot start a run in OUT: " + belowAFile(path));
  });
});

const belowAFile = (path: string) => `${path}/report.json must be a directory, got "Not a directory"`;

async function withFaultsMessage(operation: string, fault: Error, body: () => Promise<unknown>): Promise<string> {
  const run = () => withFaults((name) => name === operation ? () => Promise.reject(fault) : undefined, body);
  return (await assertRejects(run, Error)).message;
}
