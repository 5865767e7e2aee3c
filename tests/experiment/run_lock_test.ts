import { assertEquals, assertRejects } from "@std/assert";
import { lockDirectory } from "../../src/experiment/run_lock.ts";
import { inTemporaryDirectory, namesIn } from "../support/file_faults.ts";

const lockModule = new URL("../../src/experiment/run_lock.ts", import.meta.url).href;

/** A program that takes the lock of `Deno.args[0]`, says so and waits to be killed. */
const ours = `import { lockDirectory } from ${JSON.stringify(lockModule)};
  await lockDirectory(Deno.args[0], "work"); console.log("locked"); setInterval(() => {}, 1000);`;

type Lock = (directory: string) => Promise<unknown>;

/** While another process holds the lock we are refused; once it was killed we are not. */
async function assertLockOfTheLiving(program: string, lock: Lock): Promise<string> {
  return await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/program.ts`, program);
    const args = ["run", "-A", "--no-check", `${directory}/program.ts`, directory];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    let message = "";
    try {
      message = (await assertRejects(() => lock(directory), Error)).message.replaceAll(`${child.pid}`, "PID");
    } finally {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    }
    await lock(directory);
    return message.replaceAll(directory, "DIR");
  });
}

const lockAndRelease: Lock = async (directory) => await (await lockDirectory(directory, "start")).release();

Deno.test("lockDirectory() keeps others out while the holder lives, and not after it was killed", async () => {
  assertEquals(
    await assertLockOfTheLiving(ours, lockAndRelease),
    "Cannot start: the directory must not be in use, got process PID at work in it" +
      ": wait for it or choose another directory",
  );
});

Deno.test("assertLockOfTheLiving() rejects a lock that is only a file, and no lock at all", async () => {
  const plainFile = `await Deno.open(Deno.args[0] + "/run.lock", { createNew: true, write: true });
    console.log("locked"); setInterval(() => {}, 1000);`;
  const createNew: Lock = async (directory) => {
    (await Deno.open(`${directory}/run.lock`, { createNew: true, write: true })).close();
  };

  await assertRejects(() => assertLockOfTheLiving(plainFile, createNew), Deno.errors.AlreadyExists);
  await assertRejects(() => assertLockOfTheLiving(plainFile, lockAndRelease), Error, "Expected function to reject");
});

Deno.test("lockDirectory() locks within one process too, and release() frees and tidies", async () => {
  await inTemporaryDirectory(async (directory) => {
    const lock = await lockDirectory(directory, "start");
    assertEquals(await Deno.readTextFile(`${directory}/run.lock`), `${Deno.pid}\n`);
    await assertRejects(() => lockDirectory(directory, "start"), Error, `got process ${Deno.pid} at work in it`);

    await lock.release();
    await lock.release();

    assertEquals(await namesIn(directory), []);
    await lockAndRelease(directory);
  });
});

Deno.test("lockDirectory() lets exactly one of many at a time through", async () => {
  await inTemporaryDirectory(async (directory) => {
    let [inside, most, entered] = [0, 0, 0];
    async function visit() {
      for (let attempt = 0; attempt < 20; attempt++) {
        try {
          const lock = await lockDirectory(directory, "start");
          most = Math.max(most, ++inside);
          entered++;
          await new Promise((resolve) => setTimeout(resolve));
          inside--;
          await lock.release();
        } catch {
          await new Promise((resolve) => setTimeout(resolve));
        }
      }
    }
    await Promise.all(Array.from({ length: 8 }, visit));
    assertEquals([most, entered > 8], [1, true]);
  });
});

Deno.test("lockDirectory() leaves a file alone that is not its own", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/run.lock`, "my diary\n");
    const error = await assertRejects(() => lockDirectory(directory, "start"), Error);
    assertEquals(
      error.message,
      `Cannot start: ${directory}/run.lock must be the lock of a run, got another file: choose another directory`,
    );
    assertEquals(await Deno.readTextFile(`${directory}/run.lock`), "my diary\n");
  });
});
