import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { loadCheckpoint } from "../../src/training/checkpoint.ts";
import { makeCache } from "../support/deno_process.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { record, trials } from "../support/incidents.ts";
import { differingFiles, filesBelow, unfinishedFiles } from "../support/killed_runs.ts";
import { runTinyTemperatures, silent } from "../support/tiny_runs.ts";

await loadKernels();

/** Runs a program of the system; whether it succeeded. */
async function system(name: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(name, { args, stderr: "null", stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** A disk of so many bytes, mounted for the time of `body`; false if we may not mount. */
async function withDisk(bytes: number, body: (path: string) => Promise<void>, readOnly = ""): Promise<boolean> {
  const path = await Deno.makeTempDir({ prefix: "boltzflow_disk_" });
  try {
    if (!await system("mount", "-t", "tmpfs", "-o", `size=${bytes}${readOnly}`, "none", path)) return false;
    try {
      await body(path);
    } finally {
      await system("umount", path);
    }
    return true;
  } finally {
    await Deno.remove(path);
  }
}

const canMount = await withDisk(4096, () => Promise.resolve());
/** Bytes that a run wants to find free when it begins, and some more for its files. */
const DISK = 24 << 20;

/** A progress that does something once, at a step of the training or at the beginning of a part. */
function at(moment: number | string, act: () => void): typeof silent {
  let steps = 0;
  const start = (part: string) => {
    if (part === moment) act();
  };
  const update = (_: number, loss?: number) => {
    if (loss !== undefined && ++steps === moment) act();
  };
  return { ...silent, start, update };
}

/** Runs on a place that goes bad at a moment, repairs it, resumes, and compares with a run on a good one. */
async function survives(
  { out, whole, moment, spoil, repair, complaint }: {
    readonly out: string;
    readonly whole: string;
    readonly moment: number | string;
    readonly spoil: () => void;
    readonly repair: () => Promise<unknown>;
    readonly complaint: RegExp;
  },
): Promise<void> {
  const error = await assertRejects(
    () => runTinyTemperatures({ out, checkpointEveryMs: 0, progress: at(moment, spoil) }),
    Error,
  );
  await repair();
  assertMatch(error.message, complaint);
  assertEquals(unfinishedFiles(out), []);
  await loadCheckpoint(`${out}/checkpoint.safetensors`, "dimer temperatures training");
  assert((await runTinyTemperatures({ out, resume: true })).complete);
  assertEquals(differingFiles(whole, out), []);
}

/** Writes until there is no room. */
function fill(path: string): void {
  using file = Deno.openSync(path, { create: true, write: true });
  for (const size of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) file.writeSync(new Uint8Array(size));
    } catch {
      // Full to this size.
    }
  }
}

const moments = [3, "sampling the flow", 7, 11, 16, 23, "umbrella sampling"] as const;

Deno.test({
  name: "a run on a full disk ends with a sentence, keeps its checkpoint and can go on",
  ignore: !canMount,
  fn: () =>
    inTemporaryDirectory(async (root) => {
      const whole = `${root}/whole`;
      await runTinyTemperatures({ out: whole });
      const start = performance.now();
      const chosen = moments.slice(0, trials(2, moments.length));
      for (const moment of chosen) {
        await withDisk(DISK, async (disk) => {
          await survives({
            out: `${disk}/run`,
            whole,
            moment,
            spoil: () => fill(`${disk}/filler`),
            repair: () => Deno.remove(`${disk}/filler`),
            complaint: /^Cannot write .*: the disk must have room, got "No space left on device": free some space or/,
          });
        });
      }
      const seconds = (performance.now() - start) / 1000;
      record({ incident: "disk full in the middle of a run", trials: chosen.length, lost: 0, wrong: 0, seconds });
    }),
});

Deno.test("a run whose directory becomes read-only ends with a sentence, keeps its checkpoint and can go on", () =>
  inTemporaryDirectory(async (root) => {
    const whole = `${root}/whole`;
    await runTinyTemperatures({ out: whole });
    const start = performance.now();
    const chosen = moments.slice(0, trials(1, moments.length));
    for (const [i, moment] of chosen.entries()) {
      const out = `${root}/run${i}`;
      // To the superuser permissions mean nothing, but this attribute does.
      const change = Deno.uid() === 0
        ? { command: "chattr", lock: "+i", free: "-i" }
        : { command: "chmod", lock: "a-w", free: "u+w" };
      const parts = `${out}/parts`;
      await survives({
        out,
        whole,
        moment,
        spoil: () => new Deno.Command(change.command, { args: [change.lock, out, parts] }).outputSync(),
        repair: () => system(change.command, change.free, out, parts),
        complaint: /^Cannot write .*: .* must be open to us, got "(Operation not permitted|Permission denied)/,
      });
    }
    const seconds = (performance.now() - start) / 1000;
    record({ incident: "directory made read-only during a run", trials: chosen.length, lost: 0, wrong: 0, seconds });
  }));

Deno.test({
  name: "a run on a read-only disk or one that is too small does not begin",
  ignore: !canMount,
  async fn() {
    const refused = async (disk: string, complaint: RegExp) => {
      const error = await assertRejects(() => runTinyTemperatures({ out: `${disk}/run` }), Error);
      assertMatch(error.message, complaint);
      assertEquals(filesBelow(disk), []);
    };
    await withDisk(
      DISK,
      (disk) => refused(disk, /^Cannot start a run in .*: .* must be open to us, got "Read-only/),
      ",ro",
    );
    await withDisk(
      1 << 20,
      (disk) => refused(disk, /^Cannot start a run in .*: the disk must have room, got "No space/),
    );
  },
});

Deno.test({
  name: "a run under a limit on file sizes ends with a sentence and leaves what was there",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inTemporaryDirectory(async (root) => {
      const out = `${root}/run`;
      await runTinyTemperatures({ out });
      const before = filesBelow(out).map((name) => Deno.statSync(out + name).mtime?.getTime());
      const program = "tests/support/tiny_run_program.ts";
      const { code, stderr } = await new Deno.Command("bash", {
        args: ["-c", `ulimit -f 8000; exec "$0" run -A --no-check "$@"`, Deno.execPath(), program].concat(
          ["temperatures", "--resume", "--out", out],
        ),
        // Deno's own cache has files beyond the limit.
        env: { NO_COLOR: "1", DENO_DIR: await makeCache(root) },
      }).output();
      const text = new TextDecoder().decode(stderr);
      assertEquals([code, text.replaceAll(out, "OUT")], [
        1,
        'Cannot resume the run in OUT: the limit on file sizes must leave room, got "File too large": raise it (ulimit -f)\n',
      ]);
      assertEquals(filesBelow(out).map((name) => Deno.statSync(out + name).mtime?.getTime()), before);
      record({ incident: "limit on file sizes", trials: 1, lost: 0, wrong: 0, seconds: 0 });
    }),
});
